"""The served features against the libraries they stand in for."""

from __future__ import annotations

from datetime import UTC, datetime

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


@pytest.mark.parametrize("longest", [1, 2])
def test_words_are_weighted_as_scikit_learn_does(longest: int) -> None:
    cells = ["A red, red house", "the house is old", "Ünïcode straße 2024", ""]
    vectorizer = TfidfVectorizer(token_pattern=texts.WORD.pattern, ngram_range=(1, longest), sublinear_tf=True)
    expected = vectorizer.fit_transform(cells).toarray()
    terms = vectorizer.get_feature_names_out().tolist()
    step = texts.Words({"column": "text", "longest": longest, "terms": terms, "idf": vectorizer.idf_.tolist()})
    found = np.empty_like(expected)
    step.encode({"text": np.array(cells, dtype=object)}, found)
    assert found == pytest.approx(expected, abs=10.0**-texts.WEIGHT_DECIMALS)
    assert texts.words_of("A red house", 2) == ["a", "red", "house", "a red", "red house"]
