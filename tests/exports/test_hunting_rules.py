"""Sigma rules of findings: what pySigma and its validators say of them, and what they find in the sample's records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml
from sigma.collection import SigmaCollection
from sigma.plugins import InstalledSigmaPlugins
from sigma.rule import SigmaRule
from sigma.validation import SigmaValidator
from tests.conftest import SampleRun
from tests.exports.hunted import HOSTILE_VALUES, hostile_case, values_of
from tests.exports.results import CASE, HOST, OURS, SHARED, act, entry, material, pair

from playbooks import guide
from playbooks.exports.hunting.forms import sigma_rules
from playbooks.exports.hunting.rules import literal
from playbooks.exports.hunting.sources import cloud_sources, egress_sources
from playbooks.exports.material import Material
from playbooks.sigma import rule_files, run_sigma
from playbooks.sigma.backend import condition_of
from playbooks.sigma.conditions import Check, Columns, leaves
from playbooks.sigma.rule_files import read_rule_files

# Two ask a server for their lists (techniques are named by the kit, whose tests hold them against a release); one knows
# the markings of TLP 1 alone.
LEFT_OUT = ("attacktag", "d3_fendtag", "tlpv1_tag")
OF_HOSTILE_VALUES = ("ControlCharacterIssue", "EscapedWildcardIssue", "NumberAsStringIssue")


def documents(given: Material | None = None) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(sigma_rules(given or material()).content) if one]


def parsed(given: Material | None = None) -> list[SigmaRule]:
    rules = SigmaCollection.from_yaml(sigma_rules(given or material()).content.decode("ascii")).rules
    assert all(isinstance(rule, SigmaRule) and not rule.errors for rule in rules)
    return [rule for rule in rules if isinstance(rule, SigmaRule)]


def issues(given: Material) -> list[str]:
    known = InstalledSigmaPlugins.autodiscover(include_backends=False, include_pipelines=False).validators
    validator = SigmaValidator({check for name, check in known.items() if name not in LEFT_OUT})
    found = validator.validate_rules(iter(parsed(given)))
    return [f"{type(one).__name__}: {one}" for one in found]


def by_title(given: Material | None = None) -> dict[str, dict[str, Any]]:
    return {one["title"]: one for one in documents(given)}


def texts_of(rule: SigmaRule) -> Iterator[str]:
    """Every text that a rule looks for, as pySigma understands it, without wildcards."""
    from sigma.conditions import ConditionAND, ConditionOR

    def walk(item: Any) -> Iterator[str]:
        if isinstance(item, ConditionAND | ConditionOR):
            for one in item.args:
                yield from walk(one)
        else:
            yield "".join(part for part in item.value.s if isinstance(part, str))

    for condition in rule.detection.parsed_condition:
        yield from walk(condition.parsed)


def test_the_rules_of_a_case_are_the_same_each_time_and_pysigma_has_nothing_against_them() -> None:
    made = sigma_rules(material())
    assert made.content == sigma_rules(material()).content and made.content.isascii()
    assert made.holds == f"{len(documents())} rules"
    assert issues(material()) == []
    ids = {str(rule.id) for rule in parsed()}
    assert len(ids) == len(parsed()) and ids.isdisjoint(str(rule.id) for rule in parsed(material(case_id="IR-2")))


@pytest.mark.parametrize("tlp", ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"])
def test_a_rule_says_whose_it_is_what_it_rests_on_and_when_it_is_innocent(tlp: str) -> None:
    rule = by_title(material(tlp=tlp))["A-1: same destination, in questions of DNS"]
    assert (rule["level"], rule["status"], rule["date"]) == ("high", "experimental", "2026-03-11")
    assert rule["references"] == [f"case {CASE}, finding A-1"]
    assert rule["description"].endswith(f"Made of finding A-1 of case {CASE} (TLP:{tlp}); records E001:7, E001:9.")
    assert rule["falsepositives"] == ["An updater does the same."]
    assert rule["tags"] == ["attack.t1102", "attack.t1071.001", f"tlp.{tlp.lower().replace('+', '-')}"]
    assert rule["logsource"] == {"category": "dns"}
    assert issues(material(tlp=tlp)) == []


def test_a_destination_is_looked_for_by_name_and_by_customer_wherever_it_would_show() -> None:
    rules = by_title()
    assert rules["A-1: same destination, in requests through a proxy"]["detection"] == {
        "selection_host": {"cs-host": ["acme-4417.workers.dev", HOST]},
        "selection_customer": {"cs-host|endswith": [".acme-4417.workers.dev"]},
        "condition": "1 of selection_*",
    }
    assert {
        one["logsource"].get("service") or one["logsource"]["category"]
        for one in rules.values()
        if "A-1" in one["title"]
    } == {
        *("proxy", "dns", "ssl", "network_connection"),
    }
    text = sigma_rules(material()).content.decode()
    assert SHARED not in text and OURS not in text
    left = sigma_rules(material()).left_out
    assert f"no query for {OURS} (A-1): it is ours" in left
    assert "no query for A-3: it names nothing that could be looked for elsewhere" in left


def test_an_address_a_fingerprint_and_the_path_of_a_customer_have_rules_of_their_own() -> None:
    found = material().findings | {
        "findings": [entry("A-1", "x", "high", src=["10.20.3.17"], dst=["198.51.100.9", "shared.example"])],
        "leads": [],
    }
    rows = [
        pair("198.51.100.9", fingerprints=["ja3:abc", "ja4:t13d"]),
        pair("shared.example", catalogue_id="s", tenant="AKfy", matched_by="path"),
    ]
    rules = by_title(material(findings=found, tables={"egress_pairs": pd.DataFrame(rows)}))
    assert rules["A-1: same destination, in connections through a firewall"]["detection"]["selection_address"] == {
        "dst_ip": ["198.51.100.9"]
    }
    prints = rules["A-1: same fingerprint of a TLS client, in TLS handshakes"]
    assert prints["detection"]["selection_ja4"] == {"ja4": ["t13d"]} and prints["level"] == "low"
    assert prints["falsepositives"][0].startswith("Every program")
    path = rules["A-1: same customer at shared.example, in requests through a proxy"]["detection"]
    assert path == {
        "selection_host": {"cs-host": "shared.example"},
        "selection_path": {"c-uri|contains": ["AKfy"]},
        "condition": "all of selection_*",
    }
    assert not any(
        "shared.example" in str(one["detection"]) for title, one in rules.items() if "same destination" in title
    )


def test_acts_are_looked_for_by_hand_by_program_and_by_thing() -> None:
    rules = by_title()
    hand = rules["B-2: same acts by the same identity or address, in CloudTrail"]
    assert (hand["level"], hand["logsource"]) == ("medium", {"product": "aws", "service": "cloudtrail"})
    assert hand["detection"] == {
        "operation": {"eventSource": "lambda.amazonaws.com", "eventName": ["UpdateFunctionCode20150331v2"]},
        "hand_principal": [
            {"userIdentity.userName": ["j.doe"]},
            {"userIdentity.sessionContext.sessionIssuer.userName": ["j.doe"]},
            {"userIdentity.arn|endswith": ["/j.doe"]},
        ],
        "hand_address": {"sourceIPAddress": ["198.51.100.23"]},
        "condition": "operation and 1 of hand_*",
    }
    thing = rules["B-2: same changes of the same thing, in CloudTrail"]
    assert (thing["level"], thing["detection"]["thing"]) == ("low", ["invoice-export"])
    assert "B-2: same acts by the same program, in CloudTrail" in rules


@pytest.mark.parametrize(
    ("provider", "service", "operation", "source"),
    [
        ("Azure", "microsoft.web", "MICROSOFT.WEB/SITES/WRITE", "azure_activity"),
        ("Azure", "microsoft.automation", "MICROSOFT.AUTOMATION/X/WRITE", "azure_activity"),
        ("Azure", "microsoft.aadiam", "Sign-in activity", "entra_sign_ins"),
        ("Azure", "microsoft.aadiam", "Add user", "entra_audit"),
        ("Azure", "Core Directory", "Add service principal", "entra_audit"),
        ("GCP", "cloudfunctions.googleapis.com", "google.cloud.functions.v2.CreateFunction", "gcp_audit"),
        ("Microsoft 365", "Exchange", "New-InboxRule", "m365_audit"),
        ("Google Workspace", "token", "authorize", "google_workspace"),
        ("GitHub", "github", "workflows.created_workflow_run", "github_audit"),
        ("Okta", "okta", "user.session.start", "okta_system"),
        ("Cloudflare", "workers", "script_create", "cloudflare_audit"),
    ],
)
def test_each_cloud_has_its_log_source(provider: str, service: str, operation: str, source: str) -> None:
    [mine] = [one for one in cloud_sources() if one.name == source]
    row = act("E001:7", provider=provider, service=service, operation=operation)
    made = documents(material(tables=material().tables | {"cloud_activity": pd.DataFrame([row])}))
    rules = [one for one in made if one["title"].startswith("B-2")]
    assert rules and {json.dumps(one["logsource"]) for one in rules} == {json.dumps(mine.logsource)}


@pytest.mark.parametrize("address", ["198.51.100.23", "lambda.amazonaws.com"])
def test_an_address_of_ours_and_the_name_of_a_service_are_no_hand(address: str) -> None:
    tables = material().tables | {
        "cloud_activity": pd.DataFrame([act("E001:1", further_refs=["E001:7"], source_ip=address)])
    }
    rule = by_title(material(tables=tables, inside=("198.51.100.0/24",)))[
        "B-2: same acts by the same identity or address, in CloudTrail"
    ]
    assert set(rule["detection"]) == {"operation", "hand_principal", "condition"}


def test_a_customer_is_never_a_whole_suffix() -> None:
    found = material().findings | {
        "findings": [entry("A-1", "x", src=["10.20.3.17"], dst=["a.b.dev", "b.workers.dev"])]
    }
    rows = [pair("a.b.dev", catalogue_id="x", tenant="dev"), pair("b.workers.dev", catalogue_id="x", tenant="b")]
    rule = by_title(material(findings=found, tables=material().tables | {"egress_pairs": pd.DataFrame(rows)}))
    assert rule["A-1: same destination, in questions of DNS"]["detection"]["selection_customer"] == {
        "query|endswith": [".b.workers.dev"]
    }


def test_a_record_of_another_cloud_is_named_as_left_out() -> None:
    tables = material().tables | {"cloud_activity": pd.DataFrame([act("E001:7", provider="Zscaler")])}
    left = sigma_rules(material(tables=tables)).left_out
    assert "no query for E001:7 (B-2): no log source of Sigma is known for Zscaler" in left


def test_without_findings_the_answers_stand_above_no_rule() -> None:
    made = sigma_rules(material(findings=material().findings | {"findings": [], "leads": []}))
    assert made.holds == "0 rules" and b"# blind: Who ran it?. no record of runs\n" in made.content


@pytest.mark.parametrize("value", HOSTILE_VALUES)
def test_a_hostile_value_is_a_value_to_pysigma_and_to_the_kits_own_reader(value: str, tmp_path: Path) -> None:
    given = hostile_case(value)
    rules = parsed(given)
    assert len(rules) == len(documents(given)) >= len(parsed())
    texts = {text for rule in rules for text in texts_of(rule)}
    assert texts <= values_of(given) and value in texts
    assert [one for one in issues(given) if not one.startswith(OF_HOSTILE_VALUES)] == []
    file = tmp_path / "rules.yml"
    file.write_bytes(sigma_rules(given).content)
    assert file.read_bytes().isascii()
    read = read_rule_files([("rules.yml", file)])
    assert [one.fault for one in read.documents] == [""] * len(rules)


def test_a_file_holds_no_more_rules_than_the_kit_reads(tmp_path: Path) -> None:
    some = [entry(f"A-{number}", "x", src=["10.20.3.17"], dst=[HOST]) for number in range(60)]
    given = material(findings=material().findings | {"findings": some})
    made = sigma_rules(given)
    assert made.holds == "200 rules"
    assert made.left_out[-1].startswith("40 rules more: a file of rules holds 200, or ")
    (tmp_path / "rules.yml").write_bytes(made.content)
    read = read_rule_files([("rules.yml", tmp_path / "rules.yml")])
    assert [one.fault for one in read.documents] == [""] * 200


def test_a_value_with_a_secret_taken_out_is_in_no_rule() -> None:
    row = act("E001:7", user_agent="x?token=hunter2hunter2", principal=None, source_ip=None)
    given = material(tables=material().tables | {"cloud_activity": pd.DataFrame([row])}).without_secrets()
    assert [title for title in by_title(given) if title.startswith("B-2")] == [
        "B-2: same changes of the same thing, in CloudTrail"
    ]


def test_an_escaped_value_has_no_wildcard() -> None:
    from sigma.types import SigmaString

    for value in HOSTILE_VALUES:
        assert "".join(map(str, SigmaString(literal(value)).s)) == value
        assert not SigmaString(literal(value)).contains_special(), value


# over the records of the sample incident


def test_the_rules_find_the_records_of_their_findings_by_the_kits_own_engine(
    incident: SampleRun, tmp_path: Path
) -> None:
    case = guide.open_case(str(incident.copy(tmp_path / "case")))
    guide.export(case, "sigma", str(tmp_path / "rules" / "case.yml"))
    with (case.path / "case.yaml").open("a", encoding="utf-8") as stated:
        stated.write("sigma_rules: [../rules]\n")
    case = guide.open_case(str(case.path))
    ran = run_sigma(case, rule_files(case))
    mine = [one for one in ran.outcomes if one.path.startswith("../rules")]
    assert {one.status for one in mine if "CloudTrail" in one.title} == {"matched"}
    assert {one.status for one in mine} == {"matched", "blind"}  # proxies, DNS: the engine reads no such records
    for told in guide.findings(case).data["findings"]:
        if told["hypothesis"] == "B":
            cited = {ref for signal in told["signals"] if signal["kind"] == "change" for ref in signal["refs"]}
            rows = ran.matches[ran.matches.title.str.startswith(f"{told['id']}: same acts by the same identity")]
            assert cited and cited <= set(rows.ref)
            others = set(rows.principal.dropna()) - {*told["subjects"]["principal"]}
            assert others <= {"198.51.100.23"}


# field of Sigma → table and column of the kit's events
IN_EVENTS = {
    "cs-host": ("http_activity", "dst_endpoint_hostname"),
    "query": ("dns_activity", "query_hostname"),
    "server_name": ("network_activity", "tls_sni"),
    "ja4": ("network_activity", "tls_ja4"),
    "dst_ip": ("network_activity", "dst_endpoint_ip"),
}


def test_the_rules_of_contacts_find_the_events_of_their_findings(incident: SampleRun, tmp_path: Path) -> None:
    """The kit's own SQL of each condition, over the events of the sample."""
    case = guide.open_case(str(incident.copy(tmp_path / "case")))
    file = Path(guide.export(case, "sigma").data["file"])
    entries = {one["id"]: one for kind in ("findings", "leads") for one in guide.findings(case).data[kind]}
    asked: set[str] = set()
    for rule in SigmaCollection.from_yaml(file.read_text(encoding="ascii")).rules:
        assert isinstance(rule, SigmaRule)
        told = entries[rule.title.partition(":")[0]]
        node = condition_of(rule)
        names = {leaf.field for leaf in leaves(node) if isinstance(leaf, Check)}
        if told["hypothesis"] == "B" or "fingerprint" in rule.title or not names <= set(IN_EVENTS):
            continue
        [(table, column)] = {IN_EVENTS[name] for name in names}
        columns = Columns(dict.fromkeys(names, column), dict.fromkeys(names, f"lower({column})"))
        sql = f"SELECT DISTINCT src_endpoint_ip FROM read_parquet(?) WHERE {columns.sql(node)}"
        with duckdb.connect() as con:
            found = {row[0] for row in con.execute(sql, [f"{case.events}/{table}/*.parquet"]).fetchall()}
        assert not found or found & {*told["subjects"]["src"]}, rule.title
        asked |= {told["id"]} if found else set()
    assert asked == {name for name, told in entries.items() if told["hypothesis"] == "A"}
    assert {one.name for one in egress_sources()} == {"proxy", "dns", "tls", "endpoint", "firewall"}
