"""Who stands behind a record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playbooks.scoping.clouds import Principal, principal_of

HOME = "111111111111"
ROLE = f"arn:aws:iam::{HOME}:role/tools/ci-deployer"
SESSION = f"arn:aws:sts::{HOME}:assumed-role/ci-deployer/build-4711"
PERSON = f"arn:aws:sts::{HOME}:assumed-role/AWSReservedSSO_Admin_0a1b/j.doe"


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (
            ("IAMUser", "j.doe", f"arn:aws:iam::{HOME}:user/j.doe", None, None, HOME),
            Principal("j.doe", "IAMUser", None),
        ),
        (
            ("IAMUser", None, f"arn:aws:iam::{HOME}:user/ops/j.doe", None, "cloudformation.amazonaws.com", HOME),
            Principal("j.doe", "IAMUser", "by cloudformation.amazonaws.com"),
        ),
        (
            ("AssumedRole", "ci-deployer", SESSION, ROLE, None, HOME),
            Principal("ci-deployer", "AssumedRole", "session build-4711"),
        ),
        (
            ("AssumedRole", None, SESSION, None, None, HOME),
            Principal("ci-deployer", "AssumedRole", "session build-4711"),
        ),
        (
            ("AssumedRole", None, PERSON, None, None, HOME),
            Principal("j.doe", "AssumedRole", "role AWSReservedSSO_Admin_0a1b"),
        ),
        (
            ("AssumedRole", "ci-deployer", SESSION, ROLE, None, "222222222222"),
            Principal(f"{HOME}:ci-deployer", "AssumedRole", "session build-4711"),
        ),
        (
            (
                "FederatedUser",
                None,
                f"arn:aws:sts::{HOME}:federated-user/night",
                f"arn:aws:iam::{HOME}:user/j.doe",
                None,
                HOME,
            ),
            Principal("j.doe", "FederatedUser", "federated user night"),
        ),
        (
            ("FederatedUser", None, f"arn:aws:sts::{HOME}:federated-user/night", None, None, HOME),
            Principal("night", "FederatedUser", None),
        ),
        (
            ("SomeNewKind", None, f"arn:aws:iam::{HOME}:something/new", None, None, HOME),
            Principal("new", "SomeNewKind", None),
        ),
        (("Root", None, f"arn:aws:iam::{HOME}:root", None, None, HOME), Principal("root", "Root", None)),
        (
            ("AWSService", None, None, None, "lambda.amazonaws.com", HOME),
            Principal("lambda.amazonaws.com", "AWSService", None),
        ),
        (("SAMLUser", "j.doe@example.com", "x", None, None, None), Principal("j.doe@example.com", "SAMLUser", None)),
        ((None, None, None, None, None, None), Principal(None, None, None)),
        (("AssumedRole", None, "arn:aws:sts::", "arn:", None, "x"), Principal("arn:aws:sts::", "AssumedRole", None)),
    ],
)
def test_a_principal_is_the_person_or_pipeline(actor: tuple[str | None, ...], expected: Principal) -> None:
    assert replace(principal_of("AWS", *actor), is_user=None) == expected


@pytest.mark.parametrize(
    ("actor", "is_user"),
    [
        (("IAMUser", "j.doe", f"arn:aws:iam::{HOME}:user/j.doe", None, None, HOME), True),
        (("AssumedRole", None, PERSON, None, None, HOME), True),
        (("AssumedRole", "ci-deployer", SESSION, ROLE, None, HOME), False),
        (("AWSService", None, None, None, "lambda.amazonaws.com", HOME), False),
        ((None, None, None, None, None, None), None),
    ],
)
def test_a_users_credentials_are_told_from_a_roles(actor: tuple[str | None, ...], is_user: bool | None) -> None:
    assert principal_of("AWS", *actor).is_user is is_user
