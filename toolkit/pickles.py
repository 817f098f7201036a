"""What a pickle would do is read from its steps, not tried: ``scan`` follows them on a stack of stand-ins.

The steps are those of the standard library's ``pickletools``. It is not used to read them, since it holds every text
and every number of the file; nor are picklescan and fickling, since they know no arrays between the steps (joblib) and
judge by what is known to be bad, where here all is refused that is not known to be good.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.streams import BombError, DamagedError, Stream
from toolkit.verdicts import Called, Import, arguments_matter, is_check, judge

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS_MAX = 20_000_000  # some 20 s; a dictionary of a million words takes 5 to 12 million
STACK_MAX = 3_000_000
MEMO_MAX = 6_000_000
IMPORTS_MAX = 20_000
TEXT_KEPT = 4096  # of one text or number of bytes
BOOSTER_MARKS = (b"{L\0\0\0", b"CBM1")  # XGBoost's and CatBoost's own forms, which lie whole in their pickles
BOOSTER_BYTES_MAX = 256 << 20  # of them held, to be read for columns and versions
ITEMS_KEPT = 20_000  # of one list or dictionary
DEPTH_MAX = 16  # pickles within arrays within pickles
PICKLES_MAX = 1000  # in a row
PROTOCOL_MAX = 5
ALIGNMENT_MAX = 255


_BY_CALLS = frozenset(
    (("builtins", "getattr"), ("__builtin__", "getattr"), ("numpy", "vectorize"), ("functools", "partial"))
)
_PARSING = re.compile(  # SciPy's own functions that put a distribution's arguments in order, and nothing else
    r"(?:\s*def _parse_args(?:_rvs|_stats)?\(self, [\w, =']*\):\n"
    r"    return (?:self\._argcheck_rvs)?\([\w, =]*\)[\w, ]*)*\s*"
)


class Mark:
    """Where a group of values begins."""


class Unknown:
    """A value that the bytes alone do not tell."""


MARK, UNKNOWN = Mark(), Unknown()


@dataclass(eq=False, slots=True)
class Named:
    """A global: what the file would import. ``settled`` are the calls of it that need no second judgement."""

    module: str
    name: str
    settled: frozenset[str] = frozenset()

    @property
    def full(self) -> str:
        """Return module and name as one would write them."""
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class Made:
    """What a call would give: who is called, with what; its state and items, as far as they were kept."""

    maker: object
    arguments: object
    state: object = None
    items: list[object] | None = None
    entries: dict[str, object] | None = None

    @property
    def kind(self) -> str:
        """Return the full name of the class that it is of, ``""`` when that is not known."""
        maker = self.maker
        if isinstance(maker, Named) and maker.name in {"_reconstructor", "__newobj__", "_reconstruct"}:
            values = self.arguments if isinstance(self.arguments, tuple) else ()
            maker = values[0] if values else None
        return maker.full if isinstance(maker, Named) else ""

    @property
    def attributes(self) -> dict[str, object]:
        """Return the state's entries, when it is a dictionary."""
        state = self.state[0] if isinstance(self.state, tuple) and self.state else self.state
        return state if isinstance(state, dict) else {}


@dataclass
class Scan:
    """What the steps of one or several pickles tell; ``damage`` says where they broke off."""

    opens: dict[tuple[str, str], Import] = field(default_factory=dict)
    objects: list[object] = field(default_factory=list)
    protocol: int = 0
    pickles: int = 0
    steps: int = 0
    arrays: int = 0
    array_bytes: int = 0
    beside: list[str] = field(default_factory=list)  # files that joblib of old wrote next to the first
    versions: dict[str, str] = field(default_factory=dict)  # of the libraries that wrote it, by name
    persistent: int = 0
    waiting: set[tuple[str, str]] = field(default_factory=set)  # named, and to be judged by how they are called
    kept_bytes: int = 0
    trailing_bytes: bool = False
    damage: str = ""
    bomb: bool = False

    def meet(self, module: str, name: str, called: Called, arguments: object = None) -> None:
        """Remember one import, under the harder of two verdicts."""
        verdict, why = judge(module, name, called, arguments)
        found = Import(module, name, called != "no", verdict, why)
        known = self.opens.get((module, name))
        if known is not None:
            order = ("harmless", "unknown", "dangerous")
            worse = max(known, found, key=lambda one: order.index(one.verdict))
            found = Import(module, name, known.called or found.called, worse.verdict, worse.why)
        elif len(self.opens) >= IMPORTS_MAX:
            message = f"it imports more than {IMPORTS_MAX:,} names"
            raise BombError(message)
        self.opens[module, name] = found


