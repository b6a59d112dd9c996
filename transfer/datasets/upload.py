"""Pictures uploaded on the Data page: ``upload:flowers``."""

from __future__ import annotations

from transfer.datasets import Dataset, Family


def opened(name: str) -> Dataset:
    """The upload as a data set.

    Raises:
        UnknownKey: there is no upload of that name.
    """
    from transfer.pictures import own, uploads

    return own.dataset(f"upload:{name}", name, uploads.where(name), "Uploaded on the Data page")


def known() -> list[str]:
    """Keys of all uploads."""
    from transfer.pictures import uploads

    return [f"upload:{name}" for name in uploads.names()]


UPLOAD = Family("upload", opened, known)
