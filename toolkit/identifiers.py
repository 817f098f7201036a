"""Columns that name rows instead of describing them, each with its evidence in plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.cells import matches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from toolkit.cells import Cells

ROWS_MIN = 12  # in fewer rows all values differ by chance
REPEATED_MIN = 50  # different values of an id that comes again and again: fewer are a category such as a shop's number
# fmt: off
SAYS_ID = frozenset((
    "id", "ids", "uuid", "guid", "identifier", "identification", "rowid", "pk", "oid", "uid", "rownum", "sl",
    "srno", "sno", "isbn", "issn", "asin", "vin", "imei", "ssn", "email", "md", "sha", "hash",
))
# fmt: on
SAYS_NUMBER = frozenset(
    ("number", "num", "no", "nr", "nbr", "code", "key", "ref", "reference", "serial", "index", "idx", "count", "record")
)
# fmt: off
ENTITIES = frozenset((
    "customer", "client", "user", "member", "person", "passenger", "patient", "employee", "student", "subject",
    "account", "card", "cc", "order", "invoice", "transaction", "ticket", "case", "record", "row", "line", "serial",
    "policy", "loan", "booking", "device", "sample", "product", "item", "applicant", "application", "claim",
    "session", "visit", "encounter", "survey", "respondent", "roll", "phone", "movie", "emp", "book", "host",
    "listing", "track", "song", "game", "match", "player", "team", "article", "review", "tweet", "flight", "trip",
    "ride", "complaint", "incident", "image", "house", "property", "lead", "prospect", "quote", "contract", "shipment",
    "visitor", "guest", "seller", "buyer", "store", "shop", "restaurant", "driver", "supplier", "provider", "hospital",
))
# fmt: on
ENDS_IN_ID = frozenset(
    ("solid", "grid", "bid", "paid", "humid", "valid", "covid", "mid", "lipid", "hybrid", "avid", "rapid")
)
NAMES_OF_PEOPLE = frozenset(("surname", "lastname", "firstname", "forename", "givenname", "familyname", "middlename"))
# fmt: off
SAYS_MEASURE = frozenset((
    "year", "yr", "month", "day", "date", "time", "hour", "minute", "week", "age", "price",
    "amount", "distance", "step", "score",
))
# fmt: on
UNNAMED = re.compile(r"Unnamed: \d+(\.\d+)?|index|__index_level_\d+__|level_\d+|_c0|X", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of a column: its name, present cells, rows of the table, gaps, and its numbers if it holds some."""

    name: str
    cells: Cells
    rows: int
    gaps: int
    numbers: NDArray[np.float64] | None = None
    whole: bool = False
    words_mean: float = 1.0
    first_in_submission: bool = False

    @property
    def unique(self) -> bool:
        """Return whether no two rows share a value."""
        return self.rows >= ROWS_MIN and len(self.cells) == self.rows - self.gaps and self.gaps <= 0.01 * self.rows


def judge(facts: Facts) -> str:
    """Return why the column is an identifier, or ``""`` when it is none.

    A measurement is never one because its values all differ: nor is a fraction, or a text of several words.
    """
    if (facts.numbers is not None and not facts.whole) or len(facts.cells) <= 1:
        return ""
    words = words_of(facts.name) or (["id"] if facts.name.strip() == "#" else [])
    if facts.first_in_submission and facts.unique:
        return f"the sample submission names rows by it, and each of the {facts.rows:,} rows has its own"
    if facts.numbers is not None:
        return _judge_numbers(facts, facts.numbers, words)
    return _judge_texts(facts, words)


