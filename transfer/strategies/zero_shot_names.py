"""Zero-shot by names: a text belongs to the class whose name it is most similar to. No label is used."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from transfer.strategies import Phase, Ready, Setting, Strategy

PROMPTS = "{}|a kind of {}|about {}"
SHARPNESS = 20.0


def by_names(names: np.ndarray, texts: np.ndarray, known: np.ndarray, centre: bool) -> tuple[np.ndarray, np.ndarray]:
    """Kernel (d, classes) and bias (classes,) of the head whose answer is the most similar name.

    The logits are the inner products of centred features with each name's direction, on a common scale: the answer is
    that of the cosine, while the probabilities are only as sharp as `SHARPNESS` makes them.

    Args:
        names: features of the classes' names, shape (classes, d).
        texts: features of texts without labels, shape (n, d); they say where the middle is, and how far texts lie.
        known: whether the class may be answered, bool, shape (classes,).
        centre: whether the middle of all texts and the middle of all names are taken away first.
    """
    middle = texts.mean(axis=0) if centre and len(texts) else np.zeros(names.shape[1], "float32")
    directions = names - names[known].mean(axis=0) if centre else names
    directions = directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)
    far = np.linalg.norm(texts - middle, axis=1).mean() if len(texts) else 1.0
    kernel = (SHARPNESS / max(float(far), 1e-9) * directions).T.astype("float32")
    return kernel, np.where(known, -middle @ kernel, -1e9).astype("float32")


class ZeroShotNames(Strategy):
    """The class names are put into a few phrases and read by the frozen backbone; the most similar name wins.

    No label of the target is used, so nothing can be fitted to it. It misleads where names are codes, or mean something
    else in the data set than in the texts the backbone was pretrained on: read the names as a stranger would.

    Reference:
        Chang et al. 2008, Importance of semantic representation: dataless classification; phrases averaged as in
        Radford et al. 2021, CLIP, section 3.1.4. The phrases are fixed beforehand: choosing among them needs labels.
        Deviation: features are centred, for those of pretrained encoders share a large common part.
    """

    key = "zero_shot_names"
    title = "Zero-shot by names"
    sentence = "No label is used: each text gets the class whose name the frozen backbone finds most similar to it."
    formula = r"\hat y = \arg\max_c \cos\bigl(f(x) - \bar f,\ f(\text{name}_c) - \bar f_{\text{names}}\bigr)"
    frozen = "everything: the head is computed from the class names"
    reference = "[Chang et al. 2008](https://aaai.org/papers/00830-importance-of-semantic-representation-dataless-classification/)"
    family = "Without target labels"
    needs = ("weights", "class names")
    unlabelled = True

    class Options(Strategy.Options):
        """Zero-shot by names."""

        prompts: str = Field(
            PROMPTS,
            max_length=400,
            pattern=r"\{\}",
            description="Phrases that the names are put into, with | between them; their features are averaged.",
        )
        centre: bool = Field(True, description="Take the mean of all texts from each text, and that of names likewise.")

    options: ZeroShotNames.Options

    @property
    def keeps_head(self) -> bool:
        """No: the head is made of the target's class names, whatever the source's was."""
        return False

    def fit_head(self, ready: Ready) -> tuple[np.ndarray, np.ndarray]:
        """The names' features."""
        assert ready.read is not None, "catalog.check lets only backbones for texts through"
        phrases = [one for one in self.options.prompts.split("|") if "{}" in one]
        names = [name.replace("_", " ") for name in ready.names]
        several = [ready.read([phrase.replace("{}", name) for name in names]) for phrase in phrases]
        unit = [one / np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-9) for one in several]
        known = np.array([bool(name) for name in names])
        return by_names(np.mean(unit, axis=0), ready.features(ready.unlabelled), known, self.options.centre)

    def phases(self, setting: Setting) -> list[Phase]:
        """One epoch in which nothing is trained."""
        return [Phase("read the class names", 1, setting.learning_rate or 1e-3, head_rate=0.0)]
