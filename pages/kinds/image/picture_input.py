"""A picture from the user: drawn, uploaded, or taken with the camera."""

from __future__ import annotations

import numpy as np
import streamlit as st

from transfer.errors import RequestError
from transfer.pictures.given import Given, checked, flat

WAYS = {"draw": "Draw", "upload": "Upload", "camera": "Camera"}
SIDE = 240
PEN = {"digits": ("#FFFFFF", "#000000", 20), "free": ("#1D2730", "#FFFFFF", 8)}
ENDINGS = [
    "png", "jpg", "jpeg", "jfif", "jpe", "webp", "heic", "heif", "avif", "gif", "bmp", "tif", "tiff", "jp2", "pgm",
    "ppm",
]  # fmt: skip
MOST_MB = 20


def picture_input(digits: bool) -> Given | None:
    """The picture as given; None until there is one.

    Args:
        digits: whether the networks classify digits; the canvas is then dark, like their pictures.
    """
    way = st.segmented_control(
        "Picture", list(WAYS), default="draw", format_func=WAYS.__getitem__, key="way", required=True,
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    if way == "draw":
        return _drawn(digits)
    if way == "upload":
        file = st.file_uploader(
            "A picture", type=ENDINGS, key="uploaded", max_upload_size=MOST_MB, label_visibility="collapsed"
        )
    else:
        file = st.camera_input("A photograph", key="camera", label_visibility="collapsed")
    if file is None:
        return None
    try:
        return checked(file.getvalue())
    except RequestError as problem:
        st.error(str(problem), icon=":material/broken_image:")
        return None


def _drawn(digits: bool) -> np.ndarray | None:
    from streamlit_drawable_canvas import st_canvas

    st.space("xsmall")  # the canvas' tools lie above it
    ink, ground, width = PEN["digits" if digits else "free"]
    canvas = st_canvas(
        stroke_color=ink, background_color=ground, stroke_width=width, width=SIDE, height=SIDE,
        drawing_mode="freedraw", return_image_data=True, key=f"canvas_{'digits' if digits else 'free'}",
    )  # fmt: skip
    strokes = (canvas.json_data or {}).get("objects") or []
    if not strokes or canvas.image_data is None:
        st.caption("Draw with the mouse, a finger or a pen; the answer updates after each stroke.")
        return None
    return flat(np.asarray(canvas.image_data, "uint8"))
