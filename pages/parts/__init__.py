"""The building blocks of the pages: cards, options, buttons, curves. One idea per file."""
