"""A pickle is looked at and never opened: what it would import is named, and judged by a list of what models need."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import sys
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.artifact import Artifact, look, require
from toolkit.errors import ArtifactError
from toolkit.pickles import scan
from toolkit.streams import Stream
from toolkit.verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome


class Calls:
    """An object whose pickle calls a function with arguments when it is opened."""

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.arguments


def seen(path: Path, content: bytes) -> Artifact:
    """Return what is seen of a file with that content."""
    path.write_bytes(content)
    return look(path)


def text(value: str) -> bytes:
    """Return the step of a pickle that gives a text."""
    return b"\x8c" + bytes([len(value)]) + value.encode()


def fitted() -> Any:
    """Return a pipeline that was fitted on a table with names."""
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    frame = pd.DataFrame({"width": range(1, 21), "height": [row % 7 for row in range(20)]})
    steps = FunctionTransformer(np.log1p, feature_names_out="one-to-one"), StandardScaler(), LogisticRegression()
    return make_pipeline(*steps).fit(frame, ["cat", "dog"] * 10)


# --- what honest files tell


@pytest.mark.parametrize("protocol", range(6))
def test_a_fitted_pipeline_tells_its_columns_classes_and_version(tmp_path: Path, protocol: int) -> None:
    import sklearn

    found = seen(tmp_path / "model.pkl", pickle.dumps(fitted(), protocol=protocol))
    assert found.servable, found.reason
    assert (found.framework, found.format, found.protocol) == (
        "scikit-learn",
        "pickle",
        protocol if protocol > 1 else 0,
    )
    assert found.version == sklearn.__version__
    assert found.holds == "sklearn.pipeline.Pipeline"
    assert [port.name for port in found.inputs] == ["width", "height"]
    assert [port.name for port in found.outputs] == ["cat", "dog"]
    assert found.refused == ()
    assert ("sklearn.pipeline", "Pipeline") in found.allowed


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
def test_joblib_is_read_through_its_arrays_however_it_is_packed(tmp_path: Path, compress: Any) -> None:
    import joblib

    joblib.dump({"model": fitted(), "threshold": 0.5}, tmp_path / "model.joblib", compress=compress)
    found = look(tmp_path / "model.joblib")
    assert found.servable, found.reason
    assert (found.format, found.compression) == ("joblib", compress[0] if compress else "")
    assert [port.name for port in found.inputs] == ["width", "height"]
    assert found.holds == "a dictionary of `model` and `threshold`"


@pytest.mark.parametrize("kind", ["zstd", "lz4"])
def test_other_compressions_are_read_too(tmp_path: Path, kind: str) -> None:
    import pyarrow as pa

    with pa.CompressedOutputStream(str(tmp_path / "model.pkl"), kind) as out:
        out.write(pickle.dumps(fitted()))
    found = look(tmp_path / "model.pkl")
    assert found.servable, found.reason
    assert found.compression == kind


def test_every_common_estimator_is_harmless(tmp_path: Path) -> None:
    import joblib
    import numpy as np
    from sklearn import ensemble, neighbors, svm, tree
    from sklearn.model_selection import GridSearchCV

    rows, labels = np.arange(80.0).reshape(40, 2), [row % 2 for row in range(40)]
    models = [
        ensemble.RandomForestClassifier(3),
        ensemble.GradientBoostingClassifier(n_estimators=2),
        ensemble.HistGradientBoostingRegressor(max_iter=2),
        ensemble.IsolationForest(n_estimators=2),
        neighbors.KNeighborsClassifier(algorithm="kd_tree"),
        neighbors.KNeighborsClassifier(algorithm="ball_tree"),
        svm.SVC(),
        GridSearchCV(tree.DecisionTreeClassifier(), {"max_depth": [1, 2]}, scoring="f1"),
    ]
    for model in models:
        joblib.dump(model.fit(rows, labels), tmp_path / "model.joblib")
        found = look(tmp_path / "model.joblib")
        assert found.servable, (model, found.reason)
        assert len(found.inputs) == 2, model


def test_a_booster_inside_a_pickle_tells_its_columns(tmp_path: Path) -> None:
    model = b"tree\nversion=v4\nfeature_names=age city\nfeature_infos=none none\n"
    state = b"}" + text("handle") + b"X" + struct.pack("<I", len(model)) + model + b"sb."
    found = seen(tmp_path / "model.pkl", b"\x80\x04" + text("lightgbm.basic") + text("Booster") + b"\x93)\x81" + state)
    assert found.servable, found.reason
    assert found.framework == "LightGBM"
    assert [port.name for port in found.inputs] == ["age", "city"]


def test_the_real_models_are_read(datasets: Path) -> None:
    if not (datasets / "models").is_dir():
        pytest.skip("no real models at hand")
    folder = datasets / "models"
    old = look(folder / "titanic-decision-tree-pipeline" / "pipe.pkl")
    assert (old.version, old.servable, len(old.inputs)) == ("0.23.1", True, 7)
    new = look(folder / "no-show-appointment-pipeline" / "no_show_model.joblib")
    assert (new.version, new.servable, len(new.inputs)) == ("1.6.1", True, 12)
    words = look(folder / "no-show-appointment-pipeline" / "neighbourhoods.joblib")
    assert words.reason == "it holds no model: a list of 81"
    digits = look(folder / "mnist-onnx" / "mnist.onnx")
    assert digits.inputs[0].shape == (1, 1, 28, 28)
    assert digits.version == "CNTK 2.5.1"


def test_an_artifact_is_json_and_back(tmp_path: Path) -> None:
    found = seen(tmp_path / "model.pkl", pickle.dumps(fitted()))
    assert Artifact.from_json(found.to_json()) == found


# --- files made to attack

OS, SYSTEM = text("os"), text("system")
ATTACKS = {
    "protocol 0": b"cos\nsystem\n(S'touch x'\ntR.",
    "an instance": b"(S'touch x'\nios\nsystem\n.",
    "an object": b"(cos\nsystem\nS'touch x'\no.",
    "names from the memo": b"\x80\x04" + OS + b"\x94" + SYSTEM + b"\x9400h\x00h\x01\x93" + text("touch x") + b"\x85R.",
    "a name with dots": b"\x80\x04" + text("sklearn.base") + text("copy.os.system") + b"\x93" + text("x") + b"\x85R.",
    "a module by getattr": b"\x80\x02cbuiltins\ngetattr\ncsklearn\nos\nX\x06\x00\x00\x00system\x86R.",
    "a function by name": b"\x80\x02cnumpy.core\n_ufunc_reconstruct\nX\x02\x00\x00\x00osX\x06\x00\x00\x00system\x86R.",
    "what a call gave": b"\x80\x02ccollections\nOrderedDict\n)R)R.",
    "a class that is changed": b"\x80\x02csklearn.base\nBaseEstimator\n}X\x01\x00\x00\x00aK\x01sb.",
    "a dictionary that is changed": b"\x80\x02csklearn.base\nSTATE\nX\x01\x00\x00\x00aK\x01s.",
    "a number of a registry": b"\x80\x02\x82\x01.",
    "damage after the call": b"\x80\x02cos\nsystem\nX\x01\x00\x00\x00x\x85R\xff\xff",
    "a second pickle": b"\x80\x02}.\x80\x02cos\nsystem\nX\x01\x00\x00\x00x\x85R.",
    "a codec": b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00zip\x86R.",
    "a file by pandas and numpy": b"\x80\x02cpandas.core.indexes.base\n_new_Index\ncnumpy\nmemmap\n}"
    b"X\x08\x00\x00\x00filenameX\x01\x00\x00\x00xs\x86R.",
    "a class in the author's notebook": b"\x80\x02c__main__\nModel\n)\x81.",
    "memory": b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.",
    "a huge array": b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nJ\xff\xff\xff\x7fK\x10"
    b"\x86U\x01b\x87R.",
}


@pytest.mark.parametrize("content", ATTACKS.values(), ids=ATTACKS)
def test_what_no_model_needs_is_refused_and_named(tmp_path: Path, content: bytes) -> None:
    found = seen(tmp_path / "model.pkl", content)
    assert not found.servable
    assert found.refused
    assert found.refused[0].full in found.reason
    assert found.refused[0].why in found.reason
    with pytest.raises(ArtifactError, match="cannot be used") as caught:
        require(found)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"), ("posix", "system"), ("subprocess", "Popen"), ("builtins", "eval"), ("builtins", "getattr"),
        ("__builtin__", "exec"), ("importlib", "import_module"), ("runpy", "run_path"), ("socket", "socket"),
        ("functools", "partial"), ("operator", "attrgetter"), ("joblib", "load"), ("numpy", "load"),
        ("numpy.testing._private.utils", "runstring"), ("pandas", "eval"), ("pandas", "read_pickle"), ("torch", "load"),
        ("torch.hub", "load"), ("pip", "main"), ("pydoc", "locate"), ("timeit", "timeit"), ("ctypes", "CDLL"),
        ("sklearn.utils", "parallel_backend"), ("sklearn.datasets", "load_files"), ("types", "FunctionType"),
        ("cloudpickle.cloudpickle", "_make_function"), ("webbrowser", "open"), ("shutil", "rmtree"), ("io", "open"),
        ("numpy.f2py.crackfortran", "getlincoef"), ("scipy.io", "loadmat"), ("lightgbm", "train"), ("code", "interact"),
    ],
)  # fmt: skip
def test_known_evil_is_called_dangerous(module: str, name: str) -> None:
    assert judge(module, name, "called")[0] == "dangerous"
    assert judge(module, name, "no")[0] == "dangerous"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("sklearn.ensemble._forest", "Parallel"),
        ("sklearn.base", "ABCMeta"),
        ("sklearn.pipeline", "_fit_transform_one"), ("sklearn.tree._tree", "Tree.__class__"),
        ("sklearnx.pipeline", "Pipeline"),
        ("evil", "Pipeline"),
        ("numpyx", "dtype"), ("xgboost.sklearn.x", "XGBClassifier"), ("numpyXrandom._pickle", "__randomstate_ctor"),
        ("imblearn.utils", "Pipeline"), ("imblearn.pipelines", "Pipeline"),
    ],
)  # fmt: skip
def test_what_is_on_no_list_is_unknown_and_so_refused(module: str, name: str) -> None:
    assert judge(module, name, "called")[0] == "unknown"


def test_boosters_may_be_made_and_not_called_with_files() -> None:
    assert judge("lightgbm.basic", "Booster", "made")[0] == "harmless"
    assert judge("lightgbm.basic", "Booster", "called", ({}, None, "/etc/passwd"))[0] == "dangerous"


@pytest.mark.parametrize("ending", ["joblib", "npy", "npz"])
def test_pickles_inside_arrays_are_read(tmp_path: Path, ending: str) -> None:
    import joblib
    import numpy as np

    path = tmp_path / f"model.{ending}"
    array = np.array([Calls(eval, "1"), 2], dtype=object)
    {"joblib": joblib.dump, "npy": lambda a, p: np.save(p, a), "npz": lambda a, p: np.savez(p, a=a)}[ending](
        array, path
    )
    found = look(path)
    assert [one.full for one in found.refused] == ["builtins.eval"]


def test_looking_runs_and_imports_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    evil = {"a": Calls(open, str(canary), "w"), "b": Calls(exec, "import antigravity")}
    found = seen(tmp_path / "model.pkl", pickle.dumps(evil))
    assert {one.full for one in found.refused} == {"io.open", "builtins.exec"}
    assert all(one.called for one in found.refused)
    assert not canary.exists()
    seen(tmp_path / "model.pkl", b"\x80\x02cthis\ns\n.")
    assert not {"this", "antigravity"} & set(sys.modules)


def wrapper(shape: tuple[int, ...], code: str) -> bytes:
    """Return a pickle that ends where joblib puts an array's bytes."""
    import numpy as np
    from joblib.numpy_pickle import NumpyArrayWrapper

    return pickle.dumps(NumpyArrayWrapper(np.ndarray, shape, "C", np.dtype(code)), protocol=3)[:-1]


