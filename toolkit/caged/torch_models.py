"""PyTorch's TorchScript and ExportedProgram as ONNX: ``convert`` writes them, PyTorch is what they are held against.

TorchScript does not say what shape it takes. That is recovered from the first weights that read each input, then tried.
"""

from __future__ import annotations

import contextlib
import io
import zipfile
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from .converted import Converted
from .ending import must_end
from .graph import UnservedError
from .tensors import Wishes, wished

OPSETS = (17, 20)  # the second knows a few operators more
ROWS = 2  # of the example: at one row, some sides would be taken for constants
SIDES = (224, 28, 32, 64, 128, 256, 96, 299, 48, 150, 180, 160, 100, 112, 192, 200, 240, 260, 300, 331, 380, 384, 416)
SIDES_MORE = (448, 512, 50, 60, 62, 75, 80, 84, 120, 144, 176, 227, 16, 8)
SIDES_ANY = (96, 160)  # a network that takes these beside its own takes any
SIDE_USUAL = 224
LENGTHS = (16, 23)  # what takes both takes any
LENGTHS_MAX = 300
FLAT_PICTURES = {784: (1, 28, 28), 1024: (1, 32, 32), 3072: (3, 32, 32), 12288: (3, 64, 64), 150528: (3, 224, 224)}
CONV1D, CONV2D = 3, 4  # ranks of their weights
CONVOLUTIONS = ("aten::conv1d", "aten::conv2d", "aten::conv3d", "aten::_convolution", "aten::convolution")
RECURRENT = ("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu")
FLATTENING = ("aten::flatten", "aten::view", "aten::reshape")
NO_TENSOR = ("int", "float", "bool", "str", "Device", "NoneType", "number")


class Layer(NamedTuple):
    """The first weights that read an input: ``kind`` of layer, how wide it reads, and whether sides were joined."""

    kind: str
    width: int
    flattened: bool
    dtype: Any


class Loaded(NamedTuple):
    """A network ready to be asked: ``call`` hands it a tensor an input, in order."""

    module: Any
    call: Callable[..., Any]
    names: List[str]
    example: List[Any]
    fixed: bool
    parts: List[str]
    findings: List[str]


def convert(path: str, told: Optional[Dict[str, Any]] = None) -> Converted:
    """Return the network in a file as ONNX; ``told`` are the wishes, for what does not know its own shapes."""
    import torch  # noqa: PLC0415 - only for its own files

    torch.set_num_threads(1)
    loaded = _exported(torch, path) if _is_exported(path) else _script(torch, path, Wishes.of(told))
    flat, names = _flat(torch, loaded)
    model = onnx_of(torch, flat, loaded, names)
    if not loaded.fixed and not _takes_any_rows(torch, flat, loaded, model):
        kept = "its graph keeps the number of rows that it was written down with: it is asked a row at a time"
        alone = [one[:1] for one in loaded.example]
        loaded = loaded._replace(fixed=True, example=alone, findings=[*loaded.findings, kept])
        model = onnx_of(torch, flat, loaded, names)

    def ask(feeds: Dict[str, Any]) -> Dict[str, Any]:
        given = [torch.as_tensor(feeds[name]).to(one.dtype) for name, one in zip(loaded.names, loaded.example)]
        with torch.no_grad():
            return {name: value.numpy() for name, value in zip(names, flat(*given))}

    return Converted(model=model, ask=ask, parts=loaded.parts, findings=loaded.findings)


def _is_exported(path: str) -> bool:
    with zipfile.ZipFile(path) as archive:
        return any(
            name.endswith(("models/model.json", "serialized_exported_program.json")) for name in archive.namelist()
        )


