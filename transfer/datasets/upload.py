"""Pictures that came through the Data page: ``upload:flowers``."""

from __future__ import annotations

from transfer.datasets import Dataset, Family


def opened(name: str) -> Dataset:
    """The upload as a data set.

    Raises:
        UnknownKey: there is none of that name.
    """
    from transfer.pictures import own, uploads

    return own.dataset(f"upload:{name}", name, uploads.where(name), "Uploaded through the Data page")


def known() -> list[str]:
    """Keys of the uploads that are here."""
    from transfer.pictures import uploads

    return [f"upload:{name}" for name in uploads.names()]


UPLOAD = Family("upload", opened, known)
