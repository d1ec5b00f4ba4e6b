"""The shape of the repository: notebooks a tired person can read, modules one can find one's way in."""

from __future__ import annotations

import ast
import json
import re
import statistics
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from playbooks.steps import STEPS

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "playbooks"
MODULES = sorted(SOURCE.rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

CELL_LINES = 10
MODULE_LINES = 350
FUNCTION_LINES = 40
FOUR_LINES = ("Do", "Why", "Look for", "Innocent if")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


every_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


# notebooks


def cells(notebook: Path, kind: str | None = None) -> list[dict[str, Any]]:
    found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell | {"text": "".join(cell["source"])} for cell in found if kind in (None, cell["cell_type"])]


def test_the_notebooks_are_the_steps_of_a_run() -> None:
    assert [notebook.stem for notebook in NOTEBOOKS] == list(STEPS)


@every_notebook
def test_a_code_cell_is_short_and_holds_no_program(notebook: Path) -> None:
    for cell in cells(notebook, "code"):
        assert len(cell["text"].splitlines()) <= CELL_LINES
        assert not re.search(r"(?m)^\s*[!%]", cell["text"])
        for node in ast.walk(ast.parse(cell["text"])):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.AsyncFunctionDef)
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.match(r"(/|[A-Za-z]:\\|~)", node.value), "an absolute path"


@every_notebook
def test_a_notebook_imports_the_guide_and_nothing_else(notebook: Path) -> None:
    imported = [
        ast.unparse(node)
        for cell in cells(notebook, "code")
        for node in ast.walk(ast.parse(cell["text"]))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert imported == ["from playbooks import guide"]


@every_notebook
def test_no_output_count_or_trace_of_a_run_is_kept(notebook: Path) -> None:
    for cell in cells(notebook, "code"):
        assert (cell["outputs"], cell["execution_count"]) == ([], None)
        assert set(cell["metadata"]) <= {"tags"}
    assert set(json.loads(notebook.read_text(encoding="utf-8"))["metadata"]) == {"kernelspec", "language_info"}


@every_notebook
def test_the_parameters_are_typed_defaulted_and_explained(notebook: Path) -> None:
    first, *others = cells(notebook, "code")
    assert first["metadata"] == {"tags": ["parameters"]}
    assert all("tags" not in cell["metadata"] for cell in others)
    for line in first["text"].splitlines():
        assert re.fullmatch(r"[a-z_]+: (str|int|float|bool) = \S.*  # \S.{10,}", line), line


@every_notebook
def test_a_notebook_opens_with_a_question_and_says_when_what_and_what_not(notebook: Path) -> None:
    title, *rest = cells(notebook, "markdown")[0]["text"].splitlines()
    assert re.fullmatch(rf"# {notebook.stem[0]} · .+\?", title)
    body = "\n".join(rest)
    places = [body.index(words) for words in ("**Use it**", "**It needs**", "**It cannot tell**")]
    assert places == sorted(places)
    assert cells(notebook)[-1]["text"].startswith("## What to do now\n")


@every_notebook
def test_each_step_says_four_things_and_then_shows_one(notebook: Path) -> None:
    all_cells = cells(notebook)
    steps = [place for place, cell in enumerate(all_cells) if re.match(r"## \d", cell["text"])]
    numbers = [int(all_cells[place]["text"].split()[1].rstrip(".")) for place in steps]
    assert numbers == list(range(1, len(steps) + 1))
    for place in steps:
        title, _, *lines = all_cells[place]["text"].splitlines()
        assert re.fullmatch(r"## \d\. [A-Z].+", title)
        told = [re.fullmatch(r"- \*\*(.+?)\*\* (.+)", line) for line in lines]
        assert [found[1] for found in told if found] == list(FOUR_LINES), title
        assert [found[2] for found in told if found and len(found[2]) < 10] == [], f"{title}: nothing said"
        code = all_cells[place + 1]
        assert code["cell_type"] == "code", f"{title}: nothing to look at"
        assert isinstance(ast.parse(code["text"]).body[-1], ast.Expr), f"{title}: the cell ends in nothing to look at"


# modules


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


@cache
def nodes(module: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree(module)))


def functions(module: Path) -> list[ast.FunctionDef]:
    return [node for node in nodes(module) if isinstance(node, ast.FunctionDef)]


def test_a_module_is_no_longer_than_a_room() -> None:
    lengths = {named(module): len(module.read_text(encoding="utf-8").splitlines()) for module in MODULES}
    assert {module: lines for module, lines in lengths.items() if lines > MODULE_LINES} == {}, "they hold two rooms"


