"""An ONNX model becomes one graph from the served features to the answer; its own nodes stay as they are."""

from __future__ import annotations

import contextlib
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from . import drawing, tensors
from .converted import Converted
from .ending import must_end
from .graph import UNSEEN, Slot, UnservedError
from .tensors import Block, Wishes

PLAIN = tensors.TYPES
STRING = 8
HALF, DOUBLE = 10, 11
COLUMNS_MAX = 5000
TABLE_RANK, ROWS_RANK = 2, 1
TWO = 2
LABELS_SHOWN, LABEL_SHOWN = 20, 60  # of labels that do not exclude each other
SUM_TOLERANCE = 1e-3  # float32 probabilities sum to 1 so far
ROUNDED = 5e-6  # those of float16 do not: they are served as they are
ALONE_TOLERANCE = 3e-6  # a row that is answered otherwise beside others (float16, or mixed up) is answered alone
AT_ONCE = 8  # rows of tensors handed to the framework together
PROBED = 3  # rows that tell what the outputs are
SLICE_BY_INPUTS = 10  # from this version of ONNX on
OWN_NAMES = {"features", "answer", "positive"}  # of what the served graph takes and gives
CLASS_WORDS = ("logit", "class", "label", "score", "prob", "softmax", "predictions")
QUIET = {"Identity", "Reshape", "Cast", "Squeeze", "Flatten", "Transpose", "Unsqueeze"}  # they change no value
MOVING = {"Identity", "Reshape", "Concat", "StringNormalizer", "Cast", "Gather", "ArrayFeatureExtractor", "Squeeze"}
KEEPING = {"Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Flatten"}
KEEPING |= {"Add", "Sub", "Mul", "Max", "Min", "Clip", "Where"}  # which bring a number below zero back
KNOWN_MAX = 1000  # numbers drawn of those that an embedding knows
CATEGORY_ATTRIBUTES = ("cats_strings", "keys_strings", "classes_strings")


