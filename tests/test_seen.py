"""What a network has learned decides which runs may begin with it: no run is tested on what was trained on."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from transfer import Experiment, catalog, settings
from transfer.engine.begin import before
from transfer.engine.judge.copies import copies
from transfer.engine.samples import splits
from transfer.errors import ImpossibleExperiment
from transfer.pictures import own, uploads
from transfer.seen import TrainedOn
from transfer.seen.trained_on import of_run

SIDE, EACH = 8, 7
CLASSES = ("cup", "dog", "owl")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is looked at each time."""
    monkeypatch.setattr(own, "_FRESH_SECONDS", -1.0)


def fill(root: Path, first: int, each: int = EACH) -> Path:
    """A folder of three classes; no picture of one number is like one of another."""
    for label, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True, exist_ok=True)
        for place in range(each):
            noise = np.random.default_rng([first, label, place]).integers(0, 256, (SIDE, SIDE, 3))
            Image.fromarray(noise.astype("uint8")).save(root / name / f"{place:02}.png")
    return root


def finished(run: str, asked: Experiment, old: bool = False) -> splits.Split:
    """The record that a run leaves of its network, without the network; of an older version of the lab, too.

    Raises:
        ImpossibleExperiment: the run is refused.
    """
    catalog.check(asked)
    split = splits.target_split(asked)
    source = splits.split(catalog.dataset(asked.source), asked.seed) if asked.source else None
    found = before.judged(asked, split, source)
    trained_on = before.after(found, asked, split, asked.labels_per_class == 0, run)
    folder = settings.run_folder(run)
    folder.mkdir(parents=True)
    about = {
        "title": "Small CNN", "summary": "A network.", "parameters": 1, "image_size": 28, "channels": 1,
        "stages": ["conv1", "conv2", "dense"], "modality": "image", "licence": "own", "preprocessing": "none",
        "classes": list(split.classes), "head": True, "source": "somewhere", "identity": run,
        "learned": [[one.data, one.seed] for one in trained_on],
    }  # fmt: skip
    if not old:
        about["lessons"] = [one.record() for one in trained_on]
    (folder / "network.json").write_text(json.dumps(about))
    (folder / "experiment.json").write_text(asked.canonical_json())
    return split


def begun(run: str, target: str, **changes: object) -> Experiment:
    """Fine-tuning of a run's network."""
    return Experiment().but(**{"target": target, "backbone": f"run:{run}", "strategy": "fine_tuning", **changes})


SCRATCH = Experiment(strategy="from_scratch")


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    ("learned", "seed", "target", "then", "allowed"),
    [
        ("mnist_5k", 0, "mnist_5k", 1, False),
        ("mnist_5k", 0, "mnist_5k", 0, True),
        ("faces", 0, "faces~inversion:1", 1, False),
        ("faces", 0, "faces~inversion:1", 0, True),
        ("faces~inversion:1", 0, "faces", 1, False),
        ("faces~inversion:1", 0, "faces~rotation~blur:2", 1, False),
        ("mnist_5k", 0, "mnist", 0, True),  # MNIST's own test pictures are others
        ("mnist_5k", 0, "optdigits", 5, True),
        ("textures", 0, "textures", 1, True),  # its test part is published
    ],
)
def test_a_network_is_refused_on_what_it_may_have_learned(
    old: bool, learned: str, seed: int, target: str, then: int, allowed: bool
) -> None:
    finished("one", SCRATCH.but(target=learned, seed=seed, labels_per_class=2), old)
    asked = begun("one", target, seed=then)
    if allowed:
        return catalog.check(asked) and None
    with pytest.raises(ImpossibleExperiment, match="may have seen this run's test pictures"):
        catalog.check(asked)
    catalog.check(asked.but(strategy="from_scratch"))  # begins anew, and uses nothing of it
    return None


@pytest.mark.parametrize("learned", ["mnist", "mnist~noise", "mnist_m"])
@pytest.mark.parametrize("target", ["mnist_5k", "mnist_5k~noise:1"])
def test_a_part_of_a_published_collection_is_known_to_be_one(learned: str, target: str) -> None:
    with pytest.raises(ImpossibleExperiment, match="drawn from the same pictures"):
        catalog.check(Experiment(source=learned, target=target))
    folder = settings.run_folder("old")
    folder.mkdir(parents=True)
    (folder / "network.json").write_text(json.dumps({"learned": [[learned, 0]]}))
    assert of_run("old") == (TrainedOn(learned, 0, run="old"),)


