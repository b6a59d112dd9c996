"""Writes the tables of the README and of docs/ from the catalog and the benchmarks: ``python -m tools.readme_tables``.

A table stands between ``<!-- name -->`` and ``<!-- end -->``; `TABLES` says which page has which.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from transfer import catalog, modalities
from transfer.backbones import Backbone
from transfer.errors import ImpossibleExperiment
from transfer.experiment import Experiment

ROOT = Path(__file__).parent.parent
LABELS = 5
# A pair of data sets of texts with the same classes, and one that stands alone.
SOURCE, TARGET, ALONE = "language_messages", "language_names", "wordnet_topics"


def measured(name: str) -> dict[str, Any] | None:
    """The figures of that benchmark, or None before it has run."""
    path = ROOT / "benchmarks" / "results" / f"{name}.json"
    return json.loads(path.read_text())["figures"] if path.exists() else None


def strategies() -> str:
    """A row a strategy."""
    rows, family = [], ""
    for one in catalog.strategies().values():
        if one.family != family:
            family = one.family
            rows.append(f"| **{family}** | | | |")
        rows.append(f"| `{one.key}` | {one.sentence} | {one.frozen} | {one.reference} |")
    return "\n".join(["| strategy | what it does | frozen | paper |", "|---|---|---|---|", *rows])


def backbones() -> str:
    """A row a backbone that works offline; the downloads in one line."""
    rows, downloads = [], []
    installed = []
    for one in catalog.backbones().values():
        own = one.pretrained
        if own and own.download_mb:
            (downloads if one.modality == "image" else installed).append(f"`{one.key}`")
            continue
        weights = own.source if own else "a source data set"
        unit = "px" if one.modality == "image" else modalities.kind(one.modality).unit
        rows.append(f"| `{one.key}` | {one.parameters:,} | {weights} | {one.size} {unit} |")
    table = ["| backbone | weights | learned from | sees |", "|---|---|---|---|", *rows]
    fetched = f"By download, with ImageNet weights ({len(downloads)}): {', '.join(downloads)}."
    return (
        "\n".join(table) + f"\n\n{fetched} By one pip command, which its card shows, for texts: {', '.join(installed)}."
    )


def datasets() -> str:
    """A row a data set."""
    rows = []
    for one in catalog.datasets().values():
        size = f"download {one.download_mb:g} MB" if one.download_mb else "offline"
        shape = "texts"
        if one.modality == "image":
            height, width, channels = one.shape
            shape = f"{height} x {width}, {'grey' if channels == 1 else 'colour'}"
        rows.append(f"| `{one.key}` | {one.count:,} | {len(one.classes)} | {shape} | {size} | {one.licence} |")
    return "\n".join(["| data set | samples | classes | kind | from | licence |", "|---|---|---|---|---|---|", *rows])


def gains() -> str:
    """What `benchmarks.transfer` measured, or nothing before it has run."""
    found = measured("transfer")
    if found is None:
        return ""
    rows = [f"| {row['what']} | {row['mean']:.1%} | {row['low']:.1%} to {row['high']:.1%} |" for row in found["rows"]]
    return "\n".join(["| experiment | mean | worst to best seed |", "|---|---|---|", *rows])


def ways() -> str:
    """What `benchmarks.strategies` measured, a row a strategy, or nothing before it has run."""
    found = measured("strategies")
    if found is None:
        return ""
    cells: dict[str, list[str]] = {}
    for row in found["rows"]:
        cells.setdefault(row["strategy"], []).append(f"{100 * row['mean']:.1f} ± {100 * row['deviation']:.1f}")
    rows = [f"| `{strategy}` | {' | '.join(several)} |" for strategy, several in cells.items()]
    return "\n".join(["| strategy | 1 | 3 | 10 | all |", "|---|---|---|---|---|", *rows])


def adapted() -> str:
    """What `benchmarks.domains` measured, a row a strategy, or nothing before it has run."""
    found = measured("domains")
    if found is None:
        return ""
    whole = {row["strategy"]: row for row in found["rows"] if not row["few"]}
    few = {row["strategy"]: row for row in found["rows"] if row["few"]}
    floor, ceiling = 100 * whole["source_only"]["picked"]["start"], 100 * whole["target_oracle"]["mean"]
    rows = [f"| source's network, untouched | {floor:.1f} | | 0 % | |"]
    for key, row in whole.items():
        mean, spread = 100 * row["mean"], f"{100 * row['worst']:.1f} to {100 * row['best']:.1f}"
        without = f"{100 * few[key]['mean']:.1f}" if key in few else ""
        rows.append(f"| `{key}` | {mean:.1f} | {spread} | {(mean - floor) / (ceiling - floor):.0%} | {without} |")
    head = "| strategy | mean | worst to best seed | gap closed | target 0 to 4 only |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def pictures() -> str:
    """What `benchmarks.data` measured, in sentences, or nothing before it has run."""
    found = measured("data")
    if found is None:
        return ""
    speed, pipeline = found["pipeline"]["pictures_per_second"], found["pipeline"]
    rows = [row for row in found["memory"]["rows"] if row["strategy"] == "feature_extraction"]
    least, most = rows[0], rows[-1]
    return (
        f"Measured: {speed['decoded_once']:,.0f} pictures a second are decoded, {speed['augmented']:,.0f} read and "
        f"augmented, {speed['plain']:,.0f} read plain; EfficientNet-Lite0 at 224 pixels takes {speed['network']:,.0f}, "
        f"so the pipeline gives {pipeline['ratio_augmented']:.1f} times what it needs. A run on "
        f"{most['gigabytes']:.1f} GB held at most {most['peak_mb']:,.0f} MB, "
        f"one on {least['gigabytes']:.1f} GB {least['peak_mb']:,.0f} MB."
    )


def works() -> str:
    """A row a strategy: whether it takes an experiment on texts, without a source and with one, or why it does not."""
    every = [one for one in catalog.backbones().values() if one.modality == "text"]
    pretrained = [one for one in every if one.pretrained]
    rows = []
    for one in catalog.strategies().values():
        alone = said(one.key, pretrained, {"target": ALONE})
        rows.append(f"| `{one.key}` | {alone} | {said(one.key, every, {'target': TARGET, 'source': SOURCE})} |")
    return "\n".join(["| strategy | pretrained backbone, no source | with a source |", "|---|---|---|", *rows])


def said(strategy: str, networks: Iterable[Backbone], fields: dict[str, Any]) -> str:
    """What becomes of an experiment with each of these backbones; those of which the same is true stand together."""
    keys: dict[str, list[str]] = {}
    for one in networks:
        answer = asked(Experiment(strategy=strategy, backbone=one.key, **fields)).replace(one.title, "the backbone")
        keys.setdefault(answer, []).append(f"`{one.key}`")
    if len(keys) == 1:
        return next(iter(keys))
    return "; ".join(f"{', '.join(several)}: {answer}" for answer, several in sorted(keys.items(), reverse=True))


def asked(experiment: Experiment) -> str:
    """Whether the catalog takes the experiment without labels, with some, or not at all and why."""
    try:
        catalog.check(experiment.but(labels_per_class=0))
    except ImpossibleExperiment:
        try:
            catalog.check(experiment.but(labels_per_class=LABELS))
        except ImpossibleExperiment as refused:
            return refused.wrong.removesuffix(".")
        return "works"
    return "works, without labels too"


def texts() -> str:
    """What `benchmarks.text` measured, or nothing before it has run."""
    found, fast = measured("text"), measured("text_speed")
    if found is None or fast is None:
        return ""
    rows = []
    for row in found["rows"]:
        score = "balanced accuracy" if row["score"] == "balanced" else row["score"]
        words = f"{100 * row['words']:.1f}" if "words" in row else ""
        mean = f"{100 * row['mean']:.1f} ± {100 * row['deviation']:.1f}"
        rows.append(f"| {row['what']} | {score} | {mean} | {words} |")
    table = ["| experiment | score | mean ± deviation | bag of words |", "|---|---|---|---|", *rows]
    return "\n".join(table) + (
        f"\n\nA training step that fine-tunes MiniLM takes {fast['steps']['engine_over_bare']:.2f} times as long in "
        "the lab as in bare Keras. With MiniLM frozen, Keras' own fit takes "
        f"{fast['cached']['textbook_over_run']:.1f} times as long "
        "as the lab's whole run, which computes the features of each text once."
    )


def speed() -> str:
    """What `benchmarks.engine` and `benchmarks.embedding` measured, in sentences, or nothing before they have run."""
    engine, look = measured("engine"), measured("embedding")
    if engine is None or look is None:
        return ""
    features = engine["features"]
    return "\n".join(
        [
            f"- A run with all its points, validation and checkpoints takes {engine['events']['ratio']:.2f} times as "
            "long as a bare Keras `fit` of the same model on the same data (median).",
            f"- A head on a frozen ImageNet backbone: the lab is {features['times_faster_first']:.1f} times as fast as "
            "a `fit` that computes the features in every epoch, and "
            f"{features['times_faster_second']:.1f} times as fast once the features are cached.",
            "- Without target labels, the lab looks at both domains after every epoch. That takes "
            f"{look['share']:.1%} of the run.",
        ]
    )


def page() -> str:
    """What `benchmarks.page`, `answers` and `many` measured, a row a figure, or nothing before they have run."""
    feel, answers, many = measured("page"), measured("answers"), measured("many")
    if feel is None or answers is None or many is None:
        return ""

    def between(several: list[float]) -> str:
        low, high = f"{min(several):.1f}", f"{max(several):.1f}"
        return f"{low} s" if low == high else f"{low} to {high} s"

    figures = {
        "from starting the server until Start can be pressed": between(feel["usable_seconds"]),
        "from Start to the first point, with the standby process": between(feel["first_point_with_standby_seconds"]),
        "from Start to the first point, without it": between(feel["first_point_without_standby_seconds"]),
        "from the end of a batch until the chart shows it, median / 95 %": f"{feel['lag_seconds_median']:.2f} / "
        f"{feel['lag_seconds_95_percent']:.2f} s",
        "memory of Streamlit's process": f"{feel['streamlit_memory_mb']:.0f} MB",
        "*Try it*, first answer of one network / of four": f"{answers['one']['first_seconds']:.1f} / "
        f"{answers['four']['first_seconds']:.1f} s",
        "*Try it*, following answers, median": f"{answers['one']['following_seconds_median']:.2f} / "
        f"{answers['four']['following_seconds_median']:.2f} s",
        f"*Runs* with {many['runs']:,} runs, until the table is drawn": f"{many['table_seconds_median']:.2f} s",
        f"a run with {many['points_of_one']:,} points, until its chart is drawn": ""
        f"{many['chart_seconds_median']:.2f} s",
    }
    return "\n".join(
        ["| what | measured |", "|---|---|", *(f"| {what} | {value} |" for what, value in figures.items())]
    )


def trouble() -> str:
    """What `benchmarks.resilience` and `benchmarks.damaged` found, or nothing before they have run."""
    kills, damaged = measured("resilience"), measured("damaged")
    if kills is None or damaged is None:
        return ""
    return "\n".join(
        [
            f"- Runs were killed with `kill -9` at {kills['kills']} random moments and resumed: "
            f"{kills['acknowledged_points_lost']} recorded points were lost, {kills['epochs_twice_in_the_history']} "
            f"epochs appeared twice in a history, and "
            f"{kills['ended'].get('finished', 0)} of {kills['kills']} runs finished.",
            f"- Of {damaged['files']:,} damaged picture files, {len(damaged['crashed'])} crashed the decoder and "
            f"{len(damaged['escaped'])} escaped it with an unexpected error. The slowest took "
            f"{damaged['slowest_seconds']:.2f} s.",
            f"- {len(damaged['bombs'])} picture bombs, small files that ask for much: the slowest took "
            f"{max(one['seconds'] for one in damaged['bombs'].values()):.0f} s, and the largest took "
            f"{max(one['more_mb'] for one in damaged['bombs'].values()):,.0f} MB of memory.",
        ]
    )


TABLES: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"gains": gains},
    "docs/strategies.md": {"strategies": strategies, "ways": ways, "adapted": adapted},
    "docs/backbones.md": {"backbones": backbones},
    "docs/data.md": {"datasets": datasets},
    "docs/texts.md": {"works": works, "texts": texts},
    "docs/measurements.md": {"gains": gains, "pictures": pictures, "speed": speed, "page": page, "trouble": trouble},
}


def filled(text: str, path: str) -> str:
    """The page with every table written anew.

    Args:
        text: of the page.
        path: its path below the lab's folder.
    """
    for name, table in TABLES.get(path, {}).items():
        before, mark, rest = re.split(rf"(<!-- {name}\b.*?-->)", text, maxsplit=1)
        _, end, after = rest.partition("<!-- end -->")
        text = f"{before}{mark}\n\n{table()}\n\n{end}{after}"
    return text


if __name__ == "__main__":
    for path in TABLES:
        file = ROOT / path
        file.write_text(filled(file.read_text(), path))
