"""A person's picture as the network gets it, and how it is shown with what the network looked at."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from transfer.errors import RequestError
from transfer.insight import bars
from transfer.pictures import given as picture
from transfer.pictures import heat, own, scales


def as_file(pixels, kind="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def test_a_file_becomes_rgb_on_white_and_what_is_no_picture_is_refused_in_words():
    clear = np.zeros((4, 6, 4), "uint8")
    clear[:, :3] = (200, 0, 0, 255)
    found = picture.decoded(as_file(clear))
    assert found.shape == (4, 6, 3) and found[0, 0].tolist() == [200, 0, 0] and found[0, 5].tolist() == [255] * 3
    for content in (b"", b"<svg/>", as_file(clear)[:40]):
        with pytest.raises(RequestError, match="not a picture"):
            picture.decoded(content)


def test_a_picture_turned_by_its_camera_is_set_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    assert picture.decoded(as_file(np.zeros((4, 6, 3), "uint8"), "JPEG", exif=exif)).shape == (6, 4, 3)


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setenv("TRANSFER_MOST_MEGAPIXELS", "0.00002")
    for use in (picture.checked, picture.decoded, lambda content: picture.shaped(content, (5, 5, 3))):
        with pytest.raises(RequestError, match="more than 2e-05 million pixels"):
            use(as_file(np.zeros((5, 5, 3), "uint8")))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "deep"])
def test_a_given_file_has_the_very_pixels_that_training_has(tmp_path, kind):
    random = np.random.default_rng(3)
    root = tmp_path / "place"
    for label in "ab":
        (root / label).mkdir(parents=True)
        for number in range(4):
            pixels = random.integers(0, 256, (90, 130, 3)).astype("uint8")
            if kind == "deep":
                content = as_file(pixels[..., 0].astype("uint16") << 4)
            else:
                exif = Image.Exif()
                exif[0x0112] = 6
                content = as_file(pixels, kind, exif=exif)
            (root / label / f"{number}.x1.1").write_bytes(content)
    seen = own.looked(root)
    made = own.pack(seen)
    for place, one in enumerate(seen.listing.files):
        content = (root / one.name).read_bytes()
        trained = np.asarray(made.pictures(np.array([place])))[0]
        np.testing.assert_array_equal(picture.shaped(content, seen.shape, seen.scales), trained)


def test_the_scales_of_deep_pictures_are_kept_with_the_run(tmp_path):
    assert scales.kept(tmp_path) == {}
    for name, text in scales.written({"16-bit": (0.0, 4095.0)}).items():
        (tmp_path / name).write_text(text)
    assert scales.kept(tmp_path) == {"16-bit": (0.0, 4095.0)}


def test_the_middle_square_is_kept_and_grey_is_luma():
    wide = np.zeros((10, 30, 3), "uint8")
    wide[:, 10:20] = (255, 0, 0)
    found = picture.fitted(wide, (5, 5, 1))
    assert found.shape == (5, 5, 1) and np.allclose(found[:, 1:-1], round(0.299 * 255), atol=1)
    assert picture.fitted(wide, (8, 8, 3))[4, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize("paper", [0, 255])
def test_strokes_are_centred_twenty_of_twenty_eight_pixels_high_and_light_on_dark(paper):
    drawn = np.full((200, 300, 3), paper, "uint8")
    drawn[20:60, 240:260] = 255 - paper  # a bar in the corner
    found = picture.fitted(drawn, (28, 28, 1), strokes=True)[..., 0].astype(float)
    rows, columns = np.flatnonzero(found.max(1) > 30), np.flatnonzero(found.max(0) > 30)
    assert len(rows) == 20 and len(columns) == 10 and found.max() == 255
    middle = (found.sum(1) @ np.arange(28) / found.sum(), found.sum(0) @ np.arange(28) / found.sum())
    assert middle == pytest.approx((13.5, 13.5), abs=0.6)


def test_an_empty_canvas_stays_dark():
    assert not picture.fitted(np.zeros((50, 50, 3), "uint8"), (28, 28, 1), strokes=True).any()


def test_pictures_are_enlarged_without_blur_and_heat_lies_where_it_is():
    checks = np.array([[0, 255], [255, 0]], "uint8")[..., None]
    assert set(np.unique(heat.enlarged(checks, 64))) == {0, 255}
    grey = np.full((8, 8, 1), 100, "uint8")
    cold = heat.overlay(grey, np.zeros((2, 2)), 64)
    assert (cold == 85).all()
    warm = heat.overlay(grey, np.array([[1.0, 0.0], [0.0, 0.0]]), 64).astype(int)
    change = np.abs(warm - cold.astype(int)).sum(-1)
    assert change[:32, :32].mean() > 5 * change[32:, 32:].mean()


def test_bars_show_all_classes_in_order_or_the_likeliest_of_many():
    assert bars.ranked(np.array([0.2, 0.5, 0.3])) == [0, 1, 2]
    many = np.arange(100) / np.arange(100).sum()
    assert bars.ranked(many)[:2] == [99, 98] and len(bars.ranked(many)) == bars.SHOWN
