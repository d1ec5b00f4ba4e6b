"""What was looked at: spans, gaps, fields, answerable questions, and the register of blind spots."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.scoping.events import START, at, dns, flow, http, tables, tls

from playbooks.case import Case, CaseFile
from playbooks.coverage import coverage
from playbooks.normalise import Reading

HOST, FAR = "10.20.3.17", "198.51.100.7"
HOUR = 3600
WINDOW = {"start": "2026-03-10T00:00:00Z", "end": "2026-03-10T06:00:00Z"}


@dataclass(frozen=True)
class Question:
    id: str
    needs: tuple[tuple[str, str], ...]
    hypothesis: str = "A"
    title: str = "Is there?"


def reading(number: int, name: str, form: str, table: str | None, events: int, **more: Any) -> Reading:
    return replace(
        Reading(
            evidence_id=f"E{number:03d}",
            name=f"E{number:03d}-{name}",
            sha256="0" * 64,
            format=form or None,
            tables={table: events} if table else {},
            records=events,
            events=events,
            unread=0,
            status=0,
            blank=0,
            first=at(0).isoformat(),
            last=at(HOUR).isoformat(),
            note="",
        ),
        **more,
    )


FORMS = {"api_activity": "aws_cloudtrail", "dns_activity": "zeek_dns", "http_activity": "squid_access"}


def covered(
    folder: Path,
    config: dict[str, Any] | None = None,
    readings: list[Reading] | None = None,
    questions: tuple[Question, ...] = (),
    blind_to_runs: str | None = None,
    **rows: list[dict[str, object]],
) -> dict[str, Any]:
    """Coverage of a case that holds these rows: one evidence item a table, E001, E002, … by its name."""
    case = Case(folder, CaseFile.model_validate({"case_id": "COV-1", **(config or {})}))
    made = [
        reading(number, "log", FORMS.get(name, "zeek_conn"), name, len(content))
        for number, (name, content) in enumerate(sorted(rows.items()), start=1)
    ]
    return coverage(case, readings or made, tables(folder / "events", **rows), questions, blind_to_runs)


def spots(found: dict[str, Any]) -> set[str]:
    return {spot["id"] for spot in found["blind_spots"]}


def hourly(*hours: float) -> list[dict[str, object]]:
    return [http(hour * HOUR, HOST, "app.example.net") for hour in hours]


def api(seconds: float, **more: object) -> dict[str, object]:
    row = {
        "time": at(seconds),
        "format": "aws_cloudtrail",
        "cloud_provider": "AWS",
        "cloud_account_uid": "111122223333",
    }
    return {**row, "metadata_event_code": "Management", **more}


# ------------------------------------------------------------------------------------- spans and gaps


@pytest.mark.parametrize(
    ("hours", "quiet"),
    [
        ((0, 1, 2, 3, 4, 5), []),
        ((0.99, 1, 2, 3, 4, 5.99), []),
        ((0, 1, 3, 4, 5), [(2, 3, 1)]),
        ((1, 2, 3, 4, 5), [(0, 1, 1)]),
        ((0, 1, 2, 3, 4), [(5, 6, 1)]),
        ((0, 5), [(1, 5, 4)]),
        ((2,), [(0, 2, 2), (3, 6, 3)]),
        ((-3, 9), [(0, 6, 6)]),
    ],
)
def test_quiet_hours_are_runs_of_whole_hours_of_the_window_without_record(
    hours: tuple[float, ...], quiet: list[tuple[int, int, int]], tmp_path: Path
) -> None:
    (source,) = covered(tmp_path, {"window": WINDOW}, http_activity=hourly(*hours))["sources"]
    assert [(gap["from"], gap["to"], gap["hours"]) for gap in source["quiet"]] == [
        (at(start * HOUR).isoformat(), at(end * HOUR).isoformat(), length) for start, end, length in quiet
    ]
    assert source["hours"] == 6
    assert source["hours_with_records"] == 6 - sum(length for *_, length in quiet)


def test_without_a_window_quiet_hours_lie_between_first_and_last_record(tmp_path: Path) -> None:
    (source,) = covered(tmp_path, http_activity=hourly(1.5, 2.5, 4.5))["sources"]
    assert [(gap["from"], gap["hours"]) for gap in source["quiet"]] == [(at(3 * HOUR).isoformat(), 1)]
    assert (source["hours"], source["hours_with_records"]) == (4, 3)


def test_a_window_that_ends_within_an_hour_counts_that_hour(tmp_path: Path) -> None:
    window = {"start": "2026-03-10T00:30:00Z", "end": "2026-03-10T02:30:00Z"}
    (source,) = covered(tmp_path, {"window": window}, http_activity=hourly(0.6, 1, 2))["sources"]
    assert source["quiet"] == []
    assert (source["hours"], source["hours_with_records"]) == (3, 3)


def test_hours_are_counted_in_utc_for_a_window_in_any_zone(tmp_path: Path) -> None:
    window = {"start": "2026-03-10T05:30:00+05:30", "end": "2026-03-10T07:30:00+05:30"}
    (source,) = covered(tmp_path, {"window": window}, http_activity=hourly(0, 1))["sources"]
    assert (source["quiet"], source["hours"]) == ([], 2)


def test_a_table_has_its_span_and_the_share_of_records_with_a_value(tmp_path: Path) -> None:
    rows = [
        http(0, HOST, "app.example.net", http_request_user_agent="curl/8"),
        http(60, HOST, None),
        http(120, HOST, "app.example.net"),
    ]
    facts = {fact["table"]: fact for fact in covered(tmp_path, http_activity=rows)["tables"]}
    fact = facts["http_activity"]
    assert (fact["events"], fact["first"], fact["last"]) == (3, at(0).isoformat(), at(120).isoformat())
    shares = {column: fact["fields"][column] for column in ("src_endpoint_ip", "dst_endpoint_hostname")}
    assert shares == {"src_endpoint_ip": 1.0, "dst_endpoint_hostname": 0.6667}
    assert fact["fields"]["http_request_user_agent"] == 0.3333
    assert fact["fields"]["actor_user_name"] == 0
    assert facts["dns_activity"] == {
        "table": "dns_activity", "events": 0, "in_window": 0, "timeless": 0, "first": None, "last": None, "fields": {},
        "silent_share": 0.0,
    }  # fmt: skip


# --------------------------------------------------------------------------------------------- matrix


def test_the_matrix_counts_each_source_in_each_hour_zeros_included(tmp_path: Path) -> None:
    rows = [dns(2 * HOUR + 5, HOST, "app.example.net")]
    found = covered(tmp_path, dns_activity=rows, http_activity=hourly(0, 0.5, 3))["matrix"]
    assert found["hours"] == [at(hour * HOUR).isoformat() for hour in range(4)]
    assert {row["table"]: row["counts"] for row in found["rows"]} == {
        "dns_activity": [0, 0, 1, 0],
        "http_activity": [2, 0, 0, 1],
    }


def test_an_empty_case_has_an_empty_matrix(tmp_path: Path) -> None:
    assert covered(tmp_path)["matrix"] == {"hours": [], "cell_hours": 1, "rows": [], "rows_left_out": 0}


def test_a_long_span_is_counted_by_day(tmp_path: Path) -> None:
    found = covered(tmp_path, http_activity=hourly(5, 24 * 100))["matrix"]
    assert len(found["hours"]) == 101
    assert found["hours"][0] == START.isoformat()
    assert sum(found["rows"][0]["counts"]) == 2


def test_one_record_with_an_odd_clock_does_not_push_the_others_out_of_the_matrix(tmp_path: Path) -> None:
    odd = http(0, HOST, "app.example.net", time=dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
    found = covered(tmp_path, {"window": WINDOW}, http_activity=[odd, *hourly(0, 1, 2)])["matrix"]
    assert sum(found["rows"][0]["counts"]) >= 3


# -------------------------------------------------------------------------------------------- sources


def test_files_that_differ_in_digits_only_are_one_source(tmp_path: Path) -> None:
    names = ("squid_2026-03-10.log", "squid_2026-03-11.log", "branch.log")
    items = [reading(n, name, "squid_access", "http_activity", 1) for n, name in enumerate(names, start=1)]
    found = covered(tmp_path, readings=items, http_activity=hourly(0))["sources"]
    assert [(source["evidence"], source["records"]) for source in found] == [(["E001", "E002"], 2), (["E003"], 1)]


def test_many_files_of_one_format_are_one_source(tmp_path: Path) -> None:
    items = [reading(n, f"{'abcdefgh'[n]}.log", "squid_access", "http_activity", 1) for n in range(7)]
    assert len(covered(tmp_path, readings=items[:6], http_activity=hourly(0))["sources"]) == 6
    assert len(covered(tmp_path / "more", readings=items, http_activity=hourly(0))["sources"]) == 1


# ------------------------------------------------------------------------------------------ questions


@pytest.mark.parametrize(
    ("needs", "answerable", "reason"),
    [
        ((("http_activity", "time"),), True, "looked at 2 records of http_activity"),
        ((("http_activity", "dst_endpoint_hostname"),), True, "looked at 2 records of http_activity"),
        (
            (("http_activity", "http_request_user_agent"),),
            False,
            "no record carries http_activity.http_request_user_agent",
        ),
        ((("dns_activity", "query_hostname"),), False, "no record carries dns_activity.query_hostname"),
        (
            (("dns_activity", "query_hostname"), ("http_activity", "dst_endpoint_hostname")),
            True,
            "looked at 2 records of http_activity",
        ),
        (
            (("dns_activity", "time"), ("api_activity", "time")),
            False,
            "no record carries dns_activity.time or api_activity.time",
        ),
    ],
)
def test_a_question_is_answerable_where_one_of_its_columns_holds_values(
    needs: tuple[tuple[str, str], ...], answerable: bool, reason: str, tmp_path: Path
) -> None:
    (asked,) = covered(tmp_path, questions=(Question("q", needs),), http_activity=hourly(0, 1))["questions"]
    assert (asked["answerable"], asked["reason"]) == (answerable, reason)
    assert asked["needs"] == [f"{table}.{column}" for table, column in needs]


# ---------------------------------------------------------------------------------------- blind spots

AGENT = {"http_request_user_agent": "curl/8"}
FULL = {
    "baseline": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-10T00:00:00Z"},
    "inventory": [{"owner": "Team", "host": "app.example.net"}],
}
INDICATOR = {"time": START, "format": "indicator_csv", "indicator": "relay.example.org", "source": "CERT"}


def everything() -> dict[str, list[dict[str, object]]]:
    """Telemetry of each kind, with each field that the register asks for."""
    return {
        "api_activity": [api(0)],
        "dns_activity": [dns(0, HOST, "app.example.net", [FAR])],
        "http_activity": [http(0, HOST, "app.example.net", "http://app.example.net/", **AGENT)],
        "network_activity": [tls(0, HOST, FAR, "app.example.net", actor_process_name="svchost.exe")],
        "indicators": [INDICATOR],
    }


def without(table: str) -> dict[str, list[dict[str, object]]]:
    return {name: rows for name, rows in everything().items() if name != table}


def test_where_all_is_there_nothing_is_blind(tmp_path: Path) -> None:
    assert spots(covered(tmp_path, FULL, **everything())) == set()


@pytest.mark.parametrize("table", ["dns_activity", "http_activity", "network_activity", "api_activity"])
def test_telemetry_that_is_missing_is_a_blind_spot(table: str, tmp_path: Path) -> None:
    found = covered(tmp_path, FULL, **without(table))
    assert spots(found) == {f"no-{table}"}
    assert found["blind_spots"][0]["how_established"] == f"0 records of {table} in evidence"


def test_missing_indicators_are_a_blind_spot(tmp_path: Path) -> None:
    assert spots(covered(tmp_path, FULL, **without("indicators"))) == {"no-intelligence"}


LACKING: dict[str, tuple[str, dict[str, object]]] = {
    "no-tls_sni": ("network_activity", flow(0, HOST, FAR, actor_process_name="svchost.exe")),
    "no-actor_process_name": ("network_activity", tls(0, HOST, FAR, "app.example.net")),
    "no-http_request_user_agent": ("http_activity", http(0, HOST, "app.example.net", "http://app.example.net/")),
    "no-answers": ("dns_activity", {**dns(0, HOST, "app.example.net"), "answers": None}),
}


@pytest.mark.parametrize("spot", LACKING)
def test_a_field_that_no_record_carries_is_a_blind_spot_and_one_record_is_enough(spot: str, tmp_path: Path) -> None:
    table, row = LACKING[spot]
    rows = everything()
    assert spots(covered(tmp_path / "none", FULL, **{**rows, table: [row] * 20})) == {spot}
    assert spots(covered(tmp_path / "one", FULL, **{**rows, table: [*rows[table], *[row] * 20]})) == set()


@pytest.mark.parametrize(("tunnels", "blind"), [(9, True), (8, False)])
def test_nine_tunnels_in_ten_hide_paths_eight_do_not(tunnels: int, blind: bool, tmp_path: Path) -> None:
    seen = http(0, HOST, "app.example.net", "http://app.example.net/", **AGENT)
    rows = [http(n, HOST, "app.example.net") for n in range(tunnels)] + [seen] * (10 - tunnels)
    found = covered(tmp_path, FULL, **{**everything(), "http_activity": rows})
    assert spots(found) == ({"connect-only"} if blind else set())


def test_runs_that_cannot_be_seen_are_a_blind_spot_with_the_reason_of_scoping(tmp_path: Path) -> None:
    found = covered(tmp_path / "a", FULL, blind_to_runs="0 of 1 audit records are data events", **everything())
    assert [(spot["id"], spot["questions"]) for spot in found["blind_spots"]] == [
        ("no-data-events", ("function_runs",))
    ]
    assert found["blind_spots"][0]["how_established"] == "0 of 1 audit records are data events"
    found = covered(tmp_path / "b", FULL, blind_to_runs="0 of 0 are data events", **without("api_activity"))
    assert spots(found) == {"no-api_activity"}, "without audit logs that is said once"


@pytest.mark.parametrize(
    ("strangers", "spot"),
    [(1, set()), (2, {"clients-outside-ranges"}), (21, {"most-clients-outside-ranges"})],
)
def test_clients_outside_the_stated_ranges_are_told(strangers: int, spot: set[str], tmp_path: Path) -> None:
    ours = [http(n, HOST, "app.example.net", "http://app.example.net/", **AGENT) for n in range(18)]
    theirs = [http(n, "203.0.113.9", "app.example.net", "http://app.example.net/", **AGENT) for n in range(strangers)]
    found = covered(tmp_path, FULL, **{**everything(), "http_activity": ours + theirs})
    assert spots(found) == spot  # 18 + 2 of other telemetry are ours: 1 of 21, 2 of 22, 21 of 41


def test_own_clouds_without_a_record_are_told(tmp_path: Path) -> None:
    own = {"aws_accounts": ["111122223333", "444455556666"], "azure_tenants": ["t-1"], "cloudflare_accounts": []}
    found = covered(tmp_path / "a", {**FULL, "estate": {"own": own}}, **everything())
    assert [spot["missing"] for spot in found["blind_spots"]] == [
        "audit records of azure t-1, AWS account 444455556666"
    ]
    own = {"aws_accounts": ["111122223333"]}
    assert spots(covered(tmp_path / "b", {**FULL, "estate": {"own": own}}, **everything())) == set()


def test_quiet_hours_of_a_source_with_few_records_are_told_as_a_doubt_not_as_a_gap(tmp_path: Path) -> None:
    config = {**FULL, "window": WINDOW}
    full = {
        name: [{**row, "time": at(h * HOUR)} for row in rows for h in range(6)] for name, rows in everything().items()
    }
    assert spots(covered(tmp_path / "none", config, **full)) == set()
    silent = {**full, "http_activity": full["http_activity"][:3] + full["http_activity"][4:]}
    found = covered(tmp_path / "one", config, **silent)
    assert spots(found) == {"too-few-to-tell-gaps"}
    assert "E003 (squid_access, 1 quiet hour)" in found["blind_spots"][0]["missing"]


@pytest.mark.parametrize(("unread", "blind"), [(1, False), (2, True)])
def test_more_than_one_unread_record_in_a_hundred_is_a_blind_spot(unread: int, blind: bool, tmp_path: Path) -> None:
    item = reading(1, "log", "squid_access", "http_activity", 100 - unread, records=100, unread=unread)
    found = covered(tmp_path, FULL, readings=[item], **everything())
    assert spots(found) == ({"unread"} if blind else set())


def test_a_file_of_no_known_format_is_a_blind_spot_however_small(tmp_path: Path) -> None:
    items = [
        reading(1, "log", "squid_access", "http_activity", 10_000),
        reading(2, "other", "", None, 0, records=1, unread=1, note="no format fits"),
    ]
    found = covered(tmp_path, FULL, readings=items, **everything())
    assert [spot["missing"] for spot in found["blind_spots"]] == ["records that could not be read: E002 (1 of 1)"]


def test_status_lines_are_not_called_unreadable(tmp_path: Path) -> None:
    """NODATA lines of an idle interface say that there is no event; they hide none."""
    from tests.formats.refresh_cases import CASES

    from playbooks.case import new_case
    from playbooks.engine import open_tables
    from playbooks.evidence import add
    from playbooks.normalise import normalise

    case = new_case(tmp_path / "case", "COV-1")
    add(case, [CASES / "aws_vpc_flow" / "status_lines.log"])
    found = coverage(case, normalise(case), open_tables(case.events), ())
    assert "unread" not in spots(found)


@pytest.mark.parametrize(
    ("config", "spot"),
    [
        ({"baseline": None}, "no-baseline"),
        ({"inventory": []}, "unreviewed-baseline"),
    ],
)
def test_what_the_house_did_not_bring_is_told(config: dict[str, Any], spot: str, tmp_path: Path) -> None:
    assert spots(covered(tmp_path, {**FULL, **config}, **everything())) == {spot}


def test_an_allow_list_alone_is_a_review(tmp_path: Path) -> None:
    entry = {"kind": "destination", "value": "app.example.net", "owner": "Team", "expires": "2026-12-31"}
    assert spots(covered(tmp_path, {**FULL, "inventory": [], "allow_list": [entry]}, **everything())) == set()


def test_every_blind_spot_says_what_it_forbids_and_what_to_do(tmp_path: Path) -> None:
    found = covered(tmp_path, http_activity=hourly(0, 5))["blind_spots"]
    assert len(found) >= 7
    for spot in found:
        assert all(spot[part] for part in ("id", "missing", "forbids", "how_established", "recommend"))
    assert len({spot["id"] for spot in found}) == len(found)


def test_a_baseline_too_small_is_a_blind_spot_of_audit_records_only() -> None:
    from playbooks.coverage.blind_spots import _small_baseline

    with_audit, without = {"api_activity": {"events": 1}}, {"api_activity": {"events": 0}}
    assert [spot.how_established for spot in _small_baseline(with_audit, "3 events")] == ["3 events"]
    assert [*_small_baseline(with_audit, None), *_small_baseline(without, "3 events")] == []


def test_lookups_that_are_allowed_and_not_made_are_told(tmp_path: Path) -> None:
    assert "online-lookups" in spots(covered(tmp_path / "on", {"options": {"online_lookups": True}}))
    assert "online-lookups" not in spots(covered(tmp_path / "off", {"options": {"online_lookups": False}}))
    asked = {"options": {"online_lookups": True}, "lookups": {"providers": ["VirusTotal"]}}
    assert "online-lookups" not in spots(covered(tmp_path / "asked", asked))
