"""Any way a person names a thing on Kaggle, or on their own disk, becomes a ``Handle``."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from toolkit.errors import UsageError
from toolkit.records import Record

HandleKind = Literal["sample", "local", "dataset", "competition", "model", "notebook"]

SAMPLES = ("iris", "wine", "breast-cancer", "diabetes")
KINDS: tuple[HandleKind, ...] = ("sample", "local", "dataset", "competition", "model", "notebook")
KIND_ALIASES: dict[str, HandleKind] = {
    "sample": "sample",
    "local": "local",
    "file": "local",
    "dataset": "dataset",
    "datasets": "dataset",
    "competition": "competition",
    "competitions": "competition",
    "c": "competition",
    "model": "model",
    "models": "model",
    "notebook": "notebook",
    "notebooks": "notebook",
    "kernel": "notebook",
    "code": "notebook",
}
# Kaggle's own spelling (kagglesdk's ModelFramework in camel case) by what people type, without case, hyphens and dots.
FRAMEWORKS = (
    "tensorFlow1",
    "tensorFlow2",
    "tfLite",
    "tfJs",
    "pyTorch",
    "jax",
    "coral",
    "scikitLearn",
    "mxnet",
    "onnx",
    "keras",
    "api",
    "other",
    "flax",
    "pax",
    "transformers",
    "maxText",
    "gemmaCpp",
    "ggml",
    "tensorRtLlm",
    "gguf",
    "triton",
    "vllm",
)
FRAMEWORK_ALIASES = {
    **{name.lower(): name for name in FRAMEWORKS},
    "sklearn": "scikitLearn",
    "torch": "pyTorch",
    "tf1": "tensorFlow1",
    "tf": "tensorFlow2",
    "tf2": "tensorFlow2",
    "tensorflow": "tensorFlow2",
    "tensorflowlite": "tfLite",
    "tensorflowjs": "tfJs",
}
FORMS = {
    "dataset": "owner/slug or owner/slug/versions/N",
    "competition": "the competition's slug, such as titanic",
    "model": "owner/model/framework/variation or owner/model/framework/variation/N",
    "notebook": "notebook:owner/slug or notebook:owner/slug/N",
    "sample": f"sample:NAME with one of {', '.join(SAMPLES)}",
}
SLUG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?\Z")
SLUG_LENGTH_MAX = 120
DRIVE = re.compile(r"[A-Za-z]:[\\/]")
NO_OWNERS = frozenset(  # what Kaggle's addresses begin with and nobody is called
    """account benchmarks discussions docs hackathons learn me organizations progression rankings search settings
    simulations static terms work""".split()  # noqa: SIM905 - easier to read
)
NOTEBOOK_TABS = frozenset({"log", "notebook", "output", "script"})  # of its old address: kaggle.com/owner/slug/notebook
ADDRESS_WORDS = frozenset({"c", "code", "competitions", "data", "datasets", "models"})
VERSION = re.compile(r"v?([1-9][0-9]{0,8})\Z")
FILE_SUFFIXES = frozenset(
    (
        ".csv",
        ".tsv",
        ".txt",
        ".data",
        ".dat",
        ".tab",
        ".psv",
        ".json",
        ".jsonl",
        ".ndjson",
        ".parquet",
        ".pq",
        ".feather",
        ".arrow",
        ".xls",
        ".xlsx",
        ".xlsm",
        ".ods",
        ".arff",
        ".db",
        ".sqlite",
        ".sqlite3",
        ".zip",
        ".gz",
        ".tgz",
        ".tar",
        ".bz2",
        ".xz",
        ".zst",
        ".7z",
        ".pkl",
        ".pickle",
        ".joblib",
        ".skops",
        ".onnx",
        ".h5",
        ".hdf5",
        ".keras",
        ".pt",
        ".pth",
        ".pt2",
        ".tflite",
        ".cbm",
        ".ubj",
        ".bst",
        ".safetensors",
        ".gguf",
        ".bin",
        ".pb",
        ".npz",
        ".npy",
        ".md",
        ".html",
        ".pdf",
    )
)


@dataclass(frozen=True)
class Handle(Record):
    """A thing to fetch: its kind and the parts that name it; ``version`` is ``None`` for the newest.

    ``str()`` gives a text that parses to the same handle.

    >>> Handle.parse("https://www.kaggle.com/datasets/uciml/iris/versions/2?select=Iris.csv")
    Handle(kind='dataset', owner='uciml', slug='iris', framework='', variation='', version=2, path='')
    >>> str(Handle.parse("google/gemma/pytorch/2b/3"))
    'google/gemma/pyTorch/2b/3'
    """

    kind: HandleKind
    owner: str = ""
    slug: str = ""
    framework: str = ""
    variation: str = ""
    version: int | None = None
    path: str = ""

    def __str__(self) -> str:
        """Return the handle as a person would type it."""
        version = "" if self.version is None else str(self.version)
        parts: tuple[str, ...]
        match self.kind:
            case "local":
                return self.path
            case "sample" | "competition":
                return f"{self.kind}:{self.slug}"
            case "dataset":
                parts = (self.owner, self.slug, f"versions/{version}" if version else "")
            case "notebook":
                return f"notebook:{self.owner}/{self.slug}" + (f"/{version}" if version else "")
            case "model":
                parts = (self.owner, self.slug, self.framework, self.variation, version)
        plain = "/".join(part for part in parts if part)
        return f"{self.kind}:{plain}" if _has_file_suffix(plain) else plain

    @property
    def page(self) -> str:
        """Return the address of the thing's page on Kaggle, empty for what is not there."""
        base = "https://www.kaggle.com"
        match self.kind:
            case "dataset":
                return f"{base}/datasets/{self.owner}/{self.slug}"
            case "competition":
                return f"{base}/competitions/{self.slug}"
            case "notebook":
                return f"{base}/code/{self.owner}/{self.slug}"
            case "model":
                return f"{base}/models/{self.owner}/{self.slug}"
            case "sample" | "local":
                return ""

    @property
    def cache_parts(self) -> tuple[str, ...]:
        """Return the folders under which a cache keeps the thing, without its version."""
        parts = (f"{self.kind}s", self.owner, self.slug, self.framework, self.variation)
        return tuple(part for part in parts if part)

    @classmethod
    def parse(cls, text: str) -> Handle:
        """Return the handle that ``text`` names: a handle, a page's address, ``sample:NAME`` or a local path.

        What exists on disk, or looks like a path (``./``, ``~``, a file's suffix), is local. Raises ``UsageError``
        that names the part, the form expected and the nearest reading.
        """
        try:
            return cls._read(text)
        except UsageError as error:
            near = _nearest(text.strip())
            hint = f"did you mean `{near}`?" if near else "see `kaggle2app new --help`"
            raise UsageError(error.message, hint=error.hint or hint) from None

    @classmethod
    def _read(cls, text: str) -> Handle:
        """Return the handle that ``text`` names; a ``UsageError`` without a hint waits for the nearest reading."""
        plain = text.strip().strip("\"'").strip()
        if not plain or any(ord(letter) < ord(" ") for letter in plain):
            message = "the source is empty" if not plain else "the source holds a control character"
            raise UsageError(message, hint="name one, such as `kaggle2app new sample:iris`")
        if re.match(r"(?:https?://)?(?:www\.|m\.)?kaggle\.com(?:/|\?|#|$)", plain, re.IGNORECASE):
            return _from_address(plain)
        if re.match(r"[a-z][a-z0-9+.-]*://", plain, re.IGNORECASE):
            message = f"`{_short(plain)}` is not a page of kaggle.com"
            raise UsageError(message, hint="download it yourself, then name the file")
        prefix, colon, rest = plain.partition(":")
        kind = KIND_ALIASES.get(prefix.strip().lower())
        if colon and (kind or not _is_path(plain)) and not DRIVE.match(plain):
            if kind is None:
                message = f"`{_short(prefix)}:` is no kind of source, expected one of {', '.join(KINDS)}"
                raise UsageError(message, hint=_near_kind(prefix, rest))
            return _of_kind(kind, rest.strip(), plain)
        if _is_path(plain):
            return _local(plain)
        if plain.rstrip("/") != plain and "/" not in plain.rstrip("/"):
            message = f"the slug is empty in `{_short(plain)}`, expected {FORMS['dataset']}"
            raise UsageError(message, hint=f"for a competition leave the slash away: `{_short(plain.rstrip('/'))}`")
        return _from_parts([part.strip() for part in plain.strip("/").split("/")], plain)


