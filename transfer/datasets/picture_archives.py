"""Archives of photographs, a folder a class: flowers, cats and dogs, satellite pictures; fetched at their first use.

They are read as own pictures are: decoded once on disk, a torn file left out by name.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transfer import settings
from transfer.datasets import Dataset, Published
from transfer.datasets.fetched import fetched
from transfer.errors import DownloadFailed
from transfer.fetching import Remote

_GOOGLE, _MICROSOFT = "http://download.tensorflow.org", "https://download.microsoft.com/download/3/E/1"


@dataclass(frozen=True)
class _Archive:
    """An archive and the folder of classes in it.

    Args:
        key: of the data set.
        file: where it is fetched from; sizes and checksums as TensorFlow Datasets 4.9.10 gives them.
        folder: in the archive; its sub-folders are the classes.
    """

    key: str
    file: Remote
    folder: str

    @property
    def place(self) -> Path:
        """Where it is unpacked; named as the data cache names what is here."""
        return settings.cache("data") / f"{self.key}-{self.file.digest[:12]}.cache"

    def load(self) -> Published:
        """Its pictures, fetched and unpacked when they are not here yet.

        Raises:
            DownloadFailed: it could not be fetched, or is no archive.
        """
        from transfer.pictures import own

        if not self.place.is_dir():
            self._unpack(fetched(self.key, (self.file,))[0])
        return own.published(own.looked(self.place / self.folder))

    def _unpack(self, archive: Path) -> None:
        """Unpacked beside its place and moved there, then the archive is removed."""
        temporary = Path(tempfile.mkdtemp(dir=self.place.parent, prefix="part-"))
        try:
            if tarfile.is_tarfile(archive):
                with tarfile.open(archive) as opened:
                    opened.extractall(temporary, filter="data")
            else:
                with zipfile.ZipFile(archive) as packed:
                    packed.extractall(temporary)
            os.replace(temporary, self.place)
        except (tarfile.TarError, zipfile.BadZipFile, EOFError) as problem:
            raise DownloadFailed(
                f"The archive of {self.key} cannot be unpacked.", str(problem), f"Remove {archive} and try again."
            ) from problem
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        archive.unlink(missing_ok=True)


def _dataset(archive: _Archive, title: str, summary: str, classes: str, side: int, count: int, **more: Any) -> Dataset:
    kept = min(side, settings.picture_size())
    return Dataset(
        key=archive.key, title=title, summary=summary, classes=tuple(classes.split()), shape=(kept, kept, 3),
        count=count, load=archive.load, download_mb=archive.file.megabytes, kept=True, **more,
    )  # fmt: skip


PHOTOGRAPHS = [
    _dataset(
        _Archive(
            "tf_flowers",
            Remote(
                f"{_GOOGLE}/example_images/flower_photos.tgz",
                "flower_photos.tgz",
                "4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
                228.8,
            ),
            "flower_photos",
        ),
        "TF Flowers",
        "3,670 photographs of five kinds of flower, of many sizes; the set of TensorFlow's tutorials.",
        "daisy dandelion roses sunflowers tulips",
        224,
        3_670,
        licence="CC BY",
        reference="[TensorFlow, load images](https://www.tensorflow.org/tutorials/load_data/images)",
    ),
    _dataset(
        _Archive(
            "cats_vs_dogs",
            Remote(
                f"{_MICROSOFT}/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip",
                "kagglecatsanddogs_5340.zip",
                "b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9",
                824.9,
            ),
            "PetImages",
        ),
        "Cats vs dogs",
        "About 25,000 photographs of cats and dogs, of many sizes; a few files are damaged and left out by name.",
        "Cat Dog",
        224,
        25_000,
        licence="Microsoft, for research",
        reference="[Elson et al. 2007](https://www.microsoft.com/en-us/download/details.aspx?id=54765)",
    ),
    _dataset(
        _Archive(
            "eurosat",
            Remote(
                "http://madm.dfki.de/files/sentinel/EuroSAT.zip",
                "EuroSAT.zip",
                "8ebea626349354c5328b142b96d0430e647051f26efc2dc974c843f25ecf70bd",
                94.3,
            ),
            "2750",
        ),
        "EuroSAT",
        "27,000 pieces of Europe seen by Sentinel-2, ten kinds of land, red, green and blue, 64x64 pixels.",
        "AnnualCrop Forest HerbaceousVegetation Highway Industrial Pasture PermanentCrop Residential River SeaLake",
        64,
        27_000,
        licence="MIT",
        reference="[Helber et al. 2019](https://arxiv.org/abs/1709.00029)",
    ),
]