def _flat(torch: Any, loaded: Loaded) -> Tuple[Any, List[str]]:
    """Return the network with its outputs in one row of tensors, and their names."""
    with must_end():
        found = loaded.call(loaded.module, *loaded.example)
    named = list(_tensors(torch, found, ""))
    if not named:
        message = f"it answers with {type(found).__name__}, in which there is no tensor"
        raise UnservedError(message)

    class Flat(torch.nn.Module):  # type: ignore[misc,unused-ignore]  # its base is known only here
        def __init__(self) -> None:
            super().__init__()
            self.inner = loaded.module

        def forward(self, *given: Any) -> Any:
            return tuple(value for _, value in _tensors(torch, loaded.call(self.inner, *given), ""))

    names = [name or "output" for name, _ in named]
    return Flat().eval(), [f"{name}_out" if name in loaded.names else name for name in names]


def _tensors(torch: Any, found: Any, name: str) -> Iterator[Tuple[str, Any]]:
    """Give the tensors in what a network returned, by name."""
    if isinstance(found, torch.Tensor):
        yield name, found
    elif isinstance(found, dict):
        for key, value in found.items():
            yield from _tensors(torch, value, f"{name}_{key}" if name else str(key))
    elif isinstance(found, (tuple, list)):
        alone = len(found) == 1
        for place, value in enumerate(found):
            yield from _tensors(torch, value, name if alone else f"{name or 'output'}_{place}")


def onnx_of(torch: Any, flat: Any, loaded: Loaded, outputs: Sequence[str]) -> bytes:
    """Return a network as ONNX; its first sides are open unless it takes a fixed number of rows."""
    error: Optional[Exception] = None
    try:  # inside a trace, what is TorchScript already keeps its branches and loops
        traced = torch.jit.trace(flat, tuple(loaded.example), check_trace=False)
    except (RuntimeError, TypeError, ValueError) as found:
        message = f"PyTorch cannot follow what it computes: {_short(found)}"
        raise UnservedError(message) from found
    for opset in OPSETS:
        written = io.BytesIO()
        try:
            torch.onnx.export(
                traced,
                tuple(loaded.example),
                written,
                dynamo=False,
                opset_version=opset,
                input_names=list(loaded.names),
                output_names=list(outputs),
                dynamic_axes={} if loaded.fixed else {name: {0: "rows"} for name in [*loaded.names, *outputs]},
            )
        except torch.onnx.errors.UnsupportedOperatorError as found:
            error = found
        except (torch.onnx.errors.OnnxExporterError, RuntimeError, NotImplementedError, ValueError) as found:
            error = found
            break
        else:
            return _read(written.getvalue(), loaded.names)
    message = f"PyTorch cannot write it as ONNX: {_short(error)}"
    raise UnservedError(message) from error


def _takes_any_rows(torch: Any, flat: Any, loaded: Loaded, model: bytes) -> bool:
    """Return whether the graph answers another number of rows as PyTorch does: a trace may have kept the example's."""
    import onnxruntime  # noqa: PLC0415 - only for such files

    example = [torch.cat([one, one[:1]]) for one in loaded.example]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        found = session.run(None, {name: one.numpy() for name, one in zip(loaded.names, example)})
    except Exception:  # noqa: BLE001 - what onnxruntime raises has no common class of its own
        return False
    return all(one.shape == tuple(own.shape) for one, own in zip(found, flat(*example)))


def _read(content: bytes, names: Sequence[str]) -> bytes:
    """Return the graph when it reads all of its inputs: one that was computed away would not be the network."""
    import onnx  # noqa: PLC0415 - only for such files

    model = onnx.load_from_string(content)
    left = {one.name for one in model.graph.input}
    gone = [name for name in names if name not in left]
    if gone:
        message = f"its answers do not depend on its input {gone[0]!r}"
        raise UnservedError(message)
    return content


