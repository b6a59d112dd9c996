"""Pretrains the shipped tiny BERT and writes transfer/backbones/weights/tiny_bert.safetensors.

    python -m tools.pretrain_tiny_bert WORDNET AUSTEN [EPOCHS]

The arguments are folders with the unpacked packages:

- Debian wordnet-base 1:3.0-37
- Debian r-cran-janeaustenr 1.0.0-1

Takes about eight minutes of processor time. What it trains on, and what it leaves out so that no test text is ever
among it, is in `tools.texts_of_pretraining`. After each epoch everything that is needed to go on is kept in
``build/tiny_bert``; a stopped run goes on from there, and ends as if it had never been stopped. The seed is fixed, but
two machines round differently: equal packages give the same texts and tokens, and weights that are as good.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools import texts_of_pretraining
from transfer import catalog
from transfer.backbones import tiny_bert
from transfer.seen.prints import of_texts

if TYPE_CHECKING:
    from transfer.engine.loop.learner import Learner

STATE = Path(__file__).resolve().parents[1] / "build" / "tiny_bert"
EPOCHS, BATCH, PEAK, WARM, SEED = 2, 16, 1.5e-3, 0.05, 0
# Of the vectors to begin with: how far apart neighbours are counted, and their length.
NEAR, LENGTH = 5, 0.7


def shipped() -> list[str]:
    """All texts of the data sets that come with the lab, of every part."""
    several = [one for one in catalog.datasets().values() if one.modality == "text" and not one.download_mb]
    published = [one.load() for one in several]
    parts = [part for one in published for part in (one.train, one.test, one.validation) if part is not None]
    return [text for part in parts for text in part.inputs]


def pieces(texts: list[str]) -> list[str]:
    """A vocabulary of WordPieces for the texts: the marks, then the pieces by their number."""
    from tokenizers import trainers

    made = tiny_bert.tokenizer(tiny_bert.MARKS)
    marks = list(tiny_bert.MARKS)
    made.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=tiny_bert.WORDS, special_tokens=marks, show_progress=False)
    )
    return sorted(made.get_vocab(), key=made.get_vocab().__getitem__)


def rows(texts: list[str], vocabulary: list[str]) -> np.ndarray:
    """The texts one after another, in rows of equal length, int32, shape (n, places): each row begins with [CLS], and
    [SEP] stands between texts, so that no place is wasted on what fills up.

    Reference:
        Liu et al. 2019, RoBERTa, section 4.2 (full sentences).
    """
    made = tiny_bert.tokenizer(vocabulary)
    begin = tiny_bert.MARKS.index("[CLS]")
    joined = np.concatenate([np.array(one.ids[1:], "int32") for one in made.encode_batch_fast(texts)])
    length = tiny_bert.PLACES - 1
    whole = joined[: len(joined) // length * length].reshape(-1, length)
    return np.concatenate([np.full((len(whole), 1), begin, "int32"), whole], axis=1)


def vectors(train: np.ndarray) -> np.ndarray:
    """A vector for each token, near those of tokens with the same neighbours, shape (words, width), to begin with.

    From random vectors the network needs many times as many texts before it looks at anything but how frequent words
    are. These are counted from the same texts: positive pointwise mutual information of tokens at most five places
    apart, factorised.

    Reference:
        Levy & Goldberg 2014, Neural word embedding as implicit matrix factorization, section 5; contexts smoothed by
        the power 0.75 (Levy et al. 2015).
    """
    from scipy.sparse import coo_matrix
    from sklearn.utils.extmath import randomized_svd

    words, width = tiny_bert.WORDS, tiny_bert.WIDTH
    counts = np.zeros((words, words), "float32")
    for apart in range(1, NEAR + 1):
        left, right = train[:, :-apart].ravel(), train[:, apart:].ravel()
        once = coo_matrix((np.ones(len(left), "float32"), (left, right)), (words, words)).toarray()
        counts += once + once.T
    often = counts.sum(axis=1)
    smooth = often**0.75 / np.sum(often**0.75)
    expected = np.maximum(often[:, None] * smooth[None], 1e-9)
    shared = np.maximum(np.log(np.maximum(counts, 1e-9) / expected), 0)
    left, sizes, _ = randomized_svd(shared, width, random_state=SEED)
    found = left * np.sqrt(sizes)
    return (LENGTH * found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)).astype("float32")


def learner(begin: np.ndarray) -> Learner:
    """The backbone, to be trained as the strategy language_model_first trains it; random but for its table.

    Args:
        begin: the table of vectors, shape (words, width).
    """
    import keras

    from transfer.engine.loop.learner import Learner
    from transfer.strategies import Phase
    from transfer.strategies.language_model_first import terms

    keras.utils.set_random_seed(SEED)
    names = tiny_bert.TINY_BERT.stages
    stages = list(zip(names, tiny_bert.build(tiny_bert.PLACES), strict=True))
    phase = Phase(
        "pretrain", EPOCHS, PEAK, dict.fromkeys(names, 1.0), head_rate=0.0, terms=terms(names),
        unlabelled=("language",), target_weight=0.0,
    )  # fmt: skip
    made = Learner([], stages, keras.layers.Dense(2), phase, labelled=False)
    made.named[0].get_layer("embedding_words").set_weights([begin])
    made.head.build((None, tiny_bert.WIDTH))
    made.compile(optimizer=keras.optimizers.AdamW(PEAK, weight_decay=0.01, clipnorm=1.0))
    made.optimizer.build(made.trainable_variables)
    return made


def rate(done: float) -> float:
    """The learning rate when so much of the training is done, 0 to 1: up to its peak and down to 0, in lines."""
    return PEAK * min(done / WARM, (1 - done) / (1 - WARM))


def held_back(whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on, and every fiftieth, to see how well words are guessed in what was never read."""
    aside = np.arange(len(whole)) % 50 == 0
    return whole[~aside], whole[aside]


