"""``Profile`` and ``Task`` become a ``Plan``: every modelling choice as data, each with its why."""

from __future__ import annotations

import dataclasses
import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from toolkit.errors import DataError, UsageError
from toolkit.findings import Finding
from toolkit.names import argument, quoted
from toolkit.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.download import Provenance
    from toolkit.profile import Column, Profile
    from toolkit.task import Task

TreatmentKind = Literal["number", "boolean", "onehot", "target_mean", "text", "date"]
DropReason = Literal["identifier", "constant", "empty", "leak", "duplicate", "absent_in_test", "asked"]

SEED = 7
ROWS_MIN = 10  # with fewer nothing is left to learn from once a part is held out
ONEHOT_MAX = 30  # categories that get a feature each
CATEGORY_FEATURES_MAX = 40  # as the project's pipeline bounds them
TEXT_FEATURES = 200  # terms a text gives to trees
DATE_FEATURES = 8
BOOST_SHARE = (
    0.15  # of the seconds, for each boosting candidate: a machine of a third of the speed still finishes in time
)
REFIT_SHARE = 0.5  # of the seconds again, for the winner's learning from all rows
COMPARE_ROWS = 100_000  # enough to tell which candidate is better; the winner learns from all rows
NAMED_MAX = 6  # names listed in one sentence


@dataclass(frozen=True)
class Treatment(Record):
    """How one column enters the model.

    ``number``: as it is for trees; median, missing flag and standard scale for linear models. ``boolean``: 0, 1.
    ``onehot``: one 0/1 feature a frequent category, the rest share one. ``target_mean``: the category's smoothed mean
    target, cross-fitted (scikit-learn's ``TargetEncoder``). ``text``: TF-IDF of words. ``date``: its parts.
    """

    column: str
    treatment: TreatmentKind
    why: str


@dataclass(frozen=True)
class Drop(Record):
    """A column that the model does not see, with the reason and the flag that brings it back."""

    column: str
    reason: DropReason
    why: str
    overrule: str = ""


@dataclass(frozen=True)
class Candidate(Record):
    """A model to try. ``estimator``: ``dummy``, ``linear``, ``gradient_boosting``; parameters are scikit-learn's."""

    name: str
    estimator: Literal["dummy", "linear", "gradient_boosting"]
    why: str
    parameters: dict[str, Any] = field(default_factory=dict)
    target_log: bool = False  # learn log(1 + target) and answer in the target's own unit


@dataclass(frozen=True)
class Decision(Record):
    """One decision for the summary: what was decided, the choice, why, and the flag that changes it."""

    what: str
    choice: str
    why: str
    overrule: str = ""


