"""A model file becomes an ``Artifact``: what it is, who wrote it, and what opening it would run; it is never opened.

    bytes -> the reader of their format -> what it would import, its inputs, why it can or cannot be served

Nothing of the file is unpickled, imported or executed. What the content is decides, never the name's ending.
"""

from __future__ import annotations

import hashlib
import mmap
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit import booster_files as boosters
from toolkit.errors import ArtifactError
from toolkit.files import sha256_of
from toolkit.findings import Finding
from toolkit.graph_files import is_onnx, see_onnx
from toolkit.hdf5_files import reaches_outside
from toolkit.keras_files import configs_in, see_keras
from toolkit.model_archives import see_npy, see_zip
from toolkit.model_folders import see_folder
from toolkit.network_files import (
    is_safetensors,
    is_saved_model,
    see_safetensors,
    see_saved_model,
    see_stranger_message,
    see_tflite,
)
from toolkit.pickled import seen_of
from toolkit.pickles import scan
from toolkit.records import Record
from toolkit.seen import Port, Seen, finding
from toolkit.strangers import see_stranger
from toolkit.streams import DamagedError, compression_of, open_stream
from toolkit.torch_files import torch_weights
from toolkit.verdicts import Import
from toolkit.wire import Message

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.streams import Stream

__all__ = ["Artifact", "Import", "Port", "look", "require"]

HEAD_BYTES = 4096
HDF5 = b"\x89HDF\r\n\x1a\n"
HDF5_LATER = 512  # where it begins behind a block of somebody else's, as MATLAB's
TORCH_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of files that PyTorch wrote until 1.5
FILES_MAX = 10_000  # of a model folder


@dataclass(frozen=True)
class Artifact(Record):
    """What the bytes of a model file tell.

    ``opens`` are all globals that opening it would import, the worst first; ``allowed`` the harmless of them.
    ``servable`` is whether the file may be opened and can be served; ``reason`` why not, ``way`` the nearest way to a
    file that can. ``inputs`` and ``outputs`` are given as far as the bytes tell them, ``version`` is that of the
    library which wrote the file, ``holds`` says in words what is in it.
    """

    name: str
    size_bytes: int
    sha256: str
    framework: str
    format: str
    compression: str = ""
    version: str = ""
    python: str = ""
    protocol: int | None = None
    holds: str = ""
    opens: tuple[Import, ...] = ()
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    findings: tuple[Finding, ...] = ()
    servable: bool = True
    reason: str = ""
    way: str = ""

    @property
    def allowed(self) -> frozenset[tuple[str, str]]:
        """Return the (module, name) pairs that opening the file may import."""
        return frozenset((one.module, one.name) for one in self.opens if one.verdict == "harmless")

    @property
    def refused(self) -> tuple[Import, ...]:
        """Return the imports that are dangerous or unknown."""
        return tuple(one for one in self.opens if one.verdict != "harmless")


def look(path: Path) -> Artifact:
    """Return what the model file (or model folder) at ``path`` is, from its bytes alone.

    A file that is dangerous, damaged or of a kind that is not served comes back with ``servable`` false and the
    reason; ``ArtifactError`` is raised for what is no model at all, and for what cannot be read.
    """
    try:
        if path.is_dir():
            return _look_at_folder(path)
        size = path.stat().st_size
        if size == 0:
            message = f"`{path.name}` is empty: 0 bytes"
            raise ArtifactError(message, hint="download it again")
        seen = _see(path)
        return _artifact(path, seen, size_bytes=size, sha256=sha256_of(path))
    except OSError as error:
        message = f"`{path.name}` cannot be read: {error.strerror or error}"
        raise ArtifactError(message, hint="check the path, its permissions and the disk") from error


