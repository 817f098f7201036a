"""``open_pickle``: the object in a pickle or joblib file, made of allowed classes alone.

The outside has read the file's opcodes and names what it may import; anything else is refused here again, also in the
pickles that lie inside numpy arrays. Classes that moved between versions of scikit-learn are found in their new place.
"""

from __future__ import annotations

import bz2
import gzip
import importlib
import inspect
import io
import lzma
import pickle
import warnings
import zlib
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, List, Set, Tuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK_BYTES = 1 << 20
HISTOGRAMS = "sklearn.ensemble._hist_gradient_boosting"
# A module's old name, and the new one. Old joblib files name the copy that scikit-learn carried until 0.23.
MOVED = {
    "__builtin__": "builtins",  # Python 2's names
    "copy_reg": "copyreg",
    "exceptions": "builtins",
    "sklearn.externals.joblib": "joblib",
    "sklearn.tree.tree": "sklearn.tree._classes",
    "sklearn.ensemble.forest": "sklearn.ensemble._forest",
    "sklearn.ensemble.gradient_boosting": "sklearn.ensemble._gb",
    "sklearn.ensemble.weight_boosting": "sklearn.ensemble._weight_boosting",
    "sklearn.ensemble.bagging": "sklearn.ensemble._bagging",
    "sklearn.ensemble.voting": "sklearn.ensemble._voting",
    "sklearn.ensemble.voting_classifier": "sklearn.ensemble._voting",
    "sklearn.ensemble.iforest": "sklearn.ensemble._iforest",
    "sklearn.linear_model.base": "sklearn.linear_model._base",
    "sklearn.linear_model.logistic": "sklearn.linear_model._logistic",
    "sklearn.linear_model.ridge": "sklearn.linear_model._ridge",
    "sklearn.linear_model.coordinate_descent": "sklearn.linear_model._coordinate_descent",
    "sklearn.linear_model.stochastic_gradient": "sklearn.linear_model._stochastic_gradient",
    "sklearn.linear_model.sgd_fast": "sklearn._loss._loss",
    "sklearn.linear_model.bayes": "sklearn.linear_model._bayes",
    "sklearn.linear_model.huber": "sklearn.linear_model._huber",
    "sklearn.linear_model.passive_aggressive": "sklearn.linear_model._passive_aggressive",
    "sklearn.linear_model.perceptron": "sklearn.linear_model._perceptron",
    "sklearn.svm.classes": "sklearn.svm._classes",
    "sklearn.neighbors.classification": "sklearn.neighbors._classification",
    "sklearn.neighbors.regression": "sklearn.neighbors._regression",
    "sklearn.neighbors.kd_tree": "sklearn.neighbors._kd_tree",
    "sklearn.neighbors.ball_tree": "sklearn.neighbors._ball_tree",
    "sklearn.neighbors.dist_metrics": "sklearn.metrics._dist_metrics",
    "sklearn.neighbors._dist_metrics": "sklearn.metrics._dist_metrics",
    "sklearn.neural_network.multilayer_perceptron": "sklearn.neural_network._multilayer_perceptron",
    "sklearn.neural_network._stochastic_optimizers": "sklearn.neural_network._stochastic_optimizers",
    "sklearn.neural_network.stochastic_optimizers": "sklearn.neural_network._stochastic_optimizers",
    "sklearn.preprocessing.data": "sklearn.preprocessing._data",
    "sklearn.preprocessing.label": "sklearn.preprocessing._label",
    "sklearn.preprocessing._encoders": "sklearn.preprocessing._encoders",
    "sklearn.preprocessing.imputation": "sklearn.impute._base",
    "sklearn.impute": "sklearn.impute._base",
    "sklearn.compose.column_transformer": "sklearn.compose._column_transformer",
    "sklearn.compose.target": "sklearn.compose._target",
    "sklearn.feature_selection.univariate_selection": "sklearn.feature_selection._univariate_selection",
    "sklearn.feature_selection.variance_threshold": "sklearn.feature_selection._variance_threshold",
    "sklearn.feature_selection.from_model": "sklearn.feature_selection._from_model",
    "sklearn.feature_selection.rfe": "sklearn.feature_selection._rfe",
    "sklearn.decomposition.pca": "sklearn.decomposition._pca",
    "sklearn.decomposition.truncated_svd": "sklearn.decomposition._truncated_svd",
    "sklearn.cluster.k_means_": "sklearn.cluster._kmeans",
    "sklearn.discriminant_analysis": "sklearn.discriminant_analysis",
    "sklearn.metrics.scorer": "sklearn.metrics._scorer",
    "sklearn.grid_search": "sklearn.model_selection._search",
    "sklearn.cross_validation": "sklearn.model_selection._split",
    "sklearn.lda": "sklearn.discriminant_analysis",
    "sklearn.qda": "sklearn.discriminant_analysis",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
    "numpy._core.multiarray": "numpy.core.multiarray",  # a file from numpy 2 opened beside numpy 1
    "numpy._core.numeric": "numpy.core.numeric",
    "pandas.core.indexes.numeric": "pandas.core.indexes.base",
}  # fmt: skip
RENAMED = {
    "Imputer": "SimpleImputer",
    "LDA": "LinearDiscriminantAnalysis",
    "QDA": "QuadraticDiscriminantAnalysis",
    "Int64Index": "Index",
    "Float64Index": "Index",
    "UInt64Index": "Index",
}