def _from_parts(parts: list[str], text: str) -> Handle:
    """Return the handle of a bare text: one part is a competition, two a dataset, four or five a model."""
    if len(parts) == 1:
        return _of_kind("competition", text, text)
    if len(parts) in {2, 3} or parts[2].lower() in {"versions", "version"}:
        return _of_kind("dataset", "/".join(parts), text)
    return _of_kind("model", "/".join(parts), text)


def _of_kind(kind: HandleKind, rest: str, text: str) -> Handle:
    if kind == "sample":
        return _sample(rest)
    if kind == "local":
        if not rest:
            message = "the local path is empty"
            raise UsageError(message, hint="name a file or folder, such as `local:data.csv`")
        return _local(rest)
    parts = [part.strip() for part in rest.strip("/").split("/")]
    version: int | None = None
    named, wanted = {"competition": (1, 0), "dataset": (2, 1), "notebook": (2, 1), "model": (4, 1)}[kind]
    if wanted and len(parts) == named + 2 and parts[named].lower() in {"versions", "version"}:
        parts = [*parts[:named], parts[-1]]
    if kind == "model" and len(parts) in {2, 3}:
        missing = "framework" if len(parts) == 2 else "variation"  # noqa: PLR2004 - owner and model
        message = f"`{_short(text)}` names no {missing}, expected {FORMS[kind]}"
        raise UsageError(message, hint=f"its page lists them: https://www.kaggle.com/models/{'/'.join(parts[:2])}")
    if wanted and len(parts) == named + 1:
        version = _version(parts.pop(), text, kind)
    if len(parts) != named:
        message = f"`{_short(text)}` has {len(parts)} parts, expected {FORMS[kind]}"
        raise UsageError(message)
    names = {"competition": ("slug",), "model": ("owner", "model", "framework", "variation")}.get(
        kind, ("owner", "slug")
    )
    for name, part in zip(names, parts, strict=True):
        if name != "framework":
            _check_slug(name, part, text, kind)
    match kind:
        case "competition":
            return Handle(kind, slug=parts[0])
        case "model":
            owner, slug, framework, variation = parts
            return Handle(kind, owner, slug, _framework(framework, text), variation, version)
        case _:
            return Handle(kind, parts[0], parts[1], version=version)


