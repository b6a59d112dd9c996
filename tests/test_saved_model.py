"""A SavedModel as a frozen backbone: read before it is loaded, refused in words, cut, and used by a run."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from tests.test_saved import plain_network
from transfer import Experiment, catalog, settings, train
from transfer.backbones import allowed_ops, saved_model
from transfer.engine.inspect import gradcam, rebuilt
from transfer.engine.network.network import Knowledge, Network, Plan
from transfer.errors import ImpossibleExperiment, RequestError
from transfer.export import keras_file

PICTURES = tf.TensorSpec((None, 8, 8, 3), tf.float32)


class Own(tf.Module):
    """A network without Keras: one convolution, and whatever is done to what it gives."""

    def __init__(self, then: Callable = lambda pixels, flowing: flowing, given: tuple = (PICTURES,)) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.random.stateless_normal((3, 3, 3, 4), (1, 2)))
        self.then = then
        self.serve = tf.function(self.call, input_signature=given)

    def call(self, *pixels):
        return self.then(pixels[0], tf.nn.relu(tf.nn.conv2d(pixels[0] / 255.0, self.kernel, 2, "SAME")))


def exported(folder: Path, *given, **named) -> Path:
    tf.saved_model.save(Own(*given, **named), str(folder))
    return folder


def features(stages: list[keras.Model], pixels: np.ndarray) -> np.ndarray:
    return np.asarray(functools.reduce(lambda flowing, stage: stage(flowing, training=False), stages, pixels))


def test_a_plain_scripts_export_gives_its_features_to_a_run(tmp_path: Path, home: Path) -> None:
    """The whole way, with the process that looks into the folder."""
    folder, original = tmp_path / "plain", plain_network()
    original.export(folder, verbose=False)
    backbone = catalog.backbone(f"saved:{folder}")
    below = keras.Model(original.inputs, original.get_layer("dense").output)
    assert (backbone.parameters, backbone.size, backbone.channels) == (below.count_params(), 20, 1)
    assert backbone.title.endswith("dense_1/Relu") and "0 to 255" in backbone.preprocessing, "below the classes"
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 20, 20, 1)).astype("float32")
    stages = backbone.build(20)
    assert tuple(stage.name for stage in stages) == backbone.stages
    np.testing.assert_allclose(features(stages, pixels), below(pixels), atol=1e-5)
    asked = Experiment(
        target="optdigits", backbone=backbone.key, strategy="feature_extraction", epochs=2, labels_per_class=2,
        batch_size=10, learning_rate=0.01,
    )  # fmt: skip
    used(asked, home)


def used(asked: Experiment, home: Path) -> None:
    """Runs it, and looks at what the pages show of a run."""
    folder = settings.run_folder("one")
    folder.mkdir(parents=True)
    result = train(asked, folder=folder)
    assert result.metrics["trainable_weights"] == 170 and result.metrics["test_accuracy"] > 0.1
    with pytest.raises(ImpossibleExperiment, match="weights cannot be trained.*feature_extraction"):
        catalog.check(asked.but(strategy="fine_tuning"))
    found = rebuilt.trained("one")
    maps = gradcam.stages(found)
    assert maps, "stages below the dense layer have a map"
    look = gradcam.looker(found, list(maps)[-1])(np.asarray(found.split.test.inputs[0]))
    assert look.heat.shape == list(maps.values())[-1]
    with pytest.raises(ImpossibleExperiment, match="keras file cannot hold it"):
        keras_file.write("one", home / "one.keras")
    with pytest.raises(RequestError, match="nothing that could be reused"):
        catalog.backbone("run:one")


@pytest.mark.parametrize("pooled", [False, True])
def test_a_module_of_tensorflow_is_averaged_and_cut(tmp_path: Path, at_once: None, pooled: bool) -> None:
    then = (lambda pixels, flowing: tf.reduce_mean(flowing, (1, 2))) if pooled else (lambda pixels, flowing: flowing)
    folder = exported(tmp_path / "own", then)
    backbone = catalog.backbone(f"saved:{folder}")
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 8, 8, 3)).astype("float32")
    wanted = Own().call(pixels).numpy().mean((1, 2))
    np.testing.assert_allclose(features(backbone.build(8), pixels), wanted, atol=1e-5)
    darker = catalog.backbone(f"saved:{folder}@pixels=0..1").build(8)
    np.testing.assert_allclose(features(darker, pixels), wanted / 255, atol=1e-5)
    cut = catalog.backbone(f"saved:{folder}@cut=Conv2D")
    assert cut.stages == ("stage1",) and cut.parameters == 108
    lower = Network(backbone, (8, 8, 3), 8, Knowledge("own", "own", own=True), Plan(("stage1",), ("stage1",)))
    assert lower.parameters == 108, "a part of it counts its own weights"
    with pytest.raises(RequestError, match="cannot be cut there.*Conv2D"):
        catalog.backbone(f"saved:{folder}@cut=nowhere")


def test_a_size_that_is_open_and_mixed_precision_work(tmp_path: Path, at_once: None) -> None:
    pixels = keras.Input((None, None, 1))
    below = layers.Conv2D(4, 3, padding="same", activation="relu")(pixels)
    joined = layers.Add()([layers.DepthwiseConv2D(3, padding="same")(below), below])
    model = keras.Model(pixels, layers.GlobalAveragePooling2D()(layers.Activation("silu")(joined)))
    model.export(tmp_path / "open", verbose=False)
    backbone = catalog.backbone(f"saved:{tmp_path / 'open'}@pixels=0..255")
    assert backbone.largest is None and backbone.parameters == model.count_params()
    some = np.random.default_rng(0).uniform(0, 255, (2, 40, 40, 1)).astype("float32")
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        found = features(backbone.build(40), some)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    np.testing.assert_allclose(found, model(some), rtol=1e-5, atol=1e-4)


def python(flowing: tf.Tensor) -> tf.Tensor:
    return tf.ensure_shape(tf.numpy_function(lambda one: one, [flowing], tf.float32), flowing.shape)


def programs(folder: Path) -> dict[str, Callable]:
    """What does more than mathematics, by the operation that is to be found."""
    note = str(folder / "note")

    def before(made: Callable[[], object]) -> Callable:
        def then(pixels: tf.Tensor, flowing: tf.Tensor) -> tf.Tensor:
            with tf.control_dependencies([made()]):
                return tf.identity(flowing)

        return then

    return {
        "WriteFile": before(lambda: tf.io.write_file(note, "I was here")),
        "ReadFile": before(lambda: tf.io.read_file(note)),
        "PrintV2": before(lambda: tf.print("hello")),
        "Assert": before(lambda: tf.debugging.Assert(False, ["no"])),
        "SaveV2": before(
            lambda: tf.raw_ops.SaveV2(prefix=note, tensor_names=["a"], shape_and_slices=[""], tensors=[1])
        ),
        "PyFunc": lambda pixels, flowing: python(flowing),
        "StatelessWhile": lambda pixels, flowing: tf.while_loop(
            lambda one: tf.reduce_sum(one) < 9, lambda one: (one + 1,), (flowing,)
        )[0],
    }


def test_a_program_is_never_loaded(tmp_path: Path, at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = {operation: exported(tmp_path / operation, then) for operation, then in programs(tmp_path).items()}
    loaded: list[str] = []
    monkeypatch.setattr(tf.saved_model, "load", loaded.append)
    for operation, folder in folders.items():
        for _ in range(2):  # the second time from what was kept
            with pytest.raises(RequestError, match=rf"more than mathematics.*not loaded.*: {operation}\b"):
                catalog.backbone(f"saved:{folder}")
    assert not loaded and not (tmp_path / "note").exists()


def test_a_function_that_saves_is_not_served_under_another_name(
    tmp_path: Path, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow finds any function of the library by its name, also one that is in no list of what can be called."""
    file = exported(tmp_path / "own") / saved_model.PROGRAM
    program = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    library = program.meta_graphs[0].graph_def.library.function
    saving = next(one.signature.name for one in library if any(node.op == "SaveV2" for node in one.node_def))
    for node in program.meta_graphs[0].object_graph_def.nodes:
        if node.bare_concrete_function.concrete_function_name:
            node.bare_concrete_function.concrete_function_name = saving
    file.write_bytes(program.SerializeToString())
    loaded: list[str] = []
    monkeypatch.setattr(tf.saved_model, "load", loaded.append)
    with pytest.raises(RequestError, match="more than mathematics.*not loaded"):
        catalog.backbone(f"saved:{tmp_path / 'own'}")
    assert not loaded


