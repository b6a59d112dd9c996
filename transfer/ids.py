"""Ids of runs, races and uploads: what one may look like, and nothing else passes.

Ids come from links, command lines and other people's experiments, and become names of folders and keys of the store.
Every id is matched here before it becomes either, so that none can name a place outside the lab's home.
"""

from __future__ import annotations

import re

from transfer.errors import RequestError

LONGEST = 64
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SHOWN = 60


def is_id(text: object, longest: int = LONGEST) -> bool:
    """Whether this can be an id: lower-case ASCII letters, digits, ``-`` and ``_``, a letter or digit first.

    Upper case is refused because some file systems ignore case: two ids would share one folder.

    Args:
        text: what somebody gave.
        longest: most characters that are allowed.
    """
    return isinstance(text, str) and len(text) <= longest and _ID.fullmatch(text) is not None


def checked(kind: str, text: str) -> str:
    """The id itself.

    Args:
        kind: what it should name, for the message: ``run``, ``race`` or ``upload``.
        text: what somebody gave.

    Raises:
        RequestError: it cannot be an id.
    """
    if not is_id(text):
        raise RequestError(
            f"This cannot be the id of {'an' if kind[0] in 'aeiou' else 'a'} {kind}.",
            repr(shown(text)),
            f"An id has up to {LONGEST} lower-case letters, digits, - and _, and starts with a letter or digit.",
        )
    return text


def shown(text: str) -> str:
    """The text as a message or page can show it: short, printable, without Markdown or HTML."""
    plain = "".join(one if one.isprintable() and one not in "`*[]<>$\\" else "?" for one in text[:_SHOWN])
    return plain + ("..." if len(text) > _SHOWN else "")
