"""An ONNX model of a table becomes one graph from the served features to the answer; its own nodes stay as they are."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from . import drawing
from .converted import Converted
from .graph import UNSEEN, Slot, UnservedError

PLAIN = {1: np.float32, 5: np.int16, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float16, 11: np.float64}
STRING = 8
DOUBLE = 11
COLUMNS_MAX = 5000
TABLE_RANK, ROWS_RANK = 2, 1
TWO = 2
SUM_TOLERANCE = 1e-3  # float32 probabilities sum to 1 so far
MOVING = {"Identity", "Reshape", "Concat", "StringNormalizer", "Cast", "Gather", "ArrayFeatureExtractor", "Squeeze"}
CATEGORY_ATTRIBUTES = ("cats_strings", "keys_strings", "classes_strings")


class Network:
    """An ONNX model, asked by ONNX Runtime or, where it was converted, by the framework that it comes from."""

    def __init__(self, path: str, converted: Optional[Converted] = None) -> None:
        import onnx  # noqa: PLC0415 - only for its own files
        import onnxruntime  # noqa: PLC0415 - as above

        self.converted = converted
        self.model = onnx.load(path) if converted is None else onnx.load_from_string(converted.model)
        onnx.checker.check_model(self.model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(
            path if converted is None else converted.model, options, providers=["CPUExecutionProvider"]
        )
        given = {one.name for one in self.model.graph.initializer}
        self.inputs = [one for one in self.model.graph.input if one.name not in given]
        self.slots = self._columns()

    def _columns(self) -> List[Slot]:
        slots: List[Slot] = []
        for one in self.inputs:
            kind, shape = _type(one)
            if kind not in PLAIN and kind != STRING:
                message = f"its input {one.name!r} holds no numbers and no texts"
                raise UnservedError(message)
            if len(shape) not in {TABLE_RANK, ROWS_RANK}:
                sides = " x ".join(str(side or "any") for side in shape)
                message = f"its input {one.name!r} is a tensor of {sides}: pictures and tensors are not served yet"
                raise UnservedError(message)
            width = shape[1] if len(shape) == TABLE_RANK else 1
            if not width or width > COLUMNS_MAX:
                message = f"its input {one.name!r} does not tell how many columns it has"
                raise UnservedError(message)
            alone = len(self.inputs) == 1
            names = (
                [one.name]
                if width == 1
                else [f"feature_{place}" if alone else f"{one.name}_{place}" for place in range(width)]
            )
            slots += [self._slot(name, one.name, kind) for name in names]
        self._mark(slots)
        return slots

    def _slot(self, name: str, tensor: str, kind: int) -> Slot:
        slot = Slot(name)
        if kind == STRING:
            for category in self._categories(tensor):
                slot.code(category)
            slot.meet(list(slot.categories))
            if not slot.categories:
                message = f"its input {tensor!r} takes texts, and does not tell which"
                raise UnservedError(message)
        elif kind in {5, 6, 7}:
            slot.meet([0.0, 1.0, 2.0, 3.0])
        elif PLAIN[kind] is np.bool_:
            slot.kind = "boolean"
        return slot

    def _categories(self, tensor: str) -> List[str]:
        """Return the words that an encoder knows which reads ``tensor``, however far behind."""
        reached, found = {tensor}, []
        for node in self.model.graph.node:
            if reached & set(node.input):
                words = [one for one in node.attribute if one.name in CATEGORY_ATTRIBUTES and one.strings]
                found += [word.decode("utf-8", errors="replace") for one in words for word in one.strings]
                if not words and node.op_type in MOVING:
                    reached |= set(node.output)
        return list(dict.fromkeys(found))

    def _mark(self, slots: Sequence[Slot]) -> None:
        """Remember the thresholds of trees that read the input as it is."""
        if len(self.inputs) != 1:
            return
        raw = {self.inputs[0].name}
        for node in self.model.graph.node:
            if node.op_type in {"Identity", "Cast"} and raw & set(node.input):
                raw |= set(node.output)
            if not node.op_type.startswith("TreeEnsemble") or not raw & set(node.input):
                continue
            facts = {one.name: one for one in node.attribute}
            values = facts.get("nodes_values")
            for feature, cut in zip(facts["nodes_featureids"].ints, values.floats if values else ()):
                if feature < len(slots):
                    slots[feature].mark([float(cut)])

    def ask(self, columns: Dict[str, List[Any]], output: str) -> Any:
        """Return the library's own values of one output, shape (rows, values); a row at a time where rows are fixed."""
        feeds, start = {}, 0
        for one in self.inputs:
            kind, shape = _type(one)
            width = (shape[1] or 1) if len(shape) == TABLE_RANK else 1
            names = [slot.name for slot in self.slots[start : start + width]]
            start += width
            dtype = object if kind == STRING else PLAIN[kind]
            block: Any = np.array([columns[name] for name in names], dtype=dtype).T
            feeds[one.name] = block if len(shape) == TABLE_RANK else block[:, 0]
        rows = len(next(iter(columns.values())))
        found = self.session.run([output], feeds)[0] if self.converted is None else self.converted.ask(feeds)[output]
        return np.asarray(found, dtype=np.float64).reshape(rows, -1)


