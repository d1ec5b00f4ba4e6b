"""Databases of addresses as evidence: what they say, with database and day; broken and hostile ones say why not."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from playbooks import guide
from playbooks.case import Case, new_case
from playbooks.evidence.address_databases import MARKER
from playbooks.guide.owning import value_facts
from playbooks.lookup import address_facts

ASN = {"autonomous_system_number": 64500, "autonomous_system_organization": "=Example Net"}
CITY = {"country": {"iso_code": "DE"}, "registered_country": {"iso_code": "FR"}, "traits": {}}
FLAT = {"asn": "AS64501", "as_name": "Example Two", "country_code": "NL"}


def database(file: Path, kind: str, records: dict[str, Any], version: int = 6) -> Path:
    writer = MMDBWriter(version, kind, ipv4_compatible=version == 6)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(file))
    return file


def case_with(folder: Path, *files: Path) -> Case:
    case = new_case(folder / "case", "T-1")
    guide.add(case, *map(str, files))
    return case


def told(case: Case, *addresses: str) -> list[dict[str, Any]]:
    frame, _ = address_facts(case, addresses)
    return [
        {k: v for k, v in row.items() if v == v and v is not None}
        for row in frame.drop(columns="built").to_dict("records")
    ]


def test_each_database_says_what_it_knows_and_names_itself(tmp_path: Path) -> None:
    case = case_with(
        tmp_path,
        database(tmp_path / "asn.mmdb", "GeoLite2-ASN", {"198.51.100.0/24": ASN, "2001:db8::/32": ASN}),
        database(tmp_path / "city.mmdb", "GeoLite2-City", {"198.51.100.0/25": CITY}),
        database(tmp_path / "flat.mmdb", "Flat", {"203.0.113.0/24": FLAT}, version=4),
    )
    asn = {"asn": 64500, "as_organisation": "=Example Net", "database": "GeoLite2-ASN", "ref": "E001:1"}
    assert told(case, "198.51.100.7", "198.51.100.200", "2001:db8::5", "203.0.113.9", "192.0.2.1", "no address") == [
        {"address": "198.51.100.200", "network": "198.51.100.200/24"} | asn,
        {"address": "198.51.100.7", "network": "198.51.100.7/24"} | asn,
        {"address": "198.51.100.7", "network": "198.51.100.7/25", "country": "DE", "database": "GeoLite2-City",
         "ref": "E002:1"},
        {"address": "2001:db8::5", "network": "2001:db8::5/32"} | asn,
        {"address": "203.0.113.9", "network": "203.0.113.9/24", "asn": 64501, "as_organisation": "Example Two",
         "country": "NL", "database": "Flat", "ref": "E003:1"},
    ]  # fmt: skip


def test_a_database_is_one_record_that_is_no_event_and_the_verb_says_of_which_day_it_is(tmp_path: Path) -> None:
    flow = {"ts": 1773133200, "uid": "C1", "proto": "tcp", "id.orig_h": "10.0.0.1", "id.resp_h": "198.51.100.7"}
    (tmp_path / "conn.json").write_text(json.dumps(flow | {"conn_state": "SF"}) + "\n")
    asn = database(tmp_path / "asn.mmdb", "GeoLite2-ASN", {"198.51.100.0/24": ASN})
    case = case_with(tmp_path, asn, tmp_path / "conn.json")
    assert guide.normalise(case).words == ("2 records = 1 events + 1 unread + 0 blank.",)
    [row] = guide.unread(case).data.itertuples()
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert (row.kind, row.reason.partition(";")[0]) == ("status", f"address database GeoLite2-ASN, built {today}")
    view = guide.addresses(case)
    assert list(view.data.address) == ["198.51.100.7"] and "1 address known to one. None of it weighs." in view.words
    [fact] = [fact for fact in value_facts(case, ["198.51.100.7"]) if fact.fact == "address"]
    assert (fact.says, fact.refs) == ("AS 64500, =Example Net (198.51.100.7/24)", ("E001:1",))
    assert fact.source == f"GeoLite2-ASN, built {today}"


def broken(whole: bytes) -> dict[str, bytes]:
    start = whole.rindex(MARKER) + len(MARKER)
    # a map whose two values point to the map below it, forty deep: two to the fortieth values
    levels = b"".join(b"\xe2\x41a" + b"\x20" + bytes([n * 9 + 9]) + b"\x41b" + b"\x20" + bytes([n * 9 + 9])
                      for n in range(27))  # fmt: skip
    return {
        "no metadata": whole[:start],
        "cut metadata": whole[: start + 20],
        "no tree": whole[start - len(MARKER) :],
        "metadata of another type": whole[:start] + b"\x41a",
        "a bomb of pointers": whole[:start] + levels + b"\x41x",
        "metadata in itself": whole[:start] + b"\xe1\x41a\x20\x00",
    }


@pytest.mark.parametrize("name", ["no metadata", "cut metadata", "no tree", "metadata of another type",
                                  "a bomb of pointers", "metadata in itself"])  # fmt: skip
def test_a_database_that_cannot_be_read_says_so_soon_and_stops_nothing(name: str, tmp_path: Path) -> None:
    good = database(tmp_path / "good.mmdb", "GeoLite2-ASN", {"198.51.100.0/24": ASN})
    (tmp_path / "bad.mmdb").write_bytes(broken(good.read_bytes())[name])
    case = case_with(tmp_path, tmp_path / "bad.mmdb", good)
    began = time.monotonic()
    frame, databases = address_facts(case, ["198.51.100.7"])
    assert time.monotonic() - began < 20
    assert list(frame.ref) == ["E002:1"]
    assert [bool(one.fault) for one in databases] == [True, False]
    assert databases[0].words().startswith("address database that cannot be read: ")
    kinds = guide.unread(case).data.set_index("evidence_id").kind.to_dict()
    assert kinds == {"E001": "broken", "E002": "status"}


def test_records_that_are_broken_are_a_fault_of_their_database_and_a_null_is_no_fact(tmp_path: Path) -> None:
    odd = {"autonomous_system_number": "many", "country": ["DE"]}
    case = case_with(tmp_path, database(tmp_path / "odd.mmdb", "Odd", {"198.51.100.0/24": odd}))
    frame, databases = address_facts(case, ["198.51.100.7"])
    assert len(frame) == 0 and databases[0].fault == ""


def test_without_a_database_the_verb_says_that_it_cannot_tell(tmp_path: Path) -> None:
    view = guide.addresses(new_case(tmp_path / "case", "T-1"))
    assert "not answerable" in view.words[0] and len(view.data) == 0
