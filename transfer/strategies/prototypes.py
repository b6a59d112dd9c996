"""Prototypes: each class is the mean of its features, and a picture belongs to the nearest mean."""

from __future__ import annotations

import numpy as np

from transfer.strategies import Phase, Ready, Setting, Strategy


def nearest_mean(features: np.ndarray, labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Kernel (d, classes) and bias (classes,) of the head whose logits are minus the squared distances to class means.

    Up to a term that is the same for all classes: -|f - m|^2 = 2 f.m - |m|^2 - |f|^2. A class without any
    picture is never predicted.

    Args:
        features: shape (n, d).
        labels: class indices, shape (n,).
        classes: number of classes.
    """
    kernel = np.zeros((features.shape[1], classes), "float32")
    bias = np.full(classes, -1e9, "float32")
    for one in range(classes):
        mine = features[labels == one]
        if len(mine):
            mean = mine.mean(axis=0)
            kernel[:, one], bias[one] = 2 * mean, -float(mean @ mean)
    return kernel, bias


class Prototypes(Strategy):
    """Nothing is trained: a class is the mean of its features from the frozen backbone, and the nearest mean wins.

    A strong baseline with one to five labels per class. It misleads with many: a trained head can beat a mean,
    and a class of several kinds has no single mean.

    Reference:
        Snell et al. 2017, Prototypical networks for few-shot learning, eq. 1, 2 and 8; on a backbone that was not
        trained for it.
    """

    key = "prototypes"
    title = "Prototypes"
    sentence = "Each class is represented by the mean of its features from the frozen backbone; the nearest mean wins."
    formula = r"\hat y = \arg\min_c \lVert f(x) - \mu_c \rVert^2,\quad \mu_c = \tfrac{1}{n_c} \sum_{y_i = c} f(x_i)"
    frozen = "everything: the head is computed, not trained"
    reference = "[Snell et al. 2017](https://arxiv.org/abs/1703.05175)"
    family = "Whole networks"

    class Options(Strategy.Options):
        """Prototypes."""

    options: Prototypes.Options

    @property
    def keeps_head(self) -> bool:
        """No: the head is made of the target's class means, whatever the source's was."""
        return False

    def fit_head(self, ready: Ready) -> tuple[np.ndarray, np.ndarray]:
        """The means of the labelled pictures."""
        return nearest_mean(ready.features(ready.inputs), ready.labels, ready.classes)

    def phases(self, setting: Setting) -> list[Phase]:
        """One epoch in which nothing is trained."""
        return [Phase("compute the class means", 1, setting.learning_rate or 1e-3, head_rate=0.0)]