def _exported(torch: Any, path: str) -> Loaded:
    """Return an ExportedProgram, which says what it takes."""
    from torch.utils import _pytree as trees  # noqa: PLC0415 - only for such files

    program = torch.export.load(path)
    places = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    names = [str(name) for name in program.graph_signature.user_inputs]
    values: List[Any] = [places[name].meta.get("val") if name in places else None for name in names]
    if not names or not all(isinstance(value, torch.Tensor) and value.dim() for value in values):
        message = "it takes something else than tensors with a line a row"
        raise UnservedError(message)
    open_rows = [not isinstance(value.shape[0], int) for value in values]
    shapes = [
        [ROWS if place == 0 and not isinstance(side, int) else _side(side) for place, side in enumerate(value.shape)]
        for value in values
    ]
    example = [_example(torch, shape, value.dtype) for shape, value in zip(shapes, values)]
    module = _plain(torch, program)

    def call(asked: Any, *given: Any) -> Any:
        arguments, words = trees.tree_unflatten(list(given), program.call_spec.in_spec)
        return asked(*arguments, **words)

    findings = [] if all(open_rows) else ["it was exported for a fixed number of rows: it is asked that many at a time"]
    return Loaded(module, call, names, example, not all(open_rows), ["PyTorch ExportedProgram"], findings)


def _side(side: Any) -> int:
    """Return a side, or what it was when the network was exported if it may be another."""
    hint = None if isinstance(side, int) else getattr(side.node, "hint", None)
    return int(hint if hint is not None else side)


def _plain(torch: Any, program: Any) -> Any:
    """Return a program's module without the guards that look at Python's numbers, which no trace can follow."""
    try:
        module = program.module(check_guards=False)
    except TypeError:  # before they could be left out
        module = program.module()
    module = torch.fx.GraphModule(module, module.graph)  # without the hooks that look at them too
    for node in list(module.graph.nodes):
        if node.op != "call_function":
            continue
        name = str(node.target)
        if name.startswith("aten.sym_size"):
            node.target = _size
        elif name.startswith(("aten._assert", "aten.sym_constrain")) and not node.users:
            module.graph.erase_node(node)
    module.recompile()
    return module


def _size(tensor: Any, place: int) -> Any:
    return tensor.shape[place]


def _script(torch: Any, path: str, wishes: Wishes) -> Loaded:
    """Return a TorchScript network with shapes that it was found to take."""
    module = torch.jit.load(path, map_location="cpu")
    with contextlib.suppress(Exception):  # a frozen one has no modes
        module.eval()
    if not hasattr(module, "forward"):
        message = "it has no `forward`: nothing says what goes in"
        raise UnservedError(message)
    arguments = [one for one in module.forward.schema.arguments[1:] if not one.has_default_value()]
    others = [one for one in arguments if str(one.type) != "Tensor"]
    if others or not arguments:
        told = f"its input {others[0].name!r} is {others[0].type}" if others else "it takes nothing"
        message = f"{told}: a network is served that takes tensors"
        raise UnservedError(message)
    layers = _layers(torch, module, [one.name for one in arguments])
    names = [one.name for one in arguments]
    example, fixed, findings = _fitting(torch, module, names, layers, wishes)
    kind = getattr(module, "original_name", "") or "network"
    return Loaded(module, _called, names, example, fixed, [f"TorchScript {kind}"], findings)


def _called(module: Any, *given: Any) -> Any:
    return module(*given)


def _layers(torch: Any, module: Any, names: Sequence[str]) -> Dict[str, Layer]:
    """Return the first weights that read each input, by following what its values become."""
    graph = module.inlined_graph
    given = [one for one in graph.inputs() if str(one.type()) == "Tensor"][: len(names)]
    found: Dict[str, Layer] = {}
    for name, value in zip(names, given):
        reached, flattened = {value.debugName()}, False
        for node in _nodes(graph):
            if not reached & {one.debugName() for one in node.inputs()}:
                continue
            layer = _layer(torch, module, node, reached, flattened=flattened)
            if layer is not None:
                found[name] = layer
                break
            flattened = flattened or node.kind() in FLATTENING
            reached |= {one.debugName() for one in node.outputs()}
    return found


