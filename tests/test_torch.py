"""PyTorch's files: what is refused by its bytes, and networks that answer as PyTorch does.

What needs PyTorch runs where it is installed: ``pip install torch==2.13.0 onnx && pytest tests/test_torch.py``.
"""

from __future__ import annotations

import importlib
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from toolkit.artifact import look
from toolkit.cage import read_caged
from toolkit.caged.graph import UnservedError
from toolkit.caged.tensors import Wishes
from toolkit.caged.torch_models import Layer, _choices
from toolkit.environments import DISTRIBUTIONS, HEAVY
from toolkit.errors import ArtifactError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore")  # PyTorch warns of all TorchScript and of every trace

EMPTY_PICKLE = b"\x80\x02}q\x00."


def torchscript(path: Path, code: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", EMPTY_PICKLE)
        archive.writestr("net/constants.pkl", b"\x80\x02).")
        archive.writestr("net/version", "3\n")
        archive.writestr("net/code/__torch__.py", code)
    return path


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("return torch.from_file(path)", "from_file"),
        ("return torch.load(path)", "load"),
        ("return ops.image.read_file(path)", "image::read_file"),
        ("return ops.other.thing(x)", "other::thing"),
        ("x = __torch__.torch.classes.mine.Reader()", "mine.Reader"),
    ],
)
def test_a_compiled_network_that_reaches_files_or_libraries_is_refused_by_its_code(
    tmp_path: Path, line: str, named: str
) -> None:
    found = look(torchscript(tmp_path / "net.pt", f"class Net(Module):\n  def forward(self, x):\n    {line}\n"))
    assert not found.servable
    assert named in found.reason
    assert "onnx" in found.way


def test_a_compiled_network_of_usual_operators_may_be_opened(tmp_path: Path) -> None:
    assert look(torchscript(tmp_path / "net.pt", "class Net(Module):\n  pass\n")).servable


def layer(kind: str, width: int, *, flattened: bool = False) -> Layer:
    return Layer(kind, width, flattened, None)


def test_the_first_weights_say_what_a_row_may_look_like() -> None:
    none = Wishes.of(None)
    assert _choices("x", layer("linear", 13), none) == [(13,)]
    assert _choices("x", layer("linear", 784, flattened=True), none) == [(1, 28, 28), (784,)]
    assert (3, 224, 224) in _choices("x", layer("conv2d", 3), none)


def test_a_shape_that_was_told_is_the_only_one_tried() -> None:
    told = Wishes.of({"shapes": {"x": [3, 40, 60]}})
    assert _choices("x", layer("conv2d", 3), told) == [(3, 40, 60)]


def test_an_input_that_no_weights_read_is_asked_for() -> None:
    with pytest.raises(UnservedError, match="--shape x=SIDES"):
        _choices("x", None, Wishes.of(None))


def test_the_size_of_the_environment_is_told_with_a_way_around_it() -> None:
    assert "GB" in HEAVY["torch"]
    assert DISTRIBUTIONS["torch"] in HEAVY["torch"]


# From here on with PyTorch itself.


@pytest.fixture
def torch() -> Any:
    for name in ("torch", "onnx"):
        pytest.importorskip(name, reason="pip install torch==2.13.0 onnx, then run this file: too heavy for every run")
    module = importlib.import_module("torch")
    module.manual_seed(3)
    return module


def read(path: Path, shapes: dict[str, list[int]] | None = None) -> Any:
    found = look(path)
    assert found.servable, found.reason
    return read_caged(
        path,
        allowed=found.allowed,
        library=found.framework,
        imports=("torch", "onnx", "onnxruntime"),
        network={"shapes": shapes or {}},
    )


def served(caged: Any) -> Any:
    runtime = importlib.import_module("onnxruntime")
    return runtime.InferenceSession(caged.arrays["model"].tobytes())


def table(torch: Any) -> Any:
    nn = torch.nn
    return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(dim=1)).eval()


def pictured(torch: Any) -> Any:
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 12 * 12, 5)).eval()


@pytest.mark.parametrize("form", ["script", "trace", "frozen", "exported"])
def test_a_network_of_a_table_answers_as_pytorch_does(torch: Any, tmp_path: Path, form: str) -> None:
    net, path = table(torch), tmp_path / ("net.pt2" if form == "exported" else "net.pt")
    example = torch.rand(3, 4)
    if form == "exported":
        rows = torch.export.Dim("rows")
        torch.export.save(torch.export.export(net, (example,), dynamic_shapes=({0: rows},)), path)
    elif form == "trace":
        torch.jit.trace(net, example).save(path)
    else:
        script = torch.jit.script(net)
        (torch.jit.freeze(script) if form == "frozen" else script).save(path)
    caged = read(path)
    rows = np.array([list(row.values()) for row in caged.document["rows"]])
    with torch.no_grad():
        own = net(torch.as_tensor(rows, dtype=torch.float32)).numpy()
    assert caged.document["answer"] == "probabilities"
    assert np.abs(caged.arrays["answers"] - own).max() <= 1e-6
    assert np.abs(served(caged).run(None, {"features": rows})[0] - own).max() <= 1e-5


def test_the_side_of_pictures_is_found_by_what_fits_the_layers_behind(torch: Any, tmp_path: Path) -> None:
    torch.jit.script(pictured(torch)).save(tmp_path / "net.pt")
    caged = read(tmp_path / "net.pt")
    assert caged.document["columns"][0]["shape"] == [1, 28, 28]
    assert any("28 x 28 (found by trying)" in one for one in caged.document["findings"])


def test_the_length_of_a_sequence_is_found_or_asked_for(torch: Any, tmp_path: Path) -> None:
    nn = torch.nn
    net = nn.Sequential(nn.Embedding(20, 4), nn.Flatten(), nn.Linear(28, 2), nn.Softmax(dim=1)).eval()
    torch.jit.script(net).save(tmp_path / "fixed.pt")
    assert len(read(tmp_path / "fixed.pt").document["columns"]) == 7
    pooled = nn.Sequential(nn.Embedding(20, 4), nn.GRU(4, 3, batch_first=True)).eval()
    torch.jit.trace(pooled, torch.zeros(2, 6, dtype=torch.int64)).save(tmp_path / "open.pt")
    with pytest.raises(ArtifactError, match=r"--shape input=LENGTH"):
        read(tmp_path / "open.pt")


def test_weights_alone_and_a_network_saved_whole_are_explained(torch: Any, tmp_path: Path) -> None:
    torch.save(table(torch).state_dict(), tmp_path / "state.pt")
    torch.save(table(torch), tmp_path / "whole.pt")
    state, whole = look(tmp_path / "state.pt"), look(tmp_path / "whole.pt")
    assert not state.servable
    assert "weights and no network" in state.reason
    assert "torch.export" in state.way
    assert not whole.servable
    assert sys.executable not in whole.reason
    assert whole.way
