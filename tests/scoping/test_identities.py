"""What each identity did, compared with a direct count over the raw records."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
from tests.scoping import events
from tests.scoping.cloud_case import BASELINE, CI, MALLORY, case_of, event

from playbooks import schema
from playbooks.scoping.identities import identities

UPDATE, LIST = "UpdateFunctionCode20150331v2", "ListFunctions20150331"
BY_KEY = MALLORY | {"actor_session_uid": "AKIAIOSFODNN7EXAMPLE"}


def judged(tmp_path: Path, records: list[dict[str, Any]], **fields: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    whole, details = identities(
        events.tables(tmp_path / "events", api_activity=records), case_of(tmp_path, **fields).config
    )
    assert tuple(whole.columns) == schema.IDENTITIES.names
    assert tuple(details.columns) == schema.IDENTITY_DETAILS.names
    return whole, details


def working_day() -> list[dict[str, Any]]:
    """Calls of two identities in the window, refused and failed ones among them, and two before it."""
    told = [
        *[event(f"03-10 09:{minute:02d}", LIST, {}, CI) for minute in range(7)],
        *[event(f"03-10 10:{minute:02d}", UPDATE, {"functionName": "a"}, BY_KEY) for minute in range(3)],
        event("03-10 10:30", UPDATE, {"functionName": "b"}, BY_KEY, denied="AccessDenied: no"),
        event("03-10 10:31", "Invoke", {"functionName": "b"}, BY_KEY, cloud_region="us-east-1"),
        event("03-10 10:32", "ConsoleLogin", None, MALLORY, api_service_name="signin.amazonaws.com",
              src_endpoint_ip="203.0.113.9"),
    ]  # fmt: skip
    return [*told, event("03-09 09:00", LIST, {}, CI), event("03-12 09:00", LIST, {}, CI)]


def test_the_figures_are_those_of_a_direct_count_over_the_records(tmp_path: Path) -> None:
    records = working_day()
    inside = [one for one in records if "2026-03-10" <= str(one["time"])[:10] < "2026-03-12"]
    whole, details = judged(tmp_path, records)
    counted = {
        name: (
            len(mine := [one for one in inside if one["actor_user_name"] == name]),
            sum(one["status"] == "failure" for one in mine),
            sum(one["api_operation"].startswith("UpdateFunctionCode") for one in mine),
            sum(one["api_operation"].startswith("List") for one in mine),
            sum(one["api_operation"] == "Invoke" for one in mine),
            sum(one["api_operation"] == "ConsoleLogin" for one in mine),
        )
        for name in ("mallory", "ci-deployer")
    }
    columns = ["calls", "failed", "attack_calls", "discovery_calls", "runs", "console_sign_ins"]
    assert {row[0]: row[1:] for row in whole[["principal", *columns]].itertuples(index=False, name=None)} == counted
    regions = Counter((one["actor_user_name"], one["cloud_region"]) for one in inside)
    shown = details[details.kind == "region"]
    assert {(row.principal, row.value): row.calls for row in shown.itertuples()} == dict(regions)


def test_most_calls_that_attackers_use_come_first_with_keys_addresses_and_records(tmp_path: Path) -> None:
    whole, details = judged(tmp_path, working_day())
    mallory = next(whole.itertuples())
    assert (mallory.principal, mallory.refused, mallory.attack_failed) == ("mallory", 1, 1)
    assert list(mallory.access_keys) == ["AKIAIOSFODNN7EXAMPLE"]
    assert sorted(mallory.address_list) == ["192.0.2.10", "203.0.113.9"]
    assert list(mallory.attack_operations) == ["UpdateFunctionCode (4, 1 failed)"]
    assert {ref.partition(":")[0] for ref in mallory.refs} == {"E001"} and "E001:8" in mallory.refs
    assert mallory.new_in_window is None and details.new.isna().all()


def test_a_baseline_says_who_and_what_is_new(tmp_path: Path) -> None:
    whole, details = judged(tmp_path, working_day(), baseline=BASELINE)
    assert {row.principal: row.new_in_window for row in whole.itertuples()} == {"mallory": True, "ci-deployer": False}
    operations = details[(details.kind == "operation") & (details.principal == "ci-deployer")]
    assert [(row.value, row.calls, row.new) for row in operations.itertuples()] == [("ListFunctions", 7, False)]


def test_an_event_that_two_items_hold_counts_once(tmp_path: Path) -> None:
    one = event("03-10 09:00", UPDATE, {"functionName": "a"}, MALLORY, metadata_uid="u-1")
    other = event("03-10 09:00", UPDATE, {"functionName": "a"}, MALLORY, metadata_uid="u-2")
    whole, _ = judged(tmp_path, [one, dict(one), other])
    assert list(whole.calls) == [2]


def test_principals_of_every_cloud_are_told_apart(tmp_path: Path) -> None:
    name = "eve@example.test"
    who = {"actor_user_name": name, "actor_user_uid": name, "actor_session_issuer": None}
    told = {"AWS": "User", "Azure": "User", "GCP": "user", "Microsoft 365": "Regular", "Google Workspace": "USER",
            "Cloudflare": "user", "GitHub": "user", "Okta": "User", "Nobody knows": None}  # fmt: skip
    records = [
        event("03-10 09:00", "x", None, {**who, "actor_user_type": kind}, cloud_provider=provider)  # type: ignore[dict-item]
        for provider, kind in told.items()
    ]
    whole, _ = judged(tmp_path, records)
    assert sorted(whole.provider) == sorted(told)
    assert list(whole.calls) == [1] * len(told)


def test_no_record_gives_empty_tables_of_the_same_shape(tmp_path: Path) -> None:
    whole, details = judged(tmp_path, [])
    assert (len(whole), len(details)) == (0, 0)


def test_hostile_values_stop_nothing_and_a_separator_joins_no_two_identities(tmp_path: Path) -> None:
    names = ["a", "a\x1fb", "", "x" * 5000, "=cmd|' /C calc'!A0", "<script>", None]
    records = [
        event("03-10 09:00", "[" * 5000, "{", {"actor_user_type": "\x1f", "actor_user_name": name,
                                               "actor_user_uid": name}, cloud_region="'; DROP TABLE x; --")
        for name in names
    ]  # fmt: skip
    whole, _ = judged(tmp_path, records)
    assert int(whole.calls.sum()) == len(records)
    assert {"a", "a\x1fb"} <= set(whole.principal)
