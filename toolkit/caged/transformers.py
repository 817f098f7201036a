"""Fitted transformers of scikit-learn, written as operators: what goes in as columns comes out as features.

Each is read by its attributes, which versions 0.20 to today's share; the proof by drawn rows says whether the reading
was right.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence

import numpy as np

from .functions import FUNCTIONS, POSITIVE, interpolated, normal_share
from .graph import GAP, Graph, Slot, UnservedError, Value

TINY = 1e-300


def transform(graph: Graph, step: Any, value: Value) -> Value:
    """Return what the fitted ``step`` makes of ``value``; ``UnservedError`` names what has no served form."""
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return value
    kind = type(step).__name__
    for name in [base.__name__ for base in type(step).__mro__]:
        if name in TRANSFORMERS:
            return TRANSFORMERS[name](graph, step, value)
    if hasattr(step, "get_support"):
        return graph.columns(value, np.flatnonzero(np.asarray(step.get_support())).tolist())
    message = f"the step {kind} has no served form"
    raise UnservedError(message)


def _pipeline(graph: Graph, step: Any, value: Value) -> Value:
    for _, inner in step.steps:
        value = transform(graph, inner, value)
    return value


def _union(graph: Graph, step: Any, value: Value) -> Value:
    weights = step.transformer_weights or {}
    parts = []
    for name, inner in step.transformer_list:
        if inner == "drop" or inner is None:
            continue
        part = transform(graph, inner, value)
        parts.append(graph.affine(part, times=weights[name]) if name in weights else part)
    return graph.beside(parts)


def _columns(graph: Graph, step: Any, value: Value) -> Value:
    names = [slot.name for slot in value.slots]
    weights = getattr(step, "transformer_weights", None) or {}
    parts = []
    for name, inner, wanted in step.transformers_:
        if isinstance(inner, str) and inner == "drop":
            continue
        places = places_of(wanted, names)
        if not places:
            continue
        part = transform(graph, inner, graph.columns(value, places))
        parts.append(graph.affine(part, times=weights[name]) if name in weights else part)
    if not parts:
        message = "no column reaches the model"
        raise UnservedError(message)
    return graph.beside(parts)


def places_of(wanted: Any, names: Sequence[str]) -> List[int]:
    """Return the places of columns given by name, number, slice, mask or a single one of these."""
    if isinstance(wanted, str):
        return [names.index(wanted)]
    if isinstance(wanted, (int, np.integer)) and not isinstance(wanted, (bool, np.bool_)):
        return [range(len(names))[int(wanted)]]
    if isinstance(wanted, slice):
        start, stop = wanted.start, wanted.stop
        if isinstance(start, str) or isinstance(stop, str):
            first = names.index(start) if start is not None else 0
            last = names.index(stop) + 1 if stop is not None else len(names)
            return list(range(first, last))
        return list(range(len(names)))[wanted]
    found = list(wanted)
    if found and all(isinstance(one, (bool, np.bool_)) for one in found):
        return [place for place, one in enumerate(found) if one]
    if all(isinstance(one, (int, np.integer)) for one in found):
        return [range(len(names))[int(one)] for one in found]
    return [names.index(str(one)) for one in found]


def _is_gap(graph: Graph, value: Value, missing: Any) -> str:
    """Return a boolean tensor: where ``value`` is what the imputer takes for missing."""
    if any(slot.kind == "category" for slot in value.slots):
        codes = [GAP if missing is None or missing != missing else slot.code(missing) for slot in value.slots]  # noqa: PLR0124
        return graph.add("Equal", value.tensor, graph.constant([codes]))
    if missing is None or (isinstance(missing, float) and missing != missing) or str(missing) in {"NaN", "nan", "<NA>"}:  # noqa: PLR0124
        return graph.add("IsNaN", value.tensor)
    return graph.add("Equal", value.tensor, graph.constant([[float(missing)] * value.width]))


def _impute(graph: Graph, step: Any, value: Value) -> Value:
    statistics = np.asarray(step.statistics_)
    for slot, statistic in zip(value.slots, statistics.tolist()):
        if isinstance(statistic, str):
            slot.kind = "category"
        slot.nullable = True
    fills: List[float] = []
    kept: List[int] = []
    for place, (slot, statistic) in enumerate(zip(value.slots, statistics.tolist())):
        empty = statistic is None or (isinstance(statistic, float) and statistic != statistic)  # noqa: PLR0124
        if empty and not getattr(step, "keep_empty_features", False) and step.strategy != "constant":
            continue  # nothing was known of it: scikit-learn leaves the column out
        kept.append(place)
        fills.append(0.0 if empty else slot.code(statistic))
        if not empty and slot.kind == "number":
            slot.seen(float(statistic), float(statistic))
    source = graph.columns(value, kept)
    gaps = _is_gap(graph, source, step.missing_values)
    filled = graph.add("Where", gaps, graph.constant([fills]), source.tensor)
    result = Value(filled, source.slots)
    indicator = getattr(step, "indicator_", None)
    if indicator is None:
        return result
    flags = graph.columns(value, [int(place) for place in indicator.features_])
    marks = graph.add("Cast", _is_gap(graph, flags, step.missing_values), to=11)
    return graph.beside([result, graph.fresh(marks, flags.width, "missing")])


def _indicate(graph: Graph, step: Any, value: Value) -> Value:
    flags = graph.columns(value, [int(place) for place in step.features_])
    return graph.fresh(graph.add("Cast", _is_gap(graph, flags, step.missing_values), to=11), flags.width, "missing")


def _standard(graph: Graph, step: Any, value: Value) -> Value:
    mean, scale = getattr(step, "mean_", None), getattr(step, "scale_", None)
    if mean is not None:
        spread = np.ones(value.width) if scale is None else np.asarray(scale)
        for slot, middle, width in zip(value.slots, mean, spread):
            slot.seen(middle - 2 * width, middle + 2 * width)
    return graph.affine(
        value,
        minus=mean if step.with_mean and mean is not None else None,
        by=scale if step.with_std and scale is not None else None,
    )


def _minmax(graph: Graph, step: Any, value: Value) -> Value:
    for slot, low, high in zip(value.slots, step.data_min_, step.data_max_):
        slot.seen(low, high)
    scaled = graph.affine(value, times=step.scale_, plus=step.min_)
    if not getattr(step, "clip", False):
        return scaled
    low, high = step.feature_range
    clipped = graph.add("Min", graph.add("Max", scaled.tensor, graph.constant([[low]])), graph.constant([[high]]))
    return graph.fresh(clipped, value.width)


def _maxabs(graph: Graph, step: Any, value: Value) -> Value:
    for slot, high in zip(value.slots, step.max_abs_):
        slot.seen(-high, high)
    return graph.affine(value, by=step.scale_)


def _robust(graph: Graph, step: Any, value: Value) -> Value:
    center, scale = getattr(step, "center_", None), getattr(step, "scale_", None)
    if center is not None and scale is not None:
        for slot, middle, width in zip(value.slots, center, scale):
            slot.seen(middle - 2 * width, middle + 2 * width)
    return graph.affine(
        value,
        minus=center if step.with_centering and center is not None else None,
        by=scale if step.with_scaling and scale is not None else None,
    )


def _normalize(graph: Graph, step: Any, value: Value) -> Value:
    axes = graph.constant([1], np.int64)
    if step.norm == "l2":
        size = graph.add("ReduceL2", value.tensor, axes, keepdims=1)
    elif step.norm == "l1":
        size = graph.add("ReduceL1", value.tensor, axes, keepdims=1)
    else:
        size = graph.add("ReduceMax", graph.add("Abs", value.tensor), axes, keepdims=1)
    zero = graph.add("Equal", size, graph.constant([[0.0]]))
    return graph.fresh(
        graph.add("Div", value.tensor, graph.add("Where", zero, graph.constant([[1.0]]), size)), value.width
    )


def _binarize(graph: Graph, step: Any, value: Value) -> Value:
    above = graph.add("Greater", value.tensor, graph.constant([[float(step.threshold)]]))
    for slot in value.slots:
        slot.mark([float(step.threshold)])
    return graph.fresh(graph.add("Cast", above, to=11), value.width)


def _one_hot(graph: Graph, step: Any, value: Value) -> Value:
    parts: List[Value] = []
    drops = getattr(step, "drop_idx_", None)
    infrequent = getattr(step, "infrequent_categories_", None) if getattr(step, "_infrequent_enabled", False) else None
    for place, categories in enumerate(step.categories_):
        source = graph.columns(value, [place])
        _prepare(source.slots[0], categories)
        rare = set()
        if infrequent is not None and infrequent[place] is not None:
            rare = {_plain(one) for one in infrequent[place]}
        frequent = [one for one in categories if _plain(one) not in rare]
        encoded = _equals(graph, source, frequent)
        if rare:
            some = graph.add("ReduceMax", _equals(graph, source, list(rare)), graph.constant([1], np.int64), keepdims=1)
            if getattr(step, "handle_unknown", "") == "infrequent_if_exist":
                known = graph.add(
                    "ReduceMax", _equals(graph, source, list(categories)), graph.constant([1], np.int64), keepdims=1
                )
                some = graph.add("Max", some, graph.add("Sub", graph.constant([[1.0]]), known))
            encoded = graph.add("Concat", encoded, some, axis=1)
        width = len(frequent) + bool(rare)
        part = graph.fresh(encoded, width, source.slots[0].name)
        dropped = None if drops is None else drops[place]
        if dropped is not None:
            part = graph.columns(part, [one for one in range(width) if one != int(dropped)])
        if part.width:
            parts.append(part)
    return graph.beside(parts)


def _ordinal(graph: Graph, step: Any, value: Value) -> Value:
    parts = []
    unknown = getattr(step, "unknown_value", None)
    lacking = getattr(step, "encoded_missing_value", float("nan"))
    for place, categories in enumerate(step.categories_):
        source = graph.columns(value, [place])
        _prepare(source.slots[0], categories)
        kept = [one for one in categories if _plain(one) is not None]
        hits = _equals(graph, source, kept)
        codes = graph.matmul(hits, np.arange(len(kept), dtype=np.float64).reshape(-1, 1))
        if unknown is not None:
            known = graph.add("ReduceMax", hits, graph.constant([1], np.int64), keepdims=1)
            strange = graph.add("Equal", known, graph.constant([[0.0]]))
            codes = graph.add("Where", strange, graph.constant([[float(unknown)]]), codes)
        if len(kept) < len(categories):
            gap = _is_gap(graph, source, None)
            codes = graph.add("Where", gap, graph.constant([[float(lacking)]]), codes)
        parts.append(graph.fresh(codes, 1, source.slots[0].name))
    return graph.beside(parts)


def _target_means(graph: Graph, step: Any, value: Value) -> Value:
    classes = getattr(step, "classes_", None)
    several = step.target_type_ == "multiclass"
    outputs = len(classes) if several and classes is not None else 1
    means = np.atleast_1d(np.asarray(step.target_mean_, dtype=np.float64))
    parts = []
    for place, categories in enumerate(step.categories_):
        source = graph.columns(value, [place])
        _prepare(source.slots[0], categories)
        hits = _equals(graph, source, list(categories))
        known = graph.add("ReduceMax", hits, graph.constant([1], np.int64), keepdims=1)
        strange = graph.add("Equal", known, graph.constant([[0.0]]))
        for output in range(outputs):
            encoding = np.asarray(step.encodings_[place * outputs + output], dtype=np.float64).reshape(-1, 1)
            found = graph.matmul(hits, encoding)
            mean = float(means[output if several else 0])
            parts.append(graph.fresh(graph.add("Where", strange, graph.constant([[mean]]), found), 1))
    return graph.beside(parts)


def _prepare(slot: Slot, categories: Any) -> None:
    """Say what a column holds, from the categories that an encoder knows."""
    known = [one for one in categories if _plain(one) is not None]
    for one in known:
        slot.code(one)
    slot.meet(
        [
            one if isinstance(one, (bool, np.bool_)) else float(one) if slot.kind == "number" else str(one)
            for one in known
        ]
    )
    if slot.kind == "number":
        slot.mark([float(one) for one in known])
        numbers = [float(one) for one in known]
        if numbers:
            slot.seen(min(numbers), max(numbers))
    if len(known) < len(list(categories)):
        slot.nullable = True


def _plain(category: Any) -> Any:
    """Return a category that can be looked up: None for every kind of gap."""
    return None if category is None or category != category else category  # noqa: PLR0124


def _equals(graph: Graph, source: Value, categories: Sequence[Any]) -> str:
    """Return a 1 a category where the one column of ``source`` holds it, shape (rows, categories)."""
    slot = source.slots[0]
    codes = [GAP if slot.kind == "category" and _plain(one) is None else slot.code(_plain(one)) for one in categories]
    hits = graph.add("Equal", source.tensor, graph.constant([codes]))
    if any(code != code for code in codes):  # noqa: PLR0124 - a gap among numbers
        gaps = graph.constant([[code != code for code in codes]], np.bool_)  # noqa: PLR0124
        hits = graph.add("Or", hits, graph.add("And", graph.add("IsNaN", source.tensor), gaps))
    return graph.add("Cast", hits, to=11)


def _polynomial(graph: Graph, step: Any, value: Value) -> Value:
    parts = []
    for powers in np.asarray(step.powers_).tolist():
        factors = [place for place, power in enumerate(powers) for _ in range(int(power))]
        if not factors:
            ones = graph.columns(value, [0])
            zero = graph.scalar("Mul", ones.tensor, 0.0)
            parts.append(graph.fresh(graph.scalar("Add", zero, 1.0), 1))
            continue
        tensor = graph.columns(value, [factors[0]]).tensor
        for place in factors[1:]:
            tensor = graph.add("Mul", tensor, graph.columns(value, [place]).tensor)
        parts.append(graph.fresh(tensor, 1))
    return graph.beside(parts)


def _pca(graph: Graph, step: Any, value: Value) -> Value:
    for slot, middle in zip(value.slots, step.mean_):
        slot.seen(middle - abs(middle) - 1, middle + abs(middle) + 1)
    centered = graph.affine(value, minus=step.mean_)
    components = np.asarray(step.components_, dtype=np.float64)
    tensor = graph.matmul(centered.tensor, components.T)
    if step.whiten:
        scale = np.sqrt(np.maximum(step.explained_variance_, np.finfo(np.float64).eps))
        tensor = graph.add("Div", tensor, graph.constant(scale.reshape(1, -1)))
    return graph.fresh(tensor, len(components), "component")


def _svd(graph: Graph, step: Any, value: Value) -> Value:
    components = np.asarray(step.components_, dtype=np.float64)
    return graph.fresh(graph.matmul(value.tensor, components.T), len(components), "component")


def _discriminant(graph: Graph, step: Any, value: Value) -> Value:
    if getattr(step, "solver", "svd") == "svd":
        value = graph.affine(value, minus=step.xbar_)
    scalings = np.asarray(step.scalings_, dtype=np.float64)[:, : step._max_components]  # noqa: SLF001 - no public name
    return graph.fresh(graph.matmul(value.tensor, scalings), scalings.shape[1], "component")


def _bins(graph: Graph, step: Any, value: Value) -> Value:
    parts = []
    for place, edges in enumerate(step.bin_edges_):
        source = graph.columns(value, [place])
        source.slots[0].seen(float(edges[0]), float(edges[-1]))
        source.slots[0].mark([float(edge) for edge in edges])
        inner = np.asarray(edges, dtype=np.float64)[1:-1]
        if len(inner):
            above = graph.add("Cast", graph.add("GreaterOrEqual", source.tensor, graph.constant([inner])), to=11)
            code = graph.add("ReduceSum", above, graph.constant([1], np.int64), keepdims=1)
        else:
            code = graph.scalar("Mul", source.tensor, 0.0)
        if step.encode == "ordinal":
            parts.append(graph.fresh(code, 1))
        else:
            count = int(step.n_bins_[place])
            hits = graph.add("Cast", graph.add("Equal", code, graph.constant([np.arange(count)])), to=11)
            parts.append(graph.fresh(hits, count))
    return graph.beside(parts)


def _power(graph: Graph, step: Any, value: Value) -> Value:
    parts = []
    for place, exponent in enumerate(np.asarray(step.lambdas_, dtype=np.float64).tolist()):
        if step.method == "box-cox":  # it takes nothing below zero
            value.slots[place].seen(0.5, 10.0)
        source = graph.columns(value, [place]).tensor
        done = _box_cox(graph, source, exponent) if step.method == "box-cox" else _yeo_johnson(graph, source, exponent)
        parts.append(graph.fresh(done, 1))
    joined = graph.beside(parts)
    return _standard(graph, step._scaler, joined) if step.standardize else joined  # noqa: SLF001 - no public name


def _box_cox(graph: Graph, source: str, exponent: float) -> str:
    if exponent == 0:
        return graph.add("Log", source)
    grown = graph.scalar("Pow", source, exponent)
    return graph.scalar("Div", graph.scalar("Sub", grown, 1.0), exponent)


def _yeo_johnson(graph: Graph, source: str, exponent: float) -> str:
    """Return Yeo and Johnson (2000): Box-Cox of 1 + x above zero, mirrored with 2 - lambda below."""
    zero = graph.constant([[0.0]])
    above = graph.scalar("Add", graph.add("Max", source, zero), 1.0)
    below = graph.scalar("Add", graph.add("Neg", graph.add("Min", source, zero)), 1.0)
    positive = _box_cox(graph, above, exponent)
    two = 2.0
    negative = graph.add("Neg", _box_cox(graph, below, two - exponent))
    return graph.add("Where", graph.add("GreaterOrEqual", source, zero), positive, negative)


def _function(graph: Graph, step: Any, value: Value) -> Value:
    if step.func is None:
        return value
    name = getattr(step.func, "__name__", type(step.func).__name__)
    if name == "partial" and getattr(step.func.func, "__name__", "") == "check_array":
        return value
    if name not in FUNCTIONS or getattr(step, "kw_args", None):
        message = f"the function {name} of a FunctionTransformer is code of its own: it has no served form"
        raise UnservedError(message)
    if name in POSITIVE:
        for slot in value.slots:
            slot.seen(0.5, 100.0)
    if name == "_identity":
        return value
    return graph.fresh(FUNCTIONS[name](graph, value.tensor), value.width)


def undone(graph: Graph, step: Any, tensor: str) -> str:
    """Return a target, shape (rows, 1), as it was before the fitted ``step`` changed it."""
    kind = type(step).__name__
    if kind == "FunctionTransformer":
        if step.inverse_func is None:
            return tensor
        name = getattr(step.inverse_func, "__name__", type(step.inverse_func).__name__)
        if name in FUNCTIONS and not getattr(step, "inv_kw_args", None):
            return FUNCTIONS[name](graph, tensor)
        kind = f"function {name}"
    known: Dict[str, Callable[[], str]] = {
        "StandardScaler": lambda: _widened(graph, tensor, step.scale_, step.mean_),
        "RobustScaler": lambda: _widened(graph, tensor, step.scale_, step.center_),
        "MaxAbsScaler": lambda: _widened(graph, tensor, step.scale_, None),
        "MinMaxScaler": lambda: _shrunk(graph, tensor, step),
        "PowerTransformer": lambda: _unpowered(graph, tensor, step),
        "QuantileTransformer": lambda: _from_quantiles(graph, tensor, step),
    }
    if kind in known:
        return known[kind]()
    message = f"the target's {kind} has no served form"
    raise UnservedError(message)


def _widened(graph: Graph, tensor: str, scale: Any, middle: Any) -> str:
    tensor = tensor if scale is None else graph.scalar("Mul", tensor, float(np.ravel(scale)[0]))
    return tensor if middle is None else graph.scalar("Add", tensor, float(np.ravel(middle)[0]))


def _shrunk(graph: Graph, tensor: str, step: Any) -> str:
    return graph.scalar("Div", graph.scalar("Sub", tensor, float(step.min_[0])), float(step.scale_[0]))


def _unpowered(graph: Graph, tensor: str, step: Any) -> str:
    if step.standardize:
        scaler = step._scaler  # noqa: SLF001 - no public name
        tensor = _widened(graph, tensor, scaler.scale_, scaler.mean_)
    exponent = float(step.lambdas_[0])
    if step.method == "box-cox":
        return _root(graph, tensor, exponent)
    zero = graph.constant([[0.0]])
    above = graph.scalar("Sub", _root(graph, graph.add("Max", tensor, zero), exponent), 1.0)
    two = 2.0
    mirrored = graph.add("Neg", graph.add("Min", tensor, zero))
    below = graph.add("Sub", graph.constant([[1.0]]), _root(graph, mirrored, two - exponent))
    return graph.add("Where", graph.add("GreaterOrEqual", tensor, zero), above, below)


def _root(graph: Graph, tensor: str, exponent: float) -> str:
    """Return what Box and Cox's power was taken of."""
    if exponent == 0:
        return graph.add("Exp", tensor)
    return graph.scalar("Pow", graph.scalar("Add", graph.scalar("Mul", tensor, exponent), 1.0), 1.0 / exponent)


