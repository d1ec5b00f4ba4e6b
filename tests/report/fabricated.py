"""A case for the report's tests: `calm()` is an ordinary one, `hostile()` has an attack in every field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from playbooks import schema
from playbooks.report import CaseFacts

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</script><script>alert(3)</script>",
    "javascript:alert(4)",
    "[click](javascript:alert(5))",
    "{{7*7}}{% raw %}",
    "<svg/onload=alert(6)>",
    "' onmouseover='alert(7)",
    "]]><!--",
    "invoice\u202egpj.exe",
    "nul\x00byte",
    "\x1b[31mred\x1b[0m",
    '<a href="https://evil.example/x">link</a>',
    "<style>body{background:url(https://evil.example/p)}</style>",
    "half\ud800",
)
ATTACK = " ".join(ATTACKS)
LONG = "A" * 100_000
REF = "E002:4118"
HOURS = pd.date_range("2024-04-15", periods=48, freq="h", tz="UTC")


def calm() -> CaseFacts:
    return CaseFacts(
        case_id="T-1",
        title="Suspected check-ins",
        tlp="TLP:AMBER",
        analyst="j.doe",
        hypotheses=["A", "B"],
        window={"start": "2024-04-15T00:00:00Z", "end": "2024-04-17T00:00:00Z"},
        baseline=None,
        estate={"internal": ["10.0.0.0/8"]},
        findings=findings(),
        coverage=coverage(),
        pairs=pairs(),
        activity=activity(),
        resources=resources(),
        evidence=[
            {"evidence_id": "E002", "name": "proxy access.log", "source": "proxy access.log", "size": 1234,
             "sha256": "9f" * 32, "added": "2024-04-18T09:00:00Z"}
        ],
        custody={"entries": 3, "head": "ab" * 32, "intact": True},
        raw={REF: {"text": "10.1.4.23 POST https://poll.workers.dev/s?token=s3cr3tvalue", "file": "proxy access.log",
                   "sha256": "9f" * 32}},
        checkins=checkins(),
        egress_hours=pd.DataFrame(
            {"hour": HOURS, "dst": "poll.workers.dev", "service": "Cloudflare Workers", "connections": 60}
        ),
        run={"run_id": "R1", "started": "2024-04-18T10:00:00Z", "versions": {"playbooks": "0.1.0"},
             "parameters": {"beacon_min_events": 30}, "command": "playbooks run CASE"},
        checklist=checklist(),
        links=links(),
        roles=roles(),
    )  # fmt: skip


def finding(**different: Any) -> dict[str, Any]:
    return {
        "id": "A-1f3c9a",
        "hypothesis": "A",
        "title": "10.1.4.23 contacted poll.workers.dev every 61 seconds",
        "subjects": {"src": ["10.1.4.23"], "dst": ["poll.workers.dev"], "tenant": ["poll"]},
        "first_seen": "2024-04-15T00:00:00Z",
        "last_seen": "2024-04-16T23:00:00Z",
        "signals": [
            {"kind": "rhythm", "sentence": "2,800 requests.", "weight": 0.42, "refs": [REF, "E009:1"]},
            {"kind": "rarity", "sentence": "One client only.", "weight": 0.2, "refs": [REF]},
        ],
        "score": 0.62,
        "attack": ["T1583.007"],
        "not_observable": ["What the function does."],
        "innocent_if": ["A heartbeat that is not in the inventory."],
        "next_steps": ["Ask the owner of 10.1.4.23."],
        "decision": {"verdict": "confirmed", "reason": "Nobody knows it.", "analyst": "j.doe",
                     "time": "2024-04-18T11:00:00Z"},
    } | different  # fmt: skip


def findings() -> dict[str, Any]:
    outcomes = {
        word: {"hypothesis": "A", "title": f"Was it {word}?", "outcome": word, "reason": f"Because {word}."}
        for word in ("found", "clear", "blind")
    }
    return {
        "case_id": "T-1",
        "hypotheses": ["A", "B"],
        "outcomes": outcomes,
        "findings": [finding()],
        "leads": [finding(id="A-lead", title="A lead about hooks.example", signals=finding()["signals"][:1])],
        "suppressed": [
            {"subject": "10.1.2.4 → probe.example", "hypothesis": "A", "would_be": "rhythm of 300 seconds",
             "allowed_by": "heartbeat, platform team, until 2024-12-31", "signals": finding()["signals"],
             "refs": [REF]}
        ],
        "set_apart": {"sentence": "2 events by our own collection, set apart.", "refs": ["E004:20"],
                      "not_set_apart_refs": ["E004:21"]},
        "limits": ["No evidence found in the searched records is not evidence that nothing happened."],
        "versions": {"catalogue": "2025-11"},
    }  # fmt: skip


def coverage() -> dict[str, Any]:
    counts = [0 if 10 <= hour < 14 else 60 for hour in range(48)]
    return {
        "case_id": "T-1",
        "window": None,
        "items": [
            {"evidence_id": "E002", "name": "proxy access.log", "format": "squid_access", "table": "http_activity",
             "records": 2643, "events": 2640, "unread": 2, "blank": 1, "first": "2024-04-15T00:00:00Z",
             "last": "2024-04-16T23:59:00Z", "note": "", "tables": {"http_activity": 2640}}
        ],
        "gaps": [gap()],
        "clock_skew": [
            {"first": "E002", "second": "E003", "state": "zone", "offset_s": 3600, "matches": 40, "of": 44,
             "wrong": "E003", "sentence": "E003 is 60 min ahead of E002.", "examples": [[REF, "E003:1"]]}
        ],
        "fields": [
            {"source": "E002", "name": "proxy access.log", "table": "http_activity", "field": "process",
             "label": "process", "filled": 0, "of": 2640, "share": 0.0, "state": "absent",
             "questions": [{"id": "process", "effect": "weak"}], "without": "which program sent the request"}
        ],
        "retention": [
            {"source": "E002", "name": "proxy access.log", "oldest": "2024-04-15T00:00:00Z", "oldest_ref": REF,
             "observed_days": 2.0, "stated_days": 30, "expires": "2024-05-15", "window": "cut", "baseline": None,
             "sentence": "E002 goes back to 2024-04-15."}
        ],
        "phases": [
            {"provider": "AWS", "phase": "invoke", "events": 0, "state": "unknown", "why": "none there", "proof": []}
        ],
        "deciding_fields": [
            {"label": "process", "sentence": "process in E002 would tell which program.", "findings": ["A-1f3c9a"],
             "pairs": 1, "hosts": 1, "examples": [{"src": "10.1.4.23", "dst": "poll.workers.dev", "refs": [REF]}],
             "recommend": "Sysmon 3"}
        ],
        "tables": [{"table": "http_activity", "events": 2640, "first": None, "last": None,
                    "fields": {"actor_process_name": 0, "src_endpoint_ip": 1.0}}],
        "matrix": {
            "hours": [hour.isoformat() for hour in HOURS],
            "cell_hours": 1,
            "rows": [{"evidence_id": "E002", "name": "proxy access.log", "table": "http_activity", "counts": counts}],
        },
        "questions": [],
        "audit_logging": [
            {"service": "lambda.amazonaws.com", "account": "111122223333", "region": "eu-central-1", "state": "pass",
             "check": "runs of functions are recorded", "why": "runs in evidence", "proof": [REF]}
        ],
        "blind_spots": [
            {"id": "process", "missing": "Endpoint telemetry", "forbids": "which program made the calls",
             "questions": ["process"], "how_established": "No item fills actor_process_name.", "recommend": "Sysmon 3"}
        ],
    }  # fmt: skip


def gap(**different: Any) -> dict[str, Any]:
    return {
        "source": "E002", "format": "squid_access", "table": "http_activity", "from": "2024-04-15T10:00:00Z",
        "to": "2024-04-15T14:00:00Z", "seconds": 14_400, "hours": 4, "in": "window", "before": REF, "after": None,
        "others": [], "edge": None, "sentence": "E002: no record for 4 h.",
    } | different  # fmt: skip


def pairs() -> pd.DataFrame:
    row = {"src": "10.1.4.23", "dst": "poll.workers.dev", "connections": 90, "priority": 0.8}
    return pd.DataFrame([row]).reindex(columns=list(schema.EGRESS_PAIRS.names))


def checklist() -> dict[str, Any]:
    return {
        "words": ["1 to collect, in order of volatility."],
        "rows": [
            {"no": 1, "what": "memory of the host", "entity": "host 10.1.4.23", "why_now": "lost at a restart",
             "how": "live response", "refs": [REF], "state": "in part", "evidence": ["E002"]}
        ],
    }  # fmt: skip


def links() -> pd.DataFrame:
    row = {"finding": "A-1f3c9a", "time": HOURS[1], "who": "10.1.4.23", "relation": "contacted",
           "entity": "poll.workers.dev", "ref": REF, "item_sha256": "9f" * 32, "analyst": "j.doe"}  # fmt: skip
    return pd.DataFrame([row]).reindex(columns=list(schema.LINKS.names))


def roles() -> pd.DataFrame:
    row = {"resource": "export", "role": "export-role", "relation": "passed", "principal": "ci-deploy",
           "first_seen": HOURS[1], "refs": [REF], "policy_refs": [], "lacking": ["GetRole"]}  # fmt: skip
    return pd.DataFrame([row]).reindex(columns=list(schema.ROLE_LINKS.names))


def checkins() -> pd.DataFrame:
    times = pd.date_range("2024-04-15", periods=400, freq="61s", tz="UTC")
    return pd.DataFrame({"time": times, "src": "10.1.4.23", "dst": "poll.workers.dev"})


def activity() -> pd.DataFrame:
    rows = [
        {"ref": "E004:17", "time": HOURS[2], "operation": "UpdateFunctionCode", "phase": "modify-code",
         "principal": "ci-deploy", "resource": "export", "outcome": "success"},
        {"ref": "E004:18", "time": HOURS[3], "operation": "AddPermission", "phase": "permission",
         "principal": "ci-deploy", "resource": "export", "outcome": "failure"},
        {"ref": "E004:19", "time": HOURS[4], "operation": "Odd", "phase": None, "principal": None, "resource": "other",
         "outcome": None},
    ]  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=list(schema.CLOUD_ACTIVITY.names))


def resources() -> pd.DataFrame:
    row = {"resource": "export", "resource_type": "function", "account": "111122223333", "region": "eu-central-1",
           "created_by": "not answerable because the records start later", "modified_by": f"ci-deploy ({REF})",
           "endpoints": ["x.lambda-url.us-east-1.on.aws"], "events": 2}  # fmt: skip
    return pd.DataFrame([row]).reindex(columns=list(schema.RESOURCES.names))


def poisoned(value: Any, attack: str = ATTACK) -> Any:
    """`value` with `attack` in place of every text, also in the keys of free mappings; times and words we own stay."""
    if isinstance(value, str):
        return attack
    if isinstance(value, list):
        return [poisoned(part, attack) for part in value]
    if isinstance(value, dict):
        kept = {"outcome", "first_seen", "last_seen", "first", "last", "from", "to", "refs", "hours", "counts"}
        return {key: part if key in kept else poisoned(part, attack) for key, part in value.items()}
    return value


def poisoned_frame(frame: pd.DataFrame, attack: str = ATTACK) -> pd.DataFrame:
    texts = frame.select_dtypes("object").columns
    return frame.assign(**dict.fromkeys(texts, attack))


def hostile(attack: str = ATTACK) -> CaseFacts:
    facts = calm()
    found = poisoned(dict(facts.findings), attack)
    for number, one in enumerate((*found["findings"], *found["leads"])):
        one["signals"][0]["refs"] = [REF, attack]
        one["id"] = f"{attack}{number}"
    texts = dict.fromkeys(("case_id", "title", "tlp", "analyst"), attack)
    return replace(
        facts,
        **texts,
        hypotheses=["A", attack],
        estate={attack: [attack]},
        findings=found,
        coverage=poisoned(dict(facts.coverage), attack),
        checklist=poisoned(dict(facts.checklist), attack),
        links=poisoned_frame(links(), attack),
        roles=poisoned_frame(roles(), attack),
        pairs=poisoned_frame(facts.pairs, attack),
        activity=poisoned_frame(facts.activity, attack),
        resources=poisoned_frame(facts.resources, attack),
        evidence=poisoned(list(facts.evidence), attack),
        custody=poisoned(dict(facts.custody), attack),
        raw={REF: {"text": attack, "file": attack, "sha256": attack}, attack: {"text": attack}},
        checkins=poisoned_frame(facts.checkins, attack),
        egress_hours=poisoned_frame(facts.egress_hours, attack),
        run={**poisoned(dict(facts.run), attack), "versions": {attack: attack}, "parameters": {attack: attack}},
    )
