"""A Hugging Face folder that sorts texts: its tokenizer as data, its network as ONNX, held against its own library.

A text is answered alone, with as many tokens as it has: nothing is filled up, so that what stands beside a row changes
nothing and a short text costs little.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from .graph import UnservedError
from .networks import DOUBLE, Answer, merged
from .tensors import Wishes

ONNX_FILES = ("onnx/model.onnx", "model.onnx")
KNOWN_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
TOKENS_USUAL = 512  # where nobody says how many it reads
TOKENS_MAX = 4096
SHORTER = (0, 1, 2, 3, 4)  # places that some networks keep for themselves
OPSET = 17
ONNX_BYTES_MAX = 1_900_000_000  # one file of protobuf holds no more than 2 GB
DRAWN = 120
LONG = 2  # of them are longer than what is read
WORDS_MAX = 60
MARKS = ("##", "\u2581", "\u0120", "\u010a", "</w>")  # how tokenizers write the start or the inside of a word
ODD_TEXTS = (
    "a",
    "A short text, with (some) marks: 100 % & more!",
    "UPPER CASE AND lower case",
    "caf\u00e9 na\u00efve \u00fcber \u65e5\u672c\u8a9e \u0440\u0443\u0441\u0441\u043a\u0438\u0439 \U0001f600",
    "tab\tand\nline\r\nends  and   blanks ",
    "[CLS] [SEP] <s> </s> [MASK] <unk>",
    "1234567890 3.14 2024-01-31 a@b.example https://example.org/x?y=1",
    "-",
)
PROBLEMS = {"single_label_classification", "multi_label_classification", "regression"}


class Texts(NamedTuple):
    """What asks the folder's own library: ``encode`` gives a text's tokens, ``ask`` the network's numbers for it."""

    model: Any  # ONNX
    tokenizer: str  # as the library `tokenizers` writes it, with the number of tokens that are read
    most: int
    encode: Callable[[str], List[int]]
    ask: Callable[[str], Any]


class _Front:
    """What ``networks.merged`` asks of a network, with tokens in front instead of columns."""

    def __init__(self, model: Any, most: int) -> None:
        self.model = model
        self.fixed = 1
        self.owned: Dict[str, Any] = {}
        self.most = most

    def front(self, rows: str, constant: Callable[[str, Any], str]) -> Tuple[List[Any], int]:
        """Return the nodes that make a row's tokens of its features: their number, then each, then nothing."""
        from onnx import helper, numpy_helper  # noqa: PLC0415 - loaded by now

        def whole(name: str, *values: int) -> str:
            return constant(name, np.array(values, dtype=np.int64))

        nodes = [
            helper.make_node("Gather", [rows, whole("served_zeroth", 0)], ["served_length"], axis=1),
            helper.make_node("Reshape", ["served_length", whole("served_line_of", -1)], ["served_length_flat"]),
            helper.make_node("Cast", ["served_length_flat"], ["served_length_whole"], to=7),
            helper.make_node("Add", ["served_length_whole", whole("served_unit", 1)], ["served_end_of"]),
            helper.make_node(
                "Slice", [rows, whole("served_from", 1), "served_end_of", whole("served_along", 1)], ["served_tokens"]
            ),
            helper.make_node("Shape", ["served_tokens"], ["served_token_shape"]),
        ]
        for one in inputs_of(self.model):
            kind = one.type.tensor_type.elem_type
            if one.name == "input_ids":
                nodes.append(helper.make_node("Cast", ["served_tokens"], [one.name], to=kind))
                continue
            value = numpy_helper.from_array(np.array([1 if one.name == "attention_mask" else 0], dtype=np.int64))
            filled = f"served_{one.name}"
            nodes.append(helper.make_node("ConstantOfShape", ["served_token_shape"], [filled], value=value))
            nodes.append(helper.make_node("Cast", [filled], [one.name], to=kind))
        return nodes, self.most + 1


