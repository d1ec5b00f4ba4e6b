"""Correlation rules: counts and orders of matches per group, within a span."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.sigma.sigma_case import brought, by_title, case_of, cloudtrail, ran, rule

from playbooks.case import Case, open_case
from playbooks.sigma import keep, kept

FAILED = rule("failed", "detection:\n  a: {errorCode: AccessDenied}\n  condition: a", name="failed")
CODE = rule("code", "detection:\n  a: {'eventName|startswith': UpdateFunctionCode}\n  condition: a", name="code")
URL = rule("url", "detection:\n  a: {eventName: CreateFunctionUrlConfig}\n  condition: a", name="url")
BASE = {"failed.yml": FAILED, "code.yml": CODE, "url.yml": URL}


def by(name: str, second: int, event: str = "UpdateFunctionCode20150331v2", **fields: Any) -> dict[str, Any]:
    who = {"arn": f"arn:aws:iam::111122223333:user/{name}", "userName": name}
    return cloudtrail(second, userIdentity=who, eventName=event, **fields)


def found(folder: Path, records: list[dict[str, Any]], correlation: str, **more: str) -> list[list[str]]:
    """The refs of each match of one correlation rule, in order."""
    rules = BASE | {"count.yml": rule("count", f"correlation: {{{correlation}}}", source="")} | more
    run = ran(case_of(folder, records, rules))
    assert by_title(run)["count"].status in ("matched", "clear"), by_title(run)["count"].reason
    rows = run.matches[run.matches.title == "count"]
    return [[row.ref, *row.refs] for row in rows.itertuples()]


COUNT = "type: event_count, rules: [failed], group-by: [userIdentity.arn], timespan: 1m, condition: {gte: 3}"


def test_events_are_counted_per_group_within_the_span(tmp_path: Path) -> None:
    denied = [by("eve", second, errorCode="AccessDenied") for second in (0, 20, 40, 50, 300, 320)]
    others = [by("dana", second, errorCode="AccessDenied") for second in (0, 100, 200)]
    assert found(tmp_path, denied + others, COUNT) == [["E001:1", "E001:2", "E001:3", "E001:4"]]


def test_an_event_without_the_field_of_its_group_counts_nowhere(tmp_path: Path) -> None:
    records = [cloudtrail(s, errorCode="AccessDenied", userIdentity={"type": "AWSService"}) for s in range(5)]
    assert found(tmp_path, records, COUNT) == []


@pytest.mark.parametrize(
    ("condition", "windows"),
    [("{eq: 2}", [2]), ("{neq: 2}", [1]), ("{lt: 2}", [1]), ("{lte: 2}", [2, 1]), ("{gt: 2}", []), ("{gt: 1}", [2])],
)
def test_other_comparisons_count_windows_side_by_side(tmp_path: Path, condition: str, windows: list[int]) -> None:
    records = [by("eve", second, errorCode="AccessDenied") for second in (0, 30, 600)]
    stated = f"type: event_count, rules: failed, group-by: [userIdentity.arn], timespan: 1m, condition: {condition}"
    assert [len(refs) for refs in found(tmp_path, records, stated)] == windows


def test_distinct_values_are_counted(tmp_path: Path) -> None:
    names = ["pay", "pay", "PAY", "mail", "sync"]
    records = [by("eve", second, requestParameters={"functionName": name}) for second, name in enumerate(names)]
    stated = (
        "type: value_count, rules: [code], group-by: [userIdentity.arn], timespan: 10m, "
        "condition: {field: requestParameters.functionName, gte: 3}"
    )
    assert found(tmp_path, records, stated) == [[f"E001:{n}" for n in range(1, 6)]]
    assert found_again(tmp_path, records[:4], stated) == []


def found_again(folder: Path, records: list[dict[str, Any]], stated: str) -> list[list[str]]:
    again = folder / "again"
    again.mkdir()
    return found(again, records, stated)


TEMPORAL = "rules: [code, url], group-by: [userIdentity.arn], timespan: 1h"


def test_all_rules_must_fit_within_the_span_in_any_order(tmp_path: Path) -> None:
    records = [by("eve", 9, "CreateFunctionUrlConfig"), by("eve", 20), by("dana", 30)]
    assert found(tmp_path, records, f"type: temporal, {TEMPORAL}") == [["E001:1", "E001:2"]]


def test_an_order_is_an_order(tmp_path: Path) -> None:
    records = [by("eve", 9, "CreateFunctionUrlConfig"), by("eve", 20), by("eve", 30, "CreateFunctionUrlConfig")]
    assert found(tmp_path, records, f"type: temporal_ordered, {TEMPORAL}") == [["E001:2", "E001:3"]]
    assert found_again(tmp_path, records[:2], f"type: temporal_ordered, {TEMPORAL}") == []


def test_an_extended_condition_says_which_rules_must_fit(tmp_path: Path) -> None:
    records = [by("eve", 9), by("dana", 20), by("dana", 30, errorCode="AccessDenied")]
    stated = (
        "type: temporal, rules: [code, url, failed], group-by: [userIdentity.arn], timespan: 1h, "
        "condition: code and (url or failed)"
    )
    assert found(tmp_path, records, stated) == [["E001:2", "E001:3"]]


def test_an_alias_joins_fields_of_different_names(tmp_path: Path) -> None:
    records = [
        by("eve", 9, requestParameters={"functionName": "pay"}),
        by("dana", 20, "CreateFunctionUrlConfig", requestParameters={"name": "pay"}),
        by("dana", 20, "CreateFunctionUrlConfig", requestParameters={"name": "mail"}),
    ]
    stated = (
        "type: temporal_ordered, rules: [code, url], group-by: [function], timespan: 1h, "
        "aliases: {function: {code: requestParameters.functionName, url: requestParameters.name}}"
    )
    assert found(tmp_path, records, stated) == [["E001:1", "E001:2"]]


def test_a_correlation_may_count_another(tmp_path: Path) -> None:
    three = rule("three", f"correlation: {{{COUNT}}}", source="", name="three")
    records = [by(name, second, errorCode="AccessDenied") for name in ("eve", "dana") for second in (0, 1, 2)]
    stated = "type: event_count, rules: [three], timespan: 1h, condition: {gte: 2}"
    assert found(tmp_path, records, stated, **{"three.yml": three}) == [["E001:3", "E001:6"]]


def test_rules_that_are_counted_are_listed_only_where_the_correlation_says_so(tmp_path: Path) -> None:
    records = [by("eve", second, errorCode="AccessDenied") for second in range(3)]
    stated = rule("count", f"correlation: {{{COUNT}}}", source="")
    run = ran(case_of(tmp_path, records, {"failed.yml": FAILED, "count.yml": stated}))
    assert set(run.matches.title) - {"AWS Lambda Code Updated"} >= {"count"}
    assert "failed" not in set(run.matches.title)
    outcome = by_title(run)["failed"]
    assert (outcome.status, outcome.matches) == ("matched", 3)
    assert outcome.reason.endswith("; its matches count in a correlation rule only")
    loud = stated.replace("correlation: {", "correlation: {generate: true, ")
    (tmp_path / "loud").mkdir()
    run = ran(case_of(tmp_path / "loud", records, {"failed.yml": FAILED, "count.yml": loud}))
    assert list(run.matches.title).count("failed") == 3


NOT_RUN = {
    "type: value_sum, rules: [failed], timespan: 1h, condition: {field: a, gte: 1}": "type value_sum are not run",
    "type: event_count, rules: [nobody], timespan: 1h, condition: {gte: 1}": "no rule among those given is called",
    "type: event_count, rules: [myself], timespan: 1h, condition: {gte: 1}": "it counts itself",
    "type: event_count, rules: [expand], timespan: 1h, condition: {gte: 1}": "is not converted: the placeholder",
}


@pytest.mark.parametrize("stated", NOT_RUN)
def test_a_correlation_that_cannot_run_says_why(tmp_path: Path, stated: str) -> None:
    rules = BASE | {
        "count.yml": rule("count", f"correlation: {{{stated}}}", source="", name="myself"),
        "expand.yml": rule("x", "detection:\n  a: {'b|expand': '%c%'}\n  condition: a", name="expand"),
    }
    outcome = by_title(ran(case_of(tmp_path, [cloudtrail()], rules)))["count"]
    assert outcome.status == "not converted"
    assert NOT_RUN[stated] in outcome.reason


def test_a_correlation_over_a_blind_rule_is_blind(tmp_path: Path) -> None:
    blind = rule(
        "x", "detection:\n  a: {b: c}\n  condition: a", "logsource: {product: gcp, service: gcp.audit}\n", name="x"
    )
    stated = rule("count", "correlation: {type: event_count, rules: [x], timespan: 1h, condition: {gte: 1}}", source="")
    run = ran(case_of(tmp_path, [cloudtrail()], {"x.yml": blind, "count.yml": stated}))
    assert [one.status for one in brought(run)] == ["blind", "blind"]


@pytest.mark.parametrize(("least", "status"), [(3, "matched"), (5, "blind")])
def test_a_correlation_that_did_not_count_every_match_says_so_and_is_never_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int, status: str
) -> None:
    monkeypatch.setattr("playbooks.sigma.run.MAX_EVENTS", 4)
    rules = BASE | {
        "count.yml": rule("count", f"correlation: {{{COUNT}}}".replace("gte: 3", f"gte: {least}"), source="", name="n"),
        "outer.yml": rule("outer", OUTER, source=""),
    }
    records = [by("eve", second, errorCode="AccessDenied") for second in range(6)]
    outcomes = by_title(ran(case_of(tmp_path, records, rules)))
    told = "cut: of the 6 matches of ‘failed’ the first 4 were counted"
    assert [(outcomes[one].status, outcomes[one].reason) for one in ("count", "outer")] == [(status, told)] * 2


OUTER = "correlation: {generate: true, type: event_count, rules: [n], timespan: 1h, condition: {gte: 1}}"


def test_a_correlation_over_all_matches_says_nothing_of_a_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playbooks.sigma.run.MAX_EVENTS", 4)
    stated = rule("count", f"correlation: {{{COUNT}}}".replace("gte: 3", "gte: 5"), source="")
    records = [by("eve", second, errorCode="AccessDenied") for second in range(4)]
    outcome = by_title(ran(case_of(tmp_path, records, BASE | {"count.yml": stated})))["count"]
    assert (outcome.status, outcome.reason) == ("clear", "over the matches of the rules that it counts")


def test_matches_say_whether_they_lie_in_the_window_of_the_case(tmp_path: Path) -> None:
    rules = BASE | {"count.yml": rule("count", f"correlation: {{generate: true, {COUNT}}}", source="")}
    records = [by("eve", second, errorCode="AccessDenied") for second in (0, 20, 59, 60)]
    case = case_of(tmp_path, records, rules)
    mine = ["count", *["failed"] * 4]
    assert _windows(case, mine) == [None] * 5
    window = "{start: 2026-03-10T09:00:20Z, end: 2026-03-10T09:01:00Z}"
    config = case.path / "case.yaml"
    kept = [line for line in config.read_text(encoding="utf-8").splitlines(True) if not line.startswith("window:")]
    config.write_text("".join([*kept, f"window: {window}\n"]), encoding="utf-8")
    assert _windows(open_case(case.path), mine) == [True, False, True, True, False]


def _windows(case: Case, titles: list[str]) -> list[bool | None]:
    """`in_window` of the matches of these titles, those of the correlation first, as the results hold them."""
    keep(case, ran(case))
    rows = kept(case).matches.sort_values(["title", "time"])
    rows = rows[rows.title.isin(titles)]
    assert list(rows.title) == titles
    return list(rows.in_window)