_JOBLIB = "sklearn.externals."


def _places(module: str) -> Iterator[str]:
    """Give the modules in which what a file names may lie today, likeliest first."""
    yield module
    if module in MOVED:
        yield MOVED[module]
    if module.startswith(f"{_JOBLIB}joblib"):
        yield module[len(_JOBLIB) :]
    if module.startswith("sklearn."):
        parent, own = module.rsplit(".", 1)
        if parent != "sklearn":
            yield f"{parent}._{own.strip('_')}"  # 0.22 put a line before the names of modules
            yield parent  # where the public names are
            yield MOVED.get(parent, parent)


class RefusedError(Exception):
    """The file asks for something that was not allowed."""


class LostError(Exception):
    """The file needs something that these versions of its libraries do not have."""


class Lost:
    """What stands for an object whose class is no longer there; it is kept only where nothing asks it anything."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state
        if isinstance(state, dict):
            self.__dict__.update(state)

    def append(self, _value: Any) -> None:
        """Take what a list would take."""

    def __setitem__(self, _key: Any, _value: Any) -> None:
        """Take what a dictionary would take."""

    def __reduce__(self) -> Any:
        message = "an object whose class is gone cannot be saved again"
        raise LostError(message)


class Deprecated(Dict[Any, Any]):
    """A search's results, as versions 0.19 to 0.20 kept them beside warnings of each."""

    def __setstate__(self, _state: Any) -> None:
        """Leave the warnings out."""


def _regrown(_kind: Any) -> Lost:
    """Return what stands for a search tree or a distance of neighbours: both are made again from the points."""
    return Lost()


def _function(_module: str, name: str) -> Any:
    """Return NumPy's or SciPy's function of that name: older files name whichever module had imported it."""
    import numpy as np  # noqa: PLC0415 - beside its only use

    for module in (np, importlib.import_module("scipy.special")):
        found = getattr(module, name, None)
        if isinstance(found, np.ufunc):
            return found
    message = f"a function {name} of numbers is not known here"
    raise LostError(message)


def _method(held: Any, name: str) -> Any:
    """Return what stands for a method of an object that is left out, and nothing of any other."""
    if isinstance(held, Lost):
        return Lost()
    message = f"{name} of a {type(held).__name__}"
    raise RefusedError(message)


_INSTEAD = {"getattr": _method, "newObj": _regrown, "_ufunc_reconstruct": _function, "DeprecationDict": Deprecated}


