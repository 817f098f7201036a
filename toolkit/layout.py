"""How the rows of a table belong together: by person, by time, as ratings, purchases or a series."""

from __future__ import annotations

import difflib
import math
import re
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np

from toolkit.errors import DataError, UsageError
from toolkit.findings import Finding
from toolkit.names import argument, core_of, quoted, words_in, words_of
from toolkit.overrules import column_called
from toolkit.relations import values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.contents import Contents
    from toolkit.profile import Column, Profile

Split = Literal["random", "stratified", "group", "time"]

ASKED_GROUPS_MIN = 3  # one to hold out and two to compare models on
GROUPS_MIN = 5
CODES_MIN = 50
ROWS_A_GROUP_MIN = 1.5
GAPS_MAX = 0.05  # rows without an owner
SERIES_ROWS_MIN = 24
LINKED_COLUMNS_MAX = 6  # a wide table is about more than who is linked to whom
# A year, a quarter, a month or a day as the name of a column: `1990`, `YR1990`, `1990 [YR1990]`, `1/22/20`, `2020-01`.
WHEN = re.compile(
    r"(?:yr|year|y|x|f)?[ _]?(?:1[89]|20)\d\d(?: ?\[yr\d{4}\])?|"
    r"(?:1[89]|20)\d\d[-_ /]?(?:q[1-4]|[01]?\d(?:[-/][0-3]?\d)?)|"
    r"[0-3]?\d[-/.][0-3]?\d[-/.](?:\d\d)?\d\d|[a-z]{3}[-_ ]\d\d(?:\d\d)?",
    re.IGNORECASE,
)
OWNERS_MAX = 2  # a shop and an article, of which each has a series
DATES_MIN = 6
GRID_FILLED_MIN = 0.4  # of the places of a grid of owners and dates; series begin and end at different times
ROWS_NAMED = 20_000  # cells compared with names of files
ROWS_MAX = 200_000  # rows looked at for a panel's shape

PEOPLE = words_in(
    "animal child client customer donor driver employee family household individual member participant patient "
    "person player reader respondent speaker student subject user visitor volunteer"
)
OWNERS = words_in("account animal card company device engine host machine sensor session store team unit vehicle")
THINGS = words_in(
    "anime article artist book business game isbn item joke movie product recipe restaurant show song track video"
)
RATED = words_in("playcount plays rate rated rating ratings score star stars")
PURCHASES = words_in("basket bill cart customer invoice member order purchase receipt trans transaction")
GOODS = words_in("article description goods item itemname items product products sku stock")
DEEDS = words_in("action activity behavior behaviour event events interaction")
DEEDS_MAX = 12
TIMES = words_in("date datetime day hour minute month months period quarter time timestamp week year")
PICTURE = re.compile(r"(?!https?:)[^\s]+\.(jpe?g|png|gif|bmp|tiff?|webp|dcm)", re.IGNORECASE)
SOUND = re.compile(r"(?!https?:)[^\s]+\.(wav|mp3|ogg|flac|m4a)", re.IGNORECASE)
PICTURED_COLUMNS_MAX = 8  # a table that says more than this of each picture can be learned from by itself
PICTURES_MIN = 10
NAMELESS = re.compile(r"column_\d+")
UNNAMED = re.compile(r"Unnamed: \d+|index|level_\d+", re.IGNORECASE)


def group_column(profile: Profile, target: Column) -> Column | None:
    """Return the column that names whose rows belong together, ``None`` when each row stands for itself."""
    identifiers = {identifier.name for identifier in profile.identifiers}
    found = []
    for column in profile.columns:
        words = set(words_of(column.name))
        named = column.name in identifiers and bool(words & (PEOPLE | OWNERS))
        if (
            column.name == target.name
            or column.distinct < GROUPS_MIN
            or not (named or len(words & PEOPLE) == len(words) == 1)
        ):
            continue
        if words & {"name", "surname", "lastname", "firstname", "forename"} or column.kind == "date":
            continue
        if column.missing_share > GAPS_MAX:
            continue
        if profile.rows / column.distinct >= ROWS_A_GROUP_MIN:
            found.append((not words & PEOPLE, column.distinct, column.name, column))
    return min(found)[3] if found else None


