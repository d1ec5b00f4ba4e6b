"""Audit operations: found by base name whatever the log appends, and never mixed up between services."""

from __future__ import annotations

from importlib import resources
from typing import get_args

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.knowledge.attack import TECHNIQUES
from playbooks.knowledge.operations import (
    VERSION_SUFFIX,
    Operation,
    Phase,
    base_name,
    load_operations,
    platform_of,
)

OPERATIONS = load_operations()

BASE_NAMES = [
    ("CreateFunction20150331", "CreateFunction"),
    ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
    ("UpdateFunctionCode20150331V2", "UpdateFunctionCode"),
    ("PutFunctionConcurrency20171031", "PutFunctionConcurrency"),
    ("CreateFunction2020_05_31", "CreateFunction"),
    ("CreateFunction", "CreateFunction"),
    ("Invoke", "Invoke"),
    ("ListObjectsV2", "ListObjectsV2"),
    ("CreateFunction2015033", "CreateFunction2015033"),
    ("CreateFunction20150331x", "CreateFunction20150331x"),
    ("20150331", "20150331"),
    ("Microsoft.Web/sites/write", "Microsoft.Web/sites/write"),
    (
        "google.cloud.functions.v2.FunctionService.CreateFunction",
        "google.cloud.functions.v2.FunctionService.CreateFunction",
    ),
    ("", ""),
]


def test_holds_at_least_136_operations() -> None:
    own_rows = [one for one in OPERATIONS.operations if one.same_check_as is None]
    assert len(own_rows) >= 136
    assert len(OPERATIONS.operations) >= len(own_rows)


def test_is_package_data() -> None:
    assert resources.files("playbooks.knowledge").joinpath("cloud_operations.yaml").is_file()


def test_every_operation_is_sourced_and_names_known_techniques() -> None:
    assert [one.operation for one in OPERATIONS.operations if not one.sources] == []
    assert [one.operation for one in OPERATIONS.operations if not one.attack] == []
    assert {id for one in OPERATIONS.operations for id in one.attack} <= set(TECHNIQUES)


def test_names_are_base_names_and_unique_within_a_service() -> None:
    keys = [(one.platform, one.service, one.operation.lower()) for one in OPERATIONS.operations]
    assert len(set(keys)) == len(keys)
    assert [one.operation for one in OPERATIONS.operations if base_name(one.operation) != one.operation] == []


@pytest.mark.parametrize(("logged", "base"), BASE_NAMES)
def test_the_version_is_taken_off(logged: str, base: str) -> None:
    assert base_name(logged) == base


def test_duckdb_takes_the_version_off_in_the_same_way() -> None:
    with duckdb.connect() as connection:
        for logged, base in BASE_NAMES:
            if logged in ("20150331", "CreateFunction20150331x"):
                continue  # a bare date and a foreign ending: only Python looks at the stem
            row = connection.execute("SELECT regexp_replace(?, ?, '')", [logged, VERSION_SUFFIX]).fetchone()
            assert row == (base,), logged


@pytest.mark.parametrize("one", OPERATIONS.operations, ids=lambda one: f"{one.service}-{one.operation}"[:60])
def test_an_operation_is_found_under_each_of_its_names(one: Operation) -> None:
    for name in (one.operation, *one.logged_as, one.operation.upper()):
        assert OPERATIONS.find(one.platform, one.service, name) == one


@pytest.mark.parametrize(
    ("provider", "service", "logged", "operation", "phase", "resource_type"),
    [
        ("AWS", "lambda.amazonaws.com", "CreateFunction20150331", "CreateFunction", "create", "function"),
        ("aws", "lambda", "createfunction", "CreateFunction", "create", "function"),
        (
            "AWS",
            "lambda.amazonaws.com",
            "AddPermission20150331v2",
            "AddPermission",
            "permission",
            "function",
        ),
        (
            "AWS",
            "lambda.amazonaws.com",
            "UpdateFunctionCode20990101v9",
            "UpdateFunctionCode",
            "modify-code",
            "function",
        ),
        ("AWS", "lambda.amazonaws.com", "UpdateAlias20150331", "UpdateAlias", "modify-config", "function"),
        (
            "AWS",
            "cloudfront.amazonaws.com",
            "CreateFunction2020_05_31",
            "CreateFunction",
            "create",
            "edge-function",
        ),
        ("AWS", "cloudtrail.amazonaws.com", "DeleteTrail", "DeleteTrail", "defence-evasion", "trail"),
        ("AWS", "iam.amazonaws.com", "CreateRole", "CreateRole", "identity", "role"),
        ("AWS", "events.amazonaws.com", "PutRule", "PutRule", "trigger", "rule"),
        ("AWS", "states.amazonaws.com", "StartExecution", "StartExecution", "invoke", "state-machine"),
        (
            "Azure",
            None,
            "MICROSOFT.WEB/SITES/WRITE",
            "Microsoft.Web/sites/write",
            "create",
            "function-app",
        ),
        (
            "GCP",
            "cloudfunctions.googleapis.com",
            "google.cloud.functions.v2beta.FunctionService.CreateFunction",
            "google.cloud.functions.v2.FunctionService.CreateFunction",
            "create",
            "function",
        ),
        ("m365", "MicrosoftFlow", "UpdateFlow", "EditFlow", "modify-code", "flow"),
        ("Alibaba Cloud", "FunctionCompute", "DeleteFunction", "DeleteFunction", "defence-evasion", "function"),
    ],
)
def test_a_record_finds_its_operation(
    provider: str, service: str | None, logged: str, operation: str, phase: str, resource_type: str
) -> None:
    found = OPERATIONS.find(provider, service, logged)
    assert found is not None
    assert (found.operation, found.phase, found.resource_type) == (operation, phase, resource_type)
    assert OPERATIONS.canonical_name(provider, service, logged) == operation


