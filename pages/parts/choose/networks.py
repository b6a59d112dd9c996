"""Choosing a backbone: cards with facts, sorting and filtering, and your own networks."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from pages.kinds import shows
from pages.parts.common.background_questions import answered
from pages.parts.common.form import choose
from transfer import catalog, modalities, settings
from transfer.backbones import Backbone, own_file, saved_model, uploaded
from transfer.backbones.described import Description, cuts, understood, usual_cut, usual_pixels
from transfer.backbones.pixels import PIXELS, offered
from transfer.errors import RequestError
from transfer.lab import speeds

Choice = tuple[str | None, str, Callable[[], object]]
ORDERS: dict[str, Callable[[Backbone, dict[str, float]], Any]] = {
    "No download first": lambda one, speed: 0,
    "Most accurate first": lambda one, speed: -(one.top1 or 0),
    "Smallest first": lambda one, speed: one.parameters,
    "Fastest first": lambda one, speed: -speed.get(one.key, 0.0),
}


def facts(network: Backbone) -> str:
    """Size, input, weights and download in one line."""
    own = network.pretrained
    weights = f"{own.source} weights{', always frozen' if network.fixed else ''}" if own else "not pretrained"
    download = f" · {own.download_mb:,.0f} MB to download" if own and own.download_mb else ""
    return f"{_count(network.parameters)} weights · {shows(network.modality).input(network)} · {weights}{download}"


def _count(number: int) -> str:
    return f"{number / 1e6:.1f} million" if number >= 1e6 else f"{number:,}"


def every(kind: str) -> list[Backbone]:
    """Those that read samples of that kind: your own files, networks that need no download, runs', then downloads."""
    found = [*catalog.own_backbones(), *catalog.backbones().values()]
    return sorted(
        (one for one in found if one.modality == kind),
        key=lambda one: (bool(one.pretrained and one.pretrained.download_mb), _of_run(one)),
    )


def _of_run(network: Backbone) -> bool:
    return network.key.startswith("run:")


def draw(network: Backbone) -> None:
    """A card's content."""
    unit = modalities.kind(network.modality).unit
    st.markdown(facts(network))
    _figures(network)
    st.caption(
        f"{network.summary} {network.reference}. {network.licence}.",
        help=f"Input: {network.preprocessing}, {network.smallest} {unit} or more. Stages: {', '.join(network.stages)}.",
    )


def _figures(network: Backbone) -> None:
    """ImageNet accuracy as published, speed as measured here."""
    accuracy = f"{network.top1:g} % ImageNet accuracy · " if network.top1 else ""
    speed = speeds.known().get(network.key)
    if speed is not None:
        st.markdown(f"{accuracy}{speed:,.0f} {modalities.kind(network.modality).nouns}/s on this machine")
        return
    asked = st.session_state.setdefault("measured", [])
    if network.key in asked:
        st.markdown(accuracy.removesuffix(" · "))
        answered(speeds.question(network.key), "measuring its speed")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{accuracy}{'speed' if accuracy else 'Speed'} not measured yet", width="content")
        st.button("Measure", key=f"measure:{network.key}", type="tertiary", icon=":material/speed:",
                  on_click=asked.append, args=(network.key,),
                  help="Builds the network in a separate process and times it for two seconds.")  # fmt: skip


def sorted_and_filtered(choices: list[Choice]) -> list[Choice]:
    """The choices, sorted and filtered."""
    order, accurate, small, fast = st.columns([3, 2, 2, 2])
    by = order.selectbox("Order", list(ORDERS), key="networks_order")
    least = accurate.number_input("Min. ImageNet accuracy (%)", 0.0, 100.0, None, 1.0, "%g", key="networks_accuracy",
                                  placeholder="any", help="Lowest published accuracy. Empty: any.")  # fmt: skip
    most = small.number_input("Max. weights (million)", 0.0, 1000.0, None, 1.0, "%g", key="networks_size",
                              placeholder="any", help="Largest number of weights. Empty: any.")  # fmt: skip
    quick = fast.number_input("Min. pictures/s", 0.0, 1e6, None, 10.0, "%g", key="networks_speed", placeholder="any",
                              help="Lowest speed measured on this machine. Empty: any.")  # fmt: skip
    known = speeds.known()
    if (by == "Fastest first" or quick is not None) and not known:
        st.caption(":material/info: No speed has been measured on this machine yet. Press Measure on a card.")
    kept = []
    for choice in choices:
        network = catalog.backbones()[str(choice[0])]
        if least is not None and (network.top1 or 0) < least:
            continue
        if most is not None and network.parameters > most * 1e6:
            continue
        if quick is not None and known.get(network.key, 0.0) < quick:
            continue
        kept.append((network, choice))
    kept.sort(key=lambda one: ORDERS[by](one[0], known))
    return [choice for _, choice in kept]


