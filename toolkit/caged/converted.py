"""A model of another framework as ONNX, with that framework's own voice to hold the ONNX against."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Callable, Dict, List, NamedTuple, Optional

CONVERTERS = {
    "Keras": "keras_models",
    "TensorFlow": "tensorflow_models",
    "TFLite": "tflite_models",
    "PyTorch": "torch_models",
}  # framework, and the module here whose `convert(path)` gives a `Converted`
SHAPELESS = {"PyTorch"}


class Converted(NamedTuple):
    """``model`` is ONNX, its first side of every input the rows; ``ask`` is the framework itself.

    ``ask`` takes arrays by the names of the ONNX's inputs, all with as many rows, and returns the framework's own
    outputs by the names of the ONNX's outputs. ``parts`` are the model's parts in order, for people.
    ``pictures`` tells of an input what turns a picture into it (see ``tensors.py``), where the model says so.
    """

    model: bytes
    ask: Callable[[Dict[str, Any]], Dict[str, Any]]
    parts: List[str]
    classes: Optional[List[Any]] = None
    pictures: Optional[Dict[str, Dict[str, Any]]] = None
    findings: Optional[List[str]] = None


def convert(framework: str, path: str, wishes: Optional[Dict[str, Any]] = None) -> Converted:
    """Return the model in ``path`` (a file or a folder) as ONNX; ``UnservedError`` says what has no such form.

    ``wishes`` are the job's, for the frameworks whose files do not know their own shapes.
    """
    module = import_module(f".{CONVERTERS[framework]}", __package__)
    found = module.convert(path, wishes) if framework in SHAPELESS else module.convert(path)
    assert isinstance(found, Converted)  # noqa: S101 - a promise among our own modules
    return found
