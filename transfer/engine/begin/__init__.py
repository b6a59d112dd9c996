"""What a run begins with: its backbone, its source, its teacher, and what they have seen before."""