def scan(stream: Stream, *, several: bool = True, into: Scan | None = None, depth: int = 0) -> Scan:
    """Return what the pickles in ``stream`` would import and call, and the plain values that they hold.

    Damaged steps end the scan, never raise: ``damage`` says what was wrong, and what came before is kept, since
    opening would have run it. ``several`` reads on after the first pickle, as programs do that load from one file.
    """
    found = Scan() if into is None else into
    try:
        while True:
            found.objects.append(_Machine(stream, found, depth).run())
            found.pickles += 1
            if not several or not stream.peek(1):
                return found
            _few(found)
            if not _begins(stream.peek(2)):
                found.trailing_bytes = True
                return found
    except BombError as error:
        found.damage, found.bomb = str(error), True
    except (DamagedError, ValueError, OverflowError, struct.error, UnicodeError) as error:
        found.damage = str(error)
    finally:
        _judge_waiting(found)
    return found


def _judge_waiting(found: Scan) -> None:
    """Judge by their names what was to be judged by its calls and was never called."""
    try:
        for module, name in sorted(found.waiting - found.opens.keys()):
            found.meet(module, name, "no")
    except BombError as error:
        found.damage, found.bomb = str(error), True


def _few(found: Scan) -> None:
    if found.pickles >= PICKLES_MAX:
        message = f"more than {PICKLES_MAX:,} pickles in a row"
        raise BombError(message)


def _begins(head: bytes) -> bool:
    """Return whether a pickle may begin so: a protocol, or a first step of the oldest ones."""
    if head[:1] == b"\x80":
        return len(head) > 1 and head[1] <= PROTOCOL_MAX
    return head[:1] in _STEPS and head[:1] not in b".0aesubtRo"


