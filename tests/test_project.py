"""A project is rendered with the data's own words in it, and they stay data wherever they appear."""

from __future__ import annotations

import ast
import csv
import hashlib
import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from toolkit import Handle, derive, describe, draft, fetch, infer, read, render
from toolkit.card import data_card, licence_in_words, markdown, printable, prose
from toolkit.errors import ProjectError, UsageError
from toolkit.project import check_free, default_name, names, plain_text, shareable, template_folder, tree

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.project import Project

HOSTILE_TITLE = 'The "best" {{ 7 * 7 }} {% raw %} <script>alert(1)</script> `rm` $(date)\n\\ [x](javascript:y) | é 日本'
HOSTILE_NAMES = ["{{ cookiecutter }}", "=1+1", 'a "quote"', "<img src=x onerror=alert(1)>", "line\nbreak", "class"]


def rendered(table: Path, into: Path, **options: Any) -> Project:
    """Return the project that the public functions render from a table whose target is `answer`."""
    contents = read(fetch(Handle.parse(str(table))))
    profile = describe(contents)
    task = infer(profile, contents, target="answer")
    plan = draft(profile, task, provenance=contents.provenance)
    return render(plan, derive(profile, task, plan), profile, contents, into=into, **options)


def written(folder: Path, header: list[str], rows: int = 60) -> Path:
    """Return a table of numbers and words that answers `yes` when its first column is above the middle."""
    path = folder / "some_table.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow([*header, "answer"])
        for row in range(rows):
            cells = [f"{row * 7919 % 1000 / 10}" for _ in header[1:]]
            out.writerow([row, *cells, "yes" if row >= rows / 2 else "no"])
    return path


def test_a_rendered_project_is_complete_and_holds_no_template_mark(tmp_path: Path) -> None:
    project = rendered(written(tmp_path, ["first", "second"]), tmp_path)
    for name in ("README.md", "pyproject.toml", "Makefile", "Dockerfile", "LICENSE", "DATA_CARD.md", "data/train.csv"):
        assert (project.path / name).is_file(), name
    for path in project.path.rglob("*"):
        if path.is_file() and ".github" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert "cookiecutter" not in text, path
            assert path.suffix == ".py" or "{%" not in text, path
    for path in project.path.rglob("*.py"):
        assert "toolkit" not in {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }


def test_the_plan_knows_the_hash_of_the_training_table(tmp_path: Path) -> None:
    project = rendered(written(tmp_path, ["first", "second"]), tmp_path)
    plan = json.loads((project.path / "model" / "plan.json").read_text(encoding="utf-8"))
    train = project.path / plan["data"]["path"]
    assert plan["data"]["sha256"] == hashlib.sha256(train.read_bytes()).hexdigest()
    assert plan["data"]["rows"] == 60


def test_no_path_of_this_machine_reaches_a_project(tmp_path: Path) -> None:
    project = rendered(written(tmp_path, ["first", "second"]), tmp_path)
    for path in project.path.rglob("*"):
        if path.is_file():
            assert str(tmp_path) not in path.read_text(encoding="utf-8"), path


def test_column_names_of_any_kind_come_back_letter_for_letter(tmp_path: Path) -> None:
    project = rendered(written(tmp_path, HOSTILE_NAMES), tmp_path)
    with (project.path / "data" / "train.csv").open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert header == [*HOSTILE_NAMES, "answer"]
    card = (project.path / "DATA_CARD.md").read_text(encoding="utf-8")
    assert "<img" not in re.sub(r"`[^`\n]*`", "", card)
    assert "<script" not in card


