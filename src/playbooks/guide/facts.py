"""What the case report draws, gathered from the results of a case."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks import evidence
from playbooks.audit import CITED, REPORT
from playbooks.case import Case, write_json
from playbooks.evidence import custody
from playbooks.evidence.items import sha256_of
from playbooks.evidence.seal_check import check_seals
from playbooks.evidence.timestamp_check import check_tokens
from playbooks.guide.cloud_facts import cloud_facts
from playbooks.normalise import show
from playbooks.report import CaseFacts, OwningFacts, refs_of_cloud, refs_of_owning

if TYPE_CHECKING:
    from playbooks.guide.results import Results

RAW_RECORDS = 400  # records printed in full; the rest stay one `playbooks show` away


def case_facts(results: Results, src: str, dst: str) -> CaseFacts:
    """Gather everything for the report.

    Parameters
    ----------
    results
        The results of a case.
    src, dst
        The pair whose check-ins are drawn; empty for none.
    """
    case, config, cloud = results.case, results.case.config, cloud_facts(results)
    owning = OwningFacts(results.owning.review, results.owning.draft, tuple(results.owning.unseen_clouds))
    return CaseFacts(
        case_id=config.case_id,
        title=config.title,
        tlp=config.tlp,
        analyst=config.analyst,
        hypotheses=config.hypotheses,
        window=config.window.model_dump(mode="json") if config.window else None,
        baseline=config.baseline.model_dump(mode="json") if config.baseline else None,
        estate=config.estate.model_dump(mode="json"),
        findings=results.findings,
        coverage={**results.coverage, "deciding_fields": results.deciding_fields},
        pairs=results.pairs,
        activity=results.activity,
        resources=results.resources,
        evidence=[vars(item) for item in evidence.items(case)],
        custody=_custody(case),
        raw=_raw(results, (*refs_of_cloud(cloud), *refs_of_owning(owning))),
        checkins=_checkins(results, src, dst),
        egress_hours=results.egress_hours,
        run=_run(results),
        redact_secrets=config.options.redact_secrets,
        checklist=results.checklist(),
        links=results.links,
        roles=results.role_links,
        related=results.related.activity,
        stages=results.related.stages,
        scope=results.scope.rows,
        scope_notes=results.scope.notes,
        cloud=cloud,
        owning=owning,
    )


def _raw(results: Results, further: Iterable[str]) -> dict[str, dict[str, str]]:
    """The records behind findings first, then behind leads, then further ones, as they stand in the evidence."""
    found = results.findings
    told = [*found["findings"], *found["leads"]]
    refs = dict.fromkeys(ref for entry in told for signal in entry["signals"] for ref in signal["refs"])
    stages = [stage for entry in told for stage in (entry.get("lifecycle") or {}).get("stages", ())]
    around = [ref for stage in stages for ref in stage["refs"]]
    refs |= dict.fromkeys(around)
    readings = [reading for entry in told for reading in (entry.get("argument") or {}).get("readings", ())]
    refs |= dict.fromkeys(ref for one in readings for fact in (*one["for"], *one["against"]) for ref in fact["refs"])
    refs |= dict.fromkeys(further)
    records = show(results.case, list(refs)[:RAW_RECORDS])
    return {ref: {"text": r.text, "file": r.file, "sha256": r.sha256} for ref, r in records.items()}


def record_export(case: Case, facts: CaseFacts) -> None:
    """Record that the report was written, with the digests of it, of the results, and of the records it shows."""
    digests = {
        ref: hashlib.sha256(r["text"].encode("utf-8", "surrogatepass")).hexdigest() for ref, r in facts.raw.items()
    }
    write_json(case.path / CITED, {"records": digests})
    results = sorted(file.relative_to(case.path).as_posix() for file in case.results.glob("[!.]*"))
    files = {name: sha256_of(case.path / name) for name in (REPORT, *results)}
    act = {"run_id": facts.run["run_id"] if facts.run["started"] else None, "files": files}
    last = custody.entries(case.custody)[-1:]
    if not last or any(last[0].get(name) != value for name, value in act.items()):  # a cell run twice exports once
        custody.append(case.custody, case.config.case_id, "exported", **act)


def _custody(case: Case) -> dict[str, Any]:
    """What the report says of the chain: where it stood before this export, so that it can stand in the report."""
    chain = custody.entries(case.custody)
    while chain and chain[-1].get("activity") == "exported":
        chain.pop()
    head = chain[-1]["fingerprint"] if chain else ""
    seals = [
        f"{check.name}: {check.state}, {check.detail}".replace(str(case.path), "CASE")
        for check in (*check_seals(case), *check_tokens(case))
    ]
    acts = [_act(entry) for entry in chain]
    return {
        "entries": len(chain), "head": head, "intact": evidence.verify(case).intact, "seals": seals, "acts": acts
    }  # fmt: skip


def _act(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of the chain: when, what, by whom, of what."""
    item, actor = entry.get("item") or {}, entry.get("actor") or {}
    of = {name: entry[name] for name in ("run_id", "finding", "verdict", "file", "form", "seal") if entry.get(name)}
    return {
        "no": entry.get("seq"),
        "time": entry.get("time"),
        "activity": entry.get("activity"),
        "by": f"{actor.get('user')} at {actor.get('host')}",
        "of": " ".join(map(str, [item.get("evidence_id"), item.get("name")])) if item else of,
        "fingerprint": entry.get("fingerprint"),
    }


def _checkins(results: Results, src: str, dst: str) -> pd.DataFrame:
    """Check-ins of one pair in the telemetry that saw most of them."""
    events = results.checkins(src, dst) if src else pd.DataFrame()
    if not len(events):
        return pd.DataFrame(columns=["time", "src", "dst"])
    seen_most = events[events.source == events.source.mode().iloc[0]]
    drawn: pd.DataFrame = seen_most.assign(src=src, dst=dst)[["time", "src", "dst"]]
    return drawn


def _run(results: Results) -> dict[str, Any]:
    """The run that made the report, or the words for a notebook run by hand."""
    file = results.case.run_record
    record = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if "finished" in record or "stopped" in record:
        record = {}  # of a run before; this report is made by hand
    return {
        "run_id": record.get("run_id", "by hand, in a notebook"),
        "started": record.get("started", ""),
        "versions": {**record.get("versions", {}), **results.findings["versions"]},
        "parameters": {
            f"{step['name']}.{name}": value
            for step in record.get("steps", ())
            for name, value in step["parameters"].items()
        }
        | {"window_minutes": results.window_minutes},
        "command": "playbooks run CASE",
        "failed": [
            f"{step['name']} did not come to its end: {step['error']}"
            for step in record.get("steps", ())
            if step["status"] != "done"
        ],
    }
