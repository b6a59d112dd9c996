"""A backbone at work: its stages, heads, frozen parts and features."""
