"""One run in depth: its test results, the inside of its network, its background."""
