"""A model file is opened where it can do no harm, and what it tried is told in one sentence."""

from __future__ import annotations

import os
import pickle
import socket
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from toolkit.cage import read_caged
from toolkit.caged.opening import Opener, RefusedError, decompressed
from toolkit.errors import ArtifactError

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="these layers are Linux's")


class Calls:
    """Pickles as a call of ``function``."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> Any:
        return self.function, self.arguments


def save(folder: Path, found: Any, name: str = "model.pkl") -> Path:
    path = folder / name
    path.write_bytes(pickle.dumps(found))
    return path


def test_what_is_not_on_the_list_is_not_even_imported(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    path = save(tmp_path, Calls(os.system, f"touch {mark}"))
    with pytest.raises(ArtifactError, match=r"asks for what no model needs: (posix|nt)\.system"):
        read_caged(path, allowed=[])
    assert not mark.exists()


@LINUX
@pytest.mark.parametrize(
    "attack",
    [
        lambda mark: Calls(os.system, f"touch {mark}"),
        lambda mark: Calls(os.mkdir, str(mark)),
        lambda mark: Calls(open, str(mark), "w"),
        lambda mark: Calls(exec, f"import ctypes; ctypes.pythonapi.system(b'touch {mark}')"),
        lambda mark: Calls(exec, f"import _posixsubprocess, os; os.fork() or open({str(mark)!r}, 'w')"),
        lambda mark: Calls(exec, f"import os; os.close(os.open({str(mark)!r}, os.O_CREAT | os.O_WRONLY))"),
        lambda mark: Calls(exec, f"import pathlib; pathlib.Path({str(mark)!r}).touch()"),
    ],
    ids=["system", "mkdir", "open", "libc", "fork", "os.open", "pathlib"],
)
def test_even_a_trusted_file_touches_nothing_outside(tmp_path: Path, attack: Any) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(ArtifactError):
        read_caged(save(tmp_path, attack(mark)), allowed=[], trust=True)
    assert not mark.exists()


@LINUX
def test_even_a_trusted_file_reaches_no_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
        with pytest.raises(ArtifactError, match="not allowed"):
            read_caged(save(tmp_path, Calls(exec, code)), allowed=[], trust=True)
        with pytest.raises(TimeoutError):
            server.accept()


@LINUX
def test_a_secret_of_the_person_is_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_KEY", "planted-secret")
    secret = tmp_path / "kaggle.json"
    secret.write_text("planted-secret", encoding="utf-8")
    for code in (f"raise ValueError(open({str(secret)!r}).read())", "import os; raise ValueError(str(os.environ))"):
        with pytest.raises(ArtifactError) as raised:
            read_caged(save(tmp_path, Calls(exec, code)), allowed=[], trust=True)
        assert "planted-secret" not in raised.value.message


def test_a_file_that_never_ends_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="more than the time"):
        read_caged(save(tmp_path, Calls(exec, "while True: pass")), allowed=[], trust=True, seconds=3)


@LINUX
def test_a_file_that_wants_all_memory_is_stopped(tmp_path: Path) -> None:
    path = save(tmp_path, Calls(bytearray, 1 << 40))
    with pytest.raises(ArtifactError, match="memory"):
        read_caged(path, allowed=[], trust=True)


def test_a_pickle_inside_an_array_is_held_to_the_same_list(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    path = tmp_path / "model.joblib"
    joblib.dump(np.array([Calls(os.system, f"touch {mark}")], dtype=object), path)
    allowed = {
        ("joblib.numpy_pickle", "NumpyArrayWrapper"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
    }
    with pytest.raises(ArtifactError, match="asks for what no model needs"):
        read_caged(path, allowed=allowed)
    assert not mark.exists()


def test_a_bomb_is_refused_before_it_has_grown() -> None:
    import zlib

    with pytest.raises(RefusedError, match="1,000,000"):
        decompressed(zlib.compress(bytes(50_000_000)), bytes_max=1_000_000)


@pytest.mark.parametrize(
    ("module", "name", "found"),
    [
        ("sklearn.linear_model.logistic", "LogisticRegression", "LogisticRegression"),
        ("sklearn.tree.tree", "DecisionTreeClassifier", "DecisionTreeClassifier"),
        ("sklearn.preprocessing.imputation", "Imputer", "SimpleImputer"),
        ("numpy.core.multiarray", "_reconstruct", "_reconstruct"),
    ],
)
def test_a_class_that_moved_is_found_in_its_new_place(module: str, name: str, found: str) -> None:
    assert Opener(frozenset({(module, name)})).find(module, name).__name__ == found


@pytest.mark.parametrize(
    "found",
    [{"weights": [1, 2]}, [1, 2], "a text", b"bytes", np.arange(3), {"a": 1.0}],
    ids=lambda one: type(one).__name__,
)
def test_what_is_no_model_is_told(tmp_path: Path, found: Any) -> None:
    path = tmp_path / "thing.joblib"
    joblib.dump(found, path)
    with pytest.raises(ArtifactError, match=r"the file holds an? .*not a fitted model") as raised:
        read_caged(path, allowed=[], trust=True)
    assert raised.value.exit_code == 5


@pytest.mark.parametrize("cut", [0, 1, 10, 100])
def test_a_truncated_file_is_one_sentence(tmp_path: Path, cut: int) -> None:
    from sklearn.linear_model import LinearRegression

    path = tmp_path / "model.joblib"
    joblib.dump(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ArtifactError) as raised:
        read_caged(path, allowed=[], trust=True)
    assert "\n" not in raised.value.message
