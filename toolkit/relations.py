"""How columns relate, measured on rows: the statistics under every charge in ``leaks``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.number_format import PLAIN

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.profile import Column

ROWS_MIN = 30  # below this, perfect relations happen by chance
BINS_MAX = 100
EXACT = 1e-3  # residual of a formula, as a share of the target's standard deviation; rounded cells stay below it
ALIKE = 0.97  # ranks that agree so well differ by ties, rounding and the years of a table alone


@dataclass(frozen=True, eq=False)
class Values:
    """A column's rows as codes of their texts (-1 where missing) and, where it counts something, as numbers (NaN)."""

    codes: NDArray[np.int64]
    numbers: NDArray[np.float64] | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Return for each row whether it has a value."""
        return self.codes >= 0

    def at(self, rows: NDArray[np.intp]) -> Values:
        """Return the values of some rows."""
        return Values(self.codes[rows], None if self.numbers is None else self.numbers[rows])


def values_of(frame: pd.DataFrame, column: Column) -> Values:
    """Return the rows of one column as codes and numbers, read the way the profile says."""
    import pyarrow as pa  # noqa: PLC0415 - 100 ms

    from toolkit import cells, dates, numbers  # noqa: PLC0415 - numpy-heavy, and only needed where data is looked at

    counted = cells.count(_series(frame, column))
    missing = {*column.missing, ""} | {text.strip() for text in column.missing}
    texts = counted.texts.to_pylist()
    stripped = [text.strip() for text in texts]
    places: dict[str, int] = {}
    code_of = np.array(
        [
            -1 if text in missing or plain in missing else places.setdefault(plain, len(places))
            for text, plain in zip(texts, stripped, strict=True)
        ],
        dtype=np.int64,
    )
    rows = counted.codes if counted.codes is not None else np.zeros(0, dtype=np.int32)
    amounts: NDArray[np.float64] | None = None
    plain_texts = pa.array(stripped, type=pa.large_string())
    if column.kind == "number":
        amounts = numbers.parse(plain_texts, column.number_format)
    elif column.kind == "date":
        plain = column.date_format in {"", "epoch_seconds"}
        amounts = numbers.parse(plain_texts, PLAIN) if plain else dates.parse(plain_texts, column.date_format)
    elif column.kind == "boolean":
        folded = {word.lower(): float(value) for word, value in column.words.items()}
        amounts = np.array([folded.get(text.lower(), np.nan) for text in stripped], dtype=np.float64)
    if amounts is not None and len(amounts):
        amounts = np.where(code_of < 0, np.nan, amounts)
    if not len(code_of):
        return Values(np.zeros(0, dtype=np.int64), amounts)
    return Values(code_of[rows], None if amounts is None else amounts[rows])


@dataclass(frozen=True)
class Line:
    """Which columns give an amount by an exact weighted sum, and of what kind the weights are."""

    places: tuple[int, ...]
    equal: bool  # all weights of one size: a sum or a mean
    ones: bool  # all weights are 1 or -1


def straight_line(matrix: NDArray[np.float64], amounts: NDArray[np.float64]) -> Line | None:
    """Return which columns give ``amounts`` by an exact weighted sum, ``None`` when none do."""
    spread = matrix.std(axis=0)
    usable = np.flatnonzero(spread > 0)
    size = float(amounts.std())
    if size == 0 or len(usable) < 2:  # noqa: PLR2004 - a sum has two parts
        return None
    scaled = (matrix[:, usable] - matrix[:, usable].mean(axis=0)) / spread[usable]
    centred = (amounts - amounts.mean()) / size
    weights = np.linalg.lstsq(scaled, centred, rcond=None)[0]
    if float(np.sqrt(np.mean((centred - scaled @ weights) ** 2))) > EXACT:
        return None
    parts = [int(place) for place in np.flatnonzero(np.abs(weights) > 10 * EXACT)]
    if len(parts) < 2 or len(parts) > len(amounts) / 10:  # noqa: PLR2004
        return None
    again = np.linalg.lstsq(scaled[:, parts], centred, rcond=None)[0]
    if float(np.sqrt(np.mean((centred - scaled[:, parts] @ again) ** 2))) > EXACT:
        return None
    slopes = np.abs(again * size / spread[usable[parts]])
    equal = bool((np.abs(slopes / slopes.mean() - 1) < 0.01).all())  # noqa: PLR2004 - rounded cells
    ones = bool((np.abs(slopes - 1) < 0.01).all())  # noqa: PLR2004
    return Line(tuple(int(usable[place]) for place in parts), equal, ones)


def bins(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return each number's place among at most ``BINS_MAX`` bins of equal rows; 0 is missing."""
    known = np.isfinite(numbers)
    bins = max(2, min(BINS_MAX, int(known.sum()) // 10))
    if not known.any():
        return np.zeros(len(numbers), dtype=np.int64)
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, bins + 1)[1:-1]))
    places = np.searchsorted(edges, np.where(known, numbers, 0.0), side="right") + 1
    return np.where(known, places, 0).astype(np.int64)