@pytest.mark.parametrize(
    ("provider", "service", "logged"),
    [
        ("AWS", "iam.amazonaws.com", "GetPolicy"),
        ("AWS", "s3.amazonaws.com", "CreateFunction"),
        ("AWS", None, "CreateFunction"),
        ("AWS", "lambda.amazonaws.com", "CreateFunctions"),
        ("AWS", "notlambda.amazonaws.com", "Invoke"),
        ("Azure", None, "CreateFunction"),
        ("nobody", None, "CreateFunction"),
        ("", "", ""),
    ],
)
def test_a_near_miss_is_not_an_operation(provider: str, service: str | None, logged: str) -> None:
    assert OPERATIONS.find(provider, service, logged) is None


@pytest.mark.parametrize(
    ("provider", "service", "logged", "base", "phase"),
    [
        ("Google Workspace", "drive", "edit", "edit script", "modify-code"),
        ("Google Workspace", "drive", "edit", "edit", None),
        ("Cloudflare", "workers/script", "update", "PUT /accounts/{id}/workers/scripts/{name}", "modify-code"),
        (
            "Cloudflare",
            "workers/script",
            "update",
            "PUT /accounts/{id}/workers/scripts/{name}/secrets",
            "modify-config",
        ),
        ("Cloudflare", "zones/dns", "update", "PUT /zones/{id}/dns_records/{id}", None),
        ("Cloudflare", "logpush job", "job_update", "logpush job job_update", "defence-evasion"),
        ("GCP", "cloudresourcemanager.googleapis.com", "SetIamPolicy", "SetIamPolicy", "identity"),
        ("GCP", "cloudkms.googleapis.com", "SetIamPolicy", "SetIamPolicy", None),
    ],
)
def test_a_name_that_says_too_little_is_told_by_the_format_s_own(
    provider: str, service: str, logged: str, base: str, phase: str | None
) -> None:
    found = OPERATIONS.find(provider, service, logged, base)
    assert (found.phase if found else None) == phase


@pytest.mark.parametrize("platform", ["gcp", "google_workspace", "cloudflare"])
def test_every_phase_of_these_is_held_and_what_is_never_logged_says_so(platform: str) -> None:
    rows = [one for one in OPERATIONS.operations if one.platform == platform]
    assert {one.phase for one in rows} == set(get_args(Phase))
    assert all(one.condition for one in rows if one.log_class == "none" and one.service != "iam.googleapis.com")


def test_an_operation_outside_the_catalogue_keeps_its_own_case() -> None:
    assert OPERATIONS.canonical_name("AWS", "s3.amazonaws.com", "GetObject20060301") == "GetObject"


def test_invocations_are_data_events_that_are_off_unless_switched_on() -> None:
    for name in ("Invoke", "InvokeFunctionUrl"):
        found = OPERATIONS.find("AWS", "lambda.amazonaws.com", name)
        assert found is not None
        assert (found.phase, found.log_class, found.logged_by_default) == ("invoke", "data", False)


def test_every_lambda_call_on_a_function_says_where_its_name_stands() -> None:
    rows = [one for one in OPERATIONS.operations if one.service == "lambda.amazonaws.com"]
    unnamed = [one.operation for one in rows if not one.resource_keys]
    assert unnamed == ["ListFunctions"]


def test_the_history_of_a_function_can_be_told() -> None:
    wanted = {
        "CreateFunction": "create",
        "UpdateFunctionCode": "modify-code",
        "UpdateFunctionConfiguration": "modify-config",
        "PublishVersion": "modify-code",
        "UpdateAlias": "modify-config",
        "AddPermission": "permission",
        "RemovePermission": "permission",
        "CreateFunctionUrlConfig": "permission",
        "UpdateFunctionUrlConfig": "modify-config",
        "DeleteFunctionUrlConfig": "defence-evasion",
        "CreateEventSourceMapping": "trigger",
        "PutFunctionConcurrency": "modify-config",
        "TagResource": "modify-config",
        "DeleteFunction": "defence-evasion",
        "Invoke": "invoke",
        "InvokeFunctionUrl": "invoke",
    }
    rows = {one.operation: one.phase for one in OPERATIONS.operations if one.service == "lambda.amazonaws.com"}
    assert {name: rows.get(name) for name in wanted} == wanted


def test_platforms_are_known_by_the_names_logs_and_people_use() -> None:
    assert [platform_of(name) for name in ("AWS", " azure ", "GCP", "Google Cloud", "x")] == [
        "aws",
        "azure",
        "gcp",
        "gcp",
        None,
    ]


@given(st.text(), st.none() | st.text(), st.text())
def test_no_text_upsets_it(provider: str, service: str | None, operation: str) -> None:
    base_name(operation)
    OPERATIONS.find(provider, service, operation)
    OPERATIONS.find("aws", service, operation)
    OPERATIONS.find("gcp", service, operation)
