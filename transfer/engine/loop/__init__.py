"""The training loop: one phase after another, watched, and kept so that it can go on."""
