"""A text with the words that carried an answer marked."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from pages.kinds.text.escaped import BOX, visible

# Paul Tol's blue and red, which also differ in brightness; underlined where a word speaks against the class.
FOR, AGAINST = "68,119,170", "238,102,119"
FAINTEST = 0.02


def marked(words: Sequence[str], falls: np.ndarray, way: str = "occlusion") -> str:
    """HTML: the stronger a word's colour, the more the class's probability falls without it.

    Args:
        words: of a text, in order.
        falls: of the class's probability without each word, -1 to 1; or what another way found of each.
        way: ``occlusion``, ``gradient`` (what a word adds to the logit) or ``attention`` (its share, 0 to 1).
    """
    most = max(float(np.abs(falls).max(initial=0.0)), FAINTEST)
    spans = []
    for word, fall in zip(words, falls.tolist(), strict=True):
        strength = 0.75 * abs(fall) / most if abs(fall) >= FAINTEST * most else 0.0
        colour = f"background:rgba({FOR if fall > 0 else AGAINST},{strength:.2f})"
        against = strength > 0 and fall < (-FAINTEST if way == "occlusion" else 0)
        line = ";text-decoration:underline dotted" if against else ""
        said = {
            "occlusion": f"without it: {100 * -fall:+.1f} points",
            "gradient": f"adds {fall:+.2f} to the logit",
            "attention": f"{100 * fall:.1f} % of the attention",
        }[way]
        spans.append(
            f'<span title="{said}" style="border-radius:.2rem;padding:0 .15rem;{colour}{line}">'
            f"{escape(visible(word))}</span>"
        )
    return f'<div style="{BOX};line-height:1.8"><bdi>{" ".join(spans) or "no words"}</bdi></div>'


def strongest(words: Sequence[str], falls: np.ndarray, name: str, way: str = "occlusion") -> str:
    """A sentence: the word that matters most, by a way as in `marked`."""
    if way != "occlusion":
        return _strongest(words, falls, name, way)
    if not len(words) or float(np.abs(falls).max()) < 0.005:
        return f"No single word matters to **{name}**: without any of them its probability stays nearly the same."
    place = int(np.abs(falls).argmax())
    verb = "falls" if falls[place] > 0 else "rises"
    word = _quoted(words[place])
    return f"Without “{word}” the probability of **{name}** {verb} by {100 * abs(float(falls[place])):.1f} points."


def _strongest(words: Sequence[str], values: np.ndarray, name: str, way: str) -> str:
    if not len(words) or not np.abs(values).max():
        return "No word stands out."
    place = int(np.abs(values).argmax())
    word, value = _quoted(words[place]), float(values[place])
    if way == "attention":
        return f"“{word}” gets the largest share of the attention, {100 * value:.0f}\u00a0%."
    return f"“{word}” moves the logit of **{name}** most, by {value:+.2f}."


def _quoted(word: str) -> str:
    """The word between quotation marks: without its own, which would stand beside them."""
    bare = visible(word).strip("\"'“”‘’") or visible(word)
    return bare.replace("*", "\\*").replace("`", "'")
