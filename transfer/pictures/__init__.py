"""A practitioner's own pictures: files on disk become data sets that never lie in memory as a whole.

`folders` says which files a folder offers and what they are called, `formats` reads one of them, `pack` decodes all
of them once into one file on disk, and `Pictures` reads from it as a batch asks.
"""
