"""Roles of the other clouds: every row names where it was read, and what is telling is granted by some role."""

from __future__ import annotations

from playbooks.knowledge.role_rights import load_role_rights
from playbooks.scoping.policy_documents import matches

KNOWN = load_role_rights()
ROWS = [row for rows in vars(KNOWN).values() if isinstance(rows, tuple) for row in rows]


def test_every_row_names_a_described_source_and_every_source_is_used() -> None:
    assert {row.source for row in ROWS} == set(KNOWN.sources)
    assert {row.confidence for row in ROWS} <= {"high", "medium"}


def test_roles_and_methods_are_named_once() -> None:
    assert len(KNOWN.role_of) == len(KNOWN.roles)
    assert len(KNOWN.permission_of) == len(KNOWN.permissions)


def test_what_is_telling_is_granted_by_a_role_that_is_known() -> None:
    for row in KNOWN.telling:
        granted = [role for role in KNOWN.roles if role.platform == row.platform
                   and any(matches(pattern, row.action) for pattern in role.actions)]  # fmt: skip
        assert granted, row.action


def test_permissions_behind_methods_are_granted_by_a_role_that_is_known() -> None:
    granted = {action for role in KNOWN.roles if role.platform == "gcp" for action in role.actions}
    seldom = {"cloudfunctions.functions.sourceCodeGet"}  # a read: not kept
    assert set(KNOWN.permission_of.values()) - granted <= seldom


def test_azure_publishes_whole_roles_and_a_contributor_gives_no_rights() -> None:
    by_name = {(role.platform, role.name): role for role in KNOWN.roles}
    assert all(role.whole for role in KNOWN.roles if role.platform == "azure")
    assert by_name["azure", "Owner"].actions == ("*",) and not by_name["azure", "Owner"].not_actions
    without = by_name["azure", "Contributor"].not_actions
    assert any(matches(pattern, "Microsoft.Authorization/roleAssignments/write") for pattern in without)
