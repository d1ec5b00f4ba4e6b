"""What the kit costs, each figure beside a floor measured in the same run. Prints; never fails a test.

Run it with `make bench` on a machine that does nothing else. Ratios are what counts.
"""

from __future__ import annotations

import os
import platform
import resource
import tempfile
from pathlib import Path

import duckdb
import nbformat
import papermill

from benchmarks import beacons, cloud, intelligence, opening, preserving, reading, scoping
from benchmarks.measuring import line, seconds
from playbooks import evidence
from playbooks.case import open_case
from playbooks.runner import run
from playbooks.steps import STEPS, samples_folder


def empty_notebooks(folder: Path) -> None:
    """The floor of a case: as many notebooks as a case has, that import pandas and plotly and do nothing."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import pandas\nimport plotly.graph_objects")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    source = folder / "empty.ipynb"
    nbformat.write(notebook, source)
    for step in STEPS:
        target = str(folder / f"{step}.ipynb")
        papermill.execute_notebook(str(source), target, progress_bar=False, shutdown_kernel="immediate")


def demo_case(folder: Path) -> None:
    """What `make demo` does after installation."""
    folder.mkdir()
    source = samples_folder() / "incident"
    (folder / "case.yaml").write_bytes((source / "case.yaml").read_bytes())
    case = open_case(folder)
    evidence.add(case, [source / "logs"])
    run(case)


def main() -> None:
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, DuckDB {duckdb.__version__}"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor = seconds(lambda: empty_notebooks(folder))
        line(
            "demo: the sample incident, six notebooks",
            seconds(lambda: demo_case(folder / "demo")),
            "six empty notebooks (pandas, plotly)",
            floor,
        )
        reading.measure(folder)
        scoping.measure(folder)
        cloud.measure(folder)
        preserving.measure(folder)
        for count in (100_000, 1_000_000):
            intelligence.measure(folder, count)
        opening.measure(folder)
    beacons.report()
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
