"""What happened on the host and to its user around first contact, and which stages could not have been seen?

Records of endpoints, audit logs, proxies and flows in a span around first contact are read by the documented rules
of `knowledge/lifecycle.yaml`. A row says "consistent with" a stage, how it was matched, and cites its record. Per
host and stage the answer is found, clear (over which telemetry) or blind (what would have shown it).

Innocent when: work of the same hour; every rule carries its own innocent reading.
Cannot see: what no record in evidence tells; delivery long before first contact; hosts behind a proxy or NAT.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks import schema
from playbooks.case import CaseFile
from playbooks.knowledge.lifecycle import Rule, Stage, load_lifecycle
from playbooks.knowledge.operations import load_operations
from playbooks.scoping.host_contacts import contact_rows, wire_channels
from playbooks.scoping.host_events import EVENTS_A_STAGE, host_records, kinds_of_records, most_telling
from playbooks.scoping.question import Question
from playbooks.scoping.seen_channels import channels_seen
from playbooks.scoping.watched import Around, Watched, watched

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine import Tables

QUESTION = Question(
    id="related_activity",
    hypothesis="A",
    title="What else happened on the host and to its user around first contact?",
    needs=(("system_activity", "activity_name"), ("http_activity", "http_request_url_string")),
    innocent_when=(
        "The rows are work of the same hour: installers, updaters, logon scripts and administrators leave the same.",
        "The account or the address belonged to somebody else at that time.",
    ),
    cannot_see=(
        "What no record in evidence tells; each such stage is called blind, with what to collect.",
        "Delivery longer before first contact than the span that is looked at.",
        "The host itself where a proxy or address translation stands for several.",
    ),
)
FOUND, CLEAR, BLIND = "found", "clear", "blind"
REFS_A_STAGE = 5
LONGEST_VALUE = 160  # of a value in a sentence; the record has the whole
NOT_LOGGED = "(not logged)"


@dataclass(frozen=True)
class Related:
    """What was seen around first contact.

    Attributes
    ----------
    activity
        Rows of `schema.RELATED_ACTIVITY`, in order of time.
    stages
        Rows of `schema.LIFECYCLE_STAGES`: one per finding, source and stage.
    hosts
        The hosts that were looked at, with their keys.
    left_out
        Sources of findings and leads that were not looked at.
    """

    activity: pd.DataFrame
    stages: pd.DataFrame
    hosts: tuple[Watched, ...]
    left_out: int


def related_activity(
    found: Mapping[str, Any], contacts: ir.Table, tables: Tables, case: CaseFile, around: Around | None = None
) -> Related:
    """Activity around the first contact of the sources of every finding and lead of hypothesis A.

    Parameters
    ----------
    found
        Findings and leads (`findings.json`).
    contacts
        Every contact with the outside (`egress_events`).
    tables, case
        Event tables, and the case file (its internal ranges).
    around
        The span looked at; without it `BEFORE_HOURS` and `AFTER_HOURS`.
    """
    hosts, left_out = watched(found, contacts, tables, around or Around())
    if not hosts:
        return Related(_frame(schema.RELATED_ACTIVITY, []), _frame(schema.LIFECYCLE_STAGES, []), (), left_out)
    records = host_records(tables, hosts)
    rows = most_telling(records).to_pyarrow().to_pylist()
    rows += contact_rows(contacts, tables, case, hosts)
    kinds = kinds_of_records(records).to_pyarrow().to_pylist()
    seen = channels_seen(kinds, wire_channels(contacts, tables.network_activity, case, hosts), hosts)
    by_stage = _by_stage(rows)
    told = [_told(row) for several in by_stage.values() for row in _most(several)]
    told.sort(key=lambda row: (row["time"], row["finding"], row["src"], row["ref"], row["sentence"]))
    stages = [
        _stage_row(host, stage, by_stage.get((*host.key, stage.id), []), seen[host.key, stage.needs])
        for host in hosts
        for stage in load_lifecycle().stages
    ]
    frames = _frame(schema.RELATED_ACTIVITY, told), _frame(schema.LIFECYCLE_STAGES, stages)
    return Related(*frames, tuple(hosts), left_out)


def _by_stage(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """Rows of each finding, source and stage, the most telling first."""
    rules = load_lifecycle().every_rule
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["finding"], row["who"], rules[row["rule"]].stage].append(row)
    for several in found.values():
        several.sort(key=lambda row: (row["rank"], abs(_after(row)), row["evidence_id"], row["record_no"]))
    return found


def _most(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return rows[:EVENTS_A_STAGE]


def _after(row: Mapping[str, Any]) -> float:
    """Seconds from first contact to the record; negative before it."""
    return float((row["time"] - row["first_contact"]).total_seconds())


def _total(rows: list[dict[str, Any]]) -> int:
    """How many there are of a stage: rows that are the most telling of a group come with the number of all of it."""
    groups = {str(row.get("group", "records")): int(row["of_stage"]) for row in rows if row["of_stage"]}
    return sum(groups.values()) + sum(not row["of_stage"] for row in rows)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """One row of `schema.RELATED_ACTIVITY`."""
    rule = load_lifecycle().every_rule[row["rule"]]
    return {
        "time": row["time"],
        "finding": row["finding"],
        "src": row["who"],
        "stage": rule.stage,
        "attack": list(_attack(rule, row)),
        "host": row.get("device") or row["who"],
        "user": row.get("user") or row.get("account"),
        "sentence": _sentence(rule, row),
        "matched_by": row["by"],
        "relative_s": round(_after(row)),
        "rule": rule.id,
        "telling": rule.telling or bool(row.get("fresh")),
        "rule_confidence": rule.confidence,
        "innocent_if": rule.innocent_if,
        "ref": f"{row['evidence_id']}:{row['record_no']}",
    }


def _attack(rule: Rule, row: Mapping[str, Any]) -> tuple[str, ...]:
    if not rule.operations:
        return rule.attack
    known = load_operations().find(row.get("provider") or "", row.get("service"), row.get("operation") or "")
    return known.attack if known else ()


class _Values(dict[str, str]):
    """Values of a record for a sentence; what it does not hold is said."""

    def __missing__(self, key: str) -> str:
        return NOT_LOGGED


def _sentence(rule: Rule, row: Mapping[str, Any]) -> str:
    """What the record says, in the words of the rule; its values are quoted as logged, and cut."""
    told = {**row, "client": row.get("client_ip") or row.get("client_name")}
    values = {name: _cut(value) for name, value in told.items() if value not in (None, "")}
    said = rule.says.format_map(_Values(values)).removesuffix(f": {NOT_LOGGED}").removesuffix(f" {NOT_LOGGED}")
    if row.get("fresh"):
        said += f" – not before in the host's records, which begin {row['history']:%Y-%m-%d %H:%M} UTC"
    return said[0].upper() + said[1:] if not rule.says.startswith("{") else said


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _stage_row(host: Watched, stage: Stage, rows: list[dict[str, Any]], seen: set[str]) -> dict[str, Any]:
    """One row of `schema.LIFECYCLE_STAGES`."""
    channels = load_lifecycle().channels_of(stage)
    there = [channel for channel in channels if channel.id in seen]
    lacking = [channel for channel in channels if channel.id not in seen]
    state = FOUND if rows else CLEAR if set(stage.shown_by) & seen else BLIND
    shown = _most(rows)
    total = _total(rows)
    return {
        "finding": host.finding,
        "src": host.src,
        "stage": stage.id,
        "state": state,
        "first_contact": host.first,
        "since": host.since,
        "until": host.until,
        "events": total,
        "left_out": total - len(shown),
        "looked_at": [channel.what for channel in there],
        "missing": [channel.what for channel in lacking],
        "to_open": [channel.open for channel in lacking],
        "reason": _reason(state, stage, host, there, lacking),
        "refs": list(dict.fromkeys(f"{row['evidence_id']}:{row['record_no']}" for row in shown))[:REFS_A_STAGE],
    }


def _reason(state: str, stage: Stage, host: Watched, there: list[Any], lacking: list[Any]) -> str:
    """Over what a stage is found or clear, or what would have shown it."""
    span = f"from {_minute(host.since)} to {_minute(host.until)}"
    looked = "; ".join(channel.what for channel in there) or "nothing"
    if state == BLIND:
        needed = "; ".join(channel.what for channel in lacking if channel.id in stage.shown_by)
        return f"No telemetry in evidence could show it for {host.src} {span}. It would stand in: {needed}."
    word = "Looked at" if state == FOUND else "Nothing in the records; looked at"
    rest = f" Not in evidence for the host: {'; '.join(channel.what for channel in lacking)}." if lacking else ""
    return f"{word}: {looked}, {span}.{rest}"


def _minute(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def _frame(table: schema.Table, rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(table.names))
    for column in table.columns:
        if column.type == "TIMESTAMPTZ":
            frame[column.name] = pd.to_datetime(frame[column.name], utc=True)
        elif column.type == "BIGINT":
            frame[column.name] = frame[column.name].astype("int64")
    return frame


def with_lifecycle(found: Mapping[str, Any], related: Related) -> dict[str, Any]:
    """The content of `findings.json` with `lifecycle` at each finding and lead of hypothesis A.

    It is null where no host of the entry was looked at (more than `MOST_WATCHED`).
    """
    told = {
        kind: [e | {"lifecycle": _lifecycle(related, e["id"])} if e["hypothesis"] == "A" else e for e in found[kind]]
        for kind in ("findings", "leads")
    }
    return {**found, **told}


def _lifecycle(related: Related, finding: str) -> dict[str, Any] | None:
    """The stages of one finding over all its hosts.

    A stage is found where any host shows it, clear where it is so for every host, blind otherwise.
    """
    mine = related.stages[related.stages.finding == finding]
    hosts = [host for host in related.hosts if host.finding == finding]
    if not hosts:
        return None
    return {
        "first_contact": min(host.first for host in hosts).isoformat(),
        "looked_at": [min(host.since for host in hosts).isoformat(), max(host.until for host in hosts).isoformat()],
        "hosts": [
            {"src": host.src, "names": list(host.names), "users": list(host.users), "notes": list(host.notes)}
            for host in hosts
        ],
        "stages": [_merged(stage, mine[mine.stage == stage.id]) for stage in load_lifecycle().stages],
    }


def _merged(stage: Stage, rows: pd.DataFrame) -> dict[str, Any]:
    states = set(rows.state)
    state = FOUND if FOUND in states else CLEAR if states == {CLEAR} else BLIND
    those = rows[rows.state == state]
    return {
        "stage": stage.id,
        "name": stage.name,
        "state": state,
        "events": int(rows.events.sum()),
        "left_out": int(rows.left_out.sum()),
        "refs": list(dict.fromkeys(ref for refs in those.refs for ref in refs))[:REFS_A_STAGE],
        "reason": str(those.iloc[0].reason),
        "missing": list(dict.fromkeys(what for several in rows.missing for what in several)),
        "blind_for": sorted(rows[rows.state == BLIND].src),
    }
