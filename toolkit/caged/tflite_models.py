"""A TFLite model as ONNX: ``convert`` reads its flatbuffer; TFLite's own interpreter is what it is held against."""

from __future__ import annotations

import struct
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np

from .converted import Converted
from .graph import UnservedError
from .tflite_files import LIST_MAX, TYPES, Lite, Table, Tensor, read
from .tflite_graph import asked_in_reals, translated
from .tflite_operators import HANDLERS

PROBED = 3  # rows that tell whether they can be answered together
APART = 1e-4  # by which a row may differ from itself beside others
METADATA = "TFLITE_METADATA"


class Voice:
    """TFLite's own interpreter, asked for as many rows at a time as the file says, mostly one."""

    def __init__(self, data: bytes, lite: Lite) -> None:
        self.lite = lite
        self.interpreter = _interpreter(data)
        try:
            self.interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            message = f"TFLite's own interpreter refuses it: {' '.join(str(error).split())[:160]}"
            raise UnservedError(message) from error

    def __call__(self, feeds: Dict[str, Any]) -> Dict[str, Any]:
        """Return the outputs by name."""
        rows = len(next(iter(feeds.values())))
        step = max(1, (self.lite.tensors[self.lite.inputs[0]].shape or [1])[0])
        parts = [
            self._run({name: array[start : start + step] for name, array in feeds.items()})
            for start in range(0, rows, step)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _run(self, feeds: Dict[str, Any]) -> Dict[str, Any]:
        lite, asked = self.lite, self.interpreter
        for at in lite.inputs:
            asked.set_tensor(at, _fed(feeds[lite.names[at]], lite.tensors[at]))
        asked.invoke()
        return {lite.names[at]: _told(asked.get_tensor(at), lite.tensors[at]) for at in lite.outputs}


def _fed(values: Any, tensor: Tensor) -> Any:
    if tensor.quantised and asked_in_reals(tensor):
        low, high = (-128, 127) if TYPES[tensor.type] is np.int8 else (0, 255)
        by = np.float32(1.0) / tensor.scale[0]
        values = np.clip(np.round(np.asarray(values, np.float32) * by) + tensor.zero[0], low, high)
    return np.asarray(values, dtype=TYPES[tensor.type])


def _told(values: Any, tensor: Tensor) -> Any:
    if not tensor.quantised:
        return values
    return (values.astype(np.int64) - tensor.zero[0]).astype(np.float32) * tensor.scale[0]


def _interpreter(data: bytes) -> Any:
    try:
        from ai_edge_litert.interpreter import (  # noqa: PLC0415 - only for its own files
            Interpreter,
        )
    except ImportError:
        if "tensorflow" not in sys.modules:
            raise
        Interpreter = sys.modules["tensorflow"].lite.Interpreter  # noqa: N806 - the same class, in its former home
    try:
        return Interpreter(model_content=data, num_threads=1)
    except (RuntimeError, ValueError) as error:
        message = f"TFLite's own interpreter does not open it: {' '.join(str(error).split())[:160]}"
        raise UnservedError(message) from error


def convert(path: str) -> Converted:
    """Return the model as ONNX; ``UnservedError`` says what in it has no such form."""
    data = Path(path).read_bytes()
    lite = read(data)
    if not lite.inputs or not lite.outputs:
        message = "it has no inputs or no outputs"
        raise UnservedError(message)
    voice = Voice(data, lite)
    model = _graph(lite)
    counted = Counter(operator.name for operator in lite.operators)
    told = ", ".join(f"{count} {name}" for name, count in counted.most_common(4))
    return Converted(
        model=model,
        ask=voice,
        parts=[f"TFLite network ({told})"],
        classes=_classes(data, lite),
        pictures=_pictures(lite),
        findings=_findings(lite),
    )


def _graph(lite: Lite) -> bytes:
    """Return the graph for any number of rows, or for those that the file says where rows are mixed up in it."""
    sides = [lite.tensors[at].open_sides for at in lite.inputs]
    if all(side and side[0] in {-1, 1} for side in sides):
        model = translated(lite, HANDLERS, rows=True)
        if _apart(model, lite):
            return model
    return translated(lite, HANDLERS, rows=False)


def _apart(model: bytes, lite: Lite) -> bool:
    """Return whether each row gets the answer beside others that it gets alone."""
    import onnxruntime  # noqa: PLC0415 - loaded by now

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        generator = np.random.default_rng(0)
        feeds = {}
        for at, port in zip(lite.inputs, session.get_inputs()):
            shape = [PROBED, *[side if side > 0 else 1 for side in lite.tensors[at].shape[1:]]]
            kind = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}.get(
                port.type
            )
            whole = generator.integers(0, 2, shape).astype(_plain(port.type))
            feeds[port.name] = whole if kind is None else generator.normal(0, 1, shape).astype(kind)
        together = session.run(None, feeds)
        for row in range(PROBED):
            alone = session.run(None, {name: array[row : row + 1] for name, array in feeds.items()})
            for many, one in zip(together, alone):
                if len(many) != PROBED or len(one) != 1:
                    return False
                far = np.abs(many[row : row + 1].astype(np.float64) - one) > APART * np.maximum(1, np.abs(one))
                if far.any():
                    return False
    except Exception:  # noqa: BLE001 - onnxruntime's errors have no class of their own
        return False
    return True