def _nodes(block: Any) -> Iterator[Any]:
    """Give all nodes in order, those of a branch before the branch."""
    for node in block.nodes():
        for inner in node.blocks():
            yield from _nodes(inner)
        yield node


def _layer(torch: Any, module: Any, node: Any, reached: Set[str], *, flattened: bool) -> Optional[Layer]:
    kind, inputs = node.kind(), list(node.inputs())
    if kind == "aten::embedding" and inputs[1].debugName() in reached:
        return Layer("embedding", 0, flattened, torch.int64)
    if kind == "aten::linear":
        return _with_weight("linear", _tensor(torch, module, inputs[1]), 1, flattened=flattened)
    if kind in {"aten::addmm", "aten::matmul", "aten::mm"}:
        return _with_weight(
            "linear", _tensor(torch, module, inputs[2 if kind == "aten::addmm" else 1]), 0, flattened=flattened
        )
    if kind in RECURRENT:
        weights = list(inputs[2].node().inputs())
        return _with_weight(
            "recurrent", _tensor(torch, module, weights[0]) if weights else None, 1, flattened=flattened
        )
    if kind in CONVOLUTIONS:
        weight = _tensor(torch, module, inputs[1])
        groups = inputs[8 if kind.endswith("convolution") else 6].toIValue()
        known = None if weight is None else {CONV1D: "conv1d", CONV2D: "conv2d"}.get(weight.dim())
        if known:
            return Layer(known, int(weight.shape[1]) * int(groups or 1), flattened, weight.dtype)
    return None


def _with_weight(kind: str, weight: Any, place: int, *, flattened: bool) -> Optional[Layer]:
    if weight is None or weight.dim() != 2:  # noqa: PLR2004 - a matrix
        return None
    return Layer(kind, int(weight.shape[place]), flattened, weight.dtype)


def _tensor(torch: Any, module: Any, value: Any) -> Any:
    """Return a weight of the network, None for what is computed."""
    node = value.node()
    if node.kind() == "aten::t":
        inner = _tensor(torch, module, node.inputsAt(0))
        return None if inner is None else inner.t()
    found = value.toIValue() if node.kind() == "prim::Constant" else _attribute(module, value)
    return found if isinstance(found, torch.Tensor) else None


def _attribute(module: Any, value: Any) -> Any:
    node = value.node()
    if node.kind() == "prim::Param":
        return module
    if node.kind() != "prim::GetAttr":
        return None
    owner = _attribute(module, node.inputsAt(0))
    return None if owner is None else getattr(owner, node.s("name"), None)


def _fitting(
    torch: Any, module: Any, names: Sequence[str], layers: Dict[str, Layer], wishes: Wishes
) -> Tuple[List[Any], bool, List[str]]:
    """Return an example that the network takes, whether its rows are fixed, and what was assumed."""
    choices = [_choices(name, layers.get(name), wishes) for name in names]
    searched = [place for place, one in enumerate(choices) if len(one) > 1]
    if len(searched) > 1:
        raise _asked(names[searched[0]], layers.get(names[searched[0]]))
    tries = max(len(one) for one in choices)
    dtypes = [layers[name].dtype if name in layers else torch.float32 for name in names]

    def shaped(place: int) -> List[List[int]]:
        return [list(one[place if len(one) > 1 else 0]) for one in choices]

    def takes(shapes: Sequence[Sequence[int]], rows: int) -> bool:
        try:
            module(*(_example(torch, [rows, *shape], dtype) for shape, dtype in zip(shapes, dtypes)))
        except (RuntimeError, IndexError, ValueError, torch.jit.Error):
            return False
        return True

    for rows in (ROWS, 1):
        for place in range(tries):
            shapes = shaped(place)
            if not takes(shapes, rows):
                continue
            findings = _assumed(names, layers, wishes, shapes, lambda other: takes(other, rows))  # noqa: B023 - used at once
            if rows == 1:
                findings.append("it was traced for one row: it is asked a row at a time")
            return [_example(torch, [rows, *one], dtype) for one, dtype in zip(shapes, dtypes)], rows == 1, findings
    first = names[searched[0] if searched else 0]
    raise _asked(first, layers.get(first), told=bool(wished(wishes.shapes, first)))


