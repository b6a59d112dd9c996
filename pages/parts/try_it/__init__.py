"""The answers of trained networks to a sample that you give."""
