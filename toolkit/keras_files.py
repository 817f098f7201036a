"""Keras models by their configuration: ``see_keras`` names layers that carry code or reach what is outside."""

from __future__ import annotations

import json
import mmap
import re
from typing import TYPE_CHECKING, Any

from toolkit.pickled import refusal
from toolkit.seen import NAMES_MAX, Port, Seen, finding
from toolkit.streams import BombError, DamagedError
from toolkit.verdicts import Import, Verdict
from toolkit.wire import hold_json

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG_BYTES_MAX = 32 << 20
SEARCHED_BYTES_MAX = 512 << 20  # decoded in search of configurations
NODES_MAX = 2_000_000
SIDES = ("units", "filters", "input_dim", "output_dim")  # sides of weights
SIDE_MIN = 100_000  # that any network may have
_OWN = re.compile(
    r"(?:tf_|tensorflow\.)?keras(?:\.src)?(?:\.(?:layers|models|initializers|regularizers|constraints|optimizers|losses|"
    r"metrics|activations|dtype_policies|distribution|random|mixed_precision|backend|engine|ops|nn|"
    r"quantizers|schedules)(?:\.\w+)*)?"
)
_ARITHMETIC = re.compile(
    r"keras(?:\.src)?\.(?:activations|ops|nn|losses|metrics|initializers|regularizers)(?:\.\w+)*|builtins"
)
_MARKS = frozenset(
    ("__keras_tensor__", "__tuple__", "__numpy__", "__tensor__", "__bytes__", "__ellipsis__", "TensorShape")
)
_MARKS |= {"CompositeTensor", "__typespec__", "__complex__"}
# What Keras itself calls by name in files that do not say which module a class is of.
_OWN_NAMES = frozenset(
    """
    AUC AWQDTypePolicy Accuracy Activation ActivityRegularization Adadelta Adafactor Adagrad Adam AdamW Adamax
    AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D
    AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AdditiveAttention AlphaDropout Attention AugMix AutoContrast Average
    AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BatchNormalization
    BatchNormalizationV1 BatchNormalizationV2 Bidirectional BinaryAccuracy BinaryCrossentropy BinaryFocalCrossentropy
    BinaryIoU CTC CategoricalAccuracy CategoricalCrossentropy CategoricalFocalCrossentropy
    CategoricalGeneralizedCrossEntropy CategoricalHinge CategoryEncoding CenterCrop Circle Concatenate
    ConcordanceCorrelation Constant Constraint ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose
    Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D
    Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D Convolution3DTranspose CosineDecay
    CosineDecayRestarts CosineSimilarity Cropping1D Cropping2D Cropping3D CuDNNGRU CuDNNLSTM CutMix DTypePolicy
    DTypePolicyMap Dense DenseFeatures DepthwiseConv1D DepthwiseConv2D Dice Discretization Dot Dropout ELU EinsumDense
    Embedding Equalization ExponentialDecay F1Score FBetaScore FalseNegatives FalsePositives Flatten FloatDTypePolicy
    Ftrl Functional GPTQDTypePolicy GRU GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D
    GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D
    GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GlorotNormal
    GlorotUniform GroupNormalization GroupQueryAttention HashedCrossing Hashing HeNormal HeUniform Hinge Huber
    Identity IdentityInitializer Initializer InputLayer InputSpec Int4DTypePolicy IntegerLookup InverseTimeDecay IoU
    KLDivergence L1 L1L2 L2 LSTM LSTMCell Lamb Layer LayerNormalization LeakyReLU LearningRateSchedule LecunNormal
    LecunUniform Lion LocallyConnected1D LocallyConnected2D LogCosh LogCoshError Loss LossScaleOptimizer Masking
    MaxNorm MaxNumBoundingBoxes MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum Mean
    MeanAbsoluteError MeanAbsolutePercentageError MeanIoU MeanMetricWrapper MeanSquaredError
    MeanSquaredLogarithmicError MelSpectrogram Metric MinMaxNorm Minimum MixUp Model MultiHeadAttention MultiOptimizer
    Multiply Muon Nadam NonNeg Normalization NormalizationV1 OneHotIoU OneHotMeanIoU Ones Optimizer OptimizerMap
    Orthogonal OrthogonalInitializer OrthogonalRegularizer PReLU PearsonCorrelation Permute PiecewiseConstantDecay
    Pipeline Poisson Policy PolynomialDecay Precision PrecisionAtRecall QuantizedDTypePolicy
    QuantizedFloat8DTypePolicy R2Score RMSNormalization RMSprop RNN RandAugment RandomBrightness
    RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing
    RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomNormal RandomPerspective
    RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomUniform
    RandomZoom ReLU Recall RecallAtPrecision Regularizer RepeatVector Rescaling Reshape Resizing ReversibleEmbedding
    RootMeanSquaredError SGD STFT STFTInitializer STFTSpectrogram ScheduleFreeAdamW SensitivityAtSpecificity
    SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D Sequential SimpleRNN SimpleRNNCell
    Softmax Solarization SparseCategoricalAccuracy SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy
    SpatialDropout1D SpatialDropout2D SpatialDropout3D SpecificityAtSensitivity SpectralNormalization SquaredHinge
    StackedRNNCells StringLookup Subtract Sum TextVectorization ThresholdedReLU TimeDistributed
    TopKCategoricalAccuracy TrueNegatives TruePositives TruncatedNormal Tversky UnitNorm UnitNormalization
    UpSampling1D UpSampling2D UpSampling3D VarianceScaling Wrapper ZeroPadding1D ZeroPadding2D ZeroPadding3D Zeros
    """.split()  # noqa: SIM905 - read as a text
)
_CODE = frozenset(("Lambda", "__lambda__", "__superdict__", "function", "lambda"))
_REACHING = {
    "TFSMLayer": "it loads a program of TensorFlow from a place that it names",
    "TorchModuleWrapper": "it opens a pickle of PyTorch",
    "JaxLayer": "it runs code of JAX",
    "FlaxLayer": "it runs code of Flax",
    "TensorFlowOpLayer": "it carries operators of TensorFlow",
    "TFOpLambda": "it calls any function of TensorFlow by name",
    "SlicingOpLambda": "it calls a function of TensorFlow by name",
}
_LOOKUPS = frozenset(("StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup"))
_VERSION = rb"[^\d.](\d{1,2}\.\d{1,3}\.\d{1,3}(?:-tf)?)(?![\d.])"
_TOP_BEGINS = re.compile(rb'\{\s*"(?:class_name|module|registered_name|config|name|build_config)"\s*:')


