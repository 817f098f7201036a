"""The served features against the libraries they stand in for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from {{cookiecutter.package_name}} import features, texts


@pytest.mark.parametrize(
    "text", ["1969-12-31T23:30:00", "1970-01-01", "2000-02-29T12:45:00", "2024-12-31", "1583-03-07"]
)
def test_date_parts_are_the_calendars(text: str) -> None:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    parts = dict(zip(features.DATE_PARTS, features.date_parts(np.array([moment.timestamp()]))[0].tolist(), strict=True))
    assert (parts["year"], parts["month"], parts["day"]) == (moment.year, moment.month, moment.day)
    assert parts["weekday"] == moment.weekday()
    assert parts["hour"] == pytest.approx(moment.hour + moment.minute / 60)


def test_a_missing_date_is_missing_in_every_part() -> None:
    assert np.isnan(features.date_parts(np.array([np.nan]))).all()


SETUPS: list[dict[str, Any]] = [
    {},
    {"ngram_range": (1, 2), "stop_words": ["the", "is"], "sublinear_tf": True},
    {"analyzer": "char", "ngram_range": (2, 4), "norm": "l1"},
    {"analyzer": "char_wb", "ngram_range": (1, 3), "lowercase": False},
    {"strip_accents": "unicode", "binary": True, "norm": None, "use_idf": False},
    {"strip_accents": "ascii", "token_pattern": r"(?u)\b\w+\b"},
]


@pytest.mark.parametrize("setup", SETUPS, ids=str)
def test_terms_are_weighted_as_scikit_learn_does(setup: dict[str, Any]) -> None:
    cells = ["A red, red house", "the house is  old", "\u00dcn\u00efcode stra\u00dfe 2024", "a"]
    vectorizer = TfidfVectorizer(**setup)
    expected = vectorizer.fit_transform(cells).toarray()
    facts = {
        "column": "text",
        "terms": vectorizer.get_feature_names_out().tolist(),
        "analyzer": vectorizer.analyzer,
        "shortest": vectorizer.ngram_range[0],
        "longest": vectorizer.ngram_range[1],
        "lowercase": vectorizer.lowercase,
        "accents": vectorizer.strip_accents,
        "pattern": vectorizer.token_pattern,
        "stop_words": vectorizer.stop_words or [],
        "binary": vectorizer.binary,
        "sublinear": vectorizer.sublinear_tf,
        "norm": vectorizer.norm,
        "idf": vectorizer.idf_.tolist() if vectorizer.use_idf else None,
    }
    found = np.empty_like(expected)
    texts.Words(facts).encode({"text": np.array(cells, dtype=object)}, found)
    assert found == pytest.approx(expected, abs=1e-12)
