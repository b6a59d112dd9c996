"""Pictures that are the same, or nearly: found by comparing them at 16 x 16 pixels."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

FINGERPRINT = 1
SIDE = 16
# Mean difference of the small grey pictures once both have mean 0 and deviation 64. Measured: JPEG of quality 15, half
# the size and 15 % more brightness give up to 1.9; the two most similar digits of MNIST-5k give 2.6.
NEAR = 2.5
MOST_BITS = 3
_CROWD = 200


def fingerprint(picture: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Eight bytes that are equal for equal pixels, and the picture in grey at 16 x 16.

    Args:
        picture: shape (height, width, 1 or 3), uint8.
    """
    from PIL import Image

    exact = hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=8).digest()
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).convert("L")
    return exact, np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))


def pairs(digests: np.ndarray, thumbnails: np.ndarray) -> list[tuple[int, int, bool]]:
    """Pairs of pictures that are alike, and whether they are identical; each pair once, the lower place first.

    A picture and its copy are nearly alike if the copy was saved again, scaled, or made a little lighter, but not if
    it was cropped or turned. It misleads for pictures that show almost nothing: plain ones only count if identical.

    Args:
        digests: equal for equal pixels, shape (n,).
        thumbnails: shape (n, 16, 16), uint8.

    Reference:
        Difference hashing (Krawetz 2013): signs of the differences of neighbours, here 64 of them; two hashes that
        differ in at most 3 bits share one of four 16-bit quarters, so that not all pairs are compared.
    """
    found: dict[tuple[int, int], bool] = {}
    for places in _groups(digests):
        # A picture that occurs a hundred times gives one pair per copy, not five thousand.
        found |= {(places[0], place): True for place in places[1:]}
    known = {place for pair in found for place in pair[1:]}
    plain = _plain(thumbnails)
    hashes = _hashes(thumbnails)
    for quarter in range(4):
        parts = (hashes >> np.uint64(16 * quarter)) & np.uint64(0xFFFF)
        for places in _groups(parts):
            candidates = [place for place in places if place not in known and not plain[place]]
            if len(candidates) > _CROWD:
                continue  # so common a quarter tells nothing; the other three still find the pair
            found |= {pair: False for pair in _near(candidates, hashes, thumbnails) if pair not in found}
    return sorted((first, second, exact) for (first, second), exact in found.items())


def _groups(keys: np.ndarray) -> Iterator[list[int]]:
    members = defaultdict(list)
    for place, key in enumerate(keys.tolist()):
        members[key].append(place)
    yield from (places for places in members.values() if len(places) > 1)


def _plain(thumbnails: np.ndarray) -> np.ndarray:
    flat: np.ndarray = thumbnails.reshape(len(thumbnails), -1).std(axis=1) < 4
    return flat


def _hashes(thumbnails: np.ndarray) -> np.ndarray:
    """The 64 signs of each picture, packed into one number."""
    rows = thumbnails.reshape(len(thumbnails), 8, 2, SIDE).mean(axis=2)
    columns = np.stack([rows[..., place * 15 // 8] for place in range(9)], axis=-1)
    signs = (np.diff(columns, axis=-1) > 0).reshape(len(thumbnails), 64)
    return np.packbits(signs, axis=1).view("uint64")[:, 0] if len(thumbnails) else np.zeros(0, "uint64")


def _near(places: list[int], hashes: np.ndarray, thumbnails: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs among the candidates whose hashes and small pictures agree."""
    if len(places) < 2:
        return
    several = np.asarray(places)
    bits = np.bitwise_count(hashes[several][:, None] ^ hashes[several][None, :])
    first, second = np.nonzero(np.triu(bits <= MOST_BITS, 1))
    for one, other in zip(several[first].tolist(), several[second].tolist(), strict=True):
        if np.abs(_normed(thumbnails[one]) - _normed(thumbnails[other])).mean() < NEAR:
            yield one, other


def _normed(thumbnail: np.ndarray) -> np.ndarray:
    """The picture with mean 0 and deviation 64."""
    grey = thumbnail.astype("float64")
    return (grey - grey.mean()) / max(1.0, float(grey.std())) * 64