def see_keras(
    config: object,
    *,
    kind: str,
    version: str = "",
    weights: bool = True,
    weights_bytes: int | None = None,
    outside: str = "",
) -> Seen:
    """Return what a model's configuration tells; ``kind`` is the format that it lay in.

    ``weights_bytes`` is how much its weights take, where that is known, and ``outside`` what of them lies elsewhere.
    """
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict | list):
        message = "its configuration describes no network"
        raise DamagedError(message)
    opens: dict[tuple[str, str], Import] = {}
    layers: dict[str, int] = {}
    for node in _nodes(config):
        name = node.get("class_name")
        if not isinstance(name, str):
            continue
        found = _judge(node, name)
        if found.verdict != "harmless":
            opens.setdefault((found.module, found.name), found)
        layers[name] = layers.get(name, 0) + 1
    refused = list(opens.values())
    inputs = _inputs(config)
    reason = refusal(refused) if refused else "" if weights else "it holds no weights"
    if outside and not reason:
        reason = f"its weights hold {outside}: opening them would read what is not part of the model"
    if weights_bytes is not None and not reason:
        reason = _too_large(config, weights_bytes)
    told = ", ".join(f"{count} {name}" for name, count in layers.items() if name[:1].isupper() and "Policy" not in name)
    return Seen(
        "Keras",
        kind,
        version=version,
        holds=f"a network of class {str(config.get('class_name', 'unknown'))[:80]}",
        opens=tuple(refused),
        inputs=inputs,
        outputs=_outputs(config),
        findings=(finding("layers", told[:300]),),
        reason=reason,
        way="export the network to ONNX where it was made, without layers of one's own code" if refused else "",
    )


def configs_in(data: memoryview) -> tuple[list[dict[str, Any]], str]:
    """Return the networks' configurations in an HDF5 file and Keras's version, read where the texts lie.

    All of them are returned, since a harmless one may stand before the one that counts.
    """
    held = data.obj
    searched: Any = held if isinstance(held, mmap.mmap) else bytes(data)
    found: list[dict[str, Any]] = []
    at = spent = 0
    while match := _TOP_BEGINS.search(searched, at):
        value, size, read = _json_at(data, match.start())
        at = match.start() + max(size, 1)
        if isinstance(value, dict) and isinstance(value.get("class_name"), str) and "config" in value:
            found.append(value)
        spent += read
        if spent > SEARCHED_BYTES_MAX:
            message = "it holds more pieces that look like a configuration than any network"
            raise BombError(message)
    near = searched.find(b"keras_version")
    places = [bytes(data[near : near + 400])] if near >= 0 else []
    places += [bytes(data[at : at + 4000])] if found else []
    versions = [match for place in places if (match := re.search(_VERSION, place))]
    return found, versions[0][1].decode() if versions else ""


