"""What the pages are made of: cards, options, buttons, curves. One idea a file."""
