"""What a folder of pictures means: which folders are classes, which are parts, which table gives the labels."""