def test_files_and_tables_beside_the_weights_are_refused(tmp_path: Path, at_once: None) -> None:
    words = tmp_path / "words.txt"
    words.write_text("cat\ndog\n")
    whole = Own()
    whole.words = tf.saved_model.Asset(str(words))
    tf.saved_model.save(whole, str(tmp_path / "asset"))
    whole = Own()
    keys = tf.lookup.KeyValueTensorInitializer(["cat"], [1])
    whole.table = tf.lookup.StaticHashTable(keys, -1)
    tf.saved_model.save(whole, str(tmp_path / "table"))
    for kind, said in (("asset", "files of its own"), ("table", "do something on being loaded")):
        with pytest.raises(RequestError, match=said):
            catalog.backbone(f"saved:{tmp_path / kind}")


def bad_folders(folder: Path) -> dict[str, Path]:
    """Folders that hold no network for pictures, by what is said of them."""
    texts, fixed = tf.TensorSpec((None,), tf.string), tf.TensorSpec((4, 8, 8, 3), tf.float32)
    made = {
        "text": tf.Module(),
        "two": Own(given=(PICTURES, PICTURES)),
        "batch": Own(given=(fixed,)),
        "alone": Own(lambda pixels, flowing: tf.reduce_mean(pixels, (1, 2))),
        "torn": Own(),
        "weightless": Own(),
        "unserved": Own(),
    }
    made["text"].serve = tf.function(lambda one: tf.ones((tf.size(one), 3)), input_signature=(texts,))
    made["unserved"].other = tf.function(lambda one: one, input_signature=(PICTURES,))
    for name, module in made.items():
        tf.saved_model.save(module, str(folder / name))
    whole = (folder / "torn" / saved_model.PROGRAM).read_bytes()
    (folder / "torn" / saved_model.PROGRAM).write_bytes(whole[: len(whole) // 2])
    weights = folder / "weightless" / "variables" / "variables.data-00000-of-00001"
    weights.write_bytes(weights.read_bytes()[:50])
    (folder / "empty").mkdir()
    (folder / "first").mkdir()
    (folder / "first" / saved_model.PROGRAM).touch()
    return {name: folder / name for name in (*made, "empty", "first")}


def test_what_cannot_be_taken_is_refused_in_words(tmp_path: Path, at_once: None) -> None:
    words = {
        "text": "does not read pictures.*string",
        "two": "does not read pictures.*8, 8, 3.*8, 8, 3",
        "batch": "does not read pictures.*any number",
        "alone": "no weights",
        "torn": "damaged",
        "weightless": "damaged",
        "unserved": "no serving signature",
        "empty": "no SavedModel",
        "first": "not a SavedModel of TensorFlow 2",
    }
    for kind, folder in bad_folders(tmp_path).items():
        with pytest.raises(RequestError, match=words[kind]) as refused:
            catalog.backbone(f"saved:{folder}")
        assert kind in str(refused.value) and refused.value.remedy
    with pytest.raises(RequestError, match="saved:"):
        catalog.backbone(f"file:{tmp_path / 'torn'}")


def test_functions_without_end_are_refused_before_they_unfold() -> None:
    def program(calls: int, depth: int, around: bool) -> meta_graph_pb2.MetaGraphDef:
        made = meta_graph_pb2.MetaGraphDef()
        made.object_graph_def.concrete_functions["f0"].SetInParent()
        for level in range(depth):
            function = made.graph_def.library.function.add()
            function.signature.name = f"f{level}"
            above = level + 1 if level + 1 < depth else 0 if around else None
            for n in range(calls if above is not None else 0):
                node = function.node_def.add(name=f"n{n}", op="StatefulPartitionedCall")
                node.attr["f"].func.name = f"f{above}"
        return made

    allowed_ops.check_program(program(2, 8, around=False), "small")
    with pytest.raises(RequestError, match="unfolds into more than"):
        allowed_ops.check_program(program(10, 8, around=False), "large")
    with pytest.raises(RequestError, match="without end"):
        allowed_ops.check_program(program(1, 3, around=True), "endless")


def test_the_flat_graph_is_checked_again_where_it_is_used(tmp_path: Path, at_once: None) -> None:
    backbone = catalog.backbone(f"saved:{exported(tmp_path / 'own')}")
    file = saved_model.graph_file(tmp_path / "own")
    with tf.Graph().as_default() as graph:
        tf.io.write_file(str(tmp_path / "note"), "I was here")
    file.write_bytes(graph.as_graph_def().SerializeToString())
    with pytest.raises(RequestError, match="more than mathematics.*WriteFile"):
        backbone.build(8)
    assert not (tmp_path / "note").exists()


def test_only_what_leaves_it_as_it_is_goes_with_a_fixed_network(tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    (tmp_path / saved_model.PROGRAM).touch()
    layers_ = [{"name": name, "kind": "Conv2D", "shape": [8, 8, 4], "weights": 9, "cut": True} for name in "ab"]
    known = {"layers": layers_, "size": 28, "channels": 1, "classifier": None, "pixels": "0..255", "entry": "pixels"}
    saved_model._kept(tmp_path).write_text(json.dumps(known))
    saved_model.graph_file(tmp_path).touch()
    asked = Experiment(target="optdigits", backbone=f"saved:{tmp_path}", strategy="feature_extraction")
    possible = set()
    for key in (one.key for one in catalog.strategies().values() if "class names" not in one.needs):
        try:
            catalog.check(asked.but(strategy=key))
            possible.add(key)
        except ImpossibleExperiment as refused:
            needs_a_head = key == "unchanged" and "needs the source's head" in refused.wrong
            assert needs_a_head or ("fixed network" in refused.wrong and "feature_extraction" in refused.remedy)
    assert possible == {"feature_extraction", "prototypes"}
    catalog.check(asked.but(strategy="partial", options={"keep": "stage1", "above": "dropped"}))
    taught = {"strategy": "distillation", "backbone": "efficientnet_lite0", "options": {"teacher": asked.backbone}}
    for changes, words in (({"source": "mnist_5k"}, "trained on a source"), (taught, "as a teacher")):
        with pytest.raises(ImpossibleExperiment, match=words):
            catalog.check(asked.but(**changes))
