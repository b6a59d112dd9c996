"""Thousands of damaged pictures of every format, and files that ask for too much: none escapes, none hangs."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies

from tests.bombs import bombs
from tests.damage import EDITS, Edit, damaged, drawn, whole
from transfer.pictures.formats import BadPicture, decoded, extremes, header

EACH = 150
SCALES = {"float": (0.0, 50_000.0), "32-bit": (0.0, 65_535.0), "signed 32-bit": (-1e9, 1e9)}
WHOLE = whole()
# They take seconds by being large: the benchmark measures them.
SLOW = {
    "png: many texts of 1 MB", "png: 8,000 x 8,000 of nothing", "png: 8,001 x 8,001 of nothing", "png: text of 100 MB",
    "png: profile of 100 MB", "jpeg: 7,900 x 7,900 of nothing", "gif: 7,900 x 7,900, one frame at its corner",
    "jpeg 2000: 7,900 x 7,900 of nothing", "pfm: 8,000 x 8,000 of nothing", "jpeg: EXIF of 10 MB in pieces",
    "plain ppm: 7,900 x 7,900 of nothing", "avif: 8,000 x 8,000 said", "tiff: 4,000,000 wide, compressed",
}  # fmt: skip


def used(content: bytes) -> bool:
    """Whether it is read; what it must not do is to raise anything but `BadPicture`, or give something else."""
    try:
        said = header(io.BytesIO(content))
        if said.depth:
            low, high = extremes(io.BytesIO(content))
            assert low <= high
        found = decoded(io.BytesIO(content), 8, 3, SCALES)
    except BadPicture as problem:
        assert str(problem)
        return False
    assert (found.shape, found.dtype) == ((8, 8, 3), np.uint8)
    return True


@pytest.mark.parametrize("name", WHOLE)
def test_no_damaged_picture_escapes(name: str) -> None:
    assert used(WHOLE[name])
    random = np.random.default_rng(len(name))
    came_of_it = [used(damaged(WHOLE[name], drawn(random))) for _ in range(EACH)]
    assert not all(came_of_it)


_edits = strategies.lists(
    strategies.tuples(strategies.floats(0, 1), strategies.sampled_from(EDITS), strategies.integers(0, 2**32 - 1)),
    min_size=1, max_size=6,
)  # fmt: skip


@given(strategies.sampled_from(sorted(WHOLE)), _edits)
@settings(max_examples=200, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_damage_that_is_searched_for_escapes(name: str, edits: list[Edit]) -> None:
    used(damaged(WHOLE[name], edits))


@given(strategies.sampled_from([one[:16] for one in WHOLE.values()]), strategies.binary(max_size=200))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_no_noise_behind_a_true_beginning_escapes(start: bytes, noise: bytes) -> None:
    assert not used(start + noise)


@pytest.mark.parametrize("name", [name for name in bombs() if name not in SLOW])
def test_a_small_file_cannot_ask_for_much(name: str) -> None:
    content = bombs()[name]()
    begin = time.process_time()
    used(content)
    assert time.process_time() - begin < 5
