"""What people give, whatever is in it: plain files, archives under limits, names, and bytes in some code page."""
