"""The chain of one trail's digest files: which of them are verified, which are broken, and what no digest file covers.

A digest file holds the signature and the SHA-256 of the one before it, so the chain is judged from its
newest file back. A signature that fits vouches for its digest file whatever stands around it. One that does
not fit is a fault only where it comes from a verified digest file (or was recorded at acquisition): a broken
digest file says nothing about its neighbour, whose signature is then simply not at hand.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from playbooks.evidence.cloudtrail.digest_file import Digest, Trail
from playbooks.evidence.cloudtrail.keys import Keyring
from playbooks.evidence.cloudtrail.signatures import Recorded, Signatures
from playbooks.evidence.custody import Fault

Span = tuple[dt.datetime, dt.datetime]
Path = tuple[str, str]  # bucket and key


class Standing(StrEnum):
    """What is known of a digest file: its signature fits; something of it does not; or it cannot be told."""

    VERIFIED = "verified"
    BROKEN = "broken"
    OPEN = "not checked"


@dataclass(frozen=True)
class Judged:
    """A digest file, what is known of it, why it could not be checked, and every fault."""

    digest: Digest
    standing: Standing
    why_open: str = ""
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Gap:
    """A span that no verified digest file covers though there are some on both sides of it."""

    start: dt.datetime
    end: dt.datetime
    fault: Fault


@dataclass(frozen=True)
class Chain:
    """The digest files of one trail in the order of time, and the gaps between them."""

    trail: Trail
    judged: tuple[Judged, ...]
    gaps: tuple[Gap, ...]

    def of(self, standing: Standing) -> list[Judged]:
        """The digest files of one standing."""
        return [one for one in self.judged if one.standing is standing]

    @cached_property
    def spans(self) -> list[Span]:
        """The spans of time that verified digest files cover without a hole."""
        spans: list[Span] = []
        for one in self.of(Standing.VERIFIED):
            if spans and one.digest.start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(spans[-1][1], one.digest.end))
            else:
                spans.append((one.digest.start, one.digest.end))
        return spans

    def verified_before(self, digest: Digest) -> dt.datetime | None:
        """The end of the last verified digest file before `digest`."""
        return max((one.digest.end for one in self.of(Standing.VERIFIED) if one.digest.end < digest.end), default=None)

    def broken_from(self, one: Judged) -> dt.datetime:
        """From when on a digest file with a fault leaves the trail unverified.

        A verified one has its fault in what follows it.
        """
        if one.standing is Standing.VERIFIED:
            return one.digest.end
        return self.verified_before(one.digest) or one.digest.start


def judge(digests: Iterable[Digest], ring: Keyring, recorded: Signatures) -> list[Chain]:
    """Judge digest files, one chain per trail; the same content twice counts once.

    Parameters
    ----------
    digests
        Digest files in any order, of any trails.
    ring
        The public keys.
    recorded
        Signatures kept outside the digest files.
    """
    of_trail: dict[Trail, dict[str, Digest]] = defaultdict(dict)
    for digest in digests:
        of_trail[digest.trail].setdefault(digest.sha256, digest)
    return [_chain(trail, list(of_trail[trail].values()), ring, recorded) for trail in sorted(of_trail)]


def _chain(trail: Trail, digests: list[Digest], ring: Keyring, recorded: Signatures) -> Chain:
    ordered = sorted(digests, key=lambda digest: (digest.end, digest.start, digest.sha256))
    followers: dict[Path, list[Judged]] = defaultdict(list)
    judged: list[Judged] = []
    for digest in reversed(ordered):
        one = _judge(digest, followers[digest.path], ring, recorded)
        judged.insert(0, one)
        if digest.previous:
            followers[digest.previous.path].append(one)
    whole = Chain(trail, tuple(_twins_told(judged)), ())
    return replace(whole, gaps=tuple(_gaps(whole)))


def _judge(digest: Digest, followers: list[Judged], ring: Keyring, recorded: Signatures) -> Judged:
    """One digest file by its signature, and by what the digest files after it (already judged) state of it."""
    key = ring.keys.get(digest.fingerprint)
    stated = [one.digest.previous.signature for one in followers if one.digest.previous]
    name = digest.key.rpartition("/")[2].removesuffix(".gz")
    own = recorded.of(name)
    known = [*stated, *(record.signature for record in [*own, *recorded.loose])]
    verified = key is not None and any(key.signed(digest.signed_text(), signature) for signature in known)
    faults = _hash_faults(digest, followers, verified)
    if key is None:
        why = f"no public key {digest.fingerprint[:64]} given"
    elif verified:
        why = ""
        if not digest.trail.backfill and not key.in_use(digest.end):  # late log files are signed with a later key
            faults.append(
                Fault(digest.evidence_id, f"signed with key {key.fingerprint}, not in use at {at(digest.end)}")
            )
    else:
        faults += _signature_faults(digest, followers, own)
        why = _why_open(digest, followers)
    if any(fault.where == digest.evidence_id for fault in faults):
        return Judged(digest, Standing.BROKEN, "", tuple(faults))
    return Judged(digest, Standing.VERIFIED if verified else Standing.OPEN, why, tuple(faults))


def _hash_faults(digest: Digest, followers: list[Judged], verified: bool) -> list[Fault]:
    """Where the SHA-256 that a later digest file states is not that of this one: which of the two is at fault."""
    faults = []
    for one in followers:
        before = one.digest.previous
        if before is None or before.sha256 == digest.sha256:
            continue
        expected = f"SHA-256 of its content is {digest.sha256}, {one.digest.evidence_id} states {before.sha256}"
        if verified and one.standing is not Standing.VERIFIED:
            faults.append(
                Fault(one.digest.evidence_id, f"does not fit {digest.evidence_id}, which is verified: {expected}")
            )
        elif one.standing is Standing.VERIFIED:
            faults.append(Fault(digest.evidence_id, f"changed: {expected}"))
        elif one.standing is Standing.OPEN:
            faults.append(Fault(digest.evidence_id, f"one of the two was changed: {expected}"))
    return faults


def _signature_faults(digest: Digest, followers: list[Judged], own: Sequence[Recorded]) -> list[Fault]:
    sources = [one.digest.evidence_id for one in followers if one.standing is Standing.VERIFIED]
    sources += [record.where for record in own]
    what = (
        "signature does not fit: expected that of its end time, path, content and the signature before it; it stands in"
    )
    return [Fault(digest.evidence_id, f"{what} {source}") for source in sources]


def _why_open(digest: Digest, followers: list[Judged]) -> str:
    if followers:
        return f"its signature stands in {followers[0].digest.evidence_id}, which is not verified"
    return "its signature is not at hand: it stands in the next digest file and in the metadata of the S3 object"


def _twins_told(judged: list[Judged]) -> list[Judged]:
    """Two digest files for one path can not both be CloudTrail's: each that is not verified is a fault."""
    by_path: dict[Path, list[Judged]] = defaultdict(list)
    for one in judged:
        by_path[one.digest.path].append(one)
    told = []
    for one in judged:
        others = [twin.digest.evidence_id for twin in by_path[one.digest.path] if twin is not one]
        if others and one.standing is not Standing.VERIFIED:
            fault = Fault(one.digest.evidence_id, f"{', '.join(others)} stands for the same path, with other content")
            one = Judged(one.digest, Standing.BROKEN, "", (*one.faults, fault))
        told.append(one)
    return told


