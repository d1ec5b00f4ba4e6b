"""Seals: a signed statement of what the bag and the custody chain are at one moment.

A chain that was cut at its end is still a chain, and a bag written anew is still a bag. A seal pins the number
of entries, the head of the chain and the tag manifests of the bag, and is signed by a key that does not lie in
the case.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playbooks import __version__
from playbooks.case import Case
from playbooks.errors import EvidenceChanged, PlaybookError, UsageError
from playbooks.evidence import custody
from playbooks.evidence.disk import disk_full, is_full, locked, write_durably
from playbooks.evidence.items import items, sha256_of
from playbooks.evidence.keys import public_of
from playbooks.evidence.public_keys import NAMESPACE, PublicKey
from playbooks.evidence.seal_statement import (
    FOLDER,
    MOST_SEALS,
    PREPARED,
    SEALED,
    TAG_MANIFESTS,
    Chain,
    NoSeal,
    Signer,
    Statement,
    Tool,
    beside,
    numbers,
    read_statement,
    recorded,
    small_file,
    statement_file,
)
from playbooks.evidence.sshsig import NoSignature, check, parse, sign
from playbooks.evidence.verify import verify

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FAULTS_SHOWN = 5


@dataclass(frozen=True)
class Sealed:
    """A seal that was made, or a statement that waits for its signature."""

    number: int
    statement: Path
    fingerprint: str
    chain_entries: int
    items: int

    @property
    def signature(self) -> Path:
        return beside(self.statement, ".sig")

    def command(self, key: Path | str, statement: Path | None = None) -> str:
        """What the holder of the key types to sign the statement; `statement` is the file as they see it."""
        file = str(statement or self.statement)
        return shlex.join(["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", NAMESPACE, file])


def seal(case: Case, key: Ed25519PrivateKey) -> Sealed:
    """Seal a case with an Ed25519 key.

    Returns
    -------
    Sealed
        Statement and signature are on the disk and stand in the custody chain.

    Raises
    ------
    EvidenceChanged
        Bag or chain are not intact: a seal would vouch for the change.
    UsageError
        There is no evidence to seal.
    PlaybookError
        The disk is full; nothing is kept.
    """
    public = public_of(key)
    with locked(case):
        made = _statement(case, public)
        content = made.content()
        file = statement_file(case, made.seal)
        files = {beside(file, ".sig"): sign(content, key, public).encode(), file: content}
        _write(case, made, files, SEALED)  # the signature first: a statement is never seen without it
    return _sealed(file, made)


def statement(case: Case, public: PublicKey) -> Sealed:
    """Write the statement that the holder of another key signs with `ssh-keygen`; `record` takes the signature.

    Raises
    ------
    EvidenceChanged, UsageError, PlaybookError
        As `seal`.
    """
    with locked(case):
        made = _statement(case, public)
        file = statement_file(case, made.seal)
        _write(case, made, {file: made.content()}, PREPARED)
    return _sealed(file, made)


def _sealed(file: Path, made: Statement) -> Sealed:
    return Sealed(made.seal, file, made.signer.fingerprint, made.chain.entries, made.items)


def _statement(case: Case, public: PublicKey) -> Statement:
    """What is true now, after every byte was checked; the case is locked."""
    verdict = verify(case)
    if not verdict.intact:
        faults = [f"  {fault.where}: {fault.what}" for fault in verdict.faults[:FAULTS_SHOWN]]
        raise EvidenceChanged(
            f"{case.path}: not sealed, because evidence is not what it was when it was added "
            f"({len(verdict.faults)} faults).\n" + "\n".join(faults) + f"\nSee all: playbooks verify {case.path}"
        )
    known = items(case)
    if not known:
        raise UsageError(f"{case.path}: no evidence to seal yet. Add some first: playbooks add {case.path} FILE…")
    number = max(numbers(case, custody.entries(case.custody)), default=0) + 1
    if number > MOST_SEALS:
        raise EvidenceChanged(
            f"{case.path / FOLDER}: seal {number - 1} is not one of this kit. Find out who put it there."
        )
    return Statement(
        type="playbooks.seal",
        version=1,
        seal=number,
        case_id=case.config.case_id,
        time=dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        bag={name: sha256_of(case.evidence / name) for name in TAG_MANIFESTS},  # type: ignore[misc]  # these two
        chain=Chain(entries=verdict.entries, head=verdict.head),
        items=len(known),
        payload_oxum=f"{verdict.size}.{verdict.files}",
        signer=Signer(public_key=public.line(), fingerprint=public.fingerprint),
        tool=Tool(name="playbooks", version=__version__),
    )


def _write(case: Case, made: Statement, files: dict[Path, bytes], activity: str) -> None:
    """Write a seal's files and record them; none of them stays where that fails."""
    folder = case.path / FOLDER
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise EvidenceChanged(f"{folder}: no folder. Expected the folder of seals. Find out who put that there.")
    try:
        folder.mkdir(exist_ok=True)
        for file, content in files.items():
            write_durably(file, content)
        _record(case, made, activity)
    except (OSError, PlaybookError) as error:
        for file in files:
            file.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        if is_full(error):
            raise disk_full(folder) from error
        raise PlaybookError(
            f"{folder}: cannot be written: {error.strerror}. Not sealed; may you write there?"
        ) from error


def _record(case: Case, made: Statement, activity: str) -> None:
    custody.append(
        case.custody,
        case.config.case_id,
        activity,
        seal=made.seal,
        statement_sha256=hashlib.sha256(made.content()).hexdigest(),
        signer=made.signer.fingerprint,
    )


def record(case: Case) -> list[Sealed]:
    """Record the signatures that `ssh-keygen` left beside prepared statements; gives the seals they complete.

    Raises
    ------
    EvidenceChanged
        A signature is not one by the key that the statement names, over the statement; nothing is recorded.
    UsageError
        No statement waits for its signature, or the signature is not there yet.
    """
    with locked(case):
        chain = custody.entries(case.custody)
        done = recorded(chain, SEALED)
        waiting = [
            number for number in numbers(case, chain) if number not in done and statement_file(case, number).is_file()
        ]
        signed = [number for number in waiting if beside(statement_file(case, number), ".sig").is_file()]
        if not signed:
            files = ", ".join(str(statement_file(case, number)) for number in waiting) or "none was prepared"
            raise UsageError(
                f"{case.path}: no signature to record; statements that wait: {files}. See docs/how-to/sign.md"
            )
        made = [_signed(statement_file(case, number)) for number in signed]
        for one in made:
            _record(case, one, SEALED)
    return [_sealed(statement_file(case, one.seal), one) for one in made]


def _signed(file: Path) -> Statement:
    """The statement in a file, once its signature is found right by the key it names."""
    try:
        content = small_file(file)
        made = read_statement(content)
        found = parse(small_file(beside(file, ".sig")))
        answer = check(content, found)
    except (NoSeal, NoSignature) as error:
        raise EvidenceChanged(f"{file}: {error}. Expected the statement as written, and its signature.") from error
    if found.public.line() != made.signer.public_key:
        raise EvidenceChanged(
            f"{file} is signed by {found.public.fingerprint}, but was written for {made.signer.fingerprint}. "
            "Sign it with that key, or write a statement for the other one."
        )
    if answer.right is not True:
        raise EvidenceChanged(
            f"{file}: the signature does not fit{': ' * bool(answer.why)}{answer.why}. Sign it again."
        )
    return made
