"""Answers of serverless and indicated names are kept with their time and the catalogue's version."""

from __future__ import annotations

from pathlib import Path

from tests.scoping.events import at, dns, tables

from playbooks import schema
from playbooks.knowledge.catalogue import load_catalogue
from playbooks.scoping.resolutions import resolutions

HOST, OTHER, WORKER = "10.0.0.5", "10.0.0.6", "poll.acme-test.workers.dev"
ONE, TWO = "198.51.100.7", "198.51.100.8"


def test_each_answer_of_a_serverless_name_has_its_span_its_clients_and_its_first_record(tmp_path: Path) -> None:
    asked = [dns(3, HOST, WORKER, [TWO]), dns(1, HOST, WORKER, [ONE]), dns(9, OTHER, WORKER, [ONE, TWO])]
    asked += [
        dns(4, HOST, "www.shop.example", ["Edge.Acme-Test.workers.dev", ONE]),
        dns(5, HOST, "plain.example", [ONE]),
    ]
    frame = resolutions(tables(tmp_path, dns_activity=asked))
    assert tuple(frame.columns) == schema.RESOLUTIONS.names
    columns = ["name", "answer", "first_seen", "last_seen", "times", "clients", "ref"]
    assert frame[columns].values.tolist() == [
        [WORKER, ONE, at(1), at(9), 2, 2, "E001:2"],
        [WORKER, TWO, at(3), at(9), 2, 2, "E001:1"],
        ["www.shop.example", ONE, at(4), at(4), 1, 1, "E001:4"],
        ["www.shop.example", "Edge.Acme-Test.workers.dev", at(4), at(4), 1, 1, "E001:4"],
    ]
    assert frame[["tenant", "matched_by"]].drop_duplicates().values.tolist() == [
        ["acme-test", "host"],
        ["acme-test", "cname"],
    ]
    assert set(frame.catalogue_version) == {load_catalogue().version}


def test_a_name_below_an_indicated_domain_is_kept_with_the_records_that_name_it(tmp_path: Path) -> None:
    item = {"indicator": "bad.example", "indicator_type": "domain", "source": "CERT", "format": "indicator_csv"}
    asked = [dns(1, HOST, "a.bad.example", [ONE]), dns(2, HOST, "notbad.example", [ONE])]
    frame = resolutions(tables(tmp_path, dns_activity=asked, indicators=[item]))
    assert frame[["name", "service"]].values.tolist() == [["a.bad.example", None]]
    assert frame.indicator_refs.tolist() == [["E002:1"]]


def test_without_lookups_nothing_is_kept(tmp_path: Path) -> None:
    assert len(resolutions(tables(tmp_path))) == 0