def contingency(groups: NDArray[np.int64], classes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how many rows each group has of each class, shape (groups that occur, classes)."""
    places = np.unique(groups, return_inverse=True)[1]
    width = int(classes.max()) + 1
    flat = np.bincount(places * width + classes, minlength=(int(places.max()) + 1) * width)
    table: NDArray[np.float64] = flat.reshape(-1, width).astype(np.float64)
    return table


def others_accuracy(table: NDArray[np.float64]) -> float:
    """Return how often a row's class is the commonest among the *other* rows of its group (leave one out)."""
    ordered = np.sort(table, axis=1)
    first = ordered[:, -1]
    second = ordered[:, -2] if table.shape[1] > 1 else np.zeros(len(table))
    hits = np.where(first - 1 > second, first, np.where((first - 1 == second) & (second > 0), first / 2, 0.0))
    return float(hits.sum() / table.sum())


def explained(groups: NDArray[np.int64], amounts: NDArray[np.float64]) -> float:
    """Return the share of the amounts' variance that a group's other rows explain (leave one out)."""
    places = np.unique(groups, return_inverse=True)[1]
    counts = np.bincount(places).astype(np.float64)
    sums = np.bincount(places, weights=amounts)
    alone = counts[places] < 2  # noqa: PLR2004 - nobody else to learn from
    others = np.where(alone, amounts.mean(), (sums[places] - amounts) / np.maximum(counts[places] - 1, 1))
    variance = float(np.mean((amounts - amounts.mean()) ** 2))
    return 0.0 if variance == 0 else max(0.0, 1 - float(np.mean((amounts - others) ** 2)) / variance)


def is_mean_of(numbers: NDArray[np.float64], amounts: NDArray[np.float64]) -> bool:
    """Return whether each number is the mean of ``amounts`` over the rows that have it, as rounded as it is."""
    known = np.isfinite(numbers) & np.isfinite(amounts)
    if known.sum() < ROWS_MIN or amounts[known].std() == 0:
        return False
    values, places, counts = np.unique(numbers[known], return_inverse=True, return_counts=True)
    if len(values) < 3 or counts.mean() < 5 or values.std() == 0:  # noqa: PLR2004 - two means may agree by chance
        return False
    means = np.bincount(places, weights=amounts[known]) / counts
    return bool((np.abs(means - values) <= EXACT * float(amounts[known].std())).all())


def ranges(codes: NDArray[np.int64], amounts: NDArray[np.float64]) -> list[tuple[float, float]] | None:
    """Return the groups' (lowest, highest) amounts when they lie side by side without overlap, else ``None``."""
    if len(codes) < ROWS_MIN:
        return None
    places = np.unique(codes, return_inverse=True)[1]
    width = int(places.max()) + 1
    low, high = np.full(width, np.inf), np.full(width, -np.inf)
    np.minimum.at(low, places, amounts)
    np.maximum.at(high, places, amounts)
    counts = np.bincount(places)
    order = np.argsort(low)
    apart = bool((high[order][:-1] <= low[order][1:]).all())
    wide = bool((high > low).sum() >= 2)  # noqa: PLR2004 - otherwise every value is its own bin
    if width < 2 or not apart or not wide or counts.min() < 2 or np.sort(counts)[-2] < 0.05 * len(codes):  # noqa: PLR2004
        return None
    return [(float(low[place]), float(high[place])) for place in order]


def ranks(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ranks, equal numbers sharing their mean rank."""
    places, counts = np.unique(numbers, return_inverse=True, return_counts=True)[1:]
    ends = np.cumsum(counts)
    means = ends - (counts - 1) / 2
    ranks: NDArray[np.float64] = means[places]
    return ranks


def texts_of(frame: pd.DataFrame, column: Column) -> tuple[str, ...]:
    """Return the different texts of a column without blanks around, those that mean missing left out."""
    return tuple(counts_of(frame, column))


def counts_of(frame: pd.DataFrame, column: Column) -> dict[str, int]:
    """Return how many rows hold each text of a column, blanks around and missing values left out."""
    from toolkit import cells  # noqa: PLC0415 - numpy-heavy, and only needed where data is looked at

    if column.name not in frame.columns:
        return {}
    counted = cells.count(_series(frame, column))
    missing = {*column.missing, ""} | {text.strip() for text in column.missing}
    found: dict[str, int] = {}
    for text, count in zip(counted.texts.to_pylist(), counted.counts.tolist(), strict=True):
        if text not in missing and text.strip() not in missing:
            found[text.strip()] = found.get(text.strip(), 0) + int(count)
    return found


def same_cells(frame: pd.DataFrame, one: Column, other: Column) -> bool:
    """Return whether two columns hold the same text in every row."""
    return bool(_series(frame, one).fillna("").equals(_series(frame, other).fillna("")))


def ordered_alike(frame: pd.DataFrame, one: Column, other: Column) -> bool:
    """Return whether two columns of numbers order the rows alike, or in reverse, but for a few rounded cells."""
    first, second = values_of(frame, one).numbers, values_of(frame, other).numbers
    if first is None or second is None:
        return False
    known = np.isfinite(first) & np.isfinite(second)
    if known.sum() < 0.9 * len(first) or known.sum() < 3:  # noqa: PLR2004 - too little to order
        return False
    return bool(abs(np.corrcoef(ranks(first[known]), ranks(second[known]))[0, 1]) > ALIKE)


def rows_in_both(one: pd.DataFrame, other: pd.DataFrame, names: list[str]) -> int:
    """Return how many rows of ``other`` stand in ``one`` too, judged by the columns ``names``."""
    import pandas as pd  # noqa: PLC0415 - 300 ms, loaded by then

    known, asked = (
        pd.util.hash_pandas_object(frame[names].fillna("").astype(object), index=False).to_numpy()
        for frame in (one, other)
    )
    return int(np.isin(asked, known).sum())


def _series(frame: pd.DataFrame, column: Column) -> pd.Series[Any]:
    """Return the column's cells by its place, so that names need not be texts."""
    if column.position < frame.shape[1] and str(frame.columns[column.position]) == column.name:
        return frame.iloc[:, column.position]
    return frame[column.name]
