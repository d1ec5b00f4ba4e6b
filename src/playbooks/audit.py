"""Audit: one chain from raw record to report sentence, each link checked and answered on its own.

The room of evidence says whether bag, custody chain, decisions, signatures and time stamps are what they
were. Here stand the links above it: what a run read and wrote, what was exported, and whether the records
that findings cite are still those that were shown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playbooks.case import CASE_FILE, Case
from playbooks.engine.lake import row_at
from playbooks.errors import CaseError, EvidenceChanged, NotFound
from playbooks.evidence import Check, Fault, State, Verdict, custody, verify
from playbooks.evidence.acquire.lake import lakes
from playbooks.evidence.cloudtrail_digests import check_cloudtrail
from playbooks.evidence.items import items_in, sha256_of
from playbooks.evidence.seal_check import check_seals
from playbooks.evidence.timestamp_check import check_tokens
from playbooks.evidence.verify import check_of
from playbooks.normalise import readings, show
from playbooks.normalise.own_formats import FOLDER, digests_of

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from playbooks.evidence.public_keys import PublicKey

CITED = "results/cited_records.json"
FINDINGS = "results/findings.json"
REPORT = "report/report.html"
OF_THE_RUN = "run record"
CURRENT = "up to date"


@dataclass(frozen=True)
class Trust:
    """What the verifier brings along: keys of signers, roots of time authorities, CloudTrail's public keys."""

    signers: Sequence[PublicKey] = ()
    roots: Sequence[Certificate] = ()
    cloudtrail_keys: Sequence[Path] = ()


@dataclass(frozen=True)
class Audit:
    """Every check of a case; `verdict` is what the room of evidence says of bag, chain and decisions."""

    verdict: Verdict
    about_evidence: tuple[Check, ...]
    about_results: tuple[Check, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        return (*self.verdict.checks, *self.about_evidence, *self.about_results)

    @property
    def evidence_holds(self) -> bool:
        """Whether nothing about the evidence is broken: bag, chain, decisions, signatures, time, source digests."""
        return not any(c.state is State.BROKEN for c in (*self.verdict.checks, *self.about_evidence))

    @property
    def results_hold(self) -> bool:
        """Whether nothing about runs, results and report is broken."""
        return not any(c.state is State.BROKEN for c in self.about_results)

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            **self.verdict.as_json(),
            "intact": self.evidence_holds,
            "results_hold": self.results_hold,
            "faults": [vars(fault) for check in self.checks for fault in check.faults],
            "checks": [check.as_json() for check in self.checks],
        }


def audit(case: Case, trust: Trust | None = None) -> Audit:
    """Check every link of a case; changes nothing.

    Parameters
    ----------
    case
        The case; it may have been moved or archived.
    trust
        What the verifier brings along. Without it a right signature is *not checked*: anybody can sign.

    Returns
    -------
    Audit
    """
    trust = trust or Trust()
    verdict = verify(case)
    chain = custody.entries(case.custody)
    about_evidence = (
        *check_seals(case, trust.signers),
        *check_tokens(case, trust.roots),
        check_cloudtrail(case, list(trust.cloudtrail_keys)),
    )
    record = _run_record(case)
    about_results = (
        _check_run(case, chain, record),
        _check_current(case, chain, record),
        *_check_files(case, chain, record),
        _check_records(case, chain),
    )
    return Audit(verdict, about_evidence, about_results)


def _last(chain: list[dict[str, Any]], activity: str) -> dict[str, Any] | None:
    return next((entry for entry in reversed(chain) if entry.get("activity") == activity), None)


def _run_record(case: Case) -> dict[str, Any]:
    """What `run.json` says; empty where there is none or it says nothing."""
    return _loaded(case.run_record)


