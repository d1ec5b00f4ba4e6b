"""What a change in AWS lets start a function or its like: services, event sources, addresses, times."""

from __future__ import annotations

from playbooks.scoping.clouds.cloud import Call
from playbooks.scoping.clouds.record_json import text_at

SCHEDULE_PATHS = ("scheduleExpression", "ScheduleExpression", "schedule")


def triggers_of(call: Call, touched: tuple[str, ...]) -> tuple[str, ...]:
    """Kinds of triggers that a request sets, sorted; for one that names functions, the type that starts them."""
    base, request = call.operation.operation, call.request
    kinds: set[str] = set()
    if base == "AddPermission":
        kinds = {_caller(text_at(request, "principal"))}
    elif base in ("CreateFunctionUrlConfig", "UpdateFunctionUrlConfig"):
        kinds = {f"function URL ({text_at(request, 'authType') or 'authType not told'})"}
    elif base in ("CreateEventSourceMapping", "UpdateEventSourceMapping"):
        kinds = {_source(text_at(request, "eventSourceArn"))} if base.startswith("Create") else set()
    elif call.operation.phase == "trigger" and (schedule_of(call) or touched):
        kinds = {"schedule" if schedule_of(call) else str(call.operation.resource_type)}
    return tuple(sorted(kinds))


def _caller(principal: str | None) -> str:
    if principal is None:
        return "a caller that the record does not name"
    if principal == "*":
        return "anyone"
    return f"service {principal}" if principal.endswith(".amazonaws.com") else f"principal {principal}"


def _source(arn: str | None) -> str:
    parts = (arn or "").split(":")
    return f"event source {parts[2]}" if len(parts) > 2 and parts[0] == "arn" else "event source outside AWS"


def schedule_of(call: Call) -> str | None:
    """`rate(…)`, `cron(…)` or `at(…)` of a rule, schedule or trigger."""
    return text_at(call.request, *SCHEDULE_PATHS) if call.operation.phase == "trigger" else None
