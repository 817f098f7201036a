"""Which of a download's tables plays which part: judged by names, columns and sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from toolkit.dictionary import looks_like_dictionary
from toolkit.errors import DataError
from toolkit.findings import Finding
from toolkit.table import Table

ASKED = "asked for with --table"
LACKING_MAX = 3  # answers that a test table does not have
CLOSE = 0.5  # a second table of at least this share of the first one's cells makes the choice unsure
TRAIN = frozenset(("train", "training", "trn", "tr"))
TEST = frozenset(("test", "testing", "tst", "holdout", "eval", "evaluation", "predict", "score"))
VALIDATION = frozenset(("val", "valid", "validation", "dev"))


@dataclass(frozen=True)
class Choice:
    """The main table, why it is, and the tables that describe columns."""

    main: Table
    why: str
    dictionaries: tuple[Table, ...]


def choose(found: list[Table], wanted: str | None) -> Choice:
    """Choose the main table: the one asked for, else the one called train, else the largest that is no companion."""
    dictionaries = tuple(one for one in found if len(found) > 1 and looks_like_dictionary(one, found))
    if wanted is not None:
        matches = [one for one in found if is_called(wanted, one.name, one.reading.sheet, one.reading.member)]
        if not matches:
            names = ", ".join(f"`{one.name}`" for one in found[:8])
            message = f"no table is called `{wanted}`: found {names}"
            raise DataError(message, hint=f"name one of them with --table {argument(found[0].name)}")
        exact = [one for one in matches if wanted in {one.name, one.reading.sheet}]
        return Choice((exact or matches)[0], ASKED, dictionaries)
    companions = {id(one) for one in dictionaries}
    companions |= {id(one) for one in found if names_submission(one.name)}
    candidates = [one for one in found if id(one) not in companions] or found
    ranked = sorted(candidates, key=lambda one: (-_rank(one, candidates), _preference(one), one.name))
    main, others = ranked[0], ranked[1:]
    return Choice(main, _why(main, others), dictionaries)


def _rank(one: Table, candidates: list[Table]) -> float:
    """Score a candidate: cells it holds, with heavy weight on a name that says train, or that says test."""
    score = float(one.rows * min(one.frame.shape[1], 50))
    said = words(one.name)
    if one.frame.shape[1] == 1:
        score *= 0.01
    partners = [other for other in candidates if other is not one and shared(one, other) >= 0.5]  # noqa: PLR2004
    if said & TRAIN and not said & TEST:
        score *= 1000 if partners else 20
    if said & (TEST | VALIDATION) and partners:
        score *= 0.001
    if any(set(other.frame.columns) < set(one.frame.columns) and words(other.name) & TEST for other in partners):
        score *= 10
    if said & TRAIN and any(_is_twin(one, other) for other in partners):
        score *= 100  # whose test table lacks nothing but a column or two holds the answer
    return score


def _is_twin(one: Table, other: Table) -> bool:
    """Return whether a test table is called as the training table is, and lacks a column or two of it."""
    train, test = words(one.name), words(other.name)
    lacking = set(one.frame.columns) - set(other.frame.columns)
    within = set(other.frame.columns) < set(one.frame.columns)
    return bool(test & TEST) and within and train - TRAIN == test - TEST and 1 <= len(lacking) <= LACKING_MAX


def _preference(one: Table) -> int:
    return {"csv": 0, "tsv": 1, "parquet": 2, "feather": 3, "excel": 4}.get(one.reading.format, 5)


def _why(main: Table, others: list[Table]) -> str:
    if not others:
        return "the only table"
    if words(main.name) & TRAIN:
        return "its name says that it is for training"
    return f"the largest of {len(others) + 1} tables ({main.rows:,} rows, {main.frame.shape[1]} columns)"


def _is_rival(main: Table, other: Table) -> bool:
    if _same_cells(main, other) or words(other.name) & (TEST | VALIDATION) or names_submission(other.name):
        return False
    if words(main.name) & TRAIN and shared(main, other) < 0.5:  # noqa: PLR2004 - the name has settled it
        return False
    return other.frame.shape[1] > 1 and other.frame.size >= CLOSE * main.frame.size


def several(main: Table, why: str, others: list[Table]) -> tuple[Finding, ...]:
    """Return the finding that tables were left out, unsure when one of them could be the main one; none if none was."""
    if not others or why == ASKED:
        return ()
    others = sorted(others, key=lambda one: (-one.frame.size, one.name))
    rivals = [one for one in others if _is_rival(main, one)]
    names = ", ".join(f"`{one.name}` ({one.rows:,} rows)" for one in (rivals or others)[:5])
    more = f" and {len(others) - len((rivals or others)[:5])} more" if len(others) > len((rivals or others)[:5]) else ""
    rival = (rivals or others)[0]
    return (
        Finding(
            "several-tables",
            f"the table to learn from is taken to be `{main.name}`: {why}. Not used: {names}{more}",
            severity="unsure" if rivals else "note",
            action="left the others out of training",
            overrule=f"--table {argument(rival.name)}",
            evidence={"tables": [one.name for one in (main, *others)][:50]},
        ),
    )


def test_of(main: Table, found: list[Table], dictionaries: tuple[Table, ...]) -> Table | None:
    """Return the rows to predict: a table called test whose columns are the main's, less the target."""
    names = set(main.frame.columns)
    best: tuple[float, Table] | None = None
    for one in found:
        if one is main or one in dictionaries or names_submission(one.name) or not words(one.name) & TEST:
            continue
        columns = set(one.frame.columns)
        shared = len(columns & names)
        if shared < max(1, 0.6 * len(names)) or len(columns - names) > max(1, 0.1 * len(columns)):
            continue
        score = shared + (0.5 if columns < names else 0) - len(words(one.name)) / 100
        if best is None or score > best[0]:
            best = (score, one)
    return best[1] if best else None


