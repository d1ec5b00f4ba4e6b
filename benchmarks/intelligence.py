"""What it costs to compare intelligence with what was seen, beside the time of loading both into DuckDB.

    python -m benchmarks.intelligence 1000000

Indicators are names, URLs and hashes; observables are destinations and whole URLs, of which one in a hundred is listed
or lies below what is listed. Both lie in Parquet files before the clock starts. The floor reads both into tables of
DuckDB and does nothing more.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measuring import line, seconds
from playbooks import engine, schema
from playbooks.enrichment.matching import matches
from playbooks.schema.arrow import ARROW

LISTED = 100  # one observable in so many is an item, or lies below one
START = pd.Timestamp("2026-03-10", tz="UTC")


def _shape(table: schema.Table) -> pa.Schema:
    return pa.schema([(column.name, ARROW[column.type]) for column in table.columns])


def _written(folder: Path, table: schema.Table, columns: dict[str, object], count: int) -> Path:
    """A Parquet file of a table, in which only the columns named hold something."""
    file = folder / table.name / "E001.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(count, field.type)
        for field in _shape(table)
    ]
    pq.write_table(pa.Table.from_arrays(arrays, schema=_shape(table)), file)
    return file


def _record(count: int) -> dict[str, object]:
    return {
        "evidence_id": pa.array(["E001"]).take(pa.array(np.zeros(count, int))),
        "record_no": np.arange(1, count + 1),
        "time": pa.array(START.value // 1000 + np.arange(count) % 86_400_000_000, pa.timestamp("us", "UTC")),
    }


def indicators(folder: Path, count: int) -> Path:
    """Half of them names, the others URLs and hashes in equal parts."""
    makers = [
        ("domain", lambda n: f"c{n}.bad{n % 9973}.example"),
        ("url", lambda n: f"https://u{n}.bad.example/kit/{n % 97}/"),
        ("domain", lambda n: f"t{n}.stranger.example"),
        ("sha256", lambda n: f"{n:064x}"),
    ]
    kinds = [makers[n % 4][0] for n in range(count)]
    values = [makers[n % 4][1](n) for n in range(count)]
    told = {"indicator": values, "indicator_type": kinds, "source": ["A feed"] * count}
    return _written(folder, schema.INDICATORS, _record(count) | told, count)


def observables(folder: Path, count: int) -> tuple[Path, pd.DataFrame]:
    """Half of them destinations, half URLs; the destinations as pairs too."""
    half = count // 2
    urls = [_url(n) for n in range(count - half)]
    hosts = [_host(n) for n in range(half)]
    web = _written(folder, schema.HTTP_ACTIVITY, _record(len(urls)) | {"http_request_url_string": urls}, len(urls))
    spans = {"src": "10.0.0.9", "kind": "fqdn", "tenant": None, "first_seen": START, "last_seen": START}
    pairs = pd.DataFrame({"dst": hosts}).assign(**spans)
    return web, pairs.assign(beacon_period_s=np.nan, beacon_score=np.nan)


def _url(n: int) -> str:
    at = 4 * n + 1
    return f"https://w{n}.example/p/{n}" if n % LISTED else f"https://u{at}.bad.example/kit/{at % 97}/a.js"


def _host(n: int) -> str:
    return f"a.h{n}.site{n % 7919}.example" if n % LISTED else f"x.c{4 * n}.bad{4 * n % 9973}.example"


def measure(folder: Path, count: int) -> None:
    """Print what comparing costs, over what loading both costs."""
    place = folder / f"intelligence-{count}"
    place.mkdir()
    listed = indicators(place, count)
    web, pairs = observables(place, count)
    seen = place / "pairs.parquet"
    pairs.to_parquet(seen)

    def load() -> None:
        con = engine.connect()
        for name, file in (("indicators", listed), ("urls", web), ("pairs", seen)):
            con.execute(f"CREATE TABLE {name} AS SELECT * FROM read_parquet('{file}')")
        con.close()

    tables = engine.open_tables(place)
    floor = min(seconds(load) for _ in range(3))
    found: list[pd.DataFrame] = []
    ours = min(seconds(lambda: found.append(matches(tables, pairs))) for _ in range(3))
    line(f"compare {count:,} indicators, {count:,} observables", ours, "load both into DuckDB", floor)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {len(found[-1]):,} matches; peak memory of this process so far: {peak:,.0f} MB")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for size in map(int, sys.argv[1:] or ("100000", "1000000")):
            measure(Path(name), size)
