"""What the pages are made of, a folder each: one idea per file, and no circles (`tests/test_rooms.py`)."""
