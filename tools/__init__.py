"""Scripts that are run by hand and leave their result in the repository."""
