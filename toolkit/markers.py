"""Which texts of a column stand for a missing value, judged by what the other texts are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.cells import is_in, matches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from toolkit.cells import Cells

# Nobody means a value by these, in whatever company.
# fmt: off
ALWAYS = frozenset((
    "", "nan", "<na>", "null", "n/a", "#n/a", "#n/a n/a", "#na", "-nan", "1.#ind", "-1.#ind", "1.#qnan", "nat",
    "\\n", "(null)", "#value!", "#ref!", "#div/0!", "#name?", "#null!", "#num!", "<null>", "na", "?", "??", "???",
))
# fmt: on
# These mean a missing value among numbers or dates; among words they may be a category of their own.
# fmt: off
AMONG_NUMBERS = frozenset((
    "none", "nil", "-", "--", "---", ".", "..", "unknown", "unk", "missing", "not available", "not applicable",
    "undefined", "inf", "-inf", "+inf", "infinity", "-infinity", "n.a.", "n.a", "not known", "unspecified",
    "not specified", "no data", "not reported", "not recorded", "*", "x", "tbd", "void", "error", "blank", "empty",
    "varies", "no value", "n\\a", "#", "\u2013", "\u2014", "\u2026", "...", "_", "__",
))
# fmt: on
# Dashes are no words, so they are missing among words too, unless the column is made of signs such as + and -.
DASHES = frozenset(("-", "--", "---", "\u2013", "\u2014", "...", "\u2026", "n.a.", "n\\a"))
# Numbers that stand for a missing value among words.
NO_WORDS = frozenset(("-1", "-9", "-99", "-999", "-9999"))
PLACEHOLDER = r"^(?:__.*__|\*\*.*\*\*|##.*##|<<.*>>|\?\?.*\?\?)$"  # between marks, among plain numbers
AMBIGUOUS = frozenset(("na", "none"))  # an abbreviation of "not available", or a real "none of these"


def always(cells: Cells) -> NDArray[np.bool_]:
    """Return which texts are missing values in any column."""
    return is_in(cells.stripped, ALWAYS)


def among_numbers(cells: Cells) -> NDArray[np.bool_]:
    """Return which texts are missing values in a column of numbers or dates."""
    found = always(cells) | is_in(cells.stripped, AMONG_NUMBERS)
    again = cells.counts > 1  # what stands for nothing comes more than once
    if again.any():
        found[again] |= matches(cells.where(again).stripped, PLACEHOLDER)
    return found


def among_words(cells: Cells) -> NDArray[np.bool_]:
    """Return which texts are missing values in a column of words."""
    found = always(cells)
    dashes = is_in(cells.stripped, DASHES) & ~found
    if dashes.any():
        others = cells.where(~(found | dashes)).stripped.to_pylist()[:1000]
        if any(any(character.isalnum() for character in text) for text in others):
            found |= dashes
    numbers = is_in(cells.stripped, NO_WORDS) & ~found
    if numbers.any() and not numbers.all():
        others = cells.where(~(found | numbers)).stripped.to_pylist()[:1000]
        if others and all(any(character.isalpha() for character in text) for text in others):
            found |= numbers
    return found
