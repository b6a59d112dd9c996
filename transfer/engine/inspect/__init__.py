"""Looks into networks and data: a finished run rebuilt, its features, its evidence, a first batch."""
