"""One table in several files becomes one: parts below each other, answers beside their rows."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit.findings import Finding
from toolkit.roles import TEST, TRAIN, VALIDATION, argument, names_submission, words
from toolkit.table import Table

if TYPE_CHECKING:
    import pandas as pd

ANSWERS = frozenset(
    ("label", "labels", "target", "targets", "answer", "answers", "outcome", "outcomes", "y", "solution")
)
# Words that are the answer when files are called by them: true and fake, spam and ham.
# fmt: off
VERDICTS = frozenset((
    "true", "real", "fake", "genuine", "fraud", "legit", "legitimate", "phishing", "spam", "ham", "positive",
    "negative", "pos", "neg", "normal", "abnormal", "anomaly", "anomalous", "attack", "benign", "malignant",
    "malware", "healthy", "sick", "diseased", "disease", "toxic", "clean", "good", "bad", "yes", "no", "human",
    "ai", "generated", "faulty", "defective", "ok", "failure", "truth", "lie", "sarcastic", "depressed",
    "happy", "sad", "angry", "clickbait",
))
# fmt: on
FILE_COLUMN = "file"  # what the column of the files' names is called
FILES_MAX = 12
PARTS_MIN = 3  # two tables of the same columns are as often two subjects
PARTS_COLUMNS_MIN = 3
SEEN_ROWS = 20_000  # the first rows of a file that are looked for among those of the others
SEEN_MAX = 0.2  # with more of them found there, the files are versions of one table
# What files are called by that hold a table again, done otherwise.
# fmt: off
VERSIONS = frozenset((
    "aggregated", "all", "augmented", "backup", "balanced", "clean", "cleaned", "combined", "complete", "copy",
    "encoded", "filtered", "final", "full", "imputed", "merged", "modified", "new", "normalised", "normalized", "old",
    "original", "preprocessed", "processed", "raw", "reduced", "sample", "sampled", "scaled", "small", "smote",
    "standardized", "subset", "unclean", "updated", "version",
))
# fmt: on
LOOKUPS_MAX = 5  # tables joined by a key
KEYS_MAX = 2  # columns that together name a row of another table
ADDED_MAX = 60
FOUND_MIN = 0.9  # of the keys referred to that must be in the other table
ANSWERS_MAX = 6  # columns of a table that holds nothing but a key and answers


def join_parts(found: list[Table]) -> tuple[list[Table], tuple[Finding, ...]]:
    """Join tables of the same columns whose names differ in numbers, dates or months alone: one table cut in pieces."""
    groups: dict[tuple[str, tuple[str, ...]], list[Table]] = {}
    for one in found:
        groups.setdefault((_without_numbers(one.name), tuple(one.frame.columns)), []).append(one)
    joined: list[Table] = []
    findings: list[Finding] = []
    for (stem, _), parts in groups.items():
        copies = any(part.frame.equals(parts[0].frame) for part in parts[1:])
        if len(parts) == 1 or copies or not stem.strip(" /._-") or words(stem) & (TEST | VALIDATION):
            joined += parts
            continue
        joined.append(_joined(parts))
        names = [part.name for part in parts]
        findings.append(
            Finding(
                "joined-parts",
                f"{len(parts)} files with the same {parts[0].frame.shape[1]} columns are parts of one table: "
                f"{_listed(names)}; together they have {joined[-1].rows:,} rows",
                action="joined them in the order of their names",
                overrule=f"--table {argument(names[0])}",
                evidence={"files": names},
            )
        )
    return joined, tuple(findings)


def join_classes(found: list[Table]) -> tuple[list[Table], tuple[Finding, ...]]:
    """Join files that hold one class each and are called by it: ``true`` and ``fake`` with the same columns.

    The class becomes a column of its own: it stands nowhere but in the files' names.
    """
    by_columns: dict[tuple[str, ...], list[Table]] = {}
    for one in found:
        by_columns.setdefault(tuple(one.frame.columns), []).append(one)
    for columns, parts in by_columns.items():
        classes = _classes(parts)
        if not classes or FILE_COLUMN in columns:
            continue
        import pandas as pd  # noqa: PLC0415 - 300 ms

        frames = [part.frame.assign(**{FILE_COLUMN: name}) for part, name in zip(parts, classes, strict=True)]
        frame = pd.concat(frames, ignore_index=True)
        frame[FILE_COLUMN] = frame[FILE_COLUMN].astype(parts[0].frame.dtypes.iloc[0])
        said = tuple(finding for part in parts for finding in part.findings)
        names = [part.name for part in parts]
        finding = Finding(
            "joined-classes",
            f"{_listed(names)} have the same {len(columns)} columns and are called by a class each "
            f"({', '.join(f'`{name}`' for name in classes)}), which no column holds",
            severity="unsure",
            columns=(FILE_COLUMN,),
            action=f"joined them, with the file's name as the column `{FILE_COLUMN}`",
            overrule=f"--table {argument(names[0])}",
            evidence={"files": names, "column": FILE_COLUMN},
        )
        joined = Table(parts[0].name, frame, parts[0].reading, said)
        return [joined, *(one for one in found if one not in parts)], (finding,)
    return found, ()


def join_named(found: list[Table]) -> tuple[list[Table], tuple[Finding, ...]]:
    """Join three or more tables of the same columns that are called by what they hold: a brand, a city, a share.

    What they are called by becomes the first column. Tables that hold the same rows are versions, and are left alone.
    """
    by_columns: dict[tuple[str, ...], list[Table]] = {}
    for one in found:
        by_columns.setdefault(tuple(one.frame.columns), []).append(one)
    joined = list(found)
    findings: list[Finding] = []
    for columns, parts in by_columns.items():
        names = _own_names(parts)
        if not names or len(columns) < PARTS_COLUMNS_MIN or FILE_COLUMN in columns or _are_versions(parts):
            continue
        whole = _joined(parts)
        told = [name for name, part in zip(names, parts, strict=True) for _ in range(part.rows)]
        import pandas as pd  # noqa: PLC0415 - 300 ms

        cells = pd.Series(told, index=whole.frame.index, dtype=parts[0].frame.dtypes.iloc[0])
        whole.frame.insert(0, FILE_COLUMN, cells)
        files = [part.name for part in parts]
        findings.append(
            Finding(
                "joined-files",
                f"{len(parts)} files have the same {len(columns)} columns and are called by what they hold: "
                f"{_listed(files)}; together they have {whole.rows:,} rows",
                columns=(FILE_COLUMN,),
                action=f"joined them, with what each file is called by as the column `{FILE_COLUMN}`",
                overrule=f"--table {argument(files[0])}",
                evidence={"files": files, "column": FILE_COLUMN},
            )
        )
        joined = [whole, *(one for one in joined if one not in parts)]
    return joined, tuple(findings)


def _own_names(parts: list[Table]) -> list[str]:
    """Return what each file is called by, less what all have in common; nothing where a name tells a role."""
    if len(parts) < PARTS_MIN:
        return []
    stems = [re.sub(r"(\.[a-zA-Z]{2,8}){1,2}$", "", part.name.rsplit("/", 1)[-1]) for part in parts]
    said = [words(stem) for stem in stems]
    if any(
        one & (TEST | VALIDATION | TRAIN | ANSWERS | VERSIONS) or names_submission(part.name)
        for one, part in zip(said, parts, strict=True)
    ):
        return []
    pieces = [re.split(r"[\s_.-]+", stem) for stem in stems]
    common = set.intersection(*(set(one) for one in pieces))
    own = ["_".join(piece for piece in one if piece not in common) for one in pieces]
    return own if all(own) and len(set(own)) == len(own) else []


def _are_versions(parts: list[Table]) -> bool:
    """Return whether two of the tables hold the same rows."""
    import pandas as pd  # noqa: PLC0415 - 300 ms

    rows = [
        pd.util.hash_pandas_object(part.frame.head(SEEN_ROWS).astype(object).fillna(""), index=False).drop_duplicates()
        for part in parts
    ]
    times = pd.concat(rows).value_counts()
    twice = times.index[times > 1]
    return any(one.isin(twice).mean() > SEEN_MAX for one in rows)


def _classes(parts: list[Table]) -> list[str]:
    """Return the words by which files differ when those are verdicts, else nothing."""
    if not 1 < len(parts) <= FILES_MAX:
        return []
    said = [words(part.name.rsplit("/", 1)[-1]) for part in parts]
    if any(one & (TEST | VALIDATION | TRAIN) for one in said):
        return []
    shared = set.intersection(*said)
    own = [sorted(one - shared) for one in said]
    named = [one[0] for one in own if len(one) == 1 and one[0] in VERDICTS]
    return named if len(set(named)) == len(parts) else []


def join_answers(main: Table, found: list[Table]) -> tuple[Table, Table | None, tuple[Finding, ...]]:
    """Join the answers that stand in a file of their own to the main table's rows, by a key both have, else by order.

    Returns the main table, the table of answers (``None`` without one) and what is to be told.
    """
    for one in found:
        if one is main or not words(one.name) & ANSWERS or words(one.name) & (TEST | VALIDATION):
            continue
        if not 1 <= one.frame.shape[1] <= ANSWERS_MAX or one.rows != main.rows:
            continue
        keys = [name for name in one.frame.columns if name in set(main.frame.columns)]
        added = [name for name in one.frame.columns if name not in keys]
        if not added or (not keys and len(added) > 1):
            continue
        joined = _beside(main, one, keys, added)
        if joined is not None:
            how = f"by `{keys[0]}`" if keys else "in the order of their rows"
            finding = Finding(
                "joined-answers",
                f"`{one.name}` holds {', '.join(f'`{name}`' for name in added[:4])} for each row of `{main.name}`",
                severity="note" if keys else "unsure",
                action=f"joined it to the table {how}",
                overrule=f"--table {argument(main.name)}",
                evidence={"file": one.name, "columns": added},
            )
            return joined, one, (finding,)
    return main, None, ()


def join_lookups(
    main: Table, test: Table | None, others: list[Table]
) -> tuple[Table, Table | None, list[Table], tuple[Finding, ...]]:
    """Join tables that the main one refers to by a key, one row each: the shop of a sale, the film of a rating.

    Returns the main table and the rows to predict with the columns more, the tables used and what is to be told.
    """
    used: list[Table] = []
    findings: list[Finding] = []
    for one in sorted(others, key=lambda other: other.name):
        keys = _keys(main, test, one)
        if not keys or len(used) == LOOKUPS_MAX:
            continue
        added = [str(name) for name in one.frame.columns if name not in keys]
        joined = [None if table is None else _looked_up(table, one, keys) for table in (main, test)]
        main, test = joined[0] or main, joined[1]
        used.append(one)
        by = " and ".join(f"`{key}`" for key in keys)
        findings.append(
            Finding(
                "joined-lookup",
                f"`{main.name}` refers to `{one.name}` by {by}, one row each, so {_listed(added)} of it "
                f"{'is' if len(added) == 1 else 'are'} known for each row",
                columns=tuple(added),
                action="joined it to the table; its columns describe rows and are not guessed as the target",
                overrule=f"--table {argument(main.name)}",
                evidence={"file": one.name, "key": keys, "columns": added},
            )
        )
    return main, test, used, tuple(findings)


def _keys(main: Table, test: Table | None, one: Table) -> list[str]:
    """Return the columns by which the main table refers to ``one``, nothing when it does not."""
    own = set(main.frame.columns)
    keys = [str(name) for name in one.frame.columns if name in own]
    added = [name for name in one.frame.columns if name not in own]
    if not 1 <= len(keys) <= KEYS_MAX or not 1 <= len(added) <= ADDED_MAX or one.rows >= main.rows:
        return []
    if any(re.fullmatch(r"unnamed.*|index|id|x|no|#|s\.?\s?no\.?|column_\d+", key.strip().lower()) for key in keys):
        return []  # rows are numbered in both, and the numbers mean other things
    if test is not None and (not set(keys) <= set(test.frame.columns) or set(added) & set(test.frame.columns)):
        return []
    looked = one.frame[keys]
    if looked.isna().any(axis=None) or looked.duplicated().any():
        return []
    return keys if all(_finds(table, looked, keys) for table in (main, test) if table is not None) else []


def _finds(table: Table, looked: pd.DataFrame, keys: list[str]) -> bool:
    """Return whether the keys that ``table`` refers to are there, but for a few."""
    referred = table.frame[keys].drop_duplicates()
    found = referred.merge(looked, on=keys, how="inner")
    return len(found) >= FOUND_MIN * len(referred) and len(referred) > 1


def _looked_up(table: Table, one: Table, keys: list[str]) -> Table:
    frame = table.frame.merge(one.frame, on=keys, how="left")
    return Table(table.name, frame, table.reading, table.findings)


def _beside(main: Table, one: Table, keys: list[str], added: list[str]) -> Table | None:
    import pandas as pd  # noqa: PLC0415 - 300 ms

    if not keys:
        frame = pd.concat([main.frame, one.frame[added]], axis=1)
    elif len(keys) == 1 and all(table.frame[keys[0]].is_unique for table in (main, one)):
        frame = main.frame.merge(one.frame, on=keys[0], how="left")
        if frame[added[0]].isna().mean() > 0.5:  # noqa: PLR2004 - the same name, but other keys
            return None
    else:
        return None
    return Table(main.name, frame, main.reading, (*main.findings, *one.findings))


def _joined(parts: list[Table]) -> Table:
    import pandas as pd  # noqa: PLC0415 - 300 ms

    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    return Table(parts[0].name, frame, parts[0].reading, _told_once(parts))


def _told_once(parts: list[Table]) -> tuple[Finding, ...]:
    """Return what is to be told of the parts; what all of them have in common is told of the first."""
    shared = set.intersection(*({finding.code for finding in part.findings} for part in parts))
    found = [finding for finding in parts[0].findings if finding.code in shared]
    others = f" and {len(parts) - 1} more file{'s' if len(parts) > 2 else ''} like it"  # noqa: PLR2004 - two are one more
    name = f"`{parts[0].name}`"
    told = [replace(one, message=one.message.replace(name, name + others, 1)) for one in found]
    return (*told, *(finding for part in parts for finding in part.findings if finding.code not in shared))


def _without_numbers(name: str) -> str:
    """Return a file's name with its numbers and months taken out."""
    months = "january|february|march|april|may|june|july|august|september|october|november|december"
    short = "jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec"
    folded = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return re.sub(rf"\d+|(?<![a-z])(?:{months}|{short})(?![a-z])", "", folded)


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown  # noqa: PLR2004 - the four that are shown
