"""The table of all runs, and what can be done with them."""
