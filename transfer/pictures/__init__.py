"""A user's own pictures: files on disk become data sets that are never in memory as a whole.

`folders` lists the pictures in a folder with their classes, `formats` reads one of them, `pack` decodes all
of them once into one file on disk, and `Pictures` reads from it batch by batch.
"""