class _Machine:
    """One pickle's stack, memo and marks."""

    def __init__(self, stream: Stream, scan: Scan, depth: int) -> None:
        if depth > DEPTH_MAX:
            message = f"pickles lie in one another more than {DEPTH_MAX} deep"
            raise BombError(message)
        self.stream = stream
        self.scan = scan
        self.depth = depth
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> object:
        """Follow the steps to the end of one pickle and return its value. The loop is what looking at a file costs."""
        stream, stack, memo, steps = self.stream, self.stack, self.memo, _TABLE
        count = 0
        while True:
            at = stream.at
            if at < len(stream.buffer):
                code = stream.buffer[at]
                stream.at = at + 1
            else:
                code = stream.read(1)[0]
            count += 1
            if code == _MEMOIZE and stack:
                memo[len(memo)] = stack[-1]
                if count & 0xFFF == 0:
                    self._bound(count)
                continue
            if code == _STOP:
                self.scan.steps += count
                return self.pop()
            step = steps[code]
            if step is None:
                message = f"byte {stream.place - 1:,} is no step of a pickle: {bytes([code])!r}"
                raise DamagedError(message)
            step(self)
            if count & 0xFFF == 0:
                self._bound(count)

    def _bound(self, count: int) -> None:
        if self.scan.steps + count > STEPS_MAX:
            message = f"it takes more than {STEPS_MAX:,} steps to open"
            raise BombError(message)
        if len(self.stack) > STACK_MAX or len(self.memo) > MEMO_MAX:
            message = "it piles up more values than any honest model"
            raise BombError(message)

    def pop(self) -> Any:
        if not self.stack:
            message = f"it takes a value that was never given, at byte {self.stream.place:,}"
            raise DamagedError(message)
        return self.stack.pop()

    def top(self) -> Any:
        if not self.stack:
            message = f"it asks for a value that was never given, at byte {self.stream.place:,}"
            raise DamagedError(message)
        return self.stack[-1]

    def marked(self) -> list[Any]:
        """Take and return the values since the last mark."""
        stack = self.stack
        for index in range(len(stack) - 1, -1, -1):
            if stack[index] is MARK:
                values = stack[index + 1 :]
                del stack[index:]
                return values
        message = f"it closes a group that was never begun, at byte {self.stream.place:,}"
        raise DamagedError(message)

    def push(self, value: object) -> None:
        self.stack.append(value)

    def number(self, form: str) -> int:
        return int(struct.unpack(form, self.stream.read(struct.calcsize(form)))[0])

    def sized(self, form: str) -> bytes:
        size = self.number(form)
        if size < 0:
            message = f"a text of {size} bytes, at byte {self.stream.place:,}"
            raise DamagedError(message)
        if size > TEXT_KEPT and self.stream.peek(5).startswith(BOOSTER_MARKS):
            self.scan.kept_bytes += size
            if self.scan.kept_bytes <= BOOSTER_BYTES_MAX:
                return self.stream.read(size)
        return self.stream.take(size, keep=TEXT_KEPT)

    def text(self, form: str) -> None:
        self.push(self.sized(form).decode("utf-8", "replace"))

    # --- globals and calls

    def name(self, module: object, name: object) -> None:
        if isinstance(module, str) and isinstance(name, str):
            if (module, name) in _BY_CALLS:
                self.scan.waiting.add((module, name))
            else:
                self.scan.meet(module, name, "no")
            self.push(Named(module, name))
            return
        self.scan.meet("?", "?", "no")  # made while opening: nobody can say which
        self.push(Named("?", "?"))

    def call(self, maker: object, arguments: object, called: Called) -> None:
        if isinstance(maker, Named):
            if called not in maker.settled:
                self.scan.meet(maker.module, maker.name, called, arguments)
                if not arguments_matter(maker.module, maker.name):
                    maker.settled |= {called}
            checked = maker.full == "functools.partial" and called == "called" and is_check(_only(arguments))
            if (
                maker.name != "_reconstruct" and not checked
            ):  # numpy's own makes an array of any kind, never by that kind's ``__new__``
                self._handed(arguments)
        else:
            self.scan.meet("?", "what another call gave", "called")
        self.push(Made(maker, arguments))

    def _handed(self, arguments: object) -> None:
        """Take globals that are handed to a function for made by it: pandas' and numpy's helpers do so."""
        for value in arguments if isinstance(arguments, tuple) else ():
            if isinstance(value, Named):
                self.scan.meet(value.module, value.name, "made")

    def reduce(self) -> None:
        arguments = self.pop()
        self.call(self.pop(), arguments, "called")

    def new_object(self) -> None:
        arguments = self.pop()
        self.call(self.pop(), arguments, "made")

    def new_object_with_names(self) -> None:
        self.pop()
        self.new_object()

    def instance(self) -> None:
        module, name = self._line(), self._line()
        values = tuple(self.marked())
        self.name(module, name)
        self.call(self.pop(), values, "called")

    def made_of_group(self) -> None:
        values = self.marked()
        if not values:
            message = f"it calls nothing, at byte {self.stream.place:,}"
            raise DamagedError(message)
        self.call(values[0], tuple(values[1:]), "called")

    def build(self) -> None:
        state = self.pop()
        made = self.top()
        if isinstance(made, Made):
            made.state = state
            self._note(made)
            self._hold_code(made)
            self._hold_check(made)
            if made.kind.endswith((".NumpyArrayWrapper", ".NDArrayWrapper", ".ZNDArrayWrapper")):
                self._array(made)
        elif isinstance(made, Named):
            self.scan.meet("?", f"attributes of {made.full} itself", "called")

    def _note(self, made: Made) -> None:
        version = made.attributes.get("_sklearn_version")
        if isinstance(version, str):
            self.scan.versions.setdefault("scikit-learn", version)

    def _hold_code(self, made: Made) -> None:
        """Refuse a distribution whose state is not the code that SciPy writes there and runs when it opens it."""
        if made.kind.startswith("scipy.stats."):
            code = made.attributes.get("_parse_arg_template", "")
            if not isinstance(code, str) or not _PARSING.fullmatch(code):
                self.scan.meet("?", f"code in the state of {made.kind}", "called")

    def _hold_check(self, made: Made) -> None:
        """Refuse a ``partial`` whose state makes another function of it than the one that was judged."""
        if made.kind.endswith("functools.partial"):
            state = made.state if isinstance(made.state, tuple) else ()
            if not state or not is_check(state[0]):
                self.scan.meet("?", "another function in the state of functools.partial", "called")

    def _line(self) -> str:
        return self.stream.line().decode("utf-8", "replace")

    def extension(self, form: str) -> None:
        self.scan.meet("?", f"extension {self.number(form)}", "no")
        self.push(Named("?", "?"))

    def persistent(self, _name: object) -> None:
        self.scan.persistent += 1
        self.push(Made(None, (_name,)))

    # --- values

    def append(self, values: list[Any]) -> None:
        made = self.top()
        if isinstance(made, Made) and made.items is None:
            made.items = []
        kept = made.items if isinstance(made, Made) else made
        if isinstance(kept, list) and len(kept) < ITEMS_KEPT:
            kept.extend(values[: ITEMS_KEPT - len(kept)])
        elif isinstance(made, Named):
            self.scan.meet("?", f"items of {made.full} itself", "called")

    def entries(self, values: list[Any]) -> None:
        made = self.top()
        if isinstance(made, Made) and made.entries is None:
            made.entries = {}
        kept = made.entries if isinstance(made, Made) else made
        if isinstance(made, Named):
            self.scan.meet("?", f"items of {made.full} itself", "called")
        if isinstance(kept, dict):
            for key, value in zip(values[::2], values[1::2], strict=False):
                if isinstance(key, str) and (len(kept) < ITEMS_KEPT or key in kept):
                    kept[key] = value
                elif isinstance(key, int) and len(kept) < ITEMS_KEPT:
                    kept[str(key)] = value

    def put(self, index: int) -> None:
        self.memo[index] = self.top()

    def get(self, index: int) -> None:
        if index not in self.memo:
            message = f"it asks for value {index:,}, which was never kept, at byte {self.stream.place:,}"
            raise DamagedError(message)
        self.push(self.memo[index])

    # --- joblib's arrays: their bytes lie between the steps

    def _array(self, wrapper: Made) -> None:
        if wrapper.kind.endswith("NDArrayWrapper"):  # joblib before 0.10
            name = wrapper.attributes.get("filename")
            self.scan.beside.append(name if isinstance(name, str) else "?")
            return
        state = wrapper.attributes
        self.scan.arrays += 1
        shape, dtype = state.get("shape"), state.get("dtype")
        width, objects = item_of(dtype)
        if objects:
            inner = scan(self.stream, several=False, into=Scan(opens=self.scan.opens), depth=self.depth + 1)
            self._take_in(inner, wrapper)
            return
        if not isinstance(shape, tuple) or not all(isinstance(side, int) and side >= 0 for side in shape) or width < 0:
            message = f"the size of the array at byte {self.stream.place:,} cannot be known"
            raise DamagedError(message)
        if state.get("numpy_array_alignment_bytes") is not None:
            self.stream.skip(self.stream.read(1)[0])
        size = width
        for side in shape:
            size *= side
        self.scan.array_bytes += size
        wrapper.items = [self.stream.take(size, keep=min(size, TEXT_KEPT))]

    def _take_in(self, inner: Scan, wrapper: Made) -> None:
        scan = self.scan
        scan.steps += inner.steps
        scan.arrays += inner.arrays
        scan.array_bytes += inner.array_bytes
        scan.versions = {**inner.versions, **scan.versions}
        if inner.bomb:
            raise BombError(inner.damage)
        if inner.damage:
            raise DamagedError(inner.damage)
        wrapper.items = inner.objects[:1]