def test_what_shares_pictures_is_declared_on_both_sides() -> None:
    tested = {one.key: set(one.tested_from or one.drawn_from) for one in catalog.datasets().values()}
    drawn = {one.key: set(one.drawn_from) for one in catalog.datasets().values()}
    leaks = {(one, other) for one, other in itertools.permutations(drawn, 2) if drawn[one] & tested[other]}
    assert leaks == {("mnist", "mnist_5k"), ("mnist_m", "mnist_5k")}
    from transfer.datasets.tfds import SHARED

    for key in ("mnist", "fashion_mnist", "cifar10", "cifar100"):
        assert SHARED[key] == (catalog.dataset(key).drawn_from, catalog.dataset(key).tested_from)
    assert set(SHARED["svhn_cropped"][0]) == set(catalog.dataset("svhn").drawn_from)


SPELLINGS: dict[str, Callable[[Path, Path], str]] = {
    "with a slash": lambda folder, other: f"folder:{folder}/",
    "by way of a sub-folder": lambda folder, other: f"folder:{folder}/cup/..",
    "by a link": lambda folder, other: f"folder:{linked(folder, other)}",
    "changed to order": lambda folder, other: f"folder:{folder}~inversion:2",
    "a copy": lambda folder, other: f"folder:{shutil.copytree(folder, other)}",
    "a copy under other names": lambda folder, other: f"folder:{renamed(folder, other)}",
    "an upload": lambda folder, other: uploaded(folder),
    "a part of it": lambda folder, other: f"folder:{part(folder, other)}",
    "saved anew without loss": lambda folder, other: f"folder:{saved(folder, other)}",
}


def linked(folder: Path, other: Path) -> Path:
    other.symlink_to(folder)
    return other


def renamed(folder: Path, other: Path) -> Path:
    for name in CLASSES:
        (other / f"a {name}").mkdir(parents=True)
        for place, file in enumerate(sorted((folder / name).iterdir(), reverse=True)):
            shutil.copy(file, other / f"a {name}" / f"{place}.png")
    return other


def uploaded(folder: Path) -> str:
    shutil.copytree(folder, uploads.place() / "mine")
    return "upload:mine"


def part(folder: Path, other: Path) -> Path:
    fill(other, 77, 2)
    for name in CLASSES:
        for file in sorted((folder / name).iterdir())[:3]:
            shutil.copy(file, other / name / f"x{file.name}")
    return other


def saved(folder: Path, other: Path) -> Path:
    for file in folder.glob("*/*"):
        (other / file.parent.name).mkdir(parents=True, exist_ok=True)
        Image.open(file).save(other / file.parent.name / f"{file.stem}.bmp")
    return other


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_folder_is_known_however_it_is_spelled_and_by_its_pictures_wherever_they_lie(
    tmp_path: Path, spelling: str, old: bool
) -> None:
    folder = fill(tmp_path / "one", 1)
    finished("one", SCRATCH.but(target=f"folder:{folder}", seed=0), old)
    target = SPELLINGS[spelling](folder, tmp_path / "other")
    refused = []
    for seed in range(4):
        asked = begun("one", target, seed=seed)
        try:
            catalog.check(asked)
            before.judged(asked, splits.target_split(asked), None)
        except ImpossibleExperiment as problem:
            assert "may have seen this run's test pictures" in str(problem)
            refused.append(seed)
    assert {1, 2, 3} <= set(refused)
    # Equal names and labels are divided equally by an equal seed.
    same = spelling in ("with a slash", "by way of a sub-folder", "by a link", "changed to order", "a copy",
                        "an upload")  # fmt: skip
    assert (0 not in refused) or not same


