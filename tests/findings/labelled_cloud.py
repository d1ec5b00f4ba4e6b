"""The labelled cloud audit events beside this repository, and what the kit makes of each; writes the page of them.

`python -m tests.findings.labelled_cloud` writes `docs/labelled-cloud-events.md`.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playbooks.case import new_case
from playbooks.evidence.preserve import add
from playbooks.findings.cloud import UNNAMED
from playbooks.guide.results import Results

REPOSITORY = Path(__file__).resolve().parents[2]
LOGS = REPOSITORY.parent / "shared" / "logs"
PAGE = REPOSITORY / "docs" / "labelled-cloud-events.md"
SETS = ("invictus/cloudtrail_records", "stratus/cloudtrail_detonations", "traildiscover/cloudtrail_serverless")
# Sets of single test records: whether a public rule of that set fires, and what it tests.
RULED = ("panther/cloudtrail", "panther/azure_activity", "panther/gcp_audit")
# Rules of those sets that ask about the control plane of serverless code, not of networks, databases or clusters.
ABOUT = ("LAMBDA", "BACKDOOR", "AUTOMATION", "CLOUD.RUN", "CLOUDFUNCTIONS")
HEAD = """# Labelled cloud events

What the kit makes of audit events that others have labelled, each set as one case without baseline, inventory and
allow-list: a *finding* rests on two kinds of signal or more, a *lead* on one. Without a baseline nothing can be called
new; what is left is how a change came about, what it opened, what it silenced and with which tool.

Sets: invictus-ir/aws_dataset, DataDog/stratus-red-team (detonation logs), adanalvarez/TrailDiscover, and the test
records of panther-labs/panther-analysis, whose own rule is named. A test makes this page anew and compares it.
"""


@dataclass(frozen=True)
class Verdict:
    """A labelled event and what became of it."""

    place: str
    event: str
    principal: str
    label: str
    attack: bool
    verdict: str
    why: str


def verdicts() -> list[Verdict]:
    """Every labelled event of the sets, in their order."""
    truth = json.loads((LOGS / "ground_truth.json").read_text(encoding="utf-8"))
    found: list[Verdict] = []
    for name in SETS:
        files = [file for file in sorted((LOGS / name).glob("*.json")) if file.name != "expected.json"]
        results, signals = _run(files)
        for entry in (entry for entry in truth if entry["file"].startswith(name)):
            found += _of_truth(entry, results, signals)
    for name in RULED:
        results, signals = _run([LOGS / name / "events.jsonl"])
        expected = json.loads((LOGS / name / "expected.json").read_text(encoding="utf-8"))
        found += [_of_rule(name, one, results, signals) for one in expected if _asked(one)]
    return found


def _asked(entry: dict[str, Any]) -> bool:
    return bool(entry.get("serverless_related")) and any(word in entry["rule"].upper() for word in ABOUT)


def _run(files: list[Path]) -> tuple[Results, dict[tuple[str, str], list[tuple[str, str]]]]:
    """Results of one case over the files, and what is said of each resource by each record that a signal cites."""
    with tempfile.TemporaryDirectory() as folder:
        case = new_case(Path(folder) / "case", "LABELLED")
        add(case, files)
        results = Results(case)
        signals = defaultdict(list)
        for verdict in ("findings", "leads"):
            for one in results.findings[verdict]:
                for signal in one["signals"]:
                    for ref in signal["refs"]:
                        for resource in one["subjects"]["resource"]:
                            signals[resource, ref].append((verdict.removesuffix("s"), signal["kind"]))
        assert len(results.activity)  # read while the folder is there
        return results, signals


def _of_truth(entry: dict[str, Any], results: Results, signals: Any) -> Iterator[Verdict]:
    wanted = entry["select"]
    names = wanted["eventName"] if isinstance(wanted["eventName"], list) else [wanted["eventName"]]
    text = json.loads((LOGS / entry["file"]).read_text(encoding="utf-8"))
    records = text.get("Records", [text]) if isinstance(text, dict) else text
    times = [one["eventTime"] for one in records if one["eventName"] in names]
    stamps = results.activity.time.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    chosen = results.activity[results.activity.operation.isin(names) & stamps.isin(times)]
    for row in chosen[
        stamps[chosen.index].eq(wanted["eventTime"]) if "eventTime" in wanted else slice(None)
    ].itertuples():
        attack = not entry["technique"].startswith("cleanup")
        yield _verdict(entry["id"], row, entry["technique"], attack, signals)


def _of_rule(name: str, entry: dict[str, Any], results: Results, signals: Any) -> Verdict:
    ref = f"E001:{entry['line_number'] + 1}"
    rows = results.activity
    further = rows.further_refs.map(lambda refs: refs is not None and ref in list(refs)).astype(bool)
    place = f"{name.partition('/')[0]} {entry['rule']}"
    for row in rows[rows.ref.eq(ref) | further].itertuples():
        return _verdict(place, row, entry["test"], entry["rule_should_fire"], signals)
    event = str(entry["fields"].get("event_name") or "")
    return Verdict(
        place, event, "", entry["test"], entry["rule_should_fire"], "nothing", "no operation of the catalogue"
    )


def _verdict(place: str, row: Any, label: str, attack: bool, signals: Any) -> Verdict:
    """What is said of the event's own resource by this record, or by a later one of the same operation."""
    refs = (row.ref, *(row.further_refs if row.further_refs is not None else ()))
    told = [one for ref in refs for one in signals.get((row.resource or UNNAMED, ref), ())]
    verdict = min((one for one, _ in told), default="nothing")
    why = ", ".join(sorted({kind for _, kind in told})) or f"phase {row.phase}, no signal"
    return Verdict(place, f"{row.operation} ({row.phase})", str(row.principal or ""), label, attack, verdict, why)


def page(found: list[Verdict]) -> str:
    """The page of all verdicts."""
    rows = ["| where | event (phase) | principal | label | attack | verdict | why |", "|" + "---|" * 7]
    for one in found:
        cells = (one.place, one.event, one.principal, one.label, "yes" if one.attack else "no", one.verdict, one.why)
        rows.append("| " + " | ".join(cell.replace("|", "\\|").replace("*", "\\*") for cell in cells) + " |")
    return f"{HEAD}\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(verdicts()), encoding="utf-8")
