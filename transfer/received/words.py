"""Names that people give to parts, to columns, and to folders that say nothing about a class."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

Part = Literal["train", "validation", "test"]
PARTS: dict[str, Part] = {
    "train": "train", "training": "train", "trn": "train", "trainval": "train", "traindata": "train",
    "trainset": "train", "trainingset": "train", "训练": "train", "训练集": "train", "訓練": "train", "学習": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "validate": "validation",
    "valset": "validation", "validset": "validation", "dev": "validation", "devel": "validation",
    "development": "validation", "eval": "validation", "evaluation": "validation", "验证": "validation",
    "验证集": "validation", "検証": "validation",
    "test": "test", "testing": "test", "tst": "test", "testset": "test", "testdata": "test", "holdout": "test",
    "heldout": "test", "unseen": "test", "测试": "test", "测试集": "test", "測試": "test", "テスト": "test",
}  # fmt: skip
# Two words that stand for one, once what separates them is gone.
_PAIRS: dict[tuple[str, ...], str] = {
    ("hold", "out"): "holdout",
    ("held", "out"): "heldout",
    ("train", "val"): "trainval",
}
_EVAL = ("eval", "evaluation")
# Pictures that nobody has labelled, as competitions hand them out.
UNLABELLED = frozenset({"pred", "predict", "prediction", "unlabeled", "unlabelled", "submission"})
NOISE = frozenset(
    {"image", "images", "img", "imgs", "picture", "pictures", "pic", "pics", "photo", "photos", "data", "dataset",
     "datasets", "set", "split", "splits", "folder", "dir", "raw", "original", "originals", "jpg", "jpeg", "png",
     "jpegimages", "bilder", "part", "subset", "label", "labels", "classes", "class", "files", "csv", "all", "seg"}
)  # fmt: skip
BESIDE = frozenset(
    {"meta", "metadata", "annotation", "annotations", "label", "labels", "mask", "masks", "segmentation",
     "segmentations", "trimaps", "xmls", "imagesets", "bboxes", "attributes", "doc", "docs", "gt", "ground_truth",
     "groundtruth", "parts", "lists"}
)  # fmt: skip
_SPLIT_WORDS = frozenset(
    {"fold", "split", "batch", "part", "set", "year", "session", "day", "week", "month", "run", "round", "version",
     "v", "cv", "k", "scan", "series", "seed", "subject", "patient", "site", "camera", "cam"}
)  # fmt: skip


def alike(name: str) -> str:
    """What is equal for names that differ only in their Unicode form, in case or in blanks around them."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def shown(name: str) -> str:
    """A name as it can be written anywhere; letters that are bytes to this system become a replacement character."""
    return os.fsencode(name).decode("utf-8", "replace")


def tokens(name: str) -> list[str]:
    """Words of a name: ``01_trainImages`` is 01, train, images; ``train2017`` is train, 2017."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFC", name))
    return re.findall(r"\d+|[^\W\d_]+", apart.casefold())


def part_of(name: str, siblings: Iterable[str] = ()) -> Part | None:
    """The part that a folder, a table or a cell names, or None.

    Args:
        name: ``train``, ``VALID``, ``01_test``, ``train_images``, ``dataset-holdout``.
        siblings: names beside it; words that all of them share do not count (``cats_train``, ``cats_test``).
    """
    if exact := PARTS.get(alike(name)):
        return exact
    others = [set(tokens(one)) for one in siblings]
    shared = set.intersection(*others) if len(others) > 1 else set()
    left = [one for one in tokens(name) if not one.isdigit() and one not in NOISE and (one not in shared)]
    word = left[0] if len(left) == 1 else _PAIRS.get(tuple(left[:2]), "") if len(left) == 2 else ""
    return PARTS.get(word)


def parts_of(names: Iterable[str]) -> dict[str, Part | None]:
    """The part of each of several names that stand side by side.

    ``eval`` beside another validation, and without a test, is the test: what is left for the end.
    """
    several = list(names)
    found = {one: part_of(one, several) for one in several}
    evals = [one for one in several if found[one] == "validation" and set(tokens(one)) & set(_EVAL)]
    validations = [one for one, part in found.items() if part == "validation"]
    if evals and len(validations) > len(evals) and "test" not in found.values():
        found |= dict.fromkeys(evals, "test")
    return found


def is_noise(name: str) -> bool:
    """Whether a name says nothing but that there are pictures: ``images``, ``JPG``, ``data_set``."""
    return bool(tokens(name)) and all(one in NOISE for one in tokens(name))


def like_a_split(name: str) -> bool:
    """Whether a name looks like a year, a fold or a batch rather than a class: ``2019``, ``fold_1``, ``setB``."""
    words = tokens(name)
    if any(one.isdigit() for one in words) and all(one.isdigit() or one in _SPLIT_WORDS for one in words):
        return True
    return len(words) == 2 and words[0] in _SPLIT_WORDS and len(words[1]) == 1
