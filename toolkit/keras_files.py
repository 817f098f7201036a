"""Keras models by their configuration: ``see_keras`` names layers that carry code or reach what is outside."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from toolkit.pickled import refusal
from toolkit.seen import NAMES_MAX, Port, Seen, finding
from toolkit.streams import DamagedError
from toolkit.verdicts import Import, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG_BYTES_MAX = 64 << 20
NODES_MAX = 2_000_000
_OWN = re.compile(
    r"(?:tf_|tensorflow\.)?keras(?:\.src)?(?:\.(?:layers|models|initializers|regularizers|constraints|optimizers|losses|"
    r"metrics|activations|dtype_policies|distribution|random|mixed_precision|backend|engine|python|saving|ops|nn|"
    r"quantizers|schedules)(?:\.\w+)*)?"
)
_MARKS = frozenset(
    ("__keras_tensor__", "__tuple__", "__numpy__", "__tensor__", "__bytes__", "__ellipsis__", "TensorShape")
)
_MARKS |= {"CompositeTensor", "__typespec__", "__complex__"}
_CODE = frozenset(("Lambda", "__lambda__", "__superdict__", "function", "lambda"))
_REACHING = {
    "TFSMLayer": "it loads a program of TensorFlow from a place that it names",
    "TorchModuleWrapper": "it opens a pickle of PyTorch",
    "JaxLayer": "it runs code of JAX",
    "FlaxLayer": "it runs code of Flax",
    "TensorFlowOpLayer": "it carries operators of TensorFlow",
    "TFOpLambda": "it calls any function of TensorFlow by name",
    "SlicingOpLambda": "it calls a function of TensorFlow by name",
}
_LOOKUPS = frozenset(("StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup"))
_TOP_BEGINS = re.compile(rb'\{\s*"(?:class_name|module|registered_name|config|name|build_config)"\s*:')


def see_keras(config: object, *, kind: str, version: str = "", weights: bool = True) -> Seen:
    """Return what a model's configuration tells; ``kind`` is the format that it lay in."""
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict | list):
        message = "its configuration describes no network"
        raise DamagedError(message)
    opens: dict[tuple[str, str], Import] = {}
    layers: dict[str, int] = {}
    for node in _nodes(config):
        name = node.get("class_name")
        if not isinstance(name, str):
            continue
        found = _judge(node, name)
        if found.verdict != "harmless":
            opens.setdefault((found.module, found.name), found)
        layers[name] = layers.get(name, 0) + 1
    refused = list(opens.values())
    inputs = _inputs(config)
    reason = refusal(refused) if refused else "" if weights else "it holds no weights"
    told = ", ".join(f"{count} {name}" for name, count in layers.items() if name[:1].isupper() and "Policy" not in name)
    return Seen(
        "Keras",
        kind,
        version=version,
        holds=f"a network of class {str(config.get('class_name', 'unknown'))[:80]}",
        opens=tuple(refused),
        inputs=inputs,
        outputs=_outputs(config),
        findings=(finding("layers", told[:300]),),
        reason=reason,
        way="export the network to ONNX where it was made, without layers of one's own code" if refused else "",
    )


def config_in(data: memoryview) -> tuple[dict[str, Any] | None, str]:
    """Return the model's configuration in an HDF5 file and Keras's version, read where the texts lie."""
    import mmap  # noqa: PLC0415 - beside its only use

    held = data.obj
    found: dict[str, Any] | None = None
    searched: Any = held if isinstance(held, mmap.mmap) else bytes(data)
    for match in re.finditer(_TOP_BEGINS, searched):
        at = match.start()
        try:
            text = bytes(data[at : at + CONFIG_BYTES_MAX]).decode("utf-8", "replace")
            value, _ = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and "class_name" in value and isinstance(value.get("config"), dict | list):
            found = value
            break
    at = searched.find(b"keras_version")
    near = bytes(data[at : at + 400]) if at >= 0 else b""
    version = re.search(rb"[^\d.](\d{1,2}\.\d{1,3}\.\d{1,3}(?:-tf)?)(?![\d.])", near)
    return found, version[1].decode() if version else ""


def _nodes(top: object) -> Iterator[dict[str, Any]]:
    waiting = [top]
    for count, value in enumerate(waiting):
        if count > NODES_MAX:
            return
        if isinstance(value, dict):
            yield value
            waiting.extend(inner for inner in value.values() if isinstance(inner, dict | list))
        elif isinstance(value, list):
            waiting.extend(inner for inner in value if isinstance(inner, dict | list))


def _judge(node: dict[str, Any], name: str) -> Import:
    """Judge one object that the configuration would have Keras make."""
    module = node.get("module")
    module = module if isinstance(module, str) else "keras.layers"
    config = node.get("config")
    registered = node.get("registered_name")

    def found(verdict: Verdict, why: str) -> Import:
        return Import(module, name, verdict == "dangerous", verdict, why)

    if name in _MARKS:
        return found("harmless", "a value")
    if name in _CODE:
        if name == "function" and isinstance(config, str) and _OWN.fullmatch(module):
            return found("harmless", "a function of Keras")
        return found("dangerous", "it runs code that the file carries or names")
    if name in _REACHING:
        return found("dangerous", _REACHING[name])
    if name in _LOOKUPS and isinstance(config, dict) and isinstance(config.get("vocabulary"), str):
        return found("dangerous", "it reads its words from a file that it names")
    if not _OWN.fullmatch(module):
        return found(
            "unknown" if module in {"builtins", "__main__"} or not module else "dangerous", "it is no part of Keras"
        )
    if isinstance(registered, str) and registered not in {name, "", "function"}:
        return found(
            "unknown", f"it is a class of the author's own (`{registered[:60]}`), and its code is not in the file"
        )
    return found("harmless", "a part of Keras")


def _inputs(config: dict[str, Any]) -> tuple[Port, ...]:
    ports: list[Port] = []
    inner = config.get("config")
    layers = inner.get("layers", ()) if isinstance(inner, dict) else inner
    for layer in layers if isinstance(layers, list) else ():
        held = layer.get("config") if isinstance(layer, dict) else None
        if not isinstance(held, dict):
            continue
        shape = held.get("batch_shape", held.get("batch_input_shape"))
        if isinstance(shape, list) and len(ports) < NAMES_MAX:
            sides = tuple(side if isinstance(side, int) else "?" for side in shape)
            dtype = held.get("dtype")
            ports.append(
                Port(str(held.get("name", "input"))[:200], dtype if isinstance(dtype, str) else "float32", sides)
            )
    return tuple(dict.fromkeys(ports))


def _outputs(config: dict[str, Any]) -> tuple[Port, ...]:
    inner = config.get("config")
    layers = inner.get("layers", ()) if isinstance(inner, dict) else inner
    last = layers[-1] if isinstance(layers, list) and layers else None
    held = last.get("config") if isinstance(last, dict) else None
    if not isinstance(held, dict):
        return ()
    units = held.get("units")
    return (Port(str(held.get("name", "output"))[:200], "float32", ("?", units) if isinstance(units, int) else ("?",)),)
