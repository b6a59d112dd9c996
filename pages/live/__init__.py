"""Points of live runs by a path of their own: read once for all viewers, sent as server-sent events, drawn in place."""
