"""Any way a person names a thing on Kaggle becomes a handle, and its text names the same thing again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import UsageError
from toolkit.handle import FRAMEWORKS, SAMPLES, Handle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("uciml/iris", "uciml/iris"),
        ("  uciml/iris/ ", "uciml/iris"),
        ("'uciml/iris'", "uciml/iris"),
        ("uciml/iris/2", "uciml/iris/versions/2"),
        ("uciml/iris/v2", "uciml/iris/versions/2"),
        ("uciml/iris/versions/2", "uciml/iris/versions/2"),
        ("dataset:uciml/iris", "uciml/iris"),
        ("datasets:uciml/iris/versions/2", "uciml/iris/versions/2"),
        ("titanic", "competition:titanic"),
        ("competition:titanic", "competition:titanic"),
        ("c:titanic", "competition:titanic"),
        ("google/gemma/pyTorch/2b", "google/gemma/pyTorch/2b"),
        ("google/gemma/pyTorch/2b/3", "google/gemma/pyTorch/2b/3"),
        ("google/gemma/pyTorch/2b/versions/3", "google/gemma/pyTorch/2b/3"),
        ("model:google/gemma/pytorch/2b", "google/gemma/pyTorch/2b"),
        ("notebook:ann/eda", "notebook:ann/eda"),
        ("notebook:ann/eda/4", "notebook:ann/eda/4"),
        ("kernel:ann/eda/versions/4", "notebook:ann/eda/4"),
        ("code:ann/eda", "notebook:ann/eda"),
        ("sample:iris", "sample:iris"),
        ("sample:Breast_Cancer", "sample:breast-cancer"),
        ("google/gemma/keras/v1.h5", "./google/gemma/keras/v1.h5"),
        ("model:google/gemma/keras/v1.h5", "model:google/gemma/keras/v1.h5"),
        ("data.csv", "./data.csv"),
        ("C:\\data\\a.csv", "C:\\data\\a.csv"),
        ("local:data", "./data"),
        ("./folder", "./folder"),
        ("~/archive.zip", "~/archive.zip"),
        ("/srv/data", "/srv/data"),
        (".", "."),
    ],
)
def test_every_form_people_type_is_read(text: str, canonical: str) -> None:
    assert str(Handle.parse(text)) == canonical


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("https://www.kaggle.com/datasets/uciml/iris", "uciml/iris"),
        ("http://kaggle.com/datasets/uciml/iris/", "uciml/iris"),
        ("kaggle.com/datasets/uciml/iris", "uciml/iris"),
        ("https://www.kaggle.com/datasets/uciml/iris?select=Iris.csv", "uciml/iris"),
        ("https://www.kaggle.com/datasets/uciml/iris/data", "uciml/iris"),
        ("https://www.kaggle.com/datasets/uciml/iris/code?datasetId=19&sortBy=voteCount", "uciml/iris"),
        ("https://www.kaggle.com/datasets/uciml/iris/discussion/1234", "uciml/iris"),
        ("https://www.kaggle.com/datasets/uciml/iris/versions/2#top", "uciml/iris/versions/2"),
        ("https://www.kaggle.com/uciml/iris", "uciml/iris"),
        ("https://www.kaggle.com/uciml/iris/version/2", "uciml/iris/versions/2"),
        ("https://www.kaggle.com/competitions/titanic", "competition:titanic"),
        ("https://www.kaggle.com/competitions/titanic/data?select=train.csv", "competition:titanic"),
        ("https://www.kaggle.com/c/titanic/leaderboard", "competition:titanic"),
        ("https://www.kaggle.com/api/v1/datasets/download/uciml/iris", "uciml/iris"),
        (
            "https://www.kaggle.com/api/v1/datasets/download/uciml/iris?datasetVersionNumber=2",
            "uciml/iris/versions/2",
        ),
        ("https://www.kaggle.com/api/v1/competitions/data/download-all/titanic", "competition:titanic"),
        ("https://www.kaggle.com/api/v1/models/google/gemma/pyTorch/2b/3/download", "google/gemma/pyTorch/2b/3"),
        ("https://www.kaggle.com/datasets/download/uciml/iris?datasetVersionNumber=2", "uciml/iris/versions/2"),
        ("https://www.kaggle.com/code/ann/eda", "notebook:ann/eda"),
        ("https://www.kaggle.com/ann/eda/notebook", "notebook:ann/eda"),
        ("https://www.kaggle.com/ann/eda/output", "notebook:ann/eda"),
        ("https://www.kaggle.com/code/ann/eda/output?scriptVersionId=99", "notebook:ann/eda"),
        ("https://www.kaggle.com/code/ann/eda/versions/4", "notebook:ann/eda/4"),
        ("https://www.kaggle.com/models/google/gemma/pyTorch/2b", "google/gemma/pyTorch/2b"),
        ("https://www.kaggle.com/models/google/gemma/pyTorch/2b/3", "google/gemma/pyTorch/2b/3"),
        ("https://www.kaggle.com/models/google/gemma/frameworks/PyTorch/variations/2b", "google/gemma/pyTorch/2b"),
        (
            "https://www.kaggle.com/models/google/gemma/frameworks/pyTorch/variations/2b/versions/3",
            "google/gemma/pyTorch/2b/3",
        ),
    ],
)
def test_every_page_of_a_thing_names_it(address: str, canonical: str) -> None:
    assert str(Handle.parse(address)) == canonical


@pytest.mark.parametrize(
    ("typed", "framework"),
    [
        *((name, name) for name in FRAMEWORKS),
        ("sklearn", "scikitLearn"),
        ("scikit-learn", "scikitLearn"),
        ("Scikit_Learn", "scikitLearn"),
        ("torch", "pyTorch"),
        ("pytorch", "pyTorch"),
        ("PY_TORCH", "pyTorch"),
        ("tf", "tensorFlow2"),
        ("tf2", "tensorFlow2"),
        ("tensorflow", "tensorFlow2"),
        ("tf1", "tensorFlow1"),
        ("tflite", "tfLite"),
        ("gemma.cpp", "gemmaCpp"),
        ("TensorRT-LLM", "tensorRtLlm"),
    ],
)
def test_frameworks_have_the_names_that_people_type(typed: str, framework: str) -> None:
    assert Handle.parse(f"google/gemma/{typed}/2b").framework == framework


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "empty", "sample:iris"),
        ("'  '", "empty", "sample:iris"),
        ("uciml/iris\x07", "control character", "sample:iris"),
        ("uciml//iris", "`uciml//iris`", "did you mean `uciml/iris`?"),
        ("uciml/iris/versions/two", "`two` in `uciml/iris/versions/two` is no version", "did you mean `uciml/iris`?"),
        ("uciml/iris/versions", "`versions` in `uciml/iris/versions` is no version", "did you mean `uciml/iris`?"),
        ("uciml/iris/versions/2/3", "5 parts, expected owner/slug", "did you mean `uciml/iris/versions/2`?"),
        ("uciml/iris/0", "`0` in `uciml/iris/0` is no version, expected a number from 1 up", "`uciml/iris`?"),
        ("uciml/iris/-1", "is no version", "did you mean `uciml/iris/versions/1`?"),
        ("uciml/iris/data", "`data` in `uciml/iris/data` is no version", "did you mean `uciml/iris`?"),
        ("google/gemma/keras/2b/latest", "`latest` in", "did you mean `google/gemma/keras/2b`?"),
        ("uci ml/iris", "the owner `uci ml` holds more than letters, digits", "did you mean `uci-ml/iris`?"),
        ("uciml\\iris", "the slug `uciml\\iris` holds more than", "did you mean `uciml/iris`?"),
        ("uciml/", "the slug is empty in `uciml/`, expected owner/slug", "`uciml`"),
        ("uciml/ïris", "the slug `ïris`", "did you mean `uciml/ris`?"),
        ("kaggle datasets download -d uciml/iris", "the owner `kaggle datasets", "did you mean `uciml/iris`?"),
        ("kaggle competitions download -c titanic", "holds more than", "did you mean `competition:titanic`?"),
        ('kagglehub.dataset_download("uciml/iris")', "holds more than", "did you mean `uciml/iris`?"),
        ("google/gemma/py-tortch/2b", "`py-tortch` in", "did you mean `pyTorch`"),
        ("google/gemma/zzzzzz/2b", "is no framework, expected one of tensorFlow1", "owner/model/framework"),
        ("https://www.kaggle.com/datasets/uciml", "1 parts, expected owner/slug", "competition:uciml"),
        ("https://www.kaggle.com/organizations/google/datasets", "is no page of a dataset", "copy its address"),
        ("https://www.kaggle.com/api/v1/kernels/pull/ann/eda", "downloads no dataset", "copy its address"),
        ("model:google/gemma", "names no framework", "https://www.kaggle.com/models/google/gemma"),
        ("model:google/gemma/keras", "names no variation", "https://www.kaggle.com/models/google/gemma"),
        ("a/b/keras/c/1/2", "6 parts", "did you mean `a/b/keras/c/1`"),
        ("a/b/c/d/e/f", "6 parts", "did you mean `a/b`?"),
        ("datset:uciml/iris", "`datset:` is no kind of source", "did you mean `dataset:uciml/iris`"),
        ("competition:a/b", "expected the competition's slug", "did you mean `a/b`?"),
        ("notebook:ann", "1 parts, expected notebook:owner/slug", "competition:ann"),
        ("sample:irs", "there is no sample `irs`", "try `sample:iris`"),
        ("local:", "the local path is empty", "local:data.csv"),
        ("https://example.com/data.csv", "is not a page of kaggle.com", "download it yourself"),
        ("s3://bucket/data.csv", "is not a page of kaggle.com", "download it yourself"),
        ("https://www.kaggle.com", "front page", "copy its address"),
        ("https://www.kaggle.com/learn", "is no page of a dataset", "copy its address"),
        ("https://www.kaggle.com.evil.example/datasets/uciml/iris", "is not a page of kaggle.com", "download"),
        ("x" * 5000, "holds more than letters", "did you mean|kaggle2app new --help"),
    ],
)
def test_a_malformed_handle_names_the_part_and_the_nearest_reading(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        Handle.parse(text)
    assert message in caught.value.message
    assert any(words in caught.value.hint for words in hint.split("|")), caught.value.hint
    assert len(caught.value.message) < 600


def test_what_is_on_this_disk_is_local_whatever_it_looks_like(tmp_path: Path) -> None:
    (tmp_path / "uciml" / "iris").mkdir(parents=True)
    assert Handle.parse("uciml/iris") == Handle("local", path="./uciml/iris")
    assert Handle.parse("dataset:uciml/iris").kind == "dataset"


slugs = st.from_regex(r"\A[A-Za-z0-9](?:[A-Za-z0-9._-]{0,40}[A-Za-z0-9_-])?\Z").filter(
    lambda slug: slug.lower() not in {"version", "versions"}
)
versions = st.none() | st.integers(1, 999_999_999)
handles = st.one_of(
    st.builds(lambda slug: Handle("sample", slug=slug), st.sampled_from(SAMPLES)),
    st.builds(lambda slug: Handle("competition", slug=slug), slugs),
    st.builds(lambda owner, slug, version: Handle("dataset", owner, slug, version=version), slugs, slugs, versions),
    st.builds(lambda owner, slug, version: Handle("notebook", owner, slug, version=version), slugs, slugs, versions),
    st.builds(
        lambda owner, slug, framework, variation, version: Handle("model", owner, slug, framework, variation, version),
        slugs,
        slugs,
        st.sampled_from(FRAMEWORKS),
        slugs,
        versions,
    ),
)


@given(handles)
def test_the_text_of_a_handle_parses_to_the_same_handle(handle: Handle) -> None:
    assert Handle.parse(str(handle)) == handle


@given(st.text(max_size=60))
def test_any_text_is_a_handle_or_a_usage_error(text: str) -> None:
    try:
        handle = Handle.parse(text)
    except UsageError:
        return
    assert Handle.parse(str(handle)) == handle


@given(handles)
def test_versions_of_a_thing_share_the_folder_of_a_cache(handle: Handle) -> None:
    assert all(part and "/" not in part and part not in {".", ".."} for part in handle.cache_parts)
    assert Handle.parse(str(handle)).cache_parts == handle.cache_parts
