"""Every verb says in its help what it takes and gives, with an example that works; the tab key lists verbs alone."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from tests.conftest import SampleRun
from tests.guide.test_verbs import shell

from playbooks import guide
from playbooks.report import View

__all__ = ["shell"]  # a fixture

VERBS = sorted(name for name in guide.__all__ if callable(getattr(guide, name)))
WITHOUT_NAMES = r"`(guide\.\w+\(case(?:, \w+=\d+)*\))`"


def example(name: str) -> ast.Call:
    words = inspect.getdoc(getattr(guide, name)) or ""
    [text] = re.findall(rf"Example: `(?:\w+ = )?(guide\.{name}\(.*\))`", words)
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    return call


@pytest.mark.parametrize("name", VERBS)
def test_the_example_calls_the_verb_with_arguments_that_it_takes(name: str) -> None:
    call = example(name)
    given = {keyword.arg: None for keyword in call.keywords if keyword.arg}
    inspect.signature(getattr(guide, name)).bind(*call.args, **given)


@pytest.mark.parametrize("name", VERBS)
def test_the_help_names_every_parameter_and_what_is_given_back(name: str) -> None:
    verb = getattr(guide, name)
    words = inspect.getdoc(verb) or ""
    assert "\nReturns\n-------\n" in words
    section = words.partition("\nParameters\n----------\n")[2].partition("\nReturns\n")[0]
    named = [part.strip(" *") for line in re.findall(r"(?m)^(\S.*?) : ", section) for part in line.split(",")]
    named += re.findall(r"(?m)^\*?(\w+)$", section)
    assert sorted(named) == sorted(inspect.signature(verb).parameters)


def test_every_example_without_names_of_somebody_runs_on_any_case(incident: SampleRun, tmp_path: Path) -> None:
    case = guide.open_case(str(incident.copy(tmp_path / "case")))
    plain = [name for name in VERBS if re.search(WITHOUT_NAMES, inspect.getdoc(getattr(guide, name)) or "")]
    assert len(plain) > 20
    for name in plain:
        assert isinstance(eval(ast.unparse(example(name)), {"guide": guide, "case": case}), View), name


def test_the_tab_key_lists_the_verbs_and_nothing_else(shell: None) -> None:
    assert dir(guide) == list(guide.__all__)
    running = InteractiveShell.instance()
    running.user_ns["guide"] = guide
    running.Completer.use_jedi = False  # as the lab sets it
    _, found = running.complete("guide.")
    assert sorted(name.rpartition(".")[2] for name in found) == sorted(guide.__all__)
