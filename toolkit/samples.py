"""The real tabular data sets that ship inside scikit-learn, laid out as a Kaggle download: a CSV and its origin."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.download import Provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Sample:
    """One data set: its file's content and where it came from."""

    file_name: str
    content: bytes
    provenance: Provenance


@dataclass(frozen=True)
class _Facts:
    """What scikit-learn does not say in a form that a table can carry."""

    loader: str
    title: str
    subtitle: str
    origin: str
    url: str
    licence: str
    licence_url: str
    target: str
    target_meaning: str
    labels: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()  # name and meaning, in order; empty: as scikit-learn has them


CC_BY = "CC BY 4.0"
CC_BY_URL = "https://creativecommons.org/licenses/by/4.0/"
_SAMPLES = {
    "iris": _Facts(
        "load_iris",
        "Iris",
        "Sepals and petals of 150 irises of three species",
        "R. A. Fisher, The use of multiple measurements in taxonomic problems, 1936; UCI Machine Learning Repository",
        "https://archive.ics.uci.edu/dataset/53/iris",
        CC_BY,
        CC_BY_URL,
        "species",
        "the iris's species",
        ("setosa", "versicolor", "virginica"),
        (
            ("sepal length (cm)", "length of a sepal"),
            ("sepal width (cm)", "width of a sepal"),
            ("petal length (cm)", "length of a petal"),
            ("petal width (cm)", "width of a petal"),
        ),
    ),
    "wine": _Facts(
        "load_wine",
        "Wine recognition",
        "Chemical analysis of 178 Italian wines of three cultivars",
        "S. Aeberhard and M. Forina, 1991; UCI Machine Learning Repository",
        "https://archive.ics.uci.edu/dataset/109/wine",
        CC_BY,
        CC_BY_URL,
        "cultivar",
        "the cultivar that the wine was made of",
        ("first", "second", "third"),
        (
            ("alcohol", "alcohol by volume, percent"),
            ("malic acid", "malic acid, grams a litre"),
            ("ash", "ash, grams a litre"),
            ("alcalinity of ash", "alcalinity of the ash"),
            ("magnesium", "magnesium, milligrams a litre"),
            ("total phenols", "total phenols"),
            ("flavanoids", "flavanoids"),
            ("nonflavanoid phenols", "phenols that are no flavanoids"),
            ("proanthocyanins", "proanthocyanins"),
            ("color intensity", "intensity of the colour"),
            ("hue", "hue of the colour"),
            ("OD280/OD315 of diluted wines", "ratio of optical densities at 280 and 315 nm, which tells proteins"),
            ("proline", "proline, milligrams a litre"),
        ),
    ),
    "breast-cancer": _Facts(
        "load_breast_cancer",
        "Breast cancer Wisconsin (diagnostic)",
        "Cell nuclei in 569 images of breast masses, malignant or benign",
        "W. H. Wolberg, W. N. Street and O. L. Mangasarian, 1993; UCI Machine Learning Repository",
        "https://archive.ics.uci.edu/dataset/17/breast+cancer+wisconsin+diagnostic",
        CC_BY,
        CC_BY_URL,
        "diagnosis",
        "what the mass turned out to be",
        ("malignant", "benign"),
    ),
    "diabetes": _Facts(
        "load_diabetes",
        "Diabetes progression",
        "Ten measurements of 442 patients and how their disease progressed in a year",
        "B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least angle regression, 2004",
        "https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
        "",
        "",
        "disease progression",
        "a measure of disease progression one year after the measurements",
        (),
        (
            ("age", "age in years"),
            ("sex", "sex, coded 1 and 2 by the source"),
            ("body mass index", "body mass index, kilograms a square metre"),
            ("average blood pressure", "average blood pressure, mm Hg"),
            ("total cholesterol", "total serum cholesterol"),
            ("low-density lipoproteins", "low-density lipoproteins"),
            ("high-density lipoproteins", "high-density lipoproteins"),
            ("cholesterol ratio", "total cholesterol over high-density lipoproteins"),
            ("log triglycerides", "logarithm of serum triglycerides, possibly"),
            ("blood sugar", "blood sugar level"),
        ),
    ),
}


def load(name: str) -> Sample:
    """Return the sample called ``name`` (one of ``handle.SAMPLES``): a UTF-8 CSV, the target last."""
    from sklearn import datasets  # noqa: PLC0415 - 1 s, for samples alone

    facts = _SAMPLES[name]
    loader: Callable[..., Any] = getattr(datasets, facts.loader)
    bunch = loader(**({"scaled": False} if name == "diabetes" else {}))
    columns = facts.columns or tuple((str(column), _meaning(str(column))) for column in bunch.feature_names)
    target = [facts.labels[int(code)] if facts.labels else _plain(code) for code in bunch.target]
    rows = [[*map(_plain, row), answer] for row, answer in zip(bunch.data.tolist(), target, strict=True)]
    file_name = f"{name.replace('-', '_')}.csv"
    provenance = Provenance(
        source=f"sample:{name}",
        kind="sample",
        title=facts.title,
        subtitle=facts.subtitle,
        url=facts.url,
        licence=facts.licence,
        licence_url=facts.licence_url,
        origin=f"{facts.origin}; as shipped with scikit-learn",
        columns={file_name: {**dict(columns), facts.target: facts.target_meaning}},
    )
    return Sample(file_name, _csv([[*(column for column, _ in columns), facts.target], *rows]), provenance)


def _csv(rows: Sequence[Sequence[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _plain(value: float) -> str:
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)


def _meaning(column: str) -> str:
    """Return the meaning of a nucleus's measurement: ``worst area`` is the mean of the three largest ones."""
    kind, _, measure = column.partition(" ")
    words = {"mean": "mean {} of the nuclei", "worst": "mean of the three largest values of {}"}
    return words[kind].format(measure) if kind in words else f"standard error of {column.removesuffix(' error')}"
