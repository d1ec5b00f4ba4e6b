"""Who stands behind a record of Azure or Entra."""

from __future__ import annotations

import pytest
from tests.scoping.clouds.calls import NAMES

from playbooks.scoping.clouds import Principal, principal_of

HOME = "aaaaaaaa-0000-4000-8000-000000000001"
OBJECT, APP = "bbbbbbbb-0000-4000-8000-000000000002", "cccccccc-0000-4000-8000-000000000003"
CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
ISSUER = "https://sts.windows.net/dddddddd-0000-4000-8000-000000000004/"
IDENTITY = f"/subscriptions/{HOME}/resourcegroups/rg-shop/providers/Microsoft.Web/sites/Shop-Fn"


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        # people, in one spelling, with the client they used
        (
            ("User", "J.Doe@Example.com", OBJECT, ISSUER, CLI, HOME),
            Principal("j.doe@example.com", "User", f"application Azure CLI ({CLI})", True),
        ),
        (
            ("user", "j.doe@example.com", OBJECT, None, None, HOME),
            Principal("j.doe@example.com", "User", None, True),
        ),
        # a right held through a group is still used by a person
        (
            ("Group", "j.doe@example.com", OBJECT, ISSUER, APP, HOME),
            Principal("j.doe@example.com", "User", f"application {APP}", True),
        ),
        (
            (None, "live.com#J.Doe@example.net", OBJECT, None, None, HOME),
            Principal("j.doe@example.net", None, None, True),
        ),
        # applications: the object id, the same in every log, whatever name their maker chose
        (
            ("ServicePrincipal", APP, OBJECT, ISSUER, APP, HOME),
            Principal(OBJECT, "ServicePrincipal", f"application {APP}", False),
        ),
        (
            ("app", "ci-deployer", OBJECT, None, None, None),
            Principal(OBJECT, "ServicePrincipal", "application ci-deployer", False),
        ),
        (
            ("app", "Jit Provisioning", None, None, None, None),
            Principal("Jit Provisioning", "ServicePrincipal", None, False),
        ),
        ((None, OBJECT, None, None, None, HOME), Principal(OBJECT, None, None, None)),
        # managed identities, by their resource; one of another subscription stays a stranger
        (
            ("ManagedIdentity", IDENTITY, OBJECT, ISSUER, APP, HOME),
            Principal("rg-shop/shop-fn", "ManagedIdentity", f"identity of {IDENTITY.lower()}", False),
        ),
        (
            ("ManagedIdentity", IDENTITY, OBJECT, ISSUER, APP, APP),
            Principal(f"{HOME}:rg-shop/shop-fn", "ManagedIdentity", f"identity of {IDENTITY.lower()}", False),
        ),
        # a display name made to look like one
        (
            ("app", IDENTITY, OBJECT, None, None, None),
            Principal(OBJECT, "ServicePrincipal", f"application {IDENTITY}", False),
        ),
        (
            ("ManagedIdentity", "odd", OBJECT, None, None, HOME),
            Principal(OBJECT, "ManagedIdentity", "application odd", False),
        ),
        ((None, None, None, None, None, None), Principal(None, None, None, None)),
    ],
)
def test_the_principal_is_the_one_behind_the_record(actor: tuple[str | None, ...], expected: Principal) -> None:
    assert principal_of("Azure", *actor) == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("provider", ["Azure", "Microsoft 365"])
def test_no_name_is_too_odd(provider: str, name: str | None) -> None:
    assert isinstance(principal_of(provider, name, name, name, name, name, name), Principal)
