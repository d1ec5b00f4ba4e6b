"""A run of Sigma rules kept in the results of a case: matches as Parquet, outcomes as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from playbooks import schema
from playbooks.case import Case, write_json
from playbooks.schema.arrow import shape_of
from playbooks.sigma.rule_files import RuleFiles
from playbooks.sigma.run import SigmaRun

if TYPE_CHECKING:
    import pandas as pd

FILE = "sigma.json"


def is_kept(case: Case, given: RuleFiles) -> bool:
    """Whether the results hold a run of exactly these rules."""
    files = (case.results / FILE, case.results / f"{schema.SIGMA_MATCHES.name}.parquet")
    return all(file.is_file() for file in files) and kept(case).rules_sha256 == given.sha256


def keep(case: Case, run: SigmaRun) -> None:
    """Write a run into the results."""
    case.results.mkdir(parents=True, exist_ok=True)
    table = schema.SIGMA_MATCHES
    rows = pa.Table.from_pandas(run.matches[list(table.names)], schema=shape_of(table), preserve_index=False)
    staged = case.results / f".{table.name}.part"
    pq.write_table(rows.replace_schema_metadata(None), staged, compression="zstd")
    staged.replace(case.results / f"{table.name}.parquet")
    write_json(case.results / FILE, run.as_json())


def kept(case: Case) -> SigmaRun:
    """The run that the results hold."""
    matches: pd.DataFrame = pq.read_table(case.results / f"{schema.SIGMA_MATCHES.name}.parquet").to_pandas()
    return SigmaRun.from_json(json.loads((case.results / FILE).read_text(encoding="utf-8")), matches)
