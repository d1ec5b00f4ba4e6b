"""An address has one spelling in all tables, whatever its log writes."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.normalise import Source, read
from playbooks.normalise.addresses import canonical, in_one_spelling

SPELLINGS = {
    "2001:0DB8:0000:0000:0000:0000:0000:0001": "2001:db8::1",
    "2001:db8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
    "::FFFF:192.0.2.1": "192.0.2.1",
    "0:0:0:0:0:ffff:c000:0201": "192.0.2.1",
    "fe80::1%eth0": "fe80::1%eth0",
    "192.0.2.1": "192.0.2.1",
    "lambda.amazonaws.com": "lambda.amazonaws.com",
    "2001:db8::1::2": "2001:db8::1::2",
    "12:30:59": "12:30:59",
    "::": "::",
}


@pytest.mark.parametrize(("written", "wanted"), SPELLINGS.items())
def test_every_spelling_of_an_address_becomes_one(written: str, wanted: str) -> None:
    assert canonical(written) == wanted


@given(st.ip_addresses(v=6))
def test_the_long_and_the_short_form_are_the_same(address: ipaddress.IPv6Address) -> None:
    assert canonical(address.exploded) == canonical(address.exploded.upper()) == canonical(str(address))


def test_lists_keep_their_places_and_their_nulls() -> None:
    answers = pa.array([["2001:0db8::1", None, "cname.example.test"], None, [], ["192.0.2.1"]], pa.list_(pa.string()))
    table = pa.table(
        {"record_no": [1, 2, 3, 4], "answers": answers, "dst_endpoint_ip": ["2001:db8:0::1", None, "", "x"]}
    )
    found = in_one_spelling(table.slice(0, 4))
    assert found["answers"].to_pylist() == [["2001:db8::1", None, "cname.example.test"], None, [], ["192.0.2.1"]]
    assert found["dst_endpoint_ip"].to_pylist() == ["2001:db8::1", None, "", "x"]
    assert in_one_spelling(table.slice(1, 3))["answers"].to_pylist() == [None, [], ["192.0.2.1"]]


def test_two_logs_that_spell_it_otherwise_give_the_same_address(tmp_path: Path) -> None:
    record = {"ts": 1773133200.0, "uid": "C1", "id.orig_p": 1, "id.resp_p": 443, "proto": "tcp", "conn_state": "SF"}
    addresses = {"id.orig_h": "2001:0db8:0:0::5", "id.resp_h": "2001:DB8:0:0:0:0:0:A"}
    file = tmp_path / "conn.log"
    file.write_text(json.dumps({**record, **addresses}) + "\n")
    [rows] = read(Source("E001", file))
    [row] = rows.in_order()
    assert (row["src_endpoint_ip"], row["dst_endpoint_ip"]) == ("2001:db8::5", "2001:db8::a")