class Opener:
    """Opens one file; remembers which classes were not there, and which version the file says wrote it."""

    def __init__(self, allowed: FrozenSet[Tuple[str, str]], *, trust: bool = False) -> None:
        self.allowed = allowed
        self.trust = trust
        self.lost: Set[str] = set()
        self.versions: Set[str] = set()
        self.warnings: List[str] = []

    def open(self, path: Path, *, bytes_max: int) -> Any:
        """Return the object that ``path`` holds; ``RefusedError`` or ``LostError`` say what stands against it."""
        content = decompressed(path.read_bytes(), bytes_max=bytes_max)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                found = self._unpickler(io.BytesIO(content), str(path), joblib=self._is_joblib()).load()
            except (AttributeError, ModuleNotFoundError, ImportError, TypeError, ValueError, KeyError) as error:
                message = f"{type(error).__name__}: {error}"
                raise LostError(message) from error
        for warning in caught:
            version = getattr(warning.message, "original_sklearn_version", None)
            if version:
                self.versions.add(str(version))
        return found

    def find(self, module: str, name: str) -> Any:
        """Return the class or function of that name, when it is allowed."""
        if not self.trust and (module, name) not in self.allowed:
            message = f"{module}.{name}"
            raise RefusedError(message)
        if name in _INSTEAD and not (self.trust and name == "getattr"):
            return _INSTEAD[name]
        if module.startswith("scipy.stats.") or (module, name) == ("numpy", "vectorize"):
            return type(name, (Lost,), {})  # what a search drew from: nothing is asked of it, and opening it runs code
        for place in _places(module):
            for called in (name, RENAMED.get(name)):
                try:
                    found: Any = importlib.import_module(place)
                    for part in (called or name).split("."):
                        found = getattr(found, part)
                except (ImportError, AttributeError):
                    continue
                return _mended(found, self)
        if module.split(".", maxsplit=1)[0] in {"sklearn", "numpy", "_loss"}:  # 1.3 to 1.7 called a module so
            self.lost.add(f"{module}.{name}")
            return type(name, (Lost,), {})
        message = f"{module}.{name} is not installed here"
        raise LostError(message)

    def _is_joblib(self) -> bool:
        return any(name == "NumpyArrayWrapper" for _, name in self.allowed) or self.trust

    def _unpickler(self, file: io.BytesIO, name: str, *, joblib: bool) -> Any:
        opener = self
        if not joblib:

            class Plain(pickle.Unpickler):
                def find_class(self, module: str, name: str) -> Any:
                    return opener.find(module, name)

            return Plain(file, encoding="latin1")
        from joblib import numpy_pickle  # noqa: PLC0415 - not every file needs it

        class Arrays(numpy_pickle.NumpyUnpickler):  # type: ignore[misc]
            def find_class(self, module: str, name: str) -> Any:
                found = opener.find(module, name)
                return _guarded(found, opener) if name == "NumpyArrayWrapper" else found

        takes = inspect.signature(numpy_pickle.NumpyUnpickler.__init__).parameters
        extra: Dict[str, Any] = {"ensure_native_byte_order": True} if "ensure_native_byte_order" in takes else {}
        arrays = Arrays(name, file, **extra)
        arrays.encoding = "latin1"  # of Python 2's texts, which hold bytes as well
        return arrays

    def nested(self, file: Any) -> Any:
        """Return the object of a pickle inside another file, under the same rules."""
        opener = self

        class Inner(pickle._Unpickler):  # noqa: SLF001 - the one in Python reads no byte too many
            def find_class(self, module: str, name: str) -> Any:
                return opener.find(module, name)

        return Inner(file, encoding="latin1").load()


def decompressed(content: bytes, *, bytes_max: int) -> bytes:
    """Return what a compressed file holds, at most ``bytes_max``; other bytes as they are."""
    if content[:2] == b"\x1f\x8b":
        return _bounded(gzip.GzipFile(fileobj=io.BytesIO(content)), bytes_max)
    if content[:3] == b"BZh":
        return _bounded(bz2.BZ2File(io.BytesIO(content)), bytes_max)
    if content[:6] == b"\xfd7zXZ\x00" or content[:3] == b"\x5d\x00\x00":
        return _bounded(lzma.LZMAFile(io.BytesIO(content)), bytes_max)
    if content[:1] == b"\x78" and content[1:2] in b"\x01\x5e\x9c\xda":
        inflater = zlib.decompressobj()
        found = inflater.decompress(content, bytes_max)
        if inflater.unconsumed_tail:
            raise _too_large(bytes_max)
        return found
    for mark, kind in ((b"\x04\x22\x4d\x18", "lz4"), (b"\x28\xb5\x2f\xfd", "zstd")):
        if content[:4] == mark:
            return _bounded(_by_arrow(content, kind), bytes_max)
    return content