def _type(one: Any) -> Tuple[int, List[Optional[int]]]:
    tensor = one.type.tensor_type
    return tensor.elem_type, [side.dim_value or None for side in tensor.shape.dim]


def read_network(
    path: str, *, rows: int, seed: int, names: Optional[List[str]] = None, converted: Optional[Converted] = None
) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return the reading of an ONNX model: what the outside needs as JSON, and the arrays, ``model`` among them.

    ``converted`` is a model that another framework made: its ONNX is served, and that framework gives the answers.
    """
    network = Network(path, converted)
    if names and len(names) == len(network.slots) and len(network.inputs) == 1:
        for slot, name in zip(network.slots, names):
            slot.name = name
    slots = network.slots
    columns = drawing.draw(slots, rows, seed=seed, terms={})
    output, kind, classes = _answer(network, columns)
    answers = network.ask(columns, output) if kind != "positive" else _both(network.ask(columns, output))
    named = any(not slot.name.startswith("feature_") for slot in slots)
    document = {
        "model": ["ONNX graph"] if converted is None else converted.parts,
        "columns": [_facts(slot) for slot in slots],
        "named": named,
        "answer": "number" if kind == "number" else "probabilities",
        "classes": classes,
        "encoder": {"format": 1, "steps": _steps(slots)},
        "nodes": [],
        "output": "",
        "rows": [dict(zip(columns, row)) for row in zip(*columns.values())],
    }
    merged = _merged(network, output, kind, len(slots), answers.shape[1])
    return document, {"model": np.frombuffer(merged, dtype=np.uint8), "answers": answers}


def _both(positive: Any) -> Any:
    return np.hstack([1.0 - positive, positive])


def _answer(network: Network, columns: Dict[str, List[Any]]) -> Tuple[str, str, Optional[List[Any]]]:
    """Return the output to serve, what it is, and its classes; a map of probabilities is replaced by its tensor."""
    graph = network.model.graph
    zipped = next((node for node in graph.node if node.op_type == "ZipMap"), None)
    labels = (network.converted.classes if network.converted else None) or _labels(graph)
    if zipped is not None:
        _expose(network, zipped.input[0])
        return zipped.input[0], "probabilities", labels
    tensors = [one for one in graph.output if _type(one)[0] in {1, 10, 11}]
    told = []
    for one in tensors:
        values = network.ask(columns, one.name)
        told.append((one.name, values))
        inside = bool(np.all((values >= 0) & (values <= 1 + SUM_TOLERANCE)))
        if values.shape[1] >= TWO and inside and np.allclose(values.sum(axis=1), 1.0, atol=SUM_TOLERANCE):
            return one.name, "probabilities", labels or list(range(values.shape[1]))
    for name, values in told:
        if values.shape[1] == 1:
            last = next((node for node in graph.node if name in node.output), None)
            if last is not None and last.op_type == "Sigmoid":
                return name, "positive", labels or [0, 1]
            return name, "number", None
    message = "its outputs are neither probabilities nor one number a row"
    raise UnservedError(message)


def _labels(graph: Any) -> Optional[List[Any]]:
    for node in graph.node:
        for one in node.attribute:
            if one.name in {"classlabels_strings", "classlabels_int64s", "classlabels_ints"}:
                if one.strings:
                    return [word.decode("utf-8", errors="replace") for word in one.strings]
                if one.ints:
                    return [int(value) for value in one.ints]
    return None


def _expose(network: Network, name: str) -> None:
    """Make a tensor inside the graph one of its outputs, and open the graph again."""
    import onnx  # noqa: PLC0415 - loaded by now
    import onnxruntime  # noqa: PLC0415 - as above

    graph = network.model.graph
    if all(one.name != name for one in graph.output):
        graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    network.session = onnxruntime.InferenceSession(
        network.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _steps(slots: Sequence[Slot]) -> List[Dict[str, Any]]:
    steps: List[Dict[str, Any]] = []
    for slot in slots:
        if slot.kind == "category":
            vectors = {category: [float(code)] for code, category in enumerate(slot.categories)}
            steps.append({"step": "lookup", "column": slot.name, "vectors": vectors, "unseen": [UNSEEN]})
        elif steps and steps[-1]["step"] == "numbers":
            steps[-1]["columns"].append(slot.name)
        else:
            steps.append({"step": "numbers", "columns": [slot.name], "dates": False})
    return steps


def _facts(slot: Slot) -> Dict[str, Any]:
    low, high = drawing.bounds(slot)
    known = slot.kind == "number" and bool(slot.marks)
    return {
        "name": slot.name,
        "kind": slot.kind,
        "nullable": False,
        "categories": slot.categories,
        "low": low if known else None,
        "high": high if known else None,
    }


def _merged(network: Network, output: str, kind: str, width: int, answers: int) -> bytes:
    """Return the model with one input of features in front and one output of answers behind, both float64."""
    import onnx  # noqa: PLC0415 - loaded by now
    from onnx import helper, numpy_helper  # noqa: PLC0415 - as above

    model = network.model
    graph = model.graph
    before, start = [], 0

    def constant(name: str, values: Any) -> str:
        graph.initializer.append(numpy_helper.from_array(values, name))
        return name

    for place, one in enumerate(network.inputs):
        kind_of, shape = _type(one)
        count = (shape[1] or 1) if len(shape) == TABLE_RANK else 1
        index = constant(f"served_columns_{place}", np.arange(start, start + count, dtype=np.int64))
        start += count
        taken = f"served_taken_{place}"
        before.append(helper.make_node("Gather", ["features", index], [taken], axis=1))
        if kind_of == STRING:
            words = np.array(["", *network.slots[start - count].categories], dtype=object)
            code = constant(f"served_words_{place}", words), constant(f"served_one_{place}", np.array([[1.0]]))
            before += _words(*code, taken, one.name)
        elif len(shape) == ROWS_RANK:
            flat = constant(f"served_flat_{place}", np.array([-1], dtype=np.int64))
            before.append(helper.make_node("Reshape", [taken, flat], [f"{taken}_flat"]))
            before.append(helper.make_node("Cast", [f"{taken}_flat"], [one.name], to=kind_of))
        else:
            before.append(helper.make_node("Cast", [taken], [one.name], to=kind_of))
    sides = constant("served_sides", np.array([-1, 1 if kind == "positive" else answers], dtype=np.int64))
    behind = [
        helper.make_node("Cast", [output], ["served_double"], to=DOUBLE),
        helper.make_node("Reshape", ["served_double", sides], ["served_answer"]),
    ]
    final, width_out = "answer", answers
    if kind == "positive" or (kind == "probabilities" and answers == TWO):
        which = constant("served_which", np.array([0 if kind == "positive" else 1], dtype=np.int64))
        behind.append(helper.make_node("Gather", ["served_answer", which], ["positive"], axis=1))
        final, width_out = "positive", 1
    elif kind == "probabilities":  # those of float32 sum to 1 in seven digits
        ones = constant("served_ones", np.ones((answers, 1)))
        behind.append(helper.make_node("MatMul", ["served_answer", ones], ["served_sum"]))
        behind.append(helper.make_node("Div", ["served_answer", "served_sum"], ["answer"]))
    else:
        behind.append(helper.make_node("Identity", ["served_answer"], ["answer"]))
    kept = [node for node in graph.node if node.op_type != "ZipMap"]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend([*before, *kept, *behind])
    graph.input.append(helper.make_tensor_value_info("features", onnx.TensorProto.DOUBLE, ["rows", width]))
    graph.output.append(helper.make_tensor_value_info(final, onnx.TensorProto.DOUBLE, ["rows", width_out]))
    return bytes(model.SerializeToString())


def _words(words: str, one: str, taken: str, name: str) -> List[Any]:
    """Return the nodes that turn codes back into the words that the model reads; a stranger becomes an empty text."""
    from onnx import helper  # noqa: PLC0415 - loaded by now

    return [
        helper.make_node("Add", [taken, one], [f"{taken}_next"]),
        helper.make_node("Cast", [f"{taken}_next"], [f"{taken}_code"], to=7),
        helper.make_node("Gather", [words, f"{taken}_code"], [name]),
    ]
