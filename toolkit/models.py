"""Which file of a download is the model that is to be wrapped, looked at and not opened."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from toolkit import contents
from toolkit.artifact import look
from toolkit.errors import ArtifactError
from toolkit.model_search import MODEL_SUFFIXES, is_model

if TYPE_CHECKING:
    from toolkit.artifact import Artifact
    from toolkit.download import Download

PREPARES = re.compile(
    r"vector|tf.?idf|count.?vec|scal(?:er|ing)|encod|imput|transform|preprocess|normali[sz]|pca|svd|selector|binari[sz]er"
    r"|columns|features",
    re.IGNORECASE,
)  # what people call the files of what their rows go through before the model
LOOKED_MAX = 30  # model files looked at; a folder with more of them holds parts, not models


def find_model(download: Download, *, wanted: str | None = None) -> tuple[Path, Artifact] | None:
    """Return the model file of ``download`` with what its bytes tell, or None when it is for tables.

    A file that is named (``wanted``), or the only one, is the model when it is one. A model's page and a notebook's
    output are about their models; in other folders a table comes first. ``ArtifactError`` when there are several.
    """
    if wanted is not None:
        return _named(download, wanted)
    likely = [record.path for record in download.files if Path(record.path).suffix.lower() in MODEL_SUFFIXES]
    alone = len(download.files) == 1
    about_models = download.provenance.kind in {"model", "notebook"}
    if not likely and alone and is_model(download.root / download.files[0].path):
        likely = [download.files[0].path]
    if not likely and not alone and is_model(download.root):
        return download.root, look(download.root)  # a folder that is one model
    if not likely or not (alone or about_models or not _has_table(download)):
        return None
    return _only(download, likely)


def is_pickled(artifact: Artifact) -> bool:
    """Return whether a file is a pickle, as joblib's are."""
    return artifact.format in {"pickle", "joblib"}


def companions(download: Download, found: tuple[Path, Artifact]) -> tuple[tuple[Path, Artifact], ...]:
    """Return the pickles of a download that prepare the rows of its model, or name its classes, by their names."""
    path, artifact = found
    if not is_pickled(artifact) or not path.is_file() or PREPARES.search(path.stem):
        return ()
    beside = []
    for record in download.files[:LOOKED_MAX]:
        other = download.root / record.path
        named = PREPARES.search(other.stem) and other.suffix.lower() in MODEL_SUFFIXES
        if not named or other.parent != path.parent or other == path:
            continue
        try:
            seen = look(other)
        except ArtifactError:
            continue
        if is_pickled(seen) and seen.servable:
            beside.append((other, seen))
    return tuple(beside)


def _named(download: Download, wanted: str) -> tuple[Path, Artifact]:
    paths = [record.path for record in download.files]
    found = [path for path in paths if wanted in {path, PurePosixPath(path).name}]
    if len(found) != 1:
        message = f"`{wanted}` is {'none' if not found else 'several'} of the {len(paths)} files"
        raise ArtifactError(message, hint=f"name one of: {', '.join(paths[:10])}")
    graph = PurePosixPath(found[0]).name == "saved_model.pb"  # which is nothing without its folder
    path = _whole(download.root, found[0]) if graph else download.root / found[0]
    return path, look(path)


def _whole(root: Path, name: str) -> Path:
    """Return the outermost folder around a file that is one model, the file itself where there is none."""
    path = root / name
    around = [folder for folder in reversed(path.parents) if folder == root or root in folder.parents]
    return next((folder for folder in around if is_model(folder) and not (folder / "MLmodel").is_file()), path)


def _only(download: Download, likely: list[str]) -> tuple[Path, Artifact] | None:
    looked = []
    failure: ArtifactError | None = None
    for path in list(dict.fromkeys(_whole(download.root, name) for name in sorted(likely)))[:LOOKED_MAX]:
        try:
            looked.append((path, look(path)))
        except ArtifactError as error:
            failure = failure or error
    if not looked and failure is not None:
        alone = len(download.files) == 1 and Path(likely[0]).suffix.lower() not in MODEL_SUFFIXES
        if _has_table(download) and not alone:  # a file that begins as a model does is one, cut off
            return None  # what is called a model is none, and there is data
        raise failure
    models = [(path, artifact) for path, artifact in looked if artifact.servable] or looked
    if len(models) > 1:
        plain = [one for one in models if not PREPARES.search(one[0].stem)]
        if len(plain) == 1 and is_pickled(plain[0][1]):
            return plain[0]  # the others prepare its rows by their names: see ``companions``
        names = ", ".join(f"`{path.relative_to(download.root).as_posix()}`" for path, _ in models[:10])
        message = f"there are {len(models)} model files: {names}"
        raise ArtifactError(message, hint="name the one to wrap with `--model FILE`")
    return models[0]


def _has_table(download: Download) -> bool:
    """Return whether a download has a table, besides what is part of a model's folder, such as its vocabulary."""
    return any(
        contents.is_table(download, record) and not _whole(download.root, record.path).is_dir()
        for record in download.files
    )
