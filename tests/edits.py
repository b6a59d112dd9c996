"""Edits of the Lab page's form at random, as a person makes them: choices, numbers, clearings, races, reloads."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from transfer import catalog
from transfer.lab import Lab

Opened = Callable[..., AppTest]
PATIENT_SECONDS = 120.0  # a machine that does something else meanwhile is no fault of the form
EXTREMES = (0, 1, 2, 3, 10, 1_000, 10**9)


def sequence(seed: int, opened: Opened, edits: int = 4) -> tuple[list[str], str]:
    """Makes some edits, each followed by a drawing of the page.

    Args:
        seed: of the choice of edits; the same seed makes the same ones.
        opened: opens the app, at a run or a race of this keyword.
        edits: how many.

    Returns:
        What was done, and the traceback it ended with; empty when there was none.
    """
    dice = random.Random(seed)
    app, done = opened(), ["open"]
    for _ in range(edits):
        what = dice.choices((_number, _empty, _choice, _switch, _race, _remedy, _reload), (5, 4, 3, 3, 2, 1, 1))[0]
        app.default_timeout = PATIENT_SECONDS
        words, app = what(app, dice, opened)
        done.append(words)
        if app.exception:
            return done, "\n".join(app.exception[0].stack_trace) or app.exception[0].message
    return done, ""


def _fields(app: AppTest) -> list[Any]:
    return [one for one in app.number_input if not one.disabled]


def _number(app: AppTest, dice: random.Random, _opened: Opened) -> tuple[str, AppTest]:
    field = dice.choice(_fields(app))
    low, high = field.min if field.min is not None else 0, field.max if field.max is not None else 10**6
    value = min(high, max(low, dice.choice((*EXTREMES, low, high))))
    return f"{field.key} = {value}", field.set_value(type(field.step)(value)).run()


def _empty(app: AppTest, dice: random.Random, _opened: Opened) -> tuple[str, AppTest]:
    field = dice.choice([one for one in _fields(app) if not one.proto.HasField("default")] or _fields(app))
    return f"{field.key} emptied", field.set_value(None).run()


def _choice(app: AppTest, dice: random.Random, _opened: Opened) -> tuple[str, AppTest]:
    """A card's dialog, and what a person picks there; what needs a download is left out."""
    kind = dice.choice(("target", "source", "backbone", "strategy"))
    app.button(key=f"change:{kind}").click().run()
    offered = [one for one in app.button if (one.key or "").startswith(f"pick:{kind}:") and not one.disabled]
    if app.exception or not offered:
        return f"change {kind}", app
    picked = dice.choice([one for one in offered if _is_here(kind, one.key)])
    return f"choose {picked.key}", picked.click().run()


def _is_here(kind: str, key: str) -> bool:
    name = key.split(":", 2)[2]
    if kind in ("target", "source"):
        found = catalog.datasets().get(name)
        return found is None or not found.download_mb
    return True


def _switch(app: AppTest, dice: random.Random, _opened: Opened) -> tuple[str, AppTest]:
    kinds = [one for kind in (app.selectbox, app.toggle, app.slider, app.multiselect) for one in kind]
    widget = dice.choice([one for one in kinds if not one.disabled])
    if widget.type == "toggle":
        return f"{widget.key} turned", widget.set_value(not widget.value).run()
    if widget.type == "slider":
        value = dice.choice((widget.min, widget.max))
        return f"{widget.key} = {value}", widget.set_value(value).run()
    if not widget.options:
        return f"{widget.key} has no options", app.run()
    if widget.type == "multiselect":
        many = dice.sample(list(widget.options), dice.randint(0, min(3, len(widget.options))))
        return f"{widget.key} = {many}", widget.set_value(many).run()
    return f"{widget.key} selected", widget.select_index(dice.randrange(len(widget.options))).run()


def _race(app: AppTest, dice: random.Random, _opened: Opened) -> tuple[str, AppTest]:
    wanted = ("race", "one_run", "race_labels", "start_race", "start", "race_stop", "race_new", "discard", "new")
    there = [one for one in app.button if one.key in wanted and not one.disabled]
    if not there:
        return "nothing to press", app.run()
    pressed = dice.choice(there)
    return f"press {pressed.key}", pressed.click().run()


def _remedy(app: AppTest, dice: random.Random, opened: Opened) -> tuple[str, AppTest]:
    offers = [one for one in app.button if (one.key or "").startswith("offer:")]
    return ("take an offer", dice.choice(offers).click().run()) if offers else _race(app, dice, opened)


def _reload(_app: AppTest, dice: random.Random, opened: Opened) -> tuple[str, AppTest]:
    """The page in a new tab, at a run or a race that there is, or at none."""
    lab, place = Lab(), dice.choice(("", "run", "race"))
    known = [one.id for one in (lab.runs(20) if place == "run" else lab.races.newest(20))] if place else []
    if not known:
        return "reload", opened()
    key = dice.choice([*known, "gone"])
    return f"reload at {place} {key}", opened(**{place: key})
