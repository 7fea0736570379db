"""The code that a result depends on, found from the imports of small generated trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from moodring.checkout.dependencies import NO_RESULT, code_of

Tree = dict[str, str]
ENTRY = "stages/train.py"


def found_in(root: Path, tree: Tree) -> list[str]:
    """The files that `code_of` finds; `a` means src/moodring/a.py, `entry` means the stage."""
    for name, content in {"entry": "", **tree}.items():
        path = root / (ENTRY if name == "entry" else f"src/moodring/{name}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    package = root / "src" / "moodring"
    return [
        path.relative_to(package).as_posix().removesuffix(".py") if package in path.parents else "entry"
        for path in code_of(root / ENTRY, root)
    ]


FORMS = [
    pytest.param("from moodring.x import name", id="from its module"),
    pytest.param("from moodring import x", id="from the package"),
    pytest.param("from moodring import x as y", id="under another name"),
    pytest.param("import moodring.x", id="import"),
    pytest.param("import moodring.x as y", id="import under another name"),
    pytest.param("import os, moodring.x", id="with another"),
    pytest.param("from moodring import (\n    missing,\n    x,\n)", id="on several lines"),
    pytest.param("from moodring.x import *", id="star"),
    pytest.param("def main():\n    from moodring.x import name", id="in a function"),
    pytest.param("class A:\n    def b(self):\n        import moodring.x", id="in a method"),
    pytest.param("try:\n    import moodring.x\nexcept ImportError:\n    pass", id="in try"),
]


@pytest.mark.parametrize("statement", FORMS)
def test_every_form_of_import_is_followed(tmp_path: Path, statement: str) -> None:
    assert found_in(tmp_path, {"entry": statement, "x": "", "missing": "", "unused": ""}) == (
        ["missing", "x", "entry"] if "missing" in statement else ["x", "entry"]
    )


@pytest.mark.parametrize("statement", FORMS)
def test_every_form_of_import_in_a_module_is_followed(tmp_path: Path, statement: str) -> None:
    found = found_in(tmp_path, {"entry": "import moodring.a", "a": statement, "x": ""})
    assert found == ["a", "x", "entry"]


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        pytest.param({}, ["entry"], id="no import"),
        pytest.param({"entry": "", "a": "import moodring.b", "b": ""}, ["entry"], id="not imported"),
        pytest.param(
            {
                "entry": "import moodring.a",
                "a": "from moodring.b import f",
                "b": "from moodring import c",
                "c": "",
            },
            ["a", "b", "c", "entry"],
            id="indirect",
        ),
        pytest.param(
            {"entry": "import moodring.a", "a": "import moodring.b", "b": "import moodring.a"},
            ["a", "b", "entry"],
            id="cycle",
        ),
        pytest.param({"entry": "import moodring.a", "a": "import moodring.a"}, ["a", "entry"], id="itself"),
        pytest.param(
            {
                "entry": "import moodring.a, moodring.b",
                "a": "import moodring.c",
                "b": "import moodring.c",
                "c": "",
            },
            ["a", "b", "c", "entry"],
            id="imported twice",
        ),
    ],
)
def test_indirect_imports_are_followed(tmp_path: Path, tree: Tree, expected: list[str]) -> None:
    assert found_in(tmp_path, tree) == expected


@pytest.mark.parametrize("statement", ["from moodring import pkg", "import moodring.pkg"])
def test_a_package_is_its_init_and_the_imports_of_its_init(tmp_path: Path, statement: str) -> None:
    tree = {
        "entry": statement,
        "pkg/__init__": "from moodring.pkg import used",
        "pkg/used": "import moodring.a",
        "pkg/unused": "",
        "a": "",
    }
    assert found_in(tmp_path, tree) == ["a", "pkg/__init__", "pkg/used", "entry"]


@pytest.mark.parametrize(
    "statement",
    [
        "from moodring.pkg.used import name",
        "from moodring.pkg import used",
        "import moodring.pkg.used",
        "def main():\n    from moodring.pkg.used import name",
    ],
)
def test_a_packages_modules_are_followed_one_by_one(tmp_path: Path, statement: str) -> None:
    tree = {
        "entry": statement,
        "pkg/__init__": "",
        "pkg/used": "import moodring.a",
        "pkg/unused": "import moodring.b",
    }
    found = found_in(tmp_path, {**tree, "a": "", "b": ""})
    assert {"a", "pkg/used", "entry"} <= set(found)
    assert not {"b", "pkg/unused"} & set(found)


@pytest.mark.parametrize("form", ["{}", "{}/__init__"], ids=["module", "package"])
@pytest.mark.parametrize("name", sorted(NO_RESULT))
def test_modules_that_cannot_change_the_result_are_left_out(tmp_path: Path, name: str, form: str) -> None:
    tree = {"entry": f"import moodring.a, moodring.{name}", "a": f"import moodring.{name}"}
    assert found_in(tmp_path, {**tree, form.format(name): ""}) == ["a", "entry"]


@pytest.mark.parametrize("statement", ["from moodring.tracking.runs import run", "import moodring.errors"])
def test_modules_that_only_left_out_modules_import_are_left_out(tmp_path: Path, statement: str) -> None:
    tree = {
        "entry": f"import moodring.a\n{statement}",
        "errors": "import moodring.a, moodring.b",
        "tracking/__init__": "",
        "tracking/runs": "import moodring.a, moodring.b",
        "a": "",
        "b": "",
    }
    assert found_in(tmp_path, tree) == ["a", "entry"]


@pytest.mark.parametrize("name", ["errors_of_rows", "datasets/errors", "datasets/tracking/runs"])
def test_a_module_with_a_similar_name_is_not_left_out(tmp_path: Path, name: str) -> None:
    statement = f"from moodring.{name.replace('/', '.')} import f"
    assert name in found_in(tmp_path, {"entry": statement, name: ""})


@pytest.mark.parametrize(
    "statement",
    [
        "import os, json.decoder, numpy.linalg",
        "from collections import abc",
        "from moodringer import a",
        "import moodringer.a",
        "from other.moodring import a",
        "from moodring.a_missing import a_name",
        "import stages.other",
        "'import moodring.a'  # from moodring import a",
    ],
)
def test_imports_of_other_packages_are_ignored(tmp_path: Path, statement: str) -> None:
    for other in ("src/moodringer", "src/other/moodring", "moodring"):
        (tmp_path / other).mkdir(parents=True)
        (tmp_path / other / "a.py").write_text("")
    assert found_in(tmp_path, {"entry": statement, "a": ""}) == ["entry"]


def test_files_are_sorted_by_their_paths(tmp_path: Path) -> None:
    tree = {
        "entry": "import moodring.z, moodring.m.b, moodring.k",
        "z": "import moodring.a",
        "a": "import moodring.y",
        "y": "",
        "m/b": "import moodring.c",
        "c": "",
        "k": "",
    }
    assert found_in(tmp_path, tree) == ["a", "c", "k", "m/b", "y", "z", "entry"]
