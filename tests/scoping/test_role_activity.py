"""What functions' roles called after a run, and sessions that look used outside the function."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tests.scoping.cloud_case import ARROW, BASELINE, HOME, by_role, by_user, case_of, event, tables_of

from playbooks import schema
from playbooks.engine import open_tables
from playbooks.scoping.function_egress import NO_FLOWS, NO_INTERFACES, NO_SETTINGS, NOT_ATTACHED, function_egress
from playbooks.scoping.role_activity import role_activity

RUNTIME = {"http_request_user_agent": "Boto3/1.34 md/Botocore exec-env/AWS_Lambda_python3.12"}
CLI = {"http_request_user_agent": "aws-cli/2.15.0 md/command#s3.ls"}
AMAZON, ELSEWHERE = {"src_endpoint_ip": "3.120.7.9"}, {"src_endpoint_ip": "185.220.101.4"}


def links(**roles: str) -> pd.DataFrame:
    rows = [
        {"role": role, "resource": name, "resource_type": "function", "relation": "held", "account": HOME}
        for name, role in roles.items()
    ]
    return pd.DataFrame(rows, columns=list(schema.ROLE_LINKS.names))


def call(time: str, operation: str, session: str = "relay", role: str = "relay-role", **facts: Any) -> dict[str, Any]:
    return event(time, operation, None, by_role(role, session), **{**RUNTIME, **AMAZON, **facts})


def found(tmp_path: Path, records: list[dict[str, Any]], **roles: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    case = case_of(tmp_path, baseline=BASELINE)
    calls, outside = role_activity(
        tables_of(tmp_path, records), links(**(roles or {"relay": "relay-role"})), case.config
    )
    assert tuple(calls.columns) == schema.ROLE_ACTIVITY.names
    assert tuple(outside.columns) == schema.CREDENTIALS_OUTSIDE.names
    return calls, outside


def test_calls_of_the_role_are_told_per_function_and_compared_with_the_baseline(tmp_path: Path) -> None:
    calls, outside = found(
        tmp_path,
        [
            call("03-05 10:00", "PutObject", api_service_name="s3.amazonaws.com"),
            call("03-10 10:00", "PutObject", api_service_name="s3.amazonaws.com"),
            call("03-10 10:05", "PutObject", api_service_name="s3.amazonaws.com"),
            call("03-10 10:06", "DeleteObject", api_service_name="s3.amazonaws.com"),
            call("03-10 10:07", "CreateUser", api_service_name="iam.amazonaws.com", denied="AccessDenied: no"),
            event("03-10 10:08", "ListBuckets", None, by_user("j.doe")),
        ],
    )
    told = calls[["function", "service", "operation", "calls", "refused", "new", "reason", "refs"]].values.tolist()
    assert told == [
        ["relay", "s3.amazonaws.com", "PutObject", 2, 0, False, None, ["E001:2", "E001:3"]],
        ["relay", "s3.amazonaws.com", "DeleteObject", 1, 0, True, "role relay-role did not call DeleteObject before",
         ["E001:4"]],
        ["relay", "iam.amazonaws.com", "CreateUser", 1, 1, True,
         "role relay-role did not call iam.amazonaws.com before", ["E001:5"]],
    ]  # fmt: skip
    assert outside.empty


def test_functions_that_share_a_role_are_told_apart_by_the_name_of_the_session(tmp_path: Path) -> None:
    records = [call("03-10 10:00", "PutObject", name, "shared") for name in ("one", "two", "by-hand")]
    calls, outside = found(tmp_path, records, one="shared", two="shared")
    assert [(row.function, list(row.functions)) for row in calls.itertuples()] == [
        ("one", []), ("two", []), (None, ["one", "two"])
    ]  # fmt: skip
    assert list(outside.session) == ["by-hand"]


def test_a_session_used_by_hand_or_from_elsewhere_is_said_to_be_outside_the_function(tmp_path: Path) -> None:
    _, outside = found(
        tmp_path,
        [
            call("03-05 10:00", "PutObject"),
            call("03-10 10:00", "PutObject"),
            call("03-10 10:01", "ListBuckets", **CLI, **ELSEWHERE),
            call("03-10 10:02", "PutObject", **ELSEWHERE),
            call("03-10 10:03", "PutObject", src_endpoint_ip="10.0.3.7"),
            call("03-10 10:04", "PutObject", src_endpoint_ip="lambda.amazonaws.com"),
        ],
    )
    assert outside[["verdict", "address", "reasons", "refs"]].values.tolist() == [
        ["outside", "185.220.101.4",
         ["user agent “aws-cli/2.15.0 md/command#s3.ls” is that of a person or a tool, not of a runtime",
          "185.220.101.4 is none of the role's addresses"], ["E001:3"]],
        ["unclear", "185.220.101.4", ["185.220.101.4 is none of the role's addresses"], ["E001:4"]],
    ]  # fmt: skip
    assert set(outside.compared_with) == {"the role's addresses in the baseline; no published ranges in evidence"}


def kept(folder: Path, table: schema.Table, rows: list[dict[str, Any]]) -> None:
    shape = pa.schema([(column.name, ARROW[column.type]) for column in table.columns])
    whole = [
        {"evidence_id": "E009", "record_no": n, **dict.fromkeys(table.names[2:]), **row}
        for n, row in enumerate(rows, 1)
    ]
    (folder / table.name).mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(whole, schema=shape), folder / table.name / "E009.parquet")


def test_published_ranges_decide_where_they_are_in_evidence(tmp_path: Path) -> None:
    kept(
        tmp_path / "events",
        schema.ADDRESS_RANGES,
        [{"address_range": "3.120.0.0/14", "provider": "AWS", "service": "EC2"}],
    )
    _, outside = found(
        tmp_path,
        [
            call("03-10 10:00", "PutObject", **ELSEWHERE),
            call("03-10 10:01", "PutObject", src_endpoint_ip="3.121.9.9"),
        ],
    )
    [row] = outside.to_dict("records")
    assert (row["verdict"], row["reasons"], row["compared_with"]) == (
        "outside", ["185.220.101.4 lies in no range that AWS publishes"], "published ranges of AWS",
    )  # fmt: skip


def test_a_role_that_others_always_used_too_is_unclear_and_not_outside(tmp_path: Path) -> None:
    _, outside = found(
        tmp_path, [call("03-05 10:00", "PutObject", "i-0abc"), call("03-10 10:00", "PutObject", "i-0def")]
    )
    assert list(outside.verdict) == ["unclear"]


def test_without_roles_there_are_no_rows(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    calls, outside = role_activity(tables_of(tmp_path, []), links(), case.config)
    assert calls.empty and outside.empty


def answers(*told: tuple[str, str | None, Any]) -> list[dict[str, Any]]:
    return [
        {"api_operation": operation, "resource_name": name, "status": "answered", "response": json.dumps(answer),
         "cloud_account_uid": HOME, "cloud_region": None}
        for operation, name, answer in told
    ]  # fmt: skip


def test_flows_are_joined_by_the_interfaces_of_a_function_and_their_absence_has_a_reason(tmp_path: Path) -> None:
    events = tmp_path / "events"
    attached = {"VpcConfig": {"SubnetIds": ["subnet-1"]}}
    uuid = "0f8fad5b-d9cb-469f-a165-70867728950e"
    interfaces = [
        {"Description": f"AWS Lambda VPC ENI-{name}-{uuid}", "PrivateIpAddress": address}
        for name, address in (("joined", "10.0.3.7"), ("silent", "10.0.3.8"))
    ]
    kept(
        events,
        schema.ACQUIRED_ANSWERS,
        answers(
            *(("GetFunctionConfiguration", name, attached) for name in ("joined", "silent", "no-interface")),
            ("GetFunctionConfiguration", "plain", {"FunctionName": "plain"}),
            ("GetFunctionConfiguration", "odd", "no settings but a text"),
            ("DescribeNetworkInterfaces", None, {"NetworkInterfaces": [*interfaces, None, 7]}),
        ),
    )
    kept(
        events,
        schema.NETWORK_ACTIVITY,
        [{"time": BASELINE["start"], "src_endpoint_ip": "10.0.3.7", "dst_endpoint_ip": "198.51.100.7"}],
    )
    names = ("joined", "silent", "no-interface", "plain", "odd")
    rows = function_egress(open_tables(events), links(**dict.fromkeys(names, "r"))).set_index("function")
    assert tuple(rows.reset_index().columns) == schema.FUNCTION_EGRESS.names
    assert rows.reason.to_dict() == {
        "joined": None, "silent": NO_FLOWS, "no-interface": NO_INTERFACES, "plain": NOT_ATTACHED, "odd": NO_SETTINGS,
    }  # fmt: skip
    assert (rows.flows["joined"], rows.destinations["joined"], rows.refs["joined"]) == (
        1, ["198.51.100.7"], ["E009:1", "E009:1"],
    )  # fmt: skip
