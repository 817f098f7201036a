"""Texts become the weights of their terms, counted as the wrapped model does it."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .schema import Columns

BLANKS = re.compile(r"\s\s+")


class Words:
    """A text becomes the weights of its terms, or their weighted sum where a linear model reads them."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.column: str = facts["column"]
        self.terms = {term: index for index, term in enumerate(facts["terms"])}
        self.binary: bool = facts["binary"]
        self.sublinear: bool = facts["sublinear"]
        self.norm: str | None = facts["norm"]
        self.idf: list[float] | None = facts["idf"]
        self._parts = _analyzer(facts)
        project = facts.get("project")
        self.project = None if project is None else np.array(project, dtype=np.float64)
        self.width = len(self.terms) if self.project is None else self.project.shape[1]

    def encode(self, columns: Columns, out: NDArray[np.float64]) -> None:
        """Write the weights (or their sums) of each text."""
        out[:] = 0.0
        for index, text in enumerate(columns[self.column]):
            found = (self.terms.get(part) for part in self._parts(text))
            counts = Counter(place for place in found if place is not None)
            if not counts:
                continue
            places = sorted(counts)
            weights = np.array([self._weight(place, counts[place]) for place in places])
            if self.norm is not None:
                weights /= np.abs(weights).sum() if self.norm == "l1" else math.sqrt(float(weights @ weights))
            if self.project is None:
                out[index, places] = weights
            else:
                out[index] = weights @ self.project[places]

    def _weight(self, place: int, count: int) -> float:
        weight = 1.0 if self.binary else float(count)
        if self.sublinear:
            weight = 1.0 + math.log(weight)
        return weight if self.idf is None else weight * self.idf[place]


def _analyzer(facts: dict[str, Any]) -> Callable[[str], list[str]]:
    """Return what cuts a text into terms: words or letters, in runs of some length."""
    shortest, longest = int(facts["shortest"]), int(facts["longest"])
    stop_words = frozenset(facts["stop_words"])
    pattern = re.compile(facts["pattern"] or r"(?u)\b\w\w+\b")
    analyzer: str = facts["analyzer"]

    def prepared(text: str) -> str:
        text = text.lower() if facts["lowercase"] else text
        return _plain(text, facts["accents"])

    def parts(text: str) -> list[str]:
        text = prepared(text)
        if analyzer == "word":
            words = [word for word in pattern.findall(text) if word not in stop_words]
            return _runs(words, shortest, longest)
        text = BLANKS.sub(" ", text)
        if analyzer == "char":
            return [text[i : i + n] for n in range(shortest, min(longest, len(text)) + 1) for i in _starts(text, n)]
        return [part for word in text.split() for part in _within(f" {word} ", shortest, longest)]

    return parts


def _runs(words: list[str], shortest: int, longest: int) -> list[str]:
    if longest == 1:
        return words
    return [
        " ".join(words[i : i + n])
        for n in range(shortest, min(longest, len(words)) + 1)
        for i in range(len(words) - n + 1)
    ]


def _starts(text: str, length: int) -> range:
    return range(len(text) - length + 1)


def _within(word: str, shortest: int, longest: int) -> list[str]:
    """Return the runs of letters in a word with a blank at each end; a word shorter than a run counts once."""
    found: list[str] = []
    for length in range(shortest, longest + 1):
        found += [word[i : i + length] for i in _starts(word, length)] or [word]
        if len(word) <= length:
            break
    return found


def _plain(text: str, accents: str | None) -> str:
    """Return ``text`` without accents, by scikit-learn's two ways of taking them off."""
    if accents is None:
        return text
    apart = unicodedata.normalize("NFKD", text)
    if accents == "ascii":
        return apart.encode("ascii", "ignore").decode("ascii")
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
