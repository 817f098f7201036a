"""Hugging Face folders that sort texts: what is refused by their files, and that they answer as their library does.

What needs transformers runs where it is installed: ``pip install torch==2.13.0 transformers onnx`` beside pytest.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from toolkit.artifact import look
from toolkit.cage import read_caged
from toolkit.contract import contract, families_of
from toolkit.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film", "very", "not", "a", "##s", "."]
LABELS = ["worse", "same", "better"]
CONFIG: dict[str, Any] = {
    "model_type": "bert",
    "architectures": ["BertForSequenceClassification"],
    "id2label": dict(enumerate(LABELS)),
    "max_position_embeddings": 16,
    "hidden_size": 4,
}


def tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordPiece({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made


def network(width: int = len(LABELS), *, inputs: tuple[str, ...] = ("input_ids", "attention_mask")) -> onnx.ModelProto:
    """Return a graph as transformers are exported: rows and tokens open, places up to 16, masked mean, numbers out."""
    generator = np.random.default_rng(3)
    constants = {
        "words": generator.normal(size=(len(WORDS), 4)),
        "places": generator.normal(size=(16, 4)),
        "out": generator.normal(size=(4, width)),
        "zero": np.array(0, dtype=np.int64),
        "one": np.array([1], dtype=np.int64),
        "last": np.array([-1], dtype=np.int64),
        "unit": np.array(1, dtype=np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["meant"]),
        helper.make_node("Shape", ["input_ids"], ["shape"]),
        helper.make_node("Gather", ["shape", "one"], ["length"]),
        helper.make_node("Squeeze", ["length", "zeroth"], ["count"]),
        helper.make_node("Range", ["zero", "count", "unit"], ["at"]),
        helper.make_node("Gather", ["places", "at"], ["placed"]),
        helper.make_node("Add", ["meant", "placed"], ["sum"]),
        helper.make_node("Cast", ["attention_mask"], ["weight"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["weight", "last"], ["weights"]),
        helper.make_node("Mul", ["sum", "weights"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "one"], ["mean"], keepdims=0),
        helper.make_node("Tanh", ["mean"], ["bent"]),
        helper.make_node("MatMul", ["bent", "out"], ["logits"]),
    ]
    held = [
        numpy_helper.from_array(value if value.dtype == np.int64 else value.astype(np.float32), name)
        for name, value in {**constants, "zeroth": np.array([0], dtype=np.int64)}.items()
    ]
    fed = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in inputs]
    given = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", width])]
    graph = helper.make_graph(nodes, "sorts", fed, given, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def folder(path: Path, config: dict[str, Any] | None = None, model: onnx.ModelProto | None = None) -> Path:
    """Write a folder as it is exported: config, tokenizer, ONNX."""
    (path / "onnx").mkdir(parents=True)
    (path / "config.json").write_text(json.dumps({**CONFIG, **(config or {})}), encoding="utf-8")
    tokenizer().save(str(path / "tokenizer.json"))
    onnx.save(model or network(), str(path / "onnx" / "model.onnx"))
    return path


def asked(path: Path, text: str, most: int = 16) -> Any:
    """Return the numbers of the folder's own graph for a text."""
    runtime = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(path / "onnx" / "model.onnx"))
    own = tokenizer()
    own.enable_truncation(most)
    tokens = np.array([own.encode(text).ids], dtype=np.int64)
    return session.run(["logits"], {"input_ids": tokens, "attention_mask": np.ones_like(tokens)})[0][0]


def read(path: Path, **wishes: Any) -> Any:
    return read_caged(path, allowed=(), library="Transformers", imports=("tokenizers", "onnx"), network=wishes)


def served(caged: Any, text: str) -> Any:
    runtime = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(caged.arrays["model"].tobytes())
    step = caged.document["encoder"]["steps"][0]
    tokens = Tokenizer.from_str(step["tokenizer"]).encode(text).ids
    features = np.zeros((1, step["size"]))
    features[0, : 1 + len(tokens)] = [len(tokens), *tokens]
    return session.run(None, {"features": features})[0][0]


