"""Result tables for the tests of findings: only what matters is named, the rest is ordinary."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pyarrow as pa

from playbooks import schema
from playbooks.case import Case, CaseFile, new_case
from playbooks.findings import OwnClouds
from playbooks.schema.arrow import ARROW

DAY = dt.datetime(2026, 3, 10, tzinfo=dt.UTC)
WORKER = "poll.stranger.workers.dev"
CLIENT = "10.0.0.9"
ESTATE = 20  # clients that `estate` adds, all of them users of one intranet page


def at(hours: float) -> dt.datetime:
    return DAY + dt.timedelta(hours=hours)


def table(of: schema.Table, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as they come back from `results/`: every column, the types of the dictionary."""
    shape = pa.schema([(column.name, ARROW[column.type]) for column in of.columns])
    for row in rows:
        assert set(row) <= set(of.names), set(row) - set(of.names)
    frame: pd.DataFrame = pa.Table.from_pylist(rows, schema=shape).to_pandas()
    return frame


def pair(src: str = CLIENT, dst: str = WORKER, **facts: Any) -> dict[str, Any]:
    """One pair that says nothing: a Worker of a stranger, used by half the estate, seen before."""
    return {
        "src": src,
        "dst": dst,
        "kind": "fqdn",
        "provider": "Cloudflare",
        "service": "Workers (workers.dev)",
        "catalogue_id": "cf-workers",
        "tenant": "stranger",
        "matched_by": "host",
        "region": None,
        "ownership": "external",
        "ownership_reason": "not in the inventory",
        "ownership_refs": [],
        "first_seen": at(1),
        "last_seen": at(20),
        "connections": 100,
        "clients": ESTATE // 2,
        "clients_share": 0.5,
        "user_agents": [],
        "new_in_window": False,
        "sources": ["http"],
        "priority_reasons": [],
        "refs": ["E001:1", "E001:50", "E001:100"],
        "user_agent_refs": _refs_of(facts, "user_agents", 50),
        "process_refs": _refs_of(facts, "processes", 60),
        "fingerprint_refs": _refs_of(facts, "fingerprints", 70),
        "trait_refs": _refs_of(facts, "traits", 80),
    } | facts


def _refs_of(facts: dict[str, Any], column: str, first: int) -> list[str]:
    """A record of its own for each value of a list."""
    return [f"E001:{place}" for place, _ in enumerate(facts.get(column, ()), start=first)]


def shape(trait: str, field: str, value: str) -> dict[str, Any]:
    """A record that has the shape of a tool."""
    return {"traits": [trait], "trait_fields": [field], "trait_values": [value]}


# Facts about a pair, each one kind of signal (or none).
RARE: dict[str, Any] = {"clients": 1, "clients_share": 0.05, "new_in_window": True}
RHYTHM: dict[str, Any] = {
    "clients": 3,
    "clients_share": 0.15,
    "beacon_score": 0.95,
    "beacon_period_s": 60.0,
    "beacon_reason": "100 check-ins, every 60 s ± 3%.",
    "beacon_source": "http",
    "new_in_window": True,
    "new_for_client": True,
}
OWN_AGENT: dict[str, Any] = {"clients": 3, "clients_share": 0.15, "user_agents": ["Sync/1.0"]}
OUTSIDE: dict[str, Any] = {
    "dst": "poll.stranger.example",
    "provider": None,
    "service": None,
    "catalogue_id": None,
    "tenant": None,
    "matched_by": None,
}
OUTSIDE_FACTS = {name: value for name, value in OUTSIDE.items() if name != "dst"}
APPROVED: dict[str, Any] = {"ownership": "owned-approved", "ownership_reason": "in the inventory, owner Web"}
MODIFIED: dict[str, Any] = {
    "ownership": "owned-recently-modified",
    "ownership_reason": "ours (resize), and changed by j.doe at 2026-03-10 09:00 UTC without an allow-list entry",
    "ownership_refs": ["E002:7"],
}


def estate() -> list[dict[str, Any]]:
    """Clients enough to call something rare, with two user agents that everybody has."""
    page = {**OUTSIDE, "dst": "intranet.house.example", "clients": ESTATE, "clients_share": 1.0}
    return [pair(f"10.0.1.{n}", **page | {"user_agents": ["Browser/1", "Browser/2"]}) for n in range(ESTATE)]


def item(state: str = "valid", observable: str = WORKER, **facts: Any) -> dict[str, Any]:
    """One match with intelligence."""
    return {
        "observable": observable,
        "observable_type": "domain",
        "matched_on": "exact",
        "indicator": observable,
        "ref": "E005:1",
        "source": "CERT example",
        "confidence": 80,
        "valid_from": at(-240),
        "description": "check-in host of a loader",
        "state": state,
        "lookup": "CaseIndicators: listed",
    } | facts


def act(operation: str = "UpdateFunctionCode", phase: str = "modify-code", **facts: Any) -> dict[str, Any]:
    """One control-plane event that says nothing: a known pipeline at its daily work."""
    return {
        "ref": "E002:1",
        "time": at(9),
        "provider": "AWS",
        "service": "lambda.amazonaws.com",
        "operation": f"{operation}20150331v2",
        "operation_base": operation,
        "phase": phase,
        "principal": "ci-deployer",
        "principal_type": "role",
        "by_user": False,
        "resource": "invoice-export",
        "resource_type": "function",
        "account": "111111111111",
        "region": "eu-central-1",
        "outcome": "success",
        "source_ip": "192.0.2.10",
        "user_agent": "aws-cli/2.15.0",
        "attack": ["T1648"],
        "novelty": 0.0,
        "reasons": [],
    } | facts


