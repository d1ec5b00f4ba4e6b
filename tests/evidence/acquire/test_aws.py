"""Acquiring from AWS: all that was put there comes back, a second time only what changed, and nothing is written."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from tests.evidence.acquire.aws_front import ACCOUNT, KEYS, Front, door_to_moto
from tests.evidence.acquire.aws_house import END, REGION, START, House, build, clients

from playbooks.case import Case, new_case
from playbooks.case_file import Window
from playbooks.evidence import custody, items, require_intact
from playbooks.evidence.acquire.answers import FOLDER, Acquired
from playbooks.evidence.acquire.aws import Wanted, acquire_aws
from playbooks.evidence.acquire.aws_client import READS, USER_AGENT, Limits
from playbooks.evidence.acquire.aws_plan import PLAN
from playbooks.evidence.acquire.environment import KEY_FILE
from playbooks.normalise import Source, read

# operations that this version of moto does not know: it answers 404 or 500 in HTML
UNKNOWN_TO_MOTO = {
    "GetAccountSettings": "refused",
    "ListFunctionUrlConfigs": "refused",
    "ListProvisionedConcurrencyConfigs": "refused",
    "GetRuntimeManagementConfig": "refused",
    "GetFunctionRecursionConfig": "refused",
    "ListPublicKeys": "failed",
    "GetInsightSelectors": "absent",
}
WINDOW = Window(start=START, end=END)


def lines(case: Case, acquired: Acquired) -> list[dict[str, Any]]:
    (item,) = [item for item in items(case) if item.evidence_id == acquired.evidence_id]
    return [json.loads(line) for line in item.file(case).read_text(encoding="ascii").splitlines()]


def content(line: dict[str, Any]) -> Any:
    return line.get("parsed") or json.loads(line["body"])


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with door_to_moto() as door:
        yield door


@pytest.fixture(scope="module")
def house(front: Front) -> House:
    return build(front)


def wanted(front: Front, **more: Any) -> Wanted:
    limits = Limits(attempts=3, throttle_waits_s=(0.1,), pages=50)
    return Wanted(**{"regions": (REGION,), "window": WINDOW, "endpoint_url": front.url, "limits": limits, **more})


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return new_case(tmp_path_factory.mktemp("acquired") / "case", "AWS-1")


@pytest.fixture(scope="module")
def first(case: Case, front: Front, house: House) -> Acquired:
    """The first acquisition of the whole house."""
    (acquired,) = acquire_aws(case, wanted(front))
    return acquired


@pytest.fixture(scope="module")
def found(case: Case, first: Acquired) -> list[dict[str, Any]]:
    return lines(case, first)


def answers(found: list[dict[str, Any]], operation: str, resource: str) -> list[Any]:
    return [
        content(line)
        for line in found
        if (line["operation"], line.get("resource", ""), line["outcome"]) == (operation, resource, "answered")
    ]


def holds(answer: Any, put: Any) -> bool:
    """Whether an answer holds all that was put: members of objects, and of lists in any place."""
    if isinstance(answer, str) and isinstance(put, dict):
        answer = json.loads(answer)
    if isinstance(put, dict):
        return isinstance(answer, dict) and all(name in answer and holds(answer[name], put[name]) for name in put)
    if isinstance(put, list):
        return isinstance(answer, list) and all(any(holds(one, member) for one in answer) for member in put)
    return bool(answer == put)


# ---------------------------------------------------------------------------------------- completeness


def test_every_field_that_was_put_there_is_in_evidence(house: House, found: list[dict[str, Any]]) -> None:
    assert len(house.put) > 350
    missing = [
        (operation, resource, fields)
        for operation, resource, fields in house.put
        if not any(holds(answer, fields) for answer in answers(found, operation, resource))
    ]
    assert missing == []


def test_a_field_that_was_not_put_there_would_be_missed(house: House, found: list[dict[str, Any]]) -> None:
    (answer,) = answers(found, "GetFunctionConfiguration", "fn-07")
    assert holds(answer, {"Timeout": 10})
    assert not holds(answer, {"Timeout": 11})
    assert not holds(answer, {"Layers": [{"Arn": "other"}]})


def test_every_version_and_alias_of_every_function_has_its_configuration(
    case: Case, house: House, found: list[dict[str, Any]]
) -> None:
    key = (case.path / KEY_FILE).read_bytes()
    for name, put in house.functions.items():
        secrets = put["Environment"]["Variables"]
        hidden = {k: "hmac-sha256:" + hmac.digest(key, v.encode(), "sha256").hex() for k, v in secrets.items()}
        expected = {**put, "Environment": {"Variables": hidden}}
        for qualifier in ("", ":live", *(f":{version}" for version in house.versions[name])):
            (answer,) = answers(found, "GetFunctionConfiguration", name + qualifier)
            assert holds(answer, expected), (name, qualifier)
            (whole,) = answers(found, "GetFunction", name + qualifier)
            assert holds(whole["Configuration"], expected), (name, qualifier)
        (versions,) = answers(found, "ListVersionsByFunction", name)
        assert {one["Version"] for one in versions["Versions"]} == {"$LATEST", *house.versions[name]}
    (listed,) = answers(found, "ListFunctions", "")
    assert {one["FunctionName"] for one in listed["Functions"]} == set(house.functions)


def test_every_package_is_evidence_of_its_own_and_agrees(case: Case, house: House, found: list[dict[str, Any]]) -> None:
    preserved = {item.sha256: item.file(case).read_bytes() for item in items(case)}
    told = {line["resource"]: line for line in found if line["operation"] == "GetObject"}
    assert set(told) == set(house.code)
    for name, line in told.items():
        digest = hashlib.sha256(house.code[name]).hexdigest()
        assert preserved[digest] == house.code[name]
        if line["outcome"] == "answered":
            assert (line["sha256"], line["stated_sha256"], line["agrees"]) == (digest, digest, True)
        else:
            assert (line["outcome"], line["same_as"]) == ("unchanged", f"sha256:{digest}")
    assert Counter(line["outcome"] for line in told.values()) == {"answered": 3 + 50 + 50 + 10, "unchanged": 50}


def test_no_link_of_a_package_keeps_its_signature_where_it_was_followed(found: list[dict[str, Any]]) -> None:
    assert [line["request"]["url"] for line in found if "X-Amz" in str(line["request"].get("url"))] == []


def test_only_what_moto_does_not_know_was_not_answered(house: House, found: list[dict[str, Any]]) -> None:
    unanswered = {line["operation"]: line["outcome"] for line in found if line["outcome"] in ("refused", "failed")}
    assert unanswered == {name: outcome for name, outcome in UNKNOWN_TO_MOTO.items() if outcome != "absent"}
    absent = {line["operation"] for line in found if line["outcome"] == "absent"}
    assert absent <= {
        "GetPolicy",
        "GetFunctionUrlConfig",
        "GetLayerVersionPolicy",
        "DescribeSubscriptionFilters",
        "FilterLogEvents",
        "GetInsightSelectors",
    }
    asked = {(line["service"], line["operation"]) for line in found}
    never = {(call.service, call.operation) for call in PLAN} - asked
    # nothing in the house is signed, and the event history was not wanted
    assert never == {("lambda", "GetCodeSigningConfig"), ("cloudtrail", "LookupEvents")}


# ------------------------------------------------------------------------------------------- the record


def test_a_line_says_what_was_asked_when_and_what_came_back_byte_for_byte(found: list[dict[str, Any]]) -> None:
    (line,) = [one for one in found if (one["operation"], one.get("resource")) == ("GetRole", "role-3")]
    body = line["body"].encode()
    assert line["sha256"] == hashlib.sha256(body).hexdigest()
    assert line["size"] == len(body)
    assert body.startswith(b"<") and line["parsed"]["Role"]["RoleName"] == "role-3"
    assert (line["service"], line["region"], line["account"]) == ("iam", "global", ACCOUNT)
    assert (line["request"], line["status"], line["attempts"]) == ({"RoleName": "role-3"}, 200, 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", line["asked"])
    assert line["asked"] <= line["answered"]


def test_the_custody_chain_names_collector_tools_scope_and_counts(
    case: Case, first: Acquired, found: list[dict[str, Any]]
) -> None:
    act = first.entry
    assert act in custody.entries(case.custody)
    assert act["collector"] == {
        "arn": f"arn:aws:sts::{ACCOUNT}:user/moto",
        "user_agent": USER_AGENT,
        "access_key_id": KEYS["aws_access_key_id"],
    }
    assert set(act["tools"]) == {"playbooks", "boto3", "botocore"}
    assert (act["source"], act["account"], act["evidence_id"]) == ("aws", ACCOUNT, first.evidence_id)
    assert act["scope"]["regions"] == [REGION]
    assert act["scope"]["functions"] == "all"
    assert act["counts"] == Counter(line["outcome"] for line in found)
    assert act["started"] <= act["time"]
    assert (act["first"], act["last"]) == (
        min(line["asked"] for line in found),
        max(line["answered"] for line in found),
    )


def test_secrets_of_the_collector_and_of_the_functions_are_nowhere_in_the_case(
    case: Case, house: House, first: Acquired
) -> None:
    secrets = [secret.encode() for secret in [*house.secrets, KEYS["aws_secret_access_key"]]]
    holding = [
        str(path.relative_to(case.path))
        for path in case.path.rglob("*")
        if path.is_file() and any(secret in path.read_bytes() for secret in secrets)
    ]
    assert holding == []
    assert (case.path / KEY_FILE).stat().st_mode & 0o077 == 0
    assert list((case.path / FOLDER).glob("*")) == []


def test_a_redacted_answer_says_so_and_others_are_byte_for_byte(found: list[dict[str, Any]]) -> None:
    for line in found:
        if line["outcome"] == "answered" and line.get("body"):
            same = line["sha256"] == hashlib.sha256(line["body"].encode()).hexdigest()
            assert same is ("redacted" not in line), line["operation"]
    redacted = {line["operation"] for line in found if "redacted" in line}
    assert redacted == {"GetFunction", "GetFunctionConfiguration", "ListFunctions", "ListVersionsByFunction"}


def test_all_records_are_read_and_the_case_is_intact(case: Case, first: Acquired, found: list[dict[str, Any]]) -> None:
    (item,) = [item for item in items(case) if item.evidence_id == first.evidence_id]
    rows = list(read(Source(item.evidence_id, item.file(case))))
    assert sum(len(part.unread) for part in rows) == 0
    events = [event for part in rows for event in part.events.to_pylist()]
    assert [(e["record_no"], e["api_operation"], e["status"]) for e in events] == [
        (number, line["operation"], line["outcome"]) for number, line in enumerate(found, start=1)
    ]
    assert {event["format"] for event in events} == {"acquired_answers"}
    require_intact(case)


# ----------------------------------------------------------------------------------------- reads only


def test_every_operation_of_the_plan_is_a_read() -> None:
    assert [call.operation for call in PLAN if not READS.fullmatch(call.operation)] == []


def test_no_write_reached_the_server_and_every_request_says_who_asks(front: Front, first: Acquired) -> None:
    reads = re.compile(r"(Get|List|Describe|Lookup|Filter)[A-Z]\w+|GET /\S+")
    assert [asked for asked in front.asked if not reads.fullmatch(asked.operation)] == []
    assert [asked for asked in front.asked if USER_AGENT not in asked.user_agent] == []
    assert len(front.asked) > 1400


def test_the_pages_of_the_plan_are_those_that_botocore_knows() -> None:
    import boto3

    for call in PLAN:
        client = boto3.client(call.service, region_name=REGION, **KEYS)
        name = next(m for m, op in client.meta.method_to_api_mapping.items() if op == call.operation)
        members = client.meta.service_model.operation_model(call.operation)
        inputs = set(members.input_shape.members) if members.input_shape else set()
        assert set(call.parameters) <= inputs, call
        if call.pages:
            assert call.pages[0] in inputs and call.pages[1] in members.output_shape.members, call
        if client.can_paginate(name):
            known = client.get_paginator(name)._pagination_cfg
            assert call.pages == (known["input_token"], known["output_token"]), call


# ------------------------------------------------------------------------------------- the second time


@pytest.fixture(scope="module")
def second(case: Case, front: Front, first: Acquired) -> tuple[list[dict[str, Any]], list[Any]]:
    """Three changes, and the house acquired again: its lines, and what was asked of the door."""
    function = clients(f"http://127.0.0.1:{front.moto_port}")("lambda")
    function.update_function_configuration(FunctionName="fn-07", Environment={"Variables": {"TOKEN": "rotated-51966"}})
    function.add_permission(FunctionName="fn-11", StatementId="all", Action="lambda:InvokeFunction", Principal="*")
    function.delete_function(FunctionName="fn-13")
    before = len(front.asked)
    (acquired,) = acquire_aws(case, wanted(front))
    return lines(case, acquired), front.asked[before:]


def test_a_second_acquisition_shows_only_what_changed(second: tuple[list[dict[str, Any]], list[Any]]) -> None:
    told, _ = second
    shown = {
        (line["operation"], line.get("resource", "")) for line in told if line["outcome"] in ("answered", "absent")
    }
    assert shown - {("GetCallerIdentity", f"arn:aws:sts::{ACCOUNT}:user/moto")} == {
        ("ListFunctions", ""),
        ("GetFunction", "fn-07"),
        ("GetFunctionConfiguration", "fn-07"),
        ("ListVersionsByFunction", "fn-07"),
        *(("GetPolicy", f"fn-11{qualifier}") for qualifier in ("", ":1", ":live")),
    }
    assert b"rotated-51966" not in json.dumps(told).encode()


def test_what_is_gone_is_told_with_the_record_that_held_it(
    second: tuple[list[dict[str, Any]], list[Any]], found: list[dict[str, Any]], first: Acquired
) -> None:
    told, _ = second
    gone = {(line["operation"], line.get("resource")): line["same_as"] for line in told if line["outcome"] == "gone"}
    of_it = re.compile(r"(.*:)?fn-13(:\w+)?|/aws/lambda/fn-13|default/schedule-13")
    held = {
        (line["operation"], line.get("resource")): f"{first.evidence_id}:{number}"
        for number, line in enumerate(found, start=1)
        if line["outcome"] == "answered" and of_it.fullmatch(line.get("resource", ""))
    }
    # the schedule still stands and names the function that is gone; metrics of a window do not go
    still = [("GetSchedule", "default/schedule-13"), ("GetMetricData", "fn-13")]
    assert gone == {what: ref for what, ref in held.items() if what not in still}
    assert len(gone) > 15


def test_what_is_unchanged_is_named_without_its_content(
    second: tuple[list[dict[str, Any]], list[Any]], found: list[dict[str, Any]], first: Acquired
) -> None:
    told, _ = second
    unchanged = [line for line in told if line["outcome"] == "unchanged"]
    assert len(unchanged) > 1200
    assert [line for line in unchanged if line.get("body") or line.get("parsed")] == []
    for line in unchanged:
        if line["same_as"].startswith("sha256:"):
            continue
        evidence_id, _, number = line["same_as"].partition(":")
        assert evidence_id == first.evidence_id
        earlier = found[int(number) - 1]
        names = ("service", "operation", "region", "account", "request", "fingerprint")
        assert [line[name] for name in names] == [earlier[name] for name in names]


def test_packages_that_the_case_holds_are_not_fetched_again(second: tuple[list[dict[str, Any]], list[Any]]) -> None:
    _, asked = second
    assert [one for one in asked if one.path.startswith("/code/")] == []


def test_a_third_acquisition_compares_with_the_newest(
    case: Case, front: Front, second: tuple[list[dict[str, Any]], list[Any]]
) -> None:
    (acquired,) = acquire_aws(case, wanted(front, functions=("fn-07", "fn-02")))
    told = lines(case, acquired)
    newer = [line for line in told if line["outcome"] == "unchanged" and line.get("resource") == "fn-07"]
    evidence = {line["operation"]: line["same_as"].partition(":")[0] for line in newer}
    assert evidence["GetFunction"] != evidence["GetFunctionConcurrency"]
    # named functions say nothing about the others: not even that they are gone
    assert [line for line in told if line["outcome"] == "gone"] == []
    functions = {str(line["request"].get("FunctionName", "fn-07"))[:5] for line in told}
    assert functions == {"fn-07", "fn-02"}
