"""Streams the points of live runs: read once for all viewers, sent as server-sent events, drawn in place."""