def time_column(profile: Profile, contents: Contents, target: Column, dropped: set[str]) -> tuple[Column, str] | None:
    """Return the date that orders the rows and why, when the table is a series or a panel of them."""
    for column in profile.columns:
        if column.kind != "date" or column.name == target.name or column.name in dropped or column.missing_share > 0:
            continue
        if is_series(profile, contents, column):
            return (
                column,
                f"{quoted(column.name)} counts evenly through time: the last rows are held out, as the future would be",
            )
        entity = _entity(profile, contents, column, target)
        if entity:
            who = " and ".join(quoted(name) for name in entity)
            again = "comes again" if len(entity) == 1 else "come again"
            return (
                column,
                f"{who} {again} at each {quoted(column.name)}: the last dates are held out, as the future would be",
            )
    return None


def is_series(profile: Profile, contents: Contents, column: Column) -> bool:
    """Return whether a date column has (nearly) one row a date, at even steps."""
    if profile.rows < SERIES_ROWS_MIN or column.distinct < 0.98 * profile.rows:
        return False
    moments = values_of(contents.main.frame, column).numbers
    if moments is None:
        return False
    steps = np.diff(np.sort(moments[np.isfinite(moments)])) / 3600
    steps = steps[steps > 0]
    if not len(steps):
        return False
    middle = float(np.median(steps))
    return bool(np.mean(np.abs(steps - middle) <= 0.15 * middle) > 0.75)  # noqa: PLR2004 - months, weekends, gaps


def _entity(profile: Profile, contents: Contents, date: Column, target: Column) -> tuple[str, ...]:
    """Return the one or two columns that, with the date, name each row once; empty when there are none."""
    if date.distinct < 12 or date.distinct > 0.67 * profile.rows or profile.rows > ROWS_MAX:  # noqa: PLR2004 - a panel has dates that come again
        return ()
    frame = contents.main.frame
    when = values_of(frame, date).codes
    named = [
        column
        for column in profile.columns
        if column.name not in {date.name, target.name}
        and column.missing_share == 0
        and (column.kind in {"category", "boolean"} or (column.kind == "number" and column.whole))
        and 2 <= column.distinct <= 0.2 * profile.rows  # noqa: PLR2004 - an entity comes again
        and not UNNAMED.fullmatch(column.name.strip())
    ]
    codes = {column.name: values_of(frame, column).codes for column in named[:12]}
    sizes = {column.name: column.distinct for column in named}
    choices: list[tuple[str, ...]] = [(name,) for name in codes]
    choices += [(one, other) for one in codes for other in codes if one < other]
    for choice in sorted(choices, key=lambda names: (len(names), names)):
        cells = date.distinct * int(np.prod([sizes[name] for name in choice]))
        if profile.rows < GRID_FILLED_MIN * cells or profile.rows > cells:
            continue
        key = when.astype(np.int64)
        for name in choice:
            key = key * (sizes[name] + 2) + codes[name] + 1
        if len(np.unique(key)) >= 0.99 * profile.rows:
            return choice
    return ()


def looks_like(profile: Profile, guess: Column, *, strong: bool) -> list[Finding]:
    """Return what speaks against a table being a question with one answer a row: ratings, purchases, a series."""
    identifiers = {identifier.name for identifier in profile.identifiers}
    constants = set(profile.constants)
    columns = [
        column
        for column in profile.columns
        if column.name not in constants and not UNNAMED.fullmatch(column.name.strip())
    ]
    words = {column.name: set(core_of(column.name)) for column in columns}
    repeated = [column for column in columns if _comes_again(column, profile, identifiers)]
    dates = [column for column in columns if column.kind == "date"]
    for finding in (
        _ratings(columns, words, repeated),
        _purchases(columns, words, repeated, profile, strong=strong),
        _events(columns, words, repeated, profile, strong=strong),
        _links(columns),
        _across(columns, guess),
        _series(columns, words, dates, profile, guess=guess, strong=strong),
    ):
        if finding is not None:
            return [finding]
    return []


def pictured(profile: Profile, contents: Contents, guess: Column) -> list[Finding]:
    """Return what speaks against a table whose rows are labels of images or sounds, which alone could tell them."""
    identifiers = {identifier.name for identifier in profile.identifiers}
    others = [
        column
        for column in profile.columns
        if column.name not in {*identifiers, *profile.constants, guess.name} and column.kind != "empty"
    ]
    if len(others) > PICTURED_COLUMNS_MAX:
        return []
    for kind, word, named in (("image", "images", PICTURE), ("audio", "sounds", SOUND)):
        stems = {_stem(item.path) for item in contents.items if item.kind == kind}
        naming = _naming(profile, contents, stems, named)
        if naming is None or (not stems and len(others) > 2):  # noqa: PLR2004 - a name and a place beside the label
            continue
        counted = f"the {len(stems):,} {word} of this download" if stems else f"files of {word} that are not here"
        return [
            Finding(
                f"looks-like-{word}",
                f"{quoted(naming.name)} names {counted}: {quoted(guess.name)} is told by them, hardly by the table",
                severity="unsure",
                columns=(naming.name, guess.name),
                action=f"learning from {word} is not built yet; a model of the other columns alone learns little",
                overrule=f"--target {argument(guess.name)}",
            )
        ]
    return []


