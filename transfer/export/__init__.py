"""What a run can be taken away as. One form a file."""
