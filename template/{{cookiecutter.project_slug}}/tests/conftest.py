"""What the tests share: the model folder as it is, and a client of the application around it."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from {{cookiecutter.package_name}}.api import create_app
from {{cookiecutter.package_name}}.cli import CALM_THREADS
from {{cookiecutter.package_name}}.model import Model
from {{cookiecutter.package_name}}.reload import settle
from {{cookiecutter.package_name}}.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from {{cookiecutter.package_name}}.schema import Schema

PROJECT = Path(__file__).parents[1]
# How far two answers to the same row may lie apart, by the way it is asked: what a sum's order does to float64, or more
# where a model from elsewhere computes in float32 and says so.
PRECISION = float(json.loads((PROJECT / "model" / "manifest.json").read_text(encoding="utf-8")).get("precision", 1e-9))
LARGE = (PROJECT / "model" / "model.onnx").stat().st_size > 50_000_000
for variable, value in CALM_THREADS.items():  # before scikit-learn is loaded, which reads them once
    os.environ.setdefault(variable, value)


@pytest.fixture(scope="session", autouse=True)
def _graphs_are_opened_once() -> Iterator[None]:
    """Keep the last graphs that were opened: a large one takes half a second, and the tests open it a hundred times."""
    from {{cookiecutter.package_name}} import model  # noqa: PLC0415 - the module, beside the fixture of this name

    with pytest.MonkeyPatch.context() as patch:
        kept = lru_cache(maxsize=1 if LARGE else 4)
        patch.setattr(f"{model.__name__}._session", kept(vars(model)["_session"]))
        yield


@pytest.fixture(autouse=True)
def _large_models_are_let_go() -> Iterator[None]:
    """Free what a test loaded: hundreds of large models would not fit into memory together."""
    yield
    if LARGE:
        settle()


@pytest.fixture(scope="session")
def model_dir() -> Path:
    """Return the folder of the model under test."""
    return PROJECT / "model"


@pytest.fixture(scope="session")
def model(model_dir: Path) -> Model:
    """Return the model, verified and loaded."""
    return Model.load(model_dir)


@pytest.fixture(scope="session")
def schema(model: Model) -> Schema:
    """Return the input contract."""
    return model.schema


@pytest.fixture(scope="session")
def golden(model_dir: Path) -> list[dict[str, Any]]:
    """Return the golden rows: made-up rows with the answers of the pipeline that was trained."""
    rows: list[dict[str, Any]] = json.loads((model_dir / "golden.json").read_text(encoding="utf-8"))["rows"]
    return rows


@pytest.fixture(scope="session")
def client(model_dir: Path) -> Iterator[TestClient]:
    """Return a client of the application that serves the model."""
    app = create_app(Settings(model_dir=model_dir))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
