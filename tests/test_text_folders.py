"""What a Hugging Face folder answers through the API and in files, and folders that were made to attack.

What needs transformers runs where ``KAGGLE2APP_TRANSFORMERS_PYTHON`` names an interpreter that has it, with PyTorch,
SentencePiece and ONNX Runtime: too heavy for every run.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tokenizers
from onnx import ModelProto, TensorProto
from test_tensors import ask, made, rows, run
from test_text_networks import folder, network

from toolkit.artifact import look
from toolkit.cage import read_caged
from toolkit.errors import ArtifactError
from toolkit.wrapping import OWN_FORMS, TOLERANCE, Wishes, read_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.cage import Caged

PYTHON = "KAGGLE2APP_TRANSFORMERS_PYTHON"
LENGTH = 16  # tokens that the made network reads
SENTENCES = ["not a very good film .", "a bad film", "good films are not bad"]
TEXTS = [
    "a very good film",
    "  outer blanks  ",
    "Not a bad film, " * 20,  # longer than what is read
    "\u00e9t\u00e9 \u65e5\u672c\u8a9e \U0001f600 na\u00efve",
    "[CLS] [SEP] [PAD] <s> </s>",
    "=1+1",
    "line\nand\ttab",
    "x",
]


def byte_pairs() -> Any:
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet)
    made.train_from_iterator(SENTENCES, trainer)
    made.post_processor = tokenizers.processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return made


def word_pieces(pattern: str = "") -> Any:
    """Return a tokenizer of whole words and their parts, cut by a pattern where one is given."""
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer()
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    made.train_from_iterator(SENTENCES, tokenizers.trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
    ends = [("[CLS]", 2), ("[SEP]", 3)]
    made.post_processor = tokenizers.processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    if pattern:
        made.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated")
    return made


def folder_of(path: Path, tokenizer: Any, *, known: int = 0, **facts: Any) -> Path:
    """Return a folder with that tokenizer and a network that knows its tokens, or so many of them."""
    folder(path, model=with_words(network(), known or tokenizer.get_vocab_size()))
    tokenizer.save(str(path / "tokenizer.json"))
    (path / "tokenizer_config.json").write_text(json.dumps(facts), encoding="utf-8")
    return path


def with_words(model: ModelProto, count: int) -> ModelProto:
    tensor = next(one for one in model.graph.initializer if one.name == "words")
    values = np.random.default_rng(9).normal(size=(count, tensor.dims[1])).astype(np.float32)
    tensor.dims[0], tensor.raw_data = count, values.tobytes()
    return model


def original(path: Path, texts: list[str], *, side: str = "right") -> Any:
    """Return the chances that the folder's own tokenizer and graph give, a line a text."""
    import onnxruntime

    tokenizer = tokenizers.Tokenizer.from_file(str(path / "tokenizer.json"))
    tokenizer.enable_truncation(LENGTH, direction=side)
    session = onnxruntime.InferenceSession(path / "onnx" / "model.onnx", providers=["CPUExecutionProvider"])
    found = []
    for text in texts:
        tokens = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        found.append(session.run(None, {"input_ids": tokens, "attention_mask": np.ones_like(tokens)})[0][0])
    powers = np.exp(np.array(found, dtype=np.float64))
    return powers / powers.sum(axis=1, keepdims=True)


def refusal(path: Path, into: Path) -> str:
    with pytest.raises(ArtifactError) as raised:
        read_model(path, look(path), Wishes(into=into, name="made"))
    assert raised.value.exit_code == 5
    return raised.value.message


@pytest.mark.parametrize("tokenizer", [word_pieces, byte_pairs])
def test_texts_are_answered_as_the_folder_itself_answers_them(tmp_path: Path, tokenizer: Callable[[], Any]) -> None:
    path = folder_of(tmp_path / "texts", tokenizer())
    project = made(path, tmp_path / "out")
    expected = original(path, TEXTS)
    answers = rows(project, *({"text": text} for text in TEXTS))
    found = [list(answer["probabilities"].values()) for answer in answers]
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    table = io.StringIO()
    csv.writer(table).writerows([["text"], *([text] for text in TEXTS)])
    ((status, text),) = ask(project, ("/predict/file", table.getvalue()))
    assert status == 200, text
    lines = list(csv.DictReader(io.StringIO(text)))
    in_file = [[float(line[f"probability_{label}"]) for label in answers[0]["probabilities"]] for line in lines]
    np.testing.assert_allclose(in_file, expected, atol=TOLERANCE)