def _stem(path: str) -> str:
    return re.sub(r"^.*[/\\]|\.[A-Za-z0-9]{2,4}$", "", path)


def _naming(profile: Profile, contents: Contents, stems: set[str], pattern: re.Pattern[str]) -> Column | None:
    """Return the column whose cells name files: those of the download by their stems, or files of a sort by ending."""
    for column in profile.columns:
        if column.kind not in {"category", "text", "number"} or column.name not in contents.main.frame.columns:
            continue
        if column.distinct < min(PICTURES_MIN, profile.rows) or column.distinct < 0.2 * profile.rows:
            continue
        series = contents.main.frame[column.name]
        rows = np.flatnonzero(series.notna())[:ROWS_NAMED]
        cells = [str(cell).strip() for cell in series.iloc[rows]]
        if len(stems) >= PICTURES_MIN:
            named = {_stem(cell) for cell in cells}
            if len(named & stems) >= 0.5 * min(len(stems), len(named)):
                return column
        elif column.kind != "number" and cells and all(pattern.fullmatch(cell) for cell in cells[:200]):
            return column
    return None


def _comes_again(column: Column, profile: Profile, identifiers: set[str]) -> bool:
    whole = column.kind != "number" or column.whole
    return whole and column.name in identifiers and column.distinct < 0.9 * profile.rows


def _ratings(columns: list[Column], words: dict[str, set[str]], repeated: list[Column]) -> Finding | None:
    who = [column for column in repeated if words[column.name] & PEOPLE]
    what = [column for column in repeated if words[column.name] & THINGS and column not in who]
    rated = [column for column in columns if words[column.name] & RATED and column.kind in {"number", "category"}]
    if columns and all(NAMELESS.fullmatch(column.name) for column in columns):
        repeated, rated = _nameless_ratings(columns)
    if not (rated and len(columns) <= 6 and ((who and what) or len(repeated) >= 2)):  # noqa: PLR2004 - who, what, how much, when
        return None
    named = [column.name for column in (*(who or repeated[:1]), *(what or repeated[1:2]), *rated[:1])]
    return Finding(
        "looks-like-ratings",
        f"this looks like ratings, not a table to predict from: {', '.join(map(quoted, named))} say who rated what",
        severity="unsure",
        columns=tuple(named),
        action="recommending is not built yet; predicting a rating from its row alone learns little",
        overrule=f"--target {argument(rated[0].name)}",
    )


def _nameless_ratings(columns: list[Column]) -> tuple[list[Column], list[Column]]:
    """Return columns without names that hold codes which come again, and those that hold a few marks out of ten."""
    codes = [
        column
        for column in columns
        if column.distinct > CODES_MIN
        and (column.kind == "category" or (column.kind == "text" and not _is_prose(column)))
    ]
    codes += [column for column in columns if column.kind == "number" and column.whole and column.distinct > CODES_MIN]
    marks = [
        column
        for column in columns
        if column.kind == "number"
        and 3 <= column.distinct <= 11  # noqa: PLR2004 - stars, half stars, points
        and isinstance(column.minimum, int | float)
        and isinstance(column.maximum, int | float)
        and 0 <= column.minimum < column.maximum <= 10  # noqa: PLR2004
    ]
    return (codes, marks) if len(marks) == 1 else ([], [])


def _is_prose(column: Column) -> bool:
    return (column.words_mean or 1) > 1.5  # noqa: PLR2004 - a code is one word


