"""``python -m toolkit.caged JOB``: lock this process in, open the file, write down what it is and what it answers."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any, Dict, Sequence

INNER = {
    "tf2onnx": ("tf2onnx.convert",),  # it sets a variable of the environment
    "ai_edge_litert": ("ai_edge_litert.interpreter",),
    "torch": ("torch._dynamo.package",),  # as tf2onnx
    "transformers": (
        "transformers.modeling_utils",
        "transformers.models.auto.modeling_auto",
        "transformers.models.auto.tokenization_auto",
    ),
}  # what a library loads late, and must not in the cage


TOO_LARGE = {"kind": "limits", "message": "it takes more memory than the cage gives"}


def main() -> int:
    """Do the job in the folder named on the command line; ``result.json`` says how it ended."""
    folder = Path(sys.argv[1]).resolve()
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    _load_libraries(job.get("imports") or ())
    from .lock import lock  # noqa: PLC0415 - after what the lock would refuse

    limits = job["limits"]
    readable = [Path(path) for path in dict.fromkeys(job["readable"])]
    layers = lock(
        folder,
        readable,
        memory_bytes=limits["memory_bytes"],
        seconds=limits["seconds"],
        file_bytes=limits["file_bytes"],
    )
    result: Dict[str, Any] = {"layers": list(layers)}
    try:
        result.update(_done(folder, job))
    except MemoryError:
        result["error"] = TOO_LARGE
    except BaseException as error:  # noqa: BLE001 - whatever the file makes happen ends as one sentence
        result["error"] = {
            "kind": _kind(error),
            "message": f"{error}" or type(error).__name__,
            "type": type(error).__name__,
        }
        if type(error).__name__ == "ResourceExhaustedError":  # TensorFlow's own
            result["error"] = TOO_LARGE
        result["traceback"] = traceback.format_exc()
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return 0


def _load_libraries(libraries: Sequence[str]) -> None:
    """Load what the model will need while files may still be looked for everywhere."""
    import numpy as np  # noqa: F401, PLC0415

    for name in ("pandas", "sklearn", "joblib", "scipy.sparse", "sklearn.pipeline", "sklearn.ensemble", *libraries):
        for module in (name, *INNER.get(name, ())):
            try:
                __import__(module)
            except ImportError:
                continue


def _done(folder: Path, job: Dict[str, Any]) -> Dict[str, Any]:
    import numpy as np  # noqa: PLC0415 - loaded by now

    from .boosters import Booster  # noqa: PLC0415 - as above
    from .converted import CONVERTERS, convert  # noqa: PLC0415 - as above
    from .mending import mended  # noqa: PLC0415 - as above
    from .opening import Opener  # noqa: PLC0415 - as above
    from .reading import read  # noqa: PLC0415 - as above

    opener = Opener(frozenset((module, name) for module, name in job["allowed"]), trust=bool(job.get("trust")))
    if job.get("library") == "ONNX" or job.get("library") in CONVERTERS:
        from .networks import read_network  # noqa: PLC0415 - as above

        path = str(folder / "model")
        document, arrays = read_network(
            path,
            rows=job["rows"],
            seed=job["seed"],
            names=job.get("names"),
            wishes=job.get("network"),
            converted=convert(job["library"], path, job.get("network")) if job["library"] in CONVERTERS else None,
        )
        np.savez(str(folder / "arrays.npz"), **arrays)
        return {**document, "versions": _versions(), "lost": [], "written_by": []}
    if job.get("library") == "Transformers":
        from .text_networks import read_text_network  # noqa: PLC0415 - as above

        document, arrays = read_text_network(
            str(folder / "model"), seed=job["seed"], names=job.get("names"), wishes=job.get("network")
        )
        np.savez(str(folder / "arrays.npz"), **arrays)
        return {**document, "versions": _versions(), "lost": [], "written_by": []}
    if job.get("library") == "skops":
        from skops import io  # noqa: PLC0415 - only for its own files

        path = str(folder / "model")
        model: Any = io.load(path, trusted=io.get_untrusted_types(file=path))
    elif job.get("library"):
        model = Booster(job["library"], str(folder / "model"))
    else:
        model = opener.open(folder / "model", bytes_max=job["limits"]["file_bytes"])
        model = _with_those_beside(folder, job, model)
    fresh = mended(model, versions=opener.versions)
    found = read(model, rows=job["rows"], seed=job["seed"], names=job.get("names"))
    np.savez(str(folder / "arrays.npz"), **found.arrays)
    written = sorted(opener.versions)
    return {**found.document, "lost": sorted(opener.lost | fresh), "versions": _versions(), "written_by": written}


def _with_those_beside(folder: Path, job: Dict[str, Any], model: Any) -> Any:
    """Return a model with what was saved in files beside it, as one dictionary; the model alone when nothing was."""
    from .bundles import Unopened  # noqa: PLC0415 - loaded by now
    from .opening import Opener  # noqa: PLC0415 - as above

    parts: Dict[str, Any] = {}
    for place, one in enumerate(job.get("beside") or ()):
        opener = Opener(frozenset((module, name) for module, name in one["allowed"]))
        try:
            part = opener.open(folder / f"beside_{place}", bytes_max=job["limits"]["file_bytes"])
        except Exception:  # noqa: BLE001 - a file that does not open prepares nothing, and that is told
            part = Unopened()
        if not hasattr(part, "predict"):
            parts[str(one["name"])] = part
    return {"model": model, **parts} if parts and hasattr(model, "predict") else model


def _versions() -> Dict[str, str]:
    """Return the versions of the libraries that were loaded."""
    names = (
        "sklearn",
        "numpy",
        "pandas",
        "scipy",
        "lightgbm",
        "xgboost",
        "catboost",
        "onnxruntime",
        "keras",
        "tensorflow",
        "ai_edge_litert",
        "torch",
        "transformers",
        "tokenizers",
    )
    return {name: str(getattr(sys.modules[name], "__version__", "")) for name in names if name in sys.modules}


def _kind(error: BaseException) -> str:
    names = {"RefusedError": "refused", "CagedError": "refused", "LostError": "lost", "UnservedError": "unserved"}
    return names.get(type(error).__name__, "failed")


if __name__ == "__main__":
    os.environ.setdefault("JOBLIB_MULTIPROCESSING", "0")
    sys.exit(main())
