"""A SavedModel as ONNX: ``convert`` freezes one of its signatures; TensorFlow itself is what it is held against."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np

from .converted import Converted
from .graph import UnservedError

OPSET = 17
FIRST = "serving_default"
KERAS = "serve"  # its own name for the same function
MISSING_MAX = 5
FLOAT, INT32 = 1, 6  # kinds of ONNX
CONTROL = {"If", "Loop", "Scan"}


def convert(path: str) -> Converted:
    """Return the model in a folder as ONNX; ``UnservedError`` says what in it has no such form."""
    if not Path(path).is_dir():
        message = "it is the graph of a SavedModel without its variables: name the folder that it lies in"
        raise UnservedError(message)
    import tensorflow as tf  # noqa: PLC0415 - only for its own files

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    try:
        loaded = tf.saved_model.load(path)
    except ValueError as error:
        if "trackable" not in str(error) and "resource" not in str(error):
            raise
        message = f"TensorFlow cannot load it without the code that made it: {_short(error)}"
        raise UnservedError(message) from error
    signature, function = _signature(loaded)
    inputs = {name: spec for name, spec in function.structured_input_signature[1].items() if spec.dtype != tf.resource}
    if not inputs:
        message = f"its signature {signature!r} takes nothing"
        raise UnservedError(message)
    model = onnx_of(tf, loaded, function)

    def ask(feeds: Dict[str, Any]) -> Dict[str, Any]:
        found = function(**{name: tf.constant(feeds[name], dtype=spec.dtype) for name, spec in inputs.items()})
        return {name: value.numpy() for name, value in found.items()}

    others = sorted(name for name in loaded.signatures if name not in {signature, KERAS} and not name.startswith("__"))
    findings = [f"its signature {signature} is served, and not {', '.join(others[:5])}"] if others else []
    return Converted(
        model=model,
        ask=ask,
        parts=[f"TensorFlow graph ({signature})"],
        classes=_labels(Path(path), function),
        findings=findings,
    )


def _signature(loaded: Any) -> Tuple[str, Any]:
    names = sorted(name for name in loaded.signatures if not name.startswith("__"))
    if not names:
        message = "it has no signature: nothing says what goes in and what comes out"
        raise UnservedError(message)
    name = FIRST if FIRST in names else names[0]
    return name, loaded.signatures[name]


def onnx_of(tf: Any, loaded: Any, function: Any) -> bytes:
    """Return a signature's function as ONNX, its inputs and outputs by the signature's names."""
    from tf2onnx import convert as writer  # noqa: PLC0415 - only for such files
    from tf2onnx import tf_loader  # noqa: PLC0415 - as above

    captured = {tensor.name for tensor in function.graph.internal_captures}
    inputs = [one.name for one in function.inputs if one.dtype != tf.resource and one.name not in captured]
    specs = [one.name for one in tf.nest.flatten(function.structured_input_signature) if hasattr(one, "shape")]
    outputs = [one.name for one in function.outputs if one.dtype != tf.resource]
    names = {**dict(zip(inputs, specs)), **dict(zip(outputs, sorted(function.structured_outputs)))}
    try:
        with tf.device("/cpu:0"):
            frozen, tables = tf_loader.from_trackable(loaded, function, inputs, outputs, False)  # noqa: FBT003 - its own order
            model, _ = writer._convert_common(  # noqa: SLF001 - the one door to a graph that is loaded
                frozen,
                name="saved_model",
                opset=OPSET,
                tensors_to_rename=names,
                initialized_tables=tables,
                input_names=inputs,
                output_names=outputs,
                custom_op_handlers={op: (handler, []) for op, handler in HANDLERS.items()},
            )
    except ValueError as error:
        message = f"its graph has no form in ONNX: {_short(error)}"
        raise UnservedError(message) from error
    missing = sorted(set(_missing(model.graph)))
    if missing:
        more = f" and {len(missing) - MISSING_MAX} more" if len(missing) > MISSING_MAX else ""
        message = f"its operators {', '.join(missing[:MISSING_MAX])}{more} have no served form"
        raise UnservedError(message)
    return bytes(model.SerializeToString())


def _missing(graph: Any) -> List[str]:
    """Return the operators of a graph, and of those inside it, that are TensorFlow's still."""
    from onnx import defs  # noqa: PLC0415 - loaded by now

    found = []
    for node in graph.node:
        if node.domain in {"", "ai.onnx"} and not defs.has(node.op_type):
            found.append(node.op_type)
        if node.op_type in CONTROL:
            found += [name for one in node.attribute if one.HasField("g") for name in _missing(one.g)]
    return found


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:160]