def _json_at(data: memoryview, at: int) -> tuple[object, int, int]:
    """Return the JSON value that begins at a place, its size (0 when there is none), and how much was read for it."""
    size, spent = 1 << 16, 0
    while True:
        text = hold_json(bytes(data[at : at + size])).decode("latin1")  # one letter a byte, so that places agree
        spent += len(text)
        try:
            _, end = json.JSONDecoder().raw_decode(text)
            return json.loads(text[:end].encode("latin1")), end, spent
        except (ValueError, RecursionError):
            if size >= CONFIG_BYTES_MAX or len(text) < size or "\0" in text:
                return None, 0, spent
            size *= 8


def _nodes(top: object) -> Iterator[dict[str, Any]]:
    waiting = [top]
    for count, value in enumerate(waiting):
        if count > NODES_MAX:
            return
        if isinstance(value, dict):
            yield value
            waiting.extend(inner for inner in value.values() if isinstance(inner, dict | list))
        elif isinstance(value, list):
            waiting.extend(inner for inner in value if isinstance(inner, dict | list))


def _judge(node: dict[str, Any], name: str) -> Import:
    """Judge one object that the configuration would have Keras make."""
    told = node.get("module")
    module = told if isinstance(told, str) else "keras"
    config = node.get("config")
    registered = node.get("registered_name")

    def found(verdict: Verdict, why: str) -> Import:
        return Import(module, name, verdict == "dangerous", verdict, why)

    if name in _MARKS:
        return found("harmless", "a value")
    if name in _CODE:
        if name == "function" and isinstance(config, str) and _ARITHMETIC.fullmatch(module):
            return found("harmless", "a function of Keras")
        return found("dangerous", "it runs code that the file carries or names")
    if name in _REACHING:
        return found("dangerous", _REACHING[name])
    if name in _LOOKUPS and isinstance(config, dict) and isinstance(config.get("vocabulary"), str):
        return found("dangerous", "it reads its words from a file that it names")
    if not _OWN.fullmatch(module):
        return found(
            "unknown" if module in {"builtins", "__main__"} or not module else "dangerous", "it is no part of Keras"
        )
    own = ">" in name or (name not in _OWN_NAMES if told is None else not re.fullmatch(r"_?[A-Z]\w*", name))
    if own:
        return found("unknown", "it is no class of Keras itself, and its code is not in the file")
    if isinstance(registered, str) and registered not in {name, "", "function"}:
        return found(
            "unknown", f"it is a class of the author's own (`{registered[:60]}`), and its code is not in the file"
        )
    return found("harmless", "a part of Keras")


def _too_large(config: dict[str, Any], weights_bytes: int) -> str:
    """Return why a layer cannot be what it says: it would have more weights than the file has bytes."""
    for node in _nodes(config):
        held = node.get("config")
        if not isinstance(held, dict) or not isinstance(node.get("class_name"), str):
            continue
        for side in SIDES:
            count = held.get(side)
            if isinstance(count, int) and count > max(weights_bytes, SIDE_MIN):
                layer = str(held.get("name", node["class_name"]))[:80]
                return f"its layer `{layer}` is said to have {count:,} {side}, in {weights_bytes:,} bytes of weights"
    return ""


def _inputs(config: dict[str, Any]) -> tuple[Port, ...]:
    ports: list[Port] = []
    inner = config.get("config")
    layers = inner.get("layers", ()) if isinstance(inner, dict) else inner
    for layer in layers if isinstance(layers, list) else ():
        held = layer.get("config") if isinstance(layer, dict) else None
        if not isinstance(held, dict):
            continue
        shape = held.get("batch_shape", held.get("batch_input_shape"))
        if isinstance(shape, list) and len(ports) < NAMES_MAX:
            sides = tuple(side if isinstance(side, int) else "?" for side in shape)
            dtype = held.get("dtype")
            ports.append(
                Port(str(held.get("name", "input"))[:200], dtype if isinstance(dtype, str) else "float32", sides)
            )
    return tuple(dict.fromkeys(ports))


def _outputs(config: dict[str, Any]) -> tuple[Port, ...]:
    inner = config.get("config")
    layers = inner.get("layers", ()) if isinstance(inner, dict) else inner
    last = layers[-1] if isinstance(layers, list) and layers else None
    held = last.get("config") if isinstance(last, dict) else None
    if not isinstance(held, dict):
        return ()
    units = held.get("units")
    return (Port(str(held.get("name", "output"))[:200], "float32", ("?", units) if isinstance(units, int) else ("?",)),)