def read_text_network(
    path: str, *, seed: int, names: Optional[List[str]] = None, wishes: Optional[Dict[str, Any]] = None
) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return the reading of a folder: what the outside needs as JSON, and the arrays, ``model`` among them."""
    folder = Path(path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    found = _of_onnx(folder, config) if any((folder / name).is_file() for name in ONNX_FILES) else _of(folder, config)
    drawn = _draw(found, seed)
    first = np.asarray(found.ask(drawn[0]), dtype=np.float64).ravel()
    labels = _labels(config, len(first), Wishes.of(wishes))
    problem = _problem(config, len(first))
    output = _output(found.model, len(first))
    answers = np.stack([np.asarray(found.ask(text), dtype=np.float64).ravel() for text in drawn])
    findings = [f"a text is read up to {found.most:,} tokens; what stands behind them changes nothing"]
    if problem == "regression":
        answer = Answer(output, "number") if len(first) == 1 else Answer(output, "tensor", shape=[len(first)])
    elif problem == "multi_label_classification":
        answer = Answer(_made(found.model, output, "Sigmoid"), "tensor", shape=[len(first)])
        answers = 1.0 / (1.0 + np.exp(-answers))
        told = ", ".join(str(label) for label in labels[:50])
        findings.append(f"several labels may hold at once: its numbers are the chances of {told}, in this order")
    else:
        answer = Answer(_made(found.model, output, "Softmax"), "probabilities", labels)
        powers = np.exp(answers - answers.max(axis=1, keepdims=True))
        answers = powers / powers.sum(axis=1, keepdims=True)
    name = names[0] if names and len(names) == 1 else "text"
    graph = merged(_Front(found.model, found.most), answer, answers.shape[1])
    document = {
        "model": [(config.get("architectures") or [str(config.get("model_type"))])[0]],
        "columns": [
            {
                "name": name,
                "kind": "text",
                "nullable": False,
                "tokens": found.most,
                "cost": found.most * _width(config),
            }
        ],
        "named": True,
        "answer": answer.kind,
        "answer_shape": answer.shape,
        "classes": answer.classes,
        "encoder": {
            "format": 1,
            "steps": [{"step": "tokens", "column": name, "size": found.most + 1, "tokenizer": found.tokenizer}],
        },
        "nodes": [],
        "output": "",
        "rows": [{name: text} for text in drawn],
        "findings": findings,
    }
    return document, {"model": np.frombuffer(graph, dtype=np.uint8), "answers": answers}


def _made(model: Any, output: str, operator: str) -> str:
    """Add what makes chances of the network's numbers, in float64, and return the name of its output."""
    from onnx import helper  # noqa: PLC0415 - loaded by now

    exact, made = "served_numbers", "served_chances"
    sides: Dict[str, Any] = {"axis": -1} if operator == "Softmax" else {}
    model.graph.node.append(helper.make_node("Cast", [output], [exact], to=DOUBLE))
    model.graph.node.append(helper.make_node(operator, [exact], [made], **sides))
    return made


def inputs_of(model: Any) -> List[Any]:
    """Return what a graph is fed; ``UnservedError`` for an input that a text alone does not give."""
    given = {one.name for one in model.graph.initializer}
    found = [one for one in model.graph.input if one.name not in given]
    strange = [one.name for one in found if one.name not in KNOWN_INPUTS]
    if strange or not any(one.name == "input_ids" for one in found):
        message = f"its graph reads {', '.join(map(repr, strange)) or 'no input_ids'}, which a text does not give"
        raise UnservedError(message)
    return found


# --- a folder with ONNX ---------------------------------------------------------------------------------------------


