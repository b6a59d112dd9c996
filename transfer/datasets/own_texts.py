"""Texts of one's own: ``texts:/data/reviews.csv?text=review&label=stars`` here, ``own_texts:reviews`` uploaded.

What stands after the question mark chooses columns of a table; without it they are found out.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from transfer.datasets import Dataset, Family
from transfer.datasets.folder import allowed, forgotten, remembered
from transfer.datasets.folder import remember as keep
from transfer.errors import RequestError, as_text
from transfer.texts.files.typed import Choices

_PLACE = "texts_here"
_CHOICES = ("text", "label", "split")


def opened(rest: str) -> Dataset:
    """The file or folder as a data set.

    Args:
        rest: its path, and choices after a question mark.

    Raises:
        RequestError: it is not there, not to be read, or has nothing that could be learned.
    """
    from transfer.texts import own
    from transfer.texts.files.reading import is_there

    path, choices = apart(rest)
    place = where(path)
    is_there(place)
    kind = "folder" if place.is_dir() else "file"
    title = as_text(place.stem if kind == "file" else place.name or str(place))
    return own.dataset(f"texts:{rest}", title, place, choices, f"The {kind} `{as_text(str(place))}`")


def uploaded(name: str) -> Dataset:
    """The upload as a data set.

    Raises:
        UnknownKey: there is no upload of that name.
    """
    from transfer.texts import own, uploads

    place = uploads.where(name)
    return own.dataset(f"own_texts:{name}", name, place, uploads.choices(name), "Uploaded on the Data page")


def where(path: str) -> Path:
    """The file or folder of that path, if it is one that may be read.

    Raises:
        RequestError: no path, one that cannot be written down, or not one under TRANSFER_FOLDERS.
    """
    return allowed(path, "texts:/path/to/texts.csv", "file or folder")


def place_of(key: str) -> tuple[Path, Choices]:
    """Where the texts behind a key of either family are, and the columns that were chosen.

    Raises:
        RequestError: there are none.
    """
    from transfer.texts import uploads

    prefix, _, rest = key.partition(":")
    if prefix == "own_texts":
        return uploads.where(rest), uploads.choices(rest)
    path, choices = apart(rest)
    return where(path), choices


def apart(rest: str) -> tuple[str, Choices]:
    """Path and choices of what stands after ``texts:``; a question mark may also be part of a path.

    Raises:
        RequestError: there is no such choice.
    """
    path, mark, said = rest.rpartition("?")
    if not mark or "=" not in said or "/" in said.partition("=")[0]:
        return rest, Choices()
    pairs = parse_qsl(said, keep_blank_values=True)
    for name, _ in pairs:
        if name not in _CHOICES:
            raise RequestError(
                f"Texts have no choice {name!r}.", rest, "Write texts:/path/to/texts.csv?text=<column>&label=<column>."
            )
    last = dict(pairs)
    texts = tuple(value for name, value in pairs if name == "text" and value)
    return path, Choices(texts, last.get("label", ""), last.get("split", ""))


def together(path: str, choices: Choices) -> str:
    """Path and choices as they stand after ``texts:``; what `apart` undoes."""
    pairs = [("text", one) for one in choices.text]
    pairs += [(name, value) for name in ("label", "split") if (value := getattr(choices, name))]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def remember(rest: str) -> None:
    """Keeps the path, with its choices, among what is offered."""
    for one in remembered(_PLACE):
        if apart(one)[0] == apart(rest)[0]:
            forgotten(one, _PLACE)
    keep(rest, _PLACE)


def forget(rest: str) -> None:
    """Takes the path from what is offered; the texts stay where they are."""
    forgotten(rest, _PLACE)


def known() -> list[str]:
    """Keys of the paths that are remembered."""
    return [f"texts:{rest}" for rest in remembered(_PLACE)]


def known_uploads() -> list[str]:
    """Keys of all uploads."""
    from transfer.texts import uploads

    return [f"own_texts:{name}" for name in uploads.names()]


TEXTS = Family("texts", opened, known)
UPLOADS = Family("own_texts", uploaded, known_uploads)