def bombs() -> dict[str, bytes]:
    """Return files that ask for far more memory, time or depth than they are large."""
    return {
        "nested": wrapper((1,), "O") * 2000,
        "a stack": b"\x80\x02" + b"(" * 3_100_000,
        "many pickles": b"N." * 3000,
        "zeros": gzip.compress(b"\x80\x04B" + struct.pack("<I", 1 << 30)) + gzip.compress(bytes(10 << 20)) * 60,
        "a long line": b"c" + b"a" * 10_000_000,
    }


@pytest.mark.parametrize("name", ["nested", "a stack", "many pickles", "zeros", "a long line"])
def test_bombs_are_stopped(tmp_path: Path, name: str) -> None:
    found = seen(tmp_path / "model.joblib", bombs()[name])
    assert found.reason.startswith("it is refused: "), found.reason


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b"abc.",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f]",
        b"\x80\x04h\x05.",
        b"\x80\x04].e.",
        b"\x80\x04\x93.",
    ],
)
def test_steps_that_cannot_be_are_damage(tmp_path: Path, content: bytes) -> None:
    found = seen(tmp_path / "model.pkl", content)
    assert not found.servable
    assert found.reason


def test_a_declared_array_larger_than_the_file_is_damage(tmp_path: Path) -> None:
    found = seen(tmp_path / "model.joblib", wrapper((10**14,), "f8") + bytes(1000))
    assert "it is damaged" in found.reason