def _from_quantiles(graph: Graph, tensor: str, step: Any) -> str:
    if step.output_distribution == "normal":
        tensor = normal_share(graph, tensor)
    return interpolated(graph, tensor, step.references_, np.asarray(step.quantiles_)[:, 0])


def _clusters(graph: Graph, step: Any, value: Value) -> Value:
    distance = squared_distances(graph, value, np.asarray(step.cluster_centers_, dtype=np.float64))
    return graph.fresh(graph.add("Sqrt", distance), len(step.cluster_centers_), "distance")


def squared_distances(graph: Graph, value: Value, points: Any) -> str:
    """Return the squared Euclidean distance of each row to each of ``points``, shape (rows, points)."""
    rows = graph.add("Unsqueeze", value.tensor, graph.constant([1], np.int64))
    apart = graph.add("Sub", rows, graph.constant(points[None, :, :]))
    return graph.add("ReduceSum", graph.add("Mul", apart, apart), graph.constant([2], np.int64), keepdims=0)


def _weigh(graph: Graph, step: Any, value: Value) -> Value:
    """Weigh counted words: told to the served encoder, which counts them."""
    text = graph.texts.get(value.tensor)
    if text is None or text.facts.get("weights"):
        message = "a TfidfTransformer that does not follow a CountVectorizer has no served form"
        raise UnservedError(message)
    facts = {**text.facts, **_weights_of(step)}
    return graph.text(text.slot, facts, text.width)