def _look_at_folder(path: Path) -> Artifact:
    """Return what a model folder is; its hash is that of its files' names and hashes."""
    try:
        seen = see_folder(path, _see)
    except DamagedError as error:
        message = f"the folder `{path.name}` is damaged or no model: {_told(error)}"
        raise ArtifactError(message, hint="download it again") from error
    if seen is None:
        message = f"the folder `{path.name}` is no model that is known here"
        raise ArtifactError(message, hint="name the model file in it")
    files = sorted(one for one in path.rglob("*") if one.is_file() and not one.is_symlink())[:FILES_MAX]
    digest = hashlib.sha256()
    for one in files:
        digest.update(f"{one.relative_to(path).as_posix()}\0{sha256_of(one)}\n".encode())
    size = sum(one.stat().st_size for one in files)
    return _artifact(path, seen, size_bytes=size, sha256=digest.hexdigest())


def require(artifact: Artifact, *, trust: bool = False) -> None:
    """Raise ``ArtifactError`` when the file must not be opened or cannot be served, with the reason.

    ``trust`` lets imports pass that are dangerous or unknown; damage and forms without a way to serve stay refused.
    """
    if artifact.servable or (trust and artifact.refused and not artifact.reason.startswith("it is damaged")):
        return
    message = f"`{artifact.name}` cannot be used: {artifact.reason}"
    raise ArtifactError(message, hint=artifact.way or "ask for an ONNX file")


def _artifact(path: Path, seen: Seen, *, size_bytes: int, sha256: str) -> Artifact:
    found = seen.findings
    renamed = _renamed(path, seen)
    if renamed:
        found = (finding("renamed", renamed, "warning"), *found)
    return Artifact(
        name=path.name,
        size_bytes=size_bytes,
        sha256=sha256,
        framework=seen.framework,
        format=seen.format,
        compression=seen.compression,
        version=seen.version,
        python=seen.python,
        protocol=seen.protocol,
        holds=seen.holds,
        opens=seen.opens,
        inputs=seen.inputs,
        outputs=seen.outputs,
        findings=found,
        servable=not seen.reason,
        reason=seen.reason,
        way=seen.way,
    )


# What a file's ending promises: formats by the first word of their name.
ENDINGS = {
    ".onnx": ("onnx",),
    ".skops": ("skops",),
    ".cbm": ("catboost",),
    ".ubj": ("xgboost",),
    ".keras": ("keras",),
    ".h5": ("hdf5", "keras"),
    ".hdf5": ("hdf5", "keras"),
    ".tflite": ("tflite",),
    ".safetensors": ("safetensors",),
    ".gguf": ("gguf",),
    ".joblib": ("joblib", "pickle"),
    ".pkl": ("pickle", "joblib"),
    ".pickle": ("pickle", "joblib"),
    ".pt": ("torch", "torchscript", "exported"),
    ".pth": ("torch", "torchscript"),
    ".pt2": ("exported",),
    ".npy": ("npy",),
    ".npz": ("npz",),
    ".pmml": ("pmml",),
    ".rds": ("rds",),
    ".mat": ("matlab",),
}


def _renamed(path: Path, seen: Seen) -> str:
    promised = ENDINGS.get(path.suffix.lower())
    if promised is None or seen.format.split("-")[0] in promised:
        return ""
    return f"its name ends with `{path.suffix}` and its content is {seen.format}: the content counts"


def _see(path: Path) -> Seen:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kind = compression_of(head)
    try:
        seen = _see_magic(path, _mapped(path), head)
        if seen is not None:
            return seen
        with open_stream(path, compression=kind) as stream:
            seen = _see_stream(stream, path, kind)
    except (DamagedError, struct.error, ValueError, OverflowError, RecursionError) as error:
        message = f"`{path.name}` is damaged or no model: {_told(error)}"
        raise ArtifactError(message, hint="download it again") from error
    return Seen(**{**vars(seen), "compression": kind})


