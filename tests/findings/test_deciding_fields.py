"""Which field would have decided this case: from its own records, with whom it concerns; silent where nothing lacks."""

from __future__ import annotations

from typing import Any

from tests.findings import tables as t

from playbooks.findings import deciding_fields

ADDRESS = "198.51.100.7"


def field(name: str, table: str, state: str = "absent", source: str = "E001", filled: int = 0) -> dict[str, Any]:
    return {"source": source, "name": f"{source}-log", "table": table, "field": name, "filled": filled, "of": 100,
            "state": state}  # fmt: skip


def cover(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    sources = [{"evidence": ["E001"]}, {"evidence": ["E002"]}]
    return {**t.coverage(), "sources": sources, "fields": list(fields), "proxies": [], "audit_logging": [], **more}


def told(*entries: dict[str, Any], outcomes: dict[str, Any] | None = None, leads: Any = ()) -> dict[str, Any]:
    return {"findings": list(entries), "leads": list(leads), "outcomes": outcomes or {}}


def entry(name: str = "A-1", hypothesis: str = "A", **subjects: list[str]) -> dict[str, Any]:
    return {"id": name, "hypothesis": hypothesis, "subjects": subjects, "signals": [{"refs": ["E002:1"]}]}


def decided(found: dict[str, Any], coverage: dict[str, Any], *pairs: dict[str, Any], activity: Any = None) -> Any:
    rows = deciding_fields(found, t.pairs(*pairs), t.activity() if activity is None else activity, coverage)
    return {row["field"]: row for row in rows}


def by_address(src: str = t.CLIENT, dst: str = ADDRESS, **more: Any) -> dict[str, Any]:
    return t.pair(src, dst, kind="ip", catalogue_id=None, tenant=None, sources=["flow"], **more)


def test_a_server_name_is_named_where_an_address_alone_was_seen(tmp_path: Any) -> None:
    rows = decided(
        told(entry(src=[t.CLIENT], dst=[ADDRESS])),
        cover(field("sni", "network_activity")),
        by_address(),
        by_address("10.0.0.5", "198.51.100.8"),
    )
    row = rows["sni"]
    assert row["sentence"] == (
        "server name (SNI) in E001 (0 of 100 carry it) would tell which name, and so which tenant, stands behind "
        f"{ADDRESS} that {t.CLIENT} contacted (E001:1); the same for 1 more pair of 2 hosts."
    )
    assert (row["pairs"], row["hosts"], row["destinations"], row["findings"]) == (2, 2, 2, ["A-1"])
    assert row["examples"][0] == {"src": t.CLIENT, "dst": ADDRESS, "refs": ["E001:1", "E001:50", "E001:100"]}
    assert [(one["source"], one["filled"], one["of"]) for one in row["sources"]] == [("E001", 0, 100)]


def test_nothing_is_named_where_the_sources_carry_it_or_another_source_saw_the_pair() -> None:
    found = told(entry(src=[t.CLIENT], dst=[ADDRESS]))
    assert decided(found, cover(field("sni", "network_activity", "present", filled=100)), by_address()) == {}
    assert decided(found, cover(field("sni", "network_activity", source="E002")), by_address()) == {}
    assert decided(found, cover(field("sni", "network_activity")), t.pair()) == {}, "a name is known"


def test_a_path_is_named_for_shared_hosts_without_a_tenant_only() -> None:
    coverage = cover(field("https_path", "http_activity"))
    shared = t.pair(dst="script.google.com", tenant=None, catalogue_id="google-apps-script")
    rows = decided(told(), coverage, shared, t.pair())
    assert [row["pairs"] for row in rows.values()] == [1]
    assert "which customer's function at script.google.com was asked by 10.0.0.9" in rows["https_path"]["sentence"]
    assert decided(told(), coverage, t.pair()) == {}


def test_process_user_agent_and_bytes_are_named_for_findings_and_leads_only() -> None:
    coverage = cover(
        field("process", "http_activity"), field("user_agent", "http_activity"), field("bytes", "http_activity")
    )
    pair = t.pair(bytes_out=None, bytes_in=None)
    found = told(leads=[entry("A-lead", src=[t.CLIENT], dst=[t.WORKER])])
    rows = decided(found, coverage, pair)
    assert set(rows) == {"process", "user_agent", "bytes"}
    assert {row["findings"][0] for row in rows.values()} == {"A-lead"}
    assert decided(told(), coverage, pair) == {}
    full = t.pair(user_agents=["curl/8"], bytes_out=1, bytes_in=1)
    assert set(decided(found, coverage, full)) == {"process"}


def test_a_name_that_was_only_asked_for_wants_the_connection() -> None:
    found = told(entry(src=[t.CLIENT], dst=[t.WORKER]))
    rows = decided(found, cover(), t.pair(sources=["dns"]))
    assert (
        "whether 10.0.0.9 reached poll.stranger.workers.dev or only asked for its name"
        in rows["connection"]["sentence"]
    )
    assert decided(found, cover(), t.pair(sources=["dns", "flow"])) == {}


def test_a_proxy_as_client_wants_the_client_behind_it() -> None:
    lacking = field("client_behind_proxy", "network_activity", "in part", filled=40)
    pair = by_address("10.0.0.2")
    rows = decided(told(), cover(lacking, proxies=["10.0.0.2"]), pair)
    assert rows["client_behind_proxy"]["sentence"].startswith(
        "client behind the proxy in E001 (40 of 100 carry it) would tell which host behind 10.0.0.2 contacted"
    )
    assert decided(told(), cover(lacking), pair) == {}


def test_runs_are_named_for_functions_of_findings_where_nothing_shows_that_they_are_recorded() -> None:
    place = {"account": "111111111111", "region": "eu-central-1"}
    check = {"check": "runs of functions are recorded (data events)", "state": "unknown", **place}
    found = told(entry("B-1", "B", resource=["invoice-export", "corp-trail"]))
    acts = t.activity(t.act(), t.act("UpdateTrail", ref="E002:7", resource="corp-trail", resource_type="trail"))
    rows = decided(found, cover(audit_logging=[check]), activity=acts)
    assert rows["data_events"]["sentence"] == (
        "data events of 111111111111 eu-central-1 would tell who ran invoice-export, when and how often."
    )
    assert rows["data_events"]["questions"] == ["function_runs"]
    assert rows["data_events"]["examples"] == [{"src": None, "dst": "invoice-export", "refs": ["E002:1"]}]
    for other in ({**check, "state": "pass"}, {**check, "region": "eu-west-1"}):
        assert "data_events" not in decided(found, cover(audit_logging=[other]), activity=acts)
    assert decided(told(), cover(audit_logging=[check]), activity=acts) == {}


def test_a_blind_question_names_the_columns_of_which_any_would_do() -> None:
    outcome = {"outcome": "blind", "title": "Is it known_indicators?", "reason": "Could not look: nothing there."}
    rows = decided(told(outcomes={"known_indicators": outcome}), cover())
    [row] = rows.values()
    assert row["questions"] == ["known_indicators"]
    assert row["sentence"].endswith("Is it known_indicators? Could not look: nothing there.")
    assert decided(told(outcomes={"known_indicators": {**outcome, "outcome": "clear"}}), cover()) == {}


def test_what_concerns_most_findings_stands_first() -> None:
    coverage = cover(field("process", "network_activity"), field("sni", "network_activity"))
    found = told(entry("A-1", src=[t.CLIENT], dst=[t.WORKER]), entry("A-2", src=[t.CLIENT], dst=[ADDRESS]))
    rows = deciding_fields(found, t.pairs(t.pair(), by_address()), t.activity(), coverage)
    assert [(row["field"], len(row["findings"])) for row in rows] == [("process", 2), ("sni", 1)]
