"""Records of a provider that no module here knows: what their own columns say."""

from __future__ import annotations

from playbooks.scoping.clouds.cloud import Actor, Call, Facts, NamedPerAccount, Principal
from playbooks.scoping.clouds.record_json import plain_text, texts_at


class Other(NamedPerAccount):
    """The plain columns, and the paths at which the catalogue says that the resource stands."""

    def principal(self, actor: Actor) -> Principal:
        """As logged."""
        return Principal(actor.name or actor.uid or actor.invoked_by, actor.kind, None)

    def facts(self, call: Call) -> Facts:
        """The resource as logged; nothing is known of what a change opens."""
        record = {"requestParameters": call.request, "responseElements": call.response}
        named = (text for path in call.operation.resource_keys for text in texts_at(record, path))
        logged = map(plain_text, (call.logged_name, call.logged_uid))
        return Facts(next((text for text in (*named, *logged) if text), None), plain_text(call.logged_uid))

    def place(self, region: str | None, _uid: str | None) -> str | None:
        """The region: nothing is known of how far its names reach."""
        return region


OTHER = Other()
