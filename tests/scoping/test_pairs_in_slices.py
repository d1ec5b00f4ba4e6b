"""An estate looked at slice by slice says what it says as a whole."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from tests.scoping.events import dns, flow, http, tables, tls

from playbooks.case import CaseFile
from playbooks.scoping.egress_events import egress_events
from playbooks.scoping.egress_pairs import egress_pairs
from playbooks.scoping.pairs_in_slices import in_slices, slices

if TYPE_CHECKING:
    from playbooks.engine import Tables

CASE = CaseFile(case_id="T-1")
HOUR, DAY = 3600, 86_400
FAR = [f"198.51.100.{n}" for n in range(1, 9)]


def estate(folder: Path, seed: int, days: int) -> Tables:
    """Twelve clients: people by day, one in a rhythm day and night, one that came early and left, a proxy."""
    rng = random.Random(seed)
    when = [(day * DAY + rng.randint(8, 16) * HOUR + rng.random() * HOUR) for day in range(days) for _ in range(30)]
    wire = [flow(at, f"10.0.0.{rng.randint(1, 9)}", rng.choice(FAR)) for at in when]
    wire += [tls(at, f"10.0.0.{rng.randint(1, 9)}", rng.choice(FAR), "app.example.test") for at in when[::2]]
    wire += [flow(n * 7 * HOUR, "10.0.0.77", "203.0.113.7") for n in range(days * 3)]
    wire += [flow(n * 60, "10.0.0.78", "203.0.113.8") for n in range(20)]
    web = [http(at, f"10.0.0.{rng.randint(1, 9)}", "b.example.test", http_request_user_agent="A/1") for at in when[::3]]
    asked = [dns(at, f"10.0.0.{rng.randint(1, 4)}", "c.example.test", ["198.51.100.9"]) for at in when[::5]]
    return tables(folder, network_activity=wire, http_activity=web, dns_activity=asked)


@pytest.mark.parametrize(("seed", "days"), [(1, 3), (2, 40)])
@pytest.mark.parametrize("size", [1, 50, 300])
def test_slices_say_what_the_whole_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, days: int, size: int
) -> None:
    opened = estate(tmp_path, seed, days)
    whole = egress_pairs(opened, CASE)
    monkeypatch.setattr("playbooks.scoping.egress_pairs.in_slices", lambda seen: in_slices(seen, size))
    pd.testing.assert_frame_equal(egress_pairs(opened, CASE), whole)
    assert whole.off_hours_share.notna().any()


@pytest.mark.parametrize("size", [1, 50, 300, 10_000])
def test_every_contact_is_in_one_slice_and_no_client_in_two(tmp_path: Path, size: int) -> None:
    seen = egress_events(estate(tmp_path, 3, 3), CASE)
    parts = [part.select("src", "evidence_id", "record_no").to_pyarrow().to_pylist() for part in slices(seen, size)]
    clients = [{row["src"] for row in part} for part in parts]
    assert sum(map(len, parts)) == seen.count().to_pyarrow().as_py()
    assert sum(map(len, clients)) == len(set.union(*clients))
    assert all(len(part) <= size or len(there) == 1 for part, there in zip(parts, clients, strict=True))


def test_an_estate_without_contacts_has_no_pairs(tmp_path: Path) -> None:
    assert len(egress_pairs(tables(tmp_path), CASE)) == 0
