"""A lab with a run that has really finished, for what looks into its network."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from transfer import Experiment, settings
from transfer.lab import Lab
from transfer.lab.in_process import run_here
from transfer.lab.process import myself

QUICK = Experiment(target="optdigits", strategy="from_scratch", epochs=2, labels_per_class=20, batch_size=64)


def finished_run(home: Path, **changes: object) -> str:
    """Trains QUICK with these changes in this process, recorded in the lab of that home; the run's id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(home))
        patch.setenv("TRANSFER_STANDBY", "0")
        # What the run sets for its device is not to stay with the tests that follow.
        for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
            if name in os.environ:
                patch.setenv(name, os.environ[name])
        lab = Lab()
        run = lab.submit(QUICK.but(**changes), reserved=myself())
        state = run_here(lab, run, lambda event: None, lambda words: None)
        assert state == "finished", lab.run(run).error
        return run


def twin(home: Path, run: str) -> str:
    """A second record of a finished run with the files of the first; its id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(home))
        lab = Lab()
        first = lab.run(run)
        other = lab.submit(first.experiment, reserved=myself())
        claimed = lab.store.claim(myself(), first.device, only=other)
        assert claimed is not None
        lab.store.finish(claimed, "finished", first.metrics, first.environment, "")
        shutil.copytree(settings.run_folder(run), settings.run_folder(other))
        return other