class Network:
    """An ONNX model, asked by ONNX Runtime or, where it was converted, by the framework that it comes from."""

    def __init__(self, path: str, converted: Optional[Converted] = None, wishes: Optional[Wishes] = None) -> None:
        import onnx  # noqa: PLC0415 - only for its own files
        import onnxruntime  # noqa: PLC0415 - as above

        self.converted = converted
        self.wishes = wishes or Wishes.of(None)
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
        self.owned: Dict[str, List[Slot]] = {}  # by input, the columns that it is made of
        self.slots = self._columns()
        sides = [shape[0] for _, shape in map(_type, self.inputs) if shape]
        self.fixed = next((side for side in sides if side), 0)  # rows that it always takes; 0 for any number

    def front(self, rows: str, constant: Any) -> Tuple[List[Any], int]:
        """Return the nodes that make the model's inputs of the features, and how many features there are."""
        return _in_front(self, rows, constant)

    @property
    def blocks(self) -> List[Block]:
        """Return the columns that hold a whole tensor."""
        return [slot for slot in self.slots if isinstance(slot, Block)]

    def _columns(self) -> List[Slot]:
        slots: List[Slot] = []
        metadata = {one.key: one.value for one in self.model.metadata_props}
        for one in self.inputs:
            kind, shape = _type(one)
            if kind not in PLAIN and kind != STRING:
                message = f"its input {one.name!r} holds no numbers and no texts"
                raise UnservedError(message)
            if not shape:
                message = f"its input {one.name!r} holds one value for all rows, which no row can give"
                raise UnservedError(message)
            width = self._width(one.name, shape)
            if kind != STRING and (len(shape) > TABLE_RANK or not width or width > COLUMNS_MAX):
                told = (self.converted.pictures or {}).get(one.name) if self.converted else None
                block = tensors.block_of(
                    one.name, kind, shape, self.model.graph, wishes=self.wishes, picture=told, metadata=metadata
                )
                self.owned[one.name] = [block]
                slots.append(block)
                continue
            if not width or len(shape) > TABLE_RANK:
                message = f"its input {one.name!r} takes texts, and does not tell how many"
                raise UnservedError(message)
            alone = len(self.inputs) == 1
            names = (
                [one.name]
                if width == 1
                else [f"feature_{place}" if alone else f"{one.name}_{place}" for place in range(width)]
            )
            self.owned[one.name] = [self._slot(name, one.name, kind) for name in names]
            slots += self.owned[one.name]
        if len({slot.name for slot in slots}) != len(slots):
            message = "two of its inputs have the same name"
            raise UnservedError(message)
        self._mark(slots)
        self._number()
        return slots

    def _number(self) -> None:
        """Find the inputs whose numbers choose rows of a table, as an embedding's do, and draw what it has."""
        tables = {one.name: list(one.dims) for one in self.model.graph.initializer}
        for one in self.inputs:
            reached, counts = {one.name}, []
            for node in self.model.graph.node:
                if node.op_type == "Gather" and node.input[0] in tables and node.input[1] in reached:
                    axis = next((fact.i for fact in node.attribute if fact.name == "axis"), 0)
                    counts.append(int(tables[node.input[0]][axis]))
                elif node.op_type in KEEPING and reached & set(node.input):
                    reached |= set(node.output)
            for slot in self.owned[one.name] if counts else ():
                slot.low, slot.high = 0.0, float(min(counts) - 1)
                step = max(1, min(counts) // KNOWN_MAX)
                slot.known = [float(value) for value in range(0, min(counts), step)]

    def _width(self, name: str, shape: List[Optional[int]]) -> Optional[int]:
        """Return how many columns an input of a table has; a network that leaves that open may be told."""
        if len(shape) != TABLE_RANK:
            return 1
        told = tensors.wished(self.wishes.shapes, name)
        return shape[1] or (told[0] if told and len(told) == 1 else None)

    def _slot(self, name: str, tensor: str, kind: int) -> Slot:
        slot = Slot(name)
        if kind == STRING:
            for category in self._categories(tensor):
                slot.code(category)
            slot.meet(list(slot.categories))
            if not slot.categories:
                message = f"its input {tensor!r} takes texts, and does not tell which"
                raise UnservedError(message)
        elif np.dtype(PLAIN[kind]).kind in "iu":
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
        if len(self.inputs) != 1 or isinstance(slots[0], Block):
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
        """Return the framework's own values of one output, shape (rows, ...), a row at a time where it must be."""
        rows = len(next(iter(columns.values())))
        feeds = {one.name: self._feed(one, columns) for one in self.inputs}
        if not self.fixed:
            step = AT_ONCE if self.blocks else rows
            parts = [
                self._run({name: array[start : start + step] for name, array in feeds.items()}, output)
                for start in range(0, rows, step)
            ]
            if all(part.ndim and len(part) == min(step, rows - at * step) for at, part in enumerate(parts)):
                return np.concatenate(parts)
            message = f"its output {output!r} does not have a line a row"
            raise UnservedError(message)
        found = []
        for row in range(rows):
            alone = {name: np.repeat(array[row : row + 1], self.fixed, axis=0) for name, array in feeds.items()}
            answer = self._run(alone, output)
            found.append(answer[0] if answer.ndim and len(answer) == self.fixed else answer)
        if len({answer.shape for answer in found}) > 1:
            message = f"its output {output!r} has another shape for each row, as a list of what was found has"
            raise UnservedError(message)
        return np.stack(found)

    def _feed(self, one: Any, columns: Dict[str, List[Any]]) -> Any:
        kind, shape = _type(one)
        slots = self.owned[one.name]
        if isinstance(slots[0], Block):
            block = slots[0]
            return np.stack([block.fed(value, row) for row, value in enumerate(columns[block.name])]).astype(
                PLAIN[kind]
            )
        dtype = object if kind == STRING else PLAIN[kind]
        values: Any = np.array([columns[slot.name] for slot in slots], dtype=dtype).T
        return values if len(shape) == TABLE_RANK else values[:, 0]

    def _run(self, feeds: Dict[str, Any], output: str) -> Any:
        found = self.session.run([output], feeds)[0] if self.converted is None else self.converted.ask(feeds)[output]
        return np.asarray(found, dtype=np.float64)

    def settle(self, columns: Dict[str, List[Any]], output: str) -> None:
        """Take one row at a time where the graph says any number, and fails at two or mixes them up."""
        if self.fixed or not self.blocks:
            return
        if any(one.name == output and _type(one)[0] == HALF for one in self.model.graph.output):
            self.fixed = 1  # its last digit depends on how many rows are answered at once
            return
        few = {name: values[:PROBED] for name, values in columns.items()}
        together = None
        with contextlib.suppress(Exception):  # what onnxruntime raises has no common class of its own
            together = self.ask_served(few, output)
        self.fixed = 1
        alone = self.ask(few, output)
        if together is not None and together.shape == alone.shape:
            apart = np.abs(together - alone) / np.maximum(1.0, np.abs(alone))
            self.fixed = 0 if float(apart.max(initial=0.0)) <= ALONE_TOLERANCE else 1

    def ask_served(self, columns: Dict[str, List[Any]], output: str) -> Any:
        """Return what the graph that is served gives for all rows at once."""
        feeds = {one.name: self._feed(one, columns) for one in self.inputs}
        return np.asarray(self.session.run([output], feeds)[0], dtype=np.float64)


def _type(one: Any) -> Tuple[int, List[Optional[int]]]:
    tensor = one.type.tensor_type
    return tensor.elem_type, [side.dim_value or None for side in tensor.shape.dim]


class Answer(NamedTuple):
    """The output that is served: ``kind``, the classes of a choice, the sides of an answer of several numbers."""

    output: str
    kind: str  # probabilities (or rounded ones), positive (that of the second of two), scores, number or tensor
    classes: Optional[List[Any]] = None
    shape: Optional[List[int]] = None
    findings: Tuple[str, ...] = ()


def read_network(
    path: str,
    *,
    rows: int,
    seed: int,
    names: Optional[List[str]] = None,
    converted: Optional[Converted] = None,
    wishes: Optional[Dict[str, Any]] = None,
) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return the reading of an ONNX model: what the outside needs as JSON, and the arrays, ``model`` among them.

    ``converted`` is a model that another framework made: its ONNX is served, and that framework gives the answers.
    """
    network = Network(path, converted, Wishes.of(wishes))
    if names and len(names) == len(network.slots) and len(network.inputs) == 1 and not network.blocks:
        for slot, name in zip(network.slots, names):
            slot.name = name
    slots = network.slots
    probe = _drawn(slots, tensors.DRAWN_ROWS_MIN if network.blocks else rows, seed)
    answer = _answer(network, probe)
    network.settle(probe, answer.output)
    columns = _drawn(slots, tensors.rows_for(slots, rows, int(np.prod(answer.shape or [1]))), seed)
    found = network.ask(columns, answer.output)
    answers = found.reshape(len(found), -1)
    answers = _both(answers) if answer.kind == "positive" else answers
    told = {
        slot.name: [slot.told(value, row) for row, value in enumerate(columns[slot.name])]
        if isinstance(slot, Block)
        else columns[slot.name]
        for slot in slots
    }
    named = any(not slot.name.startswith("feature_") for slot in slots)
    document = {
        "model": ["ONNX graph"] if converted is None else converted.parts,
        "columns": [_facts(slot) for slot in slots],
        "named": named,
        "answer": {"positive": "probabilities"}.get(answer.kind, answer.kind),
        "answer_shape": answer.shape,
        "classes": answer.classes,
        "encoder": {"format": 1, "steps": _steps(slots)},
        "nodes": [],
        "output": "",
        "rows": [dict(zip(told, row)) for row in zip(*told.values())],
        "findings": [*answer.findings, *((converted.findings or []) if converted else [])],
    }
    if answer.kind == "probabilities" and float(np.abs(answers.sum(axis=1) - 1.0).max()) > ROUNDED:
        answer = answer._replace(kind="rounded")
        document["precision"] = SUM_TOLERANCE
    graph = merged(network, answer, answers.shape[1])
    return document, {"model": np.frombuffer(graph, dtype=np.uint8), "answers": answers}


def _drawn(slots: Sequence[Slot], rows: int, seed: int) -> Dict[str, List[Any]]:
    """Return drawn values by column, in the columns' order."""
    plain = drawing.draw([slot for slot in slots if not isinstance(slot, Block)], rows, seed=seed, terms={})
    generator = np.random.default_rng(seed + 1)
    return {
        slot.name: tensors.draw(slot, rows, generator) if isinstance(slot, Block) else plain[slot.name]
        for slot in slots
    }


def _both(positive: Any) -> Any:
    return np.hstack([1.0 - positive, positive])


def _answer(network: Network, columns: Dict[str, List[Any]]) -> Answer:
    """Return the output to serve and what it is; a map of probabilities is replaced by its tensor."""
    graph = network.model.graph
    zipped = next((node for node in graph.node if node.op_type == "ZipMap"), None)
    if zipped is not None:
        _expose(network, zipped.input[0])
        width = network.ask(columns, zipped.input[0]).reshape(len(next(iter(columns.values()))), -1).shape[1]
        return Answer(zipped.input[0], "probabilities", _classes(network, width))
    outputs = [one for one in graph.output if _type(one)[0] in {1, 10, 11}]
    outputs = outputs or [one for one in graph.output if _type(one)[0] in PLAIN]
    told, failed = _told(network, columns, [one.name for one in outputs])
    answer = (
        next(filter(None, (_chances(network, *one) for one in told)), None)
        or next(filter(None, (_one_number(network, *one) for one in told)), None)
        or next(filter(None, (_scores(network, *one) for one in told)), None)
        or next((_several(network, *one) for one in told), None)
    )
    if answer is None and failed:
        raise failed[0]
    if answer is None:
        message = "it has no output of numbers"
        raise UnservedError(message)
    others = [one.name for one in graph.output if one.name != answer.output]
    if others and len(outputs) > 1:
        note = f"of its outputs {answer.output!r} is served, and not {', '.join(map(repr, others[:5]))}"
        return answer._replace(findings=(*answer.findings, note))
    return answer


def _told(
    network: Network, columns: Dict[str, List[Any]], outputs: Sequence[str]
) -> Tuple[List[Tuple[str, Any]], List[UnservedError]]:
    """Return what each output gives to the probed rows, and why others cannot be served: they have no line a row."""
    told, failed = [], []
    for name in outputs:
        try:
            with must_end():
                told.append((name, _values(network, columns, name)))
        except UnservedError as error:
            failed.append(error)
    return told, failed


def _values(network: Network, columns: Dict[str, List[Any]], output: str) -> Any:
    """Return what an output gives to the probed rows; a graph that fails at several rows is asked one by one."""
    if network.blocks and not network.fixed:
        try:
            return network.ask(columns, output)
        except UnservedError:
            raise
        except Exception:  # noqa: BLE001 - what onnxruntime raises has no common class of its own
            network.fixed = 1
    return network.ask(columns, output)


def _flat(values: Any) -> Any:
    """Return values of a row as a list where all sides but one are 1; None where they are a tensor."""
    sides = values.shape[1:]
    width = int(np.prod(sides))
    return values.reshape(len(values), -1) if width == max(sides, default=1) else None


def _chances(network: Network, name: str, values: Any) -> Optional[Answer]:
    flat = _flat(values)
    if flat is None or flat.shape[1] < TWO or network.wishes.answer == "numbers":
        return None
    inside = bool(np.all((flat >= 0) & (flat <= 1 + SUM_TOLERANCE)))
    if not inside or not np.allclose(flat.sum(axis=1), 1.0, atol=SUM_TOLERANCE):
        return None
    return Answer(name, "probabilities", _classes(network, flat.shape[1]))


def _one_number(network: Network, name: str, values: Any) -> Optional[Answer]:
    flat = _flat(values)
    if flat is None or flat.shape[1] != 1:
        return None
    sure = _last(network.model.graph, name) == "Sigmoid" and network.wishes.answer != "numbers"
    return Answer(name, "positive", _classes(network, TWO)) if sure else Answer(name, "number")


def _scores(network: Network, name: str, values: Any) -> Optional[Answer]:
    """Return the raw scores of classes: told to be, called so, or what a model makes of a picture."""
    flat = _flat(values)
    wishes = network.wishes
    if flat is None or flat.shape[1] < TWO or wishes.answer == "numbers":
        return None
    width = flat.shape[1]
    last = _last(network.model.graph, name)
    asked = wishes.answer == "classes" or (bool(wishes.labels) and last != "Sigmoid")
    known = _known_classes(network)
    called = any(word in name.lower() for word in CLASS_WORDS)
    pictured = any(block.picture for block in network.blocks)
    if not asked and (last == "Sigmoid" or not (len(known) == width or called or pictured)):
        return None
    why = "asked for" if asked else "it names as many classes" if len(known) == width else "as it does with pictures"
    why = "its output is called so" if called and not asked else why
    note = f"its {width} numbers a row are raw scores of {width} classes ({why}); `--answer numbers` if they are not"
    return Answer(name, "scores", _classes(network, width), findings=() if asked else (note,))


def _several(network: Network, name: str, values: Any) -> Answer:
    """Return an answer of several numbers; of labels that do not exclude each other, each number is a chance."""
    flat = _flat(values)
    if flat is None:
        return Answer(name, "tensor", shape=[int(side) for side in values.shape[1:]])
    width = flat.shape[1]
    if _last(network.model.graph, name) != "Sigmoid":
        return Answer(name, "tensor", shape=[width])
    named = bool(network.wishes.labels) or len(_known_classes(network)) == width
    labels = _classes(network, width) if named else []
    of = f" of {', '.join(str(one)[:LABEL_SHOWN] for one in labels[:LABELS_SHOWN])}" if labels else ""
    more = ", ..." if len(labels) > LABELS_SHOWN else ""
    note = f"its {width} numbers a row are the chances{of}{more}{' in this order' if of else ''}: each stands by itself"
    return Answer(name, "tensor", shape=[width], findings=(note,))


def _classes(network: Network, width: int) -> List[Any]:
    """Return the names of ``width`` classes; numbers where nobody names as many."""
    wished = network.wishes.labels
    if wished and len(wished) != width:
        message = f"`--labels` names {len(wished)} classes, the model answers with {width}"
        raise UnservedError(message)
    known = wished or _known_classes(network)
    alone = len({str(one) for one in known}) == len(known)
    if wished and not alone:
        message = "`--labels` names a class twice"
        raise UnservedError(message)
    return list(known) if len(known) == width and alone else list(range(width))


def _known_classes(network: Network) -> List[Any]:
    told = (network.converted.classes if network.converted else None) or _labels(network.model.graph)
    return list(told or network.wishes.labels_nearby)


def _last(graph: Any, name: str) -> str:
    """Return the operator that made an output's values."""
    makers = {output: node for node in graph.node for output in node.output}
    for _ in range(len(makers)):
        node = makers.get(name)
        if node is None:
            break
        if node.op_type not in QUIET:
            return str(node.op_type)
        name = node.input[0]
    return ""


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
        if isinstance(slot, Block):
            steps.append({"step": "tensor", "column": slot.name, "size": slot.size})
        elif slot.kind == "category":
            vectors = {category: [float(code)] for code, category in enumerate(slot.categories)}
            steps.append({"step": "lookup", "column": slot.name, "vectors": vectors, "unseen": [UNSEEN]})
        elif steps and steps[-1]["step"] == "numbers":
            steps[-1]["columns"].append(slot.name)
        else:
            steps.append({"step": "numbers", "columns": [slot.name], "dates": False})
    return steps


def _facts(slot: Slot) -> Dict[str, Any]:
    if isinstance(slot, Block):
        return {
            "name": slot.name,
            "kind": slot.kind,
            "nullable": False,
            "shape": slot.shape,
            "type": slot.type,
            "picture": slot.picture,
        }
    low, high = drawing.bounds(slot)
    known = slot.kind == "number" and (bool(slot.marks) or slot.low is not None)
    if slot.known and slot.low is not None:
        low, high = slot.low, slot.high
    return {
        "name": slot.name,
        "kind": slot.kind,
        "nullable": False,
        "categories": slot.categories,
        "low": low if known else None,
        "high": high if known else None,
        "whole": bool(slot.known) and slot.low is not None,
    }


def merged(network: Any, answer: Answer, answers: int) -> bytes:
    """Return the model with one input of features in front and one output of answers behind, both float64."""
    import onnx  # noqa: PLC0415 - loaded by now
    from onnx import helper, numpy_helper  # noqa: PLC0415 - as above

    model = network.model
    graph = model.graph
    kind = answer.kind
    answer = answer._replace(output=_freed(network, answer.output))
    model.ir_version = max(model.ir_version, 4)  # before, constants were inputs as well

    def constant(name: str, values: Any) -> str:
        graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    rows = "served_rows" if network.fixed else "features"
    before, width = network.front(rows, constant)
    held = 1 if kind == "positive" else answers
    sides = constant("served_sides", np.array([-1, held], dtype=np.int64))
    made = "served_one" if network.fixed else "served_answer"
    behind = [
        helper.make_node("Reshape", [answer.output, sides], ["served_lines"]),  # two casts in a row would be left out
        helper.make_node("Cast", ["served_lines"], [made], to=DOUBLE),
    ]
    kept = [node for node in graph.node if node.op_type != "ZipMap"]
    nodes = [*before, *kept, *behind]
    if network.fixed:
        nodes = _one_by_one(nodes, network.fixed, held, constant)
    after, final, width_out = _behind(kind, answers, constant)
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend([*nodes, *after])
    graph.input.append(helper.make_tensor_value_info("features", onnx.TensorProto.DOUBLE, ["rows", width]))
    graph.output.append(helper.make_tensor_value_info(final, onnx.TensorProto.DOUBLE, ["rows", width_out]))
    del graph.value_info[:]  # shapes of a fixed number of rows
    return bytes(model.SerializeToString())


def _freed(network: Any, output: str) -> str:
    """Rename what the model calls as the served graph calls its own ends, and return the output's name."""

    def renamed(names: Any) -> List[str]:
        return [f"model_{name}" if name in OWN_NAMES else name for name in names]

    def rename(graph: Any) -> None:
        for one in (*graph.input, *graph.output, *graph.initializer):
            one.name = renamed([one.name])[0]
        for node in graph.node:
            node.input[:], node.output[:] = renamed(node.input), renamed(node.output)
            for inner in node.attribute:
                if inner.HasField("g"):
                    rename(inner.g)

    rename(network.model.graph)
    network.owned = {renamed([name])[0]: slots for name, slots in network.owned.items()}
    return renamed([output])[0]


def _in_front(network: Network, rows: str, constant: Any) -> Tuple[List[Any], int]:
    """Return the nodes that make the model's inputs of the features, and how many features there are."""
    from onnx import helper  # noqa: PLC0415 - loaded by now

    versions = [one.version for one in network.model.opset_import if one.domain in {"", "ai.onnx"}]
    by_inputs = (versions or [1])[0] >= SLICE_BY_INPUTS
    before: List[Any] = []
    start = 0
    for place, one in enumerate(network.inputs):
        kind_of, shape = _type(one)
        slots = network.owned[one.name]
        taken = f"served_taken_{place}"
        if isinstance(slots[0], Block):
            end = start + slots[0].size
            if len(network.inputs) == 1:
                taken = rows
            elif by_inputs:
                ends = [
                    constant(f"served_{name}_{place}", np.array([at], dtype=np.int64))
                    for name, at in (("start", start), ("end", end), ("axis", 1))
                ]
                before.append(helper.make_node("Slice", [rows, *ends], [taken]))
            else:
                before.append(helper.make_node("Slice", [rows], [taken], starts=[start], ends=[end], axes=[1]))
            sides = constant(f"served_shape_{place}", np.array([-1, *slots[0].shape], dtype=np.int64))
            before.append(helper.make_node("Cast", [taken], [f"served_cast_{place}"], to=kind_of))
            before.append(helper.make_node("Reshape", [f"served_cast_{place}", sides], [one.name]))
            start = end
            continue
        index = constant(f"served_columns_{place}", np.arange(start, start + len(slots), dtype=np.int64))
        start += len(slots)
        before.append(helper.make_node("Gather", [rows, index], [taken], axis=1))
        if kind_of == STRING:
            words = np.array(["", *slots[-1].categories], dtype=object)
            code = constant(f"served_words_{place}", words), constant(f"served_one_{place}", np.array([[1.0]]))
            before += _words(*code, taken, one.name)
        elif len(shape) == ROWS_RANK:
            flat = constant(f"served_flat_{place}", np.array([-1], dtype=np.int64))
            before.append(helper.make_node("Reshape", [taken, flat], [f"{taken}_flat"]))
            before.append(helper.make_node("Cast", [f"{taken}_flat"], [one.name], to=kind_of))
        else:
            before.append(helper.make_node("Cast", [taken], [one.name], to=kind_of))
    return before, start


def _one_by_one(nodes: Sequence[Any], fixed: int, held: int, constant: Any) -> List[Any]:
    """Return the nodes in a loop over the rows: a model that takes so many at once gets each row as often."""
    import onnx  # noqa: PLC0415 - loaded by now
    from onnx import helper  # noqa: PLC0415 - as above

    one, flat = (
        constant("served_first", np.array([1], dtype=np.int64)),
        constant("served_width", np.array([held], dtype=np.int64)),
    )
    row = "served_row" if fixed > 1 else "served_rows"
    inner = [
        helper.make_node("Reshape", ["served_turn", one], ["served_place"]),
        helper.make_node("Gather", ["features", "served_place"], [row], axis=0),
        *([helper.make_node("Concat", [row] * fixed, ["served_rows"], axis=0)] if fixed > 1 else []),
        *nodes,
    ]
    if fixed > 1:
        first = constant("served_zero", np.array([0], dtype=np.int64))
        inner.append(helper.make_node("Gather", ["served_one", first], ["served_this"], axis=0))
    inner.append(helper.make_node("Reshape", ["served_this" if fixed > 1 else "served_one", flat], ["served_line"]))
    inner.append(helper.make_node("Identity", ["served_going"], ["served_on"]))
    inner.append(helper.make_node("Identity", ["served_carried"], ["served_kept"]))  # before ONNX 11 one is needed
    body = helper.make_graph(
        inner,
        "a_row",
        [
            helper.make_tensor_value_info("served_turn", onnx.TensorProto.INT64, []),
            helper.make_tensor_value_info("served_going", onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info("served_carried", onnx.TensorProto.BOOL, []),
        ],
        [
            helper.make_tensor_value_info("served_on", onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info("served_kept", onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info("served_line", onnx.TensorProto.DOUBLE, [held]),
        ],
    )
    count = constant("served_count", np.array([0], dtype=np.int64))
    going = constant("served_always", np.array(True))  # noqa: FBT003 - a constant of the graph
    empty = constant("served_scalar", np.array([], dtype=np.int64))
    return [
        helper.make_node("Shape", ["features"], ["served_size"]),
        helper.make_node("Gather", ["served_size", count], ["served_times"], axis=0),
        helper.make_node("Reshape", ["served_times", empty], ["served_turns"]),
        helper.make_node("Loop", ["served_turns", going, going], ["served_end", "served_answer"], body=body),
    ]


def _behind(kind: str, answers: int, constant: Any) -> Tuple[List[Any], str, int]:
    """Return the nodes that make the served answer of the model's own, its name and its width."""
    from onnx import helper  # noqa: PLC0415 - loaded by now

    if kind == "positive" or (kind == "probabilities" and answers == TWO):
        which = constant("served_which", np.array([0 if kind == "positive" else 1], dtype=np.int64))
        return [helper.make_node("Gather", ["served_answer", which], ["positive"], axis=1)], "positive", 1
    if kind == "scores":  # their shares as probabilities, then the scores themselves
        nodes = [
            helper.make_node("Softmax", ["served_answer"], ["served_shares"], axis=1),
            helper.make_node("Concat", ["served_shares", "served_answer"], ["answer"], axis=1),
        ]
        return nodes, "answer", 2 * answers
    if kind == "probabilities":  # those of float32 sum to 1 in seven digits
        ones = constant("served_ones", np.ones((answers, 1)))
        nodes = [
            helper.make_node("MatMul", ["served_answer", ones], ["served_sum"]),
            helper.make_node("Div", ["served_answer", "served_sum"], ["answer"]),
        ]
        return nodes, "answer", answers
    return [helper.make_node("Identity", ["served_answer"], ["answer"])], "answer", answers


def _words(words: str, one: str, taken: str, name: str) -> List[Any]:
    """Return the nodes that turn codes back into the words that the model reads; a stranger becomes an empty text."""
    from onnx import helper  # noqa: PLC0415 - loaded by now

    return [
        helper.make_node("Add", [taken, one], [f"{taken}_next"]),
        helper.make_node("Cast", [f"{taken}_next"], [f"{taken}_code"], to=7),
        helper.make_node("Gather", [words, f"{taken}_code"], [name]),
    ]
