"""TFLite files become ONNX that answers as TFLite's own interpreter does, and damaged ones a sentence."""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
from lite_files import Held, Step, constant, lite, normalised

from toolkit.artifact import look
from toolkit.caged.graph import UnservedError
from toolkit.caged.tflite_files import read
from toolkit.caged.tflite_models import convert
from toolkit.wrapping import Wishes, read_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GENERATOR = np.random.default_rng(5)
SAME, VALID = 0, 1
RELU, RELU6 = 1, 3
ROWS = 5


def numbers(*shape: int) -> Any:
    return np.round(GENERATOR.normal(0, 1, shape), 3).astype(np.float32)


def whole(*shape: int) -> Any:
    return GENERATOR.integers(-127, 128, shape).astype(np.int8)


def differences(path: Path, content: bytes, *, draw: Any = None) -> dict[str, float]:
    """Return how far the ONNX is from the interpreter, by output, in rows that are answered together."""
    pytest.importorskip("ai_edge_litert", reason="`pip install ai-edge-litert` brings TFLite's own interpreter")
    path.write_bytes(content)
    found = convert(str(path))
    session = onnxruntime.InferenceSession(found.model, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8}
    generator = np.random.default_rng(3)
    feeds: dict[str, Any] = {}
    for port in session.get_inputs():
        shape = [ROWS, *port.shape[1:]]
        drawn = generator.normal(0, 1, shape) if port.type == "tensor(float)" else generator.integers(0, 4, shape)
        feeds[port.name] = (draw(shape) if draw else drawn).astype(types[port.type])
    expected = found.ask(feeds)
    given = dict(zip([port.name for port in session.get_outputs()], session.run(None, feeds), strict=True))
    assert {name: values.shape for name, values in given.items()} == {n: v.shape for n, v in expected.items()}
    return {name: float(np.abs(given[name].astype(np.float64) - expected[name]).max(initial=0.0)) for name in given}


def step_of(name: str, shape: Sequence[int], result: Sequence[int], *others: Held, **facts: Any) -> bytes:
    """Return a file of one operator on one computed tensor, the others constants behind it."""
    kind, made = facts.get("kind", "float32"), facts.get("made", "float32")
    tensors = [
        Held("x", shape, type=kind, open_sides=[-1, *shape[1:]]),
        *others,
        Held("y", result, type=made, open_sides=[-1, *result[1:]]),
    ]
    order = facts.get("order", range(1 + len(others)))
    step = Step(name, list(order), [len(tensors) - 1], facts.get("options", {}))
    return lite(tensors, [step], inputs=[0], outputs=[len(tensors) - 1])


def axis(*values: int) -> Held:
    return constant("axis", list(values), "int32")


