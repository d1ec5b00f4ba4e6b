"""GitHub: who changed pipelines, secrets and keys, as context for what those pipelines do in a cloud."""

from __future__ import annotations

from playbooks.scoping.clouds.cloud import Actor, Call, Facts, NamedPerAccount, Principal
from playbooks.scoping.clouds.other import OTHER


class GitHub(NamedPerAccount):
    """Records of the audit log of an organisation or enterprise."""

    def principal(self, actor: Actor) -> Principal:
        """The person or bot; the application, or the kind of token, that acted for them stands beside."""
        through = f"by {actor.invoked_by}" if actor.invoked_by and actor.invoked_by != actor.name else None
        is_user = actor.kind == "user" if actor.kind else None
        return Principal(actor.name or actor.uid or actor.invoked_by, actor.kind, through, is_user)

    def facts(self, call: Call) -> Facts:
        """The resource as logged; nothing is known of what a change opens."""
        return OTHER.facts(call)


GITHUB = GitHub()
