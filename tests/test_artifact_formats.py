"""Models that are no pickles: read by their own form, refused when they reach outside of it, named when not served."""

from __future__ import annotations

import json
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.artifact import Artifact, look
from toolkit.errors import ArtifactError

if TYPE_CHECKING:
    from pathlib import Path


def seen(path: Path, content: bytes) -> Artifact:
    """Return what is seen of a file with that content."""
    path.write_bytes(content)
    return look(path)


def zipped(path: Path, members: dict[str, bytes]) -> Artifact:
    """Return what is seen of a zip with those members."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return look(path)


# --- ONNX


def onnx_model(*, location: str = "", dims: tuple[int, ...] = (4,), domain: str = "") -> bytes:
    """Return a model that adds four weights to four numbers."""
    from onnx import TensorProto, helper

    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims)
    if location:
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)
    else:
        tensor.raw_data = bytes(16)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"], domain=domain)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 4])],
        [tensor],
    )
    return bytes(helper.make_model(graph, producer_name="made", producer_version="1").SerializeToString())


def test_onnx_tells_inputs_outputs_and_who_wrote_it(tmp_path: Path) -> None:
    found = seen(tmp_path / "model.onnx", onnx_model())
    assert found.servable, found.reason
    assert (found.format, found.version) == ("onnx", "made 1")
    assert [(port.name, port.dtype, port.shape) for port in found.inputs] == [("x", "float32", ("rows", 4))]
    assert [port.name for port in found.outputs] == ["y"]


@pytest.mark.parametrize(
    "location", ["../weights.bin", "/etc/passwd", "C:\\weights.bin", "a/../../b", "..\\b", "link.bin"]
)
def test_onnx_with_data_outside_of_its_folder_is_refused(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "weights.bin").write_bytes(bytes(16))
    (folder / "link.bin").symlink_to(tmp_path / "weights.bin")
    found = seen(folder / "model.onnx", onnx_model(location=location))
    assert "outside of its folder" in found.reason
    assert not found.servable


def test_onnx_with_data_beside_it_is_read_when_they_are_there(tmp_path: Path) -> None:
    assert "is not there" in seen(tmp_path / "model.onnx", onnx_model(location="w.bin")).reason
    (tmp_path / "w.bin").write_bytes(bytes(15))
    assert "which has 15" in look(tmp_path / "model.onnx").reason
    (tmp_path / "w.bin").write_bytes(bytes(16))
    assert look(tmp_path / "model.onnx").servable


def test_onnx_with_more_declared_than_held_or_operators_of_others_is_refused(tmp_path: Path) -> None:
    assert "is said to take" in seen(tmp_path / "a.onnx", onnx_model(dims=(1 << 40, 4))).reason
    assert "operators of `evil`" in seen(tmp_path / "b.onnx", onnx_model(domain="evil")).reason


def test_onnx_that_makes_a_tensor_of_any_size_is_refused(tmp_path: Path) -> None:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    shape = numpy_helper.from_array(np.array([1 << 20, 1 << 20], dtype=np.int64), "shape")
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    made = helper.make_graph([helper.make_node("ConstantOfShape", ["shape"], ["y"])], "g", [], [output], [shape])
    found = seen(tmp_path / "a.onnx", helper.make_model(made).SerializeToString())
    assert "makes a tensor of 1,099,511,627,776 elements" in found.reason
    constant = helper.make_node("Constant", [], ["shape"], value=shape)
    made = helper.make_graph([constant, helper.make_node("ConstantOfShape", ["shape"], ["y"])], "g", [], [output])
    assert "makes a tensor" in seen(tmp_path / "b.onnx", helper.make_model(made).SerializeToString()).reason
    empty = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=(1 << 40,))
    made = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "g", [], [output], [empty])
    assert "has them not" in seen(tmp_path / "c.onnx", helper.make_model(made).SerializeToString()).reason


@pytest.mark.parametrize(("called", "said"), [(2, "so often"), (1, "100 deep")])
def test_onnx_whose_functions_call_each_other_without_end_is_refused(tmp_path: Path, called: int, said: str) -> None:
    import onnx
    from onnx import helper

    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]
    functions = [
        helper.make_function(
            "f", f"F{at}", ["a"], ["b"], [helper.make_node(f"F{at + 1}", ["a"], ["b"], domain="f")] * called, opsets
        )
        for at in range(150 if called == 1 else 40)
    ]
    sides = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, 4])
    graph = helper.make_graph([helper.make_node("F0", ["x"], ["y"], domain="f")], "g", [sides], [sides])
    model = helper.make_model(graph, functions=functions, opset_imports=opsets)
    with pytest.raises(ArtifactError, match=said):
        seen(tmp_path / "m.onnx", model.SerializeToString())


def test_onnx_cut_off_anywhere_is_told(tmp_path: Path) -> None:
    content = onnx_model()
    for size in range(4, len(content) - 1):
        try:
            assert not seen(tmp_path / "model.onnx", content[:size]).servable, size
        except ArtifactError as error:
            assert error.exit_code == 5  # noqa: PT017 - either answer is right


# --- skops


def test_skops_tells_what_it_would_make(tmp_path: Path) -> None:
    import pandas as pd
    import sklearn
    import skops.io
    from sklearn.tree import DecisionTreeClassifier

    frame = pd.DataFrame({"a": range(10), "b": range(10)})
    skops.io.dump(DecisionTreeClassifier().fit(frame, ["x", "y"] * 5), tmp_path / "model.skops")
    found = look(tmp_path / "model.skops")
    assert found.servable, found.reason
    assert found.version == sklearn.__version__
    assert [port.name for port in found.inputs] == ["a", "b"]
    assert found.holds == "sklearn.tree._classes.DecisionTreeClassifier"


def test_skops_that_names_a_function_of_the_system_is_refused(tmp_path: Path) -> None:
    node = {"__class__": "function", "__module__": "builtins", "__loader__": "FunctionNode"}
    schema = {**node, "content": {"module_path": "os", "function": "system"}, "protocol": 2}
    found = zipped(tmp_path / "model.skops", {"schema.json": json.dumps(schema).encode()})
    assert [one.full for one in found.refused] == ["os.system"]


# --- boosters

LIGHTGBM = (
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\nobjective=binary\n"
    "feature_names=age city\nfeature_infos=[0:9] 0:1:2\ntree_sizes=10\n\nTree=0\nnum_leaves=1\n\nend of trees\n"
)


def test_lightgbm_tells_columns_and_objective(tmp_path: Path) -> None:
    found = seen(tmp_path / "model.txt", LIGHTGBM.encode())
    assert found.servable, found.reason
    assert [(port.name, port.dtype) for port in found.inputs] == [("age", "float64"), ("city", "category")]
    assert "binary" in found.holds
    with pytest.raises(ArtifactError, match="cut off"):
        seen(tmp_path / "model.txt", LIGHTGBM.encode()[:-15])


def ubj(value: Any) -> bytes:
    """Return a value as UBJSON."""
    match value:
        case dict():
            return b"{" + b"".join(ubj(key)[1:] + ubj(inner) for key, inner in value.items()) + b"}"
        case list():
            return b"[" + b"".join(ubj(inner) for inner in value) + b"]"
        case bytes():
            return b"[$U#L" + struct.pack(">q", len(value)) + value
        case str():
            return b"SL" + struct.pack(">q", len(value.encode())) + value.encode()
        case _:
            return b"l" + struct.pack(">i", value)


XGBOOST: dict[str, Any] = {
    "learner": {
        "attributes": {},
        "feature_names": ["age", "city"],
        "feature_types": ["int", "c"],
        "gradient_booster": {"model": {"trees": [[1, 2, 3]]}, "name": "gbtree"},
        "learner_model_param": {"num_feature": "2", "num_class": "3"},
        "objective": {"name": "multi:softprob"},
    },
    "version": [2, 1, 0],
}


@pytest.mark.parametrize("ending", ["json", "ubj"])
def test_xgboost_tells_columns_objective_and_version(tmp_path: Path, ending: str) -> None:
    content = json.dumps(XGBOOST).encode() if ending == "json" else ubj(XGBOOST)
    found = seen(tmp_path / f"model.{ending}", content)
    assert found.servable, found.reason
    assert (found.format, found.version) == (f"xgboost-{ending}", "2.1.0")
    assert [(port.name, port.dtype) for port in found.inputs] == [("age", "int"), ("city", "c")]
    assert found.outputs[0].shape == ("?", 3)
    assert "multi:softprob" in found.holds
    with pytest.raises(ArtifactError, match="damaged"):
        seen(tmp_path / f"model.{ending}", content[:-30])


def test_the_old_binary_form_of_xgboost_is_read_and_told(tmp_path: Path) -> None:
    head = b"binf" + struct.pack("<fIiiiII", 0.5, 3, 2, 0, 0, 1, 6) + bytes(108)
    name = b"binary:logistic"
    found = seen(tmp_path / "model.bin", head + struct.pack("<Q", len(name)) + name + bytes(50))
    assert (found.format, found.version, len(found.inputs)) == ("xgboost-binary", "1.6", 3)
    assert "old-form" in [one.code for one in found.findings]


def test_ubjson_that_declares_lists_of_nothing_is_refused(tmp_path: Path) -> None:
    content = ubj({"learner": {}})[:-2] + b"L" + struct.pack(">q", 1) + b"a[$Z#L" + struct.pack(">q", 1 << 60) + b"}}"
    with pytest.raises(ArtifactError, match="list of nothing"):
        seen(tmp_path / "model.ubj", content)


def test_catboost_cut_off_or_with_places_outside_is_damaged(tmp_path: Path) -> None:
    for content in (b"CBM1" + struct.pack("<I", 999) + bytes(20), b"CBM1" + struct.pack("<I", 16) + b"\xff" * 16):
        with pytest.raises(ArtifactError, match="damaged"):
            seen(tmp_path / "model.cbm", content)


# --- Keras and TensorFlow


def keras(*layers: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a network with those layers behind its input."""
    first = {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 4], "name": "x"}}
    return {"module": "keras", "class_name": "Sequential", "config": {"layers": [first, *layers]}}


DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2, "name": "y"}, "registered_name": None}


def in_keras(path: Path, config: dict[str, Any]) -> Artifact:
    """Return what is seen of a `.keras` file with that configuration."""
    facts = {"keras_version": "3.5.0"}
    return zipped(path, {"config.json": json.dumps(config).encode(), "metadata.json": json.dumps(facts).encode()})


def in_hdf5(path: Path, config: dict[str, Any], *, before: bytes = b"") -> Artifact:
    """Return what is seen of bytes that begin like HDF5 and hold that configuration."""
    return seen(path, b"\x89HDF\r\n\x1a\n" + bytes(200) + before + json.dumps(config).encode() + bytes(100))


def test_keras_tells_its_input_and_version(tmp_path: Path) -> None:
    found = in_keras(tmp_path / "model.keras", keras(DENSE))
    assert found.servable, found.reason
    assert (found.format, found.version) == ("keras", "3.5.0")
    assert (found.inputs[0].name, found.inputs[0].shape) == ("x", ("?", 4))
    assert in_hdf5(tmp_path / "model.h5", keras(DENSE)).servable


@pytest.mark.parametrize(
    ("layer", "verdict"),
    [
        ({"class_name": "Lambda", "module": "keras.layers", "config": {"function": ["code", None, None]}}, "dangerous"),
        ({"class_name": "TorchModuleWrapper", "module": "keras.layers", "config": {}}, "dangerous"),
        ({"class_name": "TFSMLayer", "module": "keras.layers", "config": {"filepath": "x"}}, "dangerous"),
        (
            {"class_name": "StringLookup", "module": "keras.layers", "config": {"vocabulary": "/etc/passwd"}},
            "dangerous",
        ),
        ({"class_name": "Popen", "module": "subprocess", "config": {}}, "dangerous"),
        ({"class_name": "get_file", "module": "keras.utils", "config": {}}, "dangerous"),
        ({"class_name": "function", "module": "os", "config": "system"}, "dangerous"),
        ({"class_name": "load_model", "module": "keras.models", "config": {}}, "unknown"),
        ({"class_name": "mine>Attention", "config": {}}, "unknown"),
        ({"class_name": "MyLayer", "config": {}}, "unknown"),
        (
            {"class_name": "MyLayer", "module": "keras.layers", "registered_name": "mine>MyLayer", "config": {}},
            "unknown",
        ),
    ],
)
def test_keras_layers_that_carry_or_reach_code_are_refused(tmp_path: Path, layer: dict[str, Any], verdict: str) -> None:
    deep = {**DENSE, "config": {"units": 2, "inner": {"layer": layer}}}
    for found in (
        in_keras(tmp_path / "model.keras", keras(layer)),
        in_keras(tmp_path / "deep.keras", keras(deep)),
        in_hdf5(tmp_path / "model.h5", keras(layer)),
        in_hdf5(tmp_path / "second.h5", keras(layer), before=json.dumps(keras(DENSE)).encode() + bytes(10)),
    ):
        assert [one.verdict for one in found.refused] == [verdict], found.reason
        assert not found.servable