def _purchases(
    columns: list[Column], words: dict[str, set[str]], repeated: list[Column], profile: Profile, *, strong: bool
) -> Finding | None:
    who = [column for column in repeated if words[column.name] & PURCHASES]
    if not who:
        who = [
            column
            for column in columns
            if words[column.name] & PURCHASES
            and (words[column.name] & {"id", "no", "number", "num", "code"} or _numbers_purchases(column, words))
            and 0.001 * profile.rows < column.distinct < 0.7 * profile.rows
        ]
    what = [
        column
        for column in columns
        if words[column.name] & GOODS
        and column not in who
        and (column.kind in {"category", "text"} or column in repeated)
        and 10 < column.distinct < 0.5 * profile.rows  # noqa: PLR2004
    ]
    if not who or not what or strong or len(columns) > 12:  # noqa: PLR2004 - a wide table is about more
        return None
    named = [who[0].name, what[0].name]
    return Finding(
        "looks-like-purchases",
        f"this looks like purchases ({quoted(named[0])} and {quoted(named[1])}), not rows with an answer",
        severity="unsure",
        columns=tuple(named),
        action="finding what is bought together is not built yet; a column can still be predicted if you name it",
        overrule="--target COLUMN",
    )


def _events(
    columns: list[Column], words: dict[str, set[str]], repeated: list[Column], profile: Profile, *, strong: bool
) -> Finding | None:
    """Tell a log of what people did with which thing and when: views, carts and purchases, one a row."""
    who = [
        column
        for column in repeated
        if words[column.name] & (PEOPLE | {"session"}) or any(column.name.lower().startswith(one) for one in PEOPLE)
    ]
    what = [
        column
        for column in columns
        if column not in who
        and column.distinct > DEEDS_MAX
        and (words[column.name] & (GOODS | THINGS) or any(column.name.lower().startswith(one) for one in GOODS))
    ]
    times = [column for column in columns if column.kind == "date" or words[column.name] & TIMES]
    deeds = [column for column in columns if words[column.name] & DEEDS and 2 <= column.distinct <= DEEDS_MAX]  # noqa: PLR2004
    if strong or not (who and what and times and deeds) or profile.rows < SERIES_ROWS_MIN or len(columns) > 12:  # noqa: PLR2004 - a wide table is about more
        return None
    named = [who[0].name, what[0].name, deeds[0].name]
    return Finding(
        "looks-like-events",
        f"this looks like a log of events ({', '.join(map(quoted, named))}), not rows with an answer",
        severity="unsure",
        columns=tuple(named),
        action="learning from what came before is not built yet; a column can still be predicted if you name it",
        overrule="--target COLUMN",
    )


def _numbers_purchases(column: Column, words: dict[str, set[str]]) -> bool:
    """Return whether a column called after nothing but a purchase numbers them: ``Transaction`` 1, 1, 2, 3, 3."""
    return len(words[column.name]) == 1 and column.kind == "number" and column.whole


def _links(columns: list[Column]) -> Finding | None:
    """Tell the links of a network: a source and a target in each row, which are things of one sort."""
    ends = {column.name.strip().casefold(): column for column in columns}
    if not {"source", "target"} <= set(ends) or len(columns) > LINKED_COLUMNS_MAX:
        return None
    if ends["source"].kind != ends["target"].kind or ends["target"].distinct <= DEEDS_MAX:
        return None
    named = [ends["source"].name, ends["target"].name]
    return Finding(
        "looks-like-links",
        f"this looks like the links of a network ({quoted(named[0])} and {quoted(named[1])}), not rows with an answer",
        severity="unsure",
        columns=tuple(named),
        action="learning from networks is not built yet; a column can still be predicted if you name it",
        overrule="--target COLUMN",
    )


def _series(
    columns: list[Column],
    words: dict[str, set[str]],
    dates: list[Column],
    profile: Profile,
    *,
    guess: Column,
    strong: bool,
) -> Finding | None:
    identifiers = {identifier.name for identifier in profile.identifiers}
    times = [column for column in dates if column.distinct >= 0.98 * profile.rows]
    times += [
        column
        for column in columns
        if column not in dates
        and words[column.name] <= TIMES
        and words[column.name]
        and column.distinct == profile.rows
    ]
    others = [column for column in columns if column not in [*dates, *times] and column.name not in identifiers]
    amounts = [column for column in others if column.kind == "number"]
    market = {"open", "high", "low", "close"} <= {word for column in columns for word in words[column.name]}
    alone = (
        bool(times)
        and profile.rows >= SERIES_ROWS_MIN
        and len(amounts) == len(others)
        and guess.kind == "number"
        and (not strong or others == [guess])
    )
    whose = _several_series(columns, words, profile, guess)
    if not (alone or (market and dates) or whose):
        return None
    when = whose[-1] if whose else (times or dates)[0]
    told = (
        f"several series in time (`{when.name}`, one for each {' and '.join(quoted(one.name) for one in whose[:-1])})"
        if whose
        else f"a series in time ({quoted(when.name)}, one row a date)"
        if times
        else f"several series in time ({quoted(when.name)}, several rows a date)"
    )
    return Finding(
        "looks-like-series",
        f"this looks like {told}, not rows that stand for themselves",
        severity="unsure",
        columns=(when.name, guess.name),
        action="forecasting is not built yet; predicting a row from its other columns needs those known in advance",
        overrule=f"--target {argument(guess.name)}",
    )


