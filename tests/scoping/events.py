"""Event tables written as Parquet, for questions asked in tests: only the columns that matter are named."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from playbooks import schema
from playbooks.engine import Tables, open_tables

START = dt.datetime(2026, 3, 10, tzinfo=dt.UTC)
TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "VARCHAR[]": pa.list_(pa.string()),
    "BIGINT[]": pa.list_(pa.int64()),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
}


def at(seconds: float) -> dt.datetime:
    """A moment, in seconds after the start of every test's day."""
    return START + dt.timedelta(seconds=seconds)


def _row(item: str, number: int, **columns: object) -> dict[str, object]:
    return {"evidence_id": item, "record_no": number, **columns}


def dns(seconds: float, src: str, name: str, answers: list[str] | None = None, **more: object) -> dict[str, object]:
    row = {"time": at(seconds), "format": "zeek_dns", "src_endpoint_ip": src, "query_hostname": name}
    return {"query_type": "A", "rcode": "NOERROR", **row, "answers": answers or [], **more}


def http(seconds: float, src: str, host: str | None, url: str | None = None, **more: object) -> dict[str, object]:
    row = {"time": at(seconds), "format": "squid_access", "src_endpoint_ip": src, "dst_endpoint_hostname": host}
    method = "GET" if url else "CONNECT"
    return {**row, "http_request_http_method": method, "http_request_url_string": url, **more}


def flow(seconds: float, src: str, dst: str, **more: object) -> dict[str, object]:
    row = {"time": at(seconds), "format": "zeek_conn", "src_endpoint_ip": src, "dst_endpoint_ip": dst}
    return {**row, "src_endpoint_port": 50000, "dst_endpoint_port": 443, **more}


def tls(seconds: float, src: str, dst: str, sni: str | None, **more: object) -> dict[str, object]:
    return flow(seconds, src, dst, format="zeek_ssl", tls_sni=sni, tls_version="TLSv13", **more)


def tables(folder: Path, **rows: list[dict[str, object]]) -> Tables:
    """Write the rows of each table, numbered per table from 1 as E001, E002, …, and open them."""
    for number, (name, content) in enumerate(sorted(rows.items()), start=1):
        table = schema.TABLES[name]
        item = f"E{number:03d}"
        records = [_row(item, at, **row) for at, row in enumerate(content, start=1)]
        fields = pa.schema([(column.name, TYPES[column.type]) for column in table.columns])
        (folder / name).mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(records, schema=fields), folder / name / f"{item}.parquet")
    return open_tables(folder)
