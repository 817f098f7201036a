"""``Profile`` becomes a ``Task``: what to predict, what kind of question it is, how to score and split."""

from __future__ import annotations

import dataclasses
import difflib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast, get_args

from toolkit.errors import DataError, UsageError
from toolkit.findings import Finding
from toolkit.leak import Leak
from toolkit.names import argument, quoted, words_in, words_of
from toolkit.questions import CLASSES_MAX, Question, TaskKind, number, question_of
from toolkit.records import Record
from toolkit.targets import SURE_MARGIN, SURE_POINTS, Candidate, rank

if TYPE_CHECKING:
    from toolkit.contents import Contents
    from toolkit.profile import Column, Profile

__all__ = ["Guess", "Leak", "SplitKind", "Task", "TaskKind", "infer"]

SplitKind = Literal["random", "stratified", "group", "time"]


GUESSES_MAX = 10
LABELS_MIN = 3  # two flags beside a text are an answer and a fact
NEVER_SURE = frozenset(("looks-like-images", "looks-like-sounds", "looks-like-ratings"))
SHARED_COLUMNS_MIN = 4  # rows of fewer columns are equal by chance
SHARED_ROWS_MAX = 200_000  # beyond that, comparing all rows costs more than it tells

METRICS: dict[TaskKind, tuple[str, ...]] = {
    "binary": ("roc_auc", "average_precision", "accuracy", "balanced_accuracy", "f1", "log_loss", "brier"),
    "multiclass": ("accuracy", "balanced_accuracy", "f1_macro", "log_loss", "roc_auc"),
    "regression": ("rmse", "mae", "r2", "rmsle", "mape"),
}
# How competitions write the metrics that we have.
METRIC_NAMES = {
    "area under": "roc_auc",
    "gini": "roc_auc",  # twice the area less one: the same order of models
    "auc": "roc_auc",
    "average precision": "average_precision",
    "balanced accuracy": "balanced_accuracy",
    "accuracy": "accuracy",
    "categorization": "accuracy",
    "macro f": "f1_macro",
    "f1": "f1",
    "f-score": "f1",
    "fscore": "f1",
    "logarithmic loss": "log_loss",
    "logloss": "log_loss",
    "log loss": "log_loss",
    "multiclass loss": "log_loss",
    "multiclassloss": "log_loss",
    "multi-class loss": "log_loss",
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
    ``split_column`` is the group or time column when the split needs one. ``target`` is empty when no column can be it.
    """

    kind: TaskKind
    target: str
    metric: str
    split: SplitKind
    labels: tuple[str, ...] = ()
    spellings: dict[str, str] = field(default_factory=dict)  # other writings of a label, and the label
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


def infer(
    profile: Profile,
    contents: Contents,
    *,
    target: str | None = None,
    kind: str | None = None,
    metric: str | None = None,
    split: str | None = None,
) -> Task:
    """Return the question that the table asks: what to predict, how to score and split, each with its reason.

    ``target``, ``kind``, ``metric`` and ``split`` overrule. Strange data ends in ``sure=False`` and findings, not in an
    exception; only what was asked for can be impossible: ``UsageError`` for a column, kind, metric or split that does
    not exist, ``DataError`` for a target that cannot be predicted.
    """
    asked_kind = _known_kind(kind)
    ranked = rank(profile, contents)
    findings: list[Finding] = []
    if target is not None:
        column = _column_called(profile, target)
        _refuse_hopeless(profile, column, asked_kind)
        chosen = next((one for one in ranked if one.column.name == column.name), None) or Candidate(
            column, question_of(column)
        )
        chosen.reasons = [(99.0, "asked for with `--target`")]
        sure, score = True, 1.0
    elif not ranked or len(profile.columns) == 1:
        return _nothing_to_predict(profile, metric)
    else:
        chosen = ranked[0]
        looks = _looks_like(_without_joined(profile, contents), contents, chosen)
        several = _several_answers(profile, contents, chosen.column)
        findings += [*looks, *several]
        rest = ranked[1].points if len(ranked) > 1 else -math.inf
        strong = not chosen.placed and chosen.points >= SURE_POINTS and chosen.points - rest > SURE_MARGIN - 1e-6
        firm = [finding for finding in looks if finding.code in NEVER_SURE]
        sure = strong and not firm and not several and (not looks or chosen.decided) and profile.rows > 1
        score = chosen.score
        if not sure:
            findings.append(_unsure(ranked, [*looks, *several]))
    reading = _overruled(chosen, asked_kind)
    if reading.rival is not None and asked_kind is None:
        findings.append(_either_kind(chosen.column, reading))
    labels = _labels(contents, chosen.column) if reading.kind != "regression" else ()
    spellings = _spellings(contents, chosen.column, labels)
    labels = tuple(label for label in labels if label not in spellings)
    if spellings:
        findings.append(_one_label(chosen.column, spellings))
        if len(labels) == 2 and asked_kind is None:  # noqa: PLR2004 - two classes in several spellings
            reading = Question("binary", "it has two values")
    if reading.kind == "binary" and len(labels) > 2:  # noqa: PLR2004 - the cells know better than the counts
        reading = Question("multiclass", reading.why)
    counts = _label_counts(contents, chosen.column, labels, spellings)
    findings += _rare(chosen.column, labels, counts)
    chosen_metric, metric_why = _metric(contents, chosen.column, reading.kind, counts, metric)
    leaks, charges = _leaks(profile, contents, chosen.column, reading.kind)
    findings += charges
    findings += _incomplete(chosen.column, profile)
    findings += _in_both(profile, contents)
    if split is not None:
        from toolkit.layout import split_asked  # noqa: PLC0415 - numpy, 80 ms

        chosen_split = split_asked(profile, chosen.column, reading.kind, split)
    else:
        chosen_split = _split(profile, contents, chosen.column, reading.kind, leaks)
    return Task(
        kind=reading.kind,
        target=chosen.column.name,
        metric=chosen_metric,
        split=chosen_split[0],
        labels=labels,
        spellings=spellings,
        positive=_positive(labels, counts) if reading.kind == "binary" else "",
        score=score,
        sure=sure,
        reasons=(*chosen.told, reading.why) if reading.why not in chosen.told else chosen.told,
        metric_why=metric_why,
        split_why=chosen_split[2],
        split_column=chosen_split[1],
        alternatives=_alternatives(ranked, chosen, reading, asked_kind),
        leaks=leaks,
        findings=tuple(findings),
    )


def _without_joined(profile: Profile, contents: Contents) -> Profile:
    """Return the profile of the main table's own columns, which alone show what sort of table it is."""
    joined = {name for finding in contents.findings if finding.code == "joined-lookup" for name in finding.columns}
    own = tuple(column for column in profile.columns if column.name not in joined)
    return dataclasses.replace(profile, columns=own) if joined else profile


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
    identifier = next((one for one in profile.identifiers if one.name == column.name), None)
    if identifier is not None and distinct > 0.9 * known:
        why = identifier.why
        message = f"{name} names rows ({why}), expected a column that describes them"
        raise DataError(message, hint=hint)
    words = column.kind in {"text", "category"}
    if words and (distinct > 0.5 * known or distinct > 1000):  # noqa: PLR2004 - a class is met again and again
        message = f"{name} has {distinct:,} different texts in {known:,} rows, expected classes that repeat"
        raise DataError(message, hint=hint)
    if words and kind == "regression":
        message = f"{name} holds words, expected numbers for regression"
        raise DataError(message, hint="leave out --task, or choose a column of numbers with --target COLUMN")


def _overruled(chosen: Candidate, kind: TaskKind | None) -> Question:
    column, reading = chosen.column, chosen.question
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
        return Question("regression", asked)
    if column.distinct == 2:  # noqa: PLR2004 - two classes
        message = f"{name} has two values, expected more for a multiclass task"
        raise DataError(message, hint="--task binary")
    if column.distinct > CLASSES_MAX:
        message = f"{name} has {column.distinct:,} different numbers, expected at most {CLASSES_MAX} classes"
        raise DataError(message, hint=f"--task {reading.kind}")
    return Question("multiclass", asked)


def _known_kind(kind: str | None) -> TaskKind | None:
    kinds = get_args(TaskKind)
    if kind is None or kind in kinds:
        return cast("TaskKind | None", kind)
    message = f"no task is called `{kind}`: expected {', '.join(kinds[:-1])} or {kinds[-1]}"
    near = difflib.get_close_matches(kind, kinds, n=1, cutoff=0.5)
    raise UsageError(message, hint=f"--task {near[0] if near else kinds[0]}")


def _labels(contents: Contents, column: Column) -> tuple[str, ...]:
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


def _spellings(contents: Contents, column: Column, labels: tuple[str, ...]) -> dict[str, str]:
    """Return labels that are another one in other capitals or blanks, with the commonest writing of it.

    Single letters are left alone: `a` and `A` are two classes as often as one.
    """
    if column.kind == "number" or len({_folded(label) for label in labels}) == len(labels):
        return {}
    counts = _label_counts(contents, column, labels, {})
    groups: dict[str, list[str]] = {}
    for label in sorted(labels, key=lambda label: (-counts[label], label)):
        groups.setdefault(_folded(label), []).append(label)
    alike = [group for key, group in groups.items() if len(key) > 1]
    return {other: group[0] for group in alike for other in group[1:]}


def _folded(label: str) -> str:
    return " ".join(label.split()).casefold()


def _one_label(column: Column, spellings: dict[str, str]) -> Finding:
    shown = ", ".join(f"`{other}` as `{label}`" for other, label in list(spellings.items())[:5])
    return Finding(
        "one-label-in-two-writings",
        f"{quoted(column.name)} writes the same class in several ways, in other capitals or blanks; as classes of "
        "their own they would be learned apart",
        columns=(column.name,),
        action=f"read {shown}",
        overrule="write different classes in different words in the file",
        evidence={"spellings": spellings},
    )


def _label_counts(
    contents: Contents, column: Column, labels: tuple[str, ...], spellings: dict[str, str]
) -> dict[str, int]:
    if not labels:
        return {}
    from toolkit.relations import counts_of  # noqa: PLC0415 - numpy, 80 ms

    counts = counts_of(contents.main.frame, column)
    for other, label in spellings.items():
        counts[label] = counts.get(label, 0) + counts.get(other, 0)
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
    contents: Contents, column: Column, kind: TaskKind, counts: dict[str, int], asked: str | None
) -> tuple[str, str]:
    if asked is not None:
        return _asked_metric(asked, column, kind), "asked for with `--metric`"
    named = contents.provenance.metric
    told = _metric_named(named)
    told = "f1_macro" if told == "f1" and kind == "multiclass" else told
    if told in METRICS[kind] and (told != "rmsle" or (number(column.minimum) or 0) >= 0):
        return told, f"the competition is scored by it ({named})"
    usual, why = _usual_metric(column, kind, counts)
    return usual, f"{why}; the competition's own score ({named}) is none for this question here" if named else why