def test_a_hostile_title_is_plain_text_everywhere(tmp_path: Path) -> None:
    table = written(tmp_path, ["first", "second"])
    contents = read(fetch(Handle.parse(str(table))))
    profile = describe(contents)
    task = infer(profile, contents, target="answer")
    plan = draft(profile, task, provenance=contents.provenance)
    plan = type(plan).from_json({**plan.to_json(), "title": HOSTILE_TITLE})
    project = render(plan, derive(profile, task, plan), profile, contents, into=tmp_path, author='A "B" {{ c }}')
    metadata = tomllib.loads((project.path / "pyproject.toml").read_text(encoding="utf-8"))
    assert metadata["project"]["name"] == project.slug
    readme = (project.path / "README.md").read_text(encoding="utf-8")
    for harmful in ("<script", "{{", "{%", "$(", "](javascript"):
        assert harmful not in readme, harmful
    assert "日本" in readme
    assert "A 'B' (( c ))" in (project.path / "LICENSE").read_text(encoding="utf-8")


def test_an_empty_folder_is_used_and_a_full_one_refused(tmp_path: Path) -> None:
    table = written(tmp_path, ["first", "second"])
    (tmp_path / "mine").mkdir()
    project = rendered(table, tmp_path, name="mine")
    assert project.path == tmp_path / "mine"
    before = sorted(project.path.rglob("*"))
    with pytest.raises(ProjectError, match="not empty"):
        rendered(table, tmp_path, name="mine")
    assert sorted(project.path.rglob("*")) == before


def test_a_file_or_link_in_the_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("file", "link"):
        with pytest.raises(ProjectError, match="not a folder"):
            check_free(tmp_path / name)


def test_a_failed_rendering_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = written(tmp_path, ["first", "second"])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("toolkit.project._write_data", full)
    with pytest.raises(ProjectError, match="no space is left"):
        rendered(table, tmp_path / "into", name="mine")
    assert not (tmp_path / "into" / "mine").exists()


@pytest.mark.parametrize(
    ("text", "slug", "package"),
    [
        ("Iris", "iris", "iris"),
        ("My Data! (v2)", "my-data-v2", "my_data_v2"),
        ("2020 census", "app-2020-census", "app_2020_census"),
        ("class", "class-app", "class_app"),
        ("json", "json-app", "json_app"),
        ("pandas", "pandas-app", "pandas_app"),
        ("Größe der Häuser", "grosse-der-hauser", "grosse_der_hauser"),
        ("日本", "ri-ben", "ri_ben"),
        ("x" * 200, "x" * 40, "x" * 40),
    ],
)
def test_any_words_become_a_name_that_python_accepts(text: str, slug: str, package: str) -> None:
    made = names(text)
    assert (made.slug, made.package) == (slug, package)
    assert made.package.isidentifier()


@pytest.mark.parametrize("text", ["", "!!!", "../up", "a/b", "..", "\u200b"])
def test_an_impossible_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        names(text)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("owner/some-data", "some-data"),
        ("owner/some-data/versions/3", "some-data"),
        ("sample:wine", "wine"),
        ("/home/me/Downloads/prices/train.csv", "prices"),
        ("C:\\data\\prices.csv.gz", "prices"),
        ("train.csv", "project"),
    ],
)
def test_a_project_is_named_after_the_telling_part_of_its_source(source: str, name: str) -> None:
    from toolkit.download import Provenance

    assert default_name(Provenance(source=source)) == name


def test_only_the_last_part_of_a_local_path_is_shared() -> None:
    assert shareable("/home/me/secret project/table.csv") == "table.csv"
    assert shareable("owner/table") == "owner/table"
    assert shareable("sample:iris") == "sample:iris"


def test_plain_text_is_one_short_line_without_syntax() -> None:
    line = plain_text(HOSTILE_TITLE, characters_max=100)
    assert "\n" not in line
    assert not set(line) & set('"\\{}<>`[]|$')
    assert len(plain_text("x" * 500, characters_max=100)) == 100


def test_markdown_shows_a_cell_letter_for_letter() -> None:
    assert markdown("a|b <b>*x*</b> [y](z)") == r"a\|b &lt;b&gt;\*x\*&lt;/b&gt; \[y\](z)"
    assert "http://" not in markdown("see http://example.org")


