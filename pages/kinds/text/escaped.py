"""Texts as HTML that shows every character and obeys none."""

from __future__ import annotations

from html import escape

SHOWN = 220
# Texts are anybody's: they are escaped, control characters are drawn as such, and each keeps its own direction.
SMALL = "font-size:.8rem;line-height:1.35"
BOX = "border:1px solid rgba(128,128,128,.3);border-radius:.4rem;padding:.4rem .6rem;font-size:.85rem;line-height:1.4"


def html(text: str, most: int = SHOWN) -> str:
    """A text's beginning as HTML that shows every character and obeys none."""
    begun = text if len(text) <= most else text[:most].rstrip() + " …"
    return f"<bdi>{escape(visible(begun))}</bdi>"


def visible(text: str) -> str:
    """The text with a sign in place of each character that would be invisible or change the direction of others."""
    return "".join(one if one.isprintable() or one == "\n" else "\u2423" if one.isspace() else "\ufffd" for one in text)
