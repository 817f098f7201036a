"""A network that reads pictures, sequences or tensors is served as it answers itself, from lists and from files."""

from __future__ import annotations

import base64
import csv
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browser import Browser, lacking
from conftest import DATASETS
from onnx import TensorProto, helper
from PIL import Image
from test_networks import save, value

from toolkit.artifact import look
from toolkit.caged.graph import UnservedError
from toolkit.caged.networks import read_network
from toolkit.caged.tensors import prepared
from toolkit.contract import labels_beside, network_wishes
from toolkit.download import Provenance
from toolkit.errors import ArtifactError, UsageError
from toolkit.wrapping import TOLERANCE, Wishes, read_model, wrap_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome

SEED = np.random.default_rng(3)
FLOAT, HALF, BYTE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8
node = helper.make_node

EXTREME = """
import json
from pathlib import Path
from made.batch import Worker
from made.model import Model
from made.schema import InputError
from made.tables import Chunk
rows = [[json.dumps([[value] * 5] * 12)] for value in (1, 2, 1e39)]
try:
    Worker.of(Model.load(Path("model"))).answer(Chunk(("steps",), 8_000, rows))
except InputError as error:
    print([problem.row for problem in error.problems])
"""

# Asked in the project's own process: what the API answers to bodies, and what files give.
ASK = """
import json, sys
from pathlib import Path
from fastapi.testclient import TestClient
from {package}.api import create_app
from {package}.settings import Settings
client = TestClient(create_app(Settings(model_dir=Path("model"))))
asked = json.loads(sys.stdin.read())
told = []
for path, body in asked:
    kind = "text/csv" if path == "/predict/file" else "application/json"
    answer = client.post(path, content=body, headers=dict([("content-type", kind)]))
    told.append([answer.status_code, answer.text])
print(json.dumps(told))
"""


def random(*sides: int) -> Any:
    return SEED.normal(0, 0.3, sides).astype(np.float32)


def seen(name: str, scores: int, last: str = "Identity") -> list[Any]:
    """Return the nodes of a network that looks at a picture, channels first, and gives so many numbers."""
    return [
        node("Conv", [name, "kernel"], ["edges"], pads=[1, 1, 1, 1]),
        node("Relu", ["edges"], ["bright"]),
        node("GlobalAveragePool", ["bright"], ["pooled"]),
        node("Flatten", ["pooled"], ["flat"]),
        node("MatMul", ["flat", f"weights{scores}"], ["sums"]),
        node(last, ["sums"], ["y"]),
    ]


def channels_first(path: Path) -> Path:
    nodes, weights = seen("x", 5), {"kernel": random(4, 3, 3, 3), "weights5": random(4, 5)}
    return save(path, nodes, [value("x", FLOAT, "n", 3, 16, 20)], [value("y", FLOAT, "n", 5)], **weights)


def bytes_last(path: Path) -> Path:
    first = [
        node("Cast", ["image"], ["real"], to=FLOAT),
        node("Div", ["real", "most"], ["small"]),
        node("Transpose", ["small"], ["turned"], perm=[0, 3, 1, 2]),
    ]
    weights = {"kernel": random(4, 4, 3, 3), "weights3": random(4, 3), "most": np.array(255, np.float32)}
    ends = [value("image", BYTE, 1, 24, 24, 4)], [value("y", FLOAT, 1, 3)]
    return save(path, [*first, *seen("turned", 3, "Softmax")], *ends, **weights)


def sequence(path: Path) -> Path:
    nodes = [node("ReduceMean", ["steps"], ["mean"], axes=[1], keepdims=0), node("MatMul", ["mean", "w"], ["y"])]
    return save(path, nodes, [value("steps", FLOAT, "n", 12, 5)], [value("y", FLOAT, "n", 1)], w=random(5, 1))


def picture_and_facts(path: Path) -> Path:
    nodes = [
        node("GlobalAveragePool", ["photo"], ["pooled"]),
        node("Flatten", ["pooled"], ["flat"]),
        node("Concat", ["flat", "facts"], ["all"], axis=1),
        node("MatMul", ["all", "w"], ["sum"]),
        node("Sigmoid", ["sum"], ["y"]),
    ]
    inputs = [value("photo", FLOAT, "n", 1, 12, 12), value("facts", FLOAT, "n", 3)]
    return save(path, nodes, inputs, [value("y", FLOAT, "n", 1)], w=random(4, 1))


