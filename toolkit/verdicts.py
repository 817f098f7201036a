"""What a pickle would import is judged by name: ``judge`` says harmless, dangerous or unknown, and why.

Nothing is harmless that is not named here. Known evil is named to be told well, not to be caught: what is on neither
list is unknown, and refused just the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from toolkit.records import Record

Verdict = Literal["harmless", "dangerous", "unknown"]
Called = Literal["no", "made", "called"]  # named only; made with ``__new__``; called with arguments

_BY_ARGUMENTS = frozenset((
    "bytearray", "bytes", "type", "encode", "_reconstruct", "ndarray", "_ufunc_reconstruct", "getattr", "partial",
))  # fmt: skip
ASKED_BYTES_MAX = 1 << 30  # of one object that a few bytes ask for


@dataclass(frozen=True)
class Import(Record):
    """One global that opening the file would import: whether it would be called too, the verdict, and why."""

    module: str
    name: str
    called: bool
    verdict: Verdict
    why: str

    @property
    def full(self) -> str:
        """Return module and name as one would write them."""
        return self.name if self.module == "?" else f"{self.module}.{self.name}"


# Modules whose classes are estimators and their parts: (module, names). Making one runs nothing but its ``__new__``.
_CLASS = r"_*[A-Z]\w*"
_SKLEARN = (
    "calibration|cluster|compose|covariance|cross_decomposition|decomposition|discriminant_analysis|dummy|ensemble|"
    "feature_extraction|feature_selection|frozen|gaussian_process|impute|isotonic|kernel_approximation|kernel_ridge|"
    "linear_model|manifold|mixture|model_selection|multiclass|multioutput|naive_bayes|neighbors|neural_network|"
    "pipeline|preprocessing|random_projection|semi_supervised|svm|tree|_loss|cross_validation|grid_search|qda|lda"
)
_MAKERS = (
    (rf"sklearn\.(?:{_SKLEARN})(?:\.\w+)*", _CLASS),
    (r"sklearn\.base", _CLASS),
    (r"imblearn\.(?:pipeline|over_sampling|under_sampling|combine|ensemble|base)(?:\.\w+)*", _CLASS),
    (r"sklearn\.compose\._column_transformer", r"make_column_selector"),
    (r"sklearn\.utils\.deprecation", r"DeprecationDict"),
    (r"sklearn\.metrics\._?scorer", r"_\w*Scorer"),
    (r"sklearn\.metrics\._dist_metrics", _CLASS),
    (r"sklearn\.utils(?:\._?bunch)?", r"Bunch"),
    (r"sklearn\.utils\._metadata_requests", r"MetadataRequest|MethodMetadataRequest"),
    (r"sklearn\.utils\._(?:weight_vector|fast_dict)", _CLASS),
    (r"lightgbm\.sklearn", r"LGBM(?:Classifier|Regressor|Ranker|Model)|_LGBM\w+"),
    (r"lightgbm\.(?:basic|engine)", r"Booster|CVBooster"),
    (r"xgboost\.sklearn", r"XGB\w+"),
    (r"xgboost\.core", r"Booster"),
    (r"catboost(?:\.core)?", r"CatBoost(?:Classifier|Regressor|Ranker)?"),
    (r"torch\.nn\.modules(?:\.\w+)+", _CLASS),
)
# What sklearn's modules carry under a capital letter that is no estimator.
_STRANGERS = frozenset((
    "Parallel", "Memory", "Path", "ThreadPool", "ThreadPoolExecutor", "Queue", "Popen", "Thread", "StringIO",
    "BytesIO", "ABC", "ABCMeta", "Integral", "Real", "Number", "Callable", "Iterable", "Mapping",
    "MutableMapping", "Sequence",
))  # fmt: skip
# Classes and functions that pickles of data call, whatever their arguments.
_CALLABLE = {
    "builtins": "set frozenset list dict int float str tuple slice complex bool object range xrange long unicode",
    "copyreg": "__newobj__ __newobj_ex__",
    "collections": "OrderedDict defaultdict Counter deque",
    "datetime": "datetime date time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "uuid": "UUID",
    "numpy":
    "dtype ndarray float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
    "bool_ bool str_ bytes_ datetime64 timedelta64 longlong ulonglong intc uintc",
    "numpy.dtypes": r"re:[A-Z]\w*DType",
    "numpy.{core}.multiarray": "scalar",
    "numpy.{core}.numeric": "_frombuffer",
    r"numpy.ma(?:\.core)?": "_mareconstruct MaskedArray MaskedConstant masked_array",
    "numpy.random": "__RandomState_ctor",
    "numpy.random.mtrand": "RandomState __RandomState_ctor",
    "numpy.random._generator": "Generator",
    "numpy.random.bit_generator": r"re:SeedSequence|SeedlessSequence|__pyx_unpickle_\w+",
    "numpy.random._pcg64": "PCG64 PCG64DXSM",
    "numpy.random._mt19937": "MT19937",
    "numpy.random._philox": "Philox",
    "numpy.random._sfc64": "SFC64",
    "numpy.random._pickle": "__randomstate_ctor __generator_ctor __bit_generator_ctor",
    "scipy.sparse": "re:[a-z]{3}_(?:matrix|array)",
    "scipy.sparse._?(?:csr|csc|coo|lil|dok|dia|bsr)": "re:[a-z]{3}_(?:matrix|array)",
    "scipy.interpolate._?(?:bsplines|interpolate|polyint|fitpack2)": "BSpline PPoly interp1d",
    r"scipy.stats._(?:continuous|discrete)_distns": r"re:\w+_gen",  # what a search drew from: see ``pickles.py``
    "scipy.stats._distn_infrastructure": "rv_continuous_frozen rv_discrete_frozen rv_frozen",
    "pandas.core.indexes.base": "Index _new_Index",
    r"pandas.core.indexes.\w+":
    "RangeIndex Int64Index Float64Index UInt64Index NumericIndex MultiIndex DatetimeIndex TimedeltaIndex "
    "CategoricalIndex IntervalIndex PeriodIndex _new_DatetimeIndex _new_PeriodIndex FrozenList",
    r"pandas.indexes.\w+|pandas.core.index": "Index _new_Index RangeIndex Int64Index Float64Index MultiIndex",
    "pandas.core.indexes.frozen": "FrozenList",
    "pandas":
    "Index RangeIndex DataFrame Series Timestamp Timedelta Categorical CategoricalDtype StringDtype Interval",
    "pandas.core.frame": "DataFrame",
    "pandas.core.series": "Series",
    r"pandas.core.internals(?:\.managers)?": "BlockManager SingleBlockManager",
    "pandas.core.internals.blocks": "new_block _new_block",
    "pandas._libs.internals": "_unpickle_block",
    "pandas._libs.missing": "NAType",
    "pandas._libs.arrays": "NDArrayBacked __pyx_unpickle_NDArrayBacked",
    r"pandas._libs.tslibs.\w+":
    "re:_(?:timedelta_|timestamp_)?unpickle(?:_timestamp)?|__nat_unpickle|_nat_unpickle|Timestamp|Timedelta|"
    "Day|Hour|Minute|Second|MonthEnd|BusinessDay",
    "pandas._libs.interval": "Interval",
    r"pandas.core.arrays(?:\.\w+)*": r"re:\w+Array|Categorical|Arrow\w+",
    "pandas.core.dtypes.dtypes": r"re:\w+Dtype",
    "pandas.core.arrays.string_": "StringDtype StringArray",
    "pyarrow.lib": "_restore_array type_for_alias py_buffer",  # columns of texts, as pandas 3 keeps them
    "pandas.core.flags": "Flags",
    "pandas.arrays": r"re:\w+Array|Categorical",
    "sklearn.utils.fixes": "MaskedArray",
    "_loss": r"re:Cy\w+|__pyx_unpickle_Cy\w+",  # scikit-learn 1.5 and 1.6 call their own module so
    "sklearn.neighbors._(?:ball|kd)_tree": "newObj",
    "sklearn.neighbors.(?:ball|kd)_tree": "newObj",
    "sklearn.(?:neighbors|metrics)._?dist_metrics": "newObj",
    r"sklearn(?:\.\w+)+": r"re:__pyx_unpickle_\w+",
    r"(?:sklearn\.externals\.)?joblib.numpy_pickle": "NumpyArrayWrapper",
    "torch": r"re:Size|\w+Storage|device",
    "torch._utils": "_rebuild_tensor _rebuild_tensor_v2 _rebuild_parameter _rebuild_parameter_with_state",
    "torch.storage": r"re:\w*Storage",
}  # fmt: skip
# Functions that estimators hold and call when they predict: pure arithmetic, named but not called in opening.
_HELD = {
    r"numpy(?:\.\{core\}\._?(?:multiarray_umath|fromnumeric|umath))?":
    "memmap matrix "
    "log log1p log2 log10 exp expm1 exp2 sqrt cbrt square abs absolute fabs sign sin cos tan arcsin arccos arctan "
    "sinh cosh tanh arcsinh arctanh floor ceil rint trunc round reciprocal negative isnan isfinite nan_to_num "
    "mean median std var sum min max amin amax argmin argmax argsort clip ravel float_ int_ object_ number "
    "integer floating generic void add subtract multiply divide power maximum minimum hypot identity float128 "
    "longdouble nan",
    r"scipy.special(?:\._ufuncs)?": "expit logit boxcox inv_boxcox erf log1p expm1 softmax xlogy",
    "scipy.special._(?:logsumexp|basic)": "softmax logsumexp",
    "sklearn.feature_selection._?univariate_selection": "f_classif f_regression chi2 f_oneway r_regression",
    "sklearn.feature_selection._?mutual_info_?": "mutual_info_classif mutual_info_regression",
    "sklearn.preprocessing._function_transformer": "_identity",
    "sklearn.metrics.pairwise": r"re:\w+_(?:kernel|distances|similarity)",
    r"sklearn.metrics._\w+|sklearn.metrics.(?:classification|regression|ranking)": r"re:\w+_(?:score|error|loss)",
    r"sklearn.metrics._?scorer": "_passthrough_scorer",  # what a search keeps when it was given no score of its own
    "sklearn.utils.validation": "check_array",
    "builtins": "len abs min max sum round sorted FutureWarning DeprecationWarning UserWarning",
    r"scipy._lib.array_api_compat.numpy(?:\._aliases)?": "asarray",
    "torch":
    r"re:(?:b?float|double|half|u?int|bool|long|complex)\d*|strided|contiguous_format|channels_last|"
    r"preserve_format",
    "torch.nn.(?:init|functional)": r"re:[a-z]\w+",
}  # fmt: skip

_RUNS = "it runs code or commands"
_READS = "it opens files or the network"
_LOADS = "it opens another pickle or program, unseen"
_REACHES = "it reaches any function by name, and so around every list"
_CARRIES = "it makes functions out of code that the file carries"
# Packages and modules known from attacks, with all that is in them, and why.
_DANGEROUS_MODULES = {
    _RUNS:
    "os posix nt posixpath ntpath subprocess _posixsubprocess pty commands popen2 platform sys _winapi signal "
    "shlex runpy code codeop bdb pdb trace profile cProfile timeit pydoc doctest unittest test idlelib lib2to3 "
    "this antigravity webbrowser turtle tkinter IPython ipykernel pip setuptools distutils ensurepip venv "
    "virtualenv pytest _pytest nose multiprocessing _multiprocessing threading _thread concurrent asyncio sched "
    "dask distributed ray pyspark celery ctypes _ctypes cffi _cffi_backend numba llvmlite fabric paramiko invoke "
    "plumbum pexpect sh cgitb mailcap _osx_support _aix_support _pyrepl site sysconfig zipapp compileall "
    "py_compile modulefinder rlcompleter readline gc atexit faulthandler resource mmap winreg msvcrt "
    "numpy.testing numpy.distutils numpy.f2py numpy.ctypeslib numpy.compat numpy.lib numpy.{core}._internal "
    "numpy._pytesttester pandas.io pandas.core.computation pandas.compat pandas.util pandas._testing "
    "pandas.testing pandas.plotting pandas.tests",
    _REACHES:
    "importlib imp pkgutil zipimport _frozen_importlib _frozen_importlib_external inspect operator _operator "
    "functools _functools itertools types weakref contextlib ast symtable dis opcode _ast abc",
    _LOADS:
    "pickle _pickle cPickle pickletools copyreg marshal shelve dbm joblib jsonpickle yaml ruamel klepto hickle "
    "skops mlflow torch.hub torch.jit torch.serialization torch.package torch._dynamo torch.utils "
    "torch.distributed torch.multiprocessing torch.ops torch._C torch.fx torch.export torch._classes "
    "torch.library torch.cuda torch.onnx torch.testing torch._inductor tensorflow keras tf_keras transformers "
    "huggingface_hub diffusers onnxruntime onnx fsspec",
    _CARRIES: "cloudpickle dill",
    _READS:
    "io _io _pyio codecs tempfile shutil pathlib glob fileinput linecache fnmatch filecmp zipfile tarfile gzip "
    "bz2 lzma sqlite3 logging socket _socket ssl _ssl select selectors socketserver urllib urllib2 http httplib "
    "ftplib poplib imaplib nntplib smtplib telnetlib xmlrpc requests httpx aiohttp urllib3 boto boto3 botocore "
    "s3fs gcsfs netrc uuid getpass pwd grp spwd fcntl termios syslog xml csv configparser smtpd asyncore asynchat "
    "nturl2path aifc wave sunau kaggle kagglehub PIL cv2 h5py pyarrow polars openpyxl scipy.io scipy.weave "
    "scipy._lib scipy.misc scipy.datasets sklearn.datasets sklearn.externals sklearn.utils sklearn._build_utils "
    "sklearn.conftest sklearn.tests sklearn.__check_build sklearn._config",
}  # fmt: skip
# Single names in packages that are not evil as a whole: (package, names, why).
_DANGEROUS_NAMES = (
    ("builtins", "eval exec compile execfile __import__ breakpoint apply", _RUNS),
    ("builtins", "getattr setattr delattr globals locals vars map filter reduce type", _REACHES),
    ("builtins", "open file input raw_input print help exit quit", _READS),
    ("numpy", "load loadtxt genfromtxt fromfile memmap save savez savetxt DataSource fromregex open_memmap", _READS),
    ("numpy", "vectorize apply_along_axis apply_over_axes frompyfunc fromfunction piecewise test f2py testing", _RUNS),
    ("pandas", "eval query apply pipe map agg test", _RUNS),
    ("pandas", r"re:read_\w+|to_\w+|HDFStore|ExcelFile|ExcelWriter", _READS),
    ("torch", "load save compile hub jit", _LOADS),
    ("lightgbm", r"re:train|cv|load_\w+|Dataset|Booster", _READS),
    ("xgboost", r"re:train|cv|load_\w+|\w*DMatrix|Booster", _READS),
    ("catboost", r"re:train|cv|_?load\w*|Pool", _READS),
)


def judge(module: str, name: str, called: Called, arguments: object = None) -> tuple[Verdict, str]:
    """Return the verdict on one import and why; ``arguments`` are those of its call, as far as the bytes tell.

    >>> judge("os", "system", "called")
    ('dangerous', 'it runs code or commands')
    >>> judge("collections", "OrderedDict", "called")[0]
    'harmless'
    """
    if module == "?":
        return "dangerous", "what it imports or changes is made up while opening, and no list can hold it"
    special = _special(module, name, called, arguments)
    if special is not None:
        return special
    if "." not in name:
        if _named(_CALLABLE, module, name):
            return "harmless", "a container, array or column of data"
        if _is_maker(module, name):
            return _made(module, name, called, arguments)
        if called == "no" and _named(_HELD, module, name):
            return "harmless", "arithmetic or a kind of array, named and not called in opening"
    if why := _danger(_modern(module), name):
        return "dangerous", why
    if module == "__main__":
        return "unknown", "its code was in the author's own script or notebook, and is not in the file"
    if _named(_HELD, module, name):
        return "unknown", "it is arithmetic, but no honest file calls it in opening"
    return "unknown", "it is on no list of what models need"


def arguments_matter(module: str, name: str) -> bool:
    """Return whether the verdict on a call depends on what it is called with."""
    return name in _BY_ARGUMENTS or module.split(".", maxsplit=1)[0] in {"lightgbm", "xgboost", "catboost"}


def _danger(module: str, name: str) -> str:
    """Return why an import is known to be dangerous, ``""`` when it is not known."""
    for package, names, why in _DANGEROUS_NAMES:
        if (module == package or module.startswith(f"{package}.")) and _among(names, name.rsplit(".", maxsplit=1)[-1]):
            return why
    parts = module.split(".")
    inside = {".".join(parts[: count + 1]) for count in range(len(parts))}
    return next((why for why, modules in _DANGEROUS_MODULES.items() if inside & set(modules.split())), "")


def _special(module: str, name: str, called: Called, arguments: object) -> tuple[Verdict, str] | None:
    """Judge the few functions whose harm is in their arguments."""
    values = arguments if isinstance(arguments, tuple) else ()
    match _modern(module), name:
        case "builtins", "bytearray" | "bytes":
            if values and isinstance(values[0], int) and values[0] > ASKED_BYTES_MAX:
                return "dangerous", f"it asks for {values[0]:,} bytes of memory"
            return "harmless", "bytes"
        case "builtins", "getattr" if values and _is_distribution(values[0]):
            return "harmless", "a method of a distribution that a search drew from"
        case "numpy", "vectorize" if called == "made" and not values:
            return "harmless", "a part of such a distribution: what it is to call is judged by itself"
        case "functools", "partial" if called == "called" and len(values) == 1 and is_check(values[0]):
            return "harmless", "scikit-learn's own check of an array, with its settings: it is judged by itself"
        case "builtins", "type" if called == "no" or (len(values) == 1 and values[0] is None):
            return "harmless", "the type of nothing"
        case "_codecs", "encode":
            plain = called == "no" or (len(values) > 1 and values[1] in ("latin1", "latin-1", "ascii", "utf-8"))
            return ("harmless", "text to bytes") if plain else ("dangerous", "a codec that may unpack or transform")
        case "copyreg", "_reconstructor":
            return "harmless", "makes an object without calling its class"
        case "numpy.{core}.multiarray", "_reconstruct":
            if called != "no" and _asks_too_much(values[1:2]):
                return "dangerous", "it asks for an array larger than any honest file's"
            return "harmless", "an empty array, to be filled"
        case "numpy", "ndarray" if called == "called" and _asks_too_much(values[:1]):
            return "dangerous", "it asks for an array larger than any honest file's"
        case "numpy.{core}", "_ufunc_reconstruct":
            return ("harmless", "arithmetic, by name") if called == "no" else _ufunc(values)
        case _:
            return None


def is_check(value: object) -> bool:
    """Return whether a value is scikit-learn's check of arrays, which histogram boosting keeps with its settings."""
    return str(getattr(value, "full", "")) == "sklearn.utils.validation.check_array"


