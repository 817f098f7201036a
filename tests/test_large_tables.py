"""Long columns are judged as short ones are, in less time and memory."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pandas as pd
import pytest
from frames import profile_of

from toolkit import cells, kinds


@pytest.mark.parametrize("odd", [(), ("",) * 50, ("-9999",) * 30, ("7",), ("1e3", " 2.5", "word")])
def test_a_long_column_of_fractions_is_judged_as_any_other(odd: tuple[str, ...]) -> None:
    rows = cells.HEAVY_ROWS + 1
    texts = pd.Series([f"{number * 0.37 % 1000:.4f}" for number in range(rows)] + list(odd), dtype="str")
    slow = kinds.judge("a", cells.count(texts), None)
    found = cells.fractions(texts)
    assert (found is None) == ("word" in odd)
    fast = kinds.judge_fractions("a", found, None) if found is not None else None
    assert (fast is None) == bool({"word", "-9999"} & set(odd))
    if fast is not None:
        assert fast.mean == pytest.approx(slow.mean)
        assert fast.standard_deviation == pytest.approx(slow.standard_deviation)
        about = {"mean": fast.mean, "standard_deviation": fast.standard_deviation}  # sums in another order
        assert dataclasses.asdict(fast) == {**dataclasses.asdict(slow), **about}


def test_long_whole_numbers_are_no_fractions() -> None:
    assert cells.fractions(pd.Series([f"{number}.0" for number in range(cells.HEAVY_ROWS)], dtype="str")) is None


@pytest.mark.parametrize("last", [(), ("text 0 of its own", "text 3 of its own", "text 0 of its own"), ("", " blank ")])
def test_long_texts_that_differ_nearly_all_are_counted_as_any_other(last: tuple[str, ...]) -> None:
    texts = [*(f"text {number} of its own" for number in range(cells.HEAVY_ROWS + 1)), *last]
    counted = cells.count(pd.Series(texts, dtype="str"))
    assert counted.texts.to_pylist() == list(dict.fromkeys(texts))
    assert dict(zip(counted.texts.to_pylist(), counted.counts.tolist(), strict=True)) == Counter(texts)
    assert counted.codes is not None
    assert counted.texts.take(counted.codes).to_pylist() == texts


def test_rows_that_repeat_are_seen_among_long_fractions() -> None:
    rows = cells.HEAVY_ROWS + 1
    numbers = [f"{number * 0.37:.4f}" for number in range(rows)]
    assert profile_of({"a": [*numbers, *numbers[:3]]}).duplicate_rows == 3
