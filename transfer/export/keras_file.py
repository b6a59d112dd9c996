"""A run's network as one ``.keras`` file, which loads in a plain Keras script without this project."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from transfer import settings
from transfer.errors import ImpossibleExperiment, RequestError
from transfer.export import decoding
from transfer.pictures import scales
from transfer.seen import carried
from transfer.seen.trained_on import of_run

if TYPE_CHECKING:
    import keras

    from transfer.engine.inspect.rebuilt import Rebuilt

CLASSES = "classes.json"


def write(run: str, output: Path) -> Path:
    """Writes the network a run came to: from raw pictures to the probability of each class.

    The file takes uint8 pictures of 0 to 255 in the size of the run's data set; enlarging, colour and the backbone's
    preprocessing are inside. It holds Keras' own layers and nothing that has to be trusted. The classes' names lie
    beside the network in the same file (``classes.json``), in the order of the probabilities, and so does
    ``pictures.py``, whose ``picture(path)`` decodes a file as the run's own pictures were decoded, and
    ``lessons.json``, by which a lab knows the pictures the network has seen (`transfer.seen.carried`).

    Args:
        run: id of a run that was tested.
        output: where to; its name ends in ``.keras``.

    Returns:
        The file that was written.

    Raises:
        RequestError: the name ends otherwise, or its folder is not there.
        ImpossibleExperiment: the run has left no weights, or its network is no Keras network.
    """
    if output.suffix != ".keras":
        raise RequestError("A Keras file's name ends in .keras.", repr(str(output)), "Give --output NAME.keras.")
    if not output.parent.is_dir():
        raise RequestError("The folder for the file is not there.", repr(str(output.parent)), "Make it first.")
    from transfer.engine.inspect.rebuilt import trained

    found = trained(run)
    if found.network.backbone.fixed:
        raise ImpossibleExperiment(
            "The run's backbone is a SavedModel: a .keras file cannot hold it.",
            f"run {run}, {found.network.backbone.key}",
            "Keep the SavedModel's folder: the run goes on from there. Or run it on the network as a .keras file.",
        )
    if not found.shape:
        raise ImpossibleExperiment(
            "A .keras file cannot hold the tokenizer that turns texts into what this network reads.",
            f"run {run}, {found.network.backbone.key}",
            f"Use the network inside the lab: as the backbone run:{run}, or on the page Try it.",
        )
    whole(found).save(output)
    with zipfile.ZipFile(output, "a") as file:
        file.writestr(CLASSES, json.dumps(list(found.classes)))
        file.writestr(decoding.FILE, decoding.source(found.shape, scales.kept(settings.run_folder(run))))
        file.writestr(carried.MEMBER, carried.packed(of_run(run)), zipfile.ZIP_DEFLATED)
    return output


def whole(found: Rebuilt) -> keras.Model:
    """The rebuilt network in Keras' own layers, with probabilities at its end."""
    import keras

    from transfer.engine.network.forward import forward
    from transfer.engine.network.plain import plain

    pictures = keras.Input(found.shape, dtype="uint8", name="pictures")
    stages = [(stage.name, plain(stage)) for stage in found.network.stages]
    passed = forward(found.network.entrance, stages, found.head, pictures)
    answers = keras.layers.Softmax(dtype="float32", name="probabilities")(passed.logits)
    return keras.Model(pictures, answers, name="transfer_lab")
