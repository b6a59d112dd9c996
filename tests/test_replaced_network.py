"""A network's file that is replaced after a run: whatever opens the run's network says so, and uses it for nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from transfer import Experiment, network_files, separate_process, settings, train
from transfer.backbones import content, own_file, run_network
from transfer.engine.inspect import rebuilt
from transfer.errors import ImpossibleExperiment, RequestError
from transfer.export import keras_file
from transfer.lab import Lab, answers, opened_runs
from transfer.lab.process import myself

CHANGED = "content has changed since.*Put the old file back"


def saved_network(path: Path, seed: int) -> Path:
    """One of two networks that differ in their weights alone, uncompressed and so of one size."""
    keras.utils.set_random_seed(seed)
    pixels = keras.Input((8, 8, 1))
    flowing = layers.Conv2D(4, 3, activation="relu", name="low")(layers.Rescaling(1 / 16)(pixels))
    keras.Model(pixels, layers.Dense(8, name="high")(layers.Flatten()(flowing)), name="net").save(path)
    return path


def test_a_replaced_file_is_told_wherever_the_network_is_opened(
    here: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_file, "asked", separate_process.here)  # without a process of its own
    path = saved_network(tmp_path / "net.keras", 1)
    whole, other = path.read_bytes(), saved_network(tmp_path / "other.keras", 2)
    asked = Experiment(
        target="optdigits", backbone=f"file:{path}", strategy="feature_extraction", epochs=1, labels_per_class=2
    )
    run = here.submit(asked, reserved=myself())
    folder = settings.run_folder(run)
    result = train(asked, folder=folder)
    assert result.environment["networks"] == {asked.backbone: content.digest(path)}
    found = rebuilt.trained(run)
    pictures = found.split.test.inputs[:16]
    before = found.logits(pictures)
    shutil.copyfile(other, path)
    opened_runs._open.clear()
    opening = (
        lambda: rebuilt.trained(run),
        lambda: rebuilt.untrained(run),
        lambda: keras_file.write(run, tmp_path / "out.keras"),
        lambda: answers.ready(run),
        lambda: answers.look(run, 0, start=True),
        lambda: train(asked, folder=folder),
        lambda: train(Experiment(target="optdigits", backbone=f"run:{run}", strategy="fine_tuning", epochs=1)),
        lambda: here.submit(asked.but(backbone=f"run:{run}", image_size=None)),
    )
    for open_ in opening:
        with pytest.raises(RequestError, match=CHANGED):
            open_()
    assert not (tmp_path / "out.keras").exists() and not run_network.packed(run).exists()
    # As a run of an older version has it, without a record of files: its network's identity still tells.
    record, about = (folder / network_files.RECORD).read_text(), (folder / run_network.ABOUT).read_text()
    (folder / network_files.RECORD).unlink()
    with pytest.raises(ImpossibleExperiment, match="has changed since this run"):
        rebuilt.trained(run)
    # Where nothing says that the file is another, it opens.
    (folder / run_network.ABOUT).unlink()
    assert not np.allclose(rebuilt.trained(run).logits(pictures), before)
    (folder / network_files.RECORD).write_text(record)
    (folder / run_network.ABOUT).write_text(about)
    path.write_bytes(whole)
    np.testing.assert_allclose(rebuilt.trained(run).logits(pictures), before, atol=1e-5)
    # What was packed before is the run's own, whatever becomes of the file.
    train(Experiment(target="optdigits", backbone=f"run:{run}", strategy="feature_extraction", epochs=1))
    shutil.copyfile(other, path)
    here.submit(asked.but(backbone=f"run:{run}"))
