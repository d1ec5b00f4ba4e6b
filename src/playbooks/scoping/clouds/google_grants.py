"""Google Cloud: bindings of IAM policies, and custom roles.

What a call changed stands in the difference of the policy, where the record holds one; else the policy that it set is
all that is known, and replaces what the resource had. Answers are those of `gcloud … get-iam-policy`.
Reference: Google Cloud IAM documentation, "Policy"; "Example audit logs"; `google.iam.v1.BindingDelta`.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.knowledge.role_rights import RolePlatform, load_role_rights
from playbooks.scoping.clouds.google_exposure import ANYONE, DELTAS, House
from playbooks.scoping.clouds.grants import MAX_GRANTS, Definition, Grant, Step, Told
from playbooks.scoping.clouds.record_json import objects_at, text_at, texts_at

BINDINGS = ("policy.bindings", "bindings")
WIDE = ("projects", "folders", "organizations")
NAMED = ("user", "serviceAccount", "group", "domain")


class GoogleGrants:
    """IAM of Google Cloud."""

    provider: str = "GCP"
    platform: RolePlatform = "gcp"
    operations: tuple[str, ...] = ("setiampolicy", "v1.createrole", "v1.updaterole")
    asked: tuple[str, ...] = ("getIamPolicy",)

    def record(self, step: Step) -> Told:
        """What a policy gained and lost, or the whole of what it became; the permissions of a custom role."""
        if not step.operation.lower().endswith("setiampolicy"):
            return _role(step)
        deltas = [one for path in DELTAS for one in objects_at(step.response, path)][:MAX_GRANTS]
        if not deltas:
            given = tuple(_bound(step, step.request))
            return Told(given=given, replaces=_scope(step)) if given else Told()
        made = [(text_at(one, "action"), _delta(step, one)) for one in deltas]
        return Told(
            given=tuple(grant for action, grant in made if grant and action == "ADD"),
            ended=tuple(grant.key for action, grant in made if grant and action == "REMOVE"),
        )

    def answer(self, step: Step) -> Told:
        """The whole policy of a resource; of a project it lists the project's own grants."""
        scope = _scope(step)
        return Told(
            given=tuple(_bound(step, step.response)),
            replaces=scope,
            listed=step.account or scope.rpartition("/")[2] if _wide(scope) else None,
        )

    def holder_of(self, uid: str | None, name: str | None) -> str | None:
        """The address; the subject of a federated identity."""
        return (name or uid or "").lower() or None

    def action_of(self, service: str, operation: str) -> str | None:
        """The permission behind a method, where it is known."""
        return load_role_rights().permission_of.get(".".join(operation.split(".")[-2:]))


def _scope(step: Step) -> str:
    """Name of the resource, without the service's host."""
    name = (step.resource or f"projects/{step.account}").removeprefix("//")
    host, _, rest = name.partition("/")
    return rest if "." in host and rest else name


def _wide(scope: str) -> bool:
    parts = scope.split("/")
    return len(parts) == 1 or (len(parts) == 2 and parts[0] in WIDE)


def _delta(step: Step, one: dict[str, object]) -> Grant | None:
    role, member = text_at(one, "role"), text_at(one, "member")
    return _grant(step, role, member, one) if role and member else None


def _bound(step: Step, content: dict[str, object]) -> Iterator[Grant]:
    for path in BINDINGS:
        for binding in objects_at(content, path)[:MAX_GRANTS]:
            role = text_at(binding, "role")
            for member in texts_at(binding, "members") if role else ():
                yield _grant(step, role or "", member, binding)


def _grant(step: Step, role: str, member: str, binding: dict[str, object]) -> Grant:
    kind, colon, name = member.partition(":")
    named = kind in NAMED and bool(colon)
    scope = _scope(step)
    condition = text_at(binding, "condition.title", "condition.expression") or ""
    foreign = None if member in ANYONE else House(step.account, step.own).stranger(member)
    return Grant(
        f"{scope} {role} {member} {condition}",
        name.lower() if named else member,
        kind if named else None,
        role,
        scope,
        _wide(scope),
        step.account,
        condition,
        foreign,
        ANYONE.get(member),
    )


def _role(step: Step) -> Told:
    """A custom role; an update that leaves out the permissions tells nothing of them."""
    permissions = tuple(texts_at(step.request, "role.includedPermissions"))
    permissions = permissions or tuple(texts_at(step.request, "role.included_permissions"))
    name = text_at(step.response, "name") or _scope(step)
    if not permissions or "/roles/" not in name:
        return Told()
    title = text_at(step.request, "role.title") or name
    return Told(defined={name.lower(): Definition(title, permissions)})


GOOGLE_GRANTS = GoogleGrants()