SIDES = [1, 6, 6, 4]
ONE_STEP: dict[str, bytes] = {
    **{
        name.lower(): step_of(name, [1, 7], [1, 7])
        for name in (
            "LOGISTIC", "TANH", "RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "ELU", "HARD_SWISH", "EXP", "ABS",
            "NEG", "SIN", "COS", "SQUARE", "FLOOR", "CEIL", "ROUND", "LOG_SOFTMAX", "ZEROS_LIKE",
        )
    },
    "gelu": step_of("GELU", [1, 7], [1, 7], options={}),
    "gelu, approximated": step_of("GELU", [1, 7], [1, 7], options={0: ("b", 1)}),
    "leaky relu": step_of("LEAKY_RELU", [1, 7], [1, 7], options={0: 0.2}),
    "prelu": step_of("PRELU", [1, 7], [1, 7], constant("slope", numbers(7))),
    "softmax": step_of("SOFTMAX", [1, 7], [1, 7], options={0: 1.0}),
    "softmax with beta": step_of("SOFTMAX", [1, 7], [1, 7], options={0: 0.5}),
    "l2": step_of("L2_NORMALIZATION", [1, 7], [1, 7]),
    "dense": step_of("FULLY_CONNECTED", [1, 7], [1, 3], constant("w", numbers(3, 7)), constant("b", numbers(3))),
    "dense without bias": step_of("FULLY_CONNECTED", [1, 7], [1, 3], constant("w", numbers(3, 7)),
        options={0: ("b", 1)}),
    "dense in float16": step_of("ADD", [1, 7], [1, 7], constant("b", numbers(7)), options={0: ("b", RELU6)}),
    "sub": step_of("SUB", [1, 7], [1, 7], constant("b", numbers(7)), order=[1, 0]),
    "mul": step_of("MUL", [1, 7], [1, 7], constant("b", numbers(7)), options={0: ("b", RELU)}),
    "div": step_of("DIV", [1, 7], [1, 7], constant("b", numbers(7) + 3)),
    "maximum": step_of("MAXIMUM", [1, 7], [1, 7], constant("b", numbers(7))),
    "minimum": step_of("MINIMUM", [1, 7], [1, 7], constant("b", numbers(7))),
    "squared difference": step_of("SQUARED_DIFFERENCE", [1, 7], [1, 7], constant("b", numbers(7))),
    "floor div": step_of("FLOOR_DIV", [1, 7], [1, 7], constant("b", numbers(7) + 3)),
    "floor mod": step_of("FLOOR_MOD", [1, 7], [1, 7], constant("b", numbers(7) + 3)),
    "greater": step_of("GREATER", [1, 7], [1, 7], constant("b", numbers(7)), made="bool"),
    "not equal": step_of("NOT_EQUAL", [1, 7], [1, 7], constant("b", numbers(7)), made="bool"),
    "convolution": step_of(
        "CONV_2D", SIDES, [1, 3, 3, 5], constant("w", numbers(5, 3, 3, 4)), constant("b", numbers(5)),
        options={0: ("b", SAME), 1: 2, 2: 2, 3: ("b", RELU), 4: 1, 5: 1},
    ),
    "convolution, dilated": step_of(
        "CONV_2D", SIDES, [1, 2, 2, 5], constant("w", numbers(5, 3, 3, 4)), constant("b", numbers(5)),
        options={0: ("b", VALID), 1: 1, 2: 1, 4: 2, 5: 2},
    ),
    "convolution of each channel": step_of(
        "DEPTHWISE_CONV_2D", SIDES, [1, 6, 6, 8], constant("w", numbers(1, 3, 3, 8)), constant("b", numbers(8)),
        options={0: ("b", SAME), 1: 1, 2: 1, 3: 2, 4: ("b", RELU6), 5: 1, 6: 1},
    ),
    "transposed convolution": step_of(
        "TRANSPOSE_CONV", SIDES, [1, 12, 12, 5], constant("sides", [1, 12, 12, 5], "int32"),
        constant("w", numbers(5, 3, 3, 4)), options={0: ("b", SAME), 1: 2, 2: 2}, order=[1, 2, 0],
    ),
    "max pool": step_of("MAX_POOL_2D", SIDES, [1, 3, 3, 4], options={0: ("b", SAME), 1: 2, 2: 2, 3: 3, 4: 3}),
    "average pool": step_of("AVERAGE_POOL_2D", SIDES, [1, 3, 3, 4], options={0: ("b", SAME), 1: 2, 2: 2, 3: 3, 4: 3}),
    "mean": step_of("MEAN", SIDES, [1, 4], axis(1, 2)),
    "mean, sides kept": step_of("MEAN", SIDES, [1, 1, 1, 4], axis(1, 2), options={0: ("b", 1)}),
    "sum": step_of("SUM", SIDES, [1, 6, 6], axis(3)),
    "largest": step_of("REDUCE_MAX", SIDES, [1, 6, 4], axis(1)),
    "reshape": step_of("RESHAPE", SIDES, [1, 144], constant("sides", [1, 144], "int32")),
    "reshape to an open side": step_of("RESHAPE", SIDES, [1, 36, 4], constant("sides", [-1, 36, 4], "int32")),
    "transpose": step_of("TRANSPOSE", SIDES, [1, 4, 6, 6], axis(0, 3, 1, 2)),
    "expand": step_of("EXPAND_DIMS", [1, 7], [1, 1, 7], axis(1)),
    "squeeze": step_of("SQUEEZE", [1, 1, 7], [1, 7], options={0: ("v", [1])}),
    "pad": step_of("PAD", SIDES, [1, 8, 9, 4], constant("p", [[0, 0], [1, 1], [1, 2], [0, 0]], "int32")),
    "pad with a number": step_of(
        "PADV2", SIDES, [1, 8, 9, 4], constant("p", [[0, 0], [1, 1], [1, 2], [0, 0]], "int32"), constant("v", [2.5])
    ),
    "mirror": step_of("MIRROR_PAD", SIDES, [1, 8, 8, 4], constant("p", [[0, 0], [1, 1], [1, 1], [0, 0]], "int32")),
    "slice": step_of("SLICE", SIDES, [1, 3, 6, 2], axis(0, 1, 0, 2), axis(1, 3, -1, 2)),
    "strided slice": step_of(
        "STRIDED_SLICE", SIDES, [1, 2, 6, 4], axis(0, 1, 0, 0), axis(1, 5, 0, 0), axis(1, 2, 1, 1),
        options={0: 13, 1: 13},
    ),
    "strided slice of one": step_of(
        "STRIDED_SLICE", SIDES, [1, 6, 4], axis(0, -1, 0), axis(0, 0, 0), axis(1, 1, 1), options={0: 5, 1: 5, 4: 2}
    ),
    "gather": step_of("GATHER", [1, 7], [1, 3], axis(4, 0, 4), options={0: 1}),
    "embedding": step_of("EMBEDDING_LOOKUP", [1], [1, 3], constant("w", numbers(4, 3)), kind="int32"),
    "look up words": step_of(
        "GATHER", [1, 5], [1, 5, 3], constant("w", numbers(4, 3)), kind="int32", order=[1, 0]
    ),
    "cast": step_of("CAST", [1, 7], [1, 7], kind="int32"),
    "arg max": step_of("ARG_MAX", [1, 7], [1], constant("a", 1, "int32"), made="int64", options={0: ("b", 4)}),
    "tile": step_of("TILE", [1, 7], [1, 14], axis(1, 2)),
    "space to depth": step_of("SPACE_TO_DEPTH", SIDES, [1, 3, 3, 16], options={0: 2}),
    "depth to space": step_of("DEPTH_TO_SPACE", SIDES, [1, 12, 12, 1], options={0: 2}),
    "cumsum": step_of("CUMSUM", [1, 7], [1, 7], constant("a", 1, "int32")),
    "reverse": step_of("REVERSE_V2", [1, 7], [1, 7], axis(1)),
    "one hot": step_of(
        "ONE_HOT", [1, 5], [1, 5, 3], constant("d", 3, "int32"), constant("on", 1.0), constant("off", 0.0),
        kind="int32", options={0: -1},
    ),
    **{
        f"{way.lower()}, {name}": step_of(way, SIDES, [1, *sides, 4], axis(*sides), options=options)
        for way, flags in (("RESIZE_BILINEAR", (2, 3)), ("RESIZE_NEAREST_NEIGHBOR", (0, 1)))
        for name, options, sides in (
            ("larger", {}, (12, 9)),
            ("smaller", {}, (3, 4)),
            ("with corners", {flags[0]: ("b", 1)}, (11, 9)),
            ("by centres", {flags[1]: ("b", 1)}, (12, 9)),
            ("smaller by centres", {flags[1]: ("b", 1)}, (3, 4)),
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_STEP)
def test_an_operator_answers_as_the_interpreter_does(tmp_path: Path, name: str) -> None:
    for output, difference in differences(tmp_path / "model.tflite", ONE_STEP[name]).items():
        assert difference <= 1e-5, output


def dense(*, labels: str = "", metadata: Mapping[str, bytes] | None = None) -> bytes:
    """Return a network of one layer: seven numbers, three classes."""
    weights = np.linspace(-1, 1, 21).reshape(3, 7)
    tensors = [
        Held("serving_default_x:0", [1, 7], open_sides=[-1, 7]),
        constant("w", weights),
        constant("b", [0.1, 0.2, -0.3]),
        Held("sums", [1, 3], open_sides=[-1, 3]),
        Held("StatefulPartitionedCall:0", [1, 3], open_sides=[-1, 3]),
    ]
    steps = [Step("FULLY_CONNECTED", [0, 1, 2], [3]), Step("SOFTMAX", [3], [4], {0: 1.0})]
    return lite(tensors, steps, inputs=[0], outputs=[4], labels=labels, metadata=metadata)


def picture_in_8_bits(kind: str) -> bytes:
    """Return a small network of pictures, its numbers of 8 bits as the converter makes them."""
    moved = 0 if kind == "int8" else 128
    low = {"int8": -128, "uint8": 0}[kind]

    def held(name: str, shape: Sequence[int], scale: float, zero: int) -> Held:
        return Held(name, shape, type=kind, scale=[scale], zero=[zero + moved])

    shapes = (5, 3, 3, 3), (1, 3, 3, 5), (4, 5)
    filters, each, last = ((GENERATOR.integers(-127, 128, shape) + moved).astype(kind) for shape in shapes)
    tensors = [
        held("image", [1, 8, 8, 3], 1 / 255, -128),
        Held("filters", filters.shape, filters, kind, [0.004], zero=[moved]),
        constant("b1", GENERATOR.integers(-500, 500, 5), "int32", scale=[0.004 / 255]),
        held("c1", [1, 4, 4, 5], 0.02, -10),
        Held("each", each.shape, each, kind, [0.006], zero=[moved]),
        constant("b2", GENERATOR.integers(-500, 500, 5), "int32", scale=[0.02 * 0.006]),
        held("c2", [1, 4, 4, 5], 0.03, 5),
        held("both", [1, 4, 4, 5], 0.04, 3),
        constant("axes", [1, 2], "int32"),
        held("mean", [1, 5], 0.02, -4),
        Held("last", last.shape, last, kind, [0.01], zero=[moved]),
        constant("b3", GENERATOR.integers(-50, 50, 4), "int32", scale=[0.02 * 0.01]),
        held("sums", [1, 4], 0.05, 0),
        Held("shares", [1, 4], type=kind, scale=[1 / 256], zero=[low]),
    ]
    steps = [
        Step("CONV_2D", [0, 1, 2], [3], {0: ("b", SAME), 1: 2, 2: 2, 3: ("b", RELU), 4: 1, 5: 1}),
        Step("DEPTHWISE_CONV_2D", [3, 4, 5], [6], {0: ("b", SAME), 1: 1, 2: 1, 3: 1, 5: 1, 6: 1}),
        Step("ADD", [3, 6], [7], {0: ("b", RELU6)}),
        Step("MEAN", [7, 8], [9]),
        Step("FULLY_CONNECTED", [9, 10, 11], [12]),
        Step("SOFTMAX", [12], [13], {0: 1.0}),
    ]
    return lite(tensors, steps, inputs=[0], outputs=[13])


@pytest.mark.parametrize("kind", ["int8", "uint8"])
def test_numbers_of_8_bits_are_the_same_to_the_last(tmp_path: Path, kind: str) -> None:
    drawn = np.random.default_rng(9)
    low, high = np.iinfo(kind).min, np.iinfo(kind).max + 1
    found = differences(
        tmp_path / "model.tflite", picture_in_8_bits(kind), draw=lambda shape: drawn.integers(low, high, shape)
    )
    assert found == {"shares": 0.0}


def test_a_network_of_a_table_keeps_the_names_and_the_labels_of_its_file(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="`pip install ai-edge-litert` brings TFLite's own interpreter")
    path = tmp_path / "model.tflite"
    path.write_bytes(dense(labels="oak\nash\nelm\n"))
    found = convert(str(path))
    assert found.classes == ["oak", "ash", "elm"]
    session = onnxruntime.InferenceSession(found.model, providers=["CPUExecutionProvider"])
    assert [(port.name, port.shape) for port in session.get_inputs()] == [("serving_default_x:0", ["rows", 7])]


def test_a_network_of_a_table_is_read_in_the_cage(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="`pip install ai-edge-litert` brings TFLite's own interpreter")
    path = tmp_path / "model.tflite"
    path.write_bytes(dense(labels="oak\nash\nelm\n"))
    wrapped, caged = read_model(path, look(path), Wishes(into=tmp_path / "out", name="made"))
    assert wrapped.framework == "TFLite"
    assert wrapped.labels == ("oak", "ash", "elm")
    assert wrapped.columns == 7
    assert caged.arrays["answers"].shape == (300, 3)


def test_the_metadata_says_what_a_pixel_becomes(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="`pip install ai-edge-litert` brings TFLite's own interpreter")
    tensors = [Held("image", [1, 8, 8, 3]), constant("axes", [1, 2], "int32"), Held("mean", [1, 3])]
    told = {"TFLITE_METADATA": normalised([127.5], [127.5])}
    path = tmp_path / "model.tflite"
    path.write_bytes(lite(tensors, [Step("MEAN", [0, 1], [2])], inputs=[0], outputs=[2], metadata=told))
    assert convert(str(path)).pictures == {"image": {"scale": 1.0, "mean": [127.5] * 3, "std": [127.5] * 3}}


def small(**facts: Any) -> bytes:
    tensors = [Held("x", [1, 7]), constant("w", np.zeros((3, 7))), Held("y", [1, 3])]
    step = Step("FULLY_CONNECTED", facts.pop("given", [0, 1]), facts.pop("made", [2]))
    return lite(tensors, [step], **{"inputs": [0], "outputs": [2], **facts})


HOSTILE = {
    "an input of another place": small(inputs=[9]),
    "an output of another place": small(outputs=[9]),
    "an operator that reads another place": small(given=[0, 77]),
    "an operator that reads what nothing wrote": small(given=[2, 1]),
    "an operator without inputs": small(given=[]),
    "a buffer of another place": small(buffers={1: 99}),
    "a buffer of another size": small(buffers={1: 0, 0: 2}),
    "no inputs": small(inputs=[]),
    "a tensor of any size": lite(
        [Held("x", [1, 7]), Held("y", [1 << 30, 1 << 30])], [Step("TILE", [0, 0], [1])], inputs=[0], outputs=[1]
    ),
    "a tensor of less than nothing": lite(
        [Held("x", [-7, 7]), Held("y", [1, 7])], [Step("RELU", [0], [1])], inputs=[0], outputs=[1]
    ),
    "a cycle": lite(
        [Held("x", [1, 7]), Held("y", [1, 7]), Held("z", [1, 7])],
        [Step("ADD", [0, 2], [1], {}), Step("RELU", [1], [2])],
        inputs=[0],
        outputs=[2],
    ),
    "a copy of any size": lite(
        [Held("x", [1, 7]), constant("by", [1, 1 << 29], "int32"), Held("y", [1, 7])],
        [Step("TILE", [0, 1], [2])],
        inputs=[0],
        outputs=[2],
    ),
    "an operator that nobody knows": lite(
        [Held("x", [1, 7]), Held("y", [1, 7])], [Step("SVDF", [0], [1])], inputs=[0], outputs=[1]
    ),
    "a convolution that steps by nothing": step_of(
        "CONV_2D", SIDES, [1, 3, 3, 5], constant("w", numbers(5, 3, 3, 4)), constant("b", numbers(5)), options={}
    ),
    "scales that are none": lite(
        [Held("x", [1, 7], type="int8", scale=[np.nan], zero=[0]), Held("y", [1, 7])],
        [Step("DEQUANTIZE", [0], [1])],
        inputs=[0],
        outputs=[1],
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_made_to_harm_ends_in_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(UnservedError, match=r"^\w.{10,300}$"):
        convert(str(path))


def test_a_file_cut_off_anywhere_ends_in_a_sentence() -> None:
    content = dense()
    for size in range(8, len(content), 7):
        with pytest.raises(UnservedError):
            read(content[:size])


def test_any_number_in_a_file_may_be_another() -> None:
    content = dense()
    for place in range(8, len(content) - 4, 4):
        changed = bytearray(content)
        changed[place : place + 4] = struct.pack("<i", (-1, 1 << 29, 77)[place % 3])
        with contextlib.suppress(UnservedError):
            read(bytes(changed))
    assert read(content).outputs == [4]


def test_an_operator_from_outside_is_named_before_anything_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    tensors = [Held("x", [1, 7]), Held("y", [1, 7])]
    path.write_bytes(lite(tensors, [Step("", [0], [1], custom="FlexAddV2")], inputs=[0], outputs=[1]))
    found = look(path)
    assert not found.servable
    assert "FlexAddV2" in found.reason
