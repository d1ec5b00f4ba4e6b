"""What names of destinations say: of our own name in them, and of what files in evidence know of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.findings import tables as t

from playbooks import guide, schema
from playbooks.case import Case, new_case, open_case
from playbooks.guide.owning import value_facts
from playbooks.lookup import brands_of, name_facts

OWN = {"zones": ["corp.examplecorp.com"], "brands": ["Fernwerk"]}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Two names were contacted on 10 March; passive DNS and certificates speak of the first."""
    folder = tmp_path_factory.mktemp("names")
    base = {"uid": "C1", "id.orig_h": "10.0.0.1", "id.resp_h": "10.0.0.53", "proto": "udp", "qtype_name": "A"}
    asked = ["login.fern-werk.example", "quiet.example"]
    lines = [json.dumps(base | {"ts": 1773133200 + n, "query": name}) for n, name in enumerate(asked)]
    (folder / "dns.json").write_text("\n".join(lines) + "\n")
    seen = [
        {"rrname": asked[0] + ".", "rrtype": "A", "rdata": ["198.51.100.7"], "time_first": 1772960400, "count": 3},
        {"rrname": "mail.other.example.", "rrtype": "A", "rdata": "198.51.100.7", "time_first": 1772000000},
        {"rrname": "far.example.", "rrtype": "A", "rdata": "198.51.100.8", "time_first": 1772000000},
    ]
    (folder / "pdns.json").write_text("".join(json.dumps(one) + "\n" for one in seen))
    issued = {"issuer_name": "CN=R1", "name_value": "*.fern-werk.example\nfern-werk.example",
              "not_before": "2026-03-09T09:00:00", "not_after": "2026-06-07T09:00:00"}  # fmt: skip
    (folder / "crt.json").write_text(json.dumps([issued]))
    made = new_case(folder / "case", "T-1")
    file = made.path / "case.yaml"
    file.write_text(file.read_text().replace("brands: []", "brands: [Fernwerk]"))
    guide.add(made, *(str(folder / name) for name in ("dns.json", "pdns.json", "crt.json")))
    return open_case(made.path)


def of_names(case: Case, *pairs: dict[str, Any]) -> pd.DataFrame:
    from playbooks.guide.opened import results_of

    nothing = results_of(case).tables.name_records.limit(0)
    return name_facts(t.pairs(*pairs), nothing, t.config(estate={"own": OWN}))


def test_brands_are_those_of_the_case_and_the_labels_of_its_zones() -> None:
    assert brands_of(t.config(estate={"own": OWN})) == ["fernwerk", "examplecorp"]


def test_our_name_in_a_name_that_is_not_ours_is_told_with_its_records_and_an_innocent_reading(case: Case) -> None:
    tenant = t.pair(dst="examplecorp-login.stranger.workers.dev", tenant="stranger")
    account = t.pair(dst="a.examplecorp-login.workers.dev", tenant="examplecorp-login")
    ours = t.pair(dst="b.examplecorp.workers.dev", tenant="examplecorp", ownership="owned-unapproved")
    puny = t.pair(dst="xn--bcher-kva.example", **t.OUTSIDE_FACTS)
    facts = of_names(case, tenant, account, ours, puny, t.pair())
    assert [(row.name, row.fact, row.brand) for row in facts.itertuples()] == [
        ("a.examplecorp-login.workers.dev", "brand_as_tenant", "examplecorp"),
        ("examplecorp-login.stranger.workers.dev", "brand_in_name", "examplecorp"),
        ("xn--bcher-kva.example", "punycode", None),
    ]
    assert facts.reason[0] == (
        "the label examplecorp-login holds our name examplecorp with something added, as the customer of Cloudflare "
        "Workers (workers.dev); innocent where a supplier or colleague took it, or a service names its customers so"
    )
    assert facts.reason[2] == "people see it as bücher.example"
    assert list(facts.refs[0]) == ["E001:1", "E001:50", "E001:100"]


def test_files_about_names_are_joined_to_destinations_with_dates_and_siblings(case: Case) -> None:
    facts = guide.names(case).data.set_index("fact")
    assert sorted(facts.index) == ["certificate", "one_edit", "passive_dns"]
    assert set(facts.name) == {"login.fern-werk.example"}
    seen, issued = facts.loc["passive_dns"], facts.loc["certificate"]
    assert seen.reason == (
        "passive DNS saw it first 2026-03-08 09:00 UTC, 2.0 days before our first contact, with 198.51.100.7"
    )
    assert (list(seen.siblings), list(seen.refs)) == (["mail.other.example"], ["E002:1"])
    assert issued.reason == (
        "1 in the certificate logs, the first valid from 2026-03-09 09:00 UTC, 1.0 days before our first contact, "
        "by CN=R1"
    )
    assert (list(issued.siblings), list(issued.refs)) == (["*.fern-werk.example", "fern-werk.example"], ["E003:1"])
    told = [fact.refs for fact in value_facts(case, ["login.fern-werk.example"]) if fact.fact == "name"]
    assert ("E002:1",) in told and ("E003:1",) in told


def test_names_make_no_finding(case: Case) -> None:
    found = guide.findings(case).data
    assert (found["findings"], found["leads_total"]) == ([], 0)


def test_what_cannot_be_told_is_said(tmp_path: Path) -> None:
    view = guide.names(new_case(tmp_path / "case", "T-1"))
    assert view.words[1].startswith("Not compared with names of ours")
    assert view.words[2].startswith("No passive DNS and no certificate log is in evidence")
    assert list(view.data.columns) == list(schema.NAME_FACTS.names)
