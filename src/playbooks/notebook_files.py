"""The notebooks that the kit ships: six steps, where they lie, and the parameters that each declares."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

STEPS = (
    "1_preserve_evidence",
    "2_check_coverage",
    "3_scope_egress",
    "4_scope_cloud",
    "5_enrich",
    "6_decide_and_report",
)
OWN_PARAMETER = "case_dir"  # set by the runner; the notebook runs inside the case, so no path is stored


@dataclass(frozen=True)
class Parameter:
    """One notebook parameter: its type, default and the comment that explains it."""

    name: str
    type: str
    default: object
    help: str


def notebooks_folder() -> Path:
    """Where the six notebooks lie: in the installed package, or in the repository."""
    return _data_folder("_notebooks", "notebooks")


def samples_folder() -> Path:
    """Where the sample incidents lie."""
    return _data_folder("_samples", "data/samples")


def _data_folder(packaged: str, in_repository: str) -> Path:
    inside = Path(str(resources.files("playbooks"))) / packaged
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / in_repository


@cache
def parameters_of(step: str) -> tuple[Parameter, ...]:
    """The parameters that a notebook declares in its tagged cell, as `name: type = default  # help`."""
    notebook = json.loads((notebooks_folder() / f"{step}.ipynb").read_text(encoding="utf-8"))
    cells = [c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", ())]
    source = "".join(cells[0]["source"]) if cells else ""
    lines = source.splitlines()
    return tuple(
        Parameter(
            node.target.id,
            ast.unparse(node.annotation),
            ast.literal_eval(node.value),
            lines[node.lineno - 1].partition("#")[2].strip(),
        )
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
    )
