"""Which columns know the answer: each charge with a table where it is made and one where it must not be."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest
from conftest import DATASETS
from frames import contents_of, download_of

from toolkit import contents, leaks, profile, task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROWS = 400
draw = random.Random(5)  # noqa: S311 - made-up rows, no secrets
CLASSES = [draw.choice("ab") for _ in range(ROWS)]
AMOUNTS = [draw.uniform(10, 1000) for _ in range(ROWS)]
NOISE = [f"{draw.gauss(0, 1):.4f}" for _ in range(ROWS)]


def charges(columns: Mapping[str, Sequence[str | None]], target: str) -> dict[str, str]:
    """Return each charged column with what was done."""
    read = contents_of(columns)
    seen = profile.describe(read)
    asked = task.infer(seen, read, target=target)
    assert all(leak.why and 0 <= leak.strength <= 1 for leak in asked.leaks)
    told = [finding for finding in asked.findings if finding.code.startswith(("leak", "near-perfect"))]
    assert all(finding.overrule.startswith(("--keep ", "--drop ")) for finding in told)
    assert [finding.columns[0] for finding in told] == [leak.column for leak in asked.leaks]
    return {leak.column: leak.action for leak in asked.leaks}


def test_the_target_in_other_words_is_dropped_and_a_noisy_relative_is_not() -> None:
    other = {"a": "alpha", "b": "beta"}
    copy = [other[label] for label in CLASSES]
    noisy = [other[label] if draw.random() < 0.95 else "beta" for label in CLASSES]
    assert charges({"noise": NOISE, "kind": copy, "y": CLASSES}, "y") == {"kind": "drop"}
    assert charges({"noise": NOISE, "kind": noisy, "y": CLASSES}, "y") == {}


def test_a_perfect_measurement_is_asked_about_and_kept() -> None:
    """Petals tell flowers apart: strength alone is no crime."""
    petal = [f"{(1 if label == 'a' else 4) + draw.random():.3f}" for label in CLASSES]
    weaker = [f"{(1 if label == 'a' else 1.8) + draw.random():.3f}" for label in CLASSES]
    assert charges({"noise": NOISE, "petal": petal, "y": CLASSES}, "y") == {"petal": "ask"}
    assert charges({"noise": NOISE, "petal": weaker, "y": CLASSES}, "y") == {}


def test_a_status_with_one_answer_each_is_dropped_with_what_is_named_after_it() -> None:
    status = ["done" if label == "a" else draw.choice(["stopped", "never came"]) for label in CLASSES]
    dates = [f"2020-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}" for _ in range(ROWS)]
    columns = {"noise": NOISE, "order_status": status, "order_status_date": dates, "order_size": NOISE, "y": CLASSES}
    assert charges(columns, "y") == {"order_status": "drop", "order_status_date": "drop"}
    smell = {"noise": NOISE, "smell": status, "smell_date": dates, "y": CLASSES}
    assert charges(smell, "y") == {"smell": "ask"}


def test_a_column_filled_in_only_afterwards_is_dropped_and_plain_gaps_are_not() -> None:
    reason = [draw.choice(["price", "moved"]) if label == "b" and draw.random() < 0.6 else "" for label in CLASSES]
    gaps = [draw.choice(["price", "moved"]) if draw.random() < 0.4 else "" for _ in CLASSES]
    assert charges({"noise": NOISE, "reason": reason, "y": CLASSES}, "y") == {"reason": "drop"}
    assert charges({"noise": NOISE, "reason": gaps, "y": CLASSES}, "y") == {}


def test_somebodys_prediction_is_dropped_and_a_measured_number_is_not() -> None:
    said = [f"{(0.2 if label == 'a' else 0.8) + draw.gauss(0, 0.2):.4f}" for label in CLASSES]
    assert charges({"noise": NOISE, "model_probability": said, "y": CLASSES}, "y") == {"model_probability": "drop"}
    assert charges({"noise": NOISE, "temperature": said, "y": CLASSES}, "y") == {}


@pytest.mark.parametrize("transform", [lambda v: 3 * v + 2, math.log, lambda v: -math.sqrt(v)])
def test_a_transform_of_an_amount_is_dropped_and_a_noisy_one_is_not(
    transform: Callable[[float], float],
) -> None:
    amounts = [f"{value:.4f}" for value in AMOUNTS]
    exact = [f"{transform(value):.9f}" for value in AMOUNTS]
    noisy = [f"{transform(value * draw.uniform(0.8, 1.2)):.9f}" for value in AMOUNTS]
    assert charges({"noise": NOISE, "t": exact, "price": amounts}, "price") == {"t": "drop"}
    assert charges({"noise": NOISE, "t": noisy, "price": amounts}, "price") == {}


def test_bins_of_an_amount_are_dropped_and_overlapping_groups_are_not() -> None:
    amounts = [f"{value:.4f}" for value in AMOUNTS]
    bins = ["low" if value < 200 else "middle" if value < 600 else "high" for value in AMOUNTS]
    groups = ["low" if value < 200 else draw.choice(["middle", "high"]) for value in AMOUNTS]
    assert charges({"noise": NOISE, "group": bins, "price": amounts}, "price") == {"group": "drop"}
    assert charges({"noise": NOISE, "group": groups, "price": amounts}, "price") == {}


def test_parts_that_add_up_are_dropped_and_parts_beside_noise_are_not() -> None:
    parts = [(draw.randint(0, 500), draw.randint(0, 900)) for _ in range(ROWS)]
    columns = {"members": [str(a) for a, _ in parts], "guests": [str(b) for _, b in parts], "noise": NOISE}
    total = [str(a + b) for a, b in parts]
    near = [f"{a + b + draw.gauss(0, 60):.2f}" for a, b in parts]
    assert charges({**columns, "count": total}, "count") == {"members": "drop", "guests": "drop"}
    assert charges({**columns, "count": near}, "count") == {}


def test_factors_and_weighted_sums_are_asked_about() -> None:
    pairs = [(draw.uniform(1, 50), draw.randint(1, 9)) for _ in range(ROWS)]
    columns = {"unit": [f"{a:.2f}" for a, _ in pairs], "pieces": [str(b) for _, b in pairs], "noise": NOISE}
    product = [f"{float(f'{a:.2f}') * b:.2f}" for a, b in pairs]
    weighted = [f"{0.3 * float(f'{a:.2f}') + 0.7 * b:.4f}" for a, b in pairs]
    assert charges({**columns, "total": product}, "total") == {"unit": "ask", "pieces": "ask"}
    assert charges({**columns, "mark": weighted}, "mark") == {"unit": "ask", "pieces": "ask"}


def test_a_category_encoded_by_the_mean_target_is_dropped_and_a_steady_rate_is_not() -> None:
    town = [f"town {number % 9}" for number in range(ROWS)]
    yes = ["1" if draw.random() < 0.3 + number % 9 / 20 else "0" for number in range(ROWS)]
    amounts = [f"{value:.2f}" for value in AMOUNTS]

    def means(cells: list[str]) -> list[str]:
        held = {name: [float(cell) for place, cell in zip(town, cells, strict=True) if place == name] for name in town}
        return [f"{sum(held[name]) / len(held[name]):.5f}" for name in town]

    coded = means(yes)
    assert charges({"town": town, "town_mean": coded, "churn": yes, "noise": NOISE}, "churn") == {"town_mean": "drop"}
    named = ["gone" if cell == "1" else "stayed" for cell in yes]
    assert charges({"town": town, "town_mean": coded, "state": named}, "state") == {"town_mean": "drop"}
    priced = {"town": town, "level": means(amounts), "noise": NOISE, "price": amounts}
    assert charges(priced, "price") == {"level": "drop"}
    rate = [f"{0.3 + int(name[-1]) / 20:.5f}" for name in town]
    assert charges({"town": town, "rate": rate, "churn": yes, "noise": NOISE}, "churn") == {}


def test_a_double_column_is_told_once() -> None:
    read = contents_of({"noise": NOISE, "again": NOISE, "other": NOISE[::-1], "y": CLASSES})
    found = task.infer(profile.describe(read), read, target="y")
    assert [finding.columns for finding in found.findings] == [("noise", "again")]


def test_rows_sorted_by_the_answer_are_told() -> None:
    def codes(labels: list[str]) -> list[str]:
        read = contents_of({"noise": NOISE, "y": labels})
        return [finding.code for finding in task.infer(profile.describe(read), read, target="y").findings]

    assert codes(sorted(CLASSES)) == ["sorted-by-target"]
    assert codes(CLASSES) == []


def test_few_rows_charge_nobody() -> None:
    assert charges({"noise": NOISE[:20], "kind": CLASSES[:20], "y": CLASSES[:20]}, "y") == {}


def test_identifiers_and_the_target_itself_are_not_judged() -> None:
    ids = [str(place) for place in range(1, ROWS + 1)]
    read = contents_of({"id": ids, "noise": NOISE, "y": sorted(CLASSES)})
    seen = profile.describe(read)
    assert leaks.find(seen, read, seen.column("y"), classes=True)[0] == ()


HONEST = {
    "uciml__mushroom-classification": ("class", set()),
    "uciml__iris": ("Species", set()),
    "uciml__breast-cancer-wisconsin-data": ("diagnosis", set()),
    "camnugent__california-housing-prices": ("median_house_value", set()),
    "mirichoi0218__insurance": ("charges", set()),
    "jessemostipak__hotel-booking-demand": ("is_canceled", {"reservation_status", "reservation_status_date"}),
}


@pytest.mark.skipif(not DATASETS.exists(), reason="needs the real tables in ../shared/datasets")
@pytest.mark.parametrize("name", HONEST)
def test_on_real_tables_only_what_knows_the_answer_is_dropped(name: str) -> None:
    target, expected = HONEST[name]
    read = contents.read(download_of(DATASETS / name))
    found = task.infer(profile.describe(read), read, target=target)
    assert {leak.column for leak in found.leaks if leak.action == "drop"} == expected
