"""Preserve: copy files into the case's bag, hash them while copying, and record every act.

The original is only ever read. Copies are staged beside the bag; a batch of them is written down in a
journal and then moved in, recorded in the custody chain and stated in the manifests. Whoever comes next
after a kill at any place carries the journal out to its end. Names in the bag are neutral ASCII; the
original name stands in the chain.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from playbooks.case import Case
from playbooks.evidence import journal
from playbooks.evidence.copying import BLOCK, Copied, Copier, Progress
from playbooks.evidence.disk import disk_full, is_full, locked
from playbooks.evidence.inputs import find_files, printable, refusal, safe_name
from playbooks.evidence.items import Item, items, sha256_of

BATCH_BYTES = 1 << 26  # what a kill may cost: at most this much is copied again
BATCH_FILES = 1000


@dataclass(frozen=True)
class Added:
    """What became of one input of `add`: the item, or why there is none.

    `note` is empty for a new item; `warning` says what its reader should know.
    """

    source: Path
    item: Item | None
    note: str
    refused: bool = False
    warning: str = ""


def add(
    case: Case,
    inputs: list[Path],
    progress: Progress = lambda _: None,
    waiting: Callable[[], None] = lambda: None,
    source_of: Callable[[Path], str] = printable,
) -> list[Added]:
    """Preserve files and folders.

    Parameters
    ----------
    case
        The case.
    inputs
        Files, or folders taken with all they hold.
    progress
        Told the number of bytes just copied.
    waiting
        Called when another addition to the same case is at work, and this one waits for it.
    source_of
        What the chain states as the source of a path; the path itself by default.

    Returns
    -------
    list of Added
        One per file, in order; a refused or already known file says why.

    Raises
    ------
    PlaybookError
        The disk is full; what was added before is kept, and the case is intact.
    EvidenceChanged
        Something lies in the bag that nothing records, or what a broken-off addition left was changed.
    """
    with locked(case, waiting), Copier() as copier:
        journal.carry_out(case)
        adding = _Adding(case, copier, progress, source_of)
        outcome = [adding.take(path) for path in find_files(inputs)]
        adding.commit()
        journal.complete_bag(case)
        shutil.rmtree(journal.staging(case), ignore_errors=True)
    return outcome


def finish(case: Case) -> bool:
    """Carry out what an addition that was broken off had left to do; tells whether there was anything."""
    with locked(case):
        return journal.carry_out(case)


@dataclass
class _Adding:
    """One call of `add`: what is known, and the batch that is not committed yet."""

    case: Case
    copier: Copier
    progress: Progress
    source_of: Callable[[Path], str]
    batch: journal.Batch = field(default_factory=journal.Batch)
    size: int = 0

    def __post_init__(self) -> None:
        journal.staging(self.case).mkdir(exist_ok=True)
        self.known = {item.sha256: item for item in items(self.case)}
        self.seen = {(item.source, item.size) for item in self.known.values()}

    def take(self, path: Path) -> Added:
        """What becomes of one input."""
        source = self.source_of(path)
        if reason := refusal(path):
            return self._refuse(path, reason)
        if same := self._taken_before(path, source):
            return self._seen_again(path, same)
        staged = journal.staging(self.case) / f"{hashlib.sha256(source.encode()).hexdigest()[:32]}.part"
        if staged.name in self.batch.staged.values():
            self.commit()  # the same path was given before; its copy waits under this name
        try:
            copied = self.copier.copy(path, staged, self.progress)
        except OSError as error:
            staged.unlink(missing_ok=True)
            if is_full(error):
                self.commit()  # what is whole already is kept
                raise disk_full(source) from error
            return self._refuse(path, f"cannot be read: {error.strerror}")
        if known := self.known.get(copied.sha256):
            staged.unlink()
            return self._seen_again(path, known)
        return self._stage(path, source, staged, copied)

    def _taken_before(self, path: Path, source: str) -> Item | None:
        """The item of the same name, size and content: an addition done again only reads what it has already."""
        if (source, path.lstat().st_size) not in self.seen:
            return None
        return self.known.get(sha256_of(path))

    def _stage(self, path: Path, source: str, staged: Path, copied: Copied) -> Added:
        evidence_id = f"E{len(self.known) + 1:03d}"
        now = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
        name = f"{evidence_id}-{safe_name(path.name)}"
        item = Item(evidence_id, name, source, copied.size, copied.sha256, copied.sha512, now)
        modified = dt.datetime.fromtimestamp(path.lstat().st_mtime, dt.UTC).isoformat(timespec="microseconds")
        original = {"modified": modified, "changed_while_copied": copied.changed_meanwhile}
        self.known[item.sha256] = item
        self.seen.add((source, item.size))
        self.batch.add(item, staged.name, original)
        self.size += item.size
        if self.size >= BATCH_BYTES or len(self.batch.acts) >= BATCH_FILES:
            self.commit()
        warning = "the original changed while it was copied" if copied.changed_meanwhile else ""
        return Added(path, item, "", warning=warning)

    def _seen_again(self, path: Path, same: Item) -> Added:
        self.batch.act("seen again", source=self.source_of(path), sha256=same.sha256)
        return Added(path, same, f"same content as {same.evidence_id} ({same.name}); not added again")

    def _refuse(self, path: Path, reason: str) -> Added:
        self.batch.act("refused", source=self.source_of(path), reason=reason)
        return Added(path, None, reason, refused=True)

    def commit(self) -> None:
        """Make the batch part of the case."""
        batch, self.batch, self.size = self.batch, journal.Batch(), 0
        known = self.known.values()
        journal.commit(self.case, batch, (sum(item.size for item in known), len(known)))


__all__ = ["BLOCK", "Added", "Item", "add", "find_files", "finish", "items", "printable", "sha256_of"]
