"""What all pages share: the one Lab of this process, and runs in words."""

from __future__ import annotations

import functools
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from transfer import catalog, modalities
from transfer.errors import UnknownKey
from transfer.experiment import Experiment

if TYPE_CHECKING:
    from transfer.datasets import Dataset
    from transfer.lab import Lab, Run

Key = TypeVar("Key", bound=Hashable)

ICONS = {
    "queued": ":material/hourglass_empty:",
    "running": ":material/play_circle:",
    "paused": ":material/pause_circle:",
    "finished": ":material/check_circle:",
    "stopped": ":material/stop_circle:",
    "failed": ":material/error:",
    "interrupted": ":material/power_off:",
}

AGAIN_SECONDS = 5.0
# A class redraws its pages on the same event. One by one they are done as soon, and the streams keep flowing.
_few_at_once = threading.Semaphore(2)
PAGES = ("lab", "data", "runs", "compare", "run", "try_it")


@st.cache_resource(show_spinner=False)
def the_lab() -> Lab:
    """The Lab of this process, shared by all pages, tabs and users."""
    # Imported here because SQLAlchemy takes a quarter of a second; the first drawing of a page does not wait for it.
    from transfer.lab import Lab

    return Lab()


def first_drawing_over() -> bool:
    """Whether this session has seen a page; whatever is not needed at once waits until then."""
    return bool(st.session_state.get("drawn"))


def drawn() -> None:
    """Notes that it has."""
    st.session_state["drawn"] = True


def through_app() -> None:
    """Makes sure that a page is run by ``app.py``; the first line of every page.

    Because the folder is called pages, Streamlit runs a page on its own, without navigation and
    banner, until somebody has opened ``/`` after the server's start: a tab that was left open
    during a restart, say. Declaring any navigation ends this; the rerun then begins in app.py.
    """
    if not st.session_state.get("through_app"):
        # With a default page of its own, because /lab would otherwise be taken for the default page's and not be found.
        st.navigation([st.Page(through_app, default=True), *(f"pages/{one}.py" for one in PAGES)], position="hidden")
        st.session_state["through_app"] = True
        st.rerun()


class Turn:
    """Distinguishes a fragment's own reruns from the drawing of the whole page.

    While the page is being drawn nothing may redraw it, or a click on a button further down would be lost.
    """

    def __init__(self) -> None:
        self._first = True

    def own(self) -> bool:
        """Whether this is the fragment's own rerun; call it once per rerun."""
        first, self._first = self._first, False
        return not first


def still_there(draw: Callable[..., None]) -> Callable[..., None]:
    """A fragment whose subject may vanish at any moment: a run, a race, an upload or an answer.

    Another tab, another user or the command line may remove it between two reads. The whole page is then redrawn
    and says what is gone, but not over and over if the page does not notice.
    """

    @functools.wraps(draw)
    def drawn_or_not(*given: Any, **named: Any) -> None:
        try:
            draw(*given, **named)
        except UnknownKey as gone:
            if time.monotonic() - st.session_state.get("gone_at", -math.inf) > AGAIN_SECONDS:
                st.session_state["gone_at"] = time.monotonic()
                st.rerun(scope="app")
            st.warning(f"{gone} It may just have been removed.", icon=":material/search_off:")

    return drawn_or_not


def alone_while_live(draw: Callable[[Run], None], run: Run) -> None:
    """Draws the part of a page that follows a run; news of a live run redraws this part only.

    The whole page is redrawn when the run has ended, paused or been resumed, and when the address names another run.
    """

    def again(turn: Turn) -> None:
        now = the_lab().run(run.id)
        if turn.own() and (now.live != run.live or st.query_params.get("run") != run.id):
            st.rerun(scope="app")
        with _few_at_once:
            draw(now)

    if run.live or run.resumable:
        st.fragment(still_there(again))(Turn())
    else:
        still_there(draw)(run)


def title(catalog_of: dict[str, Any], key: str | None) -> str:
    """The title of a plug-in, or its key when it is no longer installed."""
    return getattr(catalog_of.get(key or ""), "title", key or "none")


def extent(dataset: Dataset) -> str:
    """How much is in a data set: ``1,797 pictures · 10 classes · 28×28 grey``."""
    words = [f"{dataset.count:,} {modalities.kind(dataset.modality).nouns}", f"{len(dataset.classes)} classes"]
    if dataset.modality == "image":
        height, width, channels = dataset.shape
        words.append(f"{height}×{width} {'colour' if channels == 3 else 'grey'}")
    return " · ".join(words)


def in_words(experiment: Experiment) -> str:
    """An experiment in a few words: ``Fine-tuning · optdigits from MNIST-5k · 1 label per class``."""
    labels = experiment.labels_per_class
    known = catalog.datasets()
    learned = title(known, experiment.target)
    strategy = catalog.strategies().get(experiment.strategy)
    if experiment.source and not (strategy and strategy.start == "random"):
        learned += f" from {title(known, experiment.source)}"
    amount = "all labels" if labels is None else f"{labels} label{'s' if labels != 1 else ''} per class"
    amount = "no target labels" if labels == 0 else amount
    return f"{title(catalog.strategies(), experiment.strategy)} · {learned} · {amount}"


def in_a_list(run: Run) -> str:
    """A run as a line in a list: its time, its experiment, its seed."""
    when = datetime.fromtimestamp(run.created).strftime("%H:%M")
    return f"{when} {in_words(run.experiment)} · seed {run.experiment.seed}"


def told_apart(keys: Iterable[Key], words: Callable[[Key], str]) -> dict[Key, str]:
    """A label for each key, followed by the key if several labels would be the same.

    Streamlit identifies a choice by its label: of two options with the same label, it would always take the last.
    """
    said = {key: words(key) for key in keys}
    often = Counter(said.values())
    return {key: one if often[one] == 1 else f"{one} ({key})" for key, one in said.items()}


def names(runs: Sequence[Run]) -> dict[str, str]:
    """A short, distinct name for each run: the settings that differ, else its id."""
    dumps = {run.id: run.experiment.model_dump() for run in runs}
    fields = [
        name
        for name in Experiment.model_fields
        if name != "strategy" and len({str(dump.get(name)) for dump in dumps.values()}) > 1
    ]
    named: dict[str, str] = {}
    for run in runs:
        parts = [title(catalog.strategies(), run.experiment.strategy)]
        parts += [f"{field.replace('_', ' ')} {_short(dumps[run.id].get(field))}" for field in fields]
        name = ", ".join(parts)
        named[run.id] = name if name not in named.values() else f"{name} ({run.id[-4:]})"
    return named


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items()) or "as usual"
    return "default" if value is None else str(value)
