"""Keras's files that reach for other files, or promise what they cannot hold: told from their bytes, never opened."""

from __future__ import annotations

import json
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.artifact import Artifact, look
from toolkit.errors import ArtifactError
from toolkit.hdf5_files import SIGNATURE, reaches_outside

if TYPE_CHECKING:
    from pathlib import Path

HEAP = 0x400
USER_BLOCK = 512


def link(file: str, *, order: bool = False, letters: bool = False) -> bytes:
    """Return HDF5's message of a link named `w` to `/x` in another file."""
    flags = 8 | (4 if order else 0) | (16 if letters else 0)
    target = b"\0" + file.encode() + b"\0/x\0"
    head = bytes((1, flags, 64)) + (bytes(8) if order else b"") + (b"\1" if letters else b"")
    return head + b"\1w" + struct.pack("<H", len(target)) + target


def with_heap(message: bytes, mark: bytes, *, before: int = 0) -> bytes:
    """Return a file whose message names the heap at `HEAP`, counted from where the file begins."""
    body = SIGNATURE + bytes(200) + message
    return bytes(before) + body + bytes(HEAP - len(body)) + mark + bytes(64)


STORED = b"\x01\0\0\0" + struct.pack("<HHQ", 1, 1, HEAP)
MADE = b"\x04\x03" + struct.pack("<QI", HEAP, 1)
REACHING = {
    "link": SIGNATURE + bytes(100) + link("/etc/passwd") + bytes(100),
    "ordered": SIGNATURE + bytes(100) + link("../other.h5", order=True, letters=True) + bytes(100),
    "stored": with_heap(STORED, b"HEAP"),
    "stored behind a block": with_heap(STORED, b"HEAP", before=USER_BLOCK),
    "made of others": with_heap(MADE, b"GCOL"),
}


def config(**dense: Any) -> dict[str, Any]:
    """Return the configuration of one dense layer behind four inputs."""
    first = {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 4], "name": "x"}}
    last = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2, "name": "y", **dense}}
    return {"module": "keras", "class_name": "Sequential", "config": {"layers": [first, last]}}


def keras(path: Path, weights: bytes, **dense: Any) -> Artifact:
    """Return what is seen of a `.keras` file with those weights."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config(**dense)))
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
        archive.writestr("model.weights.h5", weights)
    return look(path)


@pytest.mark.parametrize("content", REACHING.values(), ids=REACHING)
def test_weights_in_another_file_are_refused_in_both_of_keras_forms(tmp_path: Path, content: bytes) -> None:
    zipped = keras(tmp_path / "model.keras", content)
    path = tmp_path / "model.h5"
    path.write_bytes(content + json.dumps(config()).encode() + bytes(100))
    for found in (zipped, look(path)):
        assert not found.servable
        assert "would read what is not part of the model" in found.reason


def test_the_reason_names_the_file_that_a_link_leads_to(tmp_path: Path) -> None:
    assert "`/etc/passwd`" in keras(tmp_path / "model.keras", REACHING["link"]).reason


@pytest.mark.parametrize(
    "content",
    [
        SIGNATURE + bytes(4096),
        with_heap(b"", b"HEAP"),
        with_heap(b"", b"GCOL"),
        SIGNATURE + bytes(100) + link("/etc/passwd")[:-1] + b"x" + bytes(100),  # its end is none: no link
        SIGNATURE + bytes(100) + link("/etc/pass\x01wd") + bytes(100),
        SIGNATURE + b"\x01\x08\x40" * 1000,
        SIGNATURE + link("/etc/passwd")[:12],
    ],
)
def test_weights_that_stand_alone_are_taken(tmp_path: Path, content: bytes) -> None:
    assert reaches_outside(memoryview(content)) == ""
    found = keras(tmp_path / "model.keras", content)
    assert found.servable, found.reason


def test_more_units_than_the_weights_can_hold_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    weights = SIGNATURE + bytes(4096)
    found = keras(tmp_path / "model.keras", weights, units=10**9)
    assert "its layer `y` is said to have 1,000,000,000 units" in found.reason
    path = tmp_path / "model.h5"
    path.write_bytes(weights + json.dumps(config(units=10**9)).encode() + bytes(100))
    assert "1,000,000,000 units" in look(path).reason


def test_a_cut_or_exploding_keras_file_is_told_in_one_sentence(tmp_path: Path) -> None:
    keras(tmp_path / "whole.keras", SIGNATURE + bytes(4096))
    content = (tmp_path / "whole.keras").read_bytes()
    cut = tmp_path / "cut.keras"
    for size in (40, len(content) // 2, len(content) - 10):
        cut.write_bytes(content[:size])
        with pytest.raises(ArtifactError, match=r"cut off|damaged"):
            look(cut)
    bomb = tmp_path / "bomb.keras"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(config()))
        archive.writestr("metadata.json", "{}")
        with archive.open("model.weights.h5", "w") as member:
            for _ in range(600):
                member.write(bytes(1 << 20))
    with pytest.raises(ArtifactError, match="expands beyond"):
        look(bomb)


def test_a_layer_of_code_inside_another_network_is_refused(tmp_path: Path) -> None:
    inner = config()
    inner["config"]["layers"].append({"class_name": "Lambda", "config": {"function": ["code", None, None]}})
    wrapper = {"class_name": "TimeDistributed", "config": {"layer": inner}}
    whole = config()
    whole["config"]["layers"].append(wrapper)
    path = tmp_path / "model.h5"
    path.write_bytes(SIGNATURE + bytes(200) + json.dumps(whole).encode() + bytes(100))
    assert [one.name for one in look(path).refused] == ["Lambda"]