def length(function: ast.FunctionDef) -> int:
    """Lines of work: without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_a_function_does_one_thing() -> None:
    lengths = {(named(module), one.name): length(one) for module in MODULES for one in functions(module)}
    assert {function: lines for function, lines in lengths.items() if lines > FUNCTION_LINES} == {}


def test_the_usual_function_is_short() -> None:
    lengths = [length(function) for module in MODULES for function in functions(module)]
    assert 2 <= statistics.median(lengths) <= 13


def test_everything_public_says_what_it_is() -> None:
    assert [named(module) for module in MODULES if not ast.get_docstring(tree(module))] == []
    defined = [(m, n) for m in MODULES for n in tree(m).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    public = [(module, node) for module, node in defined if not node.name.startswith("_")]
    assert [(named(module), node.name) for module, node in public if not ast.get_docstring(node)] == []


def test_no_error_is_swallowed() -> None:
    handlers = [(m, node) for m in MODULES for node in nodes(m) if isinstance(node, ast.ExceptHandler)]
    assert handlers
    for module, node in handlers:
        caught, where = ast.unparse(node.type) if node.type else "everything", f"{named(module)}, line {node.lineno}"
        assert not re.search(r"\b(everything|Exception|BaseException)\b", caught), where
        assert not all(isinstance(part, ast.Pass) for part in node.body), f"{where}: a silent pass"


VAGUE = {"utils", "util", "helpers", "helper", "manager", "base", "process", "handle", "misc"}


def test_names_are_words_of_the_trade() -> None:
    for module in MODULES:
        classes = [re.sub(r"(?<!^)(?=[A-Z])", "_", n.name) for n in nodes(module) if isinstance(n, ast.ClassDef)]
        words = {word for name in [module.stem, *classes] for word in name.lower().split("_")}
        assert (words | {function.name for function in functions(module)}) & VAGUE == set(), named(module)


def calls(module: Path) -> Iterator[str]:
    for node in nodes(module):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_only_the_command_line_prints_and_only_the_engine_connects() -> None:
    for module in MODULES:
        said = set(calls(module))
        if "cli" not in module.parts and module.name != "terminal.py":
            assert not said & {"print", "sys.stdout.write", "sys.stderr.write"}, named(module)
        if module.relative_to(SOURCE).as_posix() != "engine/duckdb.py":
            assert "duckdb.connect" not in said, named(module)


MAY_ASK = ("evidence/acquire/", "evidence/timestamp.py", "engine/spark.py")  # only when the case or a command asks


OVER_FILES = ("nurseries.py", "nursery.py")  # sockets of this machine's files, which no network reaches


def test_kernels_are_ordered_over_files_alone() -> None:
    made = [call for name in OVER_FILES for call in nodes(SOURCE / name) if isinstance(call, ast.Call)]
    sockets = {ast.unparse(call) for call in made if ast.unparse(call.func) == "socket.socket"}
    assert sockets == {"socket.socket(socket.AF_UNIX)", "socket.socket(fileno=int(sys.argv[1]))"}


def test_only_acquisition_time_stamps_and_a_cluster_can_reach_a_network() -> None:
    closed = re.compile(
        r"^(?!urllib\.parse$)(socket|ssl|http|urllib|ftplib|smtplib|requests|httpx|aiohttp|urllib3|boto3)(\.|$)"
    )
    for module in MODULES:
        if module.relative_to(SOURCE).as_posix().startswith((*MAY_ASK, *OVER_FILES)):
            continue
        for node in nodes(module):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert [name for name in names if closed.match(name)] == [], named(module)


def test_every_room_stands_in_the_import_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [contract] = project["tool"]["importlinter"]["contracts"]
    listed = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    rooms = {f"playbooks.{path.stem}" for path in SOURCE.iterdir() if not path.name.startswith(("_", "."))}
    assert listed == rooms


# the doors


def test_ci_calls_the_two_targets_of_everybody_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    done = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert done == ["make check", "make test"]


def test_make_check_covers_lint_types_imports_and_notebooks() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    check = re.search(r"(?m)^check:.*\n((?:\t.*\n)+)", makefile)
    assert check
    for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports", "--verify $(NOTEBOOKS)"):
        assert tool in check[1]
    assert 'STRIP := $(BIN)/nbstripout --extra-keys "metadata.papermill cell.metadata.papermill"' in makefile


def test_every_target_is_explained_by_make_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = {"help", "setup", "demo", "test", "check", "fix", "lab", "bench", "docs", "clean"}
    assert wanted <= set(re.findall(r"(?m)^([a-z]+):.*## \S", makefile))
    assert ".DEFAULT_GOAL := help" in makefile