def chain(
    *principals: str, score: float = 0.8, resources: tuple[str, ...] = ("invoice-export",), **facts: Any
) -> dict[str, Any]:
    """Steps of these principals in one sitting, without exposure, evasion and novelty of its own."""
    return {
        "chain": "C-00000001",
        "score": score,
        "reasons": ["4 stages: preparation, change, permission or trigger, run"],
        "exposure_part": 0.0,
        "evasion_part": 0.0,
        "novelty_part": 0.0,
        "stages": ["preparation", "change", "permission or trigger", "run"],
        "principals": list(principals),
        "resources": list(resources),
        "start": at(9),
        "end": at(9.5),
        "steps": 4,
        "refs": ["E002:1", "E002:2"],
    } | facts


def log_change(ref: str = "E002:1", effect: str = "less", **facts: Any) -> dict[str, Any]:
    """What one record did to a log."""
    return {
        "ref": ref,
        "time": at(9),
        "provider": "AWS",
        "operation": "PutEventSelectors",
        "principal": "ci-deployer",
        "resource": "corp-trail",
        "account": "111111111111",
        "region": "eu-central-1",
        "outcome": "success",
        "effect": effect,
        "change": "narrowed",
        "sentence": "trail corp-trail narrowed: events: no longer data",
    } | facts


def outside(verdict: str = "outside", **facts: Any) -> dict[str, Any]:
    """A session of the function's role that none of its runs made."""
    return {
        "role": "invoice-role",
        "functions": ["invoice-export"],
        "session": "night",
        "account": "111111111111",
        "address": "198.51.100.77",
        "user_agent": "aws-cli/2.15.0",
        "verdict": verdict,
        "reasons": ["session night is named after no function of the role"],
        "compared_with": "nothing",
        "calls": 3,
        "operations": ["ListBuckets"],
        "first_seen": at(10),
        "last_seen": at(11),
        "refs": ["E002:40"],
    } | facts


def match(ref: str = "E002:1", level: str = "medium", **facts: Any) -> dict[str, Any]:
    """A record that a Sigma rule fits."""
    return {
        "rule_id": "r",
        "title": "a rule",
        "level": level,
        "tags": ["attack.t1648"],
        "kind": "event",
        "time": at(9),
        "principal": "m.weber",
        "resource": "invoice-export",
        "ref": ref,
        "refs": [],
        "path": "rules/a.yml",
        "document": 0,
    } | facts


def own(**rows: list[dict[str, Any]]) -> OwnClouds:
    """What other tables say of our clouds."""
    tables = {
        "chains": schema.CHAINS,
        "logging_changes": schema.LOGGING_CHANGES,
        "credentials_outside": schema.CREDENTIALS_OUTSIDE,
        "sigma_matches": schema.SIGMA_MATCHES,
    }
    return OwnClouds(**{name: table(tables[name], several) for name, several in rows.items()})


def pairs(*rows: dict[str, Any]) -> pd.DataFrame:
    return table(schema.EGRESS_PAIRS, list(rows))


def intel(*rows: dict[str, Any]) -> pd.DataFrame:
    return table(schema.ENRICHMENT, list(rows))


def activity(*rows: dict[str, Any]) -> pd.DataFrame:
    return table(schema.CLOUD_ACTIVITY, list(rows))


def config(**fields: Any) -> CaseFile:
    return CaseFile(**{"case_id": "T-1", **fields})


def case(folder: Any, **fields: Any) -> Case:
    """A case on disk with these fields."""
    made = new_case(folder, "T-1")
    return Case(made.path, config(**fields))


QUESTIONS = {
    "egress_rhythm": ("A", "http_activity.dst_endpoint_hostname"),
    "known_indicators": ("A", "http_activity.dst_endpoint_hostname"),
    "function_changes": ("B", "api_activity.api_operation"),
    "public_exposure": ("B", "api_activity.api_operation"),
    "logging_tampered": ("B", "api_activity.api_operation"),
    "function_runs": ("B", "api_activity.metadata_event_code"),
}


def coverage(*blind: str, indicators: int = 1, spots: tuple[str, ...] = ()) -> dict[str, Any]:
    """Coverage of a case in which all but the `blind` questions can be asked."""
    facts = {"events": 1200, "first": "2026-03-10T00:00:00+00:00", "last": "2026-03-11T23:00:00+00:00", "fields": {}}
    return {
        "window": {"start": "2026-03-10T00:00:00Z", "end": "2026-03-12T00:00:00Z"},
        "indicators": indicators,
        "tables": [{"table": name, **facts} for name in ("http_activity", "api_activity")],
        "questions": [
            {
                "id": name,
                "hypothesis": hypothesis,
                "title": f"Is it {name}?",
                "answerable": name not in blind,
                "reason": f"no record carries {need}" if name in blind else "looked at 1,200 records",
                "needs": [need],
            }
            for name, (hypothesis, need) in QUESTIONS.items()
        ],
        "blind_spots": [{"id": spot, "missing": "runs", "forbids": "who ran it"} for spot in spots],
    }