def mask(path: Path) -> Path:
    nodes = [node("Conv", ["x", "kernel"], ["y"], pads=[1, 1, 1, 1])]
    ends = [value("x", FLOAT, 2, 3, 10, 10)], [value("y", FLOAT, 2, 2, 10, 10)]
    return save(path, nodes, *ends, kernel=random(2, 3, 3, 3))


def fixed_inside(path: Path) -> Path:
    """Write a network that says it takes any number of rows, and takes one."""
    nodes = [node("Reshape", ["x", "sides"], ["flat"]), node("MatMul", ["flat", "w"], ["y"])]
    ends = [value("x", FLOAT, "n", 1, 8, 8)], [value("y", FLOAT, "n", 3)]
    return save(path, nodes, *ends, sides=np.array([1, 64], np.int64), w=random(64, 3))


def halves(path: Path) -> Path:
    """Write a network that computes in float16, whose probabilities sum to 1 in three digits."""
    weights = {"kernel": random(4, 3, 3, 3).astype(np.float16), "weights4": random(4, 4).astype(np.float16)}
    ends = [value("x", HALF, "n", 3, 16, 16)], [value("y", HALF, "n", 4)]
    return save(path, seen("x", 4, "Softmax"), *ends, **weights)


def open_sides(path: Path) -> Path:
    nodes = [node("GlobalAveragePool", ["x"], ["pooled"]), node("Flatten", ["pooled"], ["y"])]
    return save(path, nodes, [value("x", FLOAT, "n", 3, "h", "w")], [value("y", FLOAT, "n", 3)])


def read(path: Path, **flags: Any) -> dict[str, Any]:
    """Return the reading of a network of our own, for which no cage is needed."""
    wishes = {**network_wishes(**flags), "labels_nearby": labels_beside(path)}
    return read_network(str(path), rows=20, seed=7, wishes=wishes)[0]


def made(path: Path, into: Path, *, tests: bool = False, **flags: Any) -> Path:
    """Return the project of a network, proven, its own tests run only where asked."""
    wishes = Wishes(into=into, name="made", tests=tests, network=network_wishes(**flags))
    built = wrap_file(path, look(path), wishes, provenance=Provenance(source=path.name))[1]
    assert built.metrics["parity"]["difference"] <= TOLERANCE
    assert built.tests is None or (built.tests.failed == 0 and built.tests.passed > 100)
    return built.project.path


def ask(project: Path, *asked: tuple[str, Any]) -> list[tuple[int, str]]:
    bodies = [[path, body if isinstance(body, str) else json.dumps(body)] for path, body in asked]
    ran = run(project, "-c", ASK.format(package="made"), told=json.dumps(bodies))
    return [tuple(answer) for answer in json.loads(ran.splitlines()[-1])]


def run(project: Path, *command: str, told: str = "") -> str:
    ran = subprocess.run(
        [sys.executable, *command],
        cwd=project,
        input=told,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(project / "src"), "PATH": "/usr/bin:/bin"},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def rows(project: Path, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    ((status, text),) = ask(project, ("/predict", {"rows": rows}))
    assert status == 200, text
    found: list[dict[str, Any]] = json.loads(text)["predictions"]
    return found


def original(path: Path, feeds: dict[str, Any]) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)[0]


def data_url(image: Image.Image, form: str = "PNG") -> str:
    out = io.BytesIO()
    image.save(out, form)
    return f"data:image/{form.lower()};base64,{base64.b64encode(out.getvalue()).decode()}"


def noise(*sides: int) -> Any:
    return np.random.default_rng(8).integers(0, 256, sides).astype(np.uint8)


@pytest.mark.parametrize(
    ("network", "answer", "kinds"),
    [
        (channels_first, "scores", ["picture"]),
        (bytes_last, "probabilities", ["picture"]),
        (sequence, "number", ["tensor"]),
        (picture_and_facts, "probabilities", ["picture", "number", "number", "number"]),
        (mask, "tensor", ["picture"]),
        (fixed_inside, "scores", ["picture"]),
        (halves, "probabilities", ["picture"]),
    ],
)
def test_a_network_is_read_for_what_it_takes_and_gives(
    tmp_path: Path, network: Callable[[Path], Path], answer: str, kinds: list[str]
) -> None:
    document = read(network(tmp_path / "m.onnx"))
    assert document["answer"] == answer
    assert [column["kind"] for column in document["columns"]] == kinds


def test_sides_that_are_open_are_asked_for_with_the_flag(tmp_path: Path) -> None:
    path = open_sides(tmp_path / "m.onnx")
    with pytest.raises(ArtifactError, match=r"--shape x=3,224,224") as raised:
        read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))
    assert raised.value.exit_code == 5
    assert read(path, shapes=["x=3,32,40"])["columns"][0]["shape"] == [3, 32, 40]
    with pytest.raises(UnservedError, match="`--shape` says 4 x 32 x 40"):
        read(path, shapes=["4,32,40"])