def test_code_in_our_sentences_is_code_and_the_rest_stays_text() -> None:
    assert prose("the column `a_b` is *odd*") == r"the column `a_b` is \*odd\*"
    assert prose("the column `a`<img src=x>` is odd") == r"the column \`a\`&lt;img src=x&gt;\` is odd"
    assert "<img" not in prose("`a`<img src=x>`b`")


def test_printable_text_cannot_move_the_cursor() -> None:
    assert printable("a\x1b[31mb\u202ec\r\nd") == "a[31mbc d"


@pytest.mark.parametrize(
    ("licence", "words"),
    [
        ("CC0: Public Domain", "use it for anything"),
        ("CC BY-NC-SA 4.0", "not commercially"),
        ("Attribution 4.0 International (CC BY 4.0)", "with credit"),
        ("", "not stated"),
        ("unknown", "not stated"),
        ("Some Own Terms", "read its text"),
        ("US-Government-Works", "public domain"),
        ("Attribution-NonCommercial 4.0 International (CC BY-NC 4.0)", "not commercially"),
        ("ODC Attribution License (ODC-By)", "with credit"),
        ("copyright-authors", "ask them"),
        ("Data files © Original Authors", "ask them"),
        ("Subject to Competition Rules", "competition's rules"),
        ("Community Data License Agreement - Sharing - Version 1.0", "stays under the same licence"),
        ("Apache 2.0", "keeping the notice"),
        ("Other (specified in description)", "not stated"),
    ],
)
def test_a_licence_is_told_in_plain_words(licence: str, words: str) -> None:
    assert words in licence_in_words(licence)


def test_the_tree_is_what_rendering_writes(tmp_path: Path) -> None:
    table = written(tmp_path, ["first", "second"])
    project = rendered(table, tmp_path, name="mine")
    promised = set(tree(names("mine"), read(fetch(Handle.parse(str(table))))))
    found = {path.relative_to(project.path).as_posix() for path in project.path.rglob("*") if path.is_file()}
    assert found <= promised


def test_the_template_needs_every_context_key_and_gets_every_key_it_needs() -> None:
    folder = template_folder()
    given = {key for key in json.loads((folder / "cookiecutter.json").read_text("utf-8")) if not key.startswith("_")}
    used: set[str] = set()
    for path in folder.rglob("*"):
        if "src" in path.parts or ".github" in path.parts or "__pycache__" in path.parts or not path.is_file():
            continue
        used |= set(re.findall(r"\{\{cookiecutter\.(\w+)", str(path) + path.read_text(encoding="utf-8")))
    assert used == given


def test_a_data_card_has_no_empty_heading(tmp_path: Path) -> None:
    table = written(tmp_path, ["first", "second"])
    contents = read(fetch(Handle.parse(str(table))))
    profile = describe(contents)
    task = infer(profile, contents, target="answer")
    plan = draft(profile, task, provenance=contents.provenance)
    card = data_card(plan, profile, contents)
    headings = [line for line in card.splitlines() if line.startswith("#")]
    for heading, following in zip(headings, [*headings[1:], ""], strict=True):
        between = card.split(heading, 1)[1].split(following, 1)[0] if following else card.split(heading, 1)[1]
        assert between.strip(), heading


def test_a_label_in_two_writings_is_written_in_one(tmp_path: Path) -> None:
    table = written(tmp_path, ["first", "second"])
    rows = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([*rows[:5], *(row.replace(",no", ",NO ") for row in rows[5:15]), *rows[15:]]), "utf-8")
    project = rendered(table, tmp_path)
    kept = (project.path / "data" / "train.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert {row.rpartition(",")[2] for row in kept} == {"no", "yes"}
    assert json.loads((project.path / "model" / "plan.json").read_text(encoding="utf-8"))["labels"] == ["no", "yes"]