def test_the_page_is_told_before_anything_is_decoded(tmp_path: Path) -> None:
    folder = fill(tmp_path / "one", 1)
    finished("one", SCRATCH.but(target=f"folder:{folder}"))
    shutil.copytree(folder, tmp_path / "copy")
    with pytest.raises(ImpossibleExperiment, match="of the 5 test pictures were trained on"):
        catalog.check(begun("one", f"folder:{tmp_path / 'copy'}", seed=1))
    with pytest.raises(ImpossibleExperiment, match="Choose another source"):
        catalog.check(Experiment(source=f"folder:{renamed(folder, tmp_path / 'r')}", target=f"folder:{folder}~blur"))
    with pytest.raises(ImpossibleExperiment, match="same data set"):
        catalog.check(Experiment(source=f"folder:{folder}/", target=f"folder:{folder}"))


def test_a_changed_folder_is_never_tested_on_what_the_parent_trained_on(tmp_path: Path) -> None:
    folder = fill(tmp_path / "one", 1)
    key = f"folder:{folder}"
    finished("one", SCRATCH.but(target=key))
    catalog.check(begun("one", key))
    (folder / "cup" / "00a.png").write_bytes((fill(tmp_path / "new", 9) / "cup" / "00.png").read_bytes())
    with pytest.raises(ImpossibleExperiment, match=r"the data set has changed since.*Put the pictures back"):
        catalog.check(begun("one", key))
    (folder / "cup" / "00a.png").unlink()
    catalog.check(begun("one", key))


def test_more_labels_than_the_run_grants_are_told_with_their_number() -> None:
    finished("all", SCRATCH.but(target="optdigits"))
    finished("two", SCRATCH.but(target="optdigits", labels_per_class=2))
    split = splits.split(catalog.dataset("optdigits"), 0)
    for run, labels, more, count in (
        ("all", 1, True, len(split.train) - 10),
        ("two", 1, True, 10),
        ("two", 2, False, 0),
        ("two", 5, False, 0),
        ("all", None, False, 0),
    ):
        asked = begun(run, "optdigits", labels_per_class=labels)
        found = before.judged(asked, splits.target_split(asked), None)
        assert (found.verdict.more_labels, found.verdict.labels) == (more, count), (run, labels)
        assert any("not learning from 1 label per class" in said for said in found.metrics["remarks"]) == more
    assert catalog.judged(begun("all", "optdigits", labels_per_class=0)).more_labels
    assert catalog.judged(Experiment(source="optdigits", target="optdigits~blur", labels_per_class=1)).more_labels
    assert not catalog.judged(Experiment(source="mnist_5k", target="optdigits", labels_per_class=1)).more_labels


def test_a_teacher_and_a_chain_pass_on_what_they_have_seen() -> None:
    finished("a", SCRATCH.but(target="mnist_5k", seed=1, labels_per_class=30))
    finished("b", begun("a", "optdigits", seed=1, labels_per_class=2))
    finished("c", begun("b", "textures", seed=3))
    with pytest.raises(ImpossibleExperiment, match="mnist_5k, seed 1, in run a"):
        catalog.check(begun("c", "mnist_5k", seed=3))
    taught = Experiment(
        source="optdigits", target="optdigits~blur", strategy="distillation", options={"teacher": "run:b"}, seed=1
    )
    with pytest.raises(ImpossibleExperiment, match="teacher was trained on another split"):
        catalog.check(taught)
    finished("d", taught.but(target="optdigits", source=None, backbone="efficientnet_lite0", labels_per_class=2))
    with pytest.raises(ImpossibleExperiment, match="in run a"):
        catalog.check(begun("d", "mnist_5k", seed=2))
    shutil.rmtree(settings.run_folder("a"))  # what it had learned is written down with those that came of it
    with pytest.raises(ImpossibleExperiment, match="in run a"):
        catalog.check(begun("d", "mnist_5k", seed=2))


def test_validation_pictures_that_were_trained_on_are_told() -> None:
    finished("one", SCRATCH.but(target="textures", seed=0))
    asked = begun("one", "textures", seed=1)
    verdict = before.judged(asked, splits.target_split(asked), None).verdict
    assert "validation pictures were used in earlier training (textures, seed 0, in run one)" in verdict.remarks[0]
    assert not before.judged(asked.but(seed=0), splits.target_split(asked.but(seed=0)), None).verdict.remarks


# Chains --------------------------------------------------------------------------------------------