def test_a_truncated_file_is_told_and_what_it_held_so_far(tmp_path: Path) -> None:
    content = pickle.dumps(fitted())
    for size in range(10, len(content) - 1, 97):
        found = seen(tmp_path / "model.pkl", content[:size])
        assert found.reason.startswith("it is damaged"), size


def test_any_damaged_byte_ends_in_an_answer(tmp_path: Path) -> None:
    import joblib

    joblib.dump(fitted(), tmp_path / "model.joblib")
    content = (tmp_path / "model.joblib").read_bytes()
    for place in range(0, len(content), 7):
        broken = bytearray(content)
        broken[place] ^= 0x55
        with suppress(ArtifactError):
            seen(tmp_path / "model.joblib", bytes(broken))


def test_steps_agree_with_the_standard_library() -> None:
    import pickletools

    from toolkit.pickles import _STEPS

    known = {opcode.code.encode("latin1") for opcode in pickletools.opcodes}
    assert known - {b"."} == set(_STEPS)


def test_values_are_followed_as_python_makes_them() -> None:
    value: dict[str, Any] = {
        "text": "é",
        "numbers": [1, -1, 300, 1 << 40, 2.5],
        "nothing": None,
        "pair": (True, False),
        "deep": {"a": [[]]},
    }
    for protocol in range(6):
        found = scan(Stream(io.BytesIO(pickle.dumps(value, protocol=protocol)), bytes_max=10_000))
        assert found.objects == [value], protocol
        assert found.damage == ""


