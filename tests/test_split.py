"""Splits are disjoint, stratified, nested and the same every time; the cache is only ever a shortcut."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from transfer import counted as counting
from transfer import settings, whole_file
from transfer.datasets import Dataset, Published, Samples
from transfer.datasets.parts import MOST_VALIDATION
from transfer.datasets.textures import TEXTURES
from transfer.engine.samples import cache, splits
from transfer.errors import ImpossibleExperiment, RequestError


@pytest.fixture(autouse=True)
def lab_home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path / "home"))


def numbered(sizes: tuple[int, ...], first: int = 0) -> Samples:
    """Samples that can be told apart: the pixels of each spell its number."""
    number = np.arange(first, first + sum(sizes))
    pictures = np.stack([number // 256, number % 256], axis=1).astype(np.uint8)
    return Samples(pictures.reshape(-1, 1, 2, 1), np.repeat(np.arange(len(sizes)), sizes))


def made(published: Published, fraction: float = 0.25, key: str = "made") -> Dataset:
    classes = tuple("abcdefgh"[: int(published.train.labels.max()) + 1])
    return Dataset(
        key, "Made", "Made.", classes, (1, 2, 1), len(published.train), "none", "none", lambda: published,
        test_fraction=fraction,
    )  # fmt: skip


def numbers(samples: Samples) -> set[int]:
    flat = samples.inputs.reshape(-1, 2).astype(int)
    return set((flat[:, 0] * 256 + flat[:, 1]).tolist())


UNEVEN = made(Published(numbered((400, 200, 40))))


def test_sizes_by_hand() -> None:
    parts = splits.split(UNEVEN, seed=0)
    # 640 samples: a quarter is 160 = 100 + 50 + 10; 15 % of the other 480 is 72 = 45 + 22.5 + 4.5.
    assert splits.class_counts(parts.test, UNEVEN.classes) == {"a": 100, "b": 50, "c": 10}
    validation = splits.class_counts(parts.validation, UNEVEN.classes)
    assert validation["a"] == 45 and sum(validation.values()) == 72
    assert sum(splits.class_counts(parts.train, UNEVEN.classes).values()) == 408
    assert parts.classes == UNEVEN.classes


def test_parts_are_disjoint_and_nothing_is_lost() -> None:
    parts = splits.split(UNEVEN, seed=3)
    train, validation, test = numbers(parts.train), numbers(parts.validation), numbers(parts.test)
    assert not (train & validation or train & test or validation & test)
    assert train | validation | test == set(range(640))


def test_labels_stay_with_their_pictures() -> None:
    for part in (lambda one: (one.train, one.validation, one.test))(splits.split(UNEVEN, seed=1)):
        for picture, label in zip(part.inputs.reshape(-1, 2).astype(int), part.labels, strict=True):
            number = picture[0] * 256 + picture[1]
            assert label == (0 if number < 400 else 1 if number < 600 else 2)


def test_same_seed_same_split_other_seed_another() -> None:
    first, again, other = (splits.split(UNEVEN, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.train.inputs, again.train.inputs)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert numbers(first.test) != numbers(other.test)
    assert numbers(first.validation) != numbers(other.validation)


def test_published_test_set_is_kept_whatever_the_seed() -> None:
    dataset = made(Published(numbered((50, 50)), numbered((9, 7), first=500)))
    for seed in (0, 1):
        parts = splits.split(dataset, seed)
        assert numbers(parts.test) == set(range(500, 516))
        assert len(parts.validation) == 15 and len(parts.train) == 85


def test_validation_is_capped() -> None:
    dataset = made(Published(numbered((30_000, 30_000)), numbered((5, 5))))
    assert len(splits.split(dataset, 0).validation) == MOST_VALIDATION


def test_smallest_class_is_in_every_part() -> None:
    parts = splits.split(made(Published(numbered((600, 3)))), seed=0)
    for part in (parts.train, parts.validation, parts.test):
        assert splits.class_counts(part, ("a", "b"))["b"] == 1


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=strategies.lists(strategies.integers(3, 60), min_size=1, max_size=5).map(tuple),
    fraction=strategies.floats(0.05, 0.6),
    seed=strategies.integers(0, 2**31),
    share=strategies.floats(0, 1),
)
def test_fewer_labels_are_among_more_and_are_judged_by_the_same(sizes, fraction, seed, share) -> None:
    published = Published(numbered(sizes))
    # A key of its own: the cache would otherwise answer with the pictures of another example.
    dataset = made(published, fraction, key=f"made_{cache.fingerprint(published)[:12]}")
    everything = splits.split(dataset, seed)
    most = min(splits.class_counts(everything.train, dataset.classes).values())
    few = 1 + int(share * (most - 1))
    less, more = splits.split(dataset, seed, few), splits.split(dataset, seed, min(few + 1, most))
    assert set(splits.class_counts(less.train, dataset.classes).values()) == {few}
    assert numbers(less.train) <= numbers(more.train) <= numbers(everything.train)
    assert not numbers(everything.train) & (numbers(everything.validation) | numbers(everything.test))
    np.testing.assert_array_equal(less.validation.inputs, everything.validation.inputs)
    np.testing.assert_array_equal(less.test.inputs, everything.test.inputs)
    for part in (everything.train, everything.validation, everything.test):
        assert min(splits.class_counts(part, dataset.classes).values()) >= 1


def test_too_many_labels_names_the_largest_possible_number() -> None:
    with pytest.raises(ImpossibleExperiment, match=r"'c'.*labels_per_class 27.*at most 2[56],"):
        splits.split(UNEVEN, 0, 27)
    most = min(splits.class_counts(splits.split(UNEVEN, 0).train, UNEVEN.classes).values())
    assert len(splits.split(UNEVEN, 0, most).train) == 3 * most
    with pytest.raises(ImpossibleExperiment, match=f"at most {most},"):
        splits.split(UNEVEN, 0, most + 1)


def test_classes_that_are_left_out_need_no_labels() -> None:
    scarce = UNEVEN.classes.index("c")
    most = min(np.bincount(splits.split(UNEVEN, 0).train.labels)[:scarce])
    assert len(splits.split(UNEVEN, 0, int(most), without=[scarce]).train) == scarce * most
    with pytest.raises(ImpossibleExperiment, match=f"at most {most},"):
        splits.split(UNEVEN, 0, int(most) + 1, without=[scarce])
    tiny = made(Published(numbered((50, 40, 1))), key="tiny")
    with pytest.raises(ImpossibleExperiment, match="1 of the class 'c'"):
        splits.split(tiny, 0)
    kept = splits.split(tiny, 0, without=[2])
    assert set(kept.train.labels) == set(kept.validation.labels) == set(kept.test.labels) == {0, 1}


def test_a_split_is_counted_for_everybody_with_the_parts_its_authors_made() -> None:
    given = made(Published(numbered((30, 20)), test=numbered((7, 5)), validation=numbered((3, 4))), key="given")
    assert counting.known(given) is None
    splits.split(given, 3, 2, without=[])
    assert counting.known(given) == counting.Counts([30, 20], [3, 4], [7, 5])
    assert counting.most_labels(given) == 20 and counting.most_labels(given, ["b"]) == 30
    assert counting.known(replace(given, stamp="other files")) is None
    uneven = replace(UNEVEN, key="uneven")
    whole = splits.split(uneven, 5)
    for name, counts in vars(splits.count(uneven)).items():
        assert counts == np.bincount(getattr(whole, name).labels, minlength=len(UNEVEN.classes)).tolist()


@pytest.mark.parametrize("number", [-1, -3])
def test_fewer_than_no_labels_are_refused(number) -> None:
    with pytest.raises(RequestError, match=f"labels_per_class {number}"):
        splits.split(UNEVEN, 0, number)


def test_class_with_too_few_samples_is_named() -> None:
    with pytest.raises(ImpossibleExperiment, match="2 of the class 'b'"):
        splits.split(made(Published(numbered((50, 2)))), seed=0)


def test_textures_leave_twenty_labels_a_class() -> None:
    assert set(splits.class_counts(splits.split(TEXTURES, 0, 20).train, TEXTURES.classes).values()) == {20}


def test_fingerprint_changes_with_a_pixel_a_label_and_a_part() -> None:
    samples = numbered((5, 5))
    before = cache.fingerprint(Published(samples))
    assert before == cache.fingerprint(Published(numbered((5, 5)))) and len(before) == 64
    pixel = samples.inputs.copy()
    pixel[3, 0, 0, 0] += 1
    label = samples.labels.copy()
    label[3] = 1
    changed = [
        Published(replace(samples, inputs=pixel)), Published(replace(samples, labels=label)),
        Published(samples, samples), Published(replace(samples, inputs=samples.inputs.reshape(-1, 2, 1, 1))),
    ]  # fmt: skip
    assert len({before, *map(cache.fingerprint, changed)}) == 5


class Counted:
    """A loading function that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def load(self) -> Published:
        self.calls += 1
        return Published(numbered((20, 20)), numbered((4, 4), first=100))


