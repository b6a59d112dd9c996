"""What a data set contains, and how to add your own."""
