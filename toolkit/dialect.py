"""The first part of a text file becomes a ``Dialect``: encoding, delimiter, quotes, and where its header stands."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice, pairwise

SAMPLE_BYTES = 1 << 18  # what is looked at to decide; a table keeps one form, and 256 KB hold some thousand rows
RECORDS_MAX = 1000  # rows of the sample that take part in the decision

ALIGNED = "  "  # two blanks or more: columns set one under the other, whose cells may hold single blanks
# In order of preference when two fit equally: text holds commas, hardly ever tabs.
DELIMITERS = ("\t", ";", "|", ",", "\x01", "^", "~", "::", " ", ALIGNED, ":")
RARE_DELIMITERS = frozenset(("\x01", "^", "~", "::", ALIGNED, " ", ":"))
UNQUOTED = frozenset(("", " ", "::", ALIGNED))  # which the `csv` module cannot read by
COMMENT_MARKS = ("#", "%", "//", "--")
# How Orange calls types and parts:
# https://orange3.readthedocs.io/projects/orange-visual-programming/en/latest/loading-your-data/
TYPES = frozenset(("c", "d", "s", "t", "continuous", "discrete", "string", "time", "basket"))
PARTS = frozenset(("class", "meta", "ignore", "weight"))
NAMED_ROWS_MIN = 7  # records from which a second row of names can be told from a row
UNIT_LENGTH_MAX = 8
NO_NAMES = frozenset(("", "na", "n/a", "nan", "null", "none", "?", "-", "--", ".", "unknown", "missing", "*"))
TITLE_LINES_MAX = 20  # records above a header; more of them are the table
ENOUGH = 0.5  # a delimiter that explains fewer rows than this explains none

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NUMBER = re.compile(r"[-+]?[$€£]?\d[\d.,' ]*(e[-+]?\d+)?\s*%?", re.IGNORECASE)
_YEAR = re.compile(r"19\d\d|20\d\d")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}.*)?")

LETTERS_BYTES = 1 << 20  # so much around the first letter beyond ASCII tells the encoding
AMISS_MAX = 0.05  # of the letters beyond ASCII may stand wrong: a slip of the keyboard


@dataclass(frozen=True)
class Dialect:
    """How one text file writes a table.

    ``delimiter`` is one character, ``"::"``, ``" "`` (runs of blanks) or ``""`` (one column, whole lines).
    ``names`` are the raw header cells (``None`` without a header), ``width`` the cells of a usual row,
    ``lines`` the physical lines to pass over before the data, ``above`` those of them that stand above the header.
    ``fit`` is the share of sampled rows that have the usual width. ``merged`` are the lines of the header where it has
    several.
    """

    delimiter: str
    quote: str
    names: tuple[str, ...] | None
    width: int
    lines: int
    above: tuple[str, ...] = ()
    fit: float = 1.0
    escape: str = ""
    merged: tuple[str, ...] = ()
    spaced: bool = False  # blanks stand between a delimiter and a quote: `"Ann",   "F"`


def encoding_of(head: bytes) -> str:
    """Return the encoding that the first bytes speak for; ``utf-8`` means "as far as one can see".

    A byte order mark decides; else zero bytes in every second place mean UTF-16; else what is not UTF-8 is Windows' or,
    where letters beyond ASCII are many, what ``charset_normalizer`` takes it for.
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    sample = head[:4096]
    pairs = len(sample) // 2
    if pairs > 1:
        even, odd = sample[0 : 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0)
        if odd > 0.7 * pairs and even < 0.1 * pairs:
            return "utf-16-le"
        if even > 0.7 * pairs and odd < 0.1 * pairs:
            return "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return fallback_encoding(head)
    return "utf-8"