def test_a_long_text_is_cut_at_the_end_that_the_tokenizer_says(tmp_path: Path) -> None:
    text = "good " * 30 + "bad"
    path = folder_of(tmp_path / "texts", word_pieces(), truncation_side="left")
    (answer,) = rows(made(path, tmp_path / "out"), {"text": text})
    np.testing.assert_allclose(
        list(answer["probabilities"].values()), original(path, [text], side="left")[0], atol=TOLERANCE
    )


@pytest.mark.parametrize("told", [5, {"a": 1}, [["x"]], "LlamaForCausalLM"])
def test_an_architecture_that_is_no_name_of_one_is_refused(tmp_path: Path, told: Any) -> None:
    found = look(folder(tmp_path / "texts", {"architectures": told}))
    assert "served are networks that sort texts" in found.reason
    assert str(told[0] if isinstance(told, list) else told) in found.reason


def test_weights_that_lie_outside_of_the_folder_are_refused(tmp_path: Path) -> None:
    model = network()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    path = folder(tmp_path / "texts")
    (path / "onnx" / "model.onnx").write_bytes(model.SerializeToString())
    found = look(path)
    assert not found.servable
    assert "/etc/passwd" in found.reason


@pytest.mark.parametrize("size", [0, 7, 400])
def test_cut_weights_are_refused(tmp_path: Path, size: int) -> None:
    path = folder(tmp_path / "texts")
    weights = path / "onnx" / "model.onnx"
    weights.write_bytes(weights.read_bytes()[:size])
    assert refusal(path, tmp_path / "out")


