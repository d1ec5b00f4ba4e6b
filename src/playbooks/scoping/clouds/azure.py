"""Azure: callers of Resource Manager, ids of resources and bodies of requests; and the directory, Entra ID."""

from __future__ import annotations

from playbooks.scoping.clouds.azure_exposure import endpoint_of, exposure_of
from playbooks.scoping.clouds.azure_names import identities_given, identity_held, resource_of
from playbooks.scoping.clouds.azure_principals import principal_of
from playbooks.scoping.clouds.cloud import CHANGING_PHASES, Actor, Call, Facts, Principal
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
        given = identities_given(call.request) if call.operation.phase in CHANGING_PHASES else []
        passed = given[0] if given else None
        held = identity_held(call.response) if call.operation.phase in CHANGING_PHASES else None
        made = None if call.failed else endpoint_of(call)
        return Facts(named.name, named.uid, exposure_of(call), made, role=passed or held, passed=passed)


AZURE = Azure()