def fallback_encoding(head: bytes) -> str:
    """Return the encoding of bytes that are not UTF-8: ``utf-8-mixed`` when most of them are, else another."""
    wide = len(re.findall(rb"[\xc3-\xf4][\x80-\xbf]+", head))
    text = head.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    if wide > 2 * broken:
        return "utf-8-mixed"
    usual = "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", head) else "cp1252"
    first = re.search(rb"[\x80-\xff]", head)
    head = head[max(0, first.start() - LETTERS_BYTES // 2) :][:LETTERS_BYTES] if first else head
    high = len(re.findall(rb"[\x80-\xff]", head))
    words = rb"[\x80-\xff]{4,}|(?<![A-Za-z\d\x80-\xff])[\x80-\xff]{2,3}(?![A-Za-z\d\x80-\xff])"
    # Words of another alphabet, short ones where they stand alone; a few marks amid Latin letters are none.
    if len(b"".join(re.findall(words, head))) > 0.5 * high:
        import charset_normalizer  # noqa: PLC0415 - 40 ms, seldom needed

        best = charset_normalizer.from_bytes(head[: 1 << 16]).best()
        if best is not None and best.encoding not in {"utf_8", "ascii"}:
            return best.encoding
    return _latin_encoding(head, usual)


def _latin_encoding(head: bytes, usual: str) -> str:
    r"""Return the encoding of Latin letters beyond ASCII: Windows' Western one unless its letters make no words.

    Where it leaves signs or capitals in words (``Gra\u00bfyna``) and Central Europe's or Mac's leaves none, it is that.
    """
    high = len(re.findall(rb"[\x80-\xff]", head))
    if _letters_amiss(head, usual) <= AMISS_MAX * high:
        return usual
    return next((other for other in ("cp1250", "mac_roman") if not _letters_amiss(head, other)), usual)


def _letters_amiss(head: bytes, encoding: str) -> int:
    """Return how many letters beyond ASCII stand wrong: no letter amid letters, or a capital after a small letter."""
    text = head.decode(encoding, errors="replace")
    amid = re.findall(r"(?<=[^\W\d_])[^\w\s\x00-\x7f\u2018\u2019\u00b4\u00b7\u2013\u2014\u00ad]+(?=[^\W\d_])", text)
    capitals = [letter for letter in re.findall(r"(?<=[a-z])[^\W\x00-\x7f]", text) if letter.isupper()]
    return len(amid) + len(capitals) + len(re.findall(r"[\x80-\x9f\ufffd]", text))


def decode(raw: bytes, encoding: str) -> str:
    """Return ``raw`` as text; bytes foreign to the encoding become their Windows letter, or the replacement mark."""
    if encoding == "utf-8-mixed":
        codecs.register_error("windows", _as_windows)
        return raw.decode("utf-8", errors="windows")
    return raw.decode(encoding, errors="replace")


def lines_of(text: str) -> list[str]:
    r"""Return the physical lines of ``text`` with their line ends (``\n``, ``\r\n`` or ``\r``)."""
    return list(io.StringIO(text, newline=""))


def records_of(
    lines: list[str], delimiter: str, quote: str, escape: str = "", *, spaced: bool = False
) -> list[tuple[list[str], int]]:
    """Return up to ``RECORDS_MAX`` records, each with the number of lines read at its end; blank lines are left out."""
    if delimiter in UNQUOTED:
        plain = ((split_line(line, delimiter), index + 1) for index, line in enumerate(lines))
        return list(islice(((cells, end) for cells, end in plain if any(cells)), RECORDS_MAX))
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, escapechar=escape or None, skipinitialspace=spaced)
    found: list[tuple[list[str], int]] = []
    try:
        for cells in reader:
            if cells and (len(cells) > 1 or cells[0].strip()):
                found.append((cells, reader.line_num))
            if len(found) >= RECORDS_MAX:
                break
    except csv.Error:  # a field beyond the limit: an open quote; what was read so far decides
        pass
    return found


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line whose delimiter the ``csv`` module cannot use."""
    line = line.rstrip("\r\n")
    if delimiter == " ":
        return [cell[1:-1] if cell[:1] in {'"', "'"} else cell for cell in re.findall(r'"[^"]*"|\'[^\']*\'|\S+', line)]
    if delimiter == ALIGNED:
        return re.split(r"\s{2,}|\t", line.strip())
    return line.split(delimiter) if delimiter else [line]


def sniff(text: str, *, whole: bool) -> Dialect:
    """Return how ``text`` writes its table. ``whole`` is false when the file goes on after it.

    Each usual delimiter is tried; the one under which most rows have the same number of cells, the header too, wins.
    """
    lines = lines_of(text)
    if not whole and len(lines) > 1:
        lines.pop()  # cut in its middle
    quote = _quote_of(text)
    escape = "\\" if _escapes(text, quote) else ""
    best, best_score = Dialect(",", quote, None, 1, 0, fit=0.0), 0.0
    for delimiter in DELIMITERS:
        if delimiter not in text:
            continue
        spaced = _is_spaced(lines, delimiter, quote)
        records = records_of(lines, delimiter, quote, escape, spaced=spaced)
        if not whole and len(records) > 1:
            records = records[:-1]  # an open quote may have run to the cut
        width, fit = _fit(records)
        score = fit - 0.1 if delimiter in RARE_DELIMITERS else fit
        cut = delimiter not in UNQUOTED and not spaced and bool(records)
        if cut and _cuts_cells(delimiter, [cells for cells, _ in records], quote):
            score -= 0.1
        if width > 1 and score > best_score + 0.02:
            best = Dialect(delimiter, quote, None, width, 0, fit=fit, escape=escape, spaced=spaced)
            best_score = score
    if best.delimiter == "\t" and "  " in text:  # columns set with blanks, and a tab somewhere between
        records = records_of(lines if whole else lines[:-1], " ", quote)
        width, score = _fit(records)
        if width > best.width and score >= best_score:
            best, best_score = Dialect(" ", quote, None, width, 0, fit=score), score
    if best_score < ENOUGH:
        return _one_column(lines, quote, text)
    return _with_header(best, records_of(lines, best.delimiter, quote, escape, spaced=best.spaced), lines)


def looks_like_value(cell: str) -> bool:
    """Return whether a cell is a number or a date, and so hardly a column's name."""
    cell = cell.strip()
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def has_header(records: list[list[str]]) -> bool:
    """Return whether the first record names the columns instead of being a row.

    It is a row when it holds numbers wherever the rows below do, or when its words come again below in their columns.
    """
    first, rest = records[0], records[1:]
    if not rest:
        return not all(looks_like_value(cell) for cell in first if cell.strip())
    told = [index for index, cell in enumerate(first) if cell.strip()]  # pandas writes no name for its index
    numeric = [index for index in told if _holds_values([row[index] for row in rest if index < len(row)])]
    if numeric:
        agree = sum(looks_like_value(first[index]) for index in numeric)
        if agree == len(numeric):
            return _names_after_all(first, rest, numeric)
        return agree <= len(numeric) / 2 or any(first[index].strip().isidentifier() for index in numeric)
    below = [{row[index].strip() for row in rest if index < len(row)} for index in range(len(first))]
    seen = sum(cell.strip() in values for cell, values in zip(first, below, strict=True) if cell.strip())
    return seen < len(first) / 2


def _holds_values(cells: list[str]) -> bool:
    """Whether nearly all cells are numbers or dates, those without anything left out when they are not most."""
    filled = [cell for cell in cells if cell.strip()]
    return 2 * len(filled) > len(cells) and sum(map(looks_like_value, filled)) > 0.8 * len(filled)


def unique_names(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Return names that differ: an empty one is ``Unnamed: <position>``, the second ``a`` is ``a.1``."""
    taken: set[str] = set()
    found: list[str] = []
    for position, cell in enumerate(cells):
        base = cell if cell.strip() else f"Unnamed: {position}"
        name, number = base, 0
        while name in taken:
            number += 1
            name = f"{base}.{number}"
        taken.add(name)
        found.append(name)
    return tuple(found)


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return wrong.decode("cp1252", errors="replace"), error.end


def _quote_of(text: str) -> str:
    double = text.count('"')
    single = len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", text, re.MULTILINE))
    return "'" if single > double and single > text.count("\n") else '"'


def _is_spaced(lines: list[str], delimiter: str, quote: str) -> bool:
    """Whether quotes stand behind blanks in most lines, as people write tables by hand: ``"Ann",   "F",  41``."""
    if delimiter in UNQUOTED or delimiter.isspace():
        return False
    behind = re.compile(rf"{re.escape(delimiter)} +{quote}[^{quote}]*{quote} *(?:{re.escape(delimiter)}|[\r\n]|$)")
    sample = [line for line in lines[1:200] if line.strip()]
    return 2 * sum(behind.search(line) is not None for line in sample) > len(sample) > 0


def _escapes(text: str, quote: str) -> bool:
    """Whether quotes inside a cell are written with a backslash, as databases export them."""
    escaped = len(re.findall(rf"\\{quote}(?![{quote},;\t|\r\n])", text))
    doubled = len(re.findall(rf"[^,;\t|\r\n]{quote}{quote}", text))
    return escaped > 10 * doubled


def _fit(records: list[tuple[list[str], int]]) -> tuple[int, float]:
    """Return the usual width, and the share of records that have it; a header of another width counts heavily."""
    cells = [record for record, _ in records]
    while len(cells) > 1 and cells[0][0].lstrip().startswith(COMMENT_MARKS) and len(cells[0]) < len(cells[-1]):
        cells = cells[1:]
    if not cells:
        return 0, 0.0
    counts = Counter(len(record) for record in cells[1:] or cells)
    width = max(counts, key=lambda value: (counts[value], value))
    first = next(index for index, record in enumerate(cells) if len(record) == width)
    titles = first if 2 * first < len(cells) else 1
    share = counts[width] / max(len(cells) - max(titles, 1), 1)
    beyond = len(cells[0])
    if first == 0 or (1 < beyond < width and not any("".join(record[beyond:]).strip() for record in cells)):
        return width, min(share, 1.0)  # delimiters at the end of each line are no cells
    if len(cells[0]) in {width - 1, width + 1} and width > 2:  # noqa: PLR2004 - R writes no name for row names
        return width, min(share, 1.0) * 0.9
    named = first <= TITLE_LINES_MAX and not any(character.isdigit() for character in cells[first][0])
    return width, min(share, 1.0) * (0.9 if named else 0.4)


def _cuts_cells(delimiter: str, records: list[list[str]], quote: str) -> bool:
    """Whether a delimiter seems to stand inside cells: between a header's quotes, or before blanks in rows alone."""
    first, rest = records[0], records[1:]
    if any(cell.count(quote) % 2 for cell in first):
        return True
    behind = [cell for cells in rest for cell in cells[1:]]
    spaced = sum(cell[:1] == " " for cell in behind)
    return (
        delimiter in {",", ";"}
        and bool(behind)
        and spaced == len(behind)
        and not any(cell[:1] == " " for cell in first[1:])
    )


def _one_column(lines: list[str], quote: str, text: str) -> Dialect:
    quoted = [record for record in records_of(lines, ",", quote) if record[0]]
    delimiter = "," if quoted and all(len(cells) == 1 for cells, _ in quoted) and quote in text else ""
    records = quoted if delimiter else records_of(lines, "", quote)
    dialect = Dialect(delimiter, quote, None, 1, 0, fit=0.0)
    return _with_header(dialect, records, lines) if records else dialect


def _with_header(dialect: Dialect, records: list[tuple[list[str], int]], lines: list[str]) -> Dialect:
    start = _header_at([cells for cells, _ in records], dialect.width)
    above_lines = records[start - 1][1] if start else 0
    above = tuple(line.rstrip("\r\n") for line in lines[:above_lines])
    cells = [record for record, _ in records[start:]]
    facts = {**vars(dialect), "above": above}
    if not has_header(cells):
        return Dialect(**{**facts, "names": None, "lines": above_lines})
    over = [record for record, _ in records[max(start - 1, 0) : start]]
    found = merged_names(over[0] if over else [], cells)
    if found is None:
        return Dialect(**{**facts, "names": tuple(cells[0]), "lines": records[start][1]})
    names, higher, lower = found
    end = records[start + lower][1]
    upper = records[start - 2][1] if start > 1 else 0
    kept = above[:upper] if higher else above
    merged = tuple(line.rstrip("\r\n") for line in lines[len(kept) : end])
    return Dialect(**{**facts, "names": names, "lines": end, "above": kept, "merged": merged})


def merged_names(above: list[str], records: list[list[str]]) -> tuple[tuple[str, ...], bool, int] | None:
    """Return the names that stand over several rows, whether ``above`` is one of them, and how many more are below.

    ``records`` starts with the header. ``None`` when the header is one row, as nearly always.
    """
    first = [cell.strip() for cell in records[0]]
    if above and _names_groups([cell.strip() for cell in above], first):
        return _joined(_spread([cell.strip() for cell in above]), first), True, 0
    if tells_types(records[1:3]):
        return tuple(first), False, 2
    if len(records) < NAMED_ROWS_MIN or any(len(record) != len(first) for record in records[1:3]):
        return None
    if not _is_second_header(records[1], records[2:], evidence=2):
        return None
    second = [cell.strip() for cell in records[1]]
    full = all(first) and len(set(first)) == len(first)
    names = (
        _with_units(first, second)
        if full and _are_units(second)
        else _joined(first if full else _spread(first), second)
    )
    third = [cell.strip() for cell in records[2]]
    if sum(map(bool, third)) <= len(third) / 2 and _is_second_header(records[2], records[3:], evidence=1):
        return tuple(cell or name for cell, name in zip(third, names, strict=True)), False, 2
    return names, False, 1


def tells_types(rows: list[list[str]]) -> bool:
    """Return whether two rows under the names tell each column's type and part, as Orange writes its tables.

    The first has a type or a list of values in every cell, the second ``class``, ``meta`` and the like in some.
    """
    if len(rows) != 2 or len(rows[0]) < 2:  # noqa: PLR2004 - types and parts, of several columns
        return False
    types, parts = ([cell.strip() for cell in row] for row in rows)
    typed = [cell in TYPES for cell in types]
    listed = all(cell in TYPES or len(re.split(r"(?<!\\) ", cell)) > 1 for cell in types)
    said = {word for cell in parts for word in cell.split()}
    return listed and any(typed) and bool(said & PARTS) and said <= PARTS | {"i", "c", "m"}


def _names_groups(above: list[str], names: list[str]) -> bool:
    """Whether a row above the names names groups: ``,Batting,,Bowling,`` above ``Player,Runs,Mean,Balls,Mean``."""
    filled = [cell for cell in above if cell]
    if len(above) != len(names) or len(filled) < 2 or any(map(looks_like_value, filled)):  # noqa: PLR2004 - one is a title
        return False
    if above[0].startswith(COMMENT_MARKS) or not any(names):
        return False
    joined = _joined(_spread(above), names)
    if len(set(joined)) < len(names) or not all(joined):
        return False
    completes = any(cell and not name for cell, name in zip(above, names, strict=True))
    return completes or len(set(names)) < len(names) or not above[0]


def _is_second_header(second: list[str], rest: list[list[str]], *, evidence: int) -> bool:
    """Whether a row under the header is of names or units too: words over numbers, and never a value seen below."""
    if len(rest) < NAMED_ROWS_MIN - 2:
        return False
    over_numbers = over_words = filled = 0
    for index, raw in enumerate(second):
        cell = raw.strip()
        below = [row[index].strip() for row in rest if index < len(row) and row[index].strip()]
        if not below or cell.casefold() in NO_NAMES:
            continue
        filled += 1
        if sum(map(looks_like_value, below)) > 0.8 * len(below):
            if looks_like_value(cell):
                return False
            over_numbers += 1
        elif cell in below:
            return False
        elif 2 * len(set(below)) < len(below):
            over_words += 1
    return over_numbers > 0 and over_numbers + over_words >= evidence and 2 * (over_numbers + over_words) > filled


def _spread(cells: list[str]) -> list[str]:
    """Return the names of groups, each repeated over the empty cells that it was merged with."""
    found: list[str] = []
    for cell in cells:
        found.append(cell or (found[-1] if found else ""))
    return found


def _joined(groups: list[str], names: list[str]) -> tuple[str, ...]:
    pairs = zip(groups, names, strict=True)
    return tuple(name if group == name else f"{group} {name}".strip() for group, name in pairs)


def _with_units(names: list[str], units: list[str]) -> tuple[str, ...]:
    pairs = zip(names, units, strict=True)
    return tuple(f"{name} ({unit.strip('()[]')})" if unit.casefold() not in NO_NAMES else name for name, unit in pairs)


def _are_units(cells: list[str]) -> bool:
    """Whether a row's words are units: in brackets, or a few letters each."""
    named = [cell for cell in cells if cell.casefold() not in NO_NAMES]
    if len(set(named[1:])) < 2 and not all(cell[0] in "([" for cell in named):  # noqa: PLR2004 - one word is a group
        return False
    return all(len(cell) <= UNIT_LENGTH_MAX or cell[0] in "([" for cell in named) and (
        any(cell[0] in "([" for cell in named)
        or sum(len(cell) <= UNIT_LENGTH_MAX // 2 for cell in named) > len(named) / 2
    )


def _header_at(records: list[list[str]], width: int) -> int:
    """Return the place of the header: the first record unless comments or titles, of few cells, stand above it."""
    if width == 1:
        comments = [cells[0].lstrip().startswith(COMMENT_MARKS) for cells in records]
        return comments.index(False) if False in comments else 0
    filled = [sum(bool(cell.strip()) for cell in cells) for cells in records]
    if sorted(filled)[len(filled) // 2] <= width / 2:  # rows are as empty as a title: the first is the header
        return 0
    for place, cells in enumerate(records[: TITLE_LINES_MAX + 1]):
        comment = len(cells) < width and cells[0].lstrip().startswith(COMMENT_MARKS)
        if not comment and (filled[place] > width / 2 or (len(cells) == width == 2)):  # noqa: PLR2004 - one of two is half
            return place
    return 0


def _names_after_all(first: list[str], rest: list[list[str]], numeric: list[int]) -> bool:
    """Whether numbers above numbers are names: a run of years, whole ones above fractions, new words beside."""
    named = [first[index].strip() for index in numeric]
    if _counts_up(named):
        return not _counts_up([rest[0][index].strip() for index in numeric if index < len(rest[0])])
    below = [[row[index].strip() for row in rest if index < len(row)] for index in range(len(first))]
    if all(name.isdigit() for name in named):
        fractions = sum("." in cell for index in numeric for cell in below[index])
        cells = [cell for index in numeric for cell in below[index]]
        years = sum(_YEAR.fullmatch(cell) is not None for cell in cells)
        if fractions > 0.5 * len(cells) or (all(map(_YEAR.fullmatch, named)) and years < 0.5 * len(cells)):
            return True
    words = [index for index in range(len(first)) if index not in numeric and first[index].strip()]
    again = [index for index in words if len(set(below[index])) < 0.5 * len(below[index])]
    return bool(again) and not any(first[index].strip() in below[index] for index in words)


def _counts_up(names: list[str]) -> bool:
    """Whether numeric names are a run such as 0, 1, 2 or years 1990, 1991: then they are names after all."""
    if len(names) < 3 or not all(name.isdigit() for name in names):  # noqa: PLR2004 - two numbers in a row prove nothing
        return False
    return {int(after) - int(before) for before, after in pairwise(names)} == {1}
