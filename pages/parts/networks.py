"""Choosing a backbone: facts on a card, sorting and filtering by them, and networks of one's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts.asking import answered
from pages.parts.form import choose
from transfer import catalog, settings
from transfer.backbones import Backbone, saved, saved_model, uploaded
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
    colour = "colour" if network.channels == 3 else "grey"
    own = network.pretrained
    weights = f"{own.source} weights{', frozen for good' if network.fixed else ''}" if own else "not pretrained"
    download = f" · {own.download_mb:,.0f} MB to download" if own and own.download_mb else ""
    return f"{_count(network.parameters)} weights · {network.image_size} px {colour} · {weights}{download}"


def _count(number: int) -> str:
    return f"{number / 1e6:.1f} million" if number >= 1e6 else f"{number:,}"


def every() -> list[Backbone]:
    """One's own files, the catalog's that work at once, the newest runs', then those by download."""
    found = [*catalog.own_backbones(), *catalog.backbones().values()]
    return sorted(found, key=lambda one: (bool(one.pretrained and one.pretrained.download_mb), _of_run(one)))


def _of_run(network: Backbone) -> bool:
    return network.key.startswith("run:")


def draw(network: Backbone) -> None:
    """A card's inside."""
    st.markdown(facts(network))
    _figures(network)
    st.caption(
        f"{network.summary} {network.reference}. {network.licence}.",
        help=f"Fed {network.preprocessing}, at {network.smallest} pixels or more. Stages: {', '.join(network.stages)}.",
    )


def _figures(network: Backbone) -> None:
    """ImageNet accuracy as published, speed as measured here."""
    accuracy = f"{network.top1:g} % right on ImageNet · " if network.top1 else ""
    speed = speeds.known().get(network.key)
    if speed is not None:
        st.markdown(f"{accuracy}{speed:,.0f} pictures/s on this machine")
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
                  help="Builds it in a process of its own and times it for two seconds.")  # fmt: skip


def sorted_and_filtered(choices: list[Choice]) -> list[Choice]:
    """The choices in the order and within the limits that are asked for."""
    order, accurate, small, fast = st.columns([3, 2, 2, 2])
    by = order.selectbox("Order", list(ORDERS), key="networks_order")
    least = accurate.number_input("ImageNet from (%)", 0.0, 100.0, None, 1.0, "%g", key="networks_accuracy",
                                  placeholder="any", help="Only with at least this published accuracy.")  # fmt: skip
    most = small.number_input("Weights up to (million)", 0.0, 1000.0, None, 1.0, "%g", key="networks_size",
                              placeholder="any", help="Networks with at most so many weights.")  # fmt: skip
    quick = fast.number_input("Pictures/s from", 0.0, 1e6, None, 10.0, "%g", key="networks_speed", placeholder="any",
                              help="Of those whose speed was measured on this machine.")  # fmt: skip
    known = speeds.known()
    if (by == "Fastest first" or quick is not None) and not known:
        st.caption(":material/info: No speed was measured on this machine yet: press Measure on a card.")
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
    """A network from elsewhere: a file, uploaded or by its path, or a preset of KerasHub."""
    with st.expander("A network of your own, or of KerasHub", icon=":material/upload_file:"):
        st.caption("A network that Keras saved whole (.keras, or an older .h5), or by its path a SavedModel's folder, "
                   "which stays frozen. It is read in a process of its own; program code is refused.")  # fmt: skip
        given = st.file_uploader("File", type=["keras", "h5", "hdf5"], key="network_file",
                                 max_upload_size=settings.upload_megabytes(), label_visibility="collapsed")  # fmt: skip
        left, right = st.columns(2)
        path = left.text_input("or its path on this machine", key="network_path", max_chars=1000,
                               placeholder="/models/network.keras or a folder").strip()  # fmt: skip
        preset = right.text_input("or a preset of KerasHub", key="network_preset", max_chars=100,
                                  placeholder="resnet_18_imagenet",
                                  help="The names are listed at keras.io/keras_hub/presets; those of networks that "
                                  "read pictures alone can be used.").strip()  # fmt: skip
        kind: Any = saved
        try:
            with st.spinner("looking into it ..."):
                if given is not None:
                    place = _kept(given)
                    known = saved.description(place)
                elif path:
                    place = Path(os.path.expanduser(path.removeprefix("saved:")))
                    kind = saved_model if place.is_dir() else saved
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
    """Where the upload lies; says so when it could not have its name."""
    file, path = st.session_state.get("network_kept", ("", ""))
    if file != given.file_id or not Path(path).exists():
        path = str(uploaded.keep(given.name, given.getvalue()))
        st.session_state["network_kept"] = given.file_id, path
    if Path(path).name != (named := uploaded.safe_name(given.name)):
        st.info(f"Another network is called {named} here. It stays as it is, for runs may rest on it; yours is kept as "
                f"{Path(path).name}.", icon=":material/drive_file_rename_outline:")  # fmt: skip
    return Path(path)


def _cut(place: Path, known: Description, key_of: Callable[[Path, str, str], str]) -> None:
    """What was understood of it; its layers in a list, where it is cut, and what its pixels are."""
    st.markdown("\n".join(f"- {sentence}" for sentence in understood(known)))
    places = cuts(known)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    cut = left.selectbox("Keep it up to", places, places.index(usual_cut(known)), key=f"network_cut:{place}",
                         help="The layers above are left out; a new head sits on what is kept.")  # fmt: skip
    ranges = offered(known["channels"])
    pixels = right.selectbox("Pixels it was trained on", ranges, ranges.index(usual_pixels(known)),
                             key=f"network_pixels:{place}", format_func=lambda one: PIXELS[one].words,
                             help="As they reach the network's first layer. With the wrong range it sees "
                             "everything too dark or too bright.")  # fmt: skip
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
    st.caption("Tick a row to cut there.")
    usual = cut == usual_cut(known), pixels == usual_pixels(known)
    _offered(key_of(place, "" if usual[0] else cut, "" if usual[1] else pixels))


def _cut_at_row(place: Path, layers: list[str]) -> None:
    """The row that was chosen in the list becomes the cut, if it can be one."""
    chosen_rows = st.session_state[f"network_layers:{place}"]["selection"]["rows"]
    if chosen_rows and layers[chosen_rows[0]]:
        st.session_state[f"network_cut:{place}"] = layers[chosen_rows[0]]


def _offered(key: str) -> None:
    """What it is, and the way to use it."""
    network = catalog.backbone(key)
    st.caption(f"{facts(network)} · stages {', '.join(network.stages)}")
    st.button("Use this network", key="network_use", type="primary", on_click=_use, args=(key,))


def _use(key: str) -> None:
    choose(backbone=key, source=None, image_size=None)
    st.session_state.pop("gallery", None)
