"""Files that hold people's texts: tables, JSON, folders of texts by class, and zips of them.

`source` opens them, `decoding` finds their encoding, `separated` and `objects` make tables of them, `columns` finds
text and label, `by_table` and `by_folders` collect labelled rows, and `reading` puts it all together.
"""