def test_cut_weights_of_safetensors_are_refused(tmp_path: Path) -> None:
    path = folder(tmp_path / "texts")
    (path / "onnx" / "model.onnx").unlink()
    header = json.dumps({"w": {"dtype": "F32", "shape": [400], "data_offsets": [0, 1600]}}).encode()
    (path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    assert "outside of the file" in refusal(path, tmp_path / "out")


def test_a_tokenizer_of_more_words_than_the_network_is_refused(tmp_path: Path) -> None:
    assert refusal(folder_of(tmp_path / "texts", byte_pairs(), known=20), tmp_path / "out")


def test_a_tokenizer_whose_pattern_takes_for_ever_is_refused(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "texts", word_pieces(r"([a-z ]|[a-z ][a-z ])+\d"))
    assert "retry-limit" in refusal(path, tmp_path / "out")


def test_a_text_on_which_the_tokenizers_pattern_gives_up_is_named_by_its_row(tmp_path: Path) -> None:
    project = made(folder_of(tmp_path / "texts", word_pieces(r"(q|qq)+\d")), tmp_path / "out")
    bad = {"rows": [{"text": "a film"}, {"text": "q" * 60}]}
    (status, told), (other, _) = ask(project, ("/predict", bad), ("/predict", {"rows": bad["rows"][:1]}))
    assert (status, other) == (422, 200), told
    assert [problem["row"] for problem in json.loads(told)["errors"]] == [1]


@pytest.mark.slow
@pytest.mark.parametrize("facts", [{"id2label": {"0": "mood"}}, {"problem_type": "multi_label_classification"}])
def test_projects_of_numbers_hold_their_own_tests_and_are_clean(tmp_path: Path, facts: dict[str, Any]) -> None:
    path = folder(tmp_path / "texts", facts, network(len(facts.get("id2label", "abc"))))
    project = made(path, tmp_path / "out", tests=True)
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        run(project, "-m", *command)


# --- with transformers itself ----------------------------------------------------------------------------------------

MAKER = """
import json
import sys

import sentencepiece
import torch
import transformers
from tokenizers import Tokenizer

folder, out = sys.argv[1:]
sizes = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, max_position_embeddings=42,
    initializer_range=0.3, id2label=dict(enumerate(["calm", "glad", "sad"])),
)


def write(name, config, **facts):
    torch.manual_seed(3)
    network = transformers.AutoModelForSequenceClassification.from_config(config)
    network.eval().save_pretrained(f"{out}/{name}", max_shard_size="20KB")
    with open(f"{out}/{name}/tokenizer_config.json", "w") as file:
        json.dump({"model_max_length": 40, **facts}, file)


words = Tokenizer.from_file(f"{folder}/tokenizer.json")
config = transformers.BertConfig(**sizes, vocab_size=300)
write("pieces", config, tokenizer_class="BertTokenizer", truncation_side="left")
with open(f"{out}/pieces/vocab.txt", "w") as file:
    file.writelines(f"{word}\\n" for word, _ in sorted(words.get_vocab().items(), key=lambda each: each[1]))
config = transformers.XLMRobertaConfig(**sizes, vocab_size=300, pad_token_id=1)
write("sentences", config, tokenizer_class="XLMRobertaTokenizer")
sentencepiece.SentencePieceTrainer.train(
    input=f"{folder}/sentences.txt", model_prefix=f"{folder}/trained", vocab_size=60, hard_vocab_limit=False,
    unk_id=0, bos_id=1, eos_id=2, pad_id=-1, minloglevel=2,
)
with open(f"{folder}/trained.model", "rb") as trained, open(f"{out}/sentences/sentencepiece.bpe.model", "wb") as file:
    file.write(trained.read())
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of folders in shards, whose tokenizers are not yet in the form of ``tokenizer.json``."""
    place = tmp_path_factory.mktemp("folders")
    word_pieces().save(str(place / "tokenizer.json"))
    (place / "sentences.txt").write_text("\n".join(SENTENCES * 20), encoding="utf-8")
    command = [os.environ[PYTHON], "-c", MAKER, str(place), str(place)]
    subprocess.run(command, check=True, capture_output=True, cwd=place)
    return place


def read(path: Path) -> Caged:
    found = look(path)
    assert found.servable, found.reason
    packages, python = OWN_FORMS["Transformers"], Path(os.environ[PYTHON])
    return read_caged(path, allowed=found.allowed, library=found.framework, imports=packages, python=python)


@pytest.mark.slow
@pytest.mark.skipif(PYTHON not in os.environ, reason=f"{PYTHON} names no interpreter with transformers")
@pytest.mark.parametrize("name", ["pieces", "sentences"])
def test_a_vocabulary_or_a_sentencepiece_model_becomes_the_tokenizer(folders: Path, name: str) -> None:
    import onnxruntime

    caged = read(folders / name)
    (step,) = caged.document["encoder"]["steps"]
    tokenizer = tokenizers.Tokenizer.from_str(step["tokenizer"])
    features = np.zeros((len(caged.document["rows"]), step["size"]))
    for line, row in zip(features, caged.document["rows"], strict=True):
        tokens = tokenizer.encode(row["text"]).ids
        line[: 1 + len(tokens)] = [len(tokens), *tokens]
    session = onnxruntime.InferenceSession(caged.arrays["model"].tobytes(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"features": features})[0], caged.arrays["answers"], atol=TOLERANCE)
    assert caged.document["classes"] == ["calm", "glad", "sad"]


@pytest.mark.slow
@pytest.mark.skipif(PYTHON not in os.environ, reason=f"{PYTHON} names no interpreter with transformers")
def test_a_tokenizer_that_is_python_code_of_its_author_never_runs(folders: Path, tmp_path: Path) -> None:
    path = shutil.copytree(folders / "pieces", tmp_path / "texts")
    facts = {"auto_map": {"AutoTokenizer": ["own.Words", None]}, "tokenizer_class": "Words"}
    (path / "tokenizer_config.json").write_text(json.dumps(facts), encoding="utf-8")
    (path / "own.py").write_text("raise RuntimeError('it ran')\n", encoding="utf-8")
    with pytest.raises(ArtifactError) as raised:
        read(path)
    assert "it ran" not in raised.value.message
