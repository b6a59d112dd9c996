"""A run's lineage as a graph: the weights and data it used, the strategies, and the runs built on it."""

from __future__ import annotations

import json

import streamlit as st

from pages.parts.common.lab import the_lab
from pages.parts.common.titles import title
from transfer import catalog
from transfer.experiment import Experiment
from transfer.insight.words import counted, percent
from transfer.lab import Run, lineage

NODE = 'fontname="sans-serif" fontsize="11" style="filled,rounded" shape="box" color="#2F6690"'


def graph(run: Run) -> None:
    """Draws the graph if the run is linked to other runs."""
    lab = the_lab()
    later = lab.descendants(run.id)
    bonds = dict.fromkeys([*lineage.ancestors(run), *(bond for one in later for bond in lineage.ancestors(one))])
    if not bonds:
        return
    known = {one.id: one for one in (run, *later)}
    names = dict.fromkeys(name for bond in bonds for name in (bond.parent, bond.child))
    lines = ["digraph { rankdir=LR; bgcolor=transparent;", f"node [{NODE} fillcolor=white];"]
    lines += ['edge [fontname="sans-serif" fontsize="10" color="#7a8794" fontcolor="#7a8794"];']
    for name in names:
        found = known.get(name) or lab.store.run(name)
        asked = found.experiment if found else lineage.experiment_of(name)
        lines += _node(name, asked, found, shown=name == run.id)
        if asked is not None and not asked.backbone.startswith(lineage.MARK):
            lines += _origin(name, asked)
    lines += [f'"{bond.parent}" -> "{bond.child}" [label="{bond.what}"];' for bond in bonds]
    st.graphviz_chart("\n".join([*lines, "}"]), width="stretch")
    st.caption(_sentence(run, later))


def _node(name: str, asked: Experiment | None, found: Run | None, shown: bool) -> list[str]:
    """A run: its strategy, its target, its test accuracy."""
    words = [name]
    if asked is not None:
        words += [title(catalog.strategies(), asked.strategy), f"on {title(catalog.datasets(), asked.target)}"]
    accuracy = found.metrics.get("test_accuracy") if found else None
    words.append("discarded" if found is None else percent(accuracy, 1) if accuracy is not None else found.state)
    look = 'fillcolor="#2F6690" fontcolor=white' if shown else 'style="rounded,dashed"' if found is None else ""
    return [f'"{name}" [label={_quoted(words)} {look}];']


def _origin(name: str, asked: Experiment) -> list[str]:
    """What a run started from if not from another run: pretrained weights, a source, or random weights."""
    strategy, backbone = catalog.strategies().get(asked.strategy), catalog.backbones().get(asked.backbone)
    words = [title(catalog.backbones(), asked.backbone)]
    if strategy is not None and strategy.start == "random":
        words.append("random weights")
    elif asked.source:
        words.append(f"trained on {title(catalog.datasets(), asked.source)}")
    elif backbone is not None and backbone.pretrained is not None:
        words.append(f"{backbone.pretrained.source} weights")
    return [f'"of {name}" [label={_quoted(words)} shape=ellipse style=filled];', f'"of {name}" -> "{name}";']


def _quoted(words: list[str]) -> str:
    return json.dumps("\n".join(words), ensure_ascii=False)


def _sentence(run: Run, later: list[Run]) -> str:
    """The graph in words, also for screen readers."""
    earlier = [bond.parent for bond in lineage.ancestors(run)]
    came = f"Built on {', '.join(earlier)}." if earlier else "Not built on another run."
    runs = counted(len(later), "run was", "runs were")
    went = f"{runs} built on it: {', '.join(one.id for one in later)}." if later else "No run was built on it."
    return f"{came} {went} A discarded run's files are kept as long as a run that was built on it exists."
