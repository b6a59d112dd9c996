"""The pages: each file a screen, drawn by `app.py`; what they are made of is in `parts`."""