@pytest.fixture
def counted() -> tuple[Counted, Dataset]:
    loader = Counted()
    return loader, replace(UNEVEN, key="counted", classes=("a", "b"), load=loader.load)


def test_second_load_comes_from_the_cache_with_every_pixel(counted) -> None:
    loader, dataset = counted
    first, second = cache.load(dataset), cache.load(dataset)
    assert loader.calls == 1 and cache.fingerprint(first) == cache.fingerprint(second)
    assert [place.suffix for place in settings.cache("data").iterdir()] == [".cache"]


@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied", "overwritten"])
def test_damaged_cache_is_rebuilt(counted, damage) -> None:
    loader, dataset = counted
    whole = cache.fingerprint(cache.load(dataset))
    (place,) = settings.cache("data").iterdir()
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = {
        "flipped": bytes(content),
        "cut": bytes(content[:-100]),
        "emptied": b"",
        "overwritten": b"something else" * 99,
    }
    place.write_bytes(damaged[damage])
    assert cache.fingerprint(cache.load(dataset)) == whole and loader.calls == 2
    assert cache.fingerprint(cache.load(dataset)) == whole and loader.calls == 2


def test_full_disk_only_costs_the_cache(counted, monkeypatch) -> None:
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    loader, dataset = counted
    monkeypatch.setattr(whole_file.os, "replace", full)
    assert len(cache.load(dataset).train) == 40 and len(cache.load(dataset).train) == 40
    assert loader.calls == 2 and list(settings.cache("data").iterdir()) == []
    opened = Path.open

    def no_room(path, mode="r", *rest, **named):
        return full() if mode == "xb" else opened(path, mode, *rest, **named)

    monkeypatch.setattr(Path, "open", no_room)
    assert len(cache.load(dataset).train) == 40


def test_failed_load_leaves_no_cache() -> None:
    def failing() -> Published:
        raise RequestError("Nothing there.")

    with pytest.raises(RequestError):
        cache.load(replace(UNEVEN, key="failing", load=failing))
    assert list(settings.cache("data").iterdir()) == []
