"""What would open the stages of a finding's lifecycle that nothing in evidence could show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playbooks.collection.observed import IN_FINDING, WORTH_A_LOOK
from playbooks.collection.states import NOT_YET
from playbooks.knowledge.lifecycle import load_lifecycle

ORDER = 24  # beside the logs of the house: an EDR or an event log keeps days to weeks
BLIND = "blind"
HOSTS_NAMED = 3


def blind_stages(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each kind of telemetry that is lacking, with the hosts and stages that ask for it."""
    asked: dict[str, dict[str, Any]] = {}
    for tier, kind in ((IN_FINDING, "findings"), (WORTH_A_LOOK, "leads")):
        for entry in found.get(kind) or ():
            for stage in (entry.get("lifecycle") or {}).get("stages") or ():
                _note(asked, entry, stage, tier)
    return [_row(channel, told) for channel, told in asked.items()]


def _note(asked: dict[str, dict[str, Any]], entry: Mapping[str, Any], stage: Mapping[str, Any], tier: int) -> None:
    if stage["state"] != BLIND:
        return
    known = load_lifecycle()
    channels = next(one for one in known.stages if one.id == stage["stage"]).shown_by
    for channel in channels:
        told = asked.setdefault(channel, {"tier": tier, "hosts": {}, "stages": {}, "because": {}, "refs": {}})
        told["hosts"] |= dict.fromkeys(stage["blind_for"])
        told["stages"][stage["name"].lower()] = None
        told["because"][entry["id"]] = None
        told["refs"] |= dict.fromkeys(_first_contact(entry))


def _first_contact(entry: Mapping[str, Any]) -> list[str]:
    """Records of the contact that asks for it."""
    stages = entry["lifecycle"]["stages"]
    return [ref for stage in stages if stage["stage"] == "command-and-control" for ref in stage["refs"]][:1]


def _row(channel: str, told: Mapping[str, Any]) -> dict[str, Any]:
    known = load_lifecycle().channel(channel)
    hosts = list(told["hosts"])
    more = f" and {len(hosts) - HOSTS_NAMED:,} more" if len(hosts) > HOSTS_NAMED else ""
    return {
        "order": ORDER,
        "tier": told["tier"],
        "kind": f"lifecycle-{channel}",
        "entity": f"host {', '.join(hosts[:HOSTS_NAMED])}{more}",
        "refs": list(told["refs"])[:5],
        "because": list(told["because"])[:5],
        "what": known.open,
        "how": "export for the day before and the day after first contact, as the product writes it",
        "why_now": f"without it these stages are blind around first contact: {', '.join(told['stages'])}",
        "expires": None,
        "overdue": False,
        "state": NOT_YET,
        "evidence": [],
        "lacking": [],
        "confidence": "high",
        "sources": ["lifecycle of this case's findings"],
    }