def loss(made: Learner, aside: np.ndarray) -> tuple[float, float]:
    """Cross-entropy in nats and share guessed right, on rows that were not trained on; always the same questions."""
    from transfer.modalities.text.language import masked
    from transfer.strategies.language_model_first import guessed

    random, found = np.random.default_rng(SEED), []
    for begin in range(0, len(aside) // BATCH * BATCH, BATCH):
        fed, asked = masked(aside[begin : begin + BATCH], random, tiny_bert.MASK, tiny_bert.WORDS)
        flowing = fed
        for stage in made.named[:-1]:
            flowing = stage(flowing, training=False)
        found.append([float(one) for one in guessed(flowing, made.named[0].trainable_variables[0], asked)])
    cross, right = np.mean(found, axis=0)
    return float(cross), float(right)


def train(made: Learner, train: np.ndarray, aside: np.ndarray, epochs: int) -> None:
    """Trains to the end, from the beginning or from where a run was stopped."""
    from transfer.modalities.text.language import masked

    state = STATE / "state.npz"
    mark = hashlib.sha256(train.tobytes() + repr((epochs, BATCH, PEAK)).encode()).hexdigest()
    variables = [*made.variables, *made.optimizer.variables]
    begun = 0
    if state.exists():
        with np.load(state) as kept:
            if str(kept["mark"]) == mark:
                begun = int(kept["epochs"])
                for place, variable in enumerate(variables):
                    variable.assign(kept[f"v{place}"])
    steps = len(train) // BATCH
    for epoch in range(begun, epochs):
        random, clock, said = np.random.default_rng([SEED, epoch]), time.process_time(), []
        order = random.permutation(len(train))
        for step in range(steps):
            fed, asked = masked(
                train[order[step * BATCH : (step + 1) * BATCH]], random, tiny_bert.MASK, tiny_bert.WORDS
            )
            done = (epoch * steps + step) / (epochs * steps)
            inputs = {"language": fed, "asked": asked, "places": order[:BATCH].astype("int32")}
            said.append(made.learn(inputs, {}, done, rate(done))["language_model"])
        cross, right = loss(made, aside)
        print(f"epoch {epoch + 1}: {np.mean(said):.3f} nats in training, {cross:.3f} on rows kept aside, {right:.1%} "
              f"guessed right, {time.process_time() - clock:.0f} s of processor time", flush=True)  # fmt: skip
        STATE.mkdir(parents=True, exist_ok=True)
        arrays = {f"v{place}": np.asarray(variable.numpy()) for place, variable in enumerate(variables)}
        np.savez(state, allow_pickle=False, mark=mark, epochs=epoch + 1, **arrays)


def write(made: Learner, vocabulary: list[str]) -> None:
    """Writes the weights in half precision, and the vocabulary with them."""
    from safetensors.numpy import save_file

    arrays = {"pieces": np.frombuffer("\n".join(vocabulary).encode(), "uint8")}
    for stage in made.named:
        for layer in stage.layers:
            arrays |= {f"{layer.name}.{one.name}": np.asarray(one.numpy(), "float16") for one in layer.weights}
    save_file(arrays, tiny_bert.FILE)
    content = tiny_bert.FILE.read_bytes()
    print(f'{len(content) / 1e6:.2f} MB; DIGEST = "{hashlib.sha256(content).hexdigest()}"')


def main(wordnet: Path, austen: Path, epochs: int = EPOCHS) -> None:
    """Texts, tokens, training, file."""
    kept = shipped()
    texts = texts_of_pretraining.texts(wordnet, austen, kept)
    assert not of_texts(texts).among(of_texts(kept)).any(), "a text of a data set is among those to pretrain on"
    vocabulary = pieces(texts)
    assert len(vocabulary) == tiny_bert.WORDS and vocabulary[: len(tiny_bert.MARKS)] == list(tiny_bert.MARKS)
    trained, aside = held_back(rows(texts, vocabulary))
    print(f"{len(texts):,} texts, {trained.size:,} tokens an epoch", flush=True)
    made = learner(vectors(trained))
    train(made, trained, aside, epochs)
    write(made, vocabulary)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