def test_a_text_gets_the_chances_that_the_network_gives_it(tmp_path: Path) -> None:
    path = folder(tmp_path / "made")
    caged = read(path)
    for text in ("a good film", "not a very bad film.", "films", "something else"):
        powers = np.exp(asked(path, text).astype(np.float64))
        assert served(caged, text) == pytest.approx(powers / powers.sum(), abs=1e-6)
    assert caged.document["classes"] == LABELS
    assert (
        len({tuple(answer) for answer in caged.arrays["answers"].tolist()}) > 100
    )  # texts that differ, not one answer


def test_what_stands_behind_the_last_token_that_is_read_changes_nothing(tmp_path: Path) -> None:
    path = folder(tmp_path / "made")
    caged = read(path)
    long = "good film " * 30
    assert served(caged, long) == pytest.approx(served(caged, long + "bad bad"))
    assert any("up to 16 tokens" in finding for finding in caged.document["findings"])
    longest = max(len(row["text"].split()) for row in caged.document["rows"])
    assert longest > 16  # such texts are part of the proof


def test_a_network_that_takes_fewer_places_than_it_is_said_to_is_asked_for_fewer(tmp_path: Path) -> None:
    path = folder(tmp_path / "made", {"max_position_embeddings": 18})
    assert read(path).document["columns"][0]["tokens"] == 16


@pytest.mark.parametrize(
    ("config", "width", "answer"),
    [
        ({"problem_type": "multi_label_classification"}, 3, "tensor"),
        ({"id2label": {"0": "LABEL_0"}}, 1, "number"),
        ({"problem_type": "regression", "id2label": {"0": "x", "1": "y"}}, 2, "tensor"),
    ],
)
def test_several_labels_at_once_and_numbers_are_served_as_what_they_are(
    tmp_path: Path, config: dict[str, Any], width: int, answer: str
) -> None:
    path = folder(tmp_path / "made", config, network(width))
    caged = read(path)
    assert caged.document["answer"] == answer
    raw = asked(path, "a good film").astype(np.float64)
    expected = 1 / (1 + np.exp(-raw)) if "label" in config.get("problem_type", "") else raw
    assert served(caged, "a good film") == pytest.approx(expected, abs=1e-6)


def test_labels_may_be_told(tmp_path: Path) -> None:
    path = folder(tmp_path / "made")
    assert read(path, labels=["one", "two", "three"]).document["classes"] == ["one", "two", "three"]
    with pytest.raises(ArtifactError, match="names 2 classes, the model answers with 3"):
        read(path, labels=["one", "two"])


def test_the_contract_takes_a_text_as_it_stands(tmp_path: Path) -> None:
    document = read(folder(tmp_path / "made")).document
    facts = contract(document, target="mood", title="made")["properties"]["text"]
    assert (facts["type"], facts["x-verbatim"], facts["x-values"]) == ("string", True, 16 * 4)
    assert families_of(document) == ("wrapped", "tokens")


@pytest.mark.slow
def test_a_folder_becomes_a_project_that_answers_texts(kaggle2app: Callable[..., Outcome], tmp_path: Path) -> None:
    path = folder(tmp_path / "made")
    rows = tmp_path / "rows.csv"
    rows.write_text("text,mood\n" + "a good film,better\nbad,worse\nfilm,same\n" * 5, encoding="utf-8")
    done = kaggle2app("new", path, "--into", tmp_path / "out", "--data", rows, "--target", "mood", "--json")
    assert done.code == 0, done.err
    readme = (tmp_path / "out" / "made" / "README.md").read_text(encoding="utf-8")
    assert "accuracy" in readme
    for name in ("requirements.lock", "requirements-serve.lock"):
        locked = re.findall(
            r"^([a-z][^\s=]*)==", (tmp_path / "out" / "made" / name).read_text(encoding="utf-8"), re.MULTILINE
        )
        assert {"tokenizers", "huggingface-hub"} <= set(locked)
        assert locked == sorted(locked)


