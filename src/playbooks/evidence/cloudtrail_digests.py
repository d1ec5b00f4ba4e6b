"""CloudTrail's digest files: were the log files among the evidence changed since CloudTrail delivered them?

Needs no network: the digest files and log files lie among the evidence, the public keys are files.
What is checked follows AWS CloudTrail User Guide, "Custom implementations of CloudTrail log file
integrity validation": the RSA signature of each digest file (over its end time, its path, the SHA-256
of its unpacked content and the signature of the digest file before), the chain of digest files, and the
SHA-256 of the unpacked content of each log file that they name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from playbooks.case import Case
from playbooks.evidence.checks import Check, State
from playbooks.evidence.cloudtrail.chain import Chain, Standing, at, judge
from playbooks.evidence.cloudtrail.digest_file import Digest, NoDigest, read_digest
from playbooks.evidence.cloudtrail.items import DIGEST_NAME, LONGEST_DIGEST, Damage, Kind, content, found
from playbooks.evidence.cloudtrail.keys import Keyring, keyring
from playbooks.evidence.cloudtrail.logs import Added, Compared, LogFiles, added_later, compare, short_name
from playbooks.evidence.cloudtrail.signatures import recorded_signatures
from playbooks.evidence.custody import Fault
from playbooks.evidence.preserve import Item, printable

NAME = "CloudTrail digest files"
FETCH = (
    "Fetch them from the bucket of the trail, below AWSLogs/ACCOUNT/CloudTrail-Digest/, with their metadata "
    "(aws s3api head-object), and the public keys of that region and time (aws cloudtrail list-public-keys)"
)


@dataclass(frozen=True)
class TrailVerdict:
    """What is known of one trail: its chain of digest files and the log files that they name.

    A log file that a verified digest file names and that is not among the evidence is a *gap*, not a break:
    nothing that is here contradicts what CloudTrail signed, and from here nobody can tell a log file deleted
    from the bucket from one that was not copied. But neither may the trail be called verified then: that
    word claims a whole span, and the file that is missing may be the one that matters. So the answer is
    *not checked*, with the files to fetch.
    """

    chain: Chain
    logs: Compared
    added: tuple[Added, ...]  # log files that none of its digest files names

    @property
    def faults(self) -> tuple[Fault, ...]:
        faults = [fault for one in self.chain.judged for fault in one.faults]
        faults += [gap.fault for gap in self.chain.gaps]
        faults += [fault for _, fault in self.logs.faults]
        faults += [late.fault for late in self.added]
        return tuple(dict.fromkeys(Fault(fault.where, printable(fault.what)) for fault in faults))

    @property
    def broken_from(self) -> dt.datetime | None:
        """The time from which on the trail is not verified: the end of the last good digest file before a fault."""
        moments = [self.chain.broken_from(one) for one in self.chain.judged if one.faults]
        moments += [gap.start for gap in self.chain.gaps]
        moments += [moment for moment, _ in self.logs.faults] + [late.delivered for late in self.added]
        return min(moments, default=None)

    def check(self) -> Check:
        """The answer for this trail alone."""
        verified = self.chain.of(Standing.VERIFIED)
        spans = " and ".join(f"from {at(start)} to {at(end)}" for start, end in self.chain.spans)
        amount = f"{_count(len(verified), 'digest file')}, {_count(len(self.logs.verified), 'log file')}"
        if self.broken_from:
            state, said = State.BROKEN, f"broken from {at(self.broken_from)}"
            said += f"; verified: {spans}, {amount}" if verified else "; nothing verified"
        elif not verified:
            state, said = State.NOT_CHECKED, f"not checked; {self._agreement()}"
        elif self.logs.missing:
            state, said = State.NOT_CHECKED, f"{spans}: {amount} verified, but {self._missing()}"
        else:
            state, said = State.VERIFIED, f"verified {spans}, {amount}"
        if verified and self.logs.agreeing:
            said += f"; {_count(len(self.logs.agreeing), 'log file')} named only by a digest file that is not verified"
        return Check(self.chain.trail.words(), state, "; ".join([said, *self._open()]), self.faults)

    def _agreement(self) -> str:
        count = len(self.logs.agreeing)
        return f"{_count(count, 'log file')} {'is' if count == 1 else 'are'} as the digest files state"

    def _missing(self) -> str:
        keys = [printable(named.key.rpartition("/")[2])[:120] for named in self.logs.missing]
        more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
        return f"{_count(len(keys), 'log file')} that they name not brought: {', '.join(keys[:3])}{more}"

    def _open(self) -> list[str]:
        """Why digest files could not be checked, each reason once."""
        reasons: dict[str, list[str]] = {}
        for one in self.chain.of(Standing.OPEN):
            reasons.setdefault(one.why_open, []).append(f"{one.digest.evidence_id} (to {at(one.digest.end)})")
        return [f"not checked: {_few(which)}: {why}" for why, which in reasons.items()]


@dataclass(frozen=True)
class Examined:
    """All trails of a case, and what belongs to none of them."""

    trails: tuple[TrailVerdict, ...]
    unread: tuple[Fault, ...]  # named as digest files, or moved to the name of another one
    unnamed: tuple[Item, ...]  # log files that no digest file names
    log_count: int
    ring: Keyring


def examine(case: Case, public_keys: list[Path]) -> Examined:
    """Everything that CloudTrail's digest files say about the evidence of a case, trail by trail.

    Parameters
    ----------
    case
        The case; its evidence is only read.
    public_keys
        Files of CloudTrail public keys; empty to use those among the evidence.

    Raises
    ------
    UsageError
        A given key file holds no usable key.
    """
    kinds = found(case)
    ring = keyring(case, public_keys, kinds[Kind.KEYS], kinds[Kind.ANSWERS])
    digests, unread = _read(case, kinds[Kind.DIGEST])
    recorded = recorded_signatures(case, kinds[Kind.SIGNATURES], kinds[Kind.ANSWERS])
    chains = judge(digests, ring, recorded)
    logs = LogFiles.read(case, kinds[Kind.LOG])
    compared = [compare(chain, logs) for chain in chains]
    unnamed = logs.unnamed()
    added = [late for item in unnamed if (late := added_later(item, chains))]
    trails = (
        TrailVerdict(chain, result, tuple(late for late in added if late.trail == chain.trail))
        for chain, result in zip(chains, compared, strict=True)
    )
    return Examined(tuple(trails), tuple(unread), tuple(unnamed), len(kinds[Kind.LOG]), ring)


def check_cloudtrail(case: Case, public_keys: list[Path]) -> Check:
    """One answer over all trails of a case; `examine` gives each trail's own.

    *verified* only where every trail is; *broken* where one is; log files that no digest file names are
    told in the detail, for they are neither verified nor contradicted. See `examine` for arguments and errors.
    """
    seen = examine(case, public_keys)
    if not seen.trails and not seen.unread:
        if not seen.log_count:
            return Check(NAME, State.NOT_PRESENT, "no CloudTrail log file among the evidence")
        files = _count(seen.log_count, "CloudTrail item")
        return Check(NAME, State.NOT_PRESENT, f"{files}, but no digest file. {FETCH}")
    checks = [trail.check() for trail in seen.trails]
    faults = tuple(dict.fromkeys([*seen.unread, *(fault for check in checks for fault in check.faults)]))
    said = [f"{check.name}: {check.detail}" for check in checks]
    return Check(NAME, _state(faults, checks), "; ".join([*said, *_beside(seen)]), faults)


def _state(faults: tuple[Fault, ...], checks: list[Check]) -> State:
    if faults:
        return State.BROKEN
    return State.VERIFIED if all(check.state is State.VERIFIED for check in checks) else State.NOT_CHECKED


def _beside(seen: Examined) -> list[str]:
    """What a reader must know besides the trails."""
    said = []
    if seen.unread:
        said.append(f"no digest file or not in its place: {_few([fault.where for fault in seen.unread])}")
    if seen.unnamed:
        said.append(f"no digest file names {_few([item.evidence_id for item in seen.unnamed])}: not checked")
    if seen.ring.unusable:
        said.append(f"keys set aside: {'; '.join(seen.ring.unusable[:5])}")
    if seen.ring.from_evidence and seen.ring.keys:
        sources = sorted({key.source for key in seen.ring.keys.values()})
        said.append(f"public keys taken from the evidence ({_few(sources)}): compare them with AWS")
    return said


def _read(case: Case, digest_items: Iterable[Item]) -> tuple[list[Digest], list[Fault]]:
    """The digest files among the evidence, and every item that only looks like one or lies where another belongs."""
    digests, faults = [], []
    for item in digest_items:
        data = content(case, item, LONGEST_DIGEST)
        if isinstance(data, Damage):
            faults.append(Fault(item.evidence_id, f"no digest file: {data.reason}"))
            continue
        try:
            digest = read_digest(item.evidence_id, data)
        except NoDigest as error:
            faults.append(Fault(item.evidence_id, f"no digest file: {printable(str(error))}"))
            continue
        digests.append(digest)
        if DIGEST_NAME.search(item.source) and short_name(item.source) != short_name(digest.key):
            faults.append(Fault(item.evidence_id, f"moved: it says of itself that it is {short_name(digest.key)}"))
    return digests, faults


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
