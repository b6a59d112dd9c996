"""A network's file is known by its content: what is put in its place later is never taken for it."""

from __future__ import annotations

import json
import os
import shutil
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pages.parts.choose import networks
from transfer import Experiment, catalog, network_files, settings
from transfer.backbones import content, own_file, saved_model, uploaded
from transfer.engine.begin.source import SourceTraining
from transfer.errors import RequestError
from transfer.lab import Lab, data_questions
from transfer.lab.races import About

LAYER = {"name": "low", "kind": "Conv2D", "shape": [8, 8, 4], "weights": 40, "cut": True}
KNOWN = {"layers": [LAYER], "size": 16, "channels": 1, "classifier": None, "rescales": True, "entry": "pixels"}


@pytest.fixture(autouse=True)
def described(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is found to be a small network, whatever is in it; digests are kept at once."""
    for module in (own_file, saved_model):
        monkeypatch.setattr(module, "asked", lambda *_: dict(KNOWN))
    monkeypatch.setattr(content, "_SETTLED_NS", 0)


def overwritten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])


def moved_over(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    os.replace(other, path)


def one_byte(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(3)
        file.write(b"#")


def linked(path: Path) -> None:
    other = path.with_name("other")
    shutil.copyfile(path, other)
    overwritten(other)
    path.unlink()
    path.symlink_to(other)


def swapped_with_its_twin(path: Path) -> None:
    """As ``cp -p`` and ``mv`` of a copy that was made before."""
    twin = path.with_name("twin")
    shutil.copy2(path, twin)
    overwritten(twin)
    os.rename(path, path.with_name("old"))
    os.rename(twin, path)


def alike(change: Callable[[Path], None], path: Path) -> None:
    """Changes the file so that its size and dates stay; not within the tick of the clock in which it was written."""
    before = path.stat()
    while True:
        kept = path.read_bytes()
        change(path)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        now = path.stat()
        if now.st_ctime_ns != before.st_ctime_ns:
            break
        path.unlink()
        path.write_bytes(kept)
    assert (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns) and path.read_bytes() != kept


def network_file(folder: Path) -> tuple[str, Path]:
    (folder / "mine.keras").write_bytes(b"weights of one kind")
    return f"file:{folder / 'mine.keras'}", folder / "mine.keras"


def weights(folder: Path) -> tuple[str, Path]:
    (folder / "mine.weights.h5").write_bytes(b"weights of one kind")
    return f"weights:{folder / 'mine.weights.h5'}@mobilenet_v2", folder / "mine.weights.h5"


def _model(folder: Path) -> Path:
    (folder / "net" / "variables").mkdir(parents=True)
    for name in (saved_model.PROGRAM, "variables/variables.index", "variables/variables.data-00000-of-00001"):
        (folder / "net" / name).write_bytes(f"content of {name}".encode())
    return folder / "net"


def program(folder: Path) -> tuple[str, Path]:
    return f"saved:{_model(folder)}", folder / "net" / saved_model.PROGRAM


def variables(folder: Path) -> tuple[str, Path]:
    return f"saved:{_model(folder)}", folder / "net" / "variables" / "variables.data-00000-of-00001"


@pytest.mark.parametrize("change", [overwritten, moved_over, one_byte, linked, swapped_with_its_twin])
@pytest.mark.parametrize("kind", [network_file, weights, program, variables])
def test_another_file_of_the_same_size_and_dates_is_another_network(kind, change, home: Path, tmp_path: Path) -> None:
    key, path = kind(tmp_path)
    first = catalog.backbone(key)
    assert first.pretrained and catalog.backbone(key).pretrained.identity == first.pretrained.identity
    alike(change, path)
    second = catalog.backbone(key).pretrained
    assert second and second.content != first.pretrained.content and second.identity != first.pretrained.identity
    with pytest.raises(RequestError, match="content has changed.*not.*Put the old file back"):
        first.build(16) if key.startswith("saved:") else first.pretrained.load([])


def test_what_changes_no_content_changes_nothing(home: Path, tmp_path: Path) -> None:
    key, path = network_file(tmp_path)
    first = catalog.backbone(key).pretrained
    os.utime(path)
    shutil.copyfile(path, tmp_path / "copy")
    os.replace(tmp_path / "copy", path)
    path.chmod(0o600)
    second = catalog.backbone(key).pretrained
    assert first and second and first.content == second.content and first.identity == second.identity


def test_a_digest_is_worked_out_once_also_for_another_process(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = network_file(tmp_path)
    wanted = content.digest(path)
    monkeypatch.setattr(content.hashlib, "file_digest", None)
    assert content.digest(path) == wanted
    content._known.clear()
    assert content.digest(path) == wanted


def test_a_digest_of_what_was_written_just_now_is_not_kept(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "_SETTLED_NS", 10**12)
    _, path = network_file(tmp_path)
    content.digest(path)
    assert not list(settings.cache("digests").iterdir())


def test_a_file_that_changes_while_it_is_read_is_told(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = network_file(tmp_path)
    honest = content.hashlib.file_digest

    def written_meanwhile(*given_: object) -> object:
        with path.open("ab") as file:
            file.write(b"more")
        return honest(*given_)

    monkeypatch.setattr(content.hashlib, "file_digest", written_meanwhile)
    with pytest.raises(RequestError, match="is being changed"):
        content.digest(path)


NO_PATHS = [
    "file:\0", "file:x\0.keras", "file:~nobody_here/x.keras", "file:", "file:" + "x" * 5000, "file:\udcff.keras",
    "saved:\0", "saved:~nobody_here", "weights:\0@vgg16",
]  # fmt: skip


@pytest.mark.parametrize("key", NO_PATHS, ids=lambda key: ascii(key[:24]))
def test_a_key_that_is_no_path_is_refused_in_words(key: str, home: Path) -> None:
    with pytest.raises(RequestError):
        catalog.backbone(key)


# Runs --------------------------------------------------------------------------------------------


def asked(folder: Path, **changes: object) -> Experiment:
    return Experiment(backbone=network_file(folder)[0], strategy="from_scratch").but(**changes)


def test_a_run_goes_on_only_with_the_file_it_began_with(here: Lab, tmp_path: Path) -> None:
    experiment = asked(tmp_path)
    run, path = here.submit(experiment), tmp_path / "mine.keras"
    here.pause(run)
    whole = path.read_bytes()
    alike(overwritten, path)
    with pytest.raises(RequestError, match="content has changed since"):
        here.resume(run)
    assert here.run(run).state == "paused"
    path.unlink()
    with pytest.raises(RequestError, match="no such file"):
        here.resume(run)
    path.write_bytes(whole)
    here.resume(run)
    assert here.run(run).state == "queued"


def test_a_run_of_an_older_version_has_no_record_and_goes_on(here: Lab, tmp_path: Path) -> None:
    run = here.submit(asked(tmp_path))
    (settings.run_folder(run) / network_files.RECORD).unlink()
    here.pause(run)
    alike(overwritten, tmp_path / "mine.keras")
    here.resume(run)
    assert here.run(run).state == "queued"


def test_a_run_without_files_of_ones_own_leaves_no_record(here: Lab) -> None:
    run = here.submit(Experiment(strategy="from_scratch"))
    assert not settings.run_folder(run).exists() and network_files.contents(here.run(run).experiment) == {}


def test_a_race_is_not_extended_with_another_network(here: Lab, tmp_path: Path) -> None:
    race = here.races.start([asked(tmp_path)], About())
    alike(overwritten, tmp_path / "mine.keras")
    with pytest.raises(RequestError, match="content has changed since"):
        here.races.extend(race)
    assert len(here.races.runs(race)) == 1


def test_a_teachers_file_counts_as_the_backbones_does(here: Lab, tmp_path: Path) -> None:
    key, path = network_file(tmp_path)
    taught = Experiment(backbone="efficientnet_lite0", strategy="distillation", options={"teacher": key})
    run = here.submit(taught)
    here.pause(run)
    alike(one_byte, path)
    with pytest.raises(RequestError, match="content has changed since"):
        here.resume(run)


@pytest.mark.parametrize("teacher", [False, True])
def test_nothing_begins_with_a_run_whose_file_has_changed(teacher: bool, here: Lab, tmp_path: Path) -> None:
    experiment = asked(tmp_path)
    run = here.submit(experiment)
    (settings.run_folder(run) / "experiment.json").write_text(experiment.canonical_json())
    about = {"title": "it", "summary": "", "parameters": 1, "stages": ["stage1"], "image_size": 16, "channels": 1}
    about |= {"modality": "image", "licence": "", "preprocessing": "", "classes": [], "head": False, "source": "it"}
    about |= {"learned": [["optdigits", 0]], "identity": "it", "fixed": False}
    (settings.run_folder(run) / "network.json").write_text(json.dumps(about))
    child = Experiment(backbone=f"run:{run}")
    if teacher:
        child = Experiment(backbone="efficientnet_lite0", strategy="distillation", options={"teacher": f"run:{run}"})
    here.submit(child)
    alike(overwritten, tmp_path / "mine.keras")
    count = len(here.runs())
    for again in (lambda: here.submit(child), lambda: here.races.start([child], About())):
        with pytest.raises(RequestError, match="content has changed since"):
            again()
    assert len(here.runs()) == count


def test_what_is_kept_of_a_network_is_not_kept_for_another_of_its_name(home: Path, tmp_path: Path) -> None:
    key, path = network_file(tmp_path)
    question = data_questions.Question("distance", ("optdigits", "mnist_5k"), {"backbone": key, "seed": 0})
    experiment = Experiment(backbone=key, source="mnist_5k")
    before = question.folder, SourceTraining(experiment, catalog.backbone(key), 16, "data").file
    alike(overwritten, path)
    after = question.folder, SourceTraining(experiment, catalog.backbone(key), 16, "data").file
    assert before[0] != after[0] and before[1] != after[1]


# Uploads -----------------------------------------------------------------------------------------


def test_an_upload_never_replaces_a_network_and_is_kept_once(home: Path) -> None:
    first = uploaded.keep("net.keras", b"one one one")
    second = uploaded.keep("net.keras", b"two two two")
    assert (first.name, second.name) == ("net.keras", "net_2.keras")
    assert uploaded.keep("net.keras", b"two two two") == second and uploaded.keep("net.keras", b"one one one") == first
    assert first.read_bytes() == b"one one one" and second.read_bytes() == b"two two two"
    assert uploaded.keep("net_2.keras", b"three").name == "net_2_2.keras"
    assert {one.name for one in own_file.place().iterdir()} == {"net.keras", "net_2.keras", "net_2_2.keras"}


def test_many_that_upload_one_name_at_once_lose_nothing(home: Path) -> None:
    several = [bytes([number]) * 1000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda one: uploaded.keep("net.keras", one), several))
    assert len(set(paths)) == 8 and [path.read_bytes() for path in paths] == several


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("net.keras", "net.keras"),
        ("my net (2).keras", "my net (2).keras"),
        ("../../etc/net.keras", "net.keras"),
        ("C:\\models\\net.keras", "net.keras"),
        (".hidden.keras", "hidden.keras"),
        ("net@cut=low.keras", "net_cut_low.keras"),
        ("cafe\u0301.keras", "caf\u00e9.keras"),
        ("net\0.keras", "net_.keras"),
        ("net\n\u202e.keras", "net__.keras"),
        ("\u2025\uff0fnet.keras", "__net.keras"),
        ("", "network.keras"),
        ("..", "network.keras"),
        ("x" * 500 + ".keras", "x" * 80 + ".keras"),
        ("\u7db2" * 100 + ".h5", "\u7db2" * 26 + ".h5"),
        ("\udcff.keras", "_.keras"),
    ],
    ids=ascii,
)
def test_an_uploads_name_is_one_of_a_file_here(name: str, kept: str, home: Path) -> None:
    assert uploaded.safe_name(name) == kept
    assert uploaded.keep(name, b"content") == own_file.place() / kept


def test_the_page_says_under_which_name_an_upload_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    state: dict[str, object] = {}
    monkeypatch.setattr(networks.st, "session_state", state)
    monkeypatch.setattr(networks.st, "info", lambda words, icon: said.append(words))
    for number, held in enumerate((b"one", b"two", b"one")):
        file = types.SimpleNamespace(name="net.keras", file_id=str(number), getvalue=lambda held=held: held)
        assert networks._kept(file).read_bytes() == held
        assert networks._kept(file).read_bytes() == held, "drawn again"
    assert len(said) == 2 and all("saved as net_2.keras" in words for words in said)
