"""Texts: kept in memory as bytes, read from people's files, turned into tokens."""
