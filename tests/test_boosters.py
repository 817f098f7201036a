"""Boosted trees of LightGBM, XGBoost and CatBoost are served from their own files, as their libraries answer."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_wrapping import difference

from toolkit.artifact import look
from toolkit.cage import read_caged
from toolkit.environments import interpreter_for
from toolkit.errors import ArtifactError
from toolkit.wrapping import TOLERANCE, Wishes, read_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Outcome

lightgbm = pytest.importorskip("lightgbm", reason="`make test` installs it, `make quick` does not")
xgboost = pytest.importorskip("xgboost", reason="as above")
catboost = pytest.importorskip("catboost", reason="as above")

QUIET: dict[str, dict[str, Any]] = {
    "lightgbm": {"n_estimators": 12, "verbose": -1, "n_jobs": 1},
    "xgboost": {"n_estimators": 12, "n_jobs": 1},
    "catboost": {"iterations": 12, "verbose": 0, "allow_writing_files": False, "thread_count": 1},
}
LIBRARIES = {"lightgbm": "LightGBM", "xgboost": "XGBoost", "catboost": "CatBoost"}
ENDINGS = {"lightgbm": [".txt"], "xgboost": [".json", ".ubj"], "catboost": [".cbm"]}
FILES = [(library, ending) for library, endings in ENDINGS.items() for ending in [*endings, ".joblib"]]


def fitted(library: str, kind: str, question: str) -> Any:
    """Return a small model; numbers with gaps for two classes, whole labels for three."""
    names = {"lightgbm": "LGBM{}", "xgboost": "XGB{}", "catboost": "CatBoost{}"}
    module = {"lightgbm": lightgbm, "xgboost": xgboost, "catboost": catboost}[library]
    model = getattr(module, names[library].format(kind))(**QUIET[library])
    if question == "two":
        frame, target = load_breast_cancer(return_X_y=True, as_frame=True)
        frame = frame.iloc[:, :6].rename(columns=lambda name: name.replace(" ", "_"))
        frame.iloc[::5, 0] = np.nan
        return model.fit(frame, target)
    frame, target = (load_iris if question == "three" else load_diabetes)(return_X_y=True, as_frame=True)
    return model.fit(frame.rename(columns=lambda name: name.replace(" ", "_").strip("()")), target)


def save(model: Any, path: Path) -> Path:
    if path.suffix == ".joblib":
        joblib.dump(model, path)
    else:
        getattr(model, "booster_", model).save_model(str(path))
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("question", ["two", "three", "number"])
@pytest.mark.parametrize(("library", "ending"), FILES)
def test_a_file_is_served_as_its_library_answers(tmp_path: Path, library: str, ending: str, question: str) -> None:
    kind = "Regressor" if question == "number" else "Classifier"
    model = fitted(library, kind, question)
    path = save(model, tmp_path / f"model{ending}")
    artifact = look(path)
    assert (artifact.framework, artifact.servable) == (LIBRARIES[library], True)
    wrapped, caged = read_model(path, artifact, Wishes(into=tmp_path / "out", name="made"))
    assert wrapped.task == {"two": "binary", "three": "multiclass", "number": "regression"}[question]
    assert np.ptp(caged.arrays["answers"]) > 0
    assert difference(caged) <= TOLERANCE
    if question == "two":
        assert caged.document["columns"][0]["name"] == "mean_radius"
        assert any(row["mean_radius"] is None for row in caged.document["rows"])


@pytest.mark.filterwarnings("ignore")
def test_categories_of_pandas_are_asked_for_by_their_words(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"size": generator.random(400), "town": pd.Categorical(generator.choice(["Bonn", "Oslo", "Rome", "Wien"], 400))}
    )
    target = ((frame["size"] > 0.5) ^ frame["town"].isin(["Bonn", "Rome"])).astype(int)
    model = lightgbm.LGBMClassifier(**QUIET["lightgbm"], min_data_per_group=5).fit(frame, target)
    for path in (save(model, tmp_path / "model.txt"), save(model, tmp_path / "model.joblib")):
        _, caged = read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))
        town = caged.document["columns"][1]
        assert (town["kind"], town["categories"]) == ("category", ["Bonn", "Oslo", "Rome", "Wien"])
        assert difference(caged) < 1e-9


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_a_booster_that_was_pickled_by_itself_is_served(tmp_path: Path, library: str) -> None:
    model = fitted(library, "Classifier", "two")
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model.booster_ if library == "lightgbm" else model.get_booster()))
    wrapped, caged = read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))
    assert (wrapped.task, caged.document["columns"][0]["name"]) == ("binary", "mean_radius")
    assert difference(caged) <= TOLERANCE


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", [".json", ".joblib"])
@pytest.mark.parametrize("one_hot", [1, 10], ids=["sets", "one against the rest"])
def test_categories_of_xgboost_are_asked_for_by_their_words(tmp_path: Path, ending: str, one_hot: int) -> None:
    generator = np.random.default_rng(1)
    towns, floors = generator.choice(["Bonn", "Oslo", "Rome", "Wien"], 400), generator.choice([2, 5, 9], 400)
    frame = pd.DataFrame(
        {"size": generator.random(400), "town": pd.Categorical(towns), "floor": pd.Categorical(floors)}
    )
    target = ((frame["size"] > 0.5) ^ np.isin(towns, ["Bonn", "Rome"]) ^ (floors == 5)).astype(int)
    model = xgboost.XGBClassifier(**QUIET["xgboost"], enable_categorical=True, max_cat_to_onehot=one_hot)
    path = save(model.fit(frame, target), tmp_path / f"model{ending}")
    _, caged = read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))
    kinds = {column["name"]: (column["kind"], column["categories"]) for column in caged.document["columns"]}
    assert kinds["town"] == ("category", ["Bonn", "Oslo", "Rome", "Wien"])
    assert {row["floor"] for row in caged.document["rows"]} == {2.0, 5.0, 9.0, None}
    assert kinds["floor"][0] == "number"
    assert difference(caged) <= TOLERANCE


@pytest.mark.filterwarnings("ignore")
def test_categories_that_are_numbers_are_asked_for_as_numbers(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    floors = generator.choice([2, 5, 9], 400)
    frame = pd.DataFrame({"size": generator.random(400), "floor": pd.Categorical(floors)})
    model = lightgbm.LGBMRegressor(**QUIET["lightgbm"], min_data_per_group=5).fit(frame, (floors == 5) + frame["size"])
    path = save(model, tmp_path / "model.txt")
    _, caged = read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))
    assert {row["floor"] for row in caged.document["rows"]} >= {2.0, 5.0, 9.0}
    assert difference(caged) < 1e-9


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("policy", ["Depthwise", "Lossguide"])
@pytest.mark.parametrize("question", ["two", "three"])
def test_trees_of_catboost_may_grow_as_they_like(tmp_path: Path, policy: str, question: str) -> None:
    frame, target = (load_breast_cancer if question == "two" else load_iris)(return_X_y=True, as_frame=True)
    frame.iloc[::5, 0] = np.nan
    model = catboost.CatBoostClassifier(**QUIET["catboost"], grow_policy=policy).fit(frame, target)
    path = save(model, tmp_path / "model.cbm")
    _, caged = read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))
    assert difference(caged) <= TOLERANCE


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["values", "chances", "values of catboost", "chances of catboost"])
def test_several_answers_a_row_are_a_list(tmp_path: Path, name: str) -> None:
    frame, target = load_diabetes(return_X_y=True, as_frame=True)
    both = np.column_stack([target, -target])
    model = {
        "values": lambda: xgboost.XGBRegressor(**QUIET["xgboost"]),
        "chances": lambda: xgboost.XGBClassifier(**QUIET["xgboost"]),
        "values of catboost": lambda: catboost.CatBoostRegressor(**QUIET["catboost"], loss_function="MultiRMSE"),
        "chances of catboost": lambda: catboost.CatBoostClassifier(**QUIET["catboost"], loss_function="MultiLogloss"),
    }[name]()
    model.fit(frame, (both > np.median(both, axis=0)).astype(int) if "chances" in name else both)
    own = ".cbm" if "catboost" in name else ".json"
    for path in (save(model, tmp_path / f"model{own}"), save(model, tmp_path / "model.joblib")):
        wrapped, caged = read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))
        assert (caged.document["answer"], wrapped.sides) == ("tensor", (2,))
        assert difference(caged) <= TOLERANCE


@pytest.mark.filterwarnings("ignore")
def test_trees_after_the_best_are_not_asked(tmp_path: Path) -> None:
    frame, target = load_diabetes(return_X_y=True, as_frame=True)
    model = xgboost.XGBRegressor(n_estimators=60, learning_rate=0.5, n_jobs=1, early_stopping_rounds=5)
    model.fit(frame[:300], target[:300], eval_set=[(frame[300:], target[300:])], verbose=False)
    assert 0 < model.best_iteration < len(model.get_booster().get_dump()) - 1
    for path in (save(model, tmp_path / "model.json"), save(model, tmp_path / "model.joblib")):
        _, caged = read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))
        rows = pd.DataFrame(caged.document["rows"]).reindex(columns=frame.columns).astype(float)
        assert np.allclose(caged.arrays["answers"].ravel(), model.predict(rows), atol=TOLERANCE)
        assert difference(caged) <= TOLERANCE


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("library", "options"),
    [
        ("lightgbm", {"objective": "poisson"}),
        ("lightgbm", {"zero_as_missing": True}),
        ("lightgbm", {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}),
        ("lightgbm", {"boosting_type": "dart"}),
        ("xgboost", {"objective": "count:poisson", "booster": "dart", "rate_drop": 0.2}),
        ("xgboost", {"booster": "gblinear"}),
        ("catboost", {"loss_function": "Poisson"}),
        ("catboost", {"nan_mode": "Max"}),
    ],
    ids=str,
)
def test_links_and_kinds_of_boosting_are_the_librarys(tmp_path: Path, library: str, options: dict[str, Any]) -> None:
    makers = {
        "lightgbm": lightgbm.LGBMRegressor,
        "xgboost": xgboost.XGBRegressor,
        "catboost": catboost.CatBoostRegressor,
    }
    frame, target = load_diabetes(return_X_y=True, as_frame=True)
    model = makers[library](**QUIET[library], **options).fit(frame, target)
    path = save(model, tmp_path / f"model{ENDINGS[library][0]}")
    _, caged = read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))
    assert difference(caged) <= TOLERANCE


@pytest.mark.filterwarnings("ignore")
def test_a_booster_may_stand_behind_scikit_learns_steps(tmp_path: Path) -> None:
    frame, target = load_diabetes(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), lightgbm.LGBMRegressor(**QUIET["lightgbm"])).fit(frame, target)
    path = save(model, tmp_path / "model.joblib")
    _, caged = read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))
    assert difference(caged) < 1e-9
    names = [column["name"] for column in caged.document["columns"]] + caged.document["unused"]
    assert sorted(names) == sorted(frame.columns)


@pytest.mark.filterwarnings("ignore")
def test_what_is_not_served_of_a_library_is_named(tmp_path: Path) -> None:
    frame, target = load_iris(return_X_y=True, as_frame=True)
    model = lightgbm.LGBMClassifier(**QUIET["lightgbm"], objective="multiclassova").fit(frame.to_numpy(), target)
    path = save(model, tmp_path / "model.txt")
    with pytest.raises(ArtifactError, match="one-against-all"):
        read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_new_makes_a_project_of_a_booster(kaggle2app: Callable[..., Outcome], tmp_path: Path) -> None:
    path = save(fitted("xgboost", "Classifier", "two"), tmp_path / "risk.ubj")
    done = kaggle2app("new", path, "--into", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    assert (done.json["tests"]["failed"], done.json["model"]["framework"]) == (0, "XGBoost")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("there", "here"),
    [
        (r"left_child=\S+ ", "left_child=0 "),
        (r"right_child=\S+", "right_child=9999999"),
        (r"split_feature=\S+", "split_feature=-7"),
    ],
)
def test_trees_without_end_or_with_places_outside_are_stopped(tmp_path: Path, there: str, here: str) -> None:
    path = save(fitted("lightgbm", "Regressor", "number"), tmp_path / "model.txt")
    path.write_text(re.sub(there, here, path.read_text()))
    with pytest.raises(ArtifactError) as raised:
        read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))
    assert "\n" not in raised.value.message
    if "left_child" in there:  # which the library would walk for ever; at the others it ends by itself
        assert "no tree" in raised.value.message


def test_a_library_that_is_not_here_is_told_when_offline() -> None:
    with pytest.raises(ArtifactError, match="needs imblearn, which is not here"):
        interpreter_for(["imblearn"], offline=True)


def test_a_damaged_booster_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "model.txt"
    path.write_text("tree\nversion=v4\nnum_class=1\nmax_feature_idx=1\n\nTree=0\nnum_leaves=99\n", encoding="utf-8")
    with pytest.raises(ArtifactError) as raised:
        read_caged(path, allowed=[], library="LightGBM")
    assert "\n" not in raised.value.message
