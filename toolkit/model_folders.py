"""Folders that are models: TensorFlow's SavedModel, Hugging Face's, TensorFlow.js and MLflow's."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolkit.seen import Port, Seen, finding, listed
from toolkit.streams import DamagedError
from toolkit.wire import hold_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JSON_BYTES_MAX = 64 << 20
LABELS_MAX = 10_000
WEIGHTS = ("onnx/model.onnx", "model.onnx", "model.safetensors", "pytorch_model.bin", "tf_model.h5")
CLASSIFIES = "ForSequenceClassification"
TOKENIZERS = ("tokenizer.json", "vocab.txt", "spiece.model", "spm.model", "sentencepiece.bpe.model", "vocab.json")


def see_folder(folder: Path, see: Callable[[Path], Seen]) -> Seen | None:
    """Return what kind of model a folder is, ``None`` for a folder of something else; ``see`` looks at a file in it."""
    if _is_file(folder / "saved_model.pb"):
        seen = see(folder / "saved_model.pb")
        if not (folder / "variables").is_dir() and not seen.reason:
            return replace(seen, findings=(*seen.findings, finding("no-variables", "no folder `variables` beside it")))
        return seen
    config = folder / "config.json"
    if _is_file(config):
        facts = _json(config)
        if isinstance(facts, dict) and ("model_type" in facts or "architectures" in facts):
            return _see_transformers(folder, facts, see)
    if _is_file(folder / "model.json") and any(folder.glob("*.bin")):
        seen = see(folder / "model.json")
        if seen.format == "tfjs":
            return seen
    if _is_file(folder / "MLmodel"):
        reason = "it is a folder of MLflow, whose model lies in a file of its own"
        return Seen(
            "MLflow", "mlflow", holds="a model with its environment", reason=reason, way="name the model file in it"
        )
    return None


def _see_transformers(folder: Path, facts: dict[str, Any], see: Callable[[Path], Seen]) -> Seen:
    held = [name for name in WEIGHTS if _is_file(folder / name)]
    shards = sorted(path.name for path in folder.glob("*-of-*.safetensors") if path.is_file())
    tokenizers = [name for name in TOKENIZERS if _is_file(folder / name)]
    told = facts.get("architectures")
    architecture = [str(name) for name in (told if isinstance(told, list) else [told] if told else [])][:3]
    labels = facts.get("id2label")
    names = [str(label) for label in labels.values()][:LABELS_MAX] if isinstance(labels, dict) else []
    name = ", ".join(architecture) or str(facts.get("model_type"))
    base = Seen(
        "Transformers",
        "transformers-folder",
        version=str(facts.get("transformers_version", ""))[:20],
        holds=f"{name[:200]} with {listed([*held, *shards[:3]]) or 'no weights'}",
        inputs=(Port("text", "string", ("?",)),) if tokenizers else (),
        outputs=tuple(Port(name, "class") for name in names),
        findings=(finding("tokenizer", f"tokenizer: {listed(tokenizers) or 'none'}"),),
    )
    if facts.get("auto_map"):
        reason = "its config.json asks for Python code of the author's own (`auto_map`)"
        return replace(base, reason=reason, way="export it to ONNX where that code is trusted")
    if not held and not shards:
        return replace(base, reason="it holds no weights", way="download the whole folder")
    seen = see(folder / (held or shards)[0])
    if seen.format not in {"safetensors", "onnx"}:
        if any(one.verdict != "harmless" for one in seen.opens):
            return replace(base, opens=seen.opens, reason=seen.reason, way=seen.way)
        return replace(
            base, opens=seen.opens, reason=f"its weights are {seen.format}", way="save it as safetensors or ONNX"
        )
    if seen.format == "onnx" and seen.reason:
        return replace(base, reason=seen.reason, way=seen.way)
    if not tokenizers:
        return replace(
            base, reason="it has no tokenizer: nothing turns a text into numbers", way="add its tokenizer.json"
        )
    if architecture and not architecture[0].endswith(CLASSIFIES):
        reason = f"it is a {architecture[0][:100]}: served are networks that sort texts (`...{CLASSIFIES}`)"
        return replace(base, reason=reason, way="take a fine-tuned one for text classification")
    alone = seen.format == "onnx" and "tokenizer.json" in tokenizers  # no library of weights is needed
    return replace(base, format="transformers-onnx") if alone else base


def _json(path: Path) -> Any:
    if path.stat().st_size > JSON_BYTES_MAX:
        message = f"`{path.name}` is {path.stat().st_size:,} bytes"
        raise DamagedError(message)
    try:
        return json.loads(hold_json(path.read_bytes()))
    except (ValueError, RecursionError) as error:
        message = f"`{path.name}` is no JSON"
        raise DamagedError(message) from error


def _is_file(path: Path) -> bool:
    """Return whether a file lies there itself: links may lead anywhere."""
    return path.is_file() and not path.is_symlink()