@dataclass(frozen=True)
class DataFile(Record):
    """The training table as the project keeps it (UTF-8, comma, out of git): path, rows and SHA-256."""

    path: str = "data/train.csv"
    rows: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Plan(Record):
    """All that ``train`` needs to know; ``model/plan.json`` is this, and editing it is the advanced interface."""

    source: str
    title: str
    task: Literal["binary", "multiclass", "regression"]
    target: str
    metric: str
    metric_why: str
    split: Literal["random", "stratified", "group", "time"]
    split_why: str
    data: DataFile = DataFile()
    split_column: str = ""
    test_share: float = 0.2
    folds: int = 5
    folds_why: str = ""
    seed: int = 7
    seconds: float = 60.0
    compare_rows: int = COMPARE_ROWS
    labels: tuple[str, ...] = ()
    spellings: dict[str, str] = field(default_factory=dict)  # other writings of a label in the source, and the label
    positive: str = ""
    treatments: tuple[Treatment, ...] = ()
    dropped: tuple[Drop, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    decisions: tuple[Decision, ...] = ()
    format: int = 1


def draft(
    profile: Profile,
    task: Task,
    *,
    provenance: Provenance,
    seconds: float = 60.0,
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
) -> Plan:
    """Return every modelling choice for ``task``, each with its reason, so that training has nothing left to decide.

    ``drop`` and ``keep`` are columns that the person wants out or in, whatever was found. Raises ``UsageError`` for
    names that are no column, ``DataError`` where nothing can be learned: too few rows, no target, no column left.
    """
    asked_out, asked_in = _columns_called(profile, task, drop, "--drop"), _columns_called(profile, task, keep, "--keep")
    both = sorted(asked_out & asked_in)
    if both:
        message = f"{quoted(both[0])} is both to be left out and to be used"
        raise UsageError(message, hint="name it with --drop or with --keep, not with both")
    _refuse_hopeless(profile, task)
    dropped = tuple(found for column in profile.columns if (found := _drop(profile, task, column, asked_out, asked_in)))
    out = {one.column for one in dropped} | {task.target}
    treatments = tuple(_treatment(column, task) for column in profile.columns if column.name not in out)
    if not treatments:
        message = f"no column is left to predict {quoted(task.target)} from"
        hint = (
            f"bring one back with {dropped[0].overrule}"
            if dropped and dropped[0].overrule
            else "name a table with more columns"
        )
        raise DataError(message, hint=hint)
    rows = _known_rows(profile, task)
    folds, folds_why = _folds(rows)
    candidates = _candidates(profile, task, treatments, rows=rows, folds=folds, seconds=seconds)
    plan = Plan(
        source=provenance.source,
        title=provenance.title or _title(provenance.source) or task.target,
        task=task.kind,
        target=task.target,
        metric=task.metric,
        metric_why=task.metric_why,
        split=task.split,
        split_why=task.split_why,
        split_column=task.split_column,
        folds=folds,
        folds_why=folds_why,
        seed=SEED,
        seconds=seconds,
        labels=task.labels,
        spellings=task.spellings,
        positive=task.positive,
        treatments=treatments,
        dropped=dropped,
        candidates=candidates,
    )
    return _with_decisions(plan, profile, task)


def asked_for(profile: Profile, task: Task, *, drop: Sequence[str], keep: Sequence[str]) -> Task:
    """Return ``task`` with what the person wants out or in: columns kept are no longer charged as leaks.

    Raises ``UsageError`` for names that are no column.
    """
    out, kept = _columns_called(profile, task, drop, "--drop"), _columns_called(profile, task, keep, "--keep")
    told = [
        Finding(code, f"{', '.join(map(quoted, sorted(names)))}: asked for with `{flag}`", columns=tuple(sorted(names)))
        for code, flag, names in (("asked-out", "--drop", out), ("asked-in", "--keep", kept))
        if names
    ]
    leaks = tuple(leak for leak in task.leaks if leak.column not in out | kept)
    findings = tuple(
        finding
        for finding in task.findings
        if not (finding.code.startswith("leak") and set(finding.columns) <= out | kept)
    )
    return dataclasses.replace(task, leaks=leaks, findings=(*findings, *told))


def _columns_called(profile: Profile, task: Task, names: Sequence[str], flag: str) -> set[str]:
    known = [column.name for column in profile.columns]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            shown = near or known[:NAMED_MAX]
            message = f"no column is called {quoted(name)}: expected one of {', '.join(map(quoted, shown))}"
            raise UsageError(message, hint=f"{flag} {argument(shown[0])}" if shown else "name a table with columns")
        if name == task.target:
            message = f"{quoted(name)} is the target, expected a column to predict it from"
            raise UsageError(message, hint="choose another target with --target COLUMN")
        if flag == "--keep" and profile.column(name).kind == "empty":
            message = f"{quoted(name)} is empty in every row, expected a column that says something"
            raise UsageError(message, hint=f"leave out {flag} {argument(name)}")
    return set(names)


def _known_rows(profile: Profile, task: Task) -> int:
    missing = next((column.missing_share for column in profile.columns if column.name == task.target), 1.0)
    return round(profile.rows * (1 - missing))


def _refuse_hopeless(profile: Profile, task: Task) -> None:
    if len(profile.columns) < 2:  # noqa: PLR2004 - an answer and something to tell it by
        message = (
            f"`{profile.table}` has {len(profile.columns)} column, expected one to predict and others to tell it by"
        )
        raise DataError(
            message, hint="name another table with --table FILE; `kaggle2app inspect` shows how it was read"
        )
    if profile.rows < ROWS_MIN:
        counted = f"{profile.rows} {'row' if profile.rows == 1 else 'rows'}"
        message = f"`{profile.table}` has {counted}, expected {ROWS_MIN} or more to learn from"
        raise DataError(message, hint="name a table with more rows")
    if not task.target or task.target not in {column.name for column in profile.columns}:
        message = (
            f"no column of `{profile.table}` can be predicted: all name rows, never change, are texts or are empty"
        )
        raise DataError(message, hint="name a column with --target COLUMN; `kaggle2app inspect` lists them")
    rows = _known_rows(profile, task)
    if rows < ROWS_MIN:
        message = (
            f"`{profile.table}` has {rows} rows with a value of {quoted(task.target)}, expected {ROWS_MIN} or more"
        )
        raise DataError(message, hint="name a table with more rows")
    if profile.column(task.target).distinct < 2 or len(task.labels) == 1:  # noqa: PLR2004 - one answer is no question
        message = f"{quoted(task.target)} has the same value in every row, expected at least two different ones"
        raise DataError(message, hint="choose another column with --target COLUMN; `kaggle2app inspect` lists them")


def _drop(profile: Profile, task: Task, column: Column, asked_out: set[str], asked_in: set[str]) -> Drop | None:
    """Return why the model shall not see a column, ``None`` when it shall."""
    name = column.name
    back = f"--keep {argument(name)}"
    if name == task.target:
        return None
    if name in asked_out:
        return Drop(name, "asked", "asked for with `--drop`", f"leave out --drop {argument(name)}")
    if column.kind == "empty":
        return Drop(name, "empty", "it has no value in any row")
    if name in asked_in:
        return None
    if name in profile.constants:
        value = f" `{_short(column.values[0])}`" if column.values else ""
        return Drop(name, "constant", f"it has the same value{value} in every row", back)
    identifier = next((one for one in profile.identifiers if one.name == name), None)
    if identifier is not None:
        return Drop(name, "identifier", f"it names rows instead of describing them: {identifier.why}", back)
    if name == task.split_column and task.split == "group":
        return Drop(name, "identifier", "it says whose row this is, which tells nothing about a newcomer", back)
    leak = next((one for one in task.leaks if one.column == name and one.action == "drop"), None)
    if leak is not None:
        return Drop(name, "leak", f"{leak.why} (strength {leak.strength:.2f}, where 1 gives the answer away)", back)
    twin = next((one for one in task.findings if one.code == "duplicate-column" and one.columns[:1] == (name,)), None)
    if twin is not None and twin.columns[-1] not in asked_out:
        return Drop(name, "duplicate", f"it equals {quoted(twin.columns[-1])} in every row", back)
    if _test_lacks(profile, task, name):
        return Drop(
            name,
            "absent_in_test",
            "the test table does not have it, so it is not known when an answer is asked for",
            back,
        )
    return None


def _test_lacks(profile: Profile, task: Task, name: str) -> bool:
    test = set(profile.test_columns)
    if not test or name in test:
        return False
    others = [column.name for column in profile.columns if column.name != task.target]
    return sum(other in test for other in others) >= 0.6 * len(others)


def _treatment(column: Column, task: Task) -> Treatment:
    name = column.name
    match column.kind:
        case "number":
            return Treatment(name, "number", "a number: used as it is by trees, filled and scaled for linear models")
        case "boolean":
            return Treatment(name, "boolean", "true or false becomes 1 or 0")
        case "date":
            return Treatment(name, "date", "a date: its year, month, day, weekday and hour can matter, each for itself")
        case "text":
            return Treatment(
                name,
                "text",
                f"free text of {column.words_mean or 1:.0f} words on average: its words are weighed by TF-IDF",
            )
    if column.distinct <= ONEHOT_MAX:
        return Treatment(name, "onehot", f"{column.distinct} categories: one feature each")
    return Treatment(
        name,
        "target_mean",
        f"{column.distinct:,} categories are too many for a feature each: the mean {task.target} of each is used",
    )


def _folds(rows: int) -> tuple[int, str]:
    if rows < 30:  # noqa: PLR2004 - a fold needs some rows to check on
        return 3, f"{rows} rows are few: more folds would check on one or two rows each"
    if rows > 30_000:  # noqa: PLR2004 - scores of 10,000 rows differ little from fold to fold
        return 3, f"with {rows:,} rows three folds tell candidates apart, and time goes into better models"
    return 5, "the usual balance: each candidate learns from 80 % of the rows, five times"


# --- candidates -----------------------------------------------------------------------------------------------------


def _candidates(
    profile: Profile, task: Task, treatments: tuple[Treatment, ...], *, rows: int, folds: int, seconds: float
) -> tuple[Candidate, ...]:
    classification = task.kind != "regression"
    target = profile.column(task.target)
    weights: dict[str, Any] = {}
    weights_why = ""
    if classification and task.metric in {"balanced_accuracy", "f1", "f1_macro"} and _is_uneven(task, target):
        weights = {"class_weight": "balanced"}
        weights_why = f"; rare classes weigh more, because {task.metric} counts them more than their rows do"
    base = Candidate(
        "baseline",
        "dummy",
        "answers the same for every row: what any model must beat",
        {"strategy": "prior" if classification else "mean"},
    )
    linear = Candidate(
        "logistic_regression" if classification else "ridge",
        "linear",
        f"a weighted sum: quick, easy to explain, hard to beat on few rows{weights_why}",
        {"C": 1.0, "max_iter": 1000, **weights} if classification else {"alpha": 1.0},
    )
    skew = "" if classification else _skew(target)
    boosts = _boosting(profile, task, treatments, rows=rows, folds=folds, seconds=seconds, variants=2 if skew else 1)
    boosts = [
        Candidate(one.name, one.estimator, one.why + weights_why, {**one.parameters, **weights}) for one in boosts
    ]
    plain, *slow = boosts  # trees come before the linear model, which finishes whatever the time limit says
    if not skew:
        return base, plain, linear, *slow
    logged = [
        Candidate(
            f"{one.name}_log",
            one.estimator,
            f"as {one.name}, on the logarithm: {skew}",
            one.parameters,
            target_log=True,
        )
        for one in (plain, linear)
    ]
    slow = [
        Candidate(f"{one.name}_log", one.estimator, f"{one.why}, on the logarithm", one.parameters, target_log=True)
        for one in slow
    ]
    return base, plain, linear, *logged, *slow


def _boosting(
    profile: Profile,
    task: Task,
    treatments: tuple[Treatment, ...],
    *,
    rows: int,
    folds: int,
    seconds: float,
    variants: int,
) -> list[Candidate]:
    """Return gradient boosting with as many trees as the seconds allow, and a slower learner where time is left.

    A tree costs about 1 ms, 0.025 ms a feature, and 6 ns a row and feature (measured, two cores). The number of trees
    follows from the table and the limit alone, so that the same data gives the same model on any machine.
    """
    width = sum(_features(profile.column(one.column), one.treatment) for one in treatments)
    trees = len(task.labels) if task.kind == "multiclass" else 1
    learning = 0.8 * rows

    def tree_seconds(rows: float) -> float:
        return trees * (1e-3 + 2.5e-5 * width + 6.3e-9 * width * rows)

    cost = tree_seconds(min(COMPARE_ROWS, learning) * (1 - 1 / folds))
    affordable = int(
        min(BOOST_SHARE * seconds / (folds * cost * variants), REFIT_SHARE * seconds / tree_seconds(learning))
    )
    wanted = 60 if rows < 2_000 else 150 if rows < 10_000 else 250  # noqa: PLR2004 - more trees overfit few rows
    steps = max(5, min(wanted, affordable))
    rate = 0.1 if steps >= min(wanted, 100) else 0.2  # fewer steps must be longer
    leaf = {"min_samples_leaf": max(3, rows // 50)} if rows < 1_000 else {}  # noqa: PLR2004 - the default of 20 is too coarse
    common = {"early_stopping": False, **leaf}
    found = [
        Candidate(
            "gradient_boosting",
            "gradient_boosting",
            f"{steps} small trees, each mending the errors of those before: usually best on tables",
            {"learning_rate": rate, "max_iter": steps, **common},
        )
    ]
    slow = 2 * steps
    spare = folds * cost * (steps * variants + 0.8 * slow) <= BOOST_SHARE * seconds
    if steps == wanted and spare and slow * tree_seconds(learning) <= REFIT_SHARE * seconds:
        found.append(
            Candidate(
                "gradient_boosting_slow",
                "gradient_boosting",
                f"{slow} smaller trees that learn in shorter steps: slower, often a little better",
                {
                    "learning_rate": 0.05,
                    "max_iter": slow,
                    "max_leaf_nodes": 12,
                    "l2_regularization": 1.0,
                    **common,
                },
            )
        )
    return found


def _features(column: Column, treatment: TreatmentKind) -> int:
    if treatment == "onehot":
        return min(column.distinct, CATEGORY_FEATURES_MAX)
    return {"text": TEXT_FEATURES, "date": DATE_FEATURES}.get(treatment, 1)


def _is_uneven(task: Task, target: Column) -> bool:
    counts = [count for value, count in zip(target.values, target.counts, strict=False) if value.strip() in task.labels]
    return bool(counts) and min(counts) < 0.2 * max(counts)


def _skew(target: Column) -> str:
    """Return why the target is better learned as a logarithm, ``""`` when it is not."""
    low, middle, high, mean = target.minimum, target.median, target.maximum, target.mean
    if not all(isinstance(value, int | float) for value in (low, middle, high, mean)):
        return ""
    low, middle, high, mean = float(low or 0), float(middle or 0), float(high or 0), float(mean or 0)
    if low < 0 or middle <= 0 or high < 4 * middle or mean < 1.05 * middle:
        return ""
    return (
        f"the largest {quoted(target.name)} is {high / middle:.0f} times the median, so misses matter as a share of it"
    )


# --- what to tell ---------------------------------------------------------------------------------------------------


def _with_decisions(plan: Plan, profile: Profile, task: Task) -> Plan:
    by_hand = "edit `{}` in model/plan.json, then `make train`"
    decisions = [
        Decision("table", profile.table, f"{profile.rows:,} rows, {len(profile.columns)} columns", "--table FILE"),
        Decision("target", plan.target, "; ".join(task.reasons) or "the best guess", "--target COLUMN"),
        Decision("task", plan.task, _task_why(plan), "--task KIND"),
        Decision("metric", plan.metric, plan.metric_why, "--metric NAME"),
        Decision("held out", f"{plan.test_share:.0%} of rows, {plan.split}", plan.split_why, "--split HOW"),
        Decision("folds", str(plan.folds), plan.folds_why, by_hand.format("folds")),
    ]
    if profile.rows_drawn_from:
        drawn = f"{profile.rows:,} of {profile.rows_drawn_from:,}, drawn by a fixed seed"
        why = "more than memory holds with all that is done with them, or than were asked for"
        decisions.insert(1, Decision("rows", drawn, why, "--rows N"))
    if profile.repeats_left_out:
        left = f"{profile.repeats_left_out:,} that repeat an earlier one left out"
        decisions.insert(1, Decision("rows", left, "asked for with `--drop-duplicates`", "leave out --drop-duplicates"))
    decisions += [
        Decision(what, asked, f"asked for with `{flag}`", f"leave out {flag} {argument(asked)}")
        for what, flag, pairs in (
            ("read as missing", "--missing", profile.asked_missing),
            ("read as a value", "--no-missing", profile.asked_values),
        )
        for asked in pairs
    ]
    decisions += [
        Decision("kept, may be a leak", leak.column, leak.why, f"--drop {argument(leak.column)}")
        for leak in task.leaks
        if leak.action == "ask" and any(one.column == leak.column for one in plan.treatments)
    ]
    kinds: dict[str, list[str]] = {}
    for one in plan.treatments:
        kinds.setdefault(one.treatment, []).append(one.column)
    decisions += [
        Decision(_TREATED[kind], _listed(names), _WHY_TREATED[kind], _as_or_drop(names[0], kind))
        for kind, names in kinds.items()
    ]
    tried = ", ".join(one.name for one in plan.candidates)
    decisions.append(
        Decision(
            "models tried",
            tried,
            "a baseline, a linear model and trees, compared on the same folds",
            by_hand.format("candidates"),
        )
    )
    if _known_rows(profile, task) * (1 - plan.test_share) > plan.compare_rows:
        decisions.append(
            Decision(
                "compared on",
                f"{plan.compare_rows:,} drawn rows",
                "enough to tell which model is better; the best one learns from all",
                by_hand.format("compare_rows"),
            )
        )
    decisions.append(Decision("time limit", f"{plan.seconds:g} s", "for comparing models", "--seconds N"))
    return Plan(**{**vars(plan), "decisions": tuple(decisions)})


def _as_or_drop(name: str, treatment: str) -> str:
    """Return how any column that is treated so can be read otherwise or left out, shown on the first of them."""
    other = "text" if treatment in {"onehot", "target_mean"} else "category"
    return f"--as {argument(name)}={other} or --drop {argument(name)}, and so for any of them"


_TREATED = {
    "number": "numbers",
    "boolean": "true or false",
    "onehot": "few categories",
    "target_mean": "many categories",
    "text": "texts",
    "date": "dates",
}
_WHY_TREATED = {
    "number": "as they are for trees; filled and scaled for linear models",
    "boolean": "1 or 0",
    "onehot": f"up to {ONEHOT_MAX} categories get a feature each",
    "target_mean": "each category becomes the mean target of the other rows that have it",
    "text": "words weighed by TF-IDF",
    "date": "year, month, day, weekday, hour and the days since 1970",
}


def _task_why(plan: Plan) -> str:
    if plan.task == "regression":
        return f"{quoted(plan.target)} is an amount"
    shown = ", ".join(quoted(_short(label)) for label in plan.labels[:NAMED_MAX])
    more = f" and {len(plan.labels) - NAMED_MAX} more" if len(plan.labels) > NAMED_MAX else ""
    counted = f"; {quoted(_short(plan.positive))} is the one to find" if plan.positive else ""
    return f"{quoted(plan.target)} is one of {shown}{more}{counted}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(_short(name) for name in names[:NAMED_MAX])
    return shown + (f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else "")


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"  # noqa: PLR2004 - a glance, not the cell


def _title(source: str) -> str:
    part = re.split(r"[/\\:]", source.rstrip("/\\"))[-1]
    stem = re.sub(r"(\.[A-Za-z]{1,8}){1,2}$", "", part)
    return " ".join(re.split(r"[\W_]+", stem)).strip().capitalize()
