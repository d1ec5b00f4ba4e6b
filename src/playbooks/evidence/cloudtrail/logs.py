"""Log files against the digest files that name them: there and unchanged, changed, missing, or named by none.

A log file is known by the SHA-256 of its unpacked content, so a renamed or unpacked copy is as good as the
original. Only where its name is that of a named log file must its content be that one's too.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from playbooks.case import Case
from playbooks.evidence.cloudtrail.chain import Chain, Judged, Standing, at
from playbooks.evidence.cloudtrail.digest_file import Named, Trail
from playbooks.evidence.cloudtrail.items import LOG_NAME, Damage, digest_of
from playbooks.evidence.custody import Fault
from playbooks.evidence.preserve import Item

# A log file may stand in the digest file after the hour that its name says (the AWS command line
# allows for one hour too), so at the ends of a span a log file that none names may be named outside it.
SPILL = dt.timedelta(hours=1)


@dataclass
class LogFiles:
    """The log files among the evidence, and which of them some digest file names."""

    by_name: dict[str, list[tuple[Item, str | Damage]]] = field(default_factory=lambda: defaultdict(list))
    by_sha256: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))
    named: set[str] = field(default_factory=set)  # evidence ids

    @classmethod
    def read(cls, case: Case, log_items: Iterable[Item]) -> LogFiles:
        """Hash the unpacked content of each log file."""
        logs = cls()
        for item in log_items:
            sha256 = digest_of(case, item)
            logs.by_name[short_name(item.source)].append((item, sha256))
            if isinstance(sha256, str):
                logs.by_sha256[sha256].append(item)
        return logs

    def unnamed(self) -> list[Item]:
        """The log files that no digest file names."""
        every = (item for copies in self.by_name.values() for item, _ in copies)
        return [item for item in every if item.evidence_id not in self.named]


@dataclass(frozen=True)
class Compared:
    """What became of the log files that one trail's digest files name."""

    verified: tuple[Named, ...]  # there and unchanged, named by a verified digest file
    agreeing: tuple[Named, ...]  # there and as stated, but the digest file itself is not verified
    missing: tuple[Named, ...]  # named by a verified digest file, not among the evidence
    faults: tuple[tuple[dt.datetime, Fault], ...]  # each with the start of the hour it is in


def compare(chain: Chain, logs: LogFiles) -> Compared:
    """Compare what digest files state of log files with the evidence; marks what they name in `logs`.

    A broken digest file is not believed: its log files are neither verified nor faulty, nor missing.
    """
    verified: dict[Named, None] = {}
    agreeing: dict[Named, None] = {}
    missing: dict[Named, None] = {}
    faults: dict[tuple[dt.datetime, Fault], None] = {}
    for one in chain.judged:
        for entry in one.digest.logs:
            there, found = _compare_one(one, entry, logs)
            if one.standing is Standing.BROKEN:
                continue
            faults |= dict.fromkeys((one.digest.start, fault) for fault in found)
            if there:
                (verified if one.standing is Standing.VERIFIED else agreeing)[entry] = None
            elif not found and one.standing is Standing.VERIFIED:
                missing[entry] = None
    return Compared(tuple(verified), tuple(agreeing), tuple(missing), tuple(faults))


def _compare_one(one: Judged, entry: Named, logs: LogFiles) -> tuple[bool, list[Fault]]:
    """Whether a named log file is there, and every item that has its name without its content."""
    copies = logs.by_name.get(short_name(entry.key), [])
    same = [item for item, sha256 in copies if sha256 == entry.sha256]
    elsewhere = logs.by_sha256.get(entry.sha256, [])
    logs.named |= {item.evidence_id for item, _ in copies}
    if same or not copies:
        logs.named |= {item.evidence_id for item in elsewhere}
        return bool(same or elsewhere), _changed(one, entry, copies, elsewhere)
    return False, _changed(one, entry, copies, elsewhere)


def _changed(one: Judged, entry: Named, copies: list[tuple[Item, str | Damage]], elsewhere: list[Item]) -> list[Fault]:
    """The faults of items that have the name of a named log file and other content."""
    faults = []
    other = f"; that content stands in {elsewhere[0].evidence_id}" if elsewhere else ""
    for item, sha256 in copies:
        if sha256 != entry.sha256:
            found = sha256.reason if isinstance(sha256, Damage) else f"is {sha256}"
            what = f"SHA-256 of its content was {entry.sha256} ({one.digest.evidence_id}), {found}{other}"
            faults.append(Fault(item.evidence_id, f"changed: {what}"))
    return faults


@dataclass(frozen=True)
class Added:
    """A log file that no digest file names though those of a trail cover the time in its name."""

    trail: Trail
    delivered: dt.datetime
    fault: Fault


def added_later(item: Item, chains: Iterable[Chain]) -> Added | None:
    """Whether a log file that none names should be named: verified digest files cover its account, region and hour."""
    if not (name := LOG_NAME.search(item.source)):
        return None
    try:
        delivered = dt.datetime.strptime(name["time"], "%Y%m%dT%H%MZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    for chain in chains:
        if (chain.trail.account, chain.trail.region) != (name["account"], name["region"]) or chain.trail.backfill:
            continue
        if any(start + SPILL <= delivered <= end - SPILL for start, end in chain.spans):
            what = (
                f"no digest file names it, though those of {chain.trail.words()} cover {at(delivered)}: added later, "
                "or of a trail without digest files, or named in a backfill digest file that was not brought"
            )
            return Added(chain.trail, delivered, Fault(item.evidence_id, what))
    return None


def short_name(path: str) -> str:
    """The last part of a path or S3 key, without the ending `.gz`."""
    return path.replace("\\", "/").rpartition("/")[2].removesuffix(".gz")
