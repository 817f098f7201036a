"""The body of a request in one pass: decoded to the contract's types, noted, and turned into features.

The same answers as ``Schema.from_rows``, ``Encoder.encode`` and ``Model.notes`` give, at a quarter of their time. What
is not plainly right is left to them: they know every rule and name every problem.
"""

from __future__ import annotations

import math
from array import array
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from .features import DATE_PARTS, Lookup, Numbers, OneHot
from .notes import MISSING_MESSAGE, Note, number_note, unseen_note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .features import Encoder, Step
    from .schema import Column, Schema
    from .texts import Words

    Rows = Sequence[tuple[Any, ...]]  # a value a column, in the contract's order; UNSET where the row has none
    Noted = list[tuple[int, dict[str, Any]]]  # the column's place in the contract, and what to say of it
    Read = tuple[NDArray[np.float64], list[list[dict[str, Any]]]]  # features, and each row's notes
    Put = Callable[[Any, array[float], Noted], None]  # writes a value's features; ValueError: it is not plainly right

FEW_ROWS_MAX = 16  # up to here a pass a row is quicker than an array a column
KEPT_MAX = 10_000  # dates remembered a column, with what was made of them
SPACED = (b" :", b"\t:", b"\n:", b"\r:")  # a colon that may stand apart from its name, which is then not counted
LONG_BYTES = 10_000  # a body from here on is quicker counted by numpy
ODD = -2  # the code of a category that is not written as training met it


class _Number(NamedTuple):
    """A number: where it stands and goes, what training saw and learned of it, what a gap becomes."""

    at: int
    place: int
    low: float
    high: float
    whole: bool
    center: float
    scale: float
    gap: float
    flag: int
    flagged: float
    column: Column


