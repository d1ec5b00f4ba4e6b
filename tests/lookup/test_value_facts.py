"""All that a case knows of a value, and the four ways to print it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stix2
from tests.conftest import Said

from playbooks import guide
from playbooks.case import Case, new_case, open_case
from playbooks.errors import UsageError
from playbooks.guide.owning import value_facts
from playbooks.lookup import Fact
from playbooks.report.stix import stix_text

HOST = "poll.stranger.workers.dev"
DIGEST = "ab" * 32
NAME = f"{HOST},domain,Example CERT,80,2026-03-01T00:00:00Z,,AMBER,=cmd()\n"
INDICATORS = "indicator,type,source,confidence,valid_from,valid_until,tlp,description\n" + NAME


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("facts")
    base = {"uid": "C1", "id.orig_h": "10.0.0.1", "id.resp_h": "10.0.0.53", "proto": "udp", "qtype_name": "A"}
    asked = [
        base
        | {"ts": 1773133200 + n, "query": name, "rcode_name": "NOERROR", "answers": ["198.51.100.7"], "TTLs": [60.0]}
        for n, name in enumerate([HOST, HOST.upper(), "intranet.example"])
    ]
    (folder / "dns.json").write_text("".join(json.dumps(one) + "\n" for one in asked))
    (folder / "indicators.csv").write_text(INDICATORS)
    prefix = {"ip_prefix": "198.51.100.0/24", "region": "eu-central-1", "service": "EC2"}
    (folder / "ip-ranges.json").write_text(json.dumps({"prefixes": [prefix], "ipv6_prefixes": []}))
    made = new_case(folder / "case", "T-1")
    file = made.path / "case.yaml"
    stated = file.read_text().replace("inventory: []", 'inventory: [{host: "*.stranger.workers.dev", owner: Web}]')
    file.write_text(stated)
    guide.add(made, *(str(folder / name) for name in ("dns.json", "indicators.csv", "ip-ranges.json")))
    return open_case(made.path)


def told(facts: list[Fact], kind: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(fact.says, fact.refs) for fact in facts if fact.fact == kind]


def test_a_host_is_told_with_class_tenant_owner_sightings_and_who_lists_it(case: Case) -> None:
    mine = value_facts(case, ["poll[.]stranger[.]workers[.]dev"])
    assert told(mine, "catalogue")[0][0].startswith("Cloudflare Workers (workers.dev) (cf-workers")
    assert told(mine, "tenant") == [("stranger (account)", ())]
    assert told(mine, "ownership") == [("owned-approved: in the inventory, owner Web", ())]
    assert told(mine, "sighting") == [("2 records, as query_hostname", ("E001:1", "E001:2"))]
    seen = next(fact for fact in mine if fact.fact == "sighting")
    assert [f"{moment:%H:%M:%S}" for moment in (seen.first_seen, seen.last_seen) if moment is not None] == [
        "09:00:00",
        "09:00:01",
    ]
    [(listed, refs)] = told(mine, "intelligence")
    assert listed == f"{HOST} (unvetted, matched on exact, confidence 80): =cmd()"
    assert refs == ("E002:1",)
    assert told(mine, "resolution") == [(f"{HOST} was answered with 198.51.100.7", ("E001:1",))]


def test_a_url_is_told_with_what_is_known_of_its_host(case: Case) -> None:
    facts = value_facts(case, [f"hxxp://{HOST}/a"])
    assert [fact.value for fact in facts if fact.fact == "sighting"] == [f"http://{HOST}/a", HOST]
    assert [fact.value for fact in facts if fact.fact == "ownership"] == [f"http://{HOST}/a"]


def test_an_address_is_told_with_its_range_and_the_answers_that_hold_it(case: Case) -> None:
    facts = value_facts(case, ["198.51.100[.]7"])
    assert told(facts, "address range") == [("in a range that AWS publishes (EC2, eu-central-1); low confidence", ())]
    assert told(facts, "sighting") == [("3 records, as answers", ("E001:1", "E001:2", "E001:3"))]
    near = value_facts(case, ["198.51.100.70"])
    assert told(near, "sighting") == [("in no event of this case that has a time", ())]


def test_what_nobody_saw_is_said_to_be_unseen_and_an_item_that_names_it_is_still_told(case: Case) -> None:
    facts = value_facts(case, [DIGEST, f"deep.{HOST}"])
    assert told(facts, "sighting") == [("in no event of this case that has a time", ())] * 2
    [(listed, refs)] = told(facts, "intelligence")
    assert listed.startswith(f"{HOST} (not weighed: no destination of this case") and refs == ("E002:1",)


def test_the_verb_shows_facts_and_refuses_what_is_no_value(case: Case) -> None:
    view = guide.enrich_value(case, HOST)
    assert view.words[0].endswith("about 1 value; 1 kind of sighting.")
    assert list(view.data.columns) == list(Fact.__dataclass_fields__)
    with pytest.raises(UsageError):
        guide.enrich_value(case, "no value")


def test_without_a_case_the_catalogue_alone_answers() -> None:
    assert {fact.fact for fact in value_facts(None, [HOST])} == {"catalogue", "tenant"}
    assert [fact.fact for fact in value_facts(None, ["198.51.100.7", DIGEST])] == ["catalogue", "hash"]


def test_a_bundle_is_valid_is_the_same_each_time_and_accuses_nobody(case: Case) -> None:
    facts = value_facts(case, [HOST, "198.51.100.7", DIGEST, "hxxp://intranet[.]example/a"])
    text = stix_text(facts, "T-1", "GREEN")
    assert text == stix_text(facts, "T-1", "GREEN") != stix_text(facts, "T-2", "GREEN")
    objects: list[Any] = list(stix2.parse(text).objects)
    kinds = [one.type for one in objects]
    assert kinds.count("note") == len({fact.value for fact in facts})
    assert {"domain-name", "ipv4-addr", "file", "url"} < set(kinds) and "indicator" not in kinds
    seen = [one for one in objects if one.type == "observed-data"]
    assert [one.number_observed for one in seen] == [2, 3, 1]
    known = {one.id for one in objects}
    assert all(ref in known for one in objects if one.type in ("note", "observed-data") for ref in one.object_refs)


def test_the_command_prints_each_form(case: Case, playbooks: Callable[..., Said]) -> None:
    def printed(form: str) -> str:
        said = playbooks("enrich", HOST, "--case", case.path, "--format", form)
        assert said.code == 0
        return said.out

    count = len(value_facts(case, [HOST]))
    assert len([line for line in printed("table").splitlines() if line.startswith("  ")]) == count
    assert [json.loads(line)["value"] for line in printed("json").splitlines()] == [HOST] * count
    header, *rows = list(csv.reader(io.StringIO(printed("csv"))))
    assert header == list(Fact.__dataclass_fields__) and len(rows) == count
    assert stix2.parse(printed("stix")).type == "bundle"


def test_a_cell_that_evidence_wrote_as_a_formula_is_text(tmp_path: Path) -> None:
    from playbooks.lookup import as_frame
    from playbooks.report.spreadsheet import csv_text

    row = list(
        csv.reader(io.StringIO(csv_text(as_frame([Fact("a.example", "domain", "intelligence", "=cmd()", "x")]))))
    )[1]
    assert row[3] == "'=cmd()"