def _from_address(text: str) -> Handle:
    """Return the handle of a page: its query, fragment and the tab that was open do not matter, a version does."""
    address = text if "://" in text else f"https://{text}"
    parts = [unquote(part) for part in urlsplit(address).path.split("/") if part]
    if not parts:
        message = "the address is Kaggle's front page, expected a dataset, competition, model or notebook"
        raise UsageError(message, hint="open the thing's page and copy its address")
    section, rest = parts[0].lower(), parts[1:]
    if section == "api":
        return _from_download(parts[2:], urlsplit(address).query, text)
    if [part.lower() for part in parts[:2]] == ["datasets", "download"] and parts[2:]:
        return _from_download(parts, urlsplit(address).query, text)
    match section:
        case "competitions" | "c" | "t":
            return _of_kind("competition", "/".join(rest[:1]), text)
        case "datasets":
            return _of_kind("dataset", "/".join([*rest[:2], *_version_of(rest[2:])]), text)
        case "code" | "kernels" | "notebooks":
            return _of_kind("notebook", "/".join([*rest[:2], *_version_of(rest[2:])]), text)
        case "models":
            named = [part for part in rest if part.lower() not in {"frameworks", "variations", "versions"}]
            version = named[4:5] if named[4:5] and VERSION.match(named[4]) else []
            return _of_kind("model", "/".join([*named[:4], *version]), text)
        case _ if len(parts) >= 2 and section not in NO_OWNERS:  # noqa: PLR2004 - the old address of a dataset: kaggle.com/owner/slug
            kind: HandleKind = "notebook" if parts[-1].lower() in NOTEBOOK_TABS else "dataset"
            return _of_kind(kind, "/".join([*parts[:2], *_version_of(parts[2:])]), text)
        case _:
            message = f"`{_short(text)}` is no page of a dataset, competition, model or notebook"
            raise UsageError(message, hint="open the thing's page and copy its address")


def _from_download(parts: list[str], query: str, text: str) -> Handle:
    """Return the handle of an address that downloads something, as the button on its page shows it."""
    told = dict(parse_qsl(query))
    words = [part.lower() for part in parts]
    match words[:2]:
        case ["datasets", "download"]:
            version = told.get("datasetVersionNumber", "")
            return _of_kind("dataset", "/".join([*parts[2:4], *([version] if version else [])]), text)
        case ["competitions", "data"]:
            return _of_kind("competition", "/".join(parts[3:4]), text)
        case ["models", _]:
            return _of_kind("model", "/".join(part for part in parts[1:] if part.lower() != "download"), text)
        case _:
            message = f"`{_short(text)}` downloads no dataset, competition or model"
            raise UsageError(message, hint="open the thing's page and copy its address")