def _usual_metric(column: Column, kind: TaskKind, counts: dict[str, int]) -> tuple[str, str]:
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
    low = number(column.minimum)
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
    ranked: list[Candidate], chosen: Candidate, reading: Question, asked: TaskKind | None
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
        Guess(one.column.name, one.question.kind, one.score, one.told)
        for one in ranked
        if one.column.name != chosen.column.name
    ]
    return tuple(found[:GUESSES_MAX])


def _either_kind(column: Column, reading: Question) -> Finding:
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


def _unsure(ranked: list[Candidate], looks: list[Finding]) -> Finding:
    best = ranked[0]
    named = [one.column.name for one in ranked[:3]]
    if looks and best.points >= SURE_POINTS:
        message = "what to predict is not certain, for the table looks like something else"
    elif best.points < SURE_POINTS and best.named > 0:
        message = (
            f"only the name of {quoted(named[0])} says that it may be what to predict, and it says so faintly: in many "
            "tables such a column is a fact"
        )
    elif best.points < SURE_POINTS:
        message = "no column stands out as what to predict: neither its name, its values nor another file says so"
    else:
        message = f"several columns could be what to predict: {', '.join(quoted(name) for name in named)}"
    return Finding(
        "unsure-target",
        message,
        severity="unsure",
        columns=tuple(named),
        action=f"took {quoted(named[0])} as the best guess; a model of the wrong column answers the wrong question",
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
            overrule=" ".join(f"--missing {argument(f'{column.name}={label}')}" for label in rare[:5]),
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
            overrule="fill them in in the file",
        )
    ]


