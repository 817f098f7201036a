"""``Profile`` becomes a ``Task``: what to predict, what kind of question it is, how to score and split."""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, get_args

from toolkit.errors import DataError, UsageError
from toolkit.findings import Finding
from toolkit.leak import Leak
from toolkit.names import (
    AMOUNT_WORDS,
    AMOUNTS,
    CLASS_WORDS,
    HAPPENINGS,
    ILLNESSES,
    argument,
    core_of,
    evidence_of,
    quoted,
    words_in,
    words_of,
)
from toolkit.records import Record

if TYPE_CHECKING:
    from toolkit.contents import Contents
    from toolkit.profile import Column, Profile

__all__ = ["Guess", "Leak", "SplitKind", "Task", "TaskKind", "infer"]

TaskKind = Literal["binary", "multiclass", "regression"]
SplitKind = Literal["random", "stratified", "group", "time"]

CLASSES_MAX = 200  # more classes than this is a name, not an answer
FEW_NUMBERS = 10  # this many whole numbers or fewer are classes, unless the name counts something
SOME_NUMBERS = 20
SURE_POINTS = 3.2  # the weakest evidence that convinces by itself
SURE_MARGIN = 1.2  # and this much more than the runner-up has
GUESSES_MAX = 10
ILLNESSES_MANY = 3  # from here on they are a history, and any of them could be the question
STRONG_NAME = 2.9
WEAK_NAME = 1.9  # below this no word of weight is in a name

METRICS: dict[TaskKind, tuple[str, ...]] = {
    "binary": ("roc_auc", "average_precision", "accuracy", "balanced_accuracy", "f1", "log_loss", "brier"),
    "multiclass": ("accuracy", "balanced_accuracy", "f1_macro", "log_loss", "roc_auc"),
    "regression": ("rmse", "mae", "r2", "rmsle", "mape"),
}
# How competitions write the metrics that we have.
METRIC_NAMES = {
    "area under": "roc_auc",
    "auc": "roc_auc",
    "average precision": "average_precision",
    "balanced accuracy": "balanced_accuracy",
    "accuracy": "accuracy",
    "categorization": "accuracy",
    "macro f": "f1_macro",
    "f1": "f1",
    "f-score": "f1",
    "logarithmic loss": "log_loss",
    "logloss": "log_loss",
    "log loss": "log_loss",
    "brier": "brier",
    "root mean squared log": "rmsle",
    "rmsle": "rmsle",
    "root mean square": "rmse",
    "rmse": "rmse",
    "mean absolute percentage": "mape",
    "mape": "mape",
    "mean absolute": "mae",
    "mae": "mae",
    "r2": "r2",
    "r squared": "r2",
    "mean squared error": "rmse",
}
POSITIVE = words_in(
    "+ 1 abnormal anomaly attack bad canceled cancelled churned ckd dead default defaulted died disease failed "
    "failure fraud high malignant phishing poisonous pos positive present sick spam stroke t toxic true y yes"
)
NEGATIVE = words_in(
    "- -1 0 absent alive benign edible f false genuine good ham healthy legit legitimate n neg negative no non none "
    "normal not notckd"
)