def _of_onnx(folder: Path, config: Dict[str, Any]) -> Texts:
    """Return what asks the graph of a folder, with its tokenizer."""
    import onnx  # noqa: PLC0415 - only for its own files
    import onnxruntime  # noqa: PLC0415 - as above

    path = next(folder / name for name in ONNX_FILES if (folder / name).is_file())
    model = onnx.load(str(path))
    inputs = inputs_of(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    types = {one.name: onnx.helper.tensor_dtype_to_np_dtype(one.type.tensor_type.elem_type) for one in inputs}
    output = _output(model, _count(config))

    def run(tokens: List[int]) -> Any:
        fill = {"attention_mask": 1}
        feeds = {name: np.full((1, len(tokens)), fill.get(name, 0), kind) for name, kind in types.items()}
        feeds["input_ids"][0] = tokens
        return session.run([output], feeds)[0]

    tokenizer = _tokenizer(folder)
    most = _longest(_told_length(folder, config), run, _filler(config))
    tokenizer.enable_truncation(max_length=most, direction=_cut_side(folder))

    def encode(text: str) -> List[int]:
        return list(_plain(tokenizer.encode(text)).ids)

    return Texts(model, tokenizer.to_str(), most, encode, lambda text: run(encode(text)))


def _tokenizer(folder: Path) -> Any:
    """Return a folder's tokenizer as the library `tokenizers` knows it, without filling up and cutting off."""
    if (folder / "tokenizer.json").is_file():
        from tokenizers import Tokenizer  # noqa: PLC0415 - only for its own files

        found = Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
    else:
        found = _own_tokenizer(folder).backend_tokenizer
    found.no_padding()
    found.no_truncation()
    return found


# --- a folder with weights of PyTorch -------------------------------------------------------------------------------


def _own_tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer  # noqa: PLC0415 - only for its own files

    found = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False, use_fast=True)
    if not getattr(found, "is_fast", False):
        message = "its tokenizer has no form without Python code of its own"
        raise UnservedError(message)
    return found


def _of(folder: Path, config: Dict[str, Any]) -> Texts:
    """Return what asks a folder's network by transformers itself, and the same network as ONNX."""
    import torch  # noqa: PLC0415 - only for its own files
    from transformers import AutoModelForSequenceClassification  # noqa: PLC0415 - as above

    torch.set_num_threads(1)
    own = _own_tokenizer(folder)
    network = AutoModelForSequenceClassification.from_pretrained(
        str(folder), local_files_only=True, trust_remote_code=False, use_safetensors=True, attn_implementation="eager"
    )
    network = network.float().eval()

    def run(tokens: List[int]) -> Any:
        given = torch.tensor([tokens])
        with torch.no_grad():
            return network(input_ids=given, attention_mask=torch.ones_like(given)).logits.numpy()

    most = _longest(_told_length(folder, config), run, _filler(config))

    def ask(text: str) -> Any:
        given = own(text, truncation=True, max_length=most, return_tensors="pt")
        with torch.no_grad():
            return network(**given).logits.numpy()

    def encode(text: str) -> List[int]:
        return list(own(text, truncation=True, max_length=most)["input_ids"])

    tokenizer = own.backend_tokenizer
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=most, direction=str(own.truncation_side))
    for text in (*ODD_TEXTS, " ".join(ODD_TEXTS * most)):
        if list(_plain(tokenizer.encode(text)).ids) != encode(text):
            message = "its tokenizer does more than its data says: by transformers, a text becomes other tokens"
            raise UnservedError(message)
    return Texts(_exported(torch, network, encode(ODD_TEXTS[1])), tokenizer.to_str(), most, encode, ask)


def _exported(torch: Any, network: Any, tokens: List[int]) -> Any:
    """Return the network as ONNX: one text of any number of tokens in, its numbers out."""
    import onnx  # noqa: PLC0415 - only for its own files

    class Plain(torch.nn.Module):  # type: ignore[misc,unused-ignore]  # its base is known only here
        def __init__(self) -> None:
            super().__init__()
            self.inner = network

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.inner(input_ids=input_ids, attention_mask=attention_mask, return_dict=False)[0]

    example = torch.tensor([tokens])
    written = io.BytesIO()
    size = sum(one.numel() * one.element_size() for one in network.parameters())
    if size > ONNX_BYTES_MAX:
        message = f"its weights are {size:,} bytes, and one file of ONNX holds 2 GB"
        raise UnservedError(message)
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(
            Plain().eval(),
            (example, torch.ones_like(example)),
            written,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={"input_ids": {1: "tokens"}, "attention_mask": {1: "tokens"}},
            opset_version=OPSET,
            dynamo=False,
        )
    return onnx.load_from_string(written.getvalue())


# --- what both share ------------------------------------------------------------------------------------------------


def _plain(encoding: Any) -> Any:
    if any(encoding.type_ids):
        message = "its tokenizer marks tokens of a single text as of a second one"
        raise UnservedError(message)
    return encoding


def _words_facts(folder: Path) -> Dict[str, Any]:
    """Return what a folder says of its tokenizer beside the tokenizer's own data."""
    with contextlib.suppress(OSError, ValueError):
        told = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        return told if isinstance(told, dict) else {}
    return {}


