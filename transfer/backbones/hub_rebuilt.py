"""KerasHub's transformers rebuilt of Keras' own layers, stage by stage, with their weights.

Encoders (BERT, DistilBERT, RoBERTa, XLM-RoBERTa, ALBERT, ELECTRA) and decoders (GPT-2, OPT) differ in few things, which
their `facts` tell. Every strategy that works on dense layers, biases or normalisations so works on them as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer.backbones.described import Description
from transfer.errors import RequestError

if TYPE_CHECKING:
    import keras

KIND = "text"
SMALLEST = 8
ALIKE = 1e-3  # the greatest difference from the library's own output, whose numbers are about one


def facts(network: Any, preset: str) -> Description:
    """The description of the library's network, rebuilt and compared with it.

    Returns:
        What `build` needs: ``words`` and ``places`` (rows of the tables), widths, ``heads``, ``epsilon`` of the blocks'
        normalisations, ``below`` and ``above`` of the first and last one (None: there is none), ``activation``,
        ``before``, ``causal``; ``shared``, layers, groups and blocks a group of a network that uses its blocks
        several times; and ``stages``, with the number of ``weights`` of each.

    Raises:
        RequestError: it is not one that can be rebuilt.
    """
    from keras_hub.layers import TransformerEncoder

    given = getattr(network, "transformer_layers", None) or []
    shared = bool(given) and isinstance(given[0], list)
    blocks = [one for group in given for one in group] if shared else given
    try:
        first = blocks[0]
        words, places, norm = _word_table(network), _place_table(network), _norm(network)
        projection = _projection(network)
        top = getattr(network, "layer_norm", None)
        known: Description = {
            "kind": KIND,
            "words": words.shape[0],
            "embedded": words.shape[1],
            "places": places.shape[0],
            "width": first._feedforward_output_dense.units,
            "heads": first.num_heads,
            "inner": first.intermediate_dim,
            "epsilon": float(first.layer_norm_epsilon),
            "below": None if norm is None else float(norm.epsilon),
            "above": None if top is None else float(top.epsilon),
            "activation": _activation(first.activation),
            "before": bool(first.normalize_first),
            "causal": not isinstance(first, TransformerEncoder),
            "projected": projection is not None,
            "shared": [network.num_layers, len(given), len(given[0])] if shared else [],
            "blocks": len(blocks),
        }
        known["stages"] = ["embedding", *_names(known), "mean"]
        made = build(known, "", SMALLEST)
        copy(made, network, known)
        apart = _difference(made, network, known)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as problem:
        raise _unlike(preset, network, "other parts than these have") from problem
    if not apart <= ALIKE:
        raise _unlike(preset, network, f"an output that differs by {apart:.2g} once rebuilt")
    known["weights"] = [stage.count_params() for stage in made]
    return known


def _unlike(preset: str, network: Any, why: str) -> RequestError:
    size = f"{network.count_params() / 1e6:,.0f} million weights ({network.count_params() * 4 / 1e9:.1f} GB)"
    return RequestError(
        "The lab reads networks built of BERT's or GPT-2's blocks, and this one is not.",
        f"{preset}, a {type(network).__name__} of {size}, has {why}",
        "Choose an encoder (hub:bert_tiny_en_uncased, hub:distil_bert_base_en_uncased, hub:roberta_base_en) or "
        "hub:gpt2_base_en.",
    )


def _activation(given: Any) -> str:
    """The name of the activation, found by what it does."""
    from transfer.modalities.text import transformer

    asked = np.array([-1.7, -0.4, 0.3, 1.9], "float32")
    said = np.asarray(given(asked))
    for name in transformer.ACTIVATIONS:
        if np.abs(said - np.asarray(transformer._active(asked, name))).max() < 1e-5:
            return name
    raise ValueError("its activation is another")


def _names(known: Description) -> list[str]:
    """Names of its blocks; blocks that share their weights are one stage, for they cannot be trained apart."""
    return ["blocks"] if known["shared"] else [f"block{number + 1}" for number in range(known["blocks"])]


def build(known: Description, cut: str, size: int) -> list[keras.Model]:
    """Its stages with new weights. Without the preset's dropout: the lab's strategies say what they drop."""
    from transfer.modalities.text import transformer

    names = _names(known)
    names = names[: names.index(cut) + 1] if cut else names
    width = known["width"]
    stages = [
        transformer.embedding(
            size, known["words"], known["embedded"], known["places"], "embedding", epsilon=known["below"], first=1,
            projected=width if known["projected"] else 0,
        )
    ]  # fmt: skip

    def block(name: str) -> keras.Model:
        return transformer.block(
            size, width, known["heads"], known["inner"], name, epsilon=known["epsilon"],
            activation=known["activation"], before=known["before"], causal=known["causal"],
        )  # fmt: skip

    stages += [_repeated(block, known["shared"], size, width)] if known["shared"] else [block(name) for name in names]
    return [*stages, transformer.mean(size, width, "mean", None if cut else known["above"])]


def _repeated(block: Any, shared: Sequence[int], size: int, width: int) -> keras.Model:
    """ALBERT's blocks: those of each group one after another, again and again."""
    import keras

    layers, groups, inner = shared
    flowing = entry = keras.Input((size, width))
    for group in range(groups):
        several = [block(f"group{group + 1}_block{number + 1}") for number in range(inner)]
        for _ in range(layers // groups):
            for one in several:
                flowing = one(flowing)
    return keras.Model(entry, flowing, name="blocks")


def copy(stages: list[keras.Model], network: Any, known: Description) -> None:
    """The library's weights in our layers; of few stages those that are there."""
    below = stages[0]
    below.get_layer("embedding_words").set_weights([_word_table(network)])
    below.get_layer("embedding_places").set_weights([_place_table(network)])
    norm, projection = _norm(network), _projection(network)
    if norm is not None:
        below.get_layer("embedding_norm").set_weights(norm.get_weights())
    if projection is not None:
        below.get_layer("embedding_projected").set_weights(projection.get_weights())
    given = network.transformer_layers
    if known["shared"]:
        ours = [layer for layer in stages[1].layers if layer.name.startswith("group")]
        given = [one for group in given for one in group]
    else:
        ours = stages[1:-1]
    for stage, theirs in zip(ours, given, strict=False):
        for name, weights in _parts(theirs).items():
            stage.get_layer(f"{stage.name}_{name}").set_weights(weights)
    if "mean_norm" in {layer.name for layer in stages[-1].layers}:
        stages[-1].get_layer("mean_norm").set_weights(network.layer_norm.get_weights())


def _parts(theirs: Any) -> dict[str, list[np.ndarray]]:
    """Kernels and biases of one block by our names; the library's have an axis for the heads."""
    attention = theirs._self_attention_layer

    def flat(layer: Any, into: bool) -> list[np.ndarray]:
        kernel, bias = layer.get_weights()
        shape = (kernel.shape[0], -1) if into else (-1, kernel.shape[-1])
        return [kernel.reshape(shape), bias.reshape(-1)]

    return {
        "query": flat(attention._query_dense, into=True),
        "key": flat(attention._key_dense, into=True),
        "value": flat(attention._value_dense, into=True),
        "attended": flat(attention._output_dense, into=False),
        "attended_norm": theirs._self_attention_layer_norm.get_weights(),
        "wide": theirs._feedforward_intermediate_dense.get_weights(),
        "narrow": theirs._feedforward_output_dense.get_weights(),
        "norm": theirs._feedforward_layer_norm.get_weights(),
    }


def _word_table(network: Any) -> np.ndarray:
    """A vector for each word, shape (words, width)."""
    return np.asarray(network.token_embedding.get_weights()[0])


def _place_table(network: Any) -> np.ndarray:
    """A vector for each place, and in it that of the first segment: a text is never a pair here."""
    both = getattr(network, "embeddings", None)
    places = np.asarray((network if both is None else both).position_embedding.get_weights()[0])
    segments = getattr(network, "segment_embedding", None)
    return places if segments is None else places + segments.get_weights()[0][0]


def _norm(network: Any) -> Any:
    """The normalisation of its vectors of words; None if there is none."""
    return getattr(network, "embeddings_layer_norm", None)


def _projection(network: Any) -> Any:
    """The dense layer behind narrow vectors of words; None if there is none."""
    return getattr(network, "embeddings_projection", None)


def _difference(stages: list[keras.Model], network: Any, known: Description) -> float:
    """The greatest difference between the means over tokens, ours and the library's, for two texts of chance."""
    ids = np.random.default_rng(0).integers(0, known["words"], (2, SMALLEST)).astype("int32")
    mask = np.arange(SMALLEST) < np.array([[SMALLEST], [3]])
    flowing: Any = np.where(mask, ids + 1, 0).astype("int32")
    for stage in stages:
        flowing = stage(flowing)
    theirs = rows_of(network, np.where(mask, ids, 0), mask)
    expected = (theirs * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    return float(np.abs(np.asarray(flowing, "float32") - expected).max())


def rows_of(network: Any, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The library's own last vectors, shape (n, tokens, width), for its own tokens and their mask, (n, tokens)."""
    fed = {"token_ids": ids, "padding_mask": mask.astype("int32"), "segment_ids": np.zeros_like(ids)}
    said = network({one.name: fed[one.name] for one in network.inputs})
    return np.asarray(said["sequence_output"] if isinstance(said, dict) else said, "float32")
