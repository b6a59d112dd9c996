"""A run's background: where its knowledge came from, its configuration, its hardware and software, its log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from pages.parts.common.lab import the_lab
from pages.parts.common.run_log import log_of
from pages.parts.common.titles import title
from pages.parts.depth import lineage
from transfer import catalog
from transfer.experiment import together
from transfer.insight.words import duration, percent
from transfer.lab import Run

# The meaning of an empty value.
UNSAID = {
    "source": "none", "labels_per_class": "all", "epochs": "20, or enough for 100 steps",
    "images": "no limit", "seconds": "no limit", "early_stopping": "off",
    "learning_rate": "the strategy's own", "image_size": "the backbone's own",
}  # fmt: skip


def background(run: Run) -> None:
    """Lineage, configuration, environment and log."""
    _lineage(run)
    lineage.graph(run)
    left, right = st.columns(2, gap="medium")
    with left:
        _table("Configuration", "The settings of this run; for empty ones, what they mean.", _configuration(run))
    with right:
        _table(
            "Environment",
            "What you need to repeat the run. On other hardware the last digits differ.",
            _environment(run),
        )
    _log(run)


def _lineage(run: Run) -> None:
    asked, strategy = run.experiment, catalog.strategies().get(run.experiment.strategy)
    backbone = catalog.backbones().get(asked.backbone)
    steps = []
    if strategy is not None and strategy.start == "random":
        steps.append("random weights")
    elif asked.source:
        learned = run.environment.get("source", {}).get("validation_accuracy")
        reached = f" (validation accuracy {percent(learned, 1)})" if learned is not None else ""
        steps.append(f"trained on {title(catalog.datasets(), asked.source)}{reached}")
    elif backbone is not None and backbone.pretrained is not None:
        steps.append(f"weights from {backbone.pretrained.source}")
    steps.append(title(catalog.strategies(), asked.strategy))
    steps.append(f"on {title(catalog.datasets(), asked.target)}")
    st.markdown(
        f"**Lineage** · {title(catalog.backbones(), asked.backbone)} \u2192 " + " \u2192 ".join(steps),
        help="Where the network's knowledge comes from. Runs with the same source also share its mistakes.",
    )


def _configuration(run: Run) -> dict[str, str]:
    fields = run.experiment.model_dump()
    options = fields.pop("options")
    fields |= fields.pop("intake")
    said = {name.replace("_", " "): _words(value, UNSAID.get(name, "none")) for name, value in fields.items()}
    return said | {f"option {name.replace('_', ' ')}": _words(value) for name, value in options.items()}


def _environment(run: Run) -> dict[str, Any]:
    env, metrics = run.environment, run.metrics
    found: dict[str, Any] = {"run": run.id, "submitted": _when(run.created), "took": duration(run.seconds)}
    if metrics.get("peak_memory_mb"):
        found["peak memory"] = f"{metrics['peak_memory_mb'] / 1024:.2f} GB"
    found |= {"device": run.device or env.get("device", ""), "seed": str(run.experiment.seed)}
    if metrics.get("weights"):
        found["weights"] = f"{metrics['weights']:,}, at most {metrics['trainable_weights']:,} trained"
    found |= {name: env[name] for name in ("machine", "system", "python", "backend") if env.get(name)}
    found |= env.get("versions", {})
    found |= {f"file of {name}": f"{digest[:16]} …" for name, digest in env.get("networks", {}).items()}
    found |= {f"data {name}": f"{digest[:16]} …" for name, digest in env.get("data", {}).items()}
    return {name: str(value) for name, value in found.items()}


def _log(run: Run) -> None:
    log = log_of(run.id)
    st.markdown("**Log** · The run's messages, in order.", help="Without the points of its curves: see Curves.")
    lines = [(event.time, text) for event in the_lab().events(run.id) if (text := _said(event.kind, event.body))]
    rows = [{"When": datetime.fromtimestamp(when), "What": text} for when, text in lines]
    if rows:
        st.dataframe(
            pd.DataFrame(rows), hide_index=True, width="stretch", height="auto" if len(rows) < 12 else 400,
            column_config={
                "When": st.column_config.DatetimeColumn(format="HH:mm:ss.SSS", width=110),
                "What": st.column_config.TextColumn(width=900),
            },
        )  # fmt: skip
    elif not log.notes:
        st.caption("No messages.")
    if run.error:
        st.code(run.error, language=None)


def _said(kind: str, body: dict[str, Any]) -> str:
    """An event in words; empty if it is shown elsewhere or only reports progress."""
    if kind == "Note":
        return str(body["text"])
    if kind == "PhaseBegan":
        return f"{body['domain']}: {body['name']}, {body['epochs']} epochs, {body['trainable']:,} trainable weights"
    if kind == "Resumed":
        return f"resumed from a checkpoint at {body['domain']} step {body['step']}"
    if kind == "Stage" and not body.get("done"):
        return str(body["text"])
    return ""


def _table(name: str, words: str, rows: dict[str, Any]) -> None:
    st.markdown(f"**{name}**", help=words)
    table = pd.DataFrame({"What": list(rows), "Value": [str(one) for one in rows.values()]})
    st.dataframe(
        table, hide_index=True, width="stretch", height="content",
        column_config={"What": st.column_config.TextColumn(width=110), "Value": st.column_config.TextColumn(width=330)},
    )  # fmt: skip


def _words(value: Any, unsaid: str = "none") -> str:
    if value is None:
        return unsaid
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return together(value) or "none"
    return str(value)


def _when(moment: float) -> str:
    return datetime.fromtimestamp(moment).strftime("%Y-%m-%d %H:%M:%S")
