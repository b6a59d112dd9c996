"""Did transfer help? Taylor and Stone's measures against training from scratch at the same budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from transfer.insight import facts
from transfer.insight.race import Arm, lead, pictures
from transfer.insight.seeds import Spread, difference, spread

REACHED = 0.9
NEAR_CHANCE = 1.5


@dataclass(frozen=True)
class Gain:
    """What one competitor gained over from scratch, each figure over the seeds both ran with.

    Args:
        name: of the competitor.
        jumpstart: accuracy before the first step, minus from scratch's.
        asymptotic: test accuracy, minus from scratch's.
        area: total reward ratio: the difference between the areas, divided by from scratch's area; 0 is no gain.
        sooner: how many epochs, steps or seconds earlier it reached the threshold; None if a seed never did, or if
            from scratch learned next to nothing.
        never: how many seeds of transfer and of from scratch never reached the threshold.
        threshold: the accuracy to reach.
        flat: whether from scratch ended near chance, so that no threshold is worth reaching.
        more_labels: whether its network had already learned labels of the training pictures that neither is allowed.
    """

    name: str
    jumpstart: Spread
    asymptotic: Spread
    area: Spread
    sooner: Spread | None
    never: tuple[int, int]
    threshold: float
    flat: bool = False
    more_labels: bool = False


def jumpstart(pairs: Sequence[tuple[np.ndarray, np.ndarray]], validated: int = 0) -> Spread:
    """Initial performance with transfer, minus that without: what is known before anything is learned.

    It misleads when there is a new head: both then start at chance, whatever the backbone knows.

    Args:
        pairs: the validation accuracies of (transfer, from scratch), one pair per seed, from before the first step on.
        validated: pictures that each was measured on, all seeds together; 0 if unknown.

    Reference:
        Taylor & Stone 2009, JMLR 10, section 2.2.
    """
    return difference([float(ours[0]) for ours, _ in pairs], [float(theirs[0]) for _, theirs in pairs], validated)


def area(x: np.ndarray, y: np.ndarray) -> float:
    """Area under a learning curve by trapezoids: the total reward; x ascending, shapes (n,)."""
    return float(np.trapezoid(y, x))


def area_ratio(transfer: tuple[np.ndarray, np.ndarray], scratch: tuple[np.ndarray, np.ndarray]) -> float:
    """Total reward ratio: (area with transfer - area without) / area without, over the stretch that both cover.

    0 is no gain, 1 is twice the reward, below 0 is a loss. It misleads with long curves: once both
    are flat, every further epoch brings the ratio closer to that of their final values.

    Args:
        transfer, scratch: (x, y) of each, x ascending.

    Reference:
        Taylor & Stone 2009, section 2.2: r = (area with - area without) / area without.
    """
    first, last = max(transfer[0][0], scratch[0][0]), min(transfer[0][-1], scratch[0][-1])
    with_, without = (area(*_within(x, y, first, last)) for x, y in (transfer, scratch))
    return (with_ - without) / without if without else float("nan")


def time_to(threshold: float, x: np.ndarray, y: np.ndarray) -> float | None:
    """Where the curve first reaches the threshold, interpolated linearly between points; None if it never does.

    It misleads on a noisy curve: one lucky epoch counts.
    """
    reached = np.flatnonzero(y >= threshold)
    if not len(reached):
        return None
    at = int(reached[0])
    if at == 0 or y[at] == y[at - 1]:
        return float(x[at])
    share = (threshold - y[at - 1]) / (y[at] - y[at - 1])
    return float(x[at - 1] + share * (x[at] - x[at - 1]))


def gains(
    several: Sequence[Arm], curves: Mapping[str, tuple[np.ndarray, np.ndarray]], reached: float = REACHED
) -> list[Gain]:
    """What every competitor gained over from scratch on the same target, labels and budget, seed by seed.

    The same seed has the same split and the same labels, so differences are taken within a seed: what a lucky
    choice of labels gives to both cancels out.

    Args:
        several: the competitors, from scratch among them.
        curves: (x, validation accuracy) of each run, by its id, from before the first step on.
        reached: the threshold, as a share of from scratch's mean final accuracy, above 0 to 1.

    Returns:
        One `Gain` for each competitor that finished a seed that from scratch finished, too.
    """
    found = []
    for arm in several:
        base = scratch_of(arm, several)
        if arm.scratch or base is None:
            continue
        ours = {run.experiment.seed: run for run in arm.ended if len(curves.get(run.id, ((), ()))[0])}
        theirs = {run.experiment.seed: run for run in base.ended if len(curves.get(run.id, ((), ()))[0])}
        seeds = facts.paired(ours, theirs)
        ends = lead(arm, base)
        if not seeds or ends is None:
            continue
        pairs = [(curves[ours[seed].id], curves[theirs[seed].id]) for seed in seeds]
        end = float(np.mean([scratch[1][-1] for _, scratch in pairs]))
        threshold = reached * end
        flat = end < NEAR_CHANCE * float(np.mean([theirs[seed].metrics.get("chance", 0.0) for seed in seeds]))
        times = [(time_to(threshold, *one), time_to(threshold, *other)) for one, other in pairs]
        sooner = [other - one for one, other in times if one is not None and other is not None]
        validated = pictures([theirs[seed] for seed in seeds], "validation_pictures")
        found.append(
            Gain(
                arm.name,
                jumpstart([(one[1], other[1]) for one, other in pairs], validated),
                ends,
                spread([area_ratio(one, other) for one, other in pairs]),
                spread(sooner) if len(sooner) == len(pairs) and not flat else None,
                (sum(one is None for one, _ in times), sum(other is None for _, other in times)),
                threshold,
                flat,
                bool(facts.more_labels(arm.name, arm.ended)),
            )
        )
    return found


def scratch_of(arm: Arm, several: Sequence[Arm]) -> Arm | None:
    """The competitor from random weights that has everything else in common with this one; None if there is none."""
    different = {"strategy", "options", "seed"}
    asked = {name: str(value) for name, value in arm.experiment.model_dump().items() if name not in different}
    alone = _without_labels(arm)
    for other in several:
        if not other.scratch:
            continue
        theirs = {name: str(value) for name, value in other.experiment.model_dump().items() if name not in different}
        differ = {name for name in asked if asked[name] != theirs.get(name)}
        # Random weights ignore the source, and a strategy that needs no labels is compared with few of them.
        if differ <= ({"source", "source_epochs"} | ({"labels_per_class"} if alone else set())):
            return other
    return None


def _without_labels(arm: Arm) -> bool:
    """Whether the competitor's strategy needs no target labels."""
    return arm.experiment.labels_per_class == 0


