"""The four questions in the other clouds: where runs are in no log, what triggers what, and one row a resource."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.scoping.cloud_case import MALLORY, case_of, event, tables_of

from playbooks.scoping.cloud_activity import cloud_activity
from playbooks.scoping.function_lifecycle import resources

SUBSCRIPTION = "0a0a0a0a-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers"
PROJECT = "shop-prod"


def rows_of(tmp_path: Path, *records: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    tables, case = tables_of(tmp_path, list(records)), case_of(tmp_path)
    rows = resources(cloud_activity(tables, case), tables, case).to_dict("records")
    told = {(row["resource_type"], row["resource"]): row for row in rows}
    assert len(told) == len(rows)
    return told


def azure(time: str, operation: str, uid: str, request: Any = None, **facts: Any) -> dict[str, Any]:
    plain = {"api_operation_base": operation, "api_service_name": operation.split("/")[0].lower()}
    known = {"cloud_provider": "Azure", "cloud_account_uid": SUBSCRIPTION, "resource_uid": uid}
    return event(time, operation, request, MALLORY, **plain, **{**known, **facts})


def google(time: str, operation: str, service: str, uid: str, request: Any, **facts: Any) -> dict[str, Any]:
    plain = {"api_operation_base": operation, "api_service_name": f"{service}.googleapis.com", "resource_uid": uid}
    known = {"cloud_provider": "GCP", "cloud_account_uid": PROJECT, "cloud_region": "europe-west1"}
    return event(time, operation, request, MALLORY, **{**plain, **known, **facts})


def other(provider: str, service: str, operation: str, base: str, **facts: Any) -> dict[str, Any]:
    known = {"cloud_provider": provider, "api_service_name": service, "api_operation_base": base}
    return event("03-10 09:00", operation, facts.pop("request", None), MALLORY, cloud_region=None, **known, **facts)


RUN = "google.cloud.run.v1.Services.CreateService"
SCHEDULER = "google.cloud.scheduler.v1.CloudScheduler.CreateJob"


@pytest.mark.parametrize(
    ("record", "key", "said"),
    [
        (
            other("Microsoft 365", "MicrosoftFlow", "CreateFlow", "CreateFlow", resource_name="f1"),
            ("flow", "f1"),
            "no audit record: runs stand in the run history",
        ),
        (
            azure("03-10 09:00", "Microsoft.Logic/workflows/write", f"{GROUP}/Microsoft.Logic/workflows/sync"),
            ("workflow", "sync"),
            "the records hold no data events of this service",
        ),
        (
            azure("03-10 09:00", "Microsoft.Web/sites/write", f"{GROUP}/Microsoft.Web/sites/shop"),
            ("function-app", "shop"),
            "no record of the Activity log: requests and runs of its functions",
        ),
        (
            other("Cloudflare", "audit_logs_v2", "update", "PUT /accounts/{id}/workers/scripts/{name}",
                  resource_name="edge"),
            ("script", "edge"),
            "no audit record: the audit log holds changes",
        ),
        (
            google("03-10 09:00", RUN, "run", f"namespaces/{PROJECT}/services/pay", {}),
            ("service", "pay"),
            "no audit record: a request to a service",
        ),
        (
            google("03-10 09:00", SCHEDULER, "cloudscheduler", f"projects/{PROJECT}/locations/europe-west1/jobs/n", {}),
            ("job", "n"),
            "no audit record: attempts by schedule",
        ),
        (event("03-10 09:00", "PutRule", {"name": "nightly"}), ("rule", "nightly"), "when it fires stands in no"),
    ],
)  # fmt: skip
def test_where_no_log_tells_runs_the_answer_is_never_that_there_was_none(
    tmp_path: Path, record: dict[str, Any], key: tuple[str, str], said: str
) -> None:
    assert rows_of(tmp_path, record)[key]["invoked_by"].startswith(f"not answerable because {said}")


def test_where_each_run_is_a_management_event_none_recorded_can_be_said(tmp_path: Path) -> None:
    machine = {"name": "orders"}
    record = event("03-10 09:00", "CreateStateMachine", machine, api_service_name="states.amazonaws.com")
    told = rows_of(tmp_path, record)[("state-machine", "orders")]["invoked_by"]
    assert told == "none recorded from 2026-03-10 09:00 UTC to 2026-03-10 09:00 UTC"


def test_what_starts_a_flow_stands_in_no_log(tmp_path: Path) -> None:
    record = other("Microsoft 365", "MicrosoftFlow", "EditFlow", "EditFlow", resource_name="f1")
    told = rows_of(tmp_path, record)[("flow", "f1")]["triggered_by"]
    assert told.startswith("not answerable because no audit record: what starts a flow stands in its definition")


def test_an_azure_resource_is_one_row_whatever_region_its_records_tell(tmp_path: Path) -> None:
    uid = f"{GROUP}/Microsoft.Web/sites/Shop"
    rows = rows_of(
        tmp_path,
        azure("03-10 09:00", "Microsoft.Web/sites/write", uid, cloud_region="westeurope"),
        azure("03-10 09:05", "Microsoft.Web/sites/config/write", f"{uid}/config/appsettings", cloud_region="global"),
        azure("03-10 09:06", "Microsoft.Web/sites/restart/action", uid.upper(), cloud_region=None),
    )
    assert {key: (row["region"], row["events"]) for key, row in rows.items()} == {
        ("function-app", "shop"): ("westeurope", 3)
    }


def test_namesakes_in_two_resource_groups_stay_two(tmp_path: Path) -> None:
    uids = [f"{GROUP}/Microsoft.Logic/workflows/sync", f"{GROUP}/Microsoft.Logic/workflows/sync".replace("-shop", "-b")]
    records = [azure("03-10 09:00", "Microsoft.Logic/workflows/write", uid) for uid in uids]
    tables, case = tables_of(tmp_path, records), case_of(tmp_path)
    assert list(resources(cloud_activity(tables, case), tables, case)["events"]) == [1, 1]


def test_a_second_write_of_the_same_resource_is_a_change_and_after_a_deletion_a_creation(tmp_path: Path) -> None:
    uid = f"{GROUP}/Microsoft.Web/sites/shop"
    row = rows_of(
        tmp_path,
        azure("03-10 09:00", "Microsoft.Web/sites/write", uid),
        azure("03-10 10:00", "Microsoft.Web/sites/write", uid),
        azure("03-10 11:00", "Microsoft.Web/sites/delete", uid),
        azure("03-10 12:00", "Microsoft.Web/sites/write", uid),
    )[("function-app", "shop")]
    assert row["created_by"] == (
        "mallory: Microsoft.Web/sites/write 2 times, 2026-03-10 09:00 UTC to 2026-03-10 12:00 UTC (E001:1, E001:4)"
    )
    assert row["modified_by"] == "mallory: Microsoft.Web/sites/write 2026-03-10 10:00 UTC (E001:2)"


def test_event_grid_triggers_the_function_that_its_destination_names(tmp_path: Path) -> None:
    function = f"{GROUP}/Microsoft.Web/sites/Shop/functions/Book"
    to = {"properties": {"destination": {"endpointType": "AzureFunction", "properties": {"resourceId": function}}}}
    topic = f"{GROUP}/Microsoft.EventGrid/topics/orders/providers/Microsoft.EventGrid/eventSubscriptions/copy"
    rows = rows_of(tmp_path, azure("03-10 09:00", "Microsoft.EventGrid/eventSubscriptions/write", topic, to))
    answer = "mallory: Microsoft.EventGrid/eventSubscriptions/write 2026-03-10 09:00 UTC (E001:1)"
    assert rows[("function", "shop/book")]["triggered_by"] == answer


def test_the_recurrence_of_a_logic_app_is_its_trigger(tmp_path: Path) -> None:
    recurrence = {"type": "Recurrence", "recurrence": {"frequency": "Minute", "interval": 5}}
    body = {"properties": {"definition": {"triggers": {"often": recurrence}}}}
    uid = f"{GROUP}/Microsoft.Logic/workflows/sync"
    row = rows_of(tmp_path, azure("03-10 09:00", "Microsoft.Logic/workflows/write", uid, body))[("workflow", "sync")]
    assert row["triggered_by"] == (
        "mallory: Microsoft.Logic/workflows/write [every 5 Minute] 2026-03-10 09:00 UTC (E001:1)"
    )


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        (f"https://europe-west1-{PROJECT}.cloudfunctions.net/bill", ("function", "bill")),
        (
            f"https://europe-west1-run.googleapis.com/apis/run.googleapis.com/v1/namespaces/{PROJECT}/jobs/bill:run",
            ("job", "bill"),
        ),
        (f"https://run.googleapis.com/v2/projects/{PROJECT}/locations/europe-west1/jobs/bill:run", ("job", "bill")),
    ],
)
def test_cloud_scheduler_triggers_what_its_address_names(tmp_path: Path, uri: str, key: tuple[str, str]) -> None:
    parent = f"projects/{PROJECT}/locations/europe-west1"
    job = {"job": {"name": f"{parent}/jobs/nightly", "schedule": "*/5 * * * *", "httpTarget": {"uri": uri}}}
    row = rows_of(tmp_path, google("03-10 09:00", SCHEDULER, "cloudscheduler", f"{parent}/jobs/nightly", job))[key]
    assert row["triggered_by"] == f"mallory: {SCHEDULER} [*/5 * * * *] 2026-03-10 09:00 UTC (E001:1)"
    assert (row["account"], row["region"]) == (PROJECT, "europe-west1")


def test_a_rule_called_like_its_function_is_a_trigger_of_it(tmp_path: Path) -> None:
    arn = "arn:aws:lambda:eu-central-1:111111111111:function:nightly"
    targets = {"rule": "nightly", "targets": [{"id": "1", "arn": arn}]}
    rows = rows_of(tmp_path, event("03-10 09:00", "PutTargets", targets, MALLORY))
    assert rows[("function", "nightly")]["triggered_by"] == "mallory: PutTargets 2026-03-10 09:00 UTC (E001:1)"


def test_an_address_is_known_by_the_record_that_made_it_and_else_names_nothing(tmp_path: Path) -> None:
    made = {"response": json.dumps({"status": {"url": "https://pay-abc-ew.a.run.app"}})}
    subscription = "google.pubsub.v1.Subscriber.CreateSubscription"
    rows = rows_of(
        tmp_path,
        google("03-10 09:00", RUN, "run", f"namespaces/{PROJECT}/services/pay", {}, **made),
        *(
            google("03-10 09:01", subscription, "pubsub", f"projects/{PROJECT}/subscriptions/{name}",
                   {"pushConfig": {"pushEndpoint": f"https://{host}/in"}})
            for name, host in (("a", "pay-abc-ew.a.run.app"), ("b", "else-abc-ew.a.run.app"))
        ),
    )  # fmt: skip
    assert rows[("service", "pay")]["triggered_by"] == f"mallory: {subscription} 2026-03-10 09:01 UTC (E001:2)"
    assert sorted(rows) == [("service", "pay"), ("subscription", "a"), ("subscription", "b")]


def test_cron_triggers_of_a_worker_tell_their_times(tmp_path: Path) -> None:
    base = "PUT /accounts/{id}/workers/scripts/{name}/schedules"
    record = other(
        "Cloudflare", "audit_logs_v2", "update", base, resource_name="edge", request=[{"cron": "*/5 * * * *"}]
    )
    row = rows_of(tmp_path, record)[("script", "edge")]
    assert row["triggered_by"] == f"mallory: {base} [*/5 * * * *] 2026-03-10 09:00 UTC (E001:1)"


@pytest.mark.parametrize("text", ['{"properties": {"definition": {"triggers": [1]}}}', "[[[", '{"job": 7}', None])
def test_hostile_requests_stop_nothing(tmp_path: Path, text: str | None) -> None:
    uid = f"{GROUP}/Microsoft.Logic/workflows/sync"
    rows = rows_of(
        tmp_path,
        azure("03-10 09:00", "Microsoft.Logic/workflows/write", uid, text),
        google("03-10 09:00", SCHEDULER, "cloudscheduler", "x", text),
    )
    assert ("workflow", "sync") in rows
