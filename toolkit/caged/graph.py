"""``Graph``: operators of ONNX and their constants, put together without the ``onnx`` package.

Every tensor of features is float64, shape (rows, width). The outside makes ``model.onnx`` of the graph and holds it
against the answers of the model's own library.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

GAP, UNSEEN = -2.0, -1.0  # the codes of a missing cell and of a category that nobody knows
LEQ, LT, EQUAL, MEMBER = 0, 1, 4, 6  # how ONNX's TreeEnsemble compares
ML = "ai.onnx.ml"


class UnservedError(Exception):
    """A part of the model has no served form; the message names it and says why."""


class Slot:
    """One column on its way through the graph: numbers, or codes of the categories that encoders know."""

    def __init__(self, name: str, *, parent: Optional["Slot"] = None, scale: float = 1.0, shift: float = 0.0) -> None:
        self.name = name
        self.parent, self.scale, self.shift = parent, scale, shift  # a number here is parent's * scale + shift
        self.kind = "number"
        self.categories: List[str] = []
        self.low: Optional[float] = None
        self.high: Optional[float] = None
        self.marks: List[float] = []
        self.nullable = False
        self.used = True
        self.known: List[Any] = []

    def code(self, category: Any) -> float:
        """Return the number that stands for a category in this column."""
        if category is None or category != category:  # noqa: PLR0124 - NaN
            return GAP if self.kind == "category" else float("nan")
        if isinstance(category, (bool, np.bool_)):
            self.kind = "boolean"
            return float(category)
        if isinstance(category, (int, float, np.number)):
            return float(category)
        self.kind = "category"
        text = str(category)
        if text not in self.categories:
            self.categories.append(text)
        return float(self.categories.index(text))

    def meet(self, values: Sequence[Any]) -> None:
        """Remember the values that an encoder knows; of two encoders, those that both know."""
        both = [value for value in self.known if value in values] if self.known else list(values)
        self.known = both or self.known

    def seen(self, low: float, high: float) -> None:
        """Widen what numbers this column is known to hold."""
        if self.parent is not None and self.scale:
            ends = sorted(((low - self.shift) / self.scale, (high - self.shift) / self.scale))
            self.parent.seen(*ends)
        elif np.isfinite(low) and np.isfinite(high):
            self.low = float(low) if self.low is None else min(self.low, float(low))
            self.high = float(high) if self.high is None else max(self.high, float(high))

    def mark(self, values: Sequence[float]) -> None:
        """Remember numbers at which the answer may change, such as a tree's thresholds."""
        if self.parent is not None and self.scale:
            self.parent.mark([(value - self.shift) / self.scale for value in values])
        elif self.kind == "number":
            self.marks += [float(value) for value in values if np.isfinite(value)]


class Value:
    """A tensor, shape (rows, columns), with the slot of each column."""

    def __init__(self, tensor: str, slots: Sequence[Slot]) -> None:
        self.tensor = tensor
        self.slots = tuple(slots)

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return len(self.slots)


class Trees:
    """Trees on their way to one TreeEnsemble node: inner nodes, leaves, each with its place."""

    def __init__(self) -> None:
        self.roots: List[int] = []
        self.features: List[int] = []
        self.thresholds: List[float] = []
        self.modes: List[int] = []
        self.gaps_true: List[int] = []
        self.true: List[int] = []
        self.true_leaf: List[int] = []
        self.false: List[int] = []
        self.false_leaf: List[int] = []
        self.leaf_targets: List[int] = []
        self.leaf_weights: List[float] = []
        self.members: List[float] = []

    def add(
        self,
        *,
        feature: Any,
        threshold: Any,
        left: Any,
        right: Any,
        weight: Any,
        target: int,
        mode: int = LEQ,
        gaps_left: Any = None,
        members: Optional[Dict[int, Sequence[float]]] = None,
    ) -> None:
        """Add one tree: a node without children (``left`` below 0) is a leaf whose ``weight`` goes to ``target``.

        ``left`` is taken when the comparison holds. ``members`` gives, by node, the values of a split on membership.
        """
        count = len(left)
        leaf = [left[node] < 0 for node in range(count)]
        if leaf[0]:  # a tree starts with a split: this one goes to the same leaf either way
            self._inner(0, 0.0, mode, gap=True)
            place = self._leaf(target, weight[0])
            self._children((place, 1), (place, 1))
            self.roots.append(len(self.features) - 1)
            return
        places: Dict[int, int] = {}
        start = len(self.features)
        for node in range(count):
            if leaf[node]:
                places[node] = self._leaf(target, weight[node])
            else:
                gap = bool(gaps_left[node]) if gaps_left is not None else False
                places[node] = len(self.features)
                if members and node in members:
                    self._inner(feature[node], 0.0, MEMBER, gap=gap)
                    self.members += [*members[node], float("nan")]
                else:
                    self._inner(feature[node], threshold[node], mode, gap=gap)
        self.roots.append(start)
        for node in range(count):
            if not leaf[node]:
                sides = [(places[side[node]], int(leaf[side[node]])) for side in (left, right)]
                self._children(*sides)

    def _inner(self, feature: int, threshold: float, mode: int, *, gap: bool) -> None:
        self.features.append(int(feature))
        self.thresholds.append(float(threshold))
        self.modes.append(mode)
        self.gaps_true.append(int(gap))

    def _leaf(self, target: int, weight: float) -> int:
        self.leaf_targets.append(int(target))
        self.leaf_weights.append(float(weight))
        return len(self.leaf_weights) - 1

    def _children(self, true: Tuple[int, int], false: Tuple[int, int]) -> None:
        self.true.append(true[0])
        self.true_leaf.append(true[1])
        self.false.append(false[0])
        self.false_leaf.append(false[1])


