"""Files that are no model we serve, told for what they are: ``see_stranger`` gives the reason and the nearest way."""

from __future__ import annotations

import re

from toolkit.seen import Seen

# First bytes, framework, format, what it is and the nearest way.
_KNOWN = (
    (b"GGUF", "llama.cpp", "gguf", "a language model for llama.cpp", "serve it with `llama-server` or Ollama"),
    (
        b"lmgg",
        "llama.cpp",
        "ggml",
        "a language model in llama.cpp's old form",
        "convert it to GGUF, then `llama-server`",
    ),
    (
        b"tjgg",
        "llama.cpp",
        "ggml",
        "a language model in llama.cpp's old form",
        "convert it to GGUF, then `llama-server`",
    ),
    (
        b"ptrt",
        "TensorRT",
        "tensorrt",
        "an engine for one kind of NVIDIA card",
        "take the ONNX file that it was built from",
    ),
    (
        b"ftrt",
        "TensorRT",
        "tensorrt",
        "an engine for one kind of NVIDIA card",
        "take the ONNX file that it was built from",
    ),
    (b"MATLAB 5.0", "MATLAB", "matlab", "variables of MATLAB", "export the network there with `exportONNXNetwork`"),
    (b"RDX2\n", "R", "rds", "a workspace of R", "save it as PMML or ONNX, or its booster with `xgb.save`"),
    (b"RDX3\n", "R", "rds", "a workspace of R", "save it as PMML or ONNX, or its booster with `xgb.save`"),
    (
        b"X\n\x00\x00\x00",
        "R",
        "rds",
        "an object of R",
        "save its booster with `xgb.save` or `lgb.save`, or export ONNX",
    ),
    (b"A\n2\n", "R", "rds", "an object of R", "save its booster with `xgb.save` or `lgb.save`, or export ONNX"),
    (b"A\n3\n", "R", "rds", "an object of R", "save its booster with `xgb.save` or `lgb.save`, or export ONNX"),
    (
        b"\xac\xed\x00\x05",
        "Java",
        "java",
        "an object of Java, as Weka saves its models",
        "export the model as PMML or ONNX",
    ),
    (b"\xba\x16\x4f\x2f", "fastText", "fasttext", "word vectors of fastText", "serve it with the `fasttext` package"),
    (
        b"\x7fELF",
        "",
        "program",
        "a compiled program or library",
        "do not run it; take the model that it was built from",
    ),
    (b"MZ", "", "program", "a compiled program for Windows", "do not run it; take the model that it was built from"),
    (b"%PDF", "", "pdf", "a PDF document", "name the model file"),
    (b"\x89PNG", "", "image", "a picture", "name the model file"),
    (b"\xff\xd8\xff", "", "image", "a picture", "name the model file"),
    (b"PAR1", "", "table", "a table (Parquet)", "name it to `new` as data"),
    (b"SQLite format 3", "", "database", "a database (SQLite)", "name it to `new` as data"),
    (
        b"version https://git-lfs",
        "",
        "pointer",
        "a pointer of Git LFS and not the file itself",
        "fetch the file with `git lfs pull`",
    ),
)
_PATTERNS = (
    (
        rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<PMML\b",
        "PMML",
        "pmml",
        "a model as PMML",
        "export it as ONNX, or score it with JPMML",
    ),
    (
        rb"\s*(?:<\?xml[^>]*>\s*)?<net\s",
        "OpenVINO",
        "openvino",
        "a network's outline for OpenVINO",
        "take the ONNX file it was made from",
    ),
    (
        rb"(?i)\s*(?:<!doctype html|<html\b)",
        "",
        "html",
        "a web page, as a failed download leaves it",
        "download the file again",
    ),
    (
        rb"\s*\{(?s:.{0,4000}?)\"(?:modelTopology|weightsManifest)\"",
        "TensorFlow.js",
        "tfjs",
        "a network for the browser",
        "convert it with `tensorflowjs_converter` to a SavedModel or Keras file",
    ),
    (
        rb"\s*\{(?s:.{0,4000}?)\"(?:oblivious_trees|features_info)\"",
        "CatBoost",
        "catboost-json",
        "CatBoost's JSON, which it writes for people",
        "save the model as .cbm",
    ),
    (
        rb"\s*\{(?s:.{0,400}?)\"nbformat\"|\s*\{\s*\"cells\"",
        "",
        "notebook",
        "a notebook",
        "run it, and name the model that it saves",
    ),
    (
        rb"\s*(?:#!.*python|import \w+|from \w+ import )",
        "",
        "program",
        "a program in Python",
        "run it, and name the model that it saves",
    ),
)
HEAD_TEXT_BYTES = 4096


def see_stranger(head: bytes) -> Seen | None:
    """Return what a file is that is known and not served, ``None`` for bytes that are known by nothing.

    >>> see_stranger(b"GGUF").reason
    'it is a language model for llama.cpp, which is not served here'
    """
    for mark, framework, kind, what, way in _KNOWN:
        if head.startswith(mark):
            return _stranger(framework, kind, what, way)
    if b"MATLAB 7.3" in head[:128]:
        return _stranger("MATLAB", "matlab", "variables of MATLAB", "export the network there with `exportONNXNetwork`")
    for pattern, framework, kind, what, way in _PATTERNS:
        if re.match(pattern, head[:HEAD_TEXT_BYTES]):
            return _stranger(framework, kind, what, way)
    return None


def _stranger(framework: str, kind: str, what: str, way: str) -> Seen:
    return Seen(framework, kind, holds=what, reason=f"it is {what}, which is not served here", way=way)
