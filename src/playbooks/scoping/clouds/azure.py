"""Azure: callers of Resource Manager, ids of resources and bodies of requests; and the directory, Entra ID."""

from __future__ import annotations

from playbooks.scoping.clouds.azure_exposure import endpoint_of, exposure_of
from playbooks.scoping.clouds.azure_names import identities_given, identity_held, resource_of
from playbooks.scoping.clouds.azure_principals import principal_of
from playbooks.scoping.clouds.azure_triggers import group_of, schedule_of, target_of, touched_by, triggers_of
from playbooks.scoping.clouds.cloud import CHANGING_PHASES, Actor, Call, Facts, Principal, Target
from playbooks.scoping.clouds.entra import directory_facts

RESOURCE_MANAGER = "microsoft."  # its providers; services of the directory are called otherwise


class Azure:
    """Records of the Activity log, of resource logs and of the Entra audit log."""

    def principal(self, actor: Actor) -> Principal:
        """The person, the application's service principal, or the resource whose identity asked."""
        return principal_of(actor)

    def facts(self, call: Call) -> Facts:
        """From the id of the resource and the request's body, where the record holds one."""
        if not call.operation.service.lower().startswith(RESOURCE_MANAGER):
            return directory_facts(call)
        named = resource_of(call)
        made = None if call.failed else endpoint_of(call)
        if call.operation.phase not in CHANGING_PHASES:
            return Facts(named.name, named.uid, exposure_of(call), made)
        given = identities_given(call.request)
        passed = given[0] if given else None
        role = passed or identity_held(call.response)
        starts, times = triggers_of(call), schedule_of(call)
        opened, touched = exposure_of(call), touched_by(call)
        return Facts(named.name, named.uid, opened, made, touched, role, passed, starts, times)

    def place(self, _region: str | None, uid: str | None) -> str | None:
        """The resource group: an operation of the whole subscription, or one logged as global, has no other region."""
        return group_of(uid)

    def target(self, uid: str) -> Target | None:
        """The function app, function, workflow, app, job or runbook of an id."""
        return target_of(uid)


AZURE = Azure()
