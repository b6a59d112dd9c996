"""The outline of a long run keeps what a chart must not drop, and the points themselves stay."""

from __future__ import annotations

import numpy as np

from pages.parts.common.run_log import Log
from transfer import Experiment
from transfer.engine.events import PhaseBegan, Point, to_record
from transfer.lab import Lab
from transfer.lab.outlines import BLOCK
from transfer.lab.process import myself


def long_run(lab: Lab, steps: int) -> str:
    run = lab.store.add_run(Experiment())
    rows = [(0.0, *to_record(PhaseBegan(1, "train", "target", 0, 1, 1, 1, {})))]
    for step in range(steps):
        loss = float("nan") if step == 2_000 else 50.0 if step == 3_000 else 1.0 + 1e-4 * (step % 7)
        values = {"loss": loss, "accuracy": 0.5}
        rows.append(
            (float(step), *to_record(Point("train", "target", 1 + (step > 4_000), step / 10, step, 0.0, values)))
        )
        if step == 1_234:
            rows.append(
                (0.0, *to_record(Point("validation", "target", 1, 123.4, step, 0.0, {"loss": 9, "accuracy": 0})))
            )
    lab.store.append(run, rows)
    return run


def test_peaks_gaps_validation_and_phases_stay_and_the_rest_is_read_point_by_point(here: Lab) -> None:
    run = long_run(here, 2 * BLOCK + 100)
    assert here.outlines.read(run) == (None, 0)
    assert here.outlines.add(run) == 2
    assert here.outlines.add(run) == 0, "what is left is too little"
    log = Log(run)
    log.read(here, here.run(run))
    drawn, whole = log.history, here.history(run)
    assert len(whole) == 2 * BLOCK + 101 and len(drawn) < 600
    assert set(drawn["n"]) <= set(whole["n"]) and drawn["n"].is_monotonic_increasing
    assert drawn["loss"].max() == 50.0 and np.isnan(drawn.loc[drawn["step"] == 2_000, "loss"]).all()
    assert (drawn["split"] == "validation").sum() == 1
    assert {4_001, 2 * BLOCK + 99} <= set(drawn["step"])
    same = whole.merge(drawn, on="n", suffixes=("", "_drawn"))
    for name in ("split", "domain", "phase", "epoch", "step", "accuracy"):
        assert (same[name] == same[f"{name}_drawn"]).all(), name
    assert len(log.phases) == 1


def test_a_resumed_run_is_read_point_by_point_for_some_of_them_were_made_anew(here: Lab) -> None:
    run = long_run(here, BLOCK)
    here.outlines.add(run)
    claimed = here.store.claim(myself(), "cpu")
    here.store.change(claimed, "interrupted", ended=claimed.started)
    here.store.requeue(run)
    log = Log(run)
    log.read(here, here.run(run))
    assert len(log.history) == BLOCK + 1
