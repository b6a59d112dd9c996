"""A run in progress: its curves, its buttons, its device."""