def _cut_side(folder: Path) -> str:
    """Return the end of a text at which it is cut when it is too long."""
    return "left" if _words_facts(folder).get("truncation_side") == "left" else "right"


def _filler(config: Dict[str, Any]) -> int:
    """Return a token that stands for something: some networks give no place to the one that fills up."""
    return 4 if config.get("pad_token_id") == 5 else 5  # noqa: PLR2004 - any two that every vocabulary has


def _told_length(folder: Path, config: Dict[str, Any]) -> int:
    """Return how many tokens a network is said to read."""
    told = [config.get(name) for name in ("max_position_embeddings", "n_positions", "max_sequence_length")]
    told.append(_words_facts(folder).get("model_max_length"))
    known = [int(one) for one in told if isinstance(one, (int, float)) and 0 < one < 10 * TOKENS_MAX]
    return min([*known, TOKENS_MAX]) if known else TOKENS_USUAL


def _longest(told: int, run: Callable[[List[int]], Any], filler: int) -> int:
    """Return how many tokens a network takes: as many as it is said to, or a few less that it keeps for itself."""
    error: Optional[Exception] = None
    for less in SHORTER:
        try:
            run([filler] * (told - less))
        except Exception as failure:  # noqa: BLE001 - whatever the library raises
            error = failure
        else:
            return told - less
    message = f"it does not answer {told:,} tokens, nor a few less: {str(error).splitlines()[0][:200] if error else ''}"
    raise UnservedError(message)


def _width(config: Dict[str, Any]) -> int:
    """Return how many numbers a network holds of a token."""
    told = [config.get(name) for name in ("hidden_size", "dim", "n_embd", "d_model")]
    return next((one for one in told if isinstance(one, int) and 0 < one < 1 << 20), 1)


def _count(config: Dict[str, Any]) -> int:
    labels = config.get("id2label")
    return len(labels) if isinstance(labels, dict) and labels else int(config.get("num_labels") or 2)


def _output(model: Any, count: int) -> str:
    """Return the output that holds a number a label."""
    outputs = [one.name for one in model.graph.output]
    wide = {one.name: [side.dim_value for side in one.type.tensor_type.shape.dim] for one in model.graph.output}
    fitting = [name for name in outputs if wide[name][-1:] == [count]]
    return str(next((name for name in outputs if name == "logits"), (fitting or outputs)[0]))


def _problem(config: Dict[str, Any], count: int) -> str:
    told = config.get("problem_type")
    return str(told) if told in PROBLEMS else "regression" if count == 1 else "single_label_classification"


def _labels(config: Dict[str, Any], count: int, wishes: Wishes) -> List[Any]:
    """Return the labels' names in order."""
    if wishes.labels:
        if len(wishes.labels) != count:
            message = f"`--labels` names {len(wishes.labels)} classes, the model answers with {count}"
            raise UnservedError(message)
        return list(wishes.labels)
    told = config.get("id2label")
    names = [str(told.get(str(at))) for at in range(count)] if isinstance(told, dict) and len(told) == count else []
    return names if len(set(names)) == count else list(range(count))


def _draw(found: Texts, seed: int) -> List[str]:
    """Return made-up texts of the tokenizer's own words, odd ones, and some longer than what is read."""
    from tokenizers import Tokenizer  # noqa: PLC0415 - loaded by now

    generator = np.random.default_rng(seed)
    known = sorted(Tokenizer.from_str(found.tokenizer).get_vocab(with_added_tokens=False))
    plain_words = (re.sub("|".join(map(re.escape, MARKS)), "", token) for token in known)
    words = [word for word in plain_words if word.isalpha() and len(word) > 1] or ["one", "word", "after", "another"]

    def text(count: int) -> str:
        chosen = [words[place] for place in generator.integers(0, len(words), count)]
        return " ".join(chosen) + (". " if generator.random() < 0.5 else "")  # noqa: PLR2004 - every second

    plain = [text(int(count)) for count in generator.integers(1, WORDS_MAX, DRAWN - LONG)]
    long = [text(found.most + 50) for _ in range(LONG)]
    return list(dict.fromkeys([*plain[:20], *ODD_TEXTS, *plain[20:], *long]))
