"""Which pictures a training step uses up. Budgets, learning rates, estimates and curves all count with this file.

A picture counts once each time the network that learns sees it in a training step: a labelled picture of the target,
a picture of the source, and every view of an unlabelled picture count one each. A teacher, a running average and
validation see pictures too, but nothing is learned from these, so they do not count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from transfer import catalog
from transfer.experiment import Experiment
from transfer.strategies import Phase, Setting, Strategy


@dataclass(frozen=True)
class Portions:
    """How many pictures of each kind each step of a phase uses.

    Args:
        phase: the phase.
        batch_size: batch size of the experiment.
        labelled: training pictures of the target with their label.
        unlabelled: all training pictures of the target, labelled or not.
        source: whether the source's pictures are available.
    """

    phase: Phase
    batch_size: int
    labelled: int
    unlabelled: int
    source: bool

    @property
    def apart(self) -> int:
        """Unlabelled pictures in a step; each is seen once per view."""
        return max(1, round(self.batch_size * self.phase.unlabelled_ratio))

    @property
    def steps(self) -> int:
        """Steps per epoch: a pass over the unlabelled pictures if the phase uses any, else over the labelled ones."""
        pictures, size = (self.unlabelled, self.apart) if self.phase.unlabelled else (self.labelled, self.batch_size)
        return max(1, -(-pictures // size))

    @property
    def learns_labels(self) -> bool:
        """Whether labelled pictures of the target are part of a step."""
        return self.labelled > 0 and not (self.phase.unlabelled and self.phase.target_weight == 0)

    def of(self, step: int) -> dict[str, int]:
        """Pictures in a step by origin: ``source``, ``target``, or the name of a view.

        Args:
            step: number of the step, counted from 0 at the beginning of the phase.
        """
        found: dict[str, int] = {}
        if self.phase.unlabelled:
            found |= dict.fromkeys(self.phase.unlabelled, min(self.apart, self.unlabelled))
            beside = self.batch_size
        else:
            # The last step of an epoch takes the rest.
            beside = min(self.batch_size, self.labelled - step % self.steps * self.batch_size)
        if self.learns_labels:
            found["target"] = min(beside, self.labelled)
        if self.source and self.phase.source_ratio > 0:
            found["source"] = max(1, round(beside * self.phase.source_ratio))
        return found

    def images(self, steps: int) -> int:
        """Pictures used up by the phase's first ``steps`` steps."""
        usual, last = sum(self.of(0).values()), sum(self.of(self.steps - 1).values())
        epochs, more = divmod(steps, self.steps)
        return epochs * ((self.steps - 1) * usual + last) + more * usual

    def steps_for(self, images: float) -> int:
        """The fewest steps that use up that many pictures; 0 for none."""
        wanted = max(0, math.ceil(images - 1e-6))
        if not self.images(self.steps):
            return self.steps if wanted else 0
        epochs, left = divmod(wanted, self.images(self.steps))
        return epochs * self.steps + min(self.steps, -(-left // sum(self.of(0).values())))


def epochs(experiment: Experiment, strategy: Strategy, setting: Setting, labelled: int, unlabelled: int) -> int:
    """The epochs that the strategy divides among its phases.

    With a budget in images, as many as it pays for. With a budget in seconds, the default number, which then only
    determines how the phases share the time.

    Args:
        experiment: possible.
        strategy: its strategy.
        setting: everything that the strategy knows except the epochs.
        labelled: training pictures of the target with their label.
        unlabelled: all training pictures of the target.
    """
    usual = experiment.epochs_for(unlabelled if strategy.unlabelled else labelled)
    if experiment.images is None:
        return usual
    phases = strategy.phases(replace(setting, epochs=usual))
    size = experiment.batch_size
    portions = [Portions(phase, size, labelled, unlabelled, setting.source) for phase in phases]
    an_epoch = sum(one.phase.epochs * one.images(one.steps) for one in portions) / sum(one.epochs for one in phases)
    # A strategy that trains nothing sees no image.
    return max(1, math.ceil(experiment.images / an_epoch)) if an_epoch else usual


def epochs_of(experiment: Experiment, labelled: int, unlabelled: int) -> int:
    """As `epochs`, for callers that only have the experiment: the pages.

    Raises:
        RequestError: the experiment is impossible.
    """
    strategy = catalog.check(experiment)
    used = strategy.used(catalog.backbone(experiment.backbone).stages)
    target = catalog.dataset(experiment.target)
    source = catalog.dataset(experiment.source) if experiment.source else None
    keeps_head = strategy.keeps_head and source is not None and source.classes == target.classes
    reads = strategy.reads_source and source is not None
    setting = Setting(used, 1, experiment.learning_rate, keeps_head, reads)
    return epochs(experiment, strategy, setting, labelled, unlabelled)
