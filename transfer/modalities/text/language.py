"""What a language model is asked: to guess tokens that are hidden from it, or the one that comes next."""

from __future__ import annotations

import numpy as np

SHARE = 0.15
HIDDEN, REPLACED = 0.8, 0.1


def masked(tokens: np.ndarray, random: np.random.Generator, mask: int, words: int) -> tuple[np.ndarray, np.ndarray]:
    """Texts with some tokens hidden, and which tokens these were.

    Of the tokens that are asked, eight in ten are hidden behind the mask, one is replaced by any other and one is
    left as it is: the network can't tell which are asked, so it has to know every token from its neighbours.

    Args:
        tokens: int32, shape (n, size); the network's own marks have numbers up to ``mask`` and are never asked.
        random: consumed; equal generators give equal questions.
        mask: number of the token that hides another.
        words: how many tokens there are, marks included.

    Returns:
        What is fed, int32, shape (n, size), and what is asked, int32, shape (n, k, 2): places and their tokens. Of each
        text 15 % of the tokens are asked, rounded, and at least one; token 0 stands where a short text has no more.

    Reference:
        Devlin et al. 2019, BERT, section 3.1, task 1 and appendix A.1.
    """
    most = max(1, round(SHARE * tokens.shape[1]))
    real = tokens > mask
    wanted = np.maximum(1, np.round(SHARE * real.sum(axis=1, keepdims=True)))
    places = np.argsort(np.where(real, random.random(tokens.shape), 2.0), axis=1, kind="stable")[:, :most]
    asked = np.take_along_axis(np.where(real, tokens, 0), places, axis=1)
    asked = np.where(np.arange(most) < wanted, asked, 0)
    fate, other = random.random(asked.shape), random.integers(mask + 1, words, asked.shape)
    shown = np.where(fate < HIDDEN, mask, np.where(fate < HIDDEN + REPLACED, other, asked))
    fed = tokens.copy()
    before = np.take_along_axis(tokens, places, axis=1)
    np.put_along_axis(fed, places, np.where(asked > 0, shown, before).astype(tokens.dtype), axis=1)
    return fed, np.stack([places, asked], axis=-1).astype("int32")


def following(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texts as they are, and at each place the token that comes next; as `masked` returns them.

    Only for networks that never look ahead: any other would see the answer.

    Args:
        tokens: int32, shape (n, size).
    """
    places = np.broadcast_to(np.arange(tokens.shape[1] - 1), tokens[:, 1:].shape)
    return tokens, np.stack([places, tokens[:, 1:]], axis=-1).astype("int32")
