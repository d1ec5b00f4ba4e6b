"""The sections of the case report, in the order in which a tired reader needs them.

Each is a template in `sections/`, filled with rows that are chosen and named here. Nothing is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playbooks.report.affected_section import affected_section
from playbooks.report.around_section import lifecycle_section, scope_section
from playbooks.report.brief_section import brief_section
from playbooks.report.cloud_section import chains_part, cloud_parts
from playbooks.report.coverage_section import blind_spots_section, coverage_section
from playbooks.report.facts import CaseFacts
from playbooks.report.figures.picture import MOST_ROWS, Picture
from playbooks.report.inert import redacted, visible
from playbooks.report.owning_section import owning_parts
from playbooks.report.recommended_section import recommended_section
from playbooks.report.words import REF, column_heads, filters, is_missing, span, utc_time

if TYPE_CHECKING:
    import jinja2
    import pandas as pd

MOST_CASES = 50  # findings of one list that are drawn in full
MOST_LINES = 200  # of the others, a line each
MOST_RECORDS = 500
MOST_OF_A_RECORD = 20_000  # characters
LONG_RECORD, LINES_OF_A_RECORD = 1_500, 15  # from here on a record scrolls in its place
HYPOTHESES = {
    "A": "does something inside talk to somebody else's serverless function?",
    "B": "was a serverless function or workflow of our own abused?",
}
CONTENTS = (
    ("summary", "Summary"), ("affected", "Affected"), ("findings", "Findings"), ("leads", "Leads"),
    ("suppressed", "Suppressed"), ("collect-next", "What to collect next"), ("recommended", "Recommended"),
    ("pictures", "Pictures"), ("lifecycle", "Around first contact"), ("scope", "Scope"),
    ("own-cloud", "Our own cloud"), ("functions", "Functions"), ("owning", "Whose it is"),
    ("coverage", "Coverage"), ("blind-spots", "Blind spots"),
    ("limits", "Limits"), ("evidence", "Evidence and custody"), ("links", "Case links"), ("raw-records", "Raw records"),
    ("reproduce", "Reproduce"),
)  # fmt: skip
_FUNCTION_COLUMNS = {
    "created_by": "Created", "modified_by": "Modified", "permitted_by": "Permitted", "triggered_by": "Triggered",
    "invoked_by": "Ran", "endpoints": "Endpoints",
}  # fmt: skip


def written(facts: CaseFacts, pen: jinja2.Environment) -> dict[str, str]:
    """Give every section of the report as HTML, by name."""
    contexts: dict[str, dict[str, Any]] = {
        "header": _header(facts),
        "summary": brief_section(facts),
        "affected": affected_section(facts),
        "findings": {"limit": MOST_CASES, "lines": MOST_LINES},
        "leads": {"limit": MOST_CASES, "lines": MOST_LINES},
        "suppressed": {"limit": MOST_ROWS},
        "collect_next": _collect_next(facts.checklist),
        "recommended": recommended_section(facts),
        "lifecycle": lifecycle_section(facts.findings, facts.related),
        "scope": scope_section(facts.scope, facts.scope_notes),
        "cloud": {"cloud": facts.cloud, "chains": chains_part(facts.cloud)},
        "cloud_state": {"parts": cloud_parts(facts.cloud)},
        "owning": {"parts": owning_parts(facts.owning)},
        "functions": {**_functions(facts), **_roles(facts.roles)},
        "coverage": coverage_section(facts.coverage),
        "blind_spots": blind_spots_section(facts.coverage),
        "limits": {},
        "evidence": _evidence(facts),
        "links": _links(facts.links),
        "raw": _raw(facts),
        "reproduce": _reproduce(facts),
    }
    findings = _complete(facts.findings)
    return {
        name: pen.get_template(f"{name}.html.j2").render(facts=facts, findings=findings, **context)
        for name, context in contexts.items()
    }


def told(picture: Picture, file: str, pen: jinja2.Environment) -> str:
    """Give the words and the data table that stand with a picture."""
    rows = [list(row) for row in picture.table.head(MOST_ROWS).itertuples(index=False, name=None)]
    context = {
        "picture": picture,
        "heads": column_heads(list(map(str, picture.table.columns)), _numeric(picture.table)),
        "rows": rows,
        "total": len(picture.table),
        "file": file,
    }
    return pen.get_template("picture.html.j2").render(context)


def environment(facts: CaseFacts) -> jinja2.Environment:
    """Give the section templates with the filters of this report; all values are escaped by default."""
    with_anchor = frozenset((*_records(facts), *_drawn(facts)))
    return bare_environment(_known_hosts(facts), with_anchor, facts.redact_secrets)


def bare_environment(
    known_hosts: frozenset[str] = frozenset(), with_anchor: frozenset[str] = frozenset(), redact: bool = True
) -> jinja2.Environment:
    """Give the section templates for a page that draws on no case; the arguments are those of `words.filters`."""
    import jinja2

    pen = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "sections"),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
    )
    pen.filters.update(filters(known_hosts, with_anchor, redact))
    return pen


def _drawn(facts: CaseFacts) -> list[str]:
    """Ids of the findings and leads that have a card."""
    found = _complete(facts.findings)
    return [str(entry.get("id")) for entry in (*found["findings"], *found["leads"][:MOST_CASES])]


def _known_hosts(facts: CaseFacts) -> frozenset[str]:
    every: set[str] = set()
    for frame, column in ((facts.pairs, "dst"), (facts.egress_hours, "dst"), (facts.activity, "endpoint")):
        if column in frame:
            every.update(frame[column].dropna().astype(str).str.lower())
    for finding in (*facts.findings.get("findings", []), *facts.findings.get("leads", [])):
        every.update(str(dst).lower() for dst in (finding.get("subjects") or {}).get("dst") or [])
    return frozenset(every)


def _complete(findings: Mapping[str, Any]) -> dict[str, Any]:
    lists = ("findings", "leads", "suppressed", "limits")
    return {**findings, **{name: list(findings.get(name) or []) for name in lists}}


def _numeric(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame.select_dtypes("number").columns]


def _window(window: Mapping[str, Any] | None, none: str) -> str:
    return span(window.get("start"), window.get("end")) if window else none


def _header(facts: CaseFacts) -> dict[str, Any]:
    return {
        "window": _window(facts.window, "none was set; every record was searched"),
        "baseline": _window(facts.baseline, "none was set; nothing can be called new"),
        "hypotheses": [(letter, HYPOTHESES.get(letter, "")) for letter in facts.hypotheses],
        "versions": sorted({**(facts.run.get("versions") or {}), **(facts.findings.get("versions") or {})}.items()),
    }


def _collect_next(checklist: Mapping[str, Any]) -> dict[str, Any]:
    rows = list(checklist.get("rows") or [])
    names = ("no", "what", "entity", "why_now", "how", "refs")
    return {
        "words": list(checklist.get("words") or []),
        "rows": [[*(row.get(name) for name in names), _state(row)] for row in rows[:MOST_ROWS]],
        "total": len(rows),
        "heads": column_heads(["No", "Collect", "Of", "Why now", "How, without changing it", "Records", "State"]),
    }


def _state(row: Mapping[str, Any]) -> str:
    items = ", ".join(map(str, row.get("evidence") or []))
    return f"{row.get('state')}{f' ({items})' if items else ''}"


def _functions(facts: CaseFacts) -> dict[str, Any]:
    frame = facts.resources
    names = [name for name in _FUNCTION_COLUMNS if name in frame.columns]
    rows = [[_function_name(row), *(row[name] for name in names)] for row in frame.head(MOST_ROWS).to_dict("records")]
    heads = column_heads(["Function", *(_FUNCTION_COLUMNS[name] for name in names)])
    return {"heads": heads, "rows": rows, "total": len(frame)}


def _roles(roles: pd.DataFrame | None) -> dict[str, Any]:
    names = ["resource", "role", "relation", "principal", "first_seen", "refs", "policy_refs", "lacking"]
    frame = roles[names] if roles is not None else None
    heads = ["Function", "Role", "Relation", "By", "First seen", "Records", "Answers about the role", "Lacking"]
    return {
        "roles": [] if frame is None else frame.head(MOST_ROWS).to_numpy().tolist(),
        "roles_total": 0 if frame is None else len(frame),
        "roles_heads": column_heads(heads),
    }


def _function_name(row: Mapping[Any, Any]) -> str:
    about = [str(row[name]) for name in ("resource_type", "account", "region") if not is_missing(row.get(name))]
    return f"{row['resource']} ({', '.join(about)})" if about else str(row["resource"])


def _evidence(facts: CaseFacts) -> dict[str, Any]:
    intact = {
        "True": "verified, unchanged since ingest",
        "False": "BROKEN: evidence or custody record is not what it was at ingest",
    }
    acts = list(facts.custody.get("acts") or ())
    return {
        "rows": [
            [item.get("evidence_id"), item.get("name"), item.get("source"), item.get("size"), item.get("sha256"),
             utc_time(item.get("added"))]
            for item in facts.evidence[:MOST_ROWS]
        ],
        "total": len(facts.evidence),
        "heads": column_heads(["Item", "Name", "Source", "Bytes", "SHA-256", "Added (UTC)"], ["Bytes"]),
        "intact": intact.get(str(facts.custody.get("intact")), "not verified in this run"),
        "apart": facts.findings.get("set_apart") or {},
        "seals": list(facts.custody.get("seals") or ()),
        "acts": [
            [act.get("no"), utc_time(act.get("time")), act.get("activity"), act.get("by"), act.get("of"),
             act.get("fingerprint")]
            for act in acts[-MOST_ROWS:]
        ],
        "acts_total": len(acts),
        "acts_heads": column_heads(["No", "Time (UTC)", "Act", "By", "Of", "Fingerprint"], ["No"]),
    }  # fmt: skip


def _links(links: pd.DataFrame | None) -> dict[str, Any]:
    names = ("finding", "time", "who", "relation", "entity", "ref", "item_sha256", "analyst")
    rows = [] if links is None else links[list(names)].head(MOST_ROWS).to_dict("records")
    return {
        "rows": [[row["finding"], utc_time(row["time"]), *(row[name] for name in names[2:])] for row in rows],
        "total": 0 if links is None else len(links),
        "heads": column_heads(
            ["Finding", "Time (UTC)", "Who", "Relation", "Entity", "Record", "SHA-256 of item", "Analyst"]
        ),
    }


def _records(facts: CaseFacts) -> dict[str, Mapping[str, Any]]:
    """Give the records that the report shows, in the order of the evidence."""
    known = [ref for ref in facts.raw if REF.fullmatch(ref)]
    first = sorted(known, key=lambda ref: (ref.split(":")[0], int(ref.split(":")[1])))[:MOST_RECORDS]
    return {ref: facts.raw[ref] for ref in first}


def _raw(facts: CaseFacts) -> dict[str, Any]:
    cited: dict[str, list[str]] = {}
    for finding in (*_complete(facts.findings)["findings"], *_complete(facts.findings)["leads"]):
        stages = (finding.get("lifecycle") or {}).get("stages") or ()
        for ref in dict.fromkeys(ref for told in (*finding["signals"], *stages) for ref in told["refs"]):
            cited.setdefault(ref, []).append(finding["id"])
    return {
        "records": [
            {**_record(ref, record, facts.redact_secrets), "cited": cited.get(ref, [])}
            for ref, record in _records(facts).items()
        ],
        "total": len(facts.raw),
    }


def _record(ref: str, record: Mapping[str, Any], redact: bool) -> dict[str, Any]:
    whole = visible(record.get("text", ""))
    text, hidden = redacted(whole[:MOST_OF_A_RECORD]) if redact else (whole[:MOST_OF_A_RECORD], 0)
    evidence_id, number = ref.split(":")
    return {
        "ref": ref, "evidence_id": evidence_id, "number": number, "file": record.get("file", "–"),
        "sha256": record.get("sha256", "–"), "text": text, "hidden": hidden,
        "cut": max(len(whole) - MOST_OF_A_RECORD, 0),
        "long": len(text) > LONG_RECORD or text.count("\n") > LINES_OF_A_RECORD,
    }  # fmt: skip


def _reproduce(facts: CaseFacts) -> dict[str, Any]:
    return {
        "versions": sorted([str(name), version] for name, version in (facts.run.get("versions") or {}).items()),
        "parameters": [[name, value] for name, value in (facts.run.get("parameters") or {}).items()][:MOST_ROWS],
        "estate": [[name, value] for name, value in facts.estate.items()][:MOST_ROWS],
    }
