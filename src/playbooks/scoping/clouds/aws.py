"""AWS: CloudTrail's identities, ARNs and policies."""

from __future__ import annotations

from playbooks.scoping.clouds.aws_exposure import House, endpoint_of, exposure_of
from playbooks.scoping.clouds.aws_foreign import code_of_strangers, sent_outside
from playbooks.scoping.clouds.aws_names import FUNCTION_ARN, functions_named, resource_of
from playbooks.scoping.clouds.aws_principals import principal_of
from playbooks.scoping.clouds.aws_triggers import schedule_of, triggers_of
from playbooks.scoping.clouds.cloud import CHANGING_PHASES, Actor, Call, Facts, Principal, Target
from playbooks.scoping.clouds.record_json import text_at

ROLE_PATHS = ("role", "roleArn", "target.roleArn", "targets[].roleArn")  # where a request names a role


class AmazonWebServices:
    """Records of CloudTrail."""

    def principal(self, actor: Actor) -> Principal:
        """The role behind a session, the person behind an Identity Center role, the service that acts itself."""
        return principal_of(actor)

    def facts(self, call: Call) -> Facts:
        """From the request first, then the answer, then what the format found."""
        resource = resource_of(call)
        changing = call.operation.phase in CHANGING_PHASES
        touched = functions_named(call.request) if changing else ()
        passed = text_at(call.request, *ROLE_PATHS) if changing else None
        role = text_at(call.request, "role") or text_at(call.response, "role") if changing else None
        house = House(call.account, frozenset(call.own.aws_accounts), frozenset(call.own.zones))
        told = (
            exposure_of(call.operation, call.request, call.response, house),
            code_of_strangers(call.operation, call.request, house) if changing else None,
            sent_outside(call.request, house.zones) if changing else None,
        )
        opened = "; ".join(fact for fact in told if fact) or None
        made = None if call.failed else endpoint_of(call.operation, call.response, call.region)
        starts = triggers_of(call, touched) if changing else ()
        times = schedule_of(call) if changing else None
        return Facts(resource.name, resource.uid, opened, made, touched, role, passed, starts, times)

    def place(self, region: str | None, _uid: str | None) -> str | None:
        """The region: names of functions are unique in no more."""
        return region

    def target(self, uid: str) -> Target | None:
        """The function of an ARN."""
        parts = uid.split(":")
        if not FUNCTION_ARN.fullmatch(uid):
            return None
        return Target("function", parts[6], parts[4] or None, parts[3] or None)


AWS = AmazonWebServices()