def _loaded(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _check_run(case: Case, chain: list[dict[str, Any]], record: dict[str, Any]) -> Check:
    ran, read = _last(chain, "ran"), _last(chain, "read")
    if ran is None and read is None:
        return Check(OF_THE_RUN, State.NOT_PRESENT, "never run; run it with: playbooks run")
    if ran is None or (read is not None and read.get("run_id") != ran.get("run_id")):
        started = read.get("time") if read else None
        return Check(OF_THE_RUN, State.NOT_CHECKED, f"the run of {started} was broken off; run again: playbooks run")
    found = sha256_of(case.run_record)
    if found != ran.get("run_record_sha256"):
        fault = Fault("run.json", f"changed: SHA-256 was {ran.get('run_record_sha256')}, is {found}")
        return check_of(OF_THE_RUN, [fault], "")
    return check_of(OF_THE_RUN, list(_run_faults(chain, record)), _run_words(record))


def _run_words(record: dict[str, Any]) -> str:
    steps = record.get("steps") or ()
    version = (record.get("versions") or {}).get("playbooks")
    given = sum(len(step.get("parameters") or ()) for step in steps)
    return (
        f"run {record.get('run_id')} by playbooks {version}: {len(steps)} notebooks with {given} parameters given, "
        f"each by its digest; it read {(record.get('evidence') or {}).get('files')} items"
    )


def _run_faults(chain: list[dict[str, Any]], record: dict[str, Any]) -> Iterator[Fault]:
    evidence = record.get("evidence") or {}
    entries, head = evidence.get("custody_entries"), evidence.get("custody_head")
    at = chain[entries - 1] if isinstance(entries, int) and 0 < entries <= len(chain) else {}
    if at.get("fingerprint") != head:
        yield Fault("custody.jsonl", f"entry {entries} is not the one that the run saw: it was {head}")


def _check_current(case: Case, chain: list[dict[str, Any]], record: dict[str, Any]) -> Check:
    """Whether results and report speak of the evidence and the case file that are here now."""
    read = _last(chain, "read")
    if read is None or not record:
        return Check(CURRENT, State.NOT_PRESENT, "no run to compare with")
    since = [item.evidence_id for item in items_in(chain[int(read["seq"]) :])]
    stated = {(step.get("inputs") or {}).get(CASE_FILE) for step in record.get("steps") or ()}
    late = [f"{len(since)} items were added since ({since[0]} first)"] if since else []
    late += [] if sha256_of(case.path / CASE_FILE) in stated else [f"{CASE_FILE} was changed since"]
    late += [] if _own_formats(case) == _formats_read(record) else ["own formats were changed since"]
    if late:
        return Check(CURRENT, State.NOT_CHECKED, f"results are of an earlier state: {'; '.join(late)}. Run again")
    return Check(CURRENT, State.VERIFIED, f"results are of this evidence and this {CASE_FILE}")


def _own_formats(case: Case) -> dict[str, str]:
    """The own formats that are here now, by digest; a folder that cannot be read is none that a run has read."""
    try:
        return digests_of(case)
    except CaseError as error:
        return {FOLDER: str(error)}


def _formats_read(record: dict[str, Any]) -> dict[str, str]:
    """The own formats that the first step of a run found, by digest."""
    inputs = next((step.get("inputs") or {} for step in record.get("steps") or ()), {})
    return {name: digest for name, digest in inputs.items() if str(name).startswith(f"{FOLDER}/")}


def _check_files(case: Case, chain: list[dict[str, Any]], record: dict[str, Any]) -> list[Check]:
    """What was written, file by file: results and executed notebooks of the run, and the report as exported last."""
    exported = _last(chain, "exported") or {}
    made = {str(name): str(digest) for name, digest in (record.get("files") or {}).items()}
    made |= {str(name): str(digest) for name, digest in (exported.get("files") or {}).items()}
    if not made:
        return [Check(name, State.NOT_PRESENT, "no run and no export wrote any") for name in ("results", "report")]
    report = {name: digest for name, digest in made.items() if name in (REPORT, FINDINGS, CITED)}
    others = {name: digest for name, digest in made.items() if name not in report}
    by = f"run {exported['run_id']}" if exported.get("run_id") else "hand, in a notebook"
    since = _decided_since(chain)
    return [
        _check_digests(case, "results", others, f"{len(others)} files as they were written", since),
        _check_digests(case, "report", report, f"report, findings and cited records as exported by {by}", since),
    ]


def _decided_since(chain: list[dict[str, Any]]) -> int:
    """How many decisions were taken after the last export: results follow a decision at once, the report does not."""
    exported = _last(chain, "exported") or {"seq": 0}
    return sum(1 for entry in chain if entry.get("activity") == "decided" and entry["seq"] > exported["seq"])


def _check_digests(case: Case, name: str, stated: dict[str, str], words: str, decided_since: int) -> Check:
    inside = {path: digest for path, digest in stated.items() if (case.path / path).resolve().is_relative_to(case.path)}
    missing = [path for path in inside if not (case.path / path).exists()]
    found = {path: sha256_of(case.path / path) for path in inside if path not in missing}
    faults = [
        Fault(path, f"changed: SHA-256 was {inside[path]}, is {digest}")
        for path, digest in found.items()
        if digest != inside[path]
    ]
    if decided_since and faults and all(fault.where.startswith("results/") for fault in faults):
        many = f"{decided_since} decisions were taken since; these follow them: {', '.join(f.where for f in faults)}"
        return Check(name, State.NOT_CHECKED, f"{many}. Write the report again: playbooks run")
    if not faults and missing:
        gone = f"{len(missing)} of {len(inside)} files are gone, {missing[0]} first; the others are as written"
        return Check(name, State.NOT_PRESENT, f"{gone}. Made again by: playbooks run")
    return check_of(name, faults, words)


def _check_records(case: Case, chain: list[dict[str, Any]]) -> Check:
    """Every record that a finding or lead cites is there, and those that the report shows are what it shows."""
    name = "cited records"
    found = _loaded(case.path / FINDINGS)
    if not found:
        return Check(name, State.NOT_PRESENT, "no findings were written, so none cites a record")
    refs = list(_refs(found))
    counts = {reading.evidence_id: reading.records for reading in readings(case)}
    known = {item.evidence_id for item in items_in(chain)}
    faults = [Fault(ref, what) for ref in refs if (what := _why_nowhere(ref, known, counts))]
    shown = {ref: str(digest) for ref, digest in (_loaded(case.path / CITED).get("records") or {}).items()}
    faults += _changed_lakes(case, [ref for ref in refs if ref not in shown])
    faults += _changed_records(case, shown)
    return check_of(
        name, faults, f"{len(refs)} records are cited, all there; {len(shown)} are shown, each as it stands"
    )


def _refs(found: dict[str, Any]) -> dict[str, None]:
    entries = [entry for kind in ("findings", "leads", "suppressed") for entry in found.get(kind) or ()]
    return dict.fromkeys(
        str(ref)
        for entry in entries
        if isinstance(entry, dict)
        for told in _told(entry)
        for ref in told.get("refs") or ()
    )


def _told(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Whatever of an entry cites records: its signals, the stages around it, the facts of its argument."""
    yield from entry.get("signals") or ()
    yield from (entry.get("lifecycle") or {}).get("stages") or ()
    for reading in (entry.get("argument") or {}).get("readings") or ():
        yield from (*(reading.get("for") or ()), *(reading.get("against") or ()))


def _why_nowhere(ref: str, known: set[str], counts: dict[str, int]) -> str:
    """Why a reference leads nowhere; empty where it leads to a record."""
    evidence_id, _, number = ref.partition(":")
    if evidence_id not in known:
        return "no such item of evidence"
    if not number.isascii() or not number.isdigit() or not int(number):
        return "no reference to a record"
    if evidence_id in counts and int(number) > counts[evidence_id]:
        return f"no such record: the item has {counts[evidence_id]:,}"
    return ""


def _changed_records(case: Case, shown: dict[str, str]) -> Iterator[Fault]:
    """What the report shows and the evidence no longer holds, item by item, so that one that is gone hides no other."""
    by_item: dict[str, list[str]] = {}
    for ref in shown:
        by_item.setdefault(ref.partition(":")[0], []).append(ref)
    for refs in by_item.values():
        try:
            records = show(case, refs)
        except (NotFound, CaseError, EvidenceChanged) as error:
            yield Fault(CITED, str(error))
            continue
        for ref, record in records.items():
            if hashlib.sha256(record.text.encode("utf-8", "surrogatepass")).hexdigest() != shown[ref]:
                yield Fault(ref, "no longer the record that the report shows")


def _changed_lakes(case: Case, refs: Iterable[str]) -> Iterator[Fault]:
    """Files of lakes that are cited, not shown, and no longer those that were listed; each once."""
    found = lakes(case)
    seen: dict[str, None] = {}
    for ref in refs:
        evidence_id, _, number = ref.partition(":")
        if evidence_id in found and number.isascii() and number.isdigit():
            lake = found[evidence_id]
            try:
                row_at(lake.root, lake.files, int(number))
            except (NotFound, EvidenceChanged) as error:
                seen.setdefault(str(error))
    yield from (Fault(CITED, words) for words in seen)