def words_of(name: str) -> list[str]:
    """Return a column name's words in small letters: ``CustomerID`` is customer, id."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", spaced)
    return [word.lower() for word in re.findall(r"[^\W_\d]+", spaced)]


def _judge_numbers(facts: Facts, numbers: NDArray[np.float64], words: list[str]) -> str:
    low, high = float(numbers.min()), float(numbers.max())
    span = high - low + 1
    counts_up = facts.unique and span == len(numbers)
    saved = facts.unique or (facts.name.startswith("Unnamed") and span == len(numbers) > 2)  # noqa: PLR2004 - 0 and 1 are a flag
    if UNNAMED.fullmatch(facts.name) and low in {0, 1} and saved and facts.rows >= ROWS_MIN:
        again = "" if facts.unique else ", again and again"
        counts = f"counts from {low:.0f} to {high:.0f}{again}"
        return f"it has no name of its own and {counts}: an index that was saved with the table"
    if facts.unique and re.fullmatch(r"Unnamed: \d+", facts.name):
        return "it has no name of its own and another number in each row: an index that was saved with the table"
    if _says_id(words) or _numbers_entity(words) or (facts.unique and _glued_id(words)):
        if facts.unique:
            kind = f"counts from {low:.0f} to {high:.0f}" if counts_up else "has another value in each row"
            return f"its name says so and it {kind}"
        if _says_id(words) and _repeats(facts):
            return _repeated(facts)
        if _numbers_entity(words) and not set(words) & {"count"} and _repeats(facts):
            return _repeated(facts)
    if counts_up and not set(words) & SAYS_MEASURE and facts.rows >= 30 and low in {0, 1}:  # noqa: PLR2004 - 30 months may count up
        return f"it counts from {low:.0f} to {high:.0f}, one a row"
    return ""


def _judge_texts(facts: Facts, words: list[str]) -> str:
    joined = "".join(words)
    if (joined in NAMES_OF_PEOPLE) and len(facts.cells) > REPEATED_MIN and facts.words_mean < 1.6:  # noqa: PLR2004 - double names
        return f"it names people: {len(facts.cells):,} different names in {facts.rows:,} rows"
    if facts.words_mean > 1.2:  # noqa: PLR2004 - an id is one word
        return ""
    if facts.unique:
        if _says_id(words) or _numbers_entity(words):
            return "its name says so and it has another value in each row"
        coded = matches(facts.cells.stripped, r"^[A-Za-z_#-]*[0-9][A-Za-z0-9_#-]*$").mean()
        if coded > 0.98:  # noqa: PLR2004 - a code or two may be written otherwise
            return "each row has its own code of letters and digits"
        if matches(facts.cells.stripped, r"^[^@\s]+@[^@\s]+\.[A-Za-z]+$").mean() > 0.98:  # noqa: PLR2004
            return "each row has its own mail address"
        if matches(facts.cells.stripped, r"^(?:https?://|www\.)\S+$").mean() > 0.98:  # noqa: PLR2004
            return "each row has its own web address"
    elif _says_id(words) and _repeats(facts):
        return _repeated(facts)
    return ""


def _says_id(words: list[str]) -> bool:
    if not words:
        return False
    last = words[-1]
    glued = last.endswith("id") and (last[:-2] in ENTITIES or last[:-2] in words[:-1])  # userid, beer_beerid
    return glued or "id" in words[1:-1] or last in SAYS_ID or words[0] in SAYS_ID or "".join(words) in SAYS_ID


def _glued_id(words: list[str]) -> bool:
    """Return whether the name is one word that ends in ``id`` or in a thing's number: ``kepid``, ``clientnum``."""
    last = "".join(words)
    if last.endswith("id") and len(last) > len("id"):
        return last not in ENDS_IN_ID and not last.endswith(("acid", "oid", "uid"))
    return any(last.endswith(number) and last.removesuffix(number) in ENTITIES for number in SAYS_NUMBER)


def _numbers_entity(words: list[str]) -> bool:
    return len(words) > 1 and words[-1] in SAYS_NUMBER and words[-2] in ENTITIES


def _repeats(facts: Facts) -> bool:
    return len(facts.cells) > REPEATED_MIN


def _repeated(facts: Facts) -> str:
    shared = facts.rows / len(facts.cells)
    things = f"{len(facts.cells):,} different things in {facts.rows:,} rows"
    return f"its name says so: it names {things}, {shared:.1f} rows each"