def _by_arrow(content: bytes, kind: str) -> Any:
    try:
        arrow = importlib.import_module("pyarrow")
    except ImportError:
        message = f"it is compressed as {kind}, which these libraries do not read"
        raise LostError(message) from None
    return arrow.CompressedInputStream(arrow.py_buffer(content), kind)


def _bounded(file: Any, bytes_max: int) -> bytes:
    parts: List[bytes] = []
    size = 0
    while True:
        part = file.read(CHUNK_BYTES)
        if not part:
            return b"".join(parts)
        size += len(part)
        if size > bytes_max:
            raise _too_large(bytes_max)
        parts.append(part)


def _too_large(bytes_max: int) -> RefusedError:
    return RefusedError(f"more than {bytes_max:,} bytes when decompressed")


def _guarded(wrapper: Any, opener: Opener) -> Any:
    """Return joblib's array reader with its inner pickles under the same rules: it calls ``pickle.load`` itself."""

    class Guarded(wrapper):  # type: ignore[misc]
        def read_array(self, unpickler: Any, *arguments: Any) -> Any:
            if self.dtype.hasobject:
                found = opener.nested(unpickler.file_handle)
                return found.reshape(self.shape) if hasattr(found, "reshape") else found
            return super().read_array(unpickler, *arguments)

        def read(self, unpickler: Any, *arguments: Any) -> Any:
            if self.dtype.hasobject:
                return self.read_array(unpickler)
            return super().read(unpickler, *arguments)

    return Guarded


def _mended(found: Any, opener: Opener) -> Any:
    """Return a class that also takes the state which older versions wrote."""
    if getattr(found, "__module__", "") == "sklearn.tree._tree" and getattr(found, "__name__", "") == "Tree":
        return _tree_of_any_age(found, opener)
    if getattr(found, "__name__", "") == "TreePredictor":
        return _predictor_of_any_age(found, opener)
    return found


def _predictor_of_any_age(predictor: Any, opener: Opener) -> Any:
    """Return a histogram tree whose nodes may lack what 0.24 added: cuts of categories."""
    import numpy as np  # noqa: PLC0415 - beside its only use

    record = getattr(importlib.import_module(f"{HISTOGRAMS}.common"), "PREDICTOR_RECORD_DTYPE", None)

    class TreePredictor(predictor):  # type: ignore[misc]
        def __setstate__(self, state: Any) -> None:
            nodes = state["nodes"]
            if record is not None and nodes.dtype != record:
                names = nodes.dtype.names or ()
                fresh = np.zeros(len(nodes), dtype=record)
                for field in record.names or ():
                    old = "threshold" if field == "num_threshold" and field not in names else field
                    if old in names:
                        fresh[field] = nodes[old]
                opener.lost.add("a tree of an older form")
                state = {**state, "nodes": fresh}
            for table in ("raw_left_cat_bitsets", "binned_left_cat_bitsets"):
                state.setdefault(table, np.zeros((0, 8), dtype=np.uint32))
            base = getattr(super(), "__setstate__", None)
            if base is None:
                self.__dict__.update(state)
            else:
                base(state)

    TreePredictor.__module__, TreePredictor.__qualname__ = predictor.__module__, "TreePredictor"
    return TreePredictor


def _tree_of_any_age(tree: Any, opener: Opener) -> Any:
    """Return a ``Tree`` whose nodes may lack the field that 1.3 added: where missing values go."""
    import numpy as np  # noqa: PLC0415 - beside its only use

    wanted = np.dtype(tree(1, np.array([2], dtype=np.intp), 1).__getstate__()["nodes"].dtype)

    class Tree(tree):  # type: ignore[misc]
        def __setstate__(self, state: Any) -> None:
            nodes = state.get("nodes")
            if nodes is not None and nodes.dtype != wanted:
                fresh = np.zeros(len(nodes), dtype=wanted)
                for field in nodes.dtype.names:
                    if field in (wanted.names or ()):
                        fresh[field] = nodes[field]
                state = {**state, "nodes": fresh}
                opener.lost.add("a tree of an older form")
            super().__setstate__(state)

    Tree.__module__, Tree.__qualname__ = tree.__module__, "Tree"
    return Tree
