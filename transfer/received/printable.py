"""Names and sentences from outside, without characters that are invisible or mean something where they are shown."""

from __future__ import annotations


def printable(name: str) -> str:
    """A file's name without characters that are invisible or have a meaning where it is shown."""
    return "".join(one if one.isprintable() and one not in "`[]<>" else "?" for one in name)[-80:]


def printable_text(text: str) -> str:
    """Sentences that contain file names, in full, without characters that have a meaning where they are shown."""
    return "".join(one if one.isprintable() and one not in "`[]<>$*" else "?" for one in text)
