"""Parts of a page that are redrawn by themselves, and whose subject may vanish meanwhile."""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts.common.lab import the_lab
from transfer.errors import UnknownKey

if TYPE_CHECKING:
    from transfer.lab import Run

AGAIN_SECONDS = 5.0
# A class redraws its pages on the same event. One by one they are done as soon, and the streams keep flowing.
_few_at_once = threading.Semaphore(2)


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
