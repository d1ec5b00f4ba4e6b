"""What the kit costs, each figure beside a floor measured in the same run. Prints; never fails a test.

Run it with `make bench` on a machine that does nothing else. Ratios are what counts.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import tempfile
from pathlib import Path

import duckdb
import nbformat
import papermill

from benchmarks import preserving
from benchmarks.measuring import line, seconds
from playbooks import evidence
from playbooks.case import open_case
from playbooks.normalise import Source, read
from playbooks.runner import run
from playbooks.steps import STEPS, samples_folder

ROWS = int(os.environ.get("BENCH_ROWS", "500000"))


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


def zeek_log(file: Path) -> None:
    header = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tconn"]
    names = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state"
    with file.open("w") as out:
        out.write("\n".join(header) + "\n#fields\t" + names.replace(" ", "\t") + "\n")
        for i in range(ROWS):
            src, dst = f"10.0.{i % 7}.{i % 251}", f"198.51.100.{i % 199}"
            out.write(f"{1773100000 + i / 10:.6f}\tC{i:08x}\t{src}\t{1024 + i % 60000}\t{dst}\t443\ttcp\tssl\t")
            out.write(f"{i % 90}.5\t{i % 9000}\t{i % 70000}\tSF\n")


def cloudtrail_log(file: Path) -> None:
    with file.open("w") as out:
        for i in range(ROWS // 5):
            record = {
                "eventVersion": "1.08",
                "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::111122223333:user/u{i % 40}"},
                "eventTime": f"2026-03-10T{i // 3600 % 24:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z",
                "eventSource": "lambda.amazonaws.com",
                "eventName": "Invoke",
                "awsRegion": "eu-central-1",
                "sourceIPAddress": f"198.51.100.{i % 200}",
                "requestParameters": {"functionName": f"f{i % 90}"},
                "eventID": f"{i:032x}",
            }
            out.write(json.dumps(record) + "\n")


def copy_with_duckdb(file: Path, reader: str) -> None:
    options = ", comment = '#'" if reader == "read_csv" else ""
    scan = f"SELECT * FROM {reader}('{file}'{options})"
    duckdb.connect().execute(f"COPY ({scan}) TO '{file}.parquet' (FORMAT parquet, COMPRESSION zstd)")


def read_all(file: Path) -> None:
    for _rows in read(Source("E001", file)):
        continue


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
        for what, write, reader in (
            (f"read Zeek conn TSV, {ROWS:,} records", zeek_log, "read_csv"),
            (f"read CloudTrail JSON lines, {ROWS // 5:,} records", cloudtrail_log, "read_json"),
        ):
            file = folder / what.split()[1]
            write(file)
            line(
                what,
                seconds(lambda f=file: read_all(f)),
                f"DuckDB COPY to Parquet ({reader})",
                seconds(lambda f=file, r=reader: copy_with_duckdb(f, r)),
            )
        preserving.measure(folder)
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
