"""Pickles and joblib files as models: ``see_pickle`` names what they hold, who wrote it and what it wants."""

from __future__ import annotations

import io
import re
import struct
from collections import deque
from typing import TYPE_CHECKING

from toolkit.booster_files import see_catboost, see_xgboost_ubj
from toolkit.pickles import Made, Named, Scan, item_of, scan
from toolkit.seen import NAMES_MAX, Port, Seen, finding, listed
from toolkit.streams import DamagedError, Stream

if TYPE_CHECKING:
    from toolkit.findings import Finding
    from toolkit.verdicts import Import

KIND_CHARACTERS_MAX = 200
VALUES_MAX = 20_000  # looked at in search of a model's inputs
FRAMEWORKS = {
    "sklearn": "scikit-learn",
    "lightgbm": "LightGBM",
    "xgboost": "XGBoost",
    "catboost": "CatBoost",
    "torch": "PyTorch",
    "keras": "Keras",
    "tensorflow": "TensorFlow",
    "numpy": "NumPy",
    "pandas": "pandas",
    "scipy": "SciPy",
}
MODELS = ("sklearn", "lightgbm", "xgboost", "catboost")
# Since when Python reads a protocol; it is the writer's choice, so only "or newer".
PYTHONS = {0: "", 1: "", 2: "2.3 or newer", 3: "3.0 or newer", 4: "3.4 or newer", 5: "3.8 or newer"}
# Modules that tell the version where the file does not: (module, scikit-learn that has it).
AGES = (
    ("sklearn.cross_validation", "before 0.20"),
    ("sklearn.grid_search", "before 0.20"),
    ("sklearn.externals.joblib.numpy_pickle", "before 0.23"),
    ("sklearn.tree.tree", "before 0.22"),
    ("sklearn.ensemble.forest", "before 0.22"),
    ("sklearn.linear_model.logistic", "before 0.22"),
    ("sklearn.linear_model.base", "before 0.22"),
    ("sklearn.preprocessing.data", "before 0.22"),
    ("sklearn.svm.classes", "before 0.22"),
)


def see_pickle(stream: Stream) -> Seen:
    """Return what a pickle or joblib file holds; damage in it is told as the reason why it cannot be served."""
    return seen_of(scan(stream))


def seen_of(found: Scan, *, kind: str = "") -> Seen:
    """Return what a scan tells, as a file of the format ``kind`` (by itself: pickle or joblib)."""
    top = found.objects[0] if found.objects else None
    models = list(_models(top))
    imports = ordered(found)
    inputs, outputs = _contract(models)
    booster = _booster(models)
    if booster is not None and (not inputs or all(port.name.startswith("feature_") for port in inputs)):
        inputs, outputs = booster.inputs, outputs or booster.outputs
    framework = _framework(models, top, imports)
    held = holding(top, models)
    return Seen(
        framework=framework,
        format=kind or ("joblib" if found.arrays or found.beside else "pickle"),
        version=_version(found) if framework == "scikit-learn" else booster.version if booster else "",
        python=PYTHONS.get(found.protocol, "") if found.pickles else "",
        protocol=found.protocol,
        holds=held,
        opens=imports,
        inputs=inputs,
        outputs=outputs,
        findings=tuple(_findings(found, top, models)),
        reason=_reason(found, models, held),
        way=_way(found, models),
    )


def ordered(found: Scan) -> tuple[Import, ...]:
    """Return the imports, the worst first, each kind in the order of the file."""
    order = {"dangerous": 0, "unknown": 1, "harmless": 2}
    return tuple(sorted(found.opens.values(), key=lambda one: order[one.verdict]))


def holding(top: object, models: list[Made]) -> str:
    """Return in words what the file holds: a class, or a container with what lies in it."""
    match top:
        case Made():
            return top.kind[:KIND_CHARACTERS_MAX] or "an object of a class that the bytes do not tell"
        case Named():
            return f"{top.full[:KIND_CHARACTERS_MAX]} by name"
        case dict():
            names = listed([str(key) for key in top])
            return f"a dictionary of {names}" if top else "an empty dictionary"
        case list() | tuple():
            what = f": {listed([model.kind for model in models])}" if models else ""
            return f"a {type(top).__name__} of {len(top):,}{what}"
        case None:
            return "nothing"
        case _:
            return f"a value of type {type(top).__name__}"


