"""Which columns know the answer: copies, transforms, parts and afterthoughts of the target, each measured on the data.

A strong predictor is no crime: petals tell flowers apart. A column is dropped only when its relation to the target is
exact in a way that honest measurements are not, or when nearly perfect strength and a telling name come together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit import relations
from toolkit.findings import Finding
from toolkit.leak import Leak
from toolkit.names import argument, quoted, words_in, words_of
from toolkit.relations import BINS_MAX, EXACT, ROWS_MIN, Values

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.contents import Contents
    from toolkit.profile import Column, Profile

ROWS_MAX = 20_000  # a seeded sample this large shows every relation that matters
SEED = 7
NEAR_PERFECT = 0.98  # share of the avoidable errors that the column alone avoids
CHANCE_MAX = 1e-9
FORMULA_COLUMNS_MAX = 60
FORMULA_ROWS_MAX = 4_000

# Words of what is written down once the outcome is known.
AFTERWARDS = words_in(
    "actual approved band bucket canceled cancellation cancelled category chargeoff checkout churn churned class "
    "closed collection completed death decision discharge disposition exit exited final grade group label left level "
    "lifeboat outcome paid payout range reason recoveries recovery refund refunded resolution resolved result "
    "returned settled settlement status terminated termination verdict winner"
)
# Words of what a model said.
PREDICTED = words_in(
    "classifier enc encoded estimate estimated fitted forecast pred predicted prediction predictions preds proba "
    "probability yhat"
)


@dataclass(frozen=True)
class _Charge:
    """What speaks against one column: the leak and the kind of relation (the finding's code)."""

    leak: Leak
    code: str


def find(
    profile: Profile, contents: Contents, target: Column, *, classes: bool
) -> tuple[tuple[Leak, ...], tuple[Finding, ...]]:
    """Return the columns that know ``target``, strongest first, and a finding for each.

    ``classes`` says that the target's texts are classes, not amounts. Identifiers, constants and empty columns are not
    judged: the plan leaves them out anyway. Tables of fewer than ``ROWS_MIN`` rows are not judged at all.
    """
    frame = contents.main.frame
    if target.name not in frame.columns or len(frame) < ROWS_MIN:
        return (), ()
    answer = relations.values_of(frame, target)
    usable = answer.known if classes or answer.numbers is None else np.isfinite(answer.numbers)
    rows = np.flatnonzero(usable)
    order = _row_order(answer, target, classes=classes)
    if len(rows) > ROWS_MAX:
        rows = np.sort(np.random.default_rng(SEED).choice(rows, ROWS_MAX, replace=False))
    if len(rows) < ROWS_MIN or (not classes and answer.numbers is None):
        return (), order
    out = {identifier.name for identifier in profile.identifiers} | set(profile.constants) | {target.name}
    columns = [
        column
        for column in profile.columns
        if column.name not in out and column.kind != "empty" and column.name in frame.columns
    ]
    sample = frame if len(rows) == len(frame) else frame.iloc[rows]
    known = {column.name: relations.values_of(sample, column) for column in columns}
    judged = answer.at(rows)
    judge = _against_classes if classes else _against_amount
    charges = {
        column.name: charge for column in columns if (charge := judge(column, known[column.name], target, judged))
    }
    if len(rows) == int(usable.sum()):  # a sample's means are not those of the table
        for charge in _means(columns, known, target, judged, classes=classes):
            charges.setdefault(charge.leak.column, charge)
    if not classes and judged.numbers is not None:
        for charge in _formulas(columns, known, target, judged.numbers, set(charges)):
            charges.setdefault(charge.leak.column, charge)
    for charge in _companions(columns, known, target, judged, charges, classes=classes):
        charges[charge.leak.column] = charge
    ranked = sorted(charges.values(), key=lambda charge: (-charge.leak.strength, charge.leak.column))
    found = tuple(_finding(charge, target) for charge in ranked)
    twins = _twins(columns, known, frame, {charge.leak.column for charge in ranked if charge.leak.action == "drop"})
    return tuple(charge.leak for charge in ranked), found + twins + order


def _against_classes(column: Column, values: Values, target: Column, answer: Values) -> _Charge | None:
    """Charge a column that tells the class of (nearly) every row by itself."""
    classes = np.unique(answer.codes, return_inverse=True)[1]
    shares = np.bincount(classes) / len(classes)
    base = float(shares.max())
    if base > 1 - 3 / len(classes):
        return None
    presence = _presence(column, values, target, classes, base)
    if presence is not None:
        return presence
    groups = values.codes + 1
    if values.numbers is not None and column.distinct > BINS_MAX:
        groups = relations.bins(values.numbers)
    table = relations.contingency(groups, classes)
    strength = max(0.0, (relations.others_accuracy(table) - base) / (1 - base))
    related = _related(column, target)
    shown = quoted(target.name)
    counts = table.sum(axis=1)
    pure = bool((np.count_nonzero(table, axis=1) <= 1).all())
    if _says_predicted(column, target) and strength > 0.3:  # noqa: PLR2004 - a useful model explains that much
        why = f"its name says that it is a prediction, and alone it avoids {strength:.0%} of errors in guessing {shown}"
        return _Charge(Leak(column.name, _rounded(strength), why, "drop"), "leak-prediction")
    if strength < NEAR_PERFECT:
        return None
    if pure and len(table) == len(shares):
        why = f"each of its values stands for one of {shown} and the other way round: the same fact in other words"
        return _Charge(Leak(column.name, 1.0, why, "drop"), "leak-copy")
    grouped = values.numbers is None or column.distinct <= BINS_MAX
    if pure and grouped and counts.min() > 1 and (related or _says_afterwards(column)):
        why = f"each of its {len(table)} values goes with one of {shown}, and its name says that it comes with it"
        return _Charge(Leak(column.name, 1.0, why, "drop"), "leak-after-outcome")
    if related and strength > 0.995:  # noqa: PLR2004 - with the target's own name, rounding explains the rest
        why = f"it shares its name with {shown} and alone tells {strength:.1%} of what there is to know about it"
        return _Charge(Leak(column.name, _rounded(strength), why, "drop"), "leak-transform")
    why = f"alone it avoids {strength:.1%} of errors in guessing {shown}: a strong predictor, or known only afterwards"
    return _Charge(Leak(column.name, _rounded(strength), why, "ask"), "near-perfect-predictor")


def _presence(column: Column, values: Values, target: Column, classes: NDArray[np.intp], base: float) -> _Charge | None:
    """Charge a column that is filled in only once the outcome is known: whether it has a value tells the class."""
    known = values.known
    filled, rows = int(known.sum()), len(known)
    if filled < 10 or filled > 0.95 * rows:  # noqa: PLR2004 - a few gaps, or a few values, tell nothing
        return None
    table = relations.contingency(known.astype(np.int64), classes)
    inside, outside = table[1] / table[1].sum(), table[0] / table[0].sum()
    kind = int(inside.argmax())
    share_of_class = table[1] / np.maximum(table.sum(axis=0), 1)
    others = np.delete(share_of_class, kind)
    strength = max(0.0, (relations.others_accuracy(table) - base) / (1 - base))
    only_there = (
        inside[kind] == 1
        and table.sum(axis=0)[kind] / rows < 1
        and np.log(table.sum(axis=0)[kind] / rows) * filled < np.log(CHANCE_MAX)
    )
    mostly_there = others.max(initial=0) < 0.02 and share_of_class[kind] > 0.5 and outside[kind] < 0.5  # noqa: PLR2004 - 1 in 50
    if not (only_there or mostly_there):
        return None
    share = f"{inside[kind]:.1%} of them" if inside[kind] < 1 else "all of them"
    why = (
        f"it has a value in {filled:,} of {rows:,} rows, and {share} have the same {quoted(target.name)}: "
        "it is filled in once the outcome is known"
    )
    return _Charge(Leak(column.name, _rounded(max(strength, float(inside[kind]))), why, "drop"), "leak-after-outcome")


def _against_amount(column: Column, values: Values, target: Column, answer: Values) -> _Charge | None:
    """Charge a column that gives the target's amount by itself: a copy, a transform, its bins."""
    if answer.numbers is None:
        return None
    shown = quoted(target.name)
    related = _related(column, target)
    if values.numbers is not None and column.distinct > 2:  # noqa: PLR2004 - two values are no scale
        both = np.isfinite(values.numbers) & np.isfinite(answer.numbers)
        if both.sum() >= ROWS_MIN:
            charge = _same_scale(column, values.numbers[both], answer.numbers[both], shown)
            if charge is not None:
                return charge
    if 2 <= column.distinct <= BINS_MAX:  # noqa: PLR2004 - bins of an amount
        bounds = relations.ranges(values.codes[values.known], answer.numbers[values.known])
        if bounds is not None:
            certain = related or len(bounds) > 2  # noqa: PLR2004 - two groups may lie apart by nature
            why = f"its {len(bounds)} values are ranges of {shown} that do not overlap: it was made from it"
            return _Charge(Leak(column.name, 1.0, why, "drop" if certain else "ask"), "leak-bins")
    groups = values.codes + 1
    if values.numbers is not None and column.distinct > BINS_MAX:
        groups = relations.bins(values.numbers)
    elif column.distinct > len(groups) / 5:
        return None
    strength = relations.explained(groups, answer.numbers)
    if _says_predicted(column, target) and strength > 0.5:  # noqa: PLR2004 - a useful model explains that much
        why = f"its name says that it is a prediction, and alone it explains {strength:.0%} of {shown}"
        return _Charge(Leak(column.name, _rounded(strength), why, "drop"), "leak-prediction")
    if strength < 0.99:  # noqa: PLR2004 - measured: honest columns stay below 0.95 on real tables
        return None
    why = f"alone it explains {strength:.1%} of {shown}: a strong predictor, or another form of it"
    return _Charge(Leak(column.name, _rounded(strength), why, "drop" if related else "ask"), "near-perfect-predictor")


def _same_scale(
    column: Column, numbers: NDArray[np.float64], amounts: NDArray[np.float64], shown: str
) -> _Charge | None:
    """Charge a column that rises or falls exactly as the target does."""
    if numbers.std() == 0 or amounts.std() == 0:
        return None
    correlation = abs(float(np.corrcoef(numbers, amounts)[0, 1]))
    if correlation > 1 - EXACT**2:
        same = np.array_equal(numbers, amounts)
        why = (
            f"it equals {shown} in every row"
            if same
            else f"it is {shown} on another scale (correlation {correlation:.6f})"
        )
        return _Charge(Leak(column.name, _rounded(correlation), why, "drop"), "leak-copy")
    ordered = amounts[np.argsort(numbers, kind="stable")]
    steps = np.diff(ordered)
    distinct = len(np.unique(numbers))
    if distinct < 0.5 * len(np.unique(amounts)) or distinct < ROWS_MIN:
        return None
    ranks = relations.ranks(numbers), relations.ranks(amounts)
    agreement = abs(float(np.corrcoef(*ranks)[0, 1]))
    if agreement > 1 - EXACT**2 or bool((steps >= 0).all()) or bool((steps <= 0).all()):
        why = f"sorting by it sorts {shown} as well: it is a transform of it, such as its logarithm or its rank"
        return _Charge(Leak(column.name, _rounded(agreement), why, "drop"), "leak-transform")
    return None


def _means(
    columns: list[Column], known: dict[str, Values], target: Column, answer: Values, *, classes: bool
) -> list[_Charge]:
    """Charge columns whose every value is the mean target of the rows that have it: an encoded category."""
    if classes:
        codes = np.unique(answer.codes, return_inverse=True)[1]
        if codes.max(initial=0) != 1:
            return []
        ones = codes.astype(np.float64)
        sides: list[NDArray[np.float64]] = [ones, 1.0 - ones]
    else:
        sides = [] if answer.numbers is None else [answer.numbers]
    found = []
    for column in columns:
        numbers = known[column.name].numbers
        if numbers is None or column.kind != "number" or column.whole:
            continue
        if any(relations.is_mean_of(numbers, side) for side in sides):
            why = f"each of its values is the mean {quoted(target.name)} of the rows that have it: it was made from it"
            found.append(_Charge(Leak(column.name, 1.0, why, "drop"), "leak-target-mean"))
    return found


def _formulas(
    columns: list[Column], known: dict[str, Values], target: Column, amounts: NDArray[np.float64], charged: set[str]
) -> list[_Charge]:
    """Charge columns that add up to the target, or multiply to it."""
    used = [
        column
        for column in columns
        if column.name not in charged and column.kind == "number" and column.distinct > 2  # noqa: PLR2004 - flags add up to nothing
    ][:FORMULA_COLUMNS_MAX]
    if len(used) < 2 or amounts.std() == 0:  # noqa: PLR2004 - a sum has two parts
        return []
    matrix = np.column_stack([amounts_of(known[column.name]) for column in used])
    complete = np.flatnonzero(np.isfinite(matrix).all(axis=1))[:FORMULA_ROWS_MAX]
    if len(complete) < max(ROWS_MIN, 3 * len(used)):
        return []
    names = [column.name for column in used]
    shown = quoted(target.name)
    found = relations.straight_line(matrix[complete], amounts[complete])
    if found is not None:
        parts = [names[index] for index in found.places]
        listed = ", ".join(quoted(name) for name in parts)
        sure = found.equal and len(parts) > 1
        how = "add up to" if sure else "give, by a straight-line formula,"
        why = f"{listed} together {how} {shown}, exactly"
        return [_Charge(Leak(name, 1.0, why, "drop" if sure else "ask"), "leak-parts") for name in parts]
    positive = [index for index in range(len(used)) if (matrix[complete, index] > 0).all()]
    if (amounts[complete] > 0).all() and len(positive) > 1:
        product = relations.straight_line(np.log(matrix[complete][:, positive]), np.log(amounts[complete]))
        if product is not None and product.ones and len(product.places) > 1:
            parts = [names[positive[index]] for index in product.places]
            why = f"{' and '.join(quoted(name) for name in parts)} multiplied or divided give {shown}, exactly"
            return [_Charge(Leak(name, 1.0, why, "ask"), "leak-parts") for name in parts]
    return []


def _companions(
    columns: list[Column],
    known: dict[str, Values],
    target: Column,
    answer: Values,
    charges: dict[str, _Charge],
    *,
    classes: bool,
) -> list[_Charge]:
    """Charge columns named after a dropped one (``exit_reason_date`` beside ``exit_reason``): they come with it."""
    dropped = {
        name: words_of(name)
        for name, charge in charges.items()
        if charge.leak.action == "drop" and charge.code == "leak-after-outcome"
    }
    found = []
    for column in columns:
        name = words_of(column.name)
        owner = next(
            (one for one, words in dropped.items() if len(words) > 1 and name[: len(words)] == words and name != words),
            None,
        )
        if owner is None or (column.name in charges and charges[column.name].leak.action == "drop"):
            continue
        strength = 0.0
        values = known[column.name]
        groups = relations.bins(values.numbers) if values.numbers is not None else values.codes + 1
        if classes:
            order = np.unique(answer.codes, return_inverse=True)[1]
            base = float(np.bincount(order).max() / len(order))
            strength = max(0.0, (relations.others_accuracy(relations.contingency(groups, order)) - base) / (1 - base))
        why = f"it is named after {quoted(owner)}, which is written down with {quoted(target.name)}"
        found.append(_Charge(Leak(column.name, _rounded(strength), why, "drop"), "leak-after-outcome"))
    return found


def _twins(
    columns: list[Column], known: dict[str, Values], frame: pd.DataFrame, dropped: set[str]
) -> tuple[Finding, ...]:
    """Tell of columns that equal another one in every row; of two the one whose name comes first stays."""
    seen: dict[bytes, Column] = {}
    found = []
    for column in sorted(columns, key=lambda column: column.name):
        if column.name in dropped:
            continue
        values = known[column.name]
        key = (values.codes if values.numbers is None else np.nan_to_num(values.numbers, nan=-1.7e308)).tobytes()
        first = seen.setdefault(key, column)
        if first is column or first.distinct != column.distinct or not relations.same_cells(frame, first, column):
            continue
        found.append(
            Finding(
                "duplicate-column",
                f"{quoted(column.name)} equals {quoted(first.name)} in every row",
                columns=(column.name, first.name),
                action=f"left {quoted(column.name)} out: it says nothing new",
                overrule=f"--keep {argument(column.name)}",
            )
        )
    return tuple(found)


def _row_order(answer: Values, target: Column, *, classes: bool) -> tuple[Finding, ...]:
    """Tell when rows stand sorted by the target, so that a row's place gives its answer away."""
    sequence = answer.codes if classes or answer.numbers is None else answer.numbers
    sequence = sequence[answer.known & np.isfinite(sequence)]
    if len(sequence) < ROWS_MIN:
        return ()
    if classes or answer.numbers is None:
        shares = np.unique(sequence, return_counts=True)[1] / len(sequence)
        expected = 1 - float((shares**2).sum())
        changes = float(np.mean(sequence[1:] != sequence[:-1]))
        is_sorted = expected > 0.05 and changes < 0.1 * expected  # noqa: PLR2004 - a tenth of what chance gives
    else:
        steps = np.diff(sequence)
        is_sorted = bool(len(np.unique(sequence)) > 10 and ((steps >= 0).mean() > 0.98 or (steps <= 0).mean() > 0.98))  # noqa: PLR2004
    if not is_sorted:
        return ()
    return (
        Finding(
            "sorted-by-target",
            f"rows stand sorted by {quoted(target.name)}, so a row's place in the file gives its answer away",
            columns=(target.name,),
            action="rows are shuffled before they are split, and row numbers are not used",
            overrule="--split time:COLUMN",
        ),
    )


def _finding(charge: _Charge, target: Column) -> Finding:
    leak = charge.leak
    name = quoted(leak.column)
    dropped = leak.action == "drop"
    verb = "knows" if dropped else "may know"
    return Finding(
        charge.code,
        f"{name} {verb} the answer: {leak.why}",
        severity="warning" if dropped else "unsure",
        columns=(leak.column,),
        action="left out of the model"
        if dropped
        else "kept: only you can say whether it is known before the answer is",
        overrule=f"{'--keep' if dropped else '--drop'} {argument(leak.column)}",
        evidence={"strength": leak.strength, "target": target.name},
    )


def _related(column: Column, target: Column) -> bool:
    """Return whether all words of the target's name stand in the column's, or the other way round."""
    one, other = set(words_of(column.name)), set(words_of(target.name))
    few = min((one, other), key=len)
    return bool(few) and few <= (one | other) and (one <= other or other <= one) and len("".join(few)) > 2  # noqa: PLR2004


def _says_afterwards(column: Column) -> bool:
    return bool(set(words_of(column.name)) & AFTERWARDS)


def _says_predicted(column: Column, target: Column) -> bool:
    words = set(words_of(column.name))
    encoded = {"encoded", "enc"}
    if words & encoded:
        return bool(words & (set(words_of(target.name)) | {"target", "label", "mean"}))
    return bool(words & PREDICTED)


def _rounded(strength: float) -> float:
    return round(min(1.0, max(0.0, float(strength))), 4)


def amounts_of(values: Values) -> NDArray[np.float64]:
    """Return the column's numbers, all missing when it counts nothing."""
    return np.full(len(values.codes), np.nan) if values.numbers is None else values.numbers
