"""Where a network looked in a picture of the test set, before and after training."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.parts.common.network_questions import OPENING, ask_network, samples
from transfer.insight.answers import Answers
from transfer.insight.words import percent
from transfer.lab import Run
from transfer.pictures import heat

SIDE = 240


def where(run: Run, answers: Answers) -> None:
    """Grad-CAM on any picture of the test set, at any stage, before and after training."""
    st.markdown(
        "**Where it looked** · Bright areas supported this answer.",
        help="Grad-CAM (Selvaraju et al. 2017): the sum of a stage's feature maps, each weighted by how much it raises "
        "the class's logit. It shows where, not what. Maps of high stages are coarse, those of low stages react to "
        "edges everywhere, and a plausible map does not make the answer right.",
    )
    opened = ask_network("ready", OPENING, run=run.id)
    if opened is None:
        return
    if not opened["maps"]:
        st.info("This network has no feature maps: it consists of dense layers only.", icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        place = int(
            st.number_input(
                "Picture of the test set", 0, len(answers.labels) - 1, key="picture", width=170,
                help="Its number in the test set. Clicking a picture under Confusion or Mistakes also leads here.",
            )
        )  # fmt: skip
        stages = list(opened["maps"])
        stage = st.selectbox(
            "Stage", stages, index=len(stages) - 1, key=f"stage:{run.id}", width=190,
            format_func=lambda one: f"{one} ({opened['maps'][one][0]} x {opened['maps'][one][1]})",
            help="Higher stages recognise classes but are coarse; lower ones see detail.",
        )  # fmt: skip
        names = ["its answer", *answers.classes]
        whose = st.selectbox("Evidence for", names, key=f"evidence:{run.id}", width=190)
    found = samples(run.id, [place])
    if found is None:
        return
    target = answers.classes.index(whose) if whose in answers.classes else int(answers.predicted[place])
    _pair(run, answers, place, found[0], stage, target)


def _pair(run: Run, answers: Answers, place: int, picture: np.ndarray, stage: str, target: int) -> None:
    about = {"run": run.id, "place": place, "stage": stage, "target": target}
    after = ask_network("look", OPENING, **about)
    if after is None:
        return  # the next question would fail for the same reason
    before = ask_network("look", "opening the network before training ...", start=True, **about)
    if before is None:
        return
    said, name = answers.predicted[place], answers.classes[target]
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=SIDE, gap="xxsmall"):
            st.image(heat.enlarged(picture, SIDE), width=SIDE, alt=f"picture {place}")
            st.caption(f"Picture {place}: **{answers.classes[answers.labels[place]]}**")
        with st.container(width=SIDE, gap="xxsmall"):
            st.image(heat.overlay(picture, before["heat"], SIDE), width=SIDE, alt="where it looked before training")
            if before["probabilities"] is None:
                st.caption(
                    "Before training: what its features respond to",
                    help="The head had not been trained yet, so the map explains the size of the features "
                    "instead of a class.",
                )
            else:
                st.caption(f"Before training: {_sure(before, name, target)}")
        with st.container(width=SIDE, gap="xxsmall"):
            st.image(heat.overlay(picture, after["heat"], SIDE), width=SIDE, alt="where it looked after training")
            st.caption(f"After training: {_sure(after, name, target)}")
    if target != said:
        st.caption(f"The network's answer is **{answers.classes[said]}**.")


def _sure(looked: Any, name: str, target: int) -> str:
    """How confident it is in the class, and whether the map is empty."""
    empty = "" if looked["heat"].any() else "; nothing at this stage supports it"
    return f"**{name}**, {percent(float(looked['probabilities'][target]))} sure{empty}"