def test_a_table_may_be_told_how_many_columns_it_has(tmp_path: Path) -> None:
    nodes = [node("ReduceMean", ["x"], ["y"], axes=[1])]
    path = save(tmp_path / "m.onnx", nodes, [value("x", FLOAT, "n", "m")], [value("y", FLOAT, "n", 1)])
    assert [column["kind"] for column in read(path, shapes=["4"])["columns"]] == ["number"] * 4


def test_flags_that_say_nothing_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--shape 3,wide"):
        network_wishes(shapes=["3,wide"])
    with pytest.raises(UsageError, match="no file of class names"):
        network_wishes(labels="nowhere.txt")
    with pytest.raises(UsageError, match="--answer maybe"):
        network_wishes(answer="maybe")
    with pytest.raises(UnservedError, match=r"`--pixels 0..7` is not known"):
        read(channels_first(tmp_path / "m.onnx"), pixels=["0..7"])


def test_pixels_are_taken_as_the_model_says_else_as_assumed_and_said(tmp_path: Path) -> None:
    (taken,) = read(bytes_last(tmp_path / "bytes.onnx"))["columns"]
    assert (taken["picture"]["scale"], taken["picture"].get("assumed")) == (1.0, None)
    path = channels_first(tmp_path / "reals.onnx")
    (assumed,) = read(path)["columns"]
    assert (assumed["picture"]["scale"], assumed["picture"]["assumed"]) == (1 / 255, True)
    assert "does not say" in assumed["picture"]["why"]
    (asked,) = read(path, pixels=["x=imagenet,bgr"])["columns"]
    assert (asked["picture"]["order"], asked["picture"]["mean"]) == ("BGR", [0.485, 0.456, 0.406])


def test_classes_are_named_by_a_file_beside_the_model_or_by_the_person(tmp_path: Path) -> None:
    path = channels_first(tmp_path / "m.onnx")
    (tmp_path / "labels.txt").write_text("one\ntwo\nthree\n", encoding="utf-8")
    assert read(path)["classes"] == [0, 1, 2, 3, 4]  # three names are not of five classes
    (tmp_path / "labels.txt").write_text("\n".join("abcde"), encoding="utf-8")
    assert read(path)["classes"] == list("abcde")
    assert read(path, labels="v,w,x,y,z")["classes"] == list("vwxyz")
    assert read(path, answer="numbers")["answer"] == "tensor"
    with pytest.raises(UnservedError, match="names 2 classes, the model answers with 5"):
        read(path, labels="cat,dog")
    with pytest.raises(UnservedError, match="names a class twice"):
        read(path, labels="a,b,c,d,a")


