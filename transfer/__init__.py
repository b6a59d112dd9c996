"""Transfer Lab: see what transfer learning does.

    from transfer import Experiment, train
    result = train(Experiment(target="optdigits", source="mnist_5k", labels_per_class=1))
    result.metrics["test_accuracy"]

`train` imports TensorFlow when it is first called, so that importing this package stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from transfer.experiment import Experiment

if TYPE_CHECKING:
    from transfer.engine.train import Result, train

__version__ = "0.1.0"
__all__ = ["Experiment", "Result", "train"]


def __getattr__(name: str) -> object:
    if name in ("Result", "train"):
        from transfer.engine import train as engine

        return getattr(engine, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
