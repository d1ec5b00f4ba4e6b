"""Check seals: is the signature right, whose is it, and are chain and bag still what was signed?"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playbooks.case import Case
from playbooks.evidence import custody
from playbooks.evidence.bag import ALGORITHMS, manifest
from playbooks.evidence.checks import Check, State
from playbooks.evidence.custody import GENESIS, Fault, fingerprint
from playbooks.evidence.inputs import printable
from playbooks.evidence.items import Item, items_in, sha256_of
from playbooks.evidence.public_keys import PublicKey
from playbooks.evidence.seal_statement import (
    FOLDER,
    PREPARED,
    SEALED,
    NoSeal,
    Statement,
    beside,
    numbers,
    read_statement,
    recorded,
    small_file,
    statement_file,
)
from playbooks.evidence.sshsig import NoSignature, Signature, check, parse

NAMED = 5  # items added since: as many are named one by one


@dataclass(frozen=True)
class _Case:
    """What every seal of a case is held against; read once."""

    case: Case
    chain: list[dict[str, Any]]
    whole: int  # entries from the start that follow each other
    sealed: Mapping[int, Mapping[str, Any]]
    prepared: Mapping[int, Mapping[str, Any]]
    trusted: dict[bytes, PublicKey]


def check_seals(case: Case, trusted: Sequence[PublicKey] = ()) -> list[Check]:
    """Check every seal of a case; changes nothing.

    Parameters
    ----------
    case
        The case. Bag and chain themselves are checked by `verify`.
    trusted
        Public keys whose holder is known. A right signature by any other key is *not checked*.

    Returns
    -------
    list of Check
        One for each seal. The newest is named `seal`, older ones `seal 0001`; where there is none, one says so.
    """
    chain = custody.entries(case.custody)
    sealed, prepared = recorded(chain, SEALED), recorded(chain, PREPARED)
    known = _Case(case, chain, _following(chain), sealed, prepared, {key.blob: key for key in trusted})
    checks = [_check(known, number) for number in reversed(numbers(case, chain))]
    if not checks:
        return [Check("seal", State.NOT_PRESENT, f"never signed; sign with: playbooks sign {case.path} --key FILE")]
    return [replace(checks[0], name="seal"), *checks[1:]]


def _following(chain: list[dict[str, Any]]) -> int:
    """How many entries, from the first on, are what they were and follow each other."""
    before = GENESIS
    for place, entry in enumerate(chain):
        try:
            same = entry["fingerprint"] == fingerprint(entry)
        except (ValueError, RecursionError):
            same = False
        if not same or entry["prev_event"] != before or entry["seq"] != place + 1:
            return place
        before = entry["fingerprint"]
    return len(chain)


def _check(known: _Case, number: int) -> Check:
    case, name = known.case, f"seal {number:04d}"
    file = statement_file(case, number)
    where = f"{FOLDER}/{file.name}"
    try:
        content = small_file(file)
        stated = read_statement(content)
    except NoSeal as error:
        return _without_statement(known, number, where, str(error))
    unsigned = not os.path.lexists(beside(file, ".sig")) and number not in known.sealed
    if unsigned:
        return Check(name, State.NOT_CHECKED, f"{number:04d}: {_waiting(known, number, stated)}")
    faults = [*_record_faults(known, number, content, where), *_case_faults(known, number, stated, where)]
    broken = _chain_faults(known, stated)
    sealed, since = ([], []) if broken else _items(known, stated)  # a chain that is not the sealed one names nothing
    faults += [*broken, *_bag_faults(case, stated, since)]
    if not broken:
        faults += _item_faults(case, stated, sealed)
    signature, wrong = _signature(known, number, stated)
    faults += wrong
    state, words = _judged(known, content, signature)
    if state is State.BROKEN:
        faults.append(Fault(f"{where}.sig", words))
    detail = f"{number:04d}, {_words(stated, since)}"
    if faults:
        shown = tuple(Fault(printable(fault.where), printable(fault.what)) for fault in faults)
        return Check(name, State.BROKEN, f"{detail}: {len(faults)} fault(s)", shown)
    return Check(name, state, f"{detail}; {words}" + _unrecorded(known, number))


def _without_statement(known: _Case, number: int, where: str, reason: str) -> Check:
    name = f"seal {number:04d}"
    if number in known.sealed or number in known.prepared:
        reason += ", though the chain says that it was " + ("sealed" if number in known.sealed else "prepared")
    elif reason == "missing":
        words = f"{number:04d}: {where} is missing and nothing records it: a sealing was broken off; it proves nothing"
        return Check(name, State.NOT_CHECKED, words)
    return Check(name, State.BROKEN, f"{number:04d}: {reason}", (Fault(where, reason),))


def _waiting(known: _Case, number: int, stated: Statement) -> str:
    by = printable(stated.signer.fingerprint)
    if number in known.prepared:
        return f"the statement waits for the signature of {by}; see docs/how-to/sign.md"
    return "no signature, and nothing records it: a sealing was broken off; it proves nothing. Sign again"


def _record_faults(known: _Case, number: int, content: bytes, where: str) -> list[Fault]:
    """The chain must know the seal, and know it as it lies there."""
    digest = hashlib.sha256(content).hexdigest()
    records = [acts[number] for acts in (known.sealed, known.prepared) if number in acts]
    if not records:
        what = "nothing in the chain records it: the chain was cut after it, or sealing was broken off"
        return [Fault(where, f"{what} (then: playbooks sign CASE --record)")]
    if any(entry.get("statement_sha256") != digest for entry in records):
        return [Fault(where, "not the statement that the chain recorded: it was replaced")]
    return []


def _case_faults(known: _Case, number: int, stated: Statement, where: str) -> list[Fault]:
    faults = []
    if stated.case_id != known.case.config.case_id:
        faults.append(Fault(where, f"belongs to case {printable(stated.case_id)[:64]!r}"))
    if stated.seal != number:
        faults.append(Fault(where, f"is seal {stated.seal}, renamed"))
    return faults


def _chain_faults(known: _Case, stated: Statement) -> list[Fault]:
    where, count, needed = known.case.custody.name, len(known.chain), stated.chain.entries
    if count < needed:
        words = f"the chain has {count} entries, the seal of {printable(stated.time)} states {needed}: it was cut"
        return [Fault(where, words)]
    if known.whole < needed:
        return [Fault(f"{where}, entry {known.whole + 1}", "not the entry that was sealed")]
    if needed == 0 or known.chain[needed - 1]["fingerprint"] != stated.chain.head:
        words = f"entry {needed} is not the head that was sealed: the chain was written anew"
        return [Fault(where, words)]
    return []


def _items(known: _Case, stated: Statement) -> tuple[list[Item], list[Item]]:
    """Items that were sealed, and those added since."""
    cut = stated.chain.entries
    return items_in(known.chain[:cut]), items_in(known.chain[cut:])


def _bag_faults(case: Case, stated: Statement, since: list[Item]) -> list[Fault]:
    """The tag manifests are those that were sealed; only evidence added since may change them."""
    found = {name: sha256_of(case.evidence / name) for name in sorted(stated.bag)}
    changed = {name: digest for name, digest in found.items() if digest != stated.bag[name]}
    if since and len(changed) == len(found):
        return []
    words = "changed since: SHA-256 was {}, is {}"
    return [Fault(f"evidence/{name}", words.format(stated.bag[name], changed[name])) for name in changed]


def _item_faults(case: Case, stated: Statement, sealed: list[Item]) -> list[Fault]:
    """Every item that was sealed is there still, in folder and manifests."""
    faults = []
    oxum = f"{sum(item.size for item in sealed if isinstance(item.size, int))}.{len(sealed)}"
    if (stated.items, stated.payload_oxum) != (len(sealed), oxum):
        words = f"the seal states {stated.items} items ({printable(stated.payload_oxum)[:40]}), the chain {oxum}"
        faults.append(Fault(case.custody.name, words))
    faults += _restated(case, sealed)
    gone = [item for item in sealed if not _is_there(case.evidence / "data" / str(item.name))]
    return faults + [Fault(f"evidence/data/{item.name}", "missing, though it was sealed") for item in gone]


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:
        return False


def _restated(case: Case, sealed: list[Item]) -> list[Fault]:
    """Sealed items that the manifests of now do not state as they were sealed."""
    faults = []
    for algorithm in ALGORITHMS:
        name = f"manifest-{algorithm}.txt"
        stated = manifest(case.evidence / name)
        for item in sealed:
            if stated.get(f"data/{item.name}") != getattr(item, algorithm):
                faults.append(Fault(f"evidence/data/{item.name}", f"not in {name} as it was sealed"))
    return faults


def _signature(known: _Case, number: int, stated: Statement) -> tuple[Signature | None, list[Fault]]:
    file = beside(statement_file(known.case, number), ".sig")
    where = f"{FOLDER}/{file.name}"
    try:
        found = parse(small_file(file))
    except NoSeal as error:
        return None, [Fault(where, f"{error}, though the chain says that it was signed")]
    except NoSignature as error:
        return None, [Fault(where, f"no signature: {error}")]
    if found.public.line() != stated.signer.public_key or found.public.fingerprint != stated.signer.fingerprint:
        words = f"by {found.public.fingerprint}, but the statement names {printable(stated.signer.fingerprint)[:80]}"
        return found, [Fault(where, words)]
    return found, []


def _judged(known: _Case, content: bytes, found: Signature | None) -> tuple[State, str]:
    """What the signature is worth: right or not, and whether anybody said whose key it is."""
    if found is None:
        return State.NOT_CHECKED, ""
    key = f"{found.public.name} key {found.public.fingerprint}"
    answer = check(content, found)
    if answer.right is None:
        return State.NOT_CHECKED, f"signature by {key}: {answer.why}"
    if not answer.right:
        return State.BROKEN, f"does not fit the statement{': ' * bool(answer.why)}{answer.why}"
    named = known.trusted.get(found.public.blob)
    if named is not None:
        return State.VERIFIED, f"signed with the {key}" + f" ({named.comment})" * bool(named.comment)
    if known.trusted:
        return State.NOT_CHECKED, f"signed with the {key}, which is none of the keys given"
    words = "but nobody said whose it is: compare with the fingerprint you noted, or give the key with --key"
    return State.NOT_CHECKED, f"signed with the {key}, {words}"


def _words(stated: Statement, since: list[Item]) -> str:
    """What the seal covers, and what it does not."""
    text = f"{printable(stated.time)}, {stated.items} items, {stated.chain.entries} entries"
    if not since:
        return text
    ids = [printable(str(item.evidence_id)) for item in since]
    names = ", ".join(ids) if len(ids) <= NAMED else f"{ids[0]} to {ids[-1]} ({len(ids)} items)"
    return f"{text}; {names} {'was' if len(ids) == 1 else 'were'} added since and not covered"


def _unrecorded(known: _Case, number: int) -> str:
    return "" if number in known.sealed else "; not recorded yet: playbooks sign CASE --record"