def _only(arguments: object) -> object:
    return arguments[0] if isinstance(arguments, tuple) and len(arguments) == 1 else None


def item_of(dtype: object) -> tuple[int, bool]:
    """Return how many bytes an element of a numpy type takes (-1: unknown), and whether it holds Python objects."""
    if not isinstance(dtype, Made) or not isinstance(dtype.arguments, tuple) or not dtype.arguments:
        return -1, False
    code = dtype.arguments[0]
    if not isinstance(code, str) or len(code) < 2:  # noqa: PLR2004 - a letter and a width
        return -1, code in {"O", "|O"}
    letter, width = code.lstrip("<>|=")[:1], code.lstrip("<>|=")[1:]
    if letter == "O":
        return -1, True
    state = dtype.state if isinstance(dtype.state, tuple) else ()
    flags = state[7] if len(state) > 7 and isinstance(state[7], int) else 0  # noqa: PLR2004 - numpy's own order
    size = state[5] if len(state) > 5 and isinstance(state[5], int) else -1  # noqa: PLR2004 - as above
    if flags & 1:
        return -1, True
    if letter in "VUS" and size >= 0:
        return size, False
    return (int(width) * (4 if letter == "U" else 1) if width.isdigit() else -1), False


def _long(data: bytes) -> object:
    return int.from_bytes(data[:64], "little", signed=True) if len(data) <= 64 else UNKNOWN  # noqa: PLR2004 - no size is larger