def own() -> None:
    """A network from elsewhere: a file, uploaded or given by its path, or a KerasHub preset."""
    with st.expander("Use your own network or a KerasHub preset", icon=":material/upload_file:"):
        st.caption("A complete Keras model (.keras, or an older .h5), or the path of a SavedModel folder, which stays "
                   "frozen. It is read in a separate process; files that contain code are refused.")  # fmt: skip
        given = st.file_uploader("File", type=["keras", "h5", "hdf5"], key="network_file",
                                 max_upload_size=settings.upload_megabytes(), label_visibility="collapsed")  # fmt: skip
        left, right = st.columns(2)
        path = left.text_input("or a path on this machine", key="network_path", max_chars=1000,
                               placeholder="/models/network.keras or a folder").strip()  # fmt: skip
        preset = right.text_input("or a KerasHub preset", key="network_preset", max_chars=100,
                                  placeholder="resnet_18_imagenet",
                                  help="For names, see keras.io/keras_hub/presets. Networks for pictures and, "
                                  "bert_tiny_en_uncased say, for texts.").strip()  # fmt: skip
        kind: Any = own_file
        try:
            with st.spinner("reading the network ..."):
                if given is not None:
                    place = _kept(given)
                    known = own_file.description(place)
                elif path:
                    place = Path(os.path.expanduser(path.removeprefix("saved:")))
                    kind = saved_model if place.is_dir() else own_file
                    known = kind.description(place)
                elif preset:
                    _offered(f"hub:{preset.removeprefix('hub:')}")
                    return
                else:
                    return
        except RequestError as problem:
            st.warning(str(problem), icon=":material/block:")
            return
        _cut(place, known, kind.key_of)


def _kept(given: Any) -> Path:
    """The path where the upload is stored; tells the user if it got another name."""
    file, path = st.session_state.get("network_kept", ("", ""))
    if file != given.file_id or not Path(path).exists():
        path = str(uploaded.keep(given.name, given.getvalue()))
        st.session_state["network_kept"] = given.file_id, path
    if Path(path).name != (named := uploaded.safe_name(given.name)):
        st.info(f"A different network named {named} already exists. Runs may depend on it, so yours is saved as "
                f"{Path(path).name}.", icon=":material/drive_file_rename_outline:")  # fmt: skip
    return Path(path)


def _cut(place: Path, known: Description, key_of: Callable[[Path, str, str], str]) -> None:
    """What was recognised; its layers, where to cut it, and its pixel range."""
    st.markdown("\n".join(f"- {sentence}" for sentence in understood(known)))
    places = cuts(known)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    cut = left.selectbox("Keep layers up to", places, places.index(usual_cut(known)), key=f"network_cut:{place}",
                         help="Layers above are removed; a new head goes on top of what is kept.")  # fmt: skip
    ranges = offered(known["channels"])
    pixels = right.selectbox("Pixel range it was trained on", ranges, ranges.index(usual_pixels(known)),
                             key=f"network_pixels:{place}", format_func=lambda one: PIXELS[one].words,
                             help="The values that reach the network's first layer. With the wrong range, "
                             "every picture is too dark or too bright for it.")  # fmt: skip
    names = [layer["name"] for layer in known["layers"]]
    rows = [
        {
            "kept": place_of <= names.index(cut),
            "layer": layer["name"],
            "kind": layer["kind"],
            "output": " × ".join("any" if size is None else str(size) for size in layer["shape"]),
            "weights": layer["weights"],
            "can be cut": layer["cut"],
        }
        for place_of, layer in enumerate(known["layers"])
    ]
    st.dataframe(
        rows, hide_index=True, height=260, key=f"network_layers:{place}", selection_mode="single-row",
        on_select=partial(_cut_at_row, place, [row["layer"] if row["can be cut"] else "" for row in rows]),
    )  # fmt: skip
    st.caption("Select a row to cut there.")
    usual = cut == usual_cut(known), pixels == usual_pixels(known)
    _offered(key_of(place, "" if usual[0] else cut, "" if usual[1] else pixels))


def _cut_at_row(place: Path, layers: list[str]) -> None:
    """Cuts the network at the selected row, if possible."""
    chosen_rows = st.session_state[f"network_layers:{place}"]["selection"]["rows"]
    if chosen_rows and layers[chosen_rows[0]]:
        st.session_state[f"network_cut:{place}"] = layers[chosen_rows[0]]


def _offered(key: str) -> None:
    """Facts about the network, and a button to use it."""
    network = catalog.backbone(key)
    st.caption(f"{facts(network)} · stages {', '.join(network.stages)}")
    st.button("Use this network", key="network_use", type="primary", on_click=_use, args=(key,))


def _use(key: str) -> None:
    choose(backbone=key, source=None, image_size=None)
    st.session_state.pop("gallery", None)