def sentence(gain: Gain) -> str:
    """Whether transfer helped, in words; negative transfer is called by its name.

    Either needs the whole 95 % interval of the difference in test accuracy on one side of zero, which takes two seeds.
    """
    ends = gain.asymptotic
    if gain.more_labels:
        return (
            f"{gain.name}: {_points(ends.mean)} over from scratch, which is no measure of transfer: its network had "
            "already learned more labels of these training pictures than are allowed here."
        )
    if ends.count < 2:
        return f"{gain.name}: {_points(ends.mean)} over from scratch. One seed: can't say whether that is luck."
    band = "" if ends.low is None or ends.high is None else f" ({100 * ends.low:+.1f} to {100 * ends.high:+.1f})"
    said = {
        "helped": f"transfer helped, {_points(ends.mean)}{band}.",
        "harmed": f"**negative transfer**, {_points(ends.mean)}{band}: from scratch is better.",
        "unclear": f"no clear difference, {_points(ends.mean)}{band}.",
    }
    return f"{gain.name}: {said[_side(ends)]}"


def summary(found: Sequence[Gain]) -> list[str]:
    """Many competitors in a few sentences: whom transfer helped, whom it harmed, and where it is unclear."""
    said = {
        "helped": "Transfer helped",
        "harmed": "**Negative transfer**",
        "unclear": "No clear difference",
        "one seed": "One seed: can't say",
        "more labels": "No measure of transfer, because the network had already learned more labels of these pictures",
    }
    lines = []
    for side, words in said.items():
        there = [one for one in found if _group(one) == side]
        names = [f"{one.name} ({_points(one.asymptotic.mean)})" if side == "one seed" else one.name for one in there]
        lines += [f"{words} ({len(names)} of {len(found)}): {'; '.join(names)}."] if names else []
    return lines


def _group(gain: Gain) -> str:
    return "more labels" if gain.more_labels else _side(gain.asymptotic)


def _side(ends: Spread) -> str:
    """On which side of zero a difference is, as far as that is certain."""
    if ends.count < 2:
        return "one seed"
    if ends.low is not None and ends.low > 0:
        return "helped"
    return "harmed" if ends.high is not None and ends.high < 0 else "unclear"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f} points"


def frame(found: Sequence[Gain]) -> pd.DataFrame:
    """One row per competitor, each figure in words with its interval."""
    return pd.DataFrame(
        [
            {
                "name": gain.name,
                "jumpstart": in_points(gain.jumpstart),
                "asymptotic": in_points(gain.asymptotic),
                "area": _shown(gain.area, 1.0, 2),
                "sooner": _shown(gain.sooner, 1.0, 1) if gain.sooner else _never(gain),
            }
            for gain in found
        ]
    )


def in_points(value: Spread) -> str:
    """A difference of accuracies in percentage points, with its interval."""
    return _shown(value, 100.0, 1)


def _shown(value: Spread, factor: float, digits: int) -> str:
    if value.low is None or value.high is None:
        return f"{factor * value.mean:+.{digits}f}"
    return f"{factor * value.mean:+.{digits}f} ({factor * value.low:+.{digits}f} to {factor * value.high:+.{digits}f})"


def _never(gain: Gain) -> str:
    if gain.flat:
        return "from scratch stayed near chance"
    with_, without = gain.never
    said = [f"{with_} with transfer"] if with_ else []
    said += [f"{without} from scratch"] if without else []
    return f"not reached: {', '.join(said)}"


def _within(x: np.ndarray, y: np.ndarray, first: float, last: float) -> tuple[np.ndarray, np.ndarray]:
    inside = x[(x > first) & (x < last)]
    grid = np.concatenate([[first], inside, [last]])
    return grid, np.interp(grid, x, y)