# --- names and the command line


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "is no model that is known here"),
        (b"<!DOCTYPE html><html></html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (b"import os\n", "it is a program in Python"),
        (b"PK\x03\x04" + bytes(100), "cut off"),
        (bytes(range(256)), "is no model that is known here"),
    ],
)
def test_a_file_that_is_no_model_is_one_sentence_and_code_5(
    tmp_path: Path, kaggle2app: Callable[..., Outcome], content: bytes, told: str
) -> None:
    (tmp_path / "model.pkl").write_bytes(content)
    done = kaggle2app("inspect", tmp_path / "model.pkl")
    assert done.code == 5
    assert told in done.err
    assert done.err.count("error:") == 1
    assert "Traceback" not in done.err


def test_a_zip_bomb_under_a_models_name_is_not_unpacked(tmp_path: Path, kaggle2app: Callable[..., Outcome]) -> None:
    with zipfile.ZipFile(tmp_path / "model.joblib", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"{number}", bytes(60_000_000))
    done = kaggle2app("inspect", tmp_path / "model.joblib")
    assert done.code == 5
    assert "archive" in done.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.txt", b"tree\nversion=v4\nnum_class=1\nmax_feature_idx=0\nfeature_names=a\nTree=0\nnum_leaves=2\n"),
        ("model.onnx", b""),
        ("model.json", b'{"learner":{"attributes":{},"feature_names":["a","b"],"gradient_boo'),
    ],
)
@pytest.mark.parametrize("command", ["inspect", "new"])
def test_a_model_that_was_cut_off_is_not_taken_for_a_table(
    tmp_path: Path, kaggle2app: Callable[..., Outcome], command: str, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    done = kaggle2app(command, tmp_path / name, *(("--into", tmp_path / "out") if command == "new" else ()))
    assert done.code == 5, done.err
    assert not (tmp_path / "out").exists()


def test_a_renamed_file_is_told(tmp_path: Path) -> None:
    found = seen(tmp_path / "model.onnx", pickle.dumps(fitted()))
    assert found.servable
    assert [one.code for one in found.findings] == ["renamed"]


def test_inspect_shows_a_model_and_the_next_command(tmp_path: Path, kaggle2app: Callable[..., Outcome]) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(fitted()))
    done = kaggle2app("inspect", path)
    assert done.code == 0
    assert "2: width, height" in done.out
    assert f"kaggle2app new {path}" in done.out
    assert kaggle2app("inspect", path, "--json").json["models"][0]["framework"] == "scikit-learn"