def _line_number(machine: _Machine) -> None:
    text = machine.stream.line()
    if text in {b"00", b"01"}:
        machine.push(text == b"01")
    else:
        machine.push(int(text.rstrip(b"L")) if len(text) < 64 else UNKNOWN)  # noqa: PLR2004 - as above


def _line_float(machine: _Machine) -> None:
    machine.push(float(machine.stream.line()[:64]))


def _line_text(machine: _Machine) -> None:
    text = machine.stream.line().strip()
    machine.push(text[1:-1].decode("latin1").encode("latin1", "replace").decode("unicode_escape", "replace"))


def _group_pairs(machine: _Machine) -> None:
    values = machine.marked()
    machine.push({})
    machine.entries(values)


def _tuple(count: int) -> Callable[[_Machine], None]:
    def step(machine: _Machine) -> None:
        values = [machine.pop() for _ in range(count)]
        machine.push(tuple(reversed(values)))

    return step


def _protocol(machine: _Machine) -> None:
    number = machine.stream.read(1)[0]
    if number > PROTOCOL_MAX:
        message = f"it is of pickle protocol {number}, and the newest is {PROTOCOL_MAX}"
        raise DamagedError(message)
    machine.scan.protocol = max(machine.scan.protocol, number)


def _constant(value: object) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(value)


def _stack_global(machine: _Machine) -> None:
    name = machine.pop()
    machine.name(machine.pop(), name)


def _items(machine: _Machine) -> None:
    value = machine.pop()
    key = machine.pop()
    machine.entries([key, value])


def _one_item(machine: _Machine) -> None:
    value = machine.pop()
    machine.append([value])


def _group_items(machine: _Machine) -> None:
    values = machine.marked()
    machine.entries(values)


def _group_append(machine: _Machine) -> None:
    values = machine.marked()
    machine.append(values)


def _memoize(machine: _Machine) -> None:
    machine.memo[len(machine.memo)] = machine.top()


