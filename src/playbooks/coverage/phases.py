"""The audit records by phase and platform: who could be seen creating, changing, permitting, triggering, running?"""

from __future__ import annotations

from typing import Any

from playbooks.coverage.places import PASS, UNKNOWN, Span, merged, spans, words
from playbooks.engine import Tables
from playbooks.knowledge.operations import Operation, load_operations, platform_of

PHASES = (
    "create", "modify-code", "modify-config", "permission", "trigger", "invoke", "identity", "defence-evasion",
    "discovery",
)  # fmt: skip


def phases(tables: Tables) -> list[dict[str, Any]]:
    """Every phase of every platform of which there are audit records.

    Returns
    -------
    list of dict
        `provider, phase, events, state` (pass: such records are in evidence; unknown), `why`, `proof`.
    """
    api = tables.api_activity
    known = load_operations()
    seen: dict[tuple[str, str], list[Span]] = {}
    providers = set()
    named = spans(api, "api_service_name", "api_operation", "api_operation_base")
    for (provider, _, _, service, name, base), span in named.items():
        if platform_of(provider):
            providers.add(provider)
            found = known.find(provider, service, name, base) if name else None
            if found:
                seen.setdefault((provider, found.phase), []).append(span)
    return [_row(provider, phase, seen.get((provider, phase))) for provider in sorted(providers) for phase in PHASES]


def _row(provider: str, phase: str, several: list[Span] | None) -> dict[str, Any]:
    span = merged(several) if several else None
    return {
        "provider": provider,
        "phase": phase,
        "events": span["events"] if span else 0,
        "state": PASS if span else UNKNOWN,
        "why": f"records in evidence: {words(span)}" if span else _why_none(provider, phase),
        "proof": span["refs"] if span else [],
    }


def _why_none(provider: str, phase: str) -> str:
    platform = platform_of(provider)
    mine = [one for one in load_operations().operations if one.platform == platform and one.phase == phase]
    if not mine:
        return "the catalogue holds no operation of this phase for it"
    if all(_is_off_by_default(one) for one in mine):
        return "none in evidence; such records are off until somebody switches them on"
    if any(_is_off_by_default(one) for one in mine):
        return "none in evidence; some such records are off until somebody switches them on"
    return "none in evidence; they are recorded by default"


def _is_off_by_default(one: Operation) -> bool:
    return one.log_class == "data" and not one.logged_by_default