def test_inspect_refuses_and_names_every_call(tmp_path: Path, kaggle2app: Callable[..., Outcome]) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps([Calls(eval, "1"), Calls(open, "x")]))
    done = kaggle2app("inspect", path)
    assert done.code == 5
    for name in ("builtins.eval", "io.open"):
        assert name in done.out
        assert name in done.err
    told = kaggle2app("inspect", path, "--json")
    assert told.code == 5
    assert told.json["error"]["exit_code"] == 5
    assert {one["verdict"] for one in told.json["models"][0]["opens"]} == {"dangerous"}


def test_inspect_shows_the_models_of_a_folder_and_of_a_zip(tmp_path: Path, kaggle2app: Callable[..., Outcome]) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "a.pkl").write_bytes(pickle.dumps(fitted()))
    (folder / "words.pkl").write_bytes(pickle.dumps(["a", "b"]))
    with zipfile.ZipFile(tmp_path / "models.zip", "w") as archive:
        archive.write(folder / "a.pkl", "a.pkl")
        archive.write(folder / "words.pkl", "words.pkl")
    for source in (folder, tmp_path / "models.zip"):
        told = kaggle2app("inspect", source, "--json")
        assert told.code == 0
        assert [(one["name"], one["servable"]) for one in told.json["models"]] == [
            ("a.pkl", True),
            ("words.pkl", False),
        ]


def test_a_table_beside_a_model_is_still_data(tmp_path: Path, kaggle2app: Callable[..., Outcome]) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(["a"]))
    (tmp_path / "rows.csv").write_text("a,b,y\n" + "".join(f"{row},{row % 3},{row % 2}\n" for row in range(40)))
    assert kaggle2app("inspect", tmp_path, "--json").json["table"] == "rows.csv"


def test_trust_passes_imports_and_never_damage(tmp_path: Path) -> None:
    require(seen(tmp_path / "model.pkl", ATTACKS["a class in the author's notebook"]), trust=True)
    damaged = seen(tmp_path / "model.pkl", pickle.dumps(fitted())[:-50])
    with pytest.raises(ArtifactError, match="damaged"):
        require(damaged, trust=True)