def _version_of(tail: list[str]) -> list[str]:
    """Return the version in what follows the name in an address (``versions/2``, ``version/2``, ``2``), if any."""
    if len(tail) > 1 and tail[0].lower() in {"versions", "version"}:
        return [tail[1]]
    return tail[:1] if tail and VERSION.match(tail[0]) else []


def _local(path: str) -> Handle:
    """Return the handle of a path; a relative one gets its ``./``, so that its text means the same anywhere."""
    rooted = path.startswith(("/", "./", "../", "~", ".\\", "..\\")) or path in {".", ".."} or path[1:2] == ":"
    return Handle("local", path=path if rooted else f"./{path}")


def _sample(name: str) -> Handle:
    plain = name.strip().lower().replace("_", "-").replace(" ", "-")
    if plain in SAMPLES:
        return Handle("sample", slug=plain)
    near = difflib.get_close_matches(plain, SAMPLES, n=1, cutoff=0.5)
    message = f"there is no sample `{_short(name)}`, expected one of {', '.join(SAMPLES)}"
    raise UsageError(message, hint=f"try `sample:{near[0] if near else SAMPLES[0]}`")


def _framework(name: str, text: str) -> str:
    key = re.sub(r"[-_. ]", "", name).lower()
    if key in FRAMEWORK_ALIASES:
        return FRAMEWORK_ALIASES[key]
    near = difflib.get_close_matches(key, list(FRAMEWORK_ALIASES), n=1, cutoff=0.5)
    message = f"`{_short(name)}` in `{_short(text)}` is no framework, expected one of {', '.join(FRAMEWORKS)}"
    raise UsageError(
        message, hint=f"did you mean `{FRAMEWORK_ALIASES[near[0]]}`?" if near else f"the form is {FORMS['model']}"
    )


def _version(part: str, text: str, kind: HandleKind) -> int:
    match = VERSION.match(part)
    if match:
        return int(match[1])
    message = f"`{_short(part)}` in `{_short(text)}` is no version, expected a number from 1 up as in {FORMS[kind]}"
    raise UsageError(message)


def _check_slug(name: str, part: str, text: str, kind: HandleKind) -> None:
    if SLUG.match(part) and len(part) <= SLUG_LENGTH_MAX:
        return
    what = f"the {name} is empty" if not part else f"the {name} `{_short(part)}` holds more than letters, digits, . _ -"
    message = f"{what} in `{_short(text)}`, expected {FORMS[kind]}"
    raise UsageError(message)


def _nearest(text: str) -> str:
    """Return the nearest text that names something on Kaggle, empty when none is near."""
    words = text.strip("\"'").split()
    candidates = list(reversed(words[1:])) if words and words[0].lower() in {"kaggle", "kagglehub"} else []
    quoted = re.search(r"kagglehub\.\w+\(\s*[\"']([^\"']+)", text)
    candidates += [quoted[1]] if quoted else []
    prefix, colon, rest = text.partition(":")
    kind = KIND_ALIASES.get(prefix.strip().lower()) if colon else None
    path = urlsplit(text).path if "://" in text else rest if kind else text
    parts = [re.sub(r"[^A-Za-z0-9._-]+", "-", part).strip("-._") for part in re.split(r"[/\\]+", path)]
    left_away = {"version", "versions", *(ADDRESS_WORDS if "://" in text else ())}
    parts = [part for part in parts if part and part.lower() not in left_away]
    for count in range(min(len(parts), 5), 0, -1):
        plain = "/".join(parts[:count])
        candidates += [f"{kind}:{plain}"] if kind else []
        candidates += [plain] if count > 1 else [f"competition:{plain}"]
    for candidate in candidates:
        try:
            handle = Handle._read(candidate)  # noqa: SLF001 - the same class
        except UsageError:
            continue
        if handle.kind not in {"local", "sample"}:
            return str(handle)
    return ""


def _near_kind(prefix: str, rest: str) -> str:
    near = difflib.get_close_matches(prefix.lower(), list(KIND_ALIASES), n=1, cutoff=0.5)
    return f"did you mean `{KIND_ALIASES[near[0]]}:{rest}`?" if near else "see `kaggle2app new --help`"


def _is_path(text: str) -> bool:
    """Return whether a text means something on this disk: it is there, or it is written as a path or a file's name."""
    if text.startswith(("/", "./", "../", "~", ".\\", "..\\")) or text in {".", ".."} or DRIVE.match(text):
        return True
    if _has_file_suffix(text):
        return True
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # a name longer than any file's
        return False


def _has_file_suffix(text: str) -> bool:
    return Path(text).suffix.lower() in FILE_SUFFIXES


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - one line
