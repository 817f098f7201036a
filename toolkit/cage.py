"""A model file is opened where it can do no harm: ``read_caged`` gives its reading, or says why there is none.

The cage is a process of its own that has given up the network, other programs, all files but a scratch folder and the
libraries, and more memory or time than it is given (``caged/lock.py``). What comes out of it is checked like anything
from outside: JSON and plain arrays, never a pickle.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

ROWS = 300  # drawn for the proof
SEED = 7
MEMORY_BYTES = 8 << 30  # of addresses: scientific libraries reserve far more than they use
SECONDS = 120  # of the processor; by the clock, ``CLOCK_TIMES`` as many
CLOCK_TIMES = 3
FILE_BYTES_MAX = 4 << 30  # that the cage may write, and that a compressed file may hold
RESULT_BYTES_MAX = 256 << 20
TOLD_CHARACTERS_MAX = 300
LAYERS_NEEDED = frozenset({"audit"})  # on Linux, seccomp as well: see ``_hold_layers``

# What the cage may read besides its own folder: the interpreter, the system's libraries, and facts of the machine.
SYSTEM_FOLDERS = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/sys/devices/system/cpu")
SYSTEM_FILES = ("/dev/null", "/dev/urandom", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm")


class UnopenedError(ArtifactError):
    """The cage could not open the file with the libraries that it had; another version of them might."""


@dataclass(frozen=True)
class Caged:
    """What came out of the cage: ``document`` (columns, encoder, graph, drawn rows) and its ``arrays`` by name."""

    document: dict[str, Any]
    arrays: dict[str, Any] = field(repr=False)


def read_caged(
    path: Path,
    *,
    allowed: Collection[tuple[str, str]],
    names: Sequence[str] = (),
    beside: Mapping[str, tuple[Path, Collection[tuple[str, str]]]] | None = None,
    library: str = "",
    network: Mapping[str, Any] | None = None,
    imports: Sequence[str] = (),
    trust: bool = False,
    python: Path | None = None,
    seconds: int = SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> Caged:
    """Return the reading of the model in ``path``, made in a cage by ``python`` (this interpreter by default).

    ``allowed`` are the (module, name) pairs that the file may import, as the look at its bytes found them; ``names``
    are column names for a model that does not know its own; ``beside`` are files that may prepare its rows, by name,
    each with what it may import; ``library`` opens a file of its own form, and ``imports`` are the packages that the
    model needs; ``network`` is what is known of a network's inputs. ``ArtifactError`` says what the file tried, or why
    it has no served form; ``UnopenedError`` that these versions of its libraries cannot open it.
    """
    interpreter = Path(sys.executable) if python is None else python
    with tempfile.TemporaryDirectory(prefix="kaggle2app-cage-") as name:
        folder = Path(name).resolve()
        _prepare(folder, path)
        others = sorted((beside or {}).items())
        for place, (_, (other, _imports)) in enumerate(others):
            shutil.copyfile(other, folder / f"beside_{place}")
        job = {
            "beside": [{"name": name, "allowed": sorted(may)} for name, (_, may) in others],
            "allowed": sorted(allowed),
            "names": list(names) or None,
            "library": library,
            "network": dict(network or {}),
            "imports": list(imports),
            "trust": trust,
            "rows": ROWS,
            "seed": SEED,
            "readable": [*_libraries_of(interpreter), *SYSTEM_FOLDERS, *SYSTEM_FILES],
            "limits": {"memory_bytes": memory_bytes, "seconds": seconds, "file_bytes": FILE_BYTES_MAX},
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        ended = _run(interpreter, folder, seconds=seconds * CLOCK_TIMES)
        return _result(folder, path.name, ended)


def _prepare(folder: Path, path: Path) -> None:
    """Copy the file and the code that opens it into the scratch folder."""
    code = folder / "code" / "toolkit"
    code.mkdir(parents=True)
    (code / "__init__.py").write_text("", encoding="utf-8")
    shutil.copytree(Path(__file__).parent / "caged", code / "caged", ignore=shutil.ignore_patterns("__pycache__"))
    if path.is_dir():  # links in it stay links, which the lock leads nowhere
        shutil.copytree(path, folder / "model", symlinks=True)
    else:
        shutil.copyfile(path, folder / "model")


def _libraries_of(interpreter: Path) -> list[str]:
    """Return the folders that an interpreter loads its libraries from."""
    asked = "import sys, json; print(json.dumps([sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path]))"
    told = subprocess.run(
        [str(interpreter), "-I", "-c", asked], capture_output=True, text=True, check=True, env={}, timeout=60
    )
    return [folder for folder in json.loads(told.stdout) if folder and folder != "/"]


def _run(interpreter: Path, folder: Path, *, seconds: int) -> str:
    """Run the cage and return how it ended: ``""``, ``"time"`` or what the signal was."""
    log = folder / "talk"
    with log.open("wb") as talk:
        process = subprocess.Popen(
            [str(interpreter), "-s", "-m", "toolkit.caged", str(folder)],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=talk,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return "time"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if code in {-signal.SIGXCPU, -signal.SIGPROF}:  # of all it does, or of the first rows that it is asked
        return "time"
    if code == -signal.SIGKILL:
        return "memory"
    return "" if code == 0 else f"code {code}"


def _environment(folder: Path) -> dict[str, str]:
    """Return the cage's environment: nothing of the person's, no threads or processes that the lock would refuse."""
    return {
        "PYTHONPATH": str(folder / "code"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "JOBLIB_MULTIPROCESSING": "0",
        "LOKY_MAX_CPU_COUNT": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def _result(folder: Path, name: str, ended: str) -> Caged:
    path = folder / "result.json"
    if ended in {"time", "memory"} or not path.is_file():
        limit = {"time": "the time", "memory": "the memory"}.get(ended, "what is allowed")
        told = f" ({ended})" if ended not in {"", "time", "memory"} else ""
        message = f"`{name}` took more than {limit} that a model gets to open{told}: it was stopped"
        raise ArtifactError(message, hint="nothing of it ran outside; look at it with `kaggle2app inspect`")
    if path.is_symlink() or path.stat().st_size > RESULT_BYTES_MAX:
        message = f"`{name}` gave a result of {path.stat().st_size:,} bytes: it was not read"
        raise ArtifactError(message, hint="look at the file with `kaggle2app inspect`")
    document = json.loads(path.read_text(encoding="utf-8"))
    _hold_layers(name, document.get("layers", []))
    error = document.get("error")
    if error:
        raise _told(name, error)
    return Caged(document, _arrays(folder / "arrays.npz", name))


def _hold_layers(name: str, layers: Sequence[str]) -> None:
    needed = {"audit", "seccomp"} if sys.platform.startswith("linux") else {"audit"}
    lacking = sorted(needed - set(layers))
    if lacking:
        message = f"this machine cannot lock a process in ({', '.join(lacking)} is missing): `{name}` was not opened"
        raise ArtifactError(message, hint="open it on Linux, or convert it to ONNX where it was made")


def _arrays(path: Path, name: str) -> dict[str, Any]:
    import numpy as np  # noqa: PLC0415 - 100 ms

    try:
        with np.load(path, allow_pickle=False) as found:
            return {key: found[key] for key in found.files}
    except (OSError, ValueError) as error:
        message = f"the reading of `{name}` is damaged: {error}"
        raise ArtifactError(message, hint="look at the file with `kaggle2app inspect`") from error


def _told(name: str, error: dict[str, Any]) -> ArtifactError:
    """Return the cage's failure as one sentence; its text came out of the file, so it is cut and made one line."""
    said = " ".join(str(error.get("message", "")).split())[:TOLD_CHARACTERS_MAX]
    said = "".join(letter if letter.isprintable() else "?" for letter in said)
    inspect = f"`kaggle2app inspect {name}` shows what the file holds"
    match error.get("kind"):
        case "refused":
            return ArtifactError(f"`{name}` asks for what no model needs: {said}", hint=inspect)
        case "lost":
            return UnopenedError(f"`{name}` does not open with the libraries at hand: {said}", hint=inspect)
        case "unserved":
            return ArtifactError(f"`{name}` cannot be served: {said}", hint=inspect)
        case "limits":
            return ArtifactError(f"`{name}` was stopped: {said}", hint=inspect)
        case _:
            return UnopenedError(f"`{name}` does not answer: {error.get('type', 'error')}: {said}", hint=inspect)