@pytest.mark.slow
def test_an_answer_to_a_text_that_is_cut_says_so(kaggle2app: Callable[..., Outcome], tmp_path: Path) -> None:
    done = kaggle2app("new", folder(tmp_path / "made"), "--into", tmp_path / "out", "--no-tests", "--json")
    assert done.code == 0, done.err
    asked = (
        "import json\n"
        "from pathlib import Path\n"
        "from made.model import Model\n"
        "rows = [{'text': 'good ' * words} for words in (14, 15, 400)]\n"
        "print(json.dumps([answer['notes'] for answer in Model.load(Path('model')).answer(rows)]))\n"
    )
    project = tmp_path / "out" / "made"
    told = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    whole, *cut = json.loads(told.stdout)
    assert whole == []
    message = "longer than the 16 tokens that are read: the rest changes nothing"
    assert cut == [[{"kind": "cut", "column": "text", "message": message}]] * 2
    assert '"cut"' in (project / "src" / "made" / "openapi.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"auto_map": {"AutoModel": "evil.Model"}}, "code of the author's own"),
        ({"architectures": ["BertForTokenClassification"]}, "BertForTokenClassification"),
        ({"architectures": ["LlamaForCausalLM"]}, "LlamaForCausalLM"),
    ],
)
def test_other_folders_are_refused_by_their_config(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    found = look(folder(tmp_path / "made", change))
    assert not found.servable
    assert named in found.reason
    assert found.way


def test_a_graph_that_reads_more_than_a_text_gives_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path / "made", model=network(inputs=("input_ids", "attention_mask", "pixel_values")))
    with pytest.raises(ArtifactError, match="'pixel_values', which a text does not give"):
        read(path)


@pytest.mark.parametrize("content", ["", "{}", '{"model": {"type": "Evil"}}', "[" * 10_000])
def test_a_tokenizer_that_is_none_is_told_in_one_sentence(tmp_path: Path, content: str) -> None:
    path = folder(tmp_path / "made")
    (path / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(ArtifactError) as told:
        read(path)
    assert "\n" not in told.value.message


def test_tokens_that_the_network_does_not_know_are_told_in_one_sentence(tmp_path: Path) -> None:
    path = folder(tmp_path / "made")
    larger = tokenizer()
    larger.add_tokens(["film festival"])
    larger.save(str(path / "tokenizer.json"))
    assert look(path).servable
    caged = read(path)
    assert caged.document["answer"] == "probabilities"  # its usual words are answered; the one token is refused by row


# --- with transformers itself ----------------------------------------------------------------------------------------


@pytest.fixture
def transformers() -> Any:
    reason = "pip install torch==2.13.0 transformers, then run this file: too heavy for every run"
    pytest.importorskip("torch", reason=reason)
    return pytest.importorskip("transformers", reason=reason)


SMALL: dict[str, Any] = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
    "num_labels": 3,
}


@pytest.mark.parametrize("name", ["Bert", "Roberta", "Electra", "Albert", "DebertaV2", "MPNet", "XLMRoberta"])
def test_a_network_of_weights_answers_as_transformers_does(transformers: Any, tmp_path: Path, name: str) -> None:
    more = {"embedding_size": 8} if name in {"Electra", "Albert"} else {"pad_token_id": 1} if "o" in name else {}
    config = getattr(transformers, f"{name}Config")(**SMALL, **more)
    own = getattr(transformers, f"{name}ForSequenceClassification")(config).eval()
    own.save_pretrained(tmp_path)
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer(), unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )
    fast.save_pretrained(tmp_path)
    packages = ("transformers", "torch", "onnx", "onnxruntime")
    caged = read_caged(tmp_path, allowed=(), library="Transformers", imports=packages)
    assert look(tmp_path).servable
    torch = importlib.import_module("torch")
    for text in ("a good film", "not a very bad film . " * 20):
        most = caged.document["columns"][0]["tokens"]
        with torch.no_grad():
            raw = own(**fast(text, truncation=True, max_length=most, return_tensors="pt")).logits
        assert served(caged, text) == pytest.approx(torch.softmax(raw.double(), dim=-1)[0].numpy(), abs=1e-6)
