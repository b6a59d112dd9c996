"""What a data set of pictures contains: classes and samples, duplicates, the first batch."""

from __future__ import annotations

import streamlit as st

from pages.parts.common.background_questions import answered, picture
from pages.parts.common.form import chosen
from pages.parts.data.contents import CONFIG, backbone, contents
from transfer.datasets import Dataset
from transfer.errors import RequestError
from transfer.experiment import Experiment, together
from transfer.insight.words import counted
from transfer.lab.data_questions import Answer, Question

A_PAGE = 12


def classes(dataset: Dataset, seed: int) -> None:
    """Balance, sizes and samples of each class."""
    from transfer.insight import data

    answer = contents(dataset, seed)
    if answer is None or answer.found is None:
        return
    found = answer.found
    left, right = st.columns([7, 5], gap="medium")
    with left:
        words, matters = data.about_balance(found["counts"], found["classes"])
        st.markdown(f"**Balance** · {':material/warning: ' if matters else ''}{words}")
        figure = data.balance(found["counts"], found["classes"], dataset.key)
        st.plotly_chart(figure, key="chart_balance", config=CONFIG, alt=words)
    with right:
        words = data.about_sizes(found["sizes"], found["shape"])
        st.markdown(f"**Sizes** · {words}")
        if len({tuple(one) for one in found["sizes"]}) > 1:
            figure = data.sizes_figure(found["sizes"], dataset.key)
            st.plotly_chart(figure, key="chart_sizes", config=CONFIG, alt=words)
    _left_out(answer)
    st.markdown("**Samples by class** · From the training split.")
    _samples(answer)


def _left_out(answer: Answer) -> None:
    found = answer.found or {}
    if found.get("left_out"):
        files = counted(found["left_out_count"], "file was", "files were")
        with st.expander(f"{files} left out", icon=":material/report:"):
            rows = [{"File": name, "Why": why} for name, why in found["left_out"]]
            st.dataframe(rows, hide_index=True, width="stretch")


def _samples(answer: Answer) -> None:
    found = answer.found or {}
    names = found["classes"]
    begin = 0
    if len(names) > A_PAGE:
        starts = list(range(0, len(names), A_PAGE))
        begin = st.selectbox(
            "Classes", starts, format_func=lambda at: f"{names[at]} to {names[min(at + A_PAGE, len(names)) - 1]}"
        )
    columns = st.columns(2, gap="medium")
    for place in range(begin, min(begin + A_PAGE, len(names))):
        with columns[place % 2], st.container(gap="xsmall"):
            count = sum(part[place] for part in found["counts"].values())
            st.markdown(f"{names[place]} :gray[· {count:,}]")
            if count:
                picture(answer, f"class-{place}.png", f"Samples of the class {names[place]}")


def duplicates(dataset: Dataset, seed: int) -> None:
    """Pairs of pictures that are identical or nearly identical."""
    from transfer.insight import data

    answer = contents(dataset, seed)
    if answer is None or answer.found is None:
        return
    words, matters = data.about_pairs(answer.found["pair_counts"])
    (st.warning if matters else st.info)(words, icon=":material/content_copy:")
    st.caption(
        "Finds pictures that were re-saved, scaled or slightly brightened, but not cropped or rotated ones. "
        "Pairs in different splits come first."
    )
    columns = st.columns(3, gap="medium")
    for number, pair in enumerate(answer.found["pairs"]):
        with columns[number % 3], st.container(border=True, gap="xsmall"):
            picture(answer, f"pair-{number}.png", f"{pair['names'][0]} and {pair['names'][1]}")
            how = "identical" if pair["same"] else "nearly identical"
            parts = " and ".join(dict.fromkeys(pair["parts"]))
            labels = " / ".join(dict.fromkeys(pair["classes"]))
            st.markdown(f"{how} · {parts} · {labels}")
            st.caption(f"`{pair['names'][0]}` and `{pair['names'][1]}`")


def batch(dataset: Dataset, seed: int) -> None:
    """The first batch exactly as the network receives it."""
    fields = chosen()
    own = fields["target"] == dataset.key
    usual = fields["backbone"] if own or not dataset.kept else "efficientnet_lite0"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = backbone("Backbone", usual, key="batch_backbone", kind="image")
        augment = st.toggle("Augment", fields["augment"], key="batch_augment")
    size = fields["image_size"] if network == fields["backbone"] else None
    try:
        asked = Experiment().but(
            target=dataset.key, source=None, backbone=network, strategy="from_scratch", seed=seed, augment=augment,
            batch_size=fields["batch_size"] or 32, image_size=size,
            labels_per_class=(fields["labels_per_class"] or None) if own else None,
        )  # fmt: skip
    except RequestError as problem:
        st.warning(str(problem), icon=":material/block:")
        return
    question = Question("batch", (dataset.key,), {"experiment": asked.model_dump(mode="json")})
    answer = answered(question, "reading the first batch")
    if answer is None or answer.found is None:
        return
    found = answer.found
    count, height, width, channels = found["shape"]
    raw = found["raw"]
    st.markdown(
        f"**First batch** · {count} pictures of {height}×{width}×{channels}, resized from {raw[0]}×{raw[1]}×"
        f"{raw[2]} inside the network; pixels {found['low']:.0f} to {found['high']:.0f}, mean "
        f"{', '.join(f'{one:.0f}' for one in found['mean'])}."
    )
    shown = len(found["labels"])
    picture(answer, "batch.png", f"The first {shown} pictures of the batch")
    first = f"The first {shown} are shown. " if shown < count else ""
    st.caption(f"{first}Labels, row by row: {together(found['labels'])}")