def _choices(name: str, layer: Optional[Layer], wishes: Wishes) -> List[Tuple[int, ...]]:
    """Return the shapes that an input may have, without its rows."""
    told = wished(wishes.shapes, name)
    if told:
        return [tuple(told)]
    if layer is None:
        raise _asked(name, layer)
    if layer.kind == "linear":
        flat = [FLAT_PICTURES[layer.width]] if layer.flattened and layer.width in FLAT_PICTURES else []
        return [*flat, (layer.width,)]
    if layer.kind == "conv2d":
        return [(layer.width, side, side) for side in (*SIDES, *SIDES_MORE)]
    if layer.kind == "conv1d":
        return [(layer.width, length) for length in range(1, LENGTHS_MAX)]
    if layer.kind == "embedding":
        return [(length,) for length in range(1, LENGTHS_MAX)]
    return [(length, layer.width) for length in LENGTHS]


def _assumed(
    names: Sequence[str],
    layers: Dict[str, Layer],
    wishes: Wishes,
    shapes: List[List[int]],
    takes: Callable[[Sequence[Sequence[int]]], bool],
) -> List[str]:
    """Return what was taken for granted of a shape that fits; ``UnservedError`` asks where any length would."""
    findings = []
    for place, name in enumerate(names):
        layer = layers.get(name)
        if layer is None or wished(wishes.shapes, name):
            continue

        def other(*shape: int, at: int = place) -> List[List[int]]:
            return [*shapes[:at], list(shape), *shapes[at + 1 :]]

        width = layer.width
        if layer.kind == "conv2d":
            open_sides = all(takes(other(width, side, side)) for side in SIDES_ANY)
            why = "taken for the usual one: it takes any" if open_sides else "found by trying"
            findings.append(f"{name}: pictures of {shapes[place][1]} x {shapes[place][2]} ({why}); `--shape` says else")
        elif layer.kind == "linear" and len(shapes[place]) > 1:
            sides = " x ".join(map(str, shapes[place]))
            findings.append(f"{name}: its {width} numbers are taken for a picture of {sides}; `--shape` says else")
        else:
            lengths = {"conv1d": (width, None), "embedding": (None,), "recurrent": (None, width)}.get(layer.kind, ())
            tried = [[length if side is None else side for side in lengths] for length in LENGTHS]
            if lengths and all(takes(other(*shape)) for shape in tried):
                raise _asked(name, layer)
    return findings


def _asked(name: str, layer: Optional[Layer], *, told: bool = False) -> UnservedError:
    """Return the question for an input's shape, with what its weights say of it."""
    if told:
        return UnservedError(f"the network does not take its input {name!r} in the shape that `--shape` says")
    width = layer.width if layer else 0
    known = {
        "conv2d": (f"has {width} channels and none of the usual sides fits", f"{width},HEIGHT,WIDTH"),
        "conv1d": (f"has {width} channels of any length", f"{width},LENGTH"),
        "embedding": ("is a row of whole numbers of any length", "LENGTH"),
        "recurrent": (f"is a sequence of {width} numbers a step, of any length", f"LENGTH,{width}"),
        "linear": (f"ends in {width} numbers, and is not taken as a table", f"SIDES,{width}"),
    }
    why, form = known[layer.kind] if layer else ("does not tell its shape: TorchScript holds none", "SIDES")
    return UnservedError(f"its input {name!r} {why}: say it with `--shape {name}={form}`")


def _example(torch: Any, shape: Sequence[int], dtype: Any) -> Any:
    if dtype.is_floating_point:
        return torch.rand(list(shape), dtype=dtype)
    return torch.zeros(list(shape), dtype=dtype)


def _short(error: Optional[BaseException]) -> str:
    return " ".join(str(error).split())[:200]
