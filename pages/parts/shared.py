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

from transfer import catalog
from transfer.errors import UnknownKey
from transfer.experiment import Experiment

if TYPE_CHECKING:
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
# A class draws its pages at the same news. One after another they are as soon done, and the streams flow meanwhile.
_few_at_once = threading.Semaphore(2)
PAGES = ("lab", "data", "runs", "compare", "run", "try_it")


@st.cache_resource(show_spinner=False)
def the_lab() -> Lab:
    """The Lab of this process, the same for every page, tab and person."""
    # Here, for SQLAlchemy takes a quarter of a second to import: the page's first drawing does not wait for it.
    from transfer.lab import Lab

    return Lab()


def first_drawing_over() -> bool:
    """Whether this session has a page before it: what a person does not look for at once waits until then."""
    return bool(st.session_state.get("drawn"))


def drawn() -> None:
    """Says that it has."""
    st.session_state["drawn"] = True


def through_app() -> None:
    """Sees to it that a page is run by ``app.py``; the first line of every page.

    Because the folder is called pages, Streamlit runs a page by itself, without navigation and
    banner, as long as nobody has opened ``/`` since the server began: a tab that was left open
    over a restart. Declaring a navigation, whichever, ends that; the rerun then begins in app.py.
    """
    if not st.session_state.get("through_app"):
        # With a default page of its own, else /lab would be taken for the default's and not be found.
        st.navigation([st.Page(through_app, default=True), *(f"pages/{one}.py" for one in PAGES)], position="hidden")
        st.session_state["through_app"] = True
        st.rerun()


class Turn:
    """Tells a fragment's own turns from the drawing of the page that it is a part of.

    While the page is drawn nothing may draw it anew: a button pressed below would be lost.
    """

    def __init__(self) -> None:
        self._first = True

    def own(self) -> bool:
        """Whether this is a turn of the fragment's own; asked once a turn."""
        first, self._first = self._first, False
        return not first


def still_there(draw: Callable[..., None]) -> Callable[..., None]:
    """A fragment for which what it draws may vanish at any moment: a run, a race, an upload or an answer.

    Another tab, another person or the command line may remove it between two reads. The whole page is then drawn
    anew, which says what is gone; but not again and again, should the page not notice.
    """

    @functools.wraps(draw)
    def drawn_or_not(*given: Any, **named: Any) -> None:
        try:
            draw(*given, **named)
        except UnknownKey as gone:
            if time.monotonic() - st.session_state.get("gone_at", -math.inf) > AGAIN_SECONDS:
                st.session_state["gone_at"] = time.monotonic()
                st.rerun(scope="app")
            st.warning(f"{gone} It may have been removed meanwhile.", icon=":material/search_off:")

    return drawn_or_not


def alone_while_live(draw: Callable[[Run], None], run: Run) -> None:
    """Draws the part of a page that follows a run; what is new of a live one draws this part anew, and no other.

    The whole page is drawn anew when the run has ended, paused or been resumed, and when the address names another one.
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


def in_words(experiment: Experiment) -> str:
    """An experiment in a few words: ``Fine-tuning · optdigits from MNIST-5k · 1 label a class``."""
    labels = experiment.labels_per_class
    known = catalog.datasets()
    learned = title(known, experiment.target)
    strategy = catalog.strategies().get(experiment.strategy)
    if experiment.source and not (strategy and strategy.start == "random"):
        learned += f" from {title(known, experiment.source)}"
    amount = "all labels" if labels is None else f"{labels} label{'s' if labels != 1 else ''} a class"
    amount = "no target labels" if labels == 0 else amount
    return f"{title(catalog.strategies(), experiment.strategy)} · {learned} · {amount}"


def in_a_list(run: Run) -> str:
    """A run as a line to choose: when it began, what it is, its seed."""
    when = datetime.fromtimestamp(run.created).strftime("%H:%M")
    return f"{when} {in_words(run.experiment)} · seed {run.experiment.seed}"


def told_apart(keys: Iterable[Key], words: Callable[[Key], str]) -> dict[Key, str]:
    """Words for each key, with the key behind them where several would read the same.

    Streamlit knows what was chosen by the words it shows: of two options that read alike, both would be the last.
    """
    said = {key: words(key) for key in keys}
    often = Counter(said.values())
    return {key: one if often[one] == 1 else f"{one} ({key})" for key, one in said.items()}


def names(runs: Sequence[Run]) -> dict[str, str]:
    """A short name for each run that tells it from the others: what differs, else its id."""
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