@dataclass(frozen=True)
class Guess(Record):
    """One possible target with its score (0 to 1, higher is likelier) and the reasons in plain words."""

    target: str
    kind: TaskKind
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Task(Record):
    """The question that the table is taken to ask.

    ``labels`` are the raw texts of the classes in their stable order (numbers by value, words by alphabet), empty for
    regression; ``positive`` is the one a binary metric counts. ``alternatives`` are the runners-up, best first.
    ``sure`` is false when the two best guesses are too close, or none is good: the command line then asks.
    ``split_column`` is the group or time column when the split needs one. ``target`` is empty when no column can be one.
    """

    kind: TaskKind
    target: str
    metric: str
    split: SplitKind
    labels: tuple[str, ...] = ()
    positive: str = ""
    score: float = 1.0
    sure: bool = True
    reasons: tuple[str, ...] = ()
    metric_why: str = ""
    split_why: str = ""
    split_column: str = ""
    alternatives: tuple[Guess, ...] = ()
    leaks: tuple[Leak, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class _Reading:
    """How a column would be predicted: the kind of question, and the other kind that could be meant."""

    kind: TaskKind
    why: str
    rival: TaskKind | None = None


@dataclass
class _Candidate:
    """A column weighed as the target: points (log-odds, roughly) and where they come from."""

    column: Column
    reading: _Reading
    points: float = 0.0
    named: float = 0.0
    word: str = ""
    placed: bool = False  # its place in the table was weighed, which makes nothing sure
    decided: bool = False  # something other than names says so: test table, sample submission, description
    reasons: list[tuple[float, str]] = dataclasses.field(default_factory=list)

    def add(self, points: float, reason: str = "") -> None:
        self.points += points
        if reason:
            self.reasons.append((points, reason))

    @property
    def score(self) -> float:
        """Return the points as a number from 0 to 1: half at 3 points."""
        return round(1 / (1 + math.exp(-max(-30.0, min(30.0, 0.9 * (self.points - 3))))), 3)

    @property
    def told(self) -> tuple[str, ...]:
        ordered = sorted(self.reasons, key=lambda pair: -pair[0])
        return tuple(reason for points, reason in ordered if points > 0) or (self.reading.why,)


def infer(
    profile: Profile,
    contents: Contents,
    *,
    target: str | None = None,
    kind: str | None = None,
    metric: str | None = None,
) -> Task:
    """Return the question that the table asks: what to predict, how to score and split, each with its reason.

    ``target``, ``kind`` and ``metric`` overrule. Strange data ends in ``sure=False`` and findings, not in an exception;
    only what was asked for can be impossible: ``UsageError`` for a column, kind or metric that does not exist,
    ``DataError`` for a target that cannot be predicted.
    """
    asked_kind = _known_kind(kind)
    ranked = _rank(profile, contents)
    findings: list[Finding] = []
    if target is not None:
        column = _column_called(profile, target)
        _refuse_hopeless(profile, column, asked_kind)
        chosen = next((one for one in ranked if one.column.name == column.name), None) or _Candidate(
            column, _read(column)
        )
        chosen.reasons = [(99.0, "asked for with `--target`")]
        sure, score = True, 1.0
    elif not ranked:
        return _nothing_to_predict(profile, metric)
    else:
        chosen = ranked[0]
        looks = _looks_like(profile, chosen)
        findings += looks
        rest = ranked[1].points if len(ranked) > 1 else -math.inf
        strong = not chosen.placed and chosen.points >= SURE_POINTS and chosen.points - rest >= SURE_MARGIN
        sure = strong and (not looks or chosen.decided) and profile.rows > 1
        score = chosen.score
        if not sure:
            findings.append(_unsure(ranked, looks))
    reading = _overruled(chosen, asked_kind)
    if reading.rival is not None and asked_kind is None:
        findings.append(_either_kind(chosen.column, reading))
    labels = _labels(profile, contents, chosen.column) if reading.kind != "regression" else ()
    if reading.kind == "binary" and len(labels) > 2:  # noqa: PLR2004 - the cells know better than the counts
        reading = _Reading("multiclass", reading.why)
    counts = _label_counts(contents, chosen.column, labels)
    findings += _rare(chosen.column, labels, counts)
    chosen_metric, metric_why = _metric(profile, contents, chosen.column, reading.kind, counts, metric)
    leaks, charges = _leaks(profile, contents, chosen.column, reading.kind)
    findings += charges
    findings += _incomplete(chosen.column, profile)
    split, split_column, split_why = _split(profile, contents, chosen.column, reading.kind, leaks)
    return Task(
        kind=reading.kind,
        target=chosen.column.name,
        metric=chosen_metric,
        split=split,
        labels=labels,
        positive=_positive(labels, counts) if reading.kind == "binary" else "",
        score=score,
        sure=sure,
        reasons=(*chosen.told, reading.why) if reading.why not in chosen.told else chosen.told,
        metric_why=metric_why,
        split_why=split_why,
        split_column=split_column,
        alternatives=_alternatives(ranked, chosen, reading, asked_kind),
        leaks=leaks,
        findings=tuple(findings),
    )


# --- which column ---------------------------------------------------------------------------------------------------


def _rank(profile: Profile, contents: Contents) -> list[_Candidate]:
    """Return the columns that could be the target, likeliest first; order of rows and columns decides only where names say nothing."""
    identifiers = {identifier.name for identifier in profile.identifiers}
    submitted = [name for name in profile.submission_columns if name not in identifiers]
    usable = [column for column in profile.columns if _can_be_target(profile, column, identifiers, submitted)]
    found = [_Candidate(column, _read(column)) for column in usable]
    names = {name.casefold() for column in profile.columns for name in words_of(column.name)[-1:]}
    for one in found:
        _weigh_name(one, names)
        _weigh_values(one, profile)
        _weigh_words_about(one, contents)
    _weigh_relatives(found)
    _weigh_test_table(found, profile, identifiers)
    _weigh_submission(found, profile, submitted, contents)
    _weigh_company(found, profile, identifiers)
    _weigh_place(found, profile)
    return sorted(found, key=lambda one: (-round(one.points, 6), one.column.name))


def _can_be_target(profile: Profile, column: Column, identifiers: set[str], submitted: list[str]) -> bool:
    if column.name in profile.constants or column.distinct < 2 or column.kind in {"empty", "date"}:  # noqa: PLR2004 - one value is no question
        return False
    if column.name in submitted[1:] or (
        submitted and column.name == submitted[0] and len(profile.submission_columns) > len(submitted)
    ):
        return column.kind != "text" or column.distinct <= CLASSES_MAX
    if column.name in identifiers or column.kind == "text":
        return False
    return not (
        column.kind == "category" and column.distinct > max(CLASSES_MAX, 2) and column.distinct > 0.05 * profile.rows
    )  # noqa: PLR2004


def _weigh_name(one: _Candidate, last_words: set[str]) -> None:
    evidence = evidence_of(one.column.name)
    points = evidence.points
    if evidence.word == "y" and last_words & {"x", "z"}:
        points = 0.0  # coordinates, not an answer
    if one.reading.kind == "regression" and evidence.word in HAPPENINGS | ILLNESSES:
        points *= 0.4  # what happens or not has no size
    if one.reading.kind == "binary" and evidence.word in AMOUNTS:
        points *= 0.6  # two values are no amount
    if points > 0 and re.search(r"\d$", one.column.name.strip()):
        points *= 0.6  # one of several of the same name
    one.named, one.word = points, evidence.word if points > 0 else ""
    one.add(points, evidence.reason if points > 0 else "")


def _weigh_relatives(found: list[_Candidate]) -> None:
    """Weigh columns of one sort against each other: several illnesses, several sales of which one is the total."""
    ill = [one for one in found if one.word in ILLNESSES and one.reading.kind != "regression"]
    if len(ill) >= ILLNESSES_MANY:
        for one in ill:
            one.add(-one.named + 2.6)
            one.named = 2.6
    by_word: dict[str, list[_Candidate]] = {}
    for one in found:
        if one.word:
            by_word.setdefault(one.word, []).append(one)
    for same in by_word.values():
        if len(same) > 2:  # noqa: PLR2004 - parts and their whole
            for one in same:
                if set(words_of(one.column.name)) & {"total", "global", "overall", "final"}:
                    one.add(1.2, "its name says that it is the total of others")


def _weigh_values(one: _Candidate, profile: Profile) -> None:
    column, kind = one.column, one.reading.kind
    if kind == "binary":
        one.add(1.0, "it has two values")
        rarest = min(column.counts, default=profile.rows) if len(column.counts) == 2 else profile.rows  # noqa: PLR2004
        if rarest < max(2, 0.0005 * profile.rows) or (rarest < 0.02 * profile.rows and one.named < STRONG_NAME):  # noqa: PLR2004 - one in fifty
            one.add(-1.5)
    elif kind == "multiclass":
        points = 0.5 if column.distinct <= 20 else -0.5 if column.distinct <= 50 else -2.0  # noqa: PLR2004 - few classes are usual
        one.add(points, f"it has {column.distinct} classes" if points > 0 else "")
    else:
        most = max(column.counts, default=0)
        one.add(0.5 if most < 0.5 * profile.rows else -1.5, "it is an amount")  # noqa: PLR2004 - mostly nothing is no amount
    if column.missing_share > 0.005:  # noqa: PLR2004 - an answer is seldom missing
        one.add(-0.7 - 3 * column.missing_share)


def _weigh_words_about(one: _Candidate, contents: Contents) -> None:
    """Weigh what the data dictionary and Kaggle's page say of the column."""
    told = contents.descriptions.get(one.column.name, "") or one.column.description
    if told and _ABOUT_TARGET.search(told):
        one.add(6.5, "its description says that it is the target")
        one.decided = True
    provenance = contents.provenance
    text = f"{provenance.subtitle}. {provenance.description}"
    name = re.escape(one.column.name.strip())
    if len(one.column.name.strip()) > 1 and text.strip(". "):
        quoted_name = rf"[`'\"*_]*\b{name}\b[`'\"*_]*"
        before = rf"\b(predict(s|ing|ed)?|target( (variable|column|feature|field))?|label( column)?|dependent variable|outcome variable|response variable|class (attribute|variable))\b( is| are|:| the| a| an| whether| value| of| column| called| named|,|\s|-|=)*\s*{quoted_name}"
        after = rf"{quoted_name}\s*(\([^)]*\)\s*)?(is|as|:|-|=|,|column|field|variable|feature|attribute|\s)*\s*(the )?(target|label|dependent variable|outcome|response variable|class (attribute|variable)|output variable|to be predicted)\b"
        if re.search(before, text, re.IGNORECASE) or re.search(after, text, re.IGNORECASE):
            one.add(6.0, "the description of the data names it as what to predict")
            one.decided = True
    if provenance.kind != "local" and one.named > -1:
        title = {word for word in words_of(provenance.title) if len(word) > 3} - {
            "data",
            "dataset",
            "prediction",
            "analysis",
        }  # noqa: PLR2004
        shared = title & {word for word in core_of(one.column.name) if len(word) > 3}  # noqa: PLR2004
        if shared:
            one.add(1.2, f"the data's title says `{sorted(shared)[0]}` too")


_ABOUT_TARGET = re.compile(
    r"\b(target (variable|column|feature|field|class|label|value)|(is|as|the) (the )?target\b|^\W*target\b|dependent variable|"
    r"(variable|value|column|thing|what) (that )?(you('re| are)|we('re| are)|is|to be) (trying |asked |supposed )?to (be )?predict|"
    r"to be predicted|predicted attribute|outcome variable|output variable|class label|response variable|ground truth|what to predict)",
    re.IGNORECASE,
)


def _weigh_test_table(found: list[_Candidate], profile: Profile, identifiers: set[str]) -> None:
    """Weigh what the test table lacks: the answer is not in it."""
    if not profile.test_columns:
        return
    test = set(profile.test_columns)
    lacking = [one for one in found if one.column.name not in test]
    absent = [column.name for column in profile.columns if column.name not in test and column.name not in identifiers]
    if not absent or len(absent) > max(3, 0.5 * len(profile.columns)):
        return
    for one in found:
        if one.column.name in test:
            one.add(-4.0)
    for one in lacking:
        one.add(7.0 if len(lacking) == 1 else 3.0, "the training table has it and the test table has not")
        one.decided = one.decided or len(lacking) == 1


def _weigh_submission(found: list[_Candidate], profile: Profile, submitted: list[str], contents: Contents) -> None:
    """Weigh what the sample submission asks for: the answer's column, or one column a class."""
    if not profile.submission_columns:
        return
    answers = set(profile.submission_columns[1:]) or set(submitted)
    for one in found:
        if one.column.name in answers:
            one.add(7.0, "the sample submission asks for it")
            one.decided = True
    columns = {_plain(name) for name in profile.submission_columns[1:]}
    if len(columns) < 2 or any(one.column.name in answers for one in found):  # noqa: PLR2004 - one column a class
        return
    for one in found:
        values = {_plain(value) for value in one.column.values}
        values |= {_plain(f"{one.column.name}{value}") for value in one.column.values}
        if one.reading.kind != "regression" and len(values & columns) >= 0.9 * len(columns):  # noqa: PLR2004
            one.add(7.0, "the sample submission has a column for each of its classes")
            one.decided = True


def _weigh_company(found: list[_Candidate], profile: Profile, identifiers: set[str]) -> None:
    """Weigh what stands beside a column: the only one beside a text, the only words among numbers."""
    texts = [column for column in profile.columns if column.kind == "text" and column.name not in identifiers]
    others = [one for one in found if one.named > -1 and one.column.missing_share < 0.5]  # noqa: PLR2004 - a remnant
    if texts and len(others) == 1 and others[0].reading.kind != "regression":
        others[0].add(4.0, f"it is the only column beside the text in {quoted(texts[0].name)}")
        others[0].decided = True
    words = [one for one in found if one.column.kind in {"category", "boolean"}]
    numbers = [one for one in found if one.column.kind == "number"]
    if len(words) == 1 and len(numbers) > 2 and words[0].named > -1 and not texts:  # noqa: PLR2004 - a table of measurements
        alone = all(one is words[0] or one.named < WEAK_NAME for one in found)
        words[0].add(1.5 if alone else 0.0, "it is the only column of words among measurements")


def _weigh_place(found: list[_Candidate], profile: Profile) -> None:
    """Weigh the place in the table, last or first, only where names and other tables leave the question open."""
    if not found or any(one.decided for one in found):
        return
    ranked = sorted(found, key=lambda one: -one.points)
    nameless = all(one.named < WEAK_NAME for one in found)
    close = len(ranked) > 1 and ranked[0].points - ranked[1].points < SURE_MARGIN
    last = max(column.position for column in profile.columns)
    for one in found:
        if not nameless and not (close and one.named >= STRONG_NAME and one.points > ranked[0].points - SURE_MARGIN):
            continue
        if one.column.position == last:
            one.add(1.2 if nameless else 0.8, "it stands last, where answers usually stand")
        elif one.column.position == 0:
            one.add(0.5, "it stands first")
        one.placed = True


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _column_called(profile: Profile, name: str) -> Column:
    columns = {column.name: column for column in profile.columns}
    if name in columns:
        return columns[name]
    folded = [column for key, column in columns.items() if key.strip().casefold() == name.strip().casefold()]
    if len(folded) == 1:
        return folded[0]
    near = difflib.get_close_matches(name, list(columns), n=3, cutoff=0.5)
    shown = near or list(columns)[:8]
    message = f"no column is called `{name}`: expected one of {', '.join(quoted(column) for column in shown)}"
    message += "" if near or len(columns) <= 8 else f" and {len(columns) - 8} more"  # noqa: PLR2004 - as shown
    raise UsageError(message, hint=f"--target {argument(shown[0])}" if shown else "name a table with columns")


def _refuse_hopeless(profile: Profile, column: Column, kind: TaskKind | None) -> None:
    """Raise ``DataError`` when the column asked for cannot be predicted by anybody."""
    name, distinct = quoted(column.name), column.distinct
    hint = "choose another column with --target COLUMN; `kaggle2app inspect` lists them"
    if distinct == 0 or column.kind == "empty":
        message = f"{name} is empty in all {profile.rows:,} rows, expected an answer to learn from"
        raise DataError(message, hint=hint)
    if profile.rows < 2:  # noqa: PLR2004 - one row is no table
        message = f"the table has {profile.rows} row, expected many to learn {name} from"
        raise DataError(message, hint="name a table with more rows")
    if distinct == 1:
        value = f" `{column.values[0]}`" if column.values else ""
        message = f"{name} has the same value{value} in every row, expected at least two different ones"
        raise DataError(message, hint=hint)
    if column.kind == "date":
        message = f"{name} is a date, expected classes or a number to predict"
        raise DataError(message, hint="add a column with the number of days, or choose another with --target COLUMN")
    known = max(1, round(profile.rows * (1 - column.missing_share)))
    if any(identifier.name == column.name for identifier in profile.identifiers):
        why = next(identifier.why for identifier in profile.identifiers if identifier.name == column.name)
        message = f"{name} names rows ({why}), expected a column that describes them"
        raise DataError(message, hint=hint)
    words = column.kind in {"text", "category"}
    if words and (distinct > 0.5 * known or distinct > 1000):  # noqa: PLR2004 - a class is met again and again
        message = f"{name} has {distinct:,} different texts in {known:,} rows, expected classes that repeat"
        raise DataError(message, hint=hint)
    if words and kind == "regression":
        message = f"{name} holds words, expected numbers for regression"
        raise DataError(message, hint="leave out --task, or choose a column of numbers with --target COLUMN")


# --- what kind of question ------------------------------------------------------------------------------------------


def _read(column: Column) -> _Reading:
    """Return how a column would be predicted, from its values and, where they leave it open, its name."""
    distinct = column.distinct
    if distinct == 2 or column.kind == "boolean":  # noqa: PLR2004 - two values, one question
        return _Reading("binary", "it has two values")
    if column.kind != "number":
        return _Reading("multiclass", f"its values are {distinct:,} different words")
    words = set(core_of(column.name))
    says_class, says_amount = bool(words & CLASS_WORDS), bool(words & AMOUNT_WORDS)
    if not column.whole:
        return _Reading("regression", "its numbers have fractions", "multiclass" if distinct <= FEW_NUMBERS else None)
    low, high = _number(column.minimum), _number(column.maximum)
    packed = low is not None and high is not None and high - low + 1 <= distinct * 1.25
    if distinct <= FEW_NUMBERS:
        if says_amount and not says_class:
            return _Reading(
                "regression",
                f"its name counts something, though it has only {distinct} different numbers",
                "multiclass",
            )
        if packed or says_class:
            rival: TaskKind | None = None if says_class and not words & {"grade", "level", "quality"} else "regression"
            return _Reading("multiclass", f"it has only {distinct} different whole numbers", rival)
        return _Reading("multiclass", f"it has only {distinct} different whole numbers", "regression")
    if distinct <= CLASSES_MAX and says_class and packed and not says_amount and low in {0, 1}:
        return _Reading("multiclass", f"its name says classes, numbered from {low:g} to {high:g}", "regression")
    near = distinct <= SOME_NUMBERS
    return _Reading("regression", f"it has {distinct:,} different numbers", "multiclass" if near else None)


def _overruled(chosen: _Candidate, kind: TaskKind | None) -> _Reading:
    column, reading = chosen.column, chosen.reading
    if kind is None or kind == reading.kind:
        return dataclasses.replace(reading, rival=None) if kind else reading
    name = quoted(column.name)
    asked = "asked for with `--task`"
    if kind == "binary":
        message = f"{name} has {column.distinct:,} different values, expected two for a binary task"
        raise DataError(message, hint=f"--task {reading.kind}")
    if kind == "regression":
        if column.kind != "number":
            message = f"{name} holds words, expected numbers for regression"
            raise DataError(message, hint=f"--task {reading.kind}")
        return _Reading("regression", asked)
    if column.distinct == 2:  # noqa: PLR2004 - two classes
        message = f"{name} has two values, expected more for a multiclass task"
        raise DataError(message, hint="--task binary")
    if column.distinct > CLASSES_MAX:
        message = f"{name} has {column.distinct:,} different numbers, expected at most {CLASSES_MAX} classes"
        raise DataError(message, hint=f"--task {reading.kind}")
    return _Reading("multiclass", asked)


def _known_kind(kind: str | None) -> TaskKind | None:
    kinds = get_args(TaskKind)
    if kind is None or kind in kinds:
        return cast("TaskKind | None", kind)
    message = f"no task is called `{kind}`: expected {', '.join(kinds[:-1])} or {kinds[-1]}"
    near = difflib.get_close_matches(kind, kinds, n=1, cutoff=0.5)
    raise UsageError(message, hint=f"--task {near[0] if near else kinds[0]}")


def _labels(profile: Profile, contents: Contents, column: Column) -> tuple[str, ...]:
    """Return the classes as raw texts without blanks around: numbers by value, words by alphabet."""
    if column.values and len(column.values) >= column.distinct and column.kind != "number":
        texts = {value.strip() for value in column.values}
    else:
        from toolkit.relations import texts_of  # noqa: PLC0415 - numpy, 80 ms

        texts = set(texts_of(contents.main.frame, column))
    missing = {text.strip() for text in column.missing} | {""}
    return tuple(sorted(texts - missing, key=_label_order))


def _label_order(label: str) -> tuple[int, float, str]:
    try:
        number = float(label)
    except ValueError:
        return (1, 0.0, label)
    return (0, number, label) if math.isfinite(number) else (1, 0.0, label)


def _label_counts(contents: Contents, column: Column, labels: tuple[str, ...]) -> dict[str, int]:
    if not labels:
        return {}
    from toolkit.relations import counts_of  # noqa: PLC0415 - numpy, 80 ms

    counts = counts_of(contents.main.frame, column)
    return {label: counts.get(label, 0) for label in labels}


def _positive(labels: tuple[str, ...], counts: dict[str, int]) -> str:
    """Return the label that a binary metric counts: the one that means yes, else the rarer one."""
    if len(labels) != 2:  # noqa: PLR2004 - binary
        return labels[-1] if labels else ""

    def says(label: str, words: frozenset[str]) -> bool:
        plain = label.casefold().removesuffix(".0")
        return plain in words or bool(set(words_of(label)[:1]) & words)

    yes = [label for label in labels if says(label, POSITIVE) and not says(label, NEGATIVE)]
    no = [label for label in labels if says(label, NEGATIVE) and not says(label, POSITIVE)]
    if len(yes) == 1:
        return yes[0]
    if len(no) == 1:
        return next(label for label in labels if label != no[0])
    return min(labels, key=lambda label: (counts.get(label, 0), -labels.index(label)))


# --- how to score and split -----------------------------------------------------------------------------------------


def _metric(
    profile: Profile, contents: Contents, column: Column, kind: TaskKind, counts: dict[str, int], asked: str | None
) -> tuple[str, str]:
    if asked is not None:
        return _asked_metric(asked, column, kind), "asked for with `--metric`"
    told = _metric_named(contents.provenance.metric)
    if told in METRICS[kind] and (told != "rmsle" or (_number(column.minimum) or 0) >= 0):
        return told, f"the competition is scored by it ({contents.provenance.metric})"
    total = sum(counts.values())
    if kind == "binary":
        rare = min(counts.values(), default=0) / total if total else 0.5
        if rare < 0.02:  # noqa: PLR2004 - the curve hides what happens among so few
            return (
                "average_precision",
                f"one class is only {rare:.1%} of the rows, and it looks at how well those are found",
            )
        return "roc_auc", "it needs no threshold and is fair to both classes, whichever is rarer"
    if kind == "multiclass":
        largest = max(counts.values(), default=0) / total if total else 0.0
        if largest > 0.7:  # noqa: PLR2004 - always answering the commonest class would look good
            return "balanced_accuracy", f"one class is {largest:.0%} of the rows, and each class shall count alike"
        return "accuracy", "the share of right answers is what everybody understands, and no class outweighs all others"
    return "rmse", f"it is in the unit of {quoted(column.name)} and punishes large misses most"


def _metric_named(text: str) -> str:
    folded = text.casefold().replace("_", " ")
    if text in GREATER:
        return text
    return next((name for words, name in METRIC_NAMES.items() if words in folded), "")


GREATER = frozenset(name for names in METRICS.values() for name in names)


def _asked_metric(metric: str, column: Column, kind: TaskKind) -> str:
    name = metric.strip().casefold().replace("-", "_").replace(" ", "_")
    if name not in METRICS[kind]:
        shown = ", ".join(METRICS[kind])
        message = f"no metric for a {kind} task is called `{metric}`: expected one of {shown}"
        near = difflib.get_close_matches(name, METRICS[kind], n=1, cutoff=0.5)
        raise UsageError(message, hint=f"--metric {near[0] if near else METRICS[kind][0]}")
    low = _number(column.minimum)
    if name == "rmsle" and low is not None and low < 0:
        message = f"{quoted(column.name)} goes down to {low:g}, expected no negative number for rmsle"
        raise DataError(message, hint="--metric rmse")
    return name


def _split(
    profile: Profile, contents: Contents, target: Column, kind: TaskKind, leaks: tuple[Leak, ...]
) -> tuple[SplitKind, str, str]:
    """Return how rows are held out, by which column, and why."""
    from toolkit.layout import group_column, time_column  # noqa: PLC0415 - numpy, 80 ms

    dropped = {leak.column for leak in leaks if leak.action == "drop"}
    group = group_column(profile, target)
    if group is not None:
        rows = profile.rows / max(group.distinct, 1)
        return (
            "group",
            group.name,
            f"{quoted(group.name)} comes again, {rows:.1f} rows each on average: no one is in training and in test",
        )
    moment = time_column(profile, contents, target, dropped)
    if moment is not None:
        return "time", moment[0].name, moment[1]
    if kind == "regression":
        return "random", "", "nothing ties rows together, so chance decides which are held out"
    return (
        "stratified",
        "",
        "nothing ties rows together, so chance decides which are held out, each class in proportion",
    )


def _leaks(
    profile: Profile, contents: Contents, target: Column, kind: TaskKind
) -> tuple[tuple[Leak, ...], tuple[Finding, ...]]:
    from toolkit import leaks  # noqa: PLC0415 - numpy, 80 ms

    return leaks.find(profile, contents, target, classes=kind != "regression")


# --- what to tell ---------------------------------------------------------------------------------------------------


def _alternatives(
    ranked: list[_Candidate], chosen: _Candidate, reading: _Reading, asked: TaskKind | None
) -> tuple[Guess, ...]:
    found: list[Guess] = []
    if reading.rival is not None and asked is None:
        found.append(
            Guess(
                chosen.column.name,
                reading.rival,
                round(0.6 * chosen.score, 3),
                (f"the other way to see it: {reading.why}",),
            )
        )
    found += [
        Guess(one.column.name, one.reading.kind, one.score, one.told)
        for one in ranked
        if one.column.name != chosen.column.name
    ]
    return tuple(found[:GUESSES_MAX])


def _either_kind(column: Column, reading: _Reading) -> Finding:
    other = reading.rival or reading.kind
    words = {"multiclass": "classes", "regression": "an amount", "binary": "two classes"}
    return Finding(
        "two-kinds-of-task",
        f"{quoted(column.name)} can be read as {words[reading.kind]} or as {words[other]}: {reading.why}",
        severity="unsure",
        columns=(column.name,),
        action=f"read it as {words[reading.kind]} ({reading.kind})",
        overrule=f"--task {other}",
    )


def _unsure(ranked: list[_Candidate], looks: list[Finding]) -> Finding:
    best = ranked[0]
    named = [one.column.name for one in ranked[:3]]
    if looks and best.points >= SURE_POINTS:
        message = f"what to predict is not certain, because of what the table looks like; the best guess is {quoted(named[0])}"
    elif best.points < SURE_POINTS:
        message = f"no column stands out as what to predict; the best guess is {quoted(named[0])}"
    else:
        message = f"several columns could be what to predict: {', '.join(quoted(name) for name in named)}"
    return Finding(
        "unsure-target",
        message,
        severity="unsure",
        columns=tuple(named),
        action=f"took {quoted(named[0])} as the best guess",
        overrule=f"--target {argument(named[1] if len(named) > 1 else named[0])}",
    )


def _rare(column: Column, labels: tuple[str, ...], counts: dict[str, int]) -> list[Finding]:
    rare = [label for label in labels if counts.get(label, 0) < 5]  # noqa: PLR2004 - fewer than folds
    if not rare:
        return []
    shown = ", ".join(f"`{label}` ({counts.get(label, 0)})" for label in rare[:5])
    return [
        Finding(
            "rare-classes",
            f"{len(rare)} of the {len(labels)} classes of {quoted(column.name)} have fewer than 5 rows: {shown}",
            severity="warning",
            columns=(column.name,),
            action="kept; nobody can learn or measure much about them",
        )
    ]


def _incomplete(column: Column, profile: Profile) -> list[Finding]:
    if column.missing_share <= 0:
        return []
    rows = round(column.missing_share * profile.rows)
    return [
        Finding(
            "target-missing",
            f"{quoted(column.name)} has no value in {rows:,} of {profile.rows:,} rows",
            severity="warning" if column.missing_share > 0.05 else "note",  # noqa: PLR2004 - one in twenty
            columns=(column.name,),
            action="left those rows out of training: there is no answer to learn from",
        )
    ]


def _looks_like(profile: Profile, chosen: _Candidate) -> list[Finding]:
    from toolkit.layout import looks_like  # noqa: PLC0415 - numpy, 80 ms

    return looks_like(profile, chosen.column, strong=chosen.points >= 5.5)  # noqa: PLR2004 - a name that is the answer by convention


def _nothing_to_predict(profile: Profile, metric: str | None) -> Task:
    if metric is not None and metric not in GREATER:
        message = f"no metric is called `{metric}`: expected one of {', '.join(sorted(GREATER))}"
        raise UsageError(message, hint="--metric rmse")
    finding = Finding(
        "no-target",
        f"no column of this table can be predicted: the {len(profile.columns)} there are name rows, never change, are texts or are empty",
        severity="unsure",
        action="nothing was chosen",
        overrule="--target COLUMN",
    )
    return Task(kind="regression", target="", metric="rmse", split="random", score=0.0, sure=False, findings=(finding,))


def _number(value: float | str | None) -> float | None:
    return float(value) if isinstance(value, int | float) else None
