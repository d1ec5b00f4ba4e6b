"""The knobs of the analytics: what each leaves out, and that nothing set leaves out nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from playbooks import schema
from playbooks.scoping.tunables import Tunables, fits_any, looked_at


def activity(*rows: dict[str, Any]) -> pd.DataFrame:
    usual = {"phase": "modify-code", "principal": "mallory", "resource": "billing", "provider": "AWS",
             "resource_type": "function", "operation": "UpdateFunctionCode20150331v2",
             "operation_base": "UpdateFunctionCode"}  # fmt: skip
    return pd.DataFrame([usual | row for row in rows], columns=list(schema.CLOUD_ACTIVITY.names))


def kept(frame: pd.DataFrame, **set_to: Any) -> list[int]:
    """Places of the rows that stay, by counting rows one by one."""
    return list(looked_at(frame, Tunables(**set_to)).index)


CHANGES = ({"resource": "billing"}, {"resource": "Mailer-Prod"}, {"resource": None},
           {"resource": "mailer-prod", "phase": "permission"}, {"resource": "mailer-prod", "phase": "trigger"},
           {"resource": "mailer-prod", "phase": "defence-evasion"})  # fmt: skip


def test_nothing_set_and_a_window_alone_leave_out_nothing() -> None:
    frame = activity(*CHANGES)
    assert looked_at(frame, Tunables()) is frame
    assert looked_at(frame, Tunables(time_window_minutes=5)) is frame
    assert Tunables().words().startswith("Not narrowed")


def test_expected_functions_leave_out_their_changes_but_not_what_opens_triggers_or_hides() -> None:
    assert kept(activity(*CHANGES), allowed_functions=("mailer-*",)) == [0, 2, 3, 4, 5]


def test_expected_makers_likewise() -> None:
    frame = activity({"principal": "CI-Deployer"}, {"principal": "mallory"}, {"principal": None},
                     {"principal": "ci-deployer", "phase": "permission"})  # fmt: skip
    assert kept(frame, user_context=("ci-*",)) == [1, 2, 3]


def test_a_sensitive_role_is_looked_at_as_who_acts_and_as_what_is_changed() -> None:
    frame = activity({"principal": "admin-role"}, {"resource": "admin-role"}, {}, {"principal": None, "resource": None})
    assert kept(frame, role_scope=("admin-*",)) == [0, 1]


@pytest.mark.parametrize("provider", ["m365", "Microsoft 365", "OFFICE 365"])
def test_flow_actions_narrow_office_suites_only(provider: str) -> None:
    frame = activity(
        {"provider": provider, "operation": "CreateFlow"}, {"provider": provider, "operation": "EditFlow"}, {}
    )
    assert kept(frame, flow_actions=("create*",)) == [0, 2]


def test_scripts_are_narrowed_by_name_and_other_resources_are_not() -> None:
    frame = activity(
        {"resource_type": "script", "resource": "relay"}, {"resource_type": "workflow", "resource": "x"}, {}
    )
    assert kept(frame, script_scope=("relay",)) == [0, 2]


def test_trigger_types_narrow_permissions_and_triggers_by_kind_or_operation() -> None:
    frame = activity({"phase": "trigger", "resource_type": "rule"}, {"phase": "trigger", "resource_type": "schedule"},
                     {"phase": "permission", "operation_base": "AddPermission"}, {"phase": "create"})  # fmt: skip
    assert kept(frame, trigger_types=("rule", "addpermission")) == [0, 2, 3]


def test_several_knobs_narrow_together_and_the_words_name_them() -> None:
    both = Tunables(role_scope=("mallory",), allowed_functions=("mailer-*", "x"))
    assert list(looked_at(activity(*CHANGES), both).index) == [0, 2, 3, 4, 5]
    assert both.words() == "Narrowed by RoleScope mallory; AllowedFunctions mailer-*, x."


@pytest.mark.parametrize("pattern", ["[", "[!", "*" * 200, "(a+)+$", "\x1f", ""])
def test_hostile_patterns_and_values_stop_nothing(pattern: str) -> None:
    frame = activity(
        {"resource": "[" * 5000}, {"resource": "a" * 5000 + "!"}, {"resource": float("nan")}, {"resource": 7}
    )
    assert set(kept(frame, allowed_functions=(pattern,), role_scope=(pattern,))) <= {0, 1, 2, 3}


def test_an_empty_table_stays_one() -> None:
    assert len(looked_at(activity().iloc[:0], Tunables(allowed_functions=("*",), trigger_types=("*",)))) == 0


def test_patterns_are_compared_without_regard_to_case_of_the_value() -> None:
    assert fits_any("Mailer-PROD", ["mailer-*"]) and not fits_any("other", ["mailer-*"])
