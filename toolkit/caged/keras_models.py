"""A Keras file as ONNX: ``convert`` traces what Keras computes; Keras itself is what it is held against.

The layers are Keras's own: a file that carries code of its author's was refused before it came here.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from .converted import Converted
from .graph import UnservedError

PARTS_MAX = 6
KERAS_3 = 3  # which reads only the plainer of older files; what came before lives on as tf_keras
HDF5 = b"\x89HDF"


def convert(path: str) -> Converted:
    """Return the network in a ``.keras`` or HDF5 file as ONNX; ``UnservedError`` says what in it has no such form."""
    import tensorflow as tf  # noqa: PLC0415 - only for its own files

    from . import tensorflow_models  # noqa: PLC0415 - as above

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = _opened(Path(path))
    if not getattr(model, "built", False) or not getattr(model, "inputs", None):
        message = "its network was never built: nothing says what goes in"
        raise UnservedError(message)
    inputs, outputs = _signature(model)
    for layer in model._flatten_layers():  # noqa: SLF001 - nested ones too
        plain = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", layer.name)  # TensorFlow's scopes take no other letters
        if plain != layer.name:
            setattr(layer, "_name" if hasattr(layer, "_name") else "name", plain)

    def answer(*values: Any) -> Dict[str, Any]:
        found = model(list(values) if len(values) > 1 else values[0], training=False)
        flat = tf.nest.flatten(found)
        return dict(zip(outputs, flat))

    specs = [tf.TensorSpec([None, *shape[1:]], dtype=dtype, name=name) for name, (shape, dtype) in inputs.items()]
    module = tf.Module()
    module.network = model  # which holds the weights of the function
    tf.config.run_functions_eagerly(True)  # noqa: FBT003 - a name of TensorFlow's; else Keras compiles groups by XLA
    try:
        function = tf.function(answer, input_signature=specs, autograph=False).get_concrete_function()
    finally:
        tf.config.run_functions_eagerly(False)  # noqa: FBT003 - as above
    content = tensorflow_models.onnx_of(tf, module, function)

    def ask(feeds: Dict[str, Any]) -> Dict[str, Any]:
        given = [tf.constant(feeds[name], dtype=dtype) for name, (_, dtype) in inputs.items()]
        return {name: np.asarray(value) for name, value in answer(*given).items()}

    return Converted(model=content, ask=ask, parts=_parts(model))


def _opened(path: Path) -> Any:
    """Return the network of a file, by the Keras of its age; Keras tells its two forms apart by a name's ending."""
    content = path.read_bytes()
    kind = ".h5" if content.startswith(HDF5) else ".keras"
    named = path.with_name(f"network{kind}")
    named.write_bytes(content)
    makers = ("tf_keras", "keras") if kind == ".h5" and _age(named) < KERAS_3 else ("keras", "tf_keras")
    reasons = []
    for maker in makers:
        try:
            library = import_module(maker)
        except ImportError:
            continue
        try:
            return library.models.load_model(str(named), compile=False, safe_mode=True)
        except Exception as error:  # noqa: BLE001 - whatever it stumbles over
            reasons.append(f"Keras {getattr(library, '__version__', '')} cannot read it: {_short(error)}")
    message = reasons[0] if reasons else "no Keras is here to read it"
    raise UnservedError(message)


def _age(path: Path) -> int:
    """Return the first number of the version that wrote an HDF5 file; files that do not say it are of the first."""
    import h5py  # noqa: PLC0415 - only for its own files

    with h5py.File(path, "r") as file:
        told = file.attrs.get("keras_version", b"1")
    number = re.match(r"\d+", told.decode("ascii", errors="replace") if isinstance(told, bytes) else str(told))
    return int(number[0]) if number else 1


def _signature(model: Any) -> Tuple[Dict[str, Tuple[List[Optional[int]], str]], List[str]]:
    """Return the name, shape and type of every input, and the name of every output; shapes begin with the rows."""
    inputs: Dict[str, Tuple[List[Optional[int]], str]] = {}
    for place, one in enumerate(model.inputs):
        own = str(getattr(one, "name", "") or "")
        name = _plain(own if own and not own.startswith("keras_tensor") else "input", taken=inputs, place=place)
        if one.dtype == "string":
            message = f"its input {name!r} takes texts, which layers of Keras read: serve what comes after them"
            raise UnservedError(message)
        inputs[name] = (list(one.shape), one.dtype)
    names = [str(name) for name in getattr(model, "output_names", ())] or ["output"]
    outputs: List[str] = []
    for place, _ in enumerate(model.outputs):
        outputs.append(_plain(names[place] if place < len(names) else "output", taken=[*inputs, *outputs], place=place))
    return inputs, outputs


def _plain(name: str, *, taken: Any, place: int) -> str:
    """Return a name that TensorFlow takes and that is not taken yet."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name).strip("_")
    plain = plain if plain[:1].isalpha() else f"input_{plain}".strip("_")
    return plain if plain not in taken else f"{plain}_{place + 1}"


def _parts(model: Any) -> List[str]:
    """Return the network's layers that weigh, in order, and how it is called at the end."""
    kinds = [type(layer).__name__ for layer in model.layers if layer.weights]
    shown = list(dict.fromkeys(kinds))[:PARTS_MAX]
    return [*shown, f"Keras {type(model).__name__}"]


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