def test_hdf5_without_a_network_or_cut_off_is_told(tmp_path: Path) -> None:
    head = b"\x89HDF\r\n\x1a\n" + bytes(5) + b"\x08\x08" + bytes(25)
    assert "weights alone" in seen(tmp_path / "model.h5", head + struct.pack("<Q", 48) + bytes(100)).reason
    with pytest.raises(ArtifactError, match="cut off"):
        seen(tmp_path / "model.h5", head + struct.pack("<Q", 4096) + bytes(100))


def message(*fields: tuple[int, Any]) -> bytes:
    """Return a protocol buffer's message."""

    def number(value: int) -> bytes:
        out = b""
        while value > 0x7F:
            out += bytes([value & 0x7F | 0x80])
            value >>= 7
        return out + bytes([value])

    parts = []
    for place, value in fields:
        if isinstance(value, int):
            parts.append(number(place << 3) + number(value))
        else:
            content = value.encode() if isinstance(value, str) else value
            parts.append(number(place << 3 | 2) + number(len(content)) + content)
    return b"".join(parts)


def saved_model(operator: str) -> bytes:
    """Return a SavedModel whose graph calls an operator in a function."""
    shape = message((2, message((1, (1 << 64) - 1))), (2, message((1, 4))))
    info = message((1, "x:0"), (2, 1), (3, shape))
    signature = message((1, message((1, "x"), (2, info))), (2, message((1, "y"), (2, info))))
    function = message((3, message((1, "n"), (2, operator))))
    graph = message((1, message((1, "a"), (2, "Placeholder"))), (2, message((1, function))))
    facts = message((5, "2.15.0"))
    return message((1, 1), (2, message((1, facts), (2, graph), (5, message((1, "serving_default"), (2, signature))))))


