"""The pages: one file each, drawn by `app.py`; their building blocks are in `parts`."""