class RowReader:
    """Request bodies of one contract, read into the encoder's features."""

    def __init__(self, schema: Schema, encoder: Encoder) -> None:
        self._columns = schema.columns
        self._index = {column.name: index for index, column in enumerate(schema.columns)}
        self._encoder = encoder
        ignored = len(set(schema.ignored) - set(schema.by_name))
        self._optional = [index for index, column in enumerate(schema.columns) if column.nullable]
        self._optional += range(len(schema.columns), len(schema.columns) + ignored)
        self._blank = array("d", [0.0]) * encoder.width  # numpy takes its memory as it is: a list took a third longer
        self._numbers: list[_Number] = []
        self._categories: list[tuple[int, int, Callable[[str, int], int], OneHot, Column]] = []
        self._puts: list[tuple[int, Put]] = []
        start = 0
        for step in () if schema.values else encoder.steps:
            self._learn(step, start)
            start += step.width
        # A contract may name a column that the model does not use, or in letters that the decoder cannot look for.
        used = {name for step in encoder.steps for name in _names(step)}
        able = used == set(self._index) and not any(map(_is_odd, [*self._index, *schema.ignored])) and not schema.values
        self._decoder = _decoder(schema) if able else None

    def read(self, body: bytes) -> Read | None:
        """Return the features of the rows in ``body`` and each row's notes, or None when it needs the thorough way."""
        if self._decoder is None:
            return None
        try:
            rows = [astuple(row) for row in self._decoder.decode(body).rows]
            few = len(rows) <= FEW_ROWS_MAX
            if not rows or not _holds_names(body, 1 + self._given(rows)):
                return None
            return self._few(rows) if few else self._many(rows)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None

    def _given(self, rows: Rows) -> int:
        """Return how many values the rows hold; only what may be absent has to be looked at."""
        absent = sum([row[index] is UNSET for index in self._optional for row in rows])
        return len(rows) * len(rows[0]) - absent

    def _few(self, rows: Rows) -> Read:
        matrix, notes = array("d"), []
        for row in rows:
            features = self._blank[:]
            noted: Noted = []
            for number in self._numbers:
                at, place, low, high, whole, center, scale, _, _, _, _ = number
                value = row[at]
                if value is None or value is UNSET:
                    _put_gap(number, features, noted)
                    continue
                features[place] = (value - center) / scale
                if not low <= value <= high or (whole and value % 1.0):
                    _note_number(at, number.column, value, noted)
            for index, start, code_of, step, column in self._categories:
                code = code_of(row[index], ODD)
                if code < 0:
                    code = _code(index, column, step, row[index], noted)
                if code >= 0:
                    features[start + code] = 1.0
            for index, put in self._puts:
                put(row[index], features, noted)
            matrix += features
            notes.append(_in_order(noted))
        return np.frombuffer(matrix).reshape(len(rows), -1), notes

    def _many(self, rows: Rows) -> Read:
        values = list(zip(*rows, strict=True))
        noted: list[Noted] = [[] for _ in rows]
        matrix = np.empty((len(rows), self._encoder.width))
        start = 0
        for step in self._encoder.steps:
            out = matrix[:, start : start + step.width]
            if isinstance(step, OneHot | Lookup):
                step.put(self._codes(step, values[self._index[step.column]], noted), out)
            else:
                step.encode({name: self._array(name, values[self._index[name]], noted) for name in _names(step)}, out)
            start += step.width
        return matrix, [_in_order(notes) for notes in noted]

    def _codes(self, step: OneHot | Lookup, values: Sequence[Any], noted: list[Noted]) -> NDArray[np.intp]:
        index = self._index[step.column]
        try:
            return np.array(itemgetter(*values)(step.codes), dtype=np.intp)
        except KeyError:  # one of them is not written as training met it
            column, get = self._columns[index], step.codes.get
            codes = [
                _code(index, column, step, value, notes) if (code := get(value)) is None else code
                for value, notes in zip(values, noted, strict=True)
            ]
            return np.array(codes, dtype=np.intp)

    def _array(self, name: str, values: Sequence[Any], noted: list[Noted]) -> NDArray[Any]:
        """Return the canonical values of a number, a date or a text; ``ValueError`` when one is not plainly right."""
        index = self._index[name]
        column = self._columns[index]
        if column.is_text:
            texts = [_text(index, column, value, notes) for value, notes in zip(values, noted, strict=True)]
            return np.array(texts, dtype=object)
        if column.kind == "date":
            values = [column.from_json(None if value is UNSET else value) for value in values]
        elif UNSET in values:
            values = [None if value is UNSET else value for value in values]
        array = np.array(values, dtype=np.float64)  # None becomes NaN
        low, high = _bounds(column)
        plain = (array >= low) & (array <= high)
        if column.whole:
            plain &= np.mod(array, 1.0) == 0.0
        if not plain.all():
            for row in np.flatnonzero(~plain).tolist():
                _note_number(index, column, float(array[row]), noted[row])
        return array

    def _learn(self, step: Step, start: int) -> None:
        """Note how a single row's values become the features of ``step``, which begin at ``start``."""
        if isinstance(step, OneHot):
            index = self._index[step.column]
            self._categories.append((index, start, step.codes.get, step, self._columns[index]))
        elif isinstance(step, Numbers) and not step.dates:
            for place, name in enumerate(step.columns):
                self._learn_number(step, start, place, self._columns[self._index[name]])
        else:
            for name in _names(step):
                index = self._index[name]
                put = self._vector(step, start, index) if isinstance(step, Lookup) else self._alone(step, start, name)
                self._puts.append((index, put))

    def _learn_number(self, step: Numbers, start: int, place: int, column: Column) -> None:
        def scaled(at: int, value: float) -> float:
            if step.center is None or step.scale is None:
                return value
            return (value - float(step.center[at])) / float(step.scale[at])

        low, high = _bounds(column)
        center, scale = 0.0, 1.0
        if step.center is not None and step.scale is not None:
            center, scale = float(step.center[place]), float(step.scale[place])
        gap = math.nan if step.fill is None else scaled(place, float(step.fill[place]))
        flag, flagged = -1, 0.0
        if place in step.flags:
            at = len(step.columns) + step.flags.tolist().index(place)
            flag, flagged = start + at, scaled(at, 1.0)
            self._blank[flag] = scaled(at, 0.0)
        index = self._index[column.name]
        self._numbers.append(
            _Number(index, start + place, low, high, column.whole, center, scale, gap, flag, flagged, column)
        )

    def _vector(self, step: Lookup, start: int, index: int) -> Put:
        vectors = [array("d", vector) for vector in step.table.tolist()]
        end, column = start + step.width, self._columns[index]

        def put(value: object, features: array[float], noted: Noted) -> None:
            features[start:end] = vectors[_code(index, column, step, value, noted)]

        return put

    def _alone(self, step: Step, start: int, name: str) -> Put:
        """Return how a date or a text is put: encoded by the step itself, with gaps in its other columns."""
        gaps = {other: np.array([math.nan]) for other in _names(step)}
        places = _places(step, name)
        kept: dict[object, tuple[list[float], Noted]] = {}

        def put(value: object, features: array[float], noted: Noted) -> None:
            found = kept.get(value)
            if found is None:
                said: Noted = []
                out = np.empty((1, step.width))
                step.encode({**gaps, name: self._array(name, [value], [said])}, out)
                found = out[0, places].tolist(), said
                if len(kept) < KEPT_MAX and isinstance(step, Numbers):  # dates come again, texts do not
                    kept[value] = found
            for place, feature in zip(places, found[0], strict=True):
                features[start + place] = feature
            noted.extend(found[1])

        return put


