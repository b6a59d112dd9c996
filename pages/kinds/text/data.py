"""What a data set of texts contains: classes, samples, lengths, telling words, duplicates."""

from __future__ import annotations

from html import escape

import streamlit as st

from pages.kinds.text.escaped import BOX, SMALL, html
from pages.parts.data.contents import CONFIG, contents
from transfer.datasets import Dataset
from transfer.insight.words import counted

A_PAGE = 12


def classes(dataset: Dataset, seed: int) -> None:
    """Balance, lengths, and for each class its telling words and samples."""
    from transfer.insight import data, texts

    answer = contents(dataset, seed)
    if answer is None or answer.found is None:
        return
    found = answer.found
    left, right = st.columns([7, 5], gap="medium")
    with left:
        words, matters = data.about_balance(found["counts"], found["classes"], "text")
        st.markdown(f"**Balance** · {':material/warning: ' if matters else ''}{words}")
        figure = data.balance(found["counts"], found["classes"], dataset.key, "texts")
        st.plotly_chart(figure, key="chart_balance", config=CONFIG, alt=words)
    with right:
        words = texts.about_lengths(found["lengths"], found["vocabulary"])
        st.markdown(f"**Lengths** · {words}")
        st.plotly_chart(texts.lengths(found["lengths"], dataset.key), key="chart_lengths", config=CONFIG, alt=words)
    st.markdown(
        "**Samples by class** · From the training split, with the words that mark each class.",
        help="Words that are over-represented in the class (log-odds with an informative prior, Monroe et al. 2008). "
        "A name or a date among them is a shortcut: the network can learn it instead of the subject.",
    )
    names, begin = found["classes"], 0
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
            if found["telling"][place]:
                st.caption("marked by " + ", ".join(found["telling"][place]))
            shown = "<br>".join(f"· {html(text)}" for text in found["samples"][place])
            if shown:
                st.html(f'<div style="{BOX}">{shown}</div>')


def duplicates(dataset: Dataset, seed: int) -> None:
    """Pairs of texts that are the same, or share nearly all of their words."""
    from transfer.insight import data

    answer = contents(dataset, seed)
    if answer is None or answer.found is None:
        return
    words, matters = data.about_pairs(answer.found["pair_counts"], "texts")
    (st.warning if matters else st.info)(words, icon=":material/content_copy:")
    st.caption(
        "Finds texts that are the same but for case and spaces, and, among up to 10,000 texts, those that share nearly "
        "all of their words. Pairs in different splits come first."
    )
    columns = st.columns(2, gap="medium")
    for number, pair in enumerate(answer.found["pairs"]):
        with columns[number % 2], st.container(border=True, gap="xsmall"):
            how = "the same" if pair["same"] else "nearly the same"
            parts = " and ".join(dict.fromkeys(pair["parts"]))
            labels = " / ".join(dict.fromkeys(pair["classes"]))
            st.markdown(f"{how} · {parts} · {escape(labels)}")
            both = "<br>".join(f"· {html(one)}" for one in pair["texts"])
            st.html(f'<div style="{SMALL}">{both}</div>')
    rest = answer.found["pair_counts"]["same"] + answer.found["pair_counts"]["near"] - len(answer.found["pairs"])
    if rest > 0:
        st.caption(f"{counted(rest, 'more pair', 'more pairs')}.")
