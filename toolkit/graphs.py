"""Operators written down in the cage become ``model.onnx``: from the encoder's features to the answer, in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OPSET, TREES_OPSET, IR_VERSION = 21, 5, 10  # the first opset whose TreeEnsemble computes in float64
POSITIVE = "positive"  # the output's name when it is the probability of the second of two labels
OPERATORS = frozenset(  # what the cage may ask for: arithmetic, nothing that holds other graphs or reads files
    """Abs Add And ArgMax ArgMin Cast Ceil Concat Cos Div Equal Exp Floor Gather Gemm Greater GreaterOrEqual
    Identity IsNaN Log MatMul Max Min Mul Neg Or Pow ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceSum
    ReduceSumSquare Relu Reshape Round Sigmoid Sign Sin Slice Softmax Sqrt Sub Sum Tanh TopK TreeEnsemble Unsqueeze
    Where""".split()  # noqa: SIM905 - easier to read
)
BINARY = 2


def model_of(
    nodes: Sequence[Mapping[str, Any]],
    constants: Mapping[str, Any],
    output: str,
    *,
    width: int,
    answers: int,
    order: Sequence[int] = (),
    probabilities: bool = False,
) -> bytes:
    """Return ``model.onnx`` for features of shape (rows, ``width``) and ``answers`` values a row.

    ``order`` puts the answers in another order. Two ``probabilities`` become that of the second. ``ArtifactError`` when
    the graph is not sound.
    """
    import numpy as np  # noqa: PLC0415 - 100 ms
    import onnx  # noqa: PLC0415 - 200 ms
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - as above

    strange = sorted({str(node["op"]) for node in nodes} - OPERATORS)
    if strange:
        message = f"the model's graph asks for {strange[0]}, which is no arithmetic"
        raise ArtifactError(message, hint="look at the file with `kaggle2app inspect`")
    tensors = dict(constants)
    made = [_node(node, tensors) for node in nodes]
    final = output
    if probabilities and answers == BINARY:
        second = order[1] if order else 1
        tensors["which"] = np.array([second], dtype=np.int64)
        made.append(helper.make_node("Gather", [final, "which"], [POSITIVE], axis=1))
        final, answers = POSITIVE, 1
    else:
        tensors["which"] = np.array(order or range(answers), dtype=np.int64)
        made.append(helper.make_node("Gather", [final, "which"], ["answer"], axis=1))
        final = "answer"
    used = {name for node in made for name in node.input}
    graph = helper.make_graph(
        made,
        "model",
        [helper.make_tensor_value_info("features", TensorProto.DOUBLE, ["rows", width])],
        [helper.make_tensor_value_info(final, TensorProto.DOUBLE, ["rows", answers])],
        [numpy_helper.from_array(array, name) for name, array in tensors.items() if name in used],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", TREES_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="kaggle2app")
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        message = f"the model's graph is not sound: {str(error).splitlines()[0]}"
        raise ArtifactError(message, hint="look at the file with `kaggle2app inspect`") from error
    return bytes(model.SerializeToString())


def _node(node: Mapping[str, Any], tensors: Mapping[str, Any]) -> Any:
    from onnx import helper, numpy_helper  # noqa: PLC0415 - 200 ms

    attributes = {
        name: numpy_helper.from_array(tensors[value["tensor"]], "") if isinstance(value, dict) else value
        for name, value in node["attributes"].items()
    }
    return helper.make_node(
        node["op"], list(node["inputs"]), list(node["outputs"]), domain=node["domain"] or None, **attributes
    )