def _is_distribution(value: object) -> bool:
    return bool(re.fullmatch(r"scipy\.stats\._(?:continuous|discrete)_distns\.\w+_gen", getattr(value, "kind", "")))


def _ufunc(values: tuple[object, ...]) -> tuple[Verdict, str]:
    if len(values) == 2 and all(isinstance(value, str) for value in values):  # noqa: PLR2004 - module and name
        module, name = str(values[0]), str(values[1])
        known = module.split(".", maxsplit=1)[0] in {"numpy", "scipy", "pandas", "sklearn"}  # whoever imported it
        if known and any(_named(_HELD, one, name) for one in ("numpy", "scipy.special")):
            return "harmless", "arithmetic, by name"
        return "dangerous", f"it imports `{module}.{name}` by name"
    return "dangerous", _REACHES


def _asks_too_much(values: tuple[object, ...]) -> bool:
    size = 1
    shape = values[0] if values else ()
    for side in shape if isinstance(shape, tuple) else (shape,):
        size *= side if isinstance(side, int) else 1
    return abs(size) > ASKED_BYTES_MAX


def _made(module: str, name: str, called: Called, arguments: object) -> tuple[Verdict, str]:
    if name in _STRANGERS or re.fullmatch(r"_*[A-Z0-9]+_[A-Z0-9_]*", name):
        return "unknown", "it is no estimator"
    if (
        called == "called"
        and arguments != ()
        and module.split(".", maxsplit=1)[0] in {"lightgbm", "xgboost", "catboost"}
    ):
        return "dangerous", "called with arguments it opens files; honest files do not"
    return "harmless", "a model, or a part of one"


def _is_maker(module: str, name: str) -> bool:
    return any(re.fullmatch(modules, module) and re.fullmatch(names, name) for modules, names in _MAKERS)


def _modern(module: str) -> str:
    """Return a module's name as the lists have it: Python 2's and both of NumPy's are one."""
    if module in {"__builtin__", "__builtins__", "exceptions"}:
        return "builtins"
    if module == "copy_reg":
        return "copyreg"
    return re.sub(r"^numpy\._?core(?=\.|$)", "numpy.{core}", module)


def _named(table: dict[str, str], module: str, name: str) -> bool:
    wanted = _modern(module)
    for modules, names in table.items():
        if (modules == wanted or _pattern(modules).fullmatch(wanted)) and _among(names, name):
            return True
    return False


def _among(names: str, name: str) -> bool:
    return bool(re.fullmatch(names[3:], name)) if names.startswith("re:") else name in names.split()


@cache
def _pattern(modules: str) -> re.Pattern[str]:
    """Return a table's modules as a pattern: a plain full stop and braces stand for themselves."""
    return re.compile(re.sub(r"(?<!\\)\.", r"\\.", modules).replace(".{core}", r".\{core\}"))
