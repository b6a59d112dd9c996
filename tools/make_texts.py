"""Makes the texts that the lab ships, transfer/datasets/texts/<name>.tsv.gz, from four packages.

    python -m tools.make_texts WORDNET AUSTEN BABEL TRANSLATED TRANSLATED

The arguments are folders with the unpacked packages, in this order:

- Debian wordnet-base 1:3.0-37
- Debian r-cran-janeaustenr 1.0.0-1
- PyPI Babel 2.19.0, which holds the names of Unicode CLDR
- PyPI Django 5.2.19 and wagtail 8.0.1, whose translated messages are read in this order

Each line of a file holds part, class and text, separated by tabs. Equal packages give equal files.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from tools import texts_of_austen, texts_of_languages, texts_of_wordnet

FOLDER = Path(__file__).resolve().parents[1] / "transfer" / "datasets" / "texts"


def write(name: str, rows: list[tuple[str, str, str]]) -> None:
    """Writes one data set; the same rows give the same bytes."""
    content = "".join("\t".join(row) + "\n" for row in rows).encode()
    packed = gzip.compress(content, 9, mtime=0)
    (FOLDER / f"{name}.tsv.gz").write_bytes(packed)
    print(f"{name}: {len(rows):,} texts, {len(packed):,} bytes")


def main(wordnet: Path, austen: Path, babel: Path, *translated: Path) -> None:
    """Writes every data set."""
    FOLDER.mkdir(exist_ok=True)
    write("wordnet_topics", texts_of_wordnet.topics(wordnet / "usr/share/wordnet/data.noun"))
    write("austen", texts_of_austen.passages(austen / "usr/lib/R/site-library/janeaustenr/data"))
    messages = texts_of_languages.messages(list(translated))
    write("language_messages", messages)
    sys.path.insert(0, str(babel))  # the names are kept as objects of Babel
    taken = {text for _, _, text in messages}
    write("language_names", texts_of_languages.names(babel / "babel/locale-data", taken))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
