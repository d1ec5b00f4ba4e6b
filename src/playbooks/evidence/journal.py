"""The journal of an addition: a batch is written down whole before the case changes, then carried out.

Every step can be done twice. So an addition that was killed anywhere is finished by whoever comes next,
and a copy is trusted only when its digest is the one that was taken while it was copied.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from playbooks.case import Case
from playbooks.errors import EvidenceChanged
from playbooks.evidence import custody
from playbooks.evidence.bag import ALGORITHMS, state_payload, write_tags
from playbooks.evidence.disk import require_room, sync_files, sync_folder, write_durably
from playbooks.evidence.items import Item, items, items_in, sha256_of

JOURNAL = "journal.json"


@dataclass
class Batch:
    """Acts that are recorded together, and the staged copies of those that add something."""

    correlation_uid: str = field(default_factory=lambda: str(uuid.uuid4()))
    acts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    staged: dict[str, str] = field(default_factory=dict)

    def act(self, activity: str, **facts: Any) -> None:
        """Record an act that brings no file."""
        self.acts.append((activity, facts))

    def add(self, item: Item, staged: str, original: dict[str, Any]) -> None:
        """Record an item whose copy lies under the name `staged` in the staging folder."""
        self.staged[item.name] = staged
        self.act("added", item=vars(item), original=original)

    @cached_property
    def items(self) -> list[Item]:
        """The items; asked for when the batch is complete."""
        return [Item(**facts["item"]) for activity, facts in self.acts if activity == "added"]

    def written(self) -> bytes:
        """The batch as its journal holds it."""
        return json.dumps({name: getattr(self, name) for name in self.__dataclass_fields__}).encode()


def staging(case: Case) -> Path:
    """Where copies wait; on the file system of the case, so that moving them in is one step."""
    return case.path / ".staging"


def is_pending(case: Case) -> bool:
    """Whether an addition was broken off and waits to be finished."""
    return (staging(case) / JOURNAL).is_file()


def commit(case: Case, batch: Batch, oxum: tuple[int, int]) -> None:
    """Make a batch part of the case.

    Parameters
    ----------
    case
        The case, locked.
    batch
        The acts, and the staged copies.
    oxum
        Bytes and number of all items, those of the batch included.

    Raises
    ------
    PlaybookError
        The disk is full; nothing was changed.
    EvidenceChanged
        A file of one of these names lies in the bag, and nothing records it.
    """
    if not batch.staged:
        custody.append_all(case.custody, case.config.case_id, _with_uid(batch))
        return
    present = _names_in(case.evidence / "data")
    for item in batch.items:
        if item.name in present:
            raise EvidenceChanged(
                f"{item.file(case)}: exists, but nothing records it. Expected no such file: a copy was to be put "
                f"there. Find out who put it there, move it away, and add again. See: playbooks verify {case.path}"
            )
    text = batch.written()
    manifests = (case.evidence / f"manifest-{algorithm}.txt" for algorithm in ALGORITHMS)
    require_room(case.path, 4 * len(text) + 2 * sum(file.stat().st_size for file in manifests if file.is_file()))
    sync_files([staging(case) / name for name in batch.staged.values()])
    write_durably(staging(case) / JOURNAL, text)
    _carry_out(case, batch, done=0, oxum=oxum)


def carry_out(case: Case) -> bool:
    """Finish the addition that was broken off, if one was; tells whether it was.

    Raises
    ------
    EvidenceChanged
        A copy is not what was hashed, or the journal is none.
    """
    if not is_pending(case):
        return False
    file = staging(case) / JOURNAL
    try:
        batch = Batch(**json.loads(file.read_bytes()))
        names = [(item.name, batch.staged[item.name]) for item in batch.items]
        sane = all(name == Path(name).name and staged == Path(staged).name for name, staged in names)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise EvidenceChanged(_no_journal(file)) from error
    if not sane:
        raise EvidenceChanged(_no_journal(file))
    _require_copies(case, batch)
    chain = custody.entries(case.custody)
    done = sum(1 for entry in chain if entry.get("correlation_uid") == batch.correlation_uid)
    recorded = items_in(chain)
    known = {item.name for item in recorded}
    sizes = [item.size for item in (*recorded, *(item for item in batch.items if item.name not in known))]
    _carry_out(case, batch, done, (sum(sizes), len(sizes)))
    return True


def _no_journal(file: Path) -> str:
    return (
        f"{file}: no journal of an addition. Expected what this kit wrote before it was broken off. "
        f"Nothing was changed. Keep a copy of {file.parent}, remove it, and add the originals again."
    )


def _require_copies(case: Case, batch: Batch) -> None:
    wrong = [item for item in batch.items if sha256_of(_where(case, batch, item)) != item.sha256]
    if wrong:
        raise EvidenceChanged(
            "A broken-off addition cannot be finished: these copies are not what was hashed.\n"
            + "\n".join(f"  {item.name}, copied from {item.source}" for item in wrong)
            + f"\nNothing was changed. Keep a copy of {staging(case)}, remove it, and add the originals again."
        )


def _where(case: Case, batch: Batch, item: Item) -> Path:
    """Where the copy of an item lies: moved in already, or staged still."""
    staged = staging(case) / batch.staged[item.name]
    return staged if staged.is_file() and not staged.is_symlink() else item.file(case)


def _carry_out(case: Case, batch: Batch, done: int, oxum: tuple[int, int]) -> None:
    """Carry out all of a batch but its first `done` acts, which the chain holds already."""
    data = case.evidence / "data"
    data.mkdir(parents=True, exist_ok=True)
    waiting = _names_in(staging(case))
    for item in batch.items:
        if (staged := batch.staged[item.name]) in waiting:
            (staging(case) / staged).replace(data / item.name)
    sync_folder(data)
    custody.append_all(case.custody, case.config.case_id, _with_uid(batch)[done:])
    state_payload(case.evidence, {a: {item.name: getattr(item, a) for item in batch.items} for a in ALGORITHMS})
    write_tags(case, oxum)
    (staging(case) / JOURNAL).unlink()
    sync_folder(staging(case))


def _names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _with_uid(batch: Batch) -> list[tuple[str, dict[str, Any]]]:
    return [(activity, facts | {"correlation_uid": batch.correlation_uid}) for activity, facts in batch.acts]


def complete_bag(case: Case) -> None:
    """Write the tag files of a bag that has none yet: a case without evidence is a valid bag too."""
    if not (case.evidence / "tagmanifest-sha512.txt").is_file():
        sizes = [item.size for item in items(case)]
        write_tags(case, (sum(sizes), len(sizes)))