def submission_of(main: Table, test: Table | None, found: list[Table]) -> Table | None:
    """Return the sample submission: called so, or of the test table's rows with an id and the answer."""
    names = set(main.frame.columns)
    for one in found:
        columns = list(one.frame.columns)
        if one in (main, test) or len(columns) < 2 or len(columns) > 0.8 * len(names) + 2:  # noqa: PLR2004 - an id and an answer
            continue
        shaped = test is not None and one.rows == test.rows and columns[0] in set(test.frame.columns)
        answers = [
            name for name in columns[1:] if name in names and (test is None or name not in set(test.frame.columns))
        ]
        if names_submission(one.name) or (shaped and len(answers) == len(columns) - 1):
            return one
    return None


def shared(one: Table, other: Table) -> float:
    """Return the share of the smaller table's columns that both have."""
    a, b = set(one.frame.columns), set(other.frame.columns)
    return len(a & b) / max(min(len(a), len(b)), 1)


def _same_cells(one: Table, other: Table) -> bool:
    """Whether two tables look like the same data twice: same rows, nearly the same columns' names."""
    return one.rows == other.rows and shared(one, other) > 0.8  # noqa: PLR2004 - a copy may have an index more


def is_called(wanted: str, *names: str) -> bool:
    """Return whether a person's ``wanted`` means one of ``names``: with or without folder and suffix, in any case."""
    folded = wanted.casefold()
    for name in filter(None, names):
        path = PurePosixPath(name.replace(":", "/"))
        plain = path.name.split(".")[0]
        options = {name, str(path), path.name, path.stem, plain, *path.parts}
        if folded in {option.casefold() for option in options}:
            return True
    return False


def words(name: str) -> set[str]:
    """Return a name's words in small letters, split at everything but letters and where case changes."""
    stem = re.sub(r"(\.[a-zA-Z]{2,8}){1,2}$", "", name.replace(":", "/"))
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", stem)
    words = {word.lower() for word in re.findall(r"[A-Za-z]+", spaced)}
    joined = {
        mark
        for word in words
        for mark in ("train", "test")
        if re.fullmatch(rf"(x|y|my|the|df)?{mark}(ing|set|data|df)?", word)
    }
    return words | joined


def names_submission(name: str) -> bool:
    """Return whether a file's name says that it is a sample submission."""
    return bool(
        re.search(r"submi(ssion|t)|sample[_ -]?(sub|entry|solution|output)", PurePosixPath(name).name, re.IGNORECASE)
    )


def argument(name: str) -> str:
    """Return a name as it is typed in a shell."""
    return f"'{name}'" if re.search(r"[^\w./:-]", name) else name