def _told(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _mapped(path: Path) -> memoryview:
    """Return the bytes of a file without reading them all; the map ends with the last view of it."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _see_magic(path: Path, data: memoryview, head: bytes) -> Seen | None:
    """Return what a file is that its first bytes name, ``None`` when they do not."""
    if head.startswith(b"CBM1"):
        return boosters.see_catboost(data)
    if head.startswith(b"PK\x03\x04"):
        return see_zip(path) or _zip_of_something_else(path)
    if head.startswith(HDF5) or (len(data) > HDF5_LATER + 8 and data[HDF5_LATER : HDF5_LATER + 8] == HDF5):
        return _see_hdf5(data)
    if head[4:8] == b"TFL3":
        return see_tflite(data)
    if is_safetensors(data):
        return see_safetensors(data)
    if re.match(rb"\s*\{\s*\"(?:learner|version|Config)\"", head):
        return boosters.see_xgboost_json(data)
    message = Message(data)
    if head[:1] == b"\x08" and is_onnx(message):
        return see_onnx(message, path.resolve().parent)
    if head[:1] == b"\x08" and is_saved_model(message):
        return see_saved_model(message)
    if head[:1] in {b"\x08", b"\x0a"} and (known := see_stranger_message(message)):
        return known
    return see_stranger(head)


def _zip_of_something_else(path: Path) -> Seen:
    reason = "it is an archive of files, and no model by itself"
    return Seen(
        "", "zip", holds=f"files, packed as `{path.name}`", reason=reason, way="unpack it, then name the model in it"
    )


def _see_hdf5(data: memoryview) -> Seen:
    """Return what an HDF5 file holds: a network of Keras, its weights alone, or something else."""
    if b"MATLAB 7.3" in bytes(data[:128]):
        return Seen(
            "MATLAB", "matlab", reason="variables of MATLAB are not served here", way="export the network as ONNX"
        )
    end = _hdf5_end(data)
    if end > len(data):
        message = f"it is said to take {end:,} bytes and has {len(data):,}: it is cut off"
        raise DamagedError(message)
    configs, version = configs_in(data)
    outside = reaches_outside(data)
    seen = [
        see_keras(config, kind="keras-hdf5", version=version, weights_bytes=len(data), outside=outside)
        for config in configs
    ]
    if seen:
        return next((one for one in seen if one.reason), seen[0])
    reason = "it holds arrays and no network (`model_config` is not in it): weights alone cannot answer"
    return Seen(
        "Keras" if version else "", "hdf5", version=version, reason=reason, way="save the whole model as .keras or ONNX"
    )


def _hdf5_end(data: memoryview) -> int:
    """Return where an HDF5 file says that it ends, 0 when it does not say it in a form that is known."""
    if len(data) < HDF5_LATER // 8 or bytes(data[:8]) != HDF5:
        return 0
    place = {0: 40, 1: 44, 2: 28, 3: 28}.get(data[8])
    wide = data[13 if data[8] < 2 else 9] == 8  # noqa: PLR2004 - from version 2 on the sizes stand elsewhere
    return int(struct.unpack_from("<Q", data, place)[0]) if place and wide else 0


def _see_stream(stream: Stream, path: Path, kind: str) -> Seen:
    """Return what a file is that is read in order, as it lies there or decompressed."""
    head = stream.peek(HEAD_BYTES)
    if kind and (known := see_stranger(head)):
        return known
    if head.startswith(b"\x93NUMPY"):
        return see_npy(stream)
    if head.startswith(b"tree\n") and b"version=" in head:
        return boosters.see_lightgbm(stream)
    if head[:2] in {b"{L", b"{i", b"{U", b"{I", b"{l"} and b"learner" in head[:40]:
        return boosters.see_xgboost_ubj(stream)
    if boosters.is_xgboost_binary(head):
        return boosters.see_xgboost_binary(head)
    found = scan(stream)
    if found.objects and found.objects[0] == TORCH_MAGIC:
        return torch_weights(found, kind="torch-legacy")
    seen = seen_of(found)
    if seen.protocol or not seen.reason.startswith("it is damaged") or seen.opens:
        return seen
    packed = f" (packed with {kind})" if kind else ""
    message = f"`{path.name}` is no model that is known here{packed}: it begins with {head[:12]!r}"
    raise ArtifactError(message, hint="a table is read by the same command; else export the model as ONNX")