class Text:
    """A text column's words, counted and weighed: a matrix too wide to hold unless something asks for it."""

    def __init__(self, slot: Slot, facts: Dict[str, Any], width: int) -> None:
        self.slot = slot
        self.facts = facts
        self.width = width


class Graph:
    """Nodes in order, each with the names of what it takes and gives.

    Its one input is ``features``: ``inputs`` columns of numbers and codes, then a block for each text that something
    reads. A text that only meets weights becomes its weighted sum before it reaches the graph.
    """

    def __init__(self, inputs: Sequence[Slot] = ()) -> None:
        self.nodes: List[Dict[str, Any]] = []
        self.constants: Dict[str, Any] = {}
        self.inputs = tuple(inputs)
        self.blocks: List[Tuple[Text, Any, str, str]] = []
        self.texts: Dict[str, Text] = {}
        self.places = self.constant(np.arange(len(self.inputs)), np.int64)
        self.base = self.add("Gather", "features", self.places, axis=1)

    def text(self, slot: Slot, facts: Dict[str, Any], width: int) -> Value:
        """Return the weighed words of a text column; ``facts`` is what the served encoder needs to know."""
        slot.kind = "text"
        name = f"text{len(self.texts)}"
        self.texts[name] = Text(slot, facts, width)
        return self.fresh(name, width, "word")

    def settle(self) -> List[Dict[str, Any]]:
        """Fix where each block stands in ``features`` and return the encoder's steps in that order."""
        steps: List[Dict[str, Any]] = []
        places, start = [], 0
        for slot in self.inputs:
            absent = slot.kind == "text" or not slot.used  # a text has a block of its own
            places.append(0 if absent else start)
            if absent:
                continue
            start += 1
            if slot.kind == "category":
                vectors = {category: [float(code)] for code, category in enumerate(slot.categories)}
                if slot.nullable:
                    vectors[""] = [GAP]
                steps.append({"step": "lookup", "column": slot.name, "vectors": vectors, "unseen": [UNSEEN]})
            elif steps and steps[-1]["step"] == "numbers":
                steps[-1]["columns"].append(slot.name)
            else:
                steps.append({"step": "numbers", "columns": [slot.name], "dates": False})
        for text, weights, first, last in self.blocks:
            step = {"step": "words", "column": text.slot.name, **text.facts}
            width = text.width
            if weights is not None:
                step["project"] = np.asarray(weights).tolist()
                width = np.asarray(weights).shape[1]
            steps.append(step)
            self.constants[first] = np.array([start], dtype=np.int64)
            self.constants[last] = np.array([start + width], dtype=np.int64)
            start += width
        self.constants[self.places] = np.array(places, dtype=np.int64)
        if places == list(range(start)):
            self.nodes[0]["op"] = "Identity"
            self.nodes[0]["inputs"] = ["features"]
            self.nodes[0]["attributes"] = {}
            del self.constants[self.places]
        return steps

    def _block(self, text: Text, weights: Any = None) -> str:
        first, last = self.constant([0], np.int64), self.constant([0], np.int64)
        self.blocks.append((text, weights, first, last))
        return self.add("Slice", "features", first, last, self.constant([1], np.int64))

    def constant(self, values: Any, dtype: Any = np.float64) -> str:
        """Return the name of a constant."""
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(values, dtype=dtype)
        return name

    def add(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its first output."""
        read = [self._block(self.texts[name]) if name in self.texts else name for name in inputs]
        output = f"t{len(self.nodes)}"
        self.nodes.append({"op": op, "domain": domain, "inputs": read, "outputs": [output], "attributes": attributes})
        return output

    def columns(self, value: Value, places: Sequence[int]) -> Value:
        """Return some columns of ``value``."""
        places = [int(place) for place in places]
        if places == list(range(value.width)):
            return value
        taken = self.add("Gather", value.tensor, self.constant(places, np.int64), axis=1)
        return Value(taken, [value.slots[place] for place in places])

    def beside(self, values: Sequence[Value]) -> Value:
        """Return the columns of all ``values`` side by side."""
        if len(values) == 1:
            return values[0]
        joined = self.add("Concat", *[value.tensor for value in values], axis=1)
        return Value(joined, [slot for value in values for slot in value.slots])

    def fresh(self, tensor: str, width: int, like: str = "feature") -> Value:
        """Return a tensor of new numbers."""
        return Value(tensor, [Slot(f"{like}_{place}") for place in range(width)])

    def affine(self, value: Value, *, minus: Any = None, by: Any = None, times: Any = None, plus: Any = None) -> Value:
        """Return ``(value - minus) / by * times + plus``, each a number a column or None."""
        tensor, scale, shift = value.tensor, np.ones(value.width), np.zeros(value.width)
        for op, operand in (("Sub", minus), ("Div", by), ("Mul", times), ("Add", plus)):
            if operand is None:
                continue
            row = np.broadcast_to(np.asarray(operand, dtype=np.float64).reshape(1, -1), (1, value.width))
            tensor = self.add(op, tensor, self.constant(row))
            if op in {"Sub", "Add"}:
                shift = shift + (row[0] if op == "Add" else -row[0])
            else:
                factor = row[0] if op == "Mul" else 1.0 / row[0]
                scale, shift = scale * factor, shift * factor
        slots = [
            Slot(slot.name, parent=slot, scale=float(scale[place]), shift=float(shift[place]))
            for place, slot in enumerate(value.slots)
        ]
        return Value(tensor, slots)

    def matmul(self, tensor: str, weights: Any, plus: Any = None) -> str:
        """Return ``tensor @ weights + plus``; weights of shape (width, outputs)."""
        weights = np.asarray(weights, dtype=np.float64)
        if tensor in self.texts:
            summed = self._block(self.texts[tensor], weights)
            if plus is None:
                return summed
            return self.add("Add", summed, self.constant(np.asarray(plus, dtype=np.float64).reshape(1, -1)))
        if plus is None:
            return self.add("MatMul", tensor, self.constant(weights))
        bias = np.broadcast_to(np.asarray(plus, dtype=np.float64).reshape(1, -1), (1, weights.shape[1]))
        return self.add("Gemm", tensor, self.constant(weights), self.constant(bias))

    def scalar(self, op: str, tensor: str, value: float) -> str:
        """Return ``tensor`` with one number added, multiplied, ... by ``op``."""
        return self.add(op, tensor, self.constant([[value]]))

    def as_float32(self, tensor: str) -> str:
        """Return the numbers rounded to float32, as trees compare them."""
        return self.add("Cast", self.add("Cast", tensor, to=1), to=11)

    def trees(self, tensor: str, trees: Trees, *, targets: int) -> str:
        """Return the sums of the trees' leaves by target, shape (rows, ``targets``)."""
        extra = {"membership_values": {"tensor": self.constant(trees.members)}} if trees.members else {}
        return self.add(
            "TreeEnsemble",
            tensor,
            domain=ML,
            n_targets=targets,
            aggregate_function=1,
            post_transform=0,
            tree_roots=trees.roots,
            nodes_featureids=trees.features,
            nodes_splits={"tensor": self.constant(trees.thresholds)},
            nodes_modes={"tensor": self.constant(trees.modes, np.uint8)},
            nodes_missing_value_tracks_true=trees.gaps_true,
            nodes_truenodeids=trees.true,
            nodes_trueleafs=trees.true_leaf,
            nodes_falsenodeids=trees.false,
            nodes_falseleafs=trees.false_leaf,
            leaf_targetids=trees.leaf_targets,
            leaf_weights={"tensor": self.constant(trees.leaf_weights)},
            **extra,
        )

    def both(self, positive: str) -> str:
        """Return the probabilities of two classes from that of the second, shape (rows, 2)."""
        one = self.constant([[1.0]])
        return self.add("Concat", self.add("Sub", one, positive), positive, axis=1)

    def shares(self, tensor: str) -> str:
        """Return each row divided by its sum."""
        total = self.add("ReduceSum", tensor, self.constant([1], np.int64), keepdims=1)
        return self.add("Div", tensor, total)

    def one_hot(self, places: str, count: int) -> str:
        """Return a 1 in each row's place: ``places`` int64, shape (rows, 1) or (rows,)."""
        flat = self.add("Reshape", places, self.constant([-1, 1], np.int64))
        known = self.constant(np.arange(count).reshape(1, -1), np.int64)
        return self.add("Cast", self.add("Equal", flat, known), to=11)