def walk(top: object) -> list[object]:
    """Return the values in and below ``top``, nearest first, each once, at most ``VALUES_MAX``."""
    waiting, seen = deque([top]), {id(top)}
    found: list[object] = []
    while waiting and len(found) < VALUES_MAX:
        value = waiting.popleft()
        found.append(value)
        for inner in _below(value):
            if isinstance(inner, Made | dict | list | tuple) and id(inner) not in seen:
                seen.add(id(inner))
                waiting.append(inner)
    return found


def _below(value: object) -> list[object]:
    match value:
        case Made():
            return [value.arguments, value.state, value.items, value.entries]
        case dict():
            return list(value.values())
        case list() | tuple():
            return list(value)
        case _:
            return []


def _models(top: object) -> list[Made]:
    return [value for value in walk(top) if isinstance(value, Made) and value.kind.split(".")[0] in MODELS]


def _framework(models: list[Made], top: object, imports: tuple[Import, ...]) -> str:
    kind = top.kind if isinstance(top, Made) else ""
    for named in (kind, *(model.kind for model in models)):
        if named.split(".")[0] in FRAMEWORKS and (models or named):
            return FRAMEWORKS[named.split(".")[0]]
    roots = [one.module.split(".")[0] for one in imports]
    return next((FRAMEWORKS[root] for root in ("sklearn", "torch", "numpy", "pandas") if root in roots), "Python")


def _version(found: Scan) -> str:
    told = found.versions.get("scikit-learn", "")
    return told or next((age for module, age in AGES if any(known == module for known, _ in found.opens)), "")


def _contract(models: list[Made]) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    for model in models:
        held = model.attributes
        names = texts_of(held.get("feature_names_in_"))
        count = whole(held.get("n_features_in_", held.get("_n_features", held.get("n_features_"))))
        if not inputs and names:
            inputs = tuple(Port(name) for name in names[:NAMES_MAX])
        elif not inputs and count and 0 < count <= NAMES_MAX:
            inputs = tuple(Port(f"feature_{index}") for index in range(count))
        classes = [str(value) for value in values_of(held.get("classes_"))]
        if not outputs and classes:
            outputs = tuple(Port(name, "class") for name in classes[:NAMES_MAX])
    return inputs, outputs


def _booster(models: list[Made]) -> Seen | None:
    """Return what the first booster's own form tells, which lies inside of the pickle; ``None`` when there is none."""
    for model in models:
        held = model.attributes
        raw = next((held[name] for name in ("handle", "_handle", "__model") if name in held), None)
        if isinstance(raw, Made) and isinstance(raw.arguments, tuple) and raw.arguments:
            raw = raw.arguments[0]
        try:
            if isinstance(raw, bytes) and raw.startswith(b"CBM1"):
                return see_catboost(memoryview(raw))
            if isinstance(raw, bytes) and raw.startswith(b"{"):
                return see_xgboost_ubj(Stream(io.BytesIO(raw), bytes_max=len(raw)))
            if isinstance(raw, str) and raw.startswith("tree\n"):
                names = re.search(r"\nfeature_names=(.*)\n", raw)
                ports = tuple(Port(name) for name in names[1].split()[:NAMES_MAX]) if names else ()
                return Seen("LightGBM", "lightgbm-text", inputs=ports)
        except (DamagedError, ValueError, struct.error):
            return None  # it was cut for its size, or is damaged: the library will tell
    return None


def texts_of(value: object) -> list[str]:
    """Return an array's or list's texts, nothing when it holds anything else."""
    found = values_of(value)
    return [text for text in found if isinstance(text, str)] if all(isinstance(text, str) for text in found) else []


def values_of(value: object) -> list[object]:
    """Return the elements of an array of Python objects, of numbers or of a list, as far as they were kept."""
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, Made):
        return []
    if value.kind.endswith("NumpyArrayWrapper"):
        inner = value.items[0] if value.items else None
        return _numbers(inner, value.attributes.get("dtype")) if isinstance(inner, bytes) else values_of(inner)
    if value.kind.endswith("._frombuffer") and isinstance(value.arguments, tuple) and len(value.arguments) > 1:
        return _numbers(value.arguments[0], value.arguments[1])  # as protocol 5 writes arrays
    state = value.state
    if isinstance(state, tuple) and len(state) == 5:  # noqa: PLR2004 - numpy's: version, shape, type, order, data
        data = state[4]
        return list(data) if isinstance(data, list) else _numbers(data, state[2])
    return []


