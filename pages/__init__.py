"""The pages: one file each, drawn by `app.py`; what they are made of is in the folders of `parts`."""
