"""Samples on their way into a network: loaded, split, told apart, drawn in batches."""