def _numbers(data: object, dtype: object) -> list[object]:
    """Return the numbers or fixed-width texts that an array's bytes hold."""
    width, objects = item_of(dtype)
    if isinstance(data, Made):  # bytes that protocol 2 writes as text
        inner = data.arguments[0] if isinstance(data.arguments, tuple) and data.arguments else None
        data = inner.encode("latin1", "replace") if isinstance(inner, str) else None
    if not isinstance(data, bytes) or objects or width <= 0 or not isinstance(dtype, Made):
        return []
    letter = str(dtype.arguments[0])[:1] if isinstance(dtype.arguments, tuple) and dtype.arguments else ""
    pieces = [data[at : at + width] for at in range(0, len(data) - width + 1, width)]
    if letter == "U":
        return [piece.decode("utf-32-le", "replace").rstrip("\0") for piece in pieces]
    if letter == "S":
        return [piece.rstrip(b"\0").decode("latin1") for piece in pieces]
    form = {
        ("i", 1): "b",
        ("i", 2): "<h",
        ("i", 4): "<i",
        ("i", 8): "<q",
        ("f", 4): "<f",
        ("f", 8): "<d",
        ("b", 1): "?",
    }
    known = form.get((letter, width))
    return [struct.unpack(known, piece)[0] for piece in pieces] if known else []


def whole(value: object) -> int | None:
    """Return a whole number, also one that numpy wrote."""
    if isinstance(value, int):
        return value
    if isinstance(value, Made) and value.kind.endswith("multiarray.scalar") and isinstance(value.arguments, tuple):
        found = _numbers(value.arguments[1], value.arguments[0]) if len(value.arguments) > 1 else []
        return found[0] if found and isinstance(found[0], int) else None
    return None


def _findings(found: Scan, top: object, models: list[Made]) -> list[Finding]:
    told = []
    if found.pickles > 1:
        message = f"{found.pickles:,} pickles in a row; a program that loads the file reads the first alone"
        told.append(finding("several-pickles", message, "warning"))
    if found.trailing_bytes:
        told.append(finding("bytes-after", "bytes follow its end, which opening it does not read", "warning"))
    if isinstance(top, dict | list | tuple) and models:
        message = (
            f"it is {holding(top, models)}; the models in it are {listed(list(dict.fromkeys(m.kind for m in models)))}"
        )
        told.append(finding("bundle", message))
    for model in models:
        if model.attributes.get("input") == "filename" and "text" in model.kind:
            message = f"`{model.kind}` takes what it is given for names of files and reads them"
            told.append(finding("reads-files", message, "warning"))
    return told


def _reason(found: Scan, models: list[Made], held: str) -> str:
    refused = [one for one in found.opens.values() if one.verdict != "harmless"]
    if refused:
        return refusal(sorted(refused, key=lambda one: one.verdict != "dangerous"))
    if found.damage:
        return f"it is damaged: {found.damage}" if not found.bomb else f"it is refused: {found.damage}"
    if found.beside:
        return f"its arrays lie in other files beside it ({listed(found.beside)}), a form that joblib left in 2016"
    if found.persistent:
        return "it refers to values that lie outside of it"
    if not models:
        return f"it holds no model: {held}"
    return ""


def _way(found: Scan, models: list[Made]) -> str:
    verdicts = {one.verdict for one in found.opens.values()}
    if "dangerous" in verdicts:
        return "do not open it; ask whoever made it for an ONNX or skops file"
    if "unknown" in verdicts:
        return "if you wrote it yourself, `--trust` opens it; else ask for an ONNX or skops file"
    if found.bomb:
        return "do not open it"
    if found.damage:
        return "download it again"
    if found.beside:
        return "open it where it was made and save it again with today's joblib"
    return "" if models else "name the file that holds the model"


def refusal(refused: list[Import]) -> str:
    """Return a sentence that names every import that is not harmless."""
    deeds = [f"{'call' if one.called else 'import'} `{one.full[:120]}` ({one.why})" for one in refused]
    most = 12
    rest = f", and {len(deeds) - most:,} more" if len(deeds) > most else ""
    return f"opening it would {'; '.join(deeds[:most])}{rest}"