def _weights_of(step: Any) -> Dict[str, Any]:
    if step.use_idf:
        diagonal = getattr(step, "_idf_diag", None)
        idf = np.asarray(diagonal.diagonal() if diagonal is not None else step.idf_, dtype=np.float64).tolist()
    else:
        idf = None
    return {"weights": True, "idf": idf, "sublinear": bool(step.sublinear_tf), "norm": step.norm}


def _count(graph: Graph, step: Any, value: Value) -> Value:
    """Count a text column's words, as the served encoder does."""
    if value.width != 1:
        message = f"{type(step).__name__} reads {value.width} columns, expected one of texts"
        raise UnservedError(message)
    for name in ("preprocessor", "tokenizer"):
        if getattr(step, name, None) is not None:
            message = f"the {name} of a {type(step).__name__} is code of its own: it has no served form"
            raise UnservedError(message)
    if callable(step.analyzer):
        message = f"the analyzer of a {type(step).__name__} is code of its own: it has no served form"
        raise UnservedError(message)
    stops = step.stop_words
    if isinstance(stops, str):
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # noqa: PLC0415 - seldom needed

        stops = ENGLISH_STOP_WORDS
    terms = [str(term) for term, _ in sorted(step.vocabulary_.items(), key=lambda pair: pair[1])]
    facts: Dict[str, Any] = {
        "terms": terms,
        "analyzer": step.analyzer,
        "shortest": int(step.ngram_range[0]),
        "longest": int(step.ngram_range[1]),
        "lowercase": bool(step.lowercase),
        "accents": step.strip_accents,
        "pattern": step.token_pattern,
        "stop_words": sorted(str(word) for word in stops) if stops else [],
        "binary": bool(step.binary),
        "idf": None,
        "sublinear": False,
        "norm": None,
    }
    if hasattr(step, "_tfidf"):
        facts = {**facts, **_weights_of(step._tfidf)}  # noqa: SLF001 - its own weights
    return graph.text(value.slots[0], facts, len(terms))


TRANSFORMERS: Dict[str, Callable[[Graph, Any, Value], Value]] = {
    "Pipeline": _pipeline,
    "FeatureUnion": _union,
    "ColumnTransformer": _columns,
    "SimpleImputer": _impute,
    "MissingIndicator": _indicate,
    "StandardScaler": _standard,
    "MinMaxScaler": _minmax,
    "MaxAbsScaler": _maxabs,
    "RobustScaler": _robust,
    "Normalizer": _normalize,
    "Binarizer": _binarize,
    "OneHotEncoder": _one_hot,
    "OrdinalEncoder": _ordinal,
    "TargetEncoder": _target_means,
    "PolynomialFeatures": _polynomial,
    "PCA": _pca,
    "IncrementalPCA": _pca,
    "TruncatedSVD": _svd,
    "LinearDiscriminantAnalysis": _discriminant,
    "KBinsDiscretizer": _bins,
    "PowerTransformer": _power,
    "FunctionTransformer": _function,
    "KMeans": _clusters,
    "TfidfTransformer": _weigh,
    "CountVectorizer": _count,
}