def _is_odd(name: str) -> bool:
    """Return whether a name needs escaping in JSON, which msgspec's decoder does not take."""
    return any(letter in '"\\' or letter < " " for letter in name)


def _decoder(schema: Schema) -> msgspec.json.Decoder[Any]:
    """Return a decoder of bodies whose rows have the contract's types; names it does not know are refused."""
    kinds: dict[str, Any] = {"number": float, "boolean": bool, "category": str, "text": str}
    fields: list[tuple[str, Any, Any] | tuple[str, Any]] = []
    names = {}
    for column in schema.columns:
        field = f"column_{len(fields)}"
        names[field] = column.name
        kind = float if column.date_format == "epoch_seconds" else kinds.get(column.kind, str)
        fields.append((field, kind | UnsetType | None, UNSET) if column.nullable else (field, kind))
    for name in schema.ignored:
        if name not in schema.by_name:
            field = f"column_{len(fields)}"
            names[field] = name
            fields.append((field, Any, UNSET))
    row = msgspec.defstruct("Row", fields, rename=names, kw_only=True, forbid_unknown_fields=True, gc=False)
    body = msgspec.defstruct("Body", [("rows", list[row])], forbid_unknown_fields=True)  # type: ignore[valid-type]  # made a line above
    return msgspec.json.Decoder(body)


def _holds_names(body: bytes, expected: int) -> bool:
    """Return whether as many names stand in a body as values came out: of two equal ones the decoder keeps the last.

    Each name has a colon behind it, so colons that are no more than the values are proof, and quickly counted. More
    may stand in texts: then names are counted, each ending in ``":``, as may a text inside with a backslash before.
    """
    if _colons(body) == expected:
        return True
    if any(sign in body for sign in SPACED):
        return False
    return body.count(b'":') - (body.count(b'\\":') if b"\\" in body else 0) == expected


def _colons(body: bytes) -> int:
    if len(body) < LONG_BYTES:
        return body.count(b":")
    return int(np.count_nonzero(np.frombuffer(body, dtype=np.uint8) == ord(":")))  # a tenth of the time


def _names(step: Step) -> list[str]:
    return step.columns if isinstance(step, Numbers) else [cast("Lookup | OneHot | Words", step).column]


def _places(step: Step, name: str) -> list[int]:
    """Return which features of ``step`` come from the column ``name``."""
    if not isinstance(step, Numbers):
        return list(range(step.width))
    parts = len(DATE_PARTS)
    first, plain = step.columns.index(name) * parts, len(step.columns) * parts
    flags = [plain + at for at, place in enumerate(step.flags.tolist()) if first <= place < first + parts]
    return [*range(first, first + parts), *flags]


def _bounds(column: Column) -> tuple[float, float]:
    """Return between which numbers there is nothing to note; nowhere when one between them stands for a gap."""
    low, high = column.seen_minimum, column.seen_maximum
    if low is None or high is None:
        low, high = -math.inf, math.inf
    return (math.inf, -math.inf) if any(low <= number <= high for number in column.gap_numbers) else (low, high)


def _code(index: int, column: Column, step: OneHot | Lookup, value: object, noted: Noted) -> int:
    """Return a category's code, or that for strangers when training never met it."""
    text = _text(index, column, value, noted)
    code = step.codes.get(text)
    if code is None:
        code = step.unseen_code
        if text:
            noted.append((index, unseen_note(column, text).to_json()))
    return code


def _text(index: int, column: Column, value: Any, noted: Noted) -> str:  # noqa: ANN401 - as decoded
    """Return the canonical text of a value, "" for a gap; ``ValueError`` for a gap where there may be none."""
    text = "" if value is None or value is UNSET else value.strip()
    if text and text not in column.missing and value not in column.missing:
        return str(value if column.verbatim else text)
    if not column.nullable:
        raise ValueError(column.name)
    noted.append((index, Note("missing", column.name, MISSING_MESSAGE).to_json()))
    return ""


def _put_gap(number: _Number, features: array[float], noted: Noted) -> None:
    features[number.place] = number.gap
    if number.flag >= 0:
        features[number.flag] = number.flagged
    noted.append((number.at, Note("missing", number.column.name, MISSING_MESSAGE).to_json()))


def _note_number(index: int, column: Column, value: float, noted: Noted) -> None:
    """Add the note on a number, if it deserves one; ``ValueError`` for one that stands for a gap."""
    if value in column.gap_numbers:
        raise ValueError(column.name)
    note = number_note(column, value)
    if note:
        noted.append((index, note.to_json()))


def _in_order(noted: Noted) -> list[dict[str, Any]]:
    if len(noted) > 1:
        noted.sort(key=itemgetter(0))
    return [note for _, note in noted]
