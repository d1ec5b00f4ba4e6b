"""An address that its reporters do not give to detection survives from their list to a match with a log.

The list lies beside the repository (`../shared/logs/ti`) and is never part of it; without it this test skips.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.findings import tables as t
from tests.scoping import events

from playbooks.engine import open_tables
from playbooks.enrichment import intelligence
from playbooks.normalise import Source, read

LISTS = Path(__file__).resolve().parents[3] / "shared" / "logs" / "ti" / "misp_event"
pytestmark = pytest.mark.skipif(not LISTS.is_dir(), reason="../shared/logs/ti is not there")
HOST = "script.google.com"


def context_urls(file: Path) -> list[str]:
    """The addresses at a host of all customers that the event does not give to detection, by the json module."""
    found: Any = json.loads(file.read_text())
    events_in = [one["Event"] for one in found.get("response", [found])]
    listed = [one for event in events_in for one in event["Attribute"]]
    return [one["value"] for one in listed if one["type"] == "url" and HOST in one["value"] and not one["to_ids"]]


def test_addresses_given_as_context_match_when_a_log_shows_them(tmp_path: Path) -> None:
    file = LISTS / "eset_turla_mosquito.json"
    urls = context_urls(file)
    assert len(urls) == 2
    web = [
        events.http(60 * n, "10.0.0.9", HOST, url)
        for n, url in enumerate([*urls, f"https://{HOST}/macros/s/other/exec"])
    ]
    events.tables(tmp_path, http_activity=web)
    (tmp_path / "indicators").mkdir()
    items = pa.concat_tables([rows.tables["indicators"] for rows in read(Source("E002", file))])
    pq.write_table(items, tmp_path / "indicators" / "E002.parquet")
    found = intelligence(open_tables(tmp_path), t.pairs(t.pair(dst=HOST)), t.config())
    assert sorted(found.observable) == sorted(urls)
    assert set(found.state) == {"context"}
    assert set(found.for_detection) == {False}
    assert set(found.ref) == {"E002:1"}
