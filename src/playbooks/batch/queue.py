"""Which cases a batch is about: folders, folders of cases, patterns, and lists in YAML or CSV."""

from __future__ import annotations

import csv
import glob
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from playbooks.case import CASE_FILE
from playbooks.errors import UsageError

LISTS = (".yaml", ".yml", ".csv")


@dataclass(frozen=True)
class Task:
    """One case of a batch, and the notebook parameters of its own."""

    case: Path
    parameters: Mapping[str, str] = field(default_factory=dict)


def tasks_of(places: Iterable[str]) -> list[Task]:
    """The cases that `places` mean, each once, in their order.

    Parameters
    ----------
    places
        Each a case, a folder of cases, a pattern of either, or a list: YAML (paths, or `case:` with `parameters:`) or
        CSV (column `case`, every other column a parameter). Paths in a list are seen from its folder.

    Raises
    ------
    UsageError
        A place that means no case, a list that cannot be read, or one case with two sets of parameters.
    """
    found: dict[Path, Task] = {}
    for place in places:
        for task in _meant(place):
            case = task.case.resolve()
            if found.setdefault(case, Task(case, task.parameters)).parameters != task.parameters:
                raise UsageError(
                    f"{case}: listed twice with other parameters. Expected one set. Leave one of them out."
                )
    return list(found.values())


def _meant(place: str) -> Iterator[Task]:
    path = Path(place)
    if path.is_file() and path.suffix.lower() in LISTS:
        yield from _listed(path)
        return
    paths = [path] if path.exists() else sorted(map(Path, glob.glob(place)))  # noqa: PTH207  # a pattern from the root too
    cases = [case for one in paths for case in _cases_in(one)]
    if not cases:
        raise UsageError(
            f"{place}: no case here. Expected a case, a folder of cases, a pattern, or a list that ends in "
            f"{', '.join(LISTS)}. A case is a folder with {CASE_FILE}; make one with: playbooks new"
        )
    yield from map(Task, cases)


def _cases_in(folder: Path) -> list[Path]:
    if (folder / CASE_FILE).is_file():
        return [folder]
    return sorted(file.parent for file in folder.glob(f"*/{CASE_FILE}")) if folder.is_dir() else []


def _listed(file: Path) -> Iterator[Task]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        rows = _csv_rows(file, text) if file.suffix.lower() == ".csv" else _yaml_rows(file, text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, csv.Error) as error:
        raise UsageError(f"{file}: cannot be read as a list of cases: {error}. Expected UTF-8 YAML or CSV.") from error
    for case, parameters in rows:
        yield Task(file.parent / case, parameters)


def _csv_rows(file: Path, text: str) -> list[tuple[str, dict[str, str]]]:
    lines = csv.DictReader(text.splitlines())
    if "case" not in (lines.fieldnames or ()):
        raise UsageError(f"{file}: expected a column `case`, found {', '.join(lines.fieldnames or ()) or 'nothing'}.")
    rows = []
    for line in lines:
        if line["case"]:
            rows.append((line["case"], {name: value for name, value in line.items() if name != "case" and value}))
    return rows


def _yaml_rows(file: Path, text: str) -> list[tuple[str, dict[str, str]]]:
    found = yaml.safe_load(text)
    listed = found.get("cases") if isinstance(found, dict) else found
    if not isinstance(listed, list):
        raise UsageError(f"{file}: expected a list of cases, found {type(listed).__name__}.")
    return [_yaml_row(file, number, entry) for number, entry in enumerate(listed, 1)]


def _yaml_row(file: Path, number: int, entry: object) -> tuple[str, dict[str, str]]:
    if isinstance(entry, str):
        return entry, {}
    if isinstance(entry, dict) and isinstance(entry.get("case"), str) and not set(entry) - {"case", "parameters"}:
        parameters = entry.get("parameters") or {}
        if isinstance(parameters, dict) and all(isinstance(value, str | int | float) for value in parameters.values()):
            return entry["case"], {str(name): _text(value) for name, value in parameters.items()}
    raise UsageError(f"{file}, entry {number}: expected a path, or `case:` with `parameters:` (name: value).")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