def test_a_saved_model_tells_its_signature_and_operators_that_reach_files(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(saved_model("MatMul"))
    found = look(folder)
    assert found.servable, found.reason
    assert (found.format, found.version, found.inputs[0].shape) == ("saved-model", "2.15.0", ("?", 4))
    (folder / "saved_model.pb").write_bytes(saved_model("ReadFile"))
    assert "`ReadFile`" in look(folder).reason


def test_a_frozen_graph_and_core_ml_are_named(tmp_path: Path) -> None:
    frozen = message((1, message((1, "x"), (2, "Placeholder"))), (4, message((1, 21))))
    assert seen(tmp_path / "frozen.pb", frozen).framework == "TensorFlow"
    assert seen(tmp_path / "model.mlmodel", message((1, 5), (2, message((1, "x"))), (400, b""))).framework == "Core ML"


def test_tflite_with_places_outside_of_the_file_is_damaged(tmp_path: Path) -> None:
    for content in (b"\xff\xff\x00\x00TFL3" + bytes(40), b"\x10\x00\x00\x00TFL3" + bytes(40)):
        with pytest.raises(ArtifactError, match="damaged"):
            seen(tmp_path / "model.tflite", content)


# --- PyTorch

WEIGHTS = (
    b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\n"
    b"FloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x06tQK\x00K\x02K\x03\x86K\x03K\x01\x86\x89ccollections\nOrderedDict\n)RtRu."
)
COMPILED = b"\x80\x02c__torch__.net\nNet\n)\x81}X\x08\x00\x00\x00training\x89sb."
CODE = "class Net(Module):\n  def forward(self: __torch__.net.Net,\n    x: Tensor) -> Tensor:\n    return {}\n"


def test_bare_weights_are_explained(tmp_path: Path) -> None:
    found = zipped(tmp_path / "model.pt", {"archive/data.pkl": WEIGHTS, "archive/data/0": bytes(24)})
    assert found.reason.startswith("it holds weights and no network")
    assert found.findings[0].message == "w: [2, 3]"
    assert "torch.onnx.export" in found.way


def test_a_pickle_inside_a_torch_file_is_judged(tmp_path: Path) -> None:
    found = zipped(tmp_path / "model.pt", {"archive/data.pkl": b"\x80\x02cposix\nsystem\nX\x01\x00\x00\x00x\x85R."})
    assert [one.full for one in found.refused] == ["posix.system"]


def test_torchscript_tells_its_inputs(tmp_path: Path) -> None:
    members = {"m/data.pkl": COMPILED, "m/constants.pkl": b"\x80\x02).", "m/version": b"3\n"}
    found = zipped(tmp_path / "m.pt", {**members, "m/code/__torch__/net.py": CODE.format("torch.relu(x)").encode()})
    assert found.servable, found.reason
    assert [(port.name, port.dtype) for port in found.inputs] == [("x", "Tensor")]


@pytest.mark.parametrize(
    "call",
    ["ops.aten.from_file('/etc/passwd', False, 9)", "torch.from_file('x')", "torch.save(x, 'y')", "ops.mine.run(x)"],
)
def test_torchscript_that_reaches_files_or_libraries_is_refused(tmp_path: Path, call: str) -> None:
    members = {"m/data.pkl": COMPILED, "m/code/__torch__/net.py": CODE.format(call).encode()}
    found = zipped(tmp_path / "m.pt", members)
    assert not found.servable
    assert "its code calls" in found.reason


def exported(target: str) -> dict[str, bytes]:
    """Return the members of an exported program that calls an operator."""
    values = {name: {"dtype": 7, "sizes": [{"as_expr": {}}, {"as_int": 4}]} for name in ("x", "y")}
    graph = {"nodes": [{"target": target, "inputs": [], "outputs": []}], "tensor_values": values}
    signature = {
        "input_specs": [{"parameter": {}}, {"user_input": {"arg": {"as_tensor": {"name": "x"}}}}],
        "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "y"}}}}],
    }
    program = {"graph_module": {"graph": graph, "signature": signature}, "torch_version": "2.9.0"}
    return {"m/archive_format": b"pt2", "m/models/model.json": json.dumps(program).encode()}


def test_an_exported_program_tells_its_inputs(tmp_path: Path) -> None:
    found = zipped(tmp_path / "m.pt2", exported("torch.ops.aten.linear.default"))
    assert found.servable, found.reason
    assert (found.format, found.version) == ("exported-program", "2.9.0")
    assert [(port.name, port.dtype, port.shape) for port in found.inputs] == [("x", "float32", ("?", 4))]
    assert "operators of libraries outside" in zipped(tmp_path / "m.pt2", exported("torch.ops.mine.run")).reason


def test_a_pickle_beside_an_exported_program_is_judged(tmp_path: Path) -> None:
    zipped_inside = tmp_path / "inner.pt"
    zipped(zipped_inside, {"a/data.pkl": b"\x80\x02cposix\nsystem\nX\x01\x00\x00\x00x\x85R."})
    members = {**exported("torch.ops.aten.linear.default"), "m/data/sample_inputs/model.pt": zipped_inside.read_bytes()}
    found = zipped(tmp_path / "m.pt2", members)
    assert [one.full for one in found.refused] == ["posix.system"]
    plain = {
        **exported("torch.ops.aten.relu.default"),
        "m/extra/e.pkl": b"\x80\x02cposix\nsystem\nX\x01\x00\x00\x00x\x85R.",
    }
    assert [one.full for one in zipped(tmp_path / "m.pt2", plain).refused] == ["posix.system"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("a/data.pkl", WEIGHTS)
        archive.writestr("a/data.pkl", b"N.")
    with pytest.raises(ArtifactError, match="the same name"):
        look(tmp_path / "model.pt")


def test_a_zip_whose_description_explodes_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.skops", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", bytes(70 << 20))
    with pytest.raises(ArtifactError, match="bytes of JSON"):
        look(tmp_path / "model.skops")


# --- weights, folders, strangers


def safetensors(header: dict[str, Any], *, room: int = 16) -> bytes:
    """Return a file of weights."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(room)


def test_safetensors_hold_what_they_declare(tmp_path: Path) -> None:
    tensor = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
    found = seen(tmp_path / "w.safetensors", safetensors({"w": tensor}))
    assert found.holds == "1 tensors: `w`"
    assert not found.servable
    with pytest.raises(ArtifactError, match="outside of the file"):
        seen(tmp_path / "w.safetensors", safetensors({"w": tensor}, room=8))
    with pytest.raises(ArtifactError, match="is said to take"):
        seen(tmp_path / "w.safetensors", struct.pack("<Q", 1 << 50) + b'{"a":1}')


def test_a_transformers_folder_is_a_model_with_its_tokenizer(tmp_path: Path) -> None:
    facts = {
        "model_type": "bert",
        "architectures": ["BertForSequenceClassification"],
        "id2label": {"0": "bad", "1": "good"},
    }
    (tmp_path / "config.json").write_text(json.dumps(facts))
    (tmp_path / "model.safetensors").write_bytes(
        safetensors({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}})
    )
    assert "no tokenizer" in look(tmp_path).reason
    (tmp_path / "tokenizer.json").write_text("{}")
    found = look(tmp_path)
    assert found.servable
    assert [port.name for port in found.outputs] == ["bad", "good"]
    (tmp_path / "config.json").write_text(json.dumps({**facts, "auto_map": {"AutoModel": "evil.Model"}}))
    assert "code of the author's own" in look(tmp_path).reason


@pytest.mark.parametrize(
    ("content", "framework"),
    [
        (b"GGUF\x03\0\0\0", "llama.cpp"),
        (b"ftrt" + bytes(20), "TensorRT"),
        (b'{"format": "layers-model", "modelTopology": {}}', "TensorFlow.js"),
        (b"RDX3\nX\n", "R"),
        (b'<?xml version="1.0"?>\n<PMML version="4.4">', "PMML"),
        (b"MATLAB 5.0 MAT-file", "MATLAB"),
        (b'{"features_info": {}, "oblivious_trees": []}', "CatBoost"),
    ],
)
def test_what_is_not_served_is_named_with_a_way(tmp_path: Path, content: bytes, framework: str) -> None:
    found = seen(tmp_path / "model", content)
    assert found.framework == framework
    assert "not served here" in found.reason
    assert found.way