def _gaps(chain: Chain) -> Iterable[Gap]:
    by_path: dict[Path, list[Digest]] = defaultdict(list)
    for one, before in zip(chain.judged[1:], chain.judged, strict=False):
        by_path[before.digest.path].append(before.digest)
        if what := _hole(one, by_path):
            end = one.digest.start
            start = min(chain.verified_before(one.digest) or before.digest.end, end)
            yield Gap(start, end, Fault(chain.trail.words(), f"unknown from {at(start)} to {at(end)}: {what}"))


def _hole(one: Judged, earlier: Mapping[Path, list[Digest]]) -> str:
    """Why a digest file that is not the first one does not continue what stands before it; empty where it does."""
    digest, previous = one.digest, one.digest.previous
    before = earlier.get(previous.path, []) if previous else []
    if one.standing is Standing.BROKEN:
        return ""  # its own fault is told; what it says of others is not believed
    if previous and not before:
        return f"the digest file before {digest.evidence_id} is not among the evidence: {previous.key}"
    if digest.trail.backfill:
        return ""  # late log files come when they come: no hour is owed
    if not previous:
        return f"{digest.evidence_id} begins a new chain: validation or logging was off before it"
    if before[-1].end < digest.start:
        return f"no digest file covers the time between {before[-1].evidence_id} and {digest.evidence_id}"
    return ""


def at(moment: dt.datetime) -> str:
    """A moment in words, UTC."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