def test_raw_scores_come_with_their_softmax_from_lists_and_pictures_alike(tmp_path: Path) -> None:
    path = channels_first(tmp_path / "m.onnx")
    project = made(path, tmp_path / "out")
    pixels = noise(16, 20, 3)
    numbers = np.moveaxis(pixels / 255, -1, 0)
    expected = original(path, {"x": numbers[None].astype(np.float32)})[0]
    listed, pictured = rows(project, {"x": numbers.tolist()}, {"x": data_url(Image.fromarray(pixels))})
    for answer in (listed, pictured):
        assert list(answer["scores"].values()) == pytest.approx(expected.tolist(), abs=TOLERANCE)
        shares = np.exp(expected - expected.max()) / np.exp(expected - expected.max()).sum()
        assert list(answer["probabilities"].values()) == pytest.approx(shares.tolist(), abs=TOLERANCE)
        assert answer["prediction"] == int(expected.argmax())
    contract = json.loads((project / "model" / "schema.json").read_text(encoding="utf-8"))
    assert contract["x-answer"]["scores"] is True
    assert "does not say" in contract["properties"]["x"]["x-picture"]["why"]
    card = (project / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "raw scores of 5 classes" in card
    assert "assumed" in card


def test_pictures_of_every_kind_are_brought_to_the_models_form(tmp_path: Path) -> None:
    path = bytes_last(tmp_path / "m.onnx")
    project = made(path, tmp_path / "out")
    plain = Image.fromarray(noise(24, 24, 4), "RGBA")
    expected = original(path, {"image": np.asarray(plain)[None]})[0]
    grown = plain.resize((300, 200))
    given = [plain, grown, grown.convert("L"), grown.convert("P"), grown.convert("1"), grown.convert("LA")]
    answers = rows(project, *({"image": data_url(image)} for image in given))
    assert list(answers[0]["probabilities"].values()) == pytest.approx(expected.tolist(), abs=TOLERANCE)
    jpegs = [grown.convert("RGB"), grown.convert("CMYK"), grown.convert("L")]
    assert len(rows(project, *({"image": data_url(image, "JPEG")} for image in jpegs))) == 3
    turned = Image.Exif()
    turned[0x0112] = 6
    out = io.BytesIO()
    plain.convert("RGB").save(out, "PNG", exif=turned)
    upright = plain.convert("RGB").rotate(-90, expand=True)
    both = [f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}", data_url(upright)]
    one, other = rows(project, *({"image": text} for text in both))
    assert one["probabilities"] == other["probabilities"]


def test_what_is_wrong_with_a_tensor_is_told_by_row_column_and_place(tmp_path: Path) -> None:
    project = made(channels_first(tmp_path / "m.onnx"), tmp_path / "out")
    good = np.zeros((3, 16, 20)).tolist()
    text, ragged, deep = (json.loads(json.dumps(good)) for _ in range(3))
    text[2][15][19] = "0.5"
    ragged[1][3].pop()
    deep[0][0][0] = [1.0]
    cut = data_url(Image.fromarray(noise(16, 20, 3)))[: len("data:image/png;base64,") + 400]
    wrong = [text, ragged, deep, good[0], 7, None, "a cat", cut, "data:image/png;base64,AAAA", {}]
    ((status, told),) = ask(project, ("/predict", {"rows": [{"x": good}, *({"x": each} for each in wrong)]}))
    problems = json.loads(told)["errors"]
    assert status == 422
    assert [(problem["row"], problem["column"]) for problem in problems] == [(row, "x") for row in range(1, 11)]
    messages = [problem["message"] for problem in problems]
    assert "expected a list of 3 lists of 16 lists of 20 numbers" in messages[0]
    assert "got the text '0.5' at [2][15][19]" in messages[0]
    assert "got a list of 19 at [1][3]" in messages[1]
    assert "got a list at [0][0][0]" in messages[2]
    assert "got a list of 16" in messages[3]
    assert "cannot be read" in messages[7]
    assert "got what is none" in messages[8]
    ((status, told),) = ask(project, ("/predict", json.dumps({"rows": [{"x": good}]}).replace("0.0", "NaN", 1)))
    assert status == 400


def test_a_picture_that_says_it_is_huge_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    project = made(channels_first(tmp_path / "m.onnx"), tmp_path / "out")
    small = bytearray(base64.b64decode(data_url(Image.new("L", (1, 1))).partition(",")[2]))
    small[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    small[29:33] = zlib.crc32(bytes(small[12:29])).to_bytes(4, "big")
    text = f"data:image/png;base64,{base64.b64encode(bytes(small)).decode()}"
    ((status, told),) = ask(project, ("/predict", {"rows": [{"x": text}]}))
    assert (status, "more than 50,000,000" in told) == (422, True)


def test_a_tensor_comes_back_in_the_shape_that_the_model_gives(tmp_path: Path) -> None:
    path = mask(tmp_path / "m.onnx")
    project = made(path, tmp_path / "out")
    numbers = np.random.default_rng(2).uniform(0, 1, (3, 10, 10)).astype(np.float32)
    expected = original(path, {"x": np.stack([numbers, numbers])})[0]
    (answer,) = rows(project, {"x": numbers.tolist()})
    np.testing.assert_allclose(np.array(answer["prediction"]), expected, atol=TOLERANCE)
    table = io.StringIO()
    csv.writer(table).writerows([["x"], [json.dumps(numbers.tolist())], [json.dumps(numbers.tolist())]])
    ((status, text),) = ask(project, ("/predict/file", table.getvalue()))
    assert status == 200, text
    answered = list(csv.DictReader(io.StringIO(text)))
    np.testing.assert_allclose(np.array(json.loads(answered[1]["prediction"])), expected, atol=TOLERANCE)
    ((status, text),) = ask(project, ("/explain", {"rows": [{"x": numbers.tolist()}]}))
    assert (status, json.loads(text)["predictions"][0]["explanation"]) == (200, None)


def test_a_network_of_float16_is_rounded_where_it_rounds(tmp_path: Path) -> None:
    path = halves(tmp_path / "m.onnx")
    project = made(path, tmp_path / "out")
    pixels = noise(16, 16, 3)
    given = np.moveaxis(pixels / 255, -1, 0)[None].astype(np.float16)
    (answer,) = rows(project, {"x": data_url(Image.fromarray(pixels))})
    assert list(answer["probabilities"].values()) == pytest.approx(original(path, {"x": given})[0].tolist(), abs=1e-7)


def test_a_row_of_a_file_that_is_too_extreme_is_named_by_its_place(tmp_path: Path) -> None:
    project = made(sequence(tmp_path / "m.onnx"), tmp_path / "out")
    assert run(project, "-c", EXTREME).split() == ["[8002]"]


def test_a_folder_of_pictures_becomes_a_line_a_file(tmp_path: Path) -> None:
    project = made(channels_first(tmp_path / "m.onnx"), tmp_path / "out")
    folder = tmp_path / "photos"
    (folder / "inner").mkdir(parents=True)
    images = {"a.png": noise(16, 20, 3), "inner/=b.jpg": noise(40, 30, 3)}
    for name, pixels in images.items():
        Image.fromarray(pixels).save(folder / name)
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    run(project, "-m", "made", "predict", str(folder), "--output", "answers.csv")
    answered = list(csv.DictReader((project / "answers.csv").read_text(encoding="utf-8").splitlines()))
    assert [line["file"] for line in answered] == ["a.png", "inner/=b.jpg"]
    (expected,) = rows(project, {"x": data_url(Image.fromarray(images["a.png"]))})
    assert float(answered[0]["score_2"]) == pytest.approx(expected["scores"]["2"], abs=TOLERANCE)
    alone = run(project, "-m", "made", "predict", str(folder / "a.png"))
    assert alone.splitlines()[1].startswith("a.png,")


def test_what_was_drawn_is_what_the_pictures_say() -> None:
    facts = {"order": "BGR", "scale": 1.0, "mean": [1.0, 2.0, 3.0], "std": [1.0, 1.0, 2.0], "layout": "CHW"}
    pixels = np.array([[[10, 20, 30]]], dtype=np.uint8)
    assert prepared(pixels, facts).ravel().tolist() == [29.0, 18.0, 3.5]


def test_a_real_network_of_a_fixed_batch_is_served_as_it_answers(tmp_path: Path) -> None:
    path = DATASETS / "models" / "mnist-onnx" / "mnist.onnx"
    if not path.is_file():
        pytest.skip("the real model files are not on this machine")
    project = made(path, tmp_path / "out")
    image = Image.new("L", (280, 280))
    image.paste(255, (130, 30, 150, 250))
    small = np.asarray(image.resize((28, 28), Image.Resampling.BILINEAR))
    expected = original(path, {"Input3": (small / 255)[None, None].astype(np.float32)})[0]
    answers = rows(project, {"Input3": data_url(image)}, {"Input3": (small / 255)[None].tolist()})
    for answer in answers:
        assert answer["prediction"] == 1
        np.testing.assert_allclose(list(answer["scores"].values()), expected, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("network", [picture_and_facts, mask, sequence])
def test_the_project_holds_its_own_tests_and_is_clean(tmp_path: Path, network: Callable[[Path], Path]) -> None:
    project = made(network(tmp_path / "m.onnx"), tmp_path / "out", tests=True)
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        run(project, "-m", *command)


@pytest.mark.slow
def test_new_takes_the_flags_of_a_network(kaggle2app: Callable[..., Outcome], tmp_path: Path) -> None:
    path = open_sides(tmp_path / "shades.onnx")
    flags = ("--shape", "x=3,12,12", "--pixels", "0..255", "--labels", "red,green,blue", "--no-tests", "--json")
    done = kaggle2app("new", path, "--into", tmp_path / "out", *flags)
    assert done.code == 0, done.err
    assert done.json["model"]["labels"] == ["red", "green", "blue"]


@pytest.mark.slow
@pytest.mark.skipif(bool(lacking()), reason=lacking() or "a browser is here")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_the_page_takes_a_picture_shows_it_and_answers_with_bars(tmp_path: Path) -> None:
    from test_page import serving

    project = made(channels_first(tmp_path / "m.onnx"), tmp_path / "out")
    photo = tmp_path / "photo.png"
    Image.fromarray(noise(150, 200, 3)).save(photo)
    with serving(project, "made") as address, Browser(tmp_path / "browser") as browser:
        browser.open(address)
        browser.find(".pictured input[type=file]").type(str(photo), clear=False)
        browser.find(".picture[data-large]")  # it was read, and is shown
        browser.find("#row button").click()
        assert browser.find("#result output").text in {"0", "1", "2", "3", "4"}
        assert len(browser.find_all("#result .bars li")) == 5
        assert browser.complaints() == []