def _plain(kind: str) -> Any:
    names = {"tensor(int32)": np.int32, "tensor(int64)": np.int64, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8}
    return names.get(kind, np.dtype(kind[len("tensor(") : -1]) if kind != "tensor(bool)" else np.bool_)


def _findings(lite: Lite) -> List[str]:
    inner = [lite.names[at] for at in lite.inputs if lite.tensors[at].quantised and asked_in_reals(lite.tensors[at])]
    found = [f"its input {name} is of 8 bits: it is asked for as the numbers that these stand for" for name in inner]
    if any(lite.tensors[at].quantised for at in lite.outputs):
        found.append("its answers are of 8 bits: they are given as the numbers that these stand for, in steps")
    return found


def _metadata(lite: Lite) -> Optional[Table]:
    """Return the metadata that a maker may add: a flatbuffer of its own."""
    content = memoryview(lite.metadata.get(METADATA, b""))
    if len(content) < 8:  # noqa: PLR2004 - a root and its name
        return None
    return Table(content, int(struct.unpack_from("<I", content)[0]), [LIST_MAX])


def _input_facts(lite: Lite) -> List[Table]:
    """Return what the metadata says of each input of the first graph."""
    root = _metadata(lite)
    graphs = root.tables(3) if root is not None else []
    return graphs[0].tables(2) if graphs else []


def _pictures(lite: Lite) -> Optional[Dict[str, Dict[str, Any]]]:
    """Return what turns a picture into an input: the metadata's normalisation, or where whole numbers begin."""
    found: Dict[str, Dict[str, Any]] = {}
    facts = _input_facts(lite)
    for place, at in enumerate(lite.inputs):
        tensor = lite.tensors[at]
        channels = tensor.shape[3] if len(tensor.shape) == 4 else 0  # noqa: PLR2004 - rows, height, width, channels
        if channels not in {1, 3, 4}:
            continue
        if tensor.type == 9:  # noqa: PLR2004 - int8: pixels less 128
            found[lite.names[at]] = {"scale": 1.0, "mean": [128.0] * channels, "std": [1.0] * channels}
        elif tensor.type == 0 and place < len(facts):
            for unit in facts[place].tables(4):
                options = unit.table(1)
                if unit.number(0, "<B") == 1 and options is not None:
                    mean, std = ([float(one) for one in options.numbers(at_field, "<f4")] for at_field in (0, 1))
                    if mean and std and 0.0 not in std:
                        found[lite.names[at]] = {
                            "scale": 1.0,
                            "mean": (mean * channels)[:channels] if len(mean) == 1 else mean[:channels],
                            "std": (std * channels)[:channels] if len(std) == 1 else std[:channels],
                        }
    return found or None


def _classes(data: bytes, lite: Lite) -> Optional[List[Any]]:
    """Return the labels packed behind the model, where there are as many as its first output has values."""
    import io  # noqa: PLC0415 - here alone
    import zipfile  # noqa: PLC0415 - as above

    size = lite.tensors[lite.outputs[0]].shape[-1:] or [0]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for entry in packed.infolist()[:20]:
                if not entry.filename.lower().endswith(".txt") or entry.file_size > LABELS_BYTES_MAX:
                    continue
                with packed.open(entry) as file:
                    text = file.read(LABELS_BYTES_MAX).decode("utf-8", errors="replace")
                labels = [line.strip() for line in text.splitlines() if line.strip()]
                if len(labels) == size[0] and len(set(labels)) == len(labels):
                    return list(labels)
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError, ValueError):
        return None
    return None


LABELS_BYTES_MAX = 4 << 20
