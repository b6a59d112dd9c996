"""Insight: what a run means, computed from what it said. Knows no page; a page draws what this returns."""
