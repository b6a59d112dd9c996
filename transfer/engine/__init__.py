"""The engine: one training loop for every strategy. It knows nothing of stores, queues or pages."""
