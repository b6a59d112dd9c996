"""Any picture set of TensorFlow Datasets by its name: ``tfds:beans``, ``tfds:stanford_dogs``.

The library (tensorflow-datasets) is no requirement of the lab: it brings a dozen packages that nothing else here needs.
It is asked in a process of its own, for it takes eight seconds to import and the pages must not have TensorFlow.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from transfer import removal, settings
from transfer.datasets import Dataset, Family, Published
from transfer.errors import DownloadFailed, LabError, RequestError
from transfer.separate_process import asked

NAME = re.compile(r"[a-z0-9_]+(/[a-zA-Z0-9_.-]+)?")
INSTALL = "Install it once: pip install 'tensorflow-datasets>=4.9,<5' importlib_resources"
_SECONDS, _REACH_SECONDS = 180, 15
_IMAGENET = "ImageNet"


def _published(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (f"{name} training part",), (f"{name} test part",)


_NIST = ("EMNIST", "MNIST training part", "MNIST test part")
# Sets that share pictures with others, by their collections for training and for the test; a set that is not here
# shares none that is known of.
SHARED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mnist": _published("MNIST"),
    "mnist_corrupted": _published("MNIST"),
    "binarized_mnist": _published("MNIST"),
    # Both were cut from the forms of NIST's Special Databases; nobody says which form went where.
    "emnist": (_NIST, _NIST),
    "fashion_mnist": _published("Fashion-MNIST"),
    "cifar10": _published("CIFAR-10"),
    "cifar10_n": _published("CIFAR-10"),
    "cifar10_corrupted": (("CIFAR-10 test part",), ("CIFAR-10 test part",)),
    "cifar10_h": (("CIFAR-10 test part",), ("CIFAR-10 test part",)),
    "cifar100": _published("CIFAR-100"),
    "cifar100_n": _published("CIFAR-100"),
    "svhn_cropped": _published("SVHN"),
    "tf_flowers": (("tf_flowers",), ()),
    "cats_vs_dogs": (("cats_vs_dogs",), ()),
    "eurosat": (("eurosat",), ()),
    # Taken from ImageNet: networks that come with its weights have learned many of their pictures.
    **dict.fromkeys(
        ("imagenette", "imagewoof", "imagenet2012_subset", "imagenet_resized", "stanford_dogs", "stl10"),
        ((_IMAGENET,), (_IMAGENET,)),
    ),
}


def opened(name: str) -> Dataset:
    """The picture set of that name; the library is asked once what it contains.

    Raises:
        RequestError: the library is not installed, has no such set, or it is none of labelled pictures.
    """
    if not NAME.fullmatch(name):
        raise RequestError("This is not a name of TensorFlow Datasets.", repr(name), "For example, write tfds:beans.")
    about = _known(name) or _asked(name)
    place, classes = _place(name), tuple(about["classes"])

    def load() -> Published:
        from transfer.pictures import own

        if not place.is_dir():
            _exported(name, place)
        return own.published(own.looked(place))

    drawn, tested = SHARED.get(name.partition("/")[0], ((), ()))
    side = min(settings.picture_size(), about["side"] or settings.picture_size())
    return Dataset(
        key=f"tfds:{name}", title=f"{name} (TFDS)", summary=about["summary"], classes=classes,
        shape=(side, side, about["channels"]), count=about["count"], licence="see there", reference=about["reference"],
        load=load, download_mb=about["megabytes"], kept=True, drawn_from=drawn, tested_from=tested,
    )  # fmt: skip


def known() -> list[str]:
    """Keys of those that were asked for before."""
    found = []
    for file in sorted(settings.cache("tfds").glob("*.json")):
        found.append(f"tfds:{file.stem.replace('@', '/')}")
    return found


def forget(name: str) -> None:
    """Takes the set from the choices and removes its pictures."""
    _file(name).unlink(missing_ok=True)
    removal.remove(_place(name))


def facts(name: str) -> dict[str, Any]:
    """What the library says of a picture set; in a process of its own.

    Raises:
        RequestError: it has no such set, or none of labelled pictures.
    """
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=str(settings.cache("tfds")))
    except (tfds.core.DatasetNotFoundError, ValueError) as problem:
        raise _unknown(name, str(problem).splitlines()[0]) from problem
    features = builder.info.features or {}
    if not {"image", "label"} <= set(features) or not isinstance(features["label"], tfds.features.ClassLabel):
        raise _unknown(name, "it has no pictures with one label each")
    height, width, channels = features["image"].shape
    urls = getattr(builder, "url_infos", {}) or {}
    size = builder.info.download_size or sum(one.size or 0 for one in urls.values())
    splits = {part: one.num_examples for part, one in builder.info.splits.items()}
    summary = " ".join((builder.info.description or name).split())
    return {
        "classes": sorted(map(_plain, features["label"].names)),
        "side": min(height, width) if height and width else 0,
        "channels": channels if channels in (1, 3) else 3,
        "count": sum(splits.values()),
        "megabytes": round(max(0.1, float(size) / 1e6), 1),
        "summary": summary[:160] + ("..." if len(summary) > 160 else ""),
        "reference": f"[TensorFlow Datasets](https://www.tensorflow.org/datasets/catalog/{builder.name})",
    }


def _unknown(name: str, why: str) -> RequestError:
    return RequestError(
        "TensorFlow Datasets has no picture set of that name.", f"tfds:{name}, {why}",
        "Look for one under https://www.tensorflow.org/datasets/catalog, Image classification.",
    )  # fmt: skip


def _known(name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(_file(name).read_text())
    except (OSError, ValueError):
        return None
    return found


def _file(name: str) -> Path:
    return settings.cache("tfds") / f"{name.replace('/', '@')}.json"


def _place(name: str) -> Path:
    """Where its pictures lie; named as the data cache names what is here."""
    return settings.cache("data") / f"tfds:{name.replace('/', '_')}-pictures.cache"


def _asked(name: str) -> dict[str, Any]:
    if importlib.util.find_spec("tensorflow_datasets") is None:
        raise RequestError("TensorFlow Datasets is not installed.", f"tfds:{name}", f"{INSTALL}.")
    found = asked(__name__, "facts", name, _SECONDS)
    if "refused" in found:
        raise RequestError(*found["refused"])
    _file(name).write_text(json.dumps(found))
    return found


def _exported(name: str, place: Path) -> None:
    """Downloads, and writes each picture's own bytes into a folder for its part and class, one after another."""
    try:
        import tensorflow_datasets as tfds
    except ModuleNotFoundError:
        raise RequestError("TensorFlow Datasets is not installed.", f"tfds:{name}", f"{INSTALL}.") from None
    builder = tfds.builder(name, data_dir=str(settings.cache("tfds")))
    _reachable(name, builder)
    temporary = Path(tempfile.mkdtemp(dir=place.parent, prefix="part-"))
    try:
        builder.download_and_prepare()
        names = [_plain(one) for one in builder.info.features["label"].names]
        parts = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}
        for split, part in parts.items():
            if split in builder.info.splits:
                undecoded = {"image": tfds.decode.SkipDecoding()}
                for number, one in enumerate(tfds.as_numpy(builder.as_dataset(split, decoders=undecoded))):
                    folder = temporary / part / names[int(one["label"])]
                    folder.mkdir(parents=True, exist_ok=True)
                    (folder / f"{number:07}.{_ending(one['image'])}").write_bytes(one["image"])
        os.replace(temporary, place)
    except LabError:
        raise
    except Exception as problem:
        raise _failed(name, problem) from problem
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _reachable(name: str, builder: Any) -> None:
    """Asks for the first file's head: without a network the library itself would try for minutes."""
    if (Path(builder.data_dir) / "dataset_info.json").exists():
        return
    for url in list(getattr(builder, "url_infos", {}) or {})[:1]:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_REACH_SECONDS).close()
        except urllib.error.HTTPError:
            return  # somebody is there
        except OSError as problem:
            raise _failed(name, problem) from problem


def _failed(name: str, problem: Exception) -> DownloadFailed:
    about = _known(name) or {"megabytes": 0.0}
    folder = settings.cache("tfds") / "downloads" / "manual"
    return DownloadFailed(
        f"The data set tfds:{name} ({about['megabytes']:g} MB) could not be fetched or read.",
        str(problem).splitlines()[0] if str(problem) else type(problem).__name__,
        f"Connect to the internet and try again; files that must be downloaded by hand go into {folder}.",
    )


def _plain(name: str) -> str:
    """A class name as a folder can be called; never one of the parts' names or hidden."""
    return re.sub(r"[/\\\0]", "_", name).strip().lstrip(".") or "_"


def _ending(content: bytes) -> str:
    return "png" if content.startswith(b"\x89PNG") else "jpg"


TFDS = Family("tfds", opened, known)