_STEPS: dict[bytes, Callable[[_Machine], object]] = {
    b"\x80": _protocol,
    b"\x95": lambda machine: machine.stream.skip(0 * machine.number("<Q")),  # a frame: its size is of no use here
    b"(": _constant(MARK),
    b"N": _constant(None),
    b"\x88": _constant(True),  # noqa: FBT003 - a value
    b"\x89": _constant(False),  # noqa: FBT003 - a value
    b"]": lambda machine: machine.push([]),
    b"}": lambda machine: machine.push({}),
    b")": _constant(()),
    b"\x8f": lambda machine: machine.push([]),
    b"0": _Machine.pop,
    b"1": _Machine.marked,
    b"2": lambda machine: machine.push(machine.top()),
    b"l": lambda machine: machine.push(machine.marked()),
    b"d": _group_pairs,
    b"t": lambda machine: machine.push(tuple(machine.marked())),
    b"\x85": _tuple(1),
    b"\x86": _tuple(2),
    b"\x87": _tuple(3),
    b"\x91": lambda machine: machine.push(machine.marked()),
    b"\x90": _group_append,
    b"a": _one_item,
    b"e": _group_append,
    b"s": _items,
    b"u": _group_items,
    b"K": lambda machine: machine.push(machine.stream.read(1)[0]),
    b"M": lambda machine: machine.push(machine.number("<H")),
    b"J": lambda machine: machine.push(machine.number("<i")),
    b"G": lambda machine: machine.push(struct.unpack(">d", machine.stream.read(8))[0]),
    b"I": _line_number,
    b"L": _line_number,
    b"F": _line_float,
    b"S": _line_text,
    b"V": lambda machine: machine.push(machine.stream.line().decode("raw_unicode_escape", "replace")),
    b"\x8a": lambda machine: machine.push(_long(machine.sized("<B"))),
    b"\x8b": lambda machine: machine.push(_long(machine.sized("<i"))),
    b"X": lambda machine: machine.text("<I"),
    b"\x8c": lambda machine: machine.text("<B"),
    b"\x8d": lambda machine: machine.text("<Q"),
    b"U": lambda machine: machine.push(machine.sized("<B").decode("latin1")),
    b"T": lambda machine: machine.push(machine.sized("<i").decode("latin1")),
    b"B": lambda machine: machine.push(machine.sized("<I")),
    b"C": lambda machine: machine.push(machine.sized("<B")),
    b"\x8e": lambda machine: machine.push(machine.sized("<Q")),
    b"\x96": lambda machine: machine.push(machine.sized("<Q")),
    b"\x97": _constant(UNKNOWN),
    b"\x98": _Machine.top,
    b"p": lambda machine: machine.put(int(machine.stream.line()[:20])),
    b"q": lambda machine: machine.put(machine.stream.read(1)[0]),
    b"r": lambda machine: machine.put(machine.number("<I")),
    b"\x94": _memoize,
    b"g": lambda machine: machine.get(int(machine.stream.line()[:20])),
    b"h": lambda machine: machine.get(machine.stream.read(1)[0]),
    b"j": lambda machine: machine.get(machine.number("<I")),
    b"c": lambda machine: machine.name(machine._line(), machine._line()),  # noqa: SLF001 - this module's own
    b"\x93": _stack_global,
    b"R": _Machine.reduce,
    b"\x81": _Machine.new_object,
    b"\x92": _Machine.new_object_with_names,
    b"i": _Machine.instance,
    b"o": _Machine.made_of_group,
    b"b": _Machine.build,
    b"\x82": lambda machine: machine.extension("<B"),
    b"\x83": lambda machine: machine.extension("<H"),
    b"\x84": lambda machine: machine.extension("<i"),
    b"P": lambda machine: machine.persistent(machine._line()),  # noqa: SLF001 - as above
    b"Q": lambda machine: machine.persistent(machine.pop()),
}
_TABLE = [_STEPS.get(bytes([code])) for code in range(256)]
_MEMOIZE, _STOP = 0x94, ord(".")
