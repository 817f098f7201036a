"""Texts become the weights of their words, as the pipeline learned them."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .schema import Columns

WORD = re.compile(r"(?u)\b\w+\b")
WEIGHT_DECIMALS = 7  # trees compare: two sums that differ in the last bit must not fall on two sides of a threshold


def words_of(text: str, longest: int) -> list[str]:
    """Return the words of ``text`` in lower case, then its runs of up to ``longest`` words, as TfidfVectorizer does."""
    words = WORD.findall(text.lower())
    runs = [" ".join(words[i : i + n]) for n in range(2, longest + 1) for i in range(len(words) - n + 1)]
    return words + runs


class Words:
    """A text becomes the TF-IDF weights of its words (for trees), or their weighted sum (for a linear model).

    TF-IDF as scikit-learn's ``TfidfVectorizer`` with ``sublinear_tf``: (1 + log count) * idf, each row of length 1.
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        self.column: str = facts["column"]
        self.longest: int = facts["longest"]
        self.terms = {term: index for index, term in enumerate(facts["terms"])}
        self.idf: list[float] = facts["idf"]
        project = facts.get("project")
        self.project = None if project is None else np.array(project, dtype=np.float64)
        self.width = len(self.idf) if self.project is None else self.project.shape[1]

    def encode(self, columns: Columns, out: NDArray[np.float64]) -> None:
        """Write the weights (or their projection) of each text."""
        out[:] = 0.0
        for index, text in enumerate(columns[self.column]):
            found = (self.terms.get(word) for word in words_of(text, self.longest))
            counts = Counter(place for place in found if place is not None)
            if not counts:
                continue
            places = sorted(counts)
            weights = np.array([(1 + math.log(counts[place])) * self.idf[place] for place in places])
            weights /= math.sqrt(float(weights @ weights))
            if self.project is None:
                out[index, places] = np.round(weights, WEIGHT_DECIMALS)
            else:
                out[index] = weights @ self.project[places]