def _across(columns: list[Column], guess: Column) -> Finding | None:
    """Tell series that are written across the columns: a column for each year or day."""
    named = [column for column in columns if column.kind == "number" and WHEN.fullmatch(column.name.strip())]
    if len(named) < DATES_MIN or 2 * len(named) < len(columns) or guess not in named:
        return None
    return Finding(
        "looks-like-series",
        f"this looks like series in time written across the columns ({quoted(named[0].name)} to "
        f"{quoted(named[-1].name)}), one a row, not rows with an answer",
        severity="unsure",
        columns=(named[0].name, named[-1].name),
        action="forecasting is not built yet; a column can still be predicted from those before it",
        overrule=f"--target {argument(named[-1].name)}",
    )


def _several_series(
    columns: list[Column], words: dict[str, set[str]], profile: Profile, guess: Column
) -> tuple[Column, ...]:
    """Return what tells the series of a table apart, and its time, where nothing stands beside them but one amount."""
    times = [one for one in columns if one.kind == "date" or (words[one.name] and words[one.name] <= TIMES)]
    owners = [one for one in columns if one not in times and one is not guess]
    if len(times) != 1 or not 1 <= len(owners) <= OWNERS_MAX or guess.kind != "number" or guess in times:
        return ()
    if any(one.kind == "number" and not one.whole for one in owners):
        return ()
    cells = times[0].distinct * math.prod(one.distinct for one in owners)
    dense = GRID_FILLED_MIN * cells <= profile.rows <= cells and profile.rows >= SERIES_ROWS_MIN
    comes_again = all(one.distinct < 0.5 * profile.rows for one in (*owners, *times))
    return (*owners, times[0]) if dense and comes_again and times[0].distinct >= DATES_MIN else ()


def split_asked(profile: Profile, target: Column, task: str, asked: str) -> tuple[Split, str, str]:
    """Return the split asked for, its column and why: ``random``, ``stratified``, ``group:COLUMN``, ``time:COLUMN``.

    ``UsageError`` for anything else, ``DataError`` where the column cannot do it.
    """
    why = "asked for with `--split`"
    kind, _, name = asked.partition(":")
    kind = kind.strip().lower()
    if kind not in get_args(Split) or (name and kind in {"random", "stratified"}):
        near = difflib.get_close_matches(kind, get_args(Split), n=1, cutoff=0.5)
        message = f"no split is called `{asked}`: expected random, stratified, group:COLUMN or time:COLUMN"
        raise UsageError(message, hint=f"--split {near[0] if near else 'random'}")
    if kind == "stratified" and task == "regression":
        message = f"{quoted(target.name)} is an amount, expected classes to keep in proportion for a stratified split"
        raise UsageError(message, hint="--split random")
    if kind in {"random", "stratified"}:
        return cast("Split", kind), "", why
    others = [column.name for column in profile.columns if column.name != target.name]
    if not name:
        message = f"a split by {kind} needs a column: expected {kind}:COLUMN"
        raise UsageError(message, hint=f"--split {argument(f'{kind}:{_likely(profile, kind, others)}')}")
    column = profile.column(column_called(name, others, f"--split {kind}:{{}}"))
    if kind == "group" and column.distinct < ASKED_GROUPS_MIN:
        message = (
            f"{quoted(column.name)} has {column.distinct} different values, expected {ASKED_GROUPS_MIN} groups or more"
        )
        raise DataError(message, hint="--split random")
    if kind == "time" and column.kind not in {"date", "number"}:
        message = f"{quoted(column.name)} is read as {column.kind}, expected a date or a number that orders the rows"
        raise DataError(message, hint=f"--as {argument(f'{column.name}=date')}")
    return cast("Split", kind), column.name, why


def _likely(profile: Profile, kind: str, others: Sequence[str]) -> str:
    fitting = [
        column.name
        for column in profile.columns
        if column.name in others and (column.kind == "date" if kind == "time" else column.distinct >= ASKED_GROUPS_MIN)
    ]
    return (fitting or list(others) or ["COLUMN"])[0]
