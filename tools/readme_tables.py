"""Writes the README's tables from the catalog and the benchmarks: ``python -m tools.readme_tables``."""

from __future__ import annotations

import json
import re
from pathlib import Path

from transfer import catalog, modalities

ROOT = Path(__file__).parent.parent


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
    path = ROOT / "benchmarks" / "results" / "transfer.json"
    if not path.exists():
        return ""
    rows = [
        f"| {row['what']} | {row['mean']:.1%} | {row['low']:.1%} to {row['high']:.1%} |"
        for row in json.loads(path.read_text())["figures"]["rows"]
    ]
    return "\n".join(["| experiment | mean | worst to best seed |", "|---|---|---|", *rows])


def ways() -> str:
    """What `benchmarks.strategies` measured, a row a strategy, or nothing before it has run."""
    path = ROOT / "benchmarks" / "results" / "strategies.json"
    if not path.exists():
        return ""
    cells: dict[str, list[str]] = {}
    for row in json.loads(path.read_text())["figures"]["rows"]:
        cells.setdefault(row["strategy"], []).append(f"{100 * row['mean']:.1f} ± {100 * row['deviation']:.1f}")
    rows = [f"| `{strategy}` | {' | '.join(several)} |" for strategy, several in cells.items()]
    return "\n".join(["| strategy | 1 | 3 | 10 | all |", "|---|---|---|---|---|", *rows])


def adapted() -> str:
    """What `benchmarks.domains` measured, a row a strategy, or nothing before it has run."""
    path = ROOT / "benchmarks" / "results" / "domains.json"
    if not path.exists():
        return ""
    found = json.loads(path.read_text())["figures"]["rows"]
    whole = {row["strategy"]: row for row in found if not row["few"]}
    few = {row["strategy"]: row for row in found if row["few"]}
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
    path = ROOT / "benchmarks" / "results" / "data.json"
    if not path.exists():
        return ""
    found = json.loads(path.read_text())["figures"]
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


TABLES = {
    "pictures": pictures,
    "adapted": adapted,
    "gains": gains,
    "ways": ways,
    "strategies": strategies,
    "backbones": backbones,
    "datasets": datasets,
}


def filled(text: str) -> str:
    """The README with every table written anew."""
    for name, table in TABLES.items():
        before, mark, rest = re.split(rf"(<!-- {name}\b.*?-->)", text, maxsplit=1)
        _, end, after = rest.partition("<!-- end -->")
        text = f"{before}{mark}\n\n{table()}\n\n{end}{after}"
    return text


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(filled(readme.read_text()))
