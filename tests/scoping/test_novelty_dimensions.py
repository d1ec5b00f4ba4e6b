"""On which dimensions an event is new, what is known, and what the baseline holds too little to tell."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.scoping.cloud_case import BASELINE, HOME, MALLORY, by_role, case_of, event, tables_of

from playbooks.findings.cloud_signals import NOVELTY_FROM, signals_of
from playbooks.guide.cloud import _not_compared
from playbooks.scoping.cloud_activity import cloud_activity
from playbooks.scoping.control_plane import control_plane
from playbooks.scoping.known_acts import is_known, known_acts
from playbooks.scoping.logging_effects import EFFECT
from playbooks.scoping.novelty import NEW_ACCOUNT, NEW_DOWNSTREAM, NEW_HOUR, NEW_RUN_HOUR, SLIGHT

PROJECT, SUBSCRIPTION = "shop-prod", "0a0a0a0a-0000-4000-8000-000000000001"
LATE = "03-11 02:14"
DAYS = [f"03-0{day}" for day in range(1, 10)]
JOB = f"projects/{PROJECT}/locations/europe-west1/jobs/nightly"
FLOW = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Logic/workflows/sync"
SITE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Web/sites/shop/functions/Book"
FUNCTION = f"projects/{PROJECT}/locations/europe-west1/functions/pay"
ARN = f"arn:aws:lambda:eu-central-1:{HOME}:function:billing"


def google(time: str, method: str, service: str, uid: str, request: Any = None, **facts: Any) -> dict[str, Any]:
    known = {"cloud_provider": "GCP", "cloud_account_uid": PROJECT, "cloud_region": "europe-west1", "resource_uid": uid}
    return event(
        time, method, request, CI_OF_GOOGLE, **known, **service_of(method, f"{service}.googleapis.com"), **facts
    )


def azure(time: str, operation: str, uid: str, request: Any = None, **facts: Any) -> dict[str, Any]:
    known = {"cloud_provider": "Azure", "cloud_account_uid": SUBSCRIPTION, "resource_uid": uid}
    return event(time, operation, request, MALLORY, **known, **service_of(operation, operation.split("/")[0]), **facts)


def service_of(operation: str, service: str) -> dict[str, str]:
    return {"api_operation_base": operation, "api_service_name": service.lower()}


CI_OF_GOOGLE = {"actor_user_type": "serviceAccount", "actor_user_name": f"ci@{PROJECT}.iam.gserviceaccount.com"}
SCHEDULER = "google.cloud.scheduler.v1.CloudScheduler"
FUNCTIONS = "google.cloud.functions.v2.FunctionService"


def queue(time: str, source: str) -> dict[str, Any]:
    request = {"functionName": ARN, "eventSourceArn": f"arn:aws:{source}:eu-central-1:{HOME}:jobs"}
    return event(time, "CreateEventSourceMapping20150331", request)


def permission(time: str, who: str) -> dict[str, Any]:
    return event(time, "AddPermission20150331v2", {"functionName": "billing", "principal": who})


def bucket(time: str, kind: str, method: str = "UpdateFunction") -> dict[str, Any]:
    filters = {"trigger": {"eventFilters": [{"attribute": "type", "value": kind}]}}
    return google(
        time, f"{FUNCTIONS}.{method}", "cloudfunctions", FUNCTION, filters | {"eventTrigger": {"eventType": kind}}
    )


def binding(time: str, kind: str, schedule: str | None = None) -> dict[str, Any]:
    held = {"type": kind, "direction": "in"} | ({"schedule": schedule} if schedule else {})
    return azure(time, "Microsoft.Web/sites/functions/write", SITE, {"properties": {"config": {"bindings": [held]}}})


def judged(tmp_path: Path, before: Iterable[dict[str, Any]], *records: dict[str, Any]) -> pd.DataFrame:
    tables = tables_of(tmp_path, [*before, *records])
    return cloud_activity(tables, case_of(tmp_path, baseline=BASELINE))


def told(rows: pd.DataFrame, dimension: str) -> list[tuple[bool, bool]]:
    """Of each row: whether it is new on a dimension, and whether that could not be told."""
    return [
        (dimension in new, dimension in un)
        for new, un in zip(rows.novelty_dimensions, rows.novelty_untold, strict=True)
    ]


def reasons(rows: pd.DataFrame, begin: str) -> list[str]:
    return [reason for held in rows.reasons for reason in held if reason.startswith(begin)]


NEW, KNOWN, UNTOLD = (True, False), (False, False), (False, True)


@pytest.mark.parametrize(
    ("before", "known", "new", "reason"),
    [
        (
            queue("03-03 09:00", "sqs"), queue(LATE, "sqs"), queue(LATE, "kinesis"),
            "trigger event source kinesis is new for function billing (baseline: event source sqs)",
        ),
        (
            permission("03-03 09:00", "events.amazonaws.com"), permission(LATE, "events.amazonaws.com"),
            permission(LATE, "*"),
            "trigger anyone is new for function billing (baseline: service events.amazonaws.com)",
        ),
        (
            bucket("03-03 09:00", "google.cloud.storage.object.v1.finalized"),
            bucket(LATE, "google.cloud.storage.object.v1.finalized"),
            bucket(LATE, "google.cloud.pubsub.topic.v1.messagePublished"),
            "trigger event google.cloud.pubsub.topic.v1.messagePublished is new for function pay "
            "(baseline: event google.cloud.storage.object.v1.finalized)",
        ),
        (
            binding("03-03 09:00", "queueTrigger"), binding(LATE, "queueTrigger"), binding(LATE, "httpTrigger"),
            "trigger httpTrigger is new for function shop/book (baseline: queueTrigger)",
        ),
    ],
)  # fmt: skip
def test_a_trigger_is_new_where_the_resource_had_others(
    tmp_path: Path, before: dict[str, Any], known: dict[str, Any], new: dict[str, Any], reason: str
) -> None:
    rows = judged(tmp_path, [before], known, new)
    assert told(rows, "trigger") == [KNOWN, NEW]
    assert reasons(rows, "trigger") == [reason]


def test_a_resource_without_a_trigger_in_the_baseline_has_a_new_one_only_where_enough_is_known(tmp_path: Path) -> None:
    code = [event(f"{day} 09:00", "UpdateFunctionCode20150331v2", {"functionName": "billing"}) for day in DAYS]
    more = [event(f"{day} {hour}:00", "UpdateFunctionCode20150331v2", {"functionName": "billing"})
            for day in DAYS for hour in ("10", "11")]  # fmt: skip
    made = event("03-01 08:00", "CreateFunction20150331", {"functionName": "billing"})
    opened = permission(LATE, "*")
    assert told(judged(tmp_path / "few", code, opened), "trigger") == [UNTOLD]
    assert told(judged(tmp_path / "one burst", code[:1] * 90, opened), "trigger") == [UNTOLD]
    assert told(judged(tmp_path / "many", [*code, *more], opened), "trigger") == [NEW]
    assert told(judged(tmp_path / "made", [made, *code], opened), "trigger") == [NEW]
    assert told(judged(tmp_path / "tried", [{**made, "status": "failure"}, *code], opened), "trigger") == [UNTOLD]
    assert told(judged(tmp_path / "new resource", [], opened), "trigger") == [KNOWN]


def cron(time: str, schedule: str, name: str = "nightly") -> dict[str, Any]:
    return event(time, "PutRule", {"name": name, "scheduleExpression": schedule})


def scheduled(time: str, schedule: str, method: str = "UpdateJob") -> dict[str, Any]:
    return google(time, f"{SCHEDULER}.{method}", "cloudscheduler", JOB, {"job": {"schedule": schedule}})


@pytest.mark.parametrize(
    ("before", "known", "new", "reason"),
    [
        (
            cron("03-03 09:00", "rate(1 day)"), cron(LATE, "rate(1 day)"), cron(LATE, "rate(1 minute)"),
            "schedule rate(1 minute) is new for rule nightly (baseline: rate(1 day))",
        ),
        (
            scheduled("03-03 09:00", "0 3 * * *", "CreateJob"), scheduled(LATE, "0 3 * * *"),
            scheduled(LATE, "* * * * *"), "schedule * * * * * is new for job nightly (baseline: 0 3 * * *)",
        ),
        (
            binding("03-03 09:00", "timerTrigger", "0 0 3 * * *"), binding(LATE, "timerTrigger", "0 0 3 * * *"),
            binding(LATE, "timerTrigger", "* * * * * *"),
            "schedule * * * * * * is new for function shop/book (baseline: 0 0 3 * * *)",
        ),
    ],
)  # fmt: skip
def test_times_that_a_schedule_never_had_are_new(
    tmp_path: Path, before: dict[str, Any], known: dict[str, Any], new: dict[str, Any], reason: str
) -> None:
    rows = judged(tmp_path, [before], known, new)
    assert told(rows, "schedule") == [KNOWN, NEW]
    assert reasons(rows, "schedule") == [reason]


def test_times_of_a_rule_whose_earlier_ones_no_record_tells_are_not_compared(tmp_path: Path) -> None:
    named = event("03-03 09:00", "PutTargets", {"rule": "nightly"})
    assert told(judged(tmp_path / "a", [named], cron(LATE, "rate(1 minute)")), "schedule") == [UNTOLD]
    assert told(judged(tmp_path / "b", [], cron(LATE, "rate(1 minute)")), "schedule") == [KNOWN]


def run(time: str) -> dict[str, Any]:
    return event(time, "Invoke", {"functionName": "billing"})


def called(time: str) -> dict[str, Any]:
    method = "google.cloud.functions.v1.CloudFunctionsService.CallFunction"
    return google(time, method, "cloudfunctions", FUNCTION)


@pytest.mark.parametrize("ran", [run, called])
def test_a_run_at_an_hour_that_had_none_is_new_by_little(tmp_path: Path, ran: Any) -> None:
    rows = judged(tmp_path, [ran(f"{day} 03:00") for day in DAYS], ran("03-11 03:30"), ran("03-11 14:05"))
    assert told(rows, "schedule") == told(rows, "hour") == [KNOWN, NEW]
    assert list(rows.novelty) == [0.0, round(NEW_HOUR + NEW_RUN_HOUR, 2)]
    name = "billing" if ran is run else "pay"
    assert reasons(rows, name) == [f"{name} did not run in the hour from 14:00 UTC (baseline: hours 03)"]


@pytest.mark.parametrize("ran", [run, called])
@pytest.mark.parametrize(
    "times",
    [
        [f"{day} 03:00" for day in DAYS[:6]],  # fewer than seven days
        [f"{day} 03:{minute}" for day in DAYS[:1] for minute in range(10, 60)],  # one day, however many
        [f"{day} {hour:02d}:00" for hour, day in enumerate(DAYS)],  # another hour each day
    ],
)
def test_hours_are_not_compared_where_the_baseline_does_not_settle_them(
    tmp_path: Path, ran: Any, times: list[str]
) -> None:
    rows = judged(tmp_path, map(ran, times), ran("03-11 14:05"))
    assert told(rows, "schedule") == told(rows, "hour") == [UNTOLD]
    assert list(rows.novelty) == [0.0]


OTHER = "222222222222"
WORK = [f"{day} {hour}:00" for day in DAYS for hour in ("09", "10", "11")]


def test_an_account_where_others_act_and_this_principal_never_did_is_new(tmp_path: Path) -> None:
    code = ("UpdateFunctionCode20150331v2", {"functionName": "billing"})
    others = event("03-03 09:00", *code, by_role("other", "s", OTHER), cloud_account_uid=OTHER)
    there = event("03-11 09:14", *code, by_role("ci-deployer", "s", OTHER), cloud_account_uid=OTHER)
    usual = [event(time, *code) for time in WORK]
    rows = judged(tmp_path / "enough", [*usual, others], event("03-11 09:14", *code), there)
    assert told(rows, "account") == [KNOWN, NEW]
    assert reasons(rows, "account") == [f"account {OTHER} is new for ci-deployer (baseline: {HOME})"]
    assert told(judged(tmp_path / "few", [*usual[:9], others], there), "account") == [UNTOLD]
    assert told(judged(tmp_path / "no log of it", usual, there), "account") == [UNTOLD]


def test_a_project_where_others_act_and_this_principal_never_did_is_new(tmp_path: Path) -> None:
    update = (f"{FUNCTIONS}.UpdateFunction", "cloudfunctions", FUNCTION)
    usual = [google(time, *update) for time in WORK]
    away = {"cloud_account_uid": "lab-1", "resource_uid": FUNCTION.replace(PROJECT, "lab-1")}
    others = {**google("03-03 09:00", *update), **away, "actor_user_name": "lab@example.test"}
    there = {**google("03-11 09:14", *update), **away}
    rows = judged(tmp_path / "enough", [*usual, others], google("03-11 09:14", *update), there)
    assert told(rows, "account") == [KNOWN, NEW]
    assert reasons(rows, "account") == [
        f"account lab-1 is new for {CI_OF_GOOGLE['actor_user_name']} (baseline: {PROJECT})"
    ]
    assert told(judged(tmp_path / "few", [*usual[:9], others], there), "account") == [UNTOLD]


RUNNER = by_role("billing-role", "billing")
RUNNER_OF_GOOGLE = {"actor_user_type": "serviceAccount", "actor_user_name": f"pay@{PROJECT}.iam.gserviceaccount.com"}


def test_a_service_that_the_role_of_a_function_never_called_is_new_by_little(tmp_path: Path) -> None:
    given = event("03-01 09:00", "CreateFunction20150331", {"functionName": "billing", "role": ROLE_ARN})
    usual = [permission(time, "s3.amazonaws.com") | RUNNER for time in WORK]
    asked = [permission("03-11 09:01", "s3.amazonaws.com") | RUNNER, cron("03-11 09:02", "rate(1 day)") | RUNNER]
    rows = judged(tmp_path / "enough", [given, *usual], *asked)
    assert told(rows, "downstream service") == [KNOWN, NEW]
    assert reasons(rows, "downstream") == [
        "downstream service events.amazonaws.com is new for the function's role billing-role "
        "(baseline: lambda.amazonaws.com)"
    ]
    assert told(judged(tmp_path / "few", [given, *usual[:9]], *asked), "downstream service") == [KNOWN, UNTOLD]
    assert told(judged(tmp_path / "no function", usual, *asked), "downstream service") == [KNOWN, KNOWN]


ROLE_ARN = f"arn:aws:iam::{HOME}:role/service/billing-role"


def test_a_service_that_a_function_of_google_never_called_is_new(tmp_path: Path) -> None:
    runs_as = {"function": {"serviceConfig": {"serviceAccountEmail": RUNNER_OF_GOOGLE["actor_user_name"]}}}
    given = google("03-01 09:00", f"{FUNCTIONS}.CreateFunction", "cloudfunctions", FUNCTION, runs_as)
    lists = (f"{FUNCTIONS}.ListFunctions", "cloudfunctions", FUNCTION)
    usual = [{**google(time, *lists), **RUNNER_OF_GOOGLE} for time in WORK]
    sink = google(
        "03-11 09:02", "google.logging.v2.ConfigServiceV2.DeleteSink", "logging", f"projects/{PROJECT}/sinks/a"
    )
    asked = [{**google("03-11 09:01", *lists), **RUNNER_OF_GOOGLE}, {**sink, **RUNNER_OF_GOOGLE}]
    assert told(judged(tmp_path / "enough", [given, *usual], *asked), "downstream service") == [KNOWN, NEW]
    assert told(judged(tmp_path / "few", [given, *usual[:9]], *asked), "downstream service") == [KNOWN, UNTOLD]


def test_dimensions_stand_once_each_beside_their_reasons(tmp_path: Path) -> None:
    away = {"src_endpoint_ip": "198.51.100.9", "http_request_user_agent": "Boto3/1.34 x", "cloud_region": "ap-south-1"}
    usual = event("03-03 09:00", "UpdateFunctionCode20150331v2", {"functionName": "billing"})
    [row] = judged(
        tmp_path, [usual], event("03-11 02:10", "ListBuckets", denied="AccessDenied", **away),
        event("03-11 02:14", "CreateFunction20150331", {"functionName": "relay"}, **away),
    ).tail(1).to_dict("records")  # fmt: skip
    assert row["novelty_dimensions"] == ["address", "client", "identity", "refused calls", "region", "resource"]
    assert row["novelty_untold"] == ["hour"]


def test_without_a_baseline_no_dimension_is_new_and_none_was_compared(tmp_path: Path) -> None:
    rows = cloud_activity(tables_of(tmp_path, [run("03-03 03:00"), run("03-11 14:00")]), case_of(tmp_path))
    assert [(list(row.novelty_dimensions), row.novelty_untold) for row in rows.itertuples()] == [([], None)]


def test_what_is_slight_makes_no_act_unusual_and_no_known_act_unknown(tmp_path: Path) -> None:
    """All slight news together, on top of the name of a new resource, which `is_known` allows."""
    assert round(NEW_HOUR + NEW_RUN_HOUR + NEW_DOWNSTREAM, 2) == SLIGHT < 0.05
    usual = [
        event(f"{day} 09:00", "UpdateFunctionCode20150331v2", {"functionName": "billing"}, MALLORY) for day in DAYS
    ]
    late = [event(LATE, "UpdateFunctionCode20150331v2", {"functionName": name}, MALLORY) for name in ("billing", "new")]
    tables, case = tables_of(tmp_path, [*usual, *late]), case_of(tmp_path, baseline=BASELINE)
    rows = cloud_activity(tables, case)
    assert list(rows.novelty) == [0.01, 0.11]
    assert list(is_known(rows, known_acts(control_plane(tables, case.config.estate.own), case.config))) == [True, True]
    by_hand = [signals_of(rows.iloc[[at]].assign(started=False, **{EFFECT: None})) for at in (0, 1)]
    assert [[one.kind for one in found] for found in by_hand] == [[], ["change"]]
    assert NEW_ACCOUNT + SLIGHT < NOVELTY_FROM


HOSTILE = ["\x00", "é" * 50_000, '"; DROP TABLE x; --', "a, b (baseline: none)", "😀\n{}", "-"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_times_are_values_and_no_more(tmp_path: Path, text: str) -> None:
    requests = [
        ("PutRule", {"name": text, "scheduleExpression": text}),
        ("AddPermission20150331v2", {"functionName": text, "principal": text, "sourceArn": ARN}),
        ("CreateEventSourceMapping20150331", {"functionName": ARN, "eventSourceArn": f"arn:aws:{text}:{text}"}),
    ]
    before = [event("03-03 09:00", name, request) for name, request in requests]
    changed = [
        (name, json.loads(json.dumps(request).replace(json.dumps(text)[1:-1], "x y"))) for name, request in requests
    ]
    rows = judged(tmp_path, before, *(event(LATE, *one) for one in [*requests, *changed]))
    assert len(rows) == 6
    assert list(rows.novelty[:3]) == [0.0, 0.0, 0.0]
    assert all(len(reason) < 500 for held in rows.reasons for reason in held)


def test_the_guide_counts_what_could_not_be_compared() -> None:
    changes = pd.DataFrame({"novelty_untold": [["hour"], ["account", "hour"], [], None]})
    assert _not_compared(changes) == ("Not compared for want of baseline, out of 4 changes: account 1, hour 2.",)
    assert _not_compared(changes.tail(2)) == ()