def _labels(folder: Path, function: Any) -> Any:
    """Return the labels among the model's own files, where there is one for each value of its one output."""
    shapes = [value.shape for value in function.structured_outputs.values()]
    if len(shapes) != 1 or shapes[0].rank != 2 or not shapes[0][1]:  # noqa: PLR2004 - rows and classes
        return None
    for path in sorted((folder / "assets").glob("*label*.txt"))[:3]:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LABELS_BYTES_MAX:
            continue
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        labels = [line.strip() for line in lines if line.strip()]
        if len(labels) == shapes[0][1] and len(set(labels)) == len(labels):
            return labels
    return None


def _of_one(op: str, sign: float, constant: float, *, before: bool) -> Any:
    """Return a handler: ``op`` of ``constant + sign * x`` (``before``), or ``constant + sign * op(x)``."""

    def handler(graph: Any, node: Any, name: str, _: Any) -> None:
        from tf2onnx import utils  # noqa: PLC0415 - loaded by now

        kind = graph.get_dtype(node.output[0])
        shape = graph.get_shape(node.output[0])
        dtype = utils.map_onnx_to_numpy_type(kind)
        number = graph.make_const(f"{name}_number", np.array(constant, dtype)).output[0]
        graph.remove_node(name)
        facts = {"dtypes": [kind], "shapes": [shape]}
        if before:
            inner = graph.make_node("Add", [node.input[0], number], **facts).output[0]
            graph.make_node(op, [inner], name=name, outputs=node.output, **facts)
            return
        inner = graph.make_node(op, [node.input[0]], **facts).output[0]
        pair = [number, inner] if sign < 0 else [inner, number]
        graph.make_node("Sub" if sign < 0 else "Add", pair, name=name, outputs=node.output, **facts)

    return handler


def _bucketize(graph: Any, node: Any, name: str, _: Any) -> None:
    """Count the boundaries that a number reaches."""
    boundaries = np.asarray(node.get_attr_value("boundaries"), np.float32)
    shape = graph.get_shape(node.output[0])
    graph.remove_node(name)
    last = graph.make_const(f"{name}_last", np.array([-1], np.int64)).output[0]
    cuts = graph.make_const(f"{name}_cuts", boundaries).output[0]
    number = graph.make_node("Cast", [node.input[0]], attr={"to": FLOAT}).output[0]
    wide = graph.make_node("Unsqueeze", [number, last]).output[0]
    reached = graph.make_node("GreaterOrEqual", [wide, cuts]).output[0]
    counted = graph.make_node("Cast", [reached], attr={"to": INT32}).output[0]
    facts = {"shapes": [shape], "dtypes": [INT32], "name": name, "outputs": node.output}
    graph.make_node("ReduceSum", [counted, last], attr={"keepdims": 0}, **facts)


HANDLERS = {
    "Bucketize": _bucketize,
    "Log1p": _of_one("Log", 1.0, 1.0, before=True),
    "Erfc": _of_one("Erf", -1.0, 1.0, before=False),
    "Expm1": _of_one("Exp", 1.0, -1.0, before=False),
}
LABELS_BYTES_MAX = 4 << 20