KEYS = ("one", "one/", "link", "one~inversion:5", "copy", "some", "parts", "parts/train", "other", "upload")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders that share pictures in all the ways there are; by a short name, the key."""
    root = tmp_path_factory.mktemp("world")
    one = fill(root / "one", 1, 5)
    shutil.copytree(one, root / "copy")
    linked(one, root / "link")
    part(one, root / "some")
    fill(root / "other", 5, 4)
    for name, first in (("train", 8), ("test", 1)):
        fill(root / "parts" / name, first, 5)
    shutil.copytree(one, root / "home" / "uploads" / "mine")
    made = {name: f"folder:{root / name}{'/' if name.endswith('/') else ''}" for name in KEYS}
    return made | {"upload": "upload:mine", "home": str(root / "home")}


step = st.tuples(st.sampled_from(KEYS), st.integers(0, 2), st.sampled_from([None, 1, 0]), st.booleans(), st.booleans())


@given(chain=st.lists(step, min_size=2, max_size=4))
@example(chain=[("one", 0, None, False, False), ("other", 0, 1, False, False), ("some", 0, None, False, False)])
@example(chain=[("parts/train", 0, None, False, False), ("parts", 1, None, False, False)])
@hypothesis_settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_chain_of_runs_ends_in_a_test_on_what_it_trained_on(
    world: dict[str, str], monkeypatch: pytest.MonkeyPatch, chain: list[tuple[str, int, int | None, bool, bool]]
) -> None:
    monkeypatch.setenv("TRANSFER_HOME", world["home"])
    shutil.rmtree(Path(world["home"]) / "runs", ignore_errors=True)
    seen: set[bytes] = set()
    last = ""
    for number, (name, seed, labels, old, sourced) in enumerate(chain):
        key, run = world[name], f"run{number}"
        asked = begun(last, key, seed=seed) if last else SCRATCH.but(target=key, seed=seed)
        if labels == 0 and last:
            asked = asked.but(strategy="tent", labels_per_class=0)
        elif labels:
            asked = asked.but(labels_per_class=labels)
        learned = seen
        if sourced and not last:
            asked = asked.but(strategy="fine_tuning", source=world["other"])
            learned = pixels(splits.split(catalog.dataset(world["other"]), seed).train.inputs)
        try:
            finished(run, asked, old)
        except ImpossibleExperiment:
            continue
        # By the pixels themselves, not by what the lab keeps of them.
        clean = asked.but(target=key.removesuffix("~inversion:5"))
        split = splits.split(catalog.dataset(clean.target), seed, labels)
        trained = pixels(split.unlabelled if labels == 0 else split.train.inputs)
        leaked = (learned & pixels(split.test.inputs)) - pixels(split.unlabelled)
        assert not leaked, f"{run} is tested on {len(leaked)} pictures that were trained on"
        seen, last = learned | trained, run


def pixels(inputs: np.ndarray) -> set[bytes]:
    return {np.ascontiguousarray(one).tobytes() for one in inputs}


def test_copies_are_counted_against_everything_that_was_trained_on(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    fill(folder / "train", 1, 6)
    fill(folder / "test", 2, 3)
    asked = SCRATCH.but(target=f"folder:{folder}")
    assert copies(splits.target_split(asked), "image", False).notes == []
    split = splits.target_split(asked)
    there = [Path(name) for name in split.prints["train"].names]
    shutil.copy(folder / there[0], folder / "test" / there[0].parent.name / "again.png")
    shutil.copy(folder / there[1], folder / "test" / there[2].parent.name / "wrong.png")
    split = splits.target_split(asked)
    found = copies(split, "image", False)
    assert found.exact.sum() == 2
    names = {split.prints["test"].names[place] for place in np.flatnonzero(found.exact)}
    assert {Path(name).name for name in names} == {"again.png", "wrong.png"}
    assert "Of 11 test pictures 2 are exact copies" in found.notes[0]
    assert found.clashing == (there[1].parent.name != there[2].parent.name)
    logits = np.eye(3)[split.test.labels]
    logits[found.exact] = logits[found.exact] * -1
    assert found.metrics(logits, split.test.labels)["test_accuracy_without_copies"] == 1.0
    few = splits.split(catalog.dataset(asked.target), 0, 1)
    assert copies(few, "image", False).exact.sum() <= copies(few, "image", True).exact.sum() == 2
