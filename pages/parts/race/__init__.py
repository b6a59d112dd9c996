"""Several runs compared: the form for a race, its progress and its results."""
