"""A case for the report's tests: `calm()` is an ordinary one, `hostile()` has an attack in every field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from playbooks import schema
from playbooks.report import CaseFacts, CloudFacts, OwningFacts

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
        cloud=cloud(),
        owning=owning(),
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


def frame(table: schema.Table, *rows: dict[str, Any]) -> pd.DataFrame:
    """Rows of a table; what is not stated is empty."""
    empty = {column.name: [] if column.type.endswith("[]") else None for column in table.columns}
    return pd.DataFrame([{**empty, **row} for row in rows], columns=list(table.names))


def chain_steps(*steps: tuple[Any, ...], chain: str = "C-1") -> pd.DataFrame:
    """Steps a minute apart: stage, principal, operation, then what was handed over, by whom, in which step."""
    rows = []
    for number, (stage, principal, operation, *handed) in enumerate(steps, 1):
        kind, giver, step = handed or (None, None, None)
        rows.append(
            {"chain": chain, "step": number, "time": HOURS[2] + pd.Timedelta(minutes=number), "stage": stage,
             "principal": principal, "operation": operation, "resource": "export", "source_ip": "198.51.100.7",
             "linked_by": f"{giver} gave {kind}" if kind else None, "handed_over": kind, "handed_by": giver,
             "handed_ref": f"E004:{step}" if kind else None, "ref": f"E004:{number}"}
        )  # fmt: skip
    return frame(schema.CHAIN_STEPS, *rows)


def cloud() -> CloudFacts:
    times = {"first_seen": HOURS[1], "last_seen": HOURS[3]}
    steps = chain_steps(
        ("preparation", "mallory", "CreateAccessKey"),
        ("change", "svc-backup", "UpdateFunctionCode", "credentials", "mallory", 1),
        ("downstream", "export-role", "GetSecretValue", "function", "svc-backup", 2),
    )
    rule = {"rule_id": "r1", "title": "Everyone may invoke", "level": "high", "status": "matched", "matches": 1,
            "reason": "", "records": 2}  # fmt: skip
    return CloudFacts(
        records=3,
        chains=frame(schema.CHAINS, {"chain": "C-1", "score": 0.85, "reasons": ["3 stages"], "stages": ["change"],
                                     "principals": ["mallory", "svc-backup"], "start": HOURS[2], "end": HOURS[3],
                                     "steps": 3, "refs": [REF]}),
        chain_steps=steps,
        identities=frame(schema.IDENTITIES, {"principal": "mallory", "attack_calls": 7, "attack_failed": 2,
                                             "attack_operations": ["CreateAccessKey (7)"], "refs": [REF], **times}),
        role_activity=frame(schema.ROLE_ACTIVITY, {"function": "export", "operation": "GetSecretValue", "new": True,
                                                   "calls": 3, "refused": 0, "reason": "not before", "refs": [REF]}),
        credentials_outside=frame(schema.CREDENTIALS_OUTSIDE, {"role": "export-role", "verdict": "outside",
                                                               "reasons": ["a command line"], "calls": 2,
                                                               "refs": [REF]}),
        function_egress=frame(schema.FUNCTION_EGRESS, {"function": "export", "reason": "Not in our network."}),
        rights=frame(schema.RIGHTS,
                     {"kind": "anyone", "identity": "export", "sentence": "anyone may invoke", "policy_refs": [REF]},
                     {"kind": "not_answerable", "identity": "export-role", "sentence": "not answerable because X"}),
        logging_changes=frame(schema.LOGGING_CHANGES, {"effect": "less", "sentence": "trail stopped", "time": HOURS[4],
                                                       "principal": "mallory", "ref": REF}),
        own_endpoints=frame(schema.OWN_ENDPOINTS, {"host": "x.lambda-url.us-east-1.on.aws", "client_count": 0,
                                                   "called_from_outside": True, "calls": 4, "refs": [REF]}),
        code_changes=frame(schema.CODE_CHANGES, {"function": "export", "change": "unexplained", "time": HOURS[4],
                                                 "sentence": "a became b", "ref": REF}),
        stale_functions=frame(schema.STALE_FUNCTIONS, {"function": "old-import", "days": 700, "sentence": "long ago",
                                                       "last_modified": HOURS[0], "refs": [REF]}),
        functions_listed=4,
        without_change=pd.DataFrame([{"time": HOURS[2], "phase": "modify-code", "principal": "mallory", "ref": REF,
                                      "operation_base": "UpdateFunctionCode", "resource": "export", "account": "1",
                                      "allowed_by": None}]),
        sigma_matches=frame(schema.SIGMA_MATCHES, {"rule_id": "r1", "principal": "mallory", "ref": REF}),
        sigma_rules=[rule, {**rule, "rule_id": "r2", "status": "blind", "reason": "no records of gcp_audit"}],
        untold={"chains": [], "roles": []},
    )  # fmt: skip


def owning() -> OwningFacts:
    review = {"list": "allow_list", "entry": 1, "written_in": "case.yaml", "kind": "destination", "value": "*.x.test",
              "owner": "Web", "expires": "2026-01-01", "faults": ["expired"], "reason": "It ended.", "covered": 2,
              "refs": [REF]}  # fmt: skip
    draft = {"host": "export.x.workers.dev", "resource": "export", "owner_missing": True, "ownership": "unknown",
             "seen_by": ["egress"], "exposure": None, "last_principal": "mallory", "clients": 1,
             "last_seen": HOURS[4], "refs": [REF]}  # fmt: skip
    return OwningFacts(frame(schema.ALLOW_LIST_REVIEW, review), frame(schema.DRAFT_INVENTORY, draft), ("GCP",))


def hostile_cloud(attack: str) -> CloudFacts:
    """The same with `attack` in every text, but in the words by which rows are chosen."""
    chosen = {"kind", "effect", "change", "status", "chain", "stage", "rule_id", "handed_ref"}
    facts = cloud()

    def spoilt(name: str, value: Any) -> Any:
        if isinstance(value, str):
            return value if name in chosen else attack
        return [attack] if isinstance(value, list) else value

    def changed(value: Any) -> Any:
        if isinstance(value, pd.DataFrame):
            rows = [{name: spoilt(name, cell) for name, cell in row.items()} for row in value.to_dict("records")]
            return pd.DataFrame(rows, columns=value.columns)
        if isinstance(value, list):
            return [{name: spoilt(name, cell) for name, cell in row.items()} for row in value]
        return {name: [attack] for name in value} if isinstance(value, dict) else value

    return replace(facts, **{field: changed(value) for field, value in vars(facts).items()})


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
        cloud=hostile_cloud(attack),
        owning=OwningFacts(*(poisoned_frame(one, attack) for one in (owning().review, owning().draft)), (attack,)),
        run={**poisoned(dict(facts.run), attack), "versions": {attack: attack}, "parameters": {attack: attack}},
    )