def _in_both(profile: Profile, contents: Contents) -> list[Finding]:
    """Tell when rows of the test table stand in the training table too."""
    identifiers = {identifier.name for identifier in profile.identifiers}
    main = [column.name for column in profile.columns if column.name not in identifiers]
    names = [name for name in main if name in set(profile.test_columns)]
    if contents.test is None or len(names) < SHARED_COLUMNS_MIN or contents.test.rows > SHARED_ROWS_MAX:
        return []
    if not profile.rows or profile.rows > SHARED_ROWS_MAX:
        return []
    from toolkit.relations import rows_in_both  # noqa: PLC0415 - numpy, 80 ms

    rows = rows_in_both(contents.main.frame, contents.test.frame, names)
    if not rows:
        return []
    share = rows / max(contents.test.rows, 1)
    return [
        Finding(
            "rows-in-both",
            f"{rows:,} of the {contents.test.rows:,} rows of the test table stand in the training table too, "
            "identifiers left aside",
            severity="warning" if share > 0.01 else "note",  # noqa: PLR2004 - one in a hundred
            action="kept; answers to those rows are remembered rather than predicted",
            overrule="take those rows out of one of the files",
        )
    ]


def _several_answers(profile: Profile, contents: Contents, target: Column) -> list[Finding]:
    """Tell when rows have several answers at once, of which one project predicts one."""
    columns = {column.name: column for column in profile.columns}
    asked = [name for name in profile.submission_columns[1:] if name in columns]
    texts = [column for column in columns.values() if column.kind == "text"]
    out = {identifier.name for identifier in profile.identifiers} | set(profile.constants)
    rest = [column for column in columns.values() if column.kind != "text" and column.name not in out]
    flags = [column for column in rest if column.distinct == 2 and set(column.values) <= {"0", "1"}]  # noqa: PLR2004
    if len(asked) < 2:  # noqa: PLR2004 - one answer is the usual question
        tags = texts and len(flags) == len(rest) >= LABELS_MIN and contents.test is None
        asked = [column.name for column in flags] if tags else []
    if target.name not in asked:
        return []
    others = [name for name in asked if name != target.name]
    shown = ", ".join(quoted(name) for name in asked[:6]) + (f" and {len(asked) - 6} more" if len(asked) > 6 else "")  # noqa: PLR2004
    return [
        Finding(
            "several-answers",
            f"each row has {len(asked)} answers ({shown}), and a project predicts one of them",
            severity="unsure",
            columns=tuple(asked),
            action=f"took {quoted(target.name)}; make a project for each of the others",
            overrule=f"--target {argument(others[0])}",
        )
    ]


def _looks_like(profile: Profile, contents: Contents, chosen: Candidate) -> list[Finding]:
    from toolkit.layout import looks_like, pictured  # noqa: PLC0415 - numpy, 80 ms

    found = pictured(profile, contents, chosen.column)
    return found or looks_like(profile, chosen.column, strong=chosen.points >= 5.5)  # noqa: PLR2004 - a name that is the answer by convention


def _nothing_to_predict(profile: Profile, metric: str | None) -> Task:
    if metric is not None and metric not in GREATER:
        message = f"no metric is called `{metric}`: expected one of {', '.join(sorted(GREATER))}"
        raise UsageError(message, hint="--metric rmse")
    finding = Finding(
        "no-target",
        f"no column can be predicted: all {len(profile.columns)} name rows, never change, are texts or are empty",
        severity="unsure",
        action="nothing was chosen",
        overrule="--target COLUMN",
    )
    return Task(kind="regression", target="", metric="rmse", split="random", score=0.0, sure=False, findings=(finding,))
