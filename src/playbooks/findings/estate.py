"""How usual things are in the estate: how many clients go somewhere, call it in a rhythm, or run a program."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_list_like

from playbooks.findings.signal import Signal
from playbooks.knowledge.programs import image, suffix
from playbooks.schema.arrow import LISTS, texts

RHYTHM_FROM = 0.7  # beacon_score from which a rhythm is called one; memoryless traffic stays below .4
PROGRAM_KINDS = {
    "user agent": ("user_agents", "user_agent_refs"),
    "process": ("processes", "process_refs"),
    "TLS fingerprint": ("fingerprints", "fingerprint_refs"),
}
Users = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Program:
    """One sign of the program behind a pair: its kind, what it is counted as, how it is logged, and a record."""

    kind: str
    counted_as: str
    value: str
    ref: str


@dataclass(frozen=True)
class Estate:
    """The clients seen; of each program its users; of each suffix the users of each fingerprint there.

    `in_rhythm` counts the clients that call a host in a rhythm which serves every customer of its provider: how many
    go there says nothing of one customer. `channels` are the signals of ways out that check-ins do not show.
    """

    clients: int
    users: Mapping[str, Users] = field(default_factory=dict)
    at_suffix: Mapping[str, Users] = field(default_factory=dict)
    in_rhythm: Mapping[str, int] = field(default_factory=dict)
    channels: Mapping[tuple[str, str], tuple[Signal, ...]] = field(default_factory=dict)

    def users_of(self, program: Program) -> int:
        """Clients that have it."""
        return len(self.users[program.kind][program.counted_as])

    def told(self, kind: str) -> int:
        """Clients of which any program of that kind is known."""
        return len(frozenset().union(*self.users.get(kind, {}).values()))


def estate_of(pairs: pd.DataFrame) -> Estate:
    """Count over all pairs (`schema.EGRESS_PAIRS`)."""
    users: dict[str, dict[str, set[str]]] = {kind: defaultdict(set) for kind in PROGRAM_KINDS}
    at_suffix: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    known = pairs[filled(pairs, *(column for column, _ in PROGRAM_KINDS.values()))]
    for row in known.itertuples(index=False):
        for program in programs(row):
            users[program.kind][program.counted_as].add(str(row.src))
            if program.kind == "TLS fingerprint":
                at_suffix[place(row)][program.counted_as].add(str(row.src))
    shared = pairs[pairs.catalogue_id.notna() & pairs.tenant.isna() & (pairs.beacon_score >= RHYTHM_FROM)]
    return Estate(
        pairs.src.nunique(),
        {kind: _frozen(found) for kind, found in users.items()},
        {name: _frozen(found) for name, found in at_suffix.items()},
        {str(dst): int(count) for dst, count in shared.groupby("dst").src.nunique().items()},
    )


def _frozen(found: Mapping[str, set[str]]) -> Users:
    return {name: frozenset(clients) for name, clients in found.items()}


def filled(pairs: pd.DataFrame, *columns: str) -> npt.NDArray[np.bool_]:
    """Rows with a value in any of these lists; most rows of a flow log have none."""
    found = np.zeros(len(pairs), dtype=bool)
    for column in columns:
        found |= pairs[column].astype(LISTS).list.len().fillna(0).to_numpy(dtype=np.int64) > 0
    return found


def programs(row: Any) -> Iterator[Program]:
    """The signs of the program behind a pair, each with the record that shows it."""
    for kind, (column, refs) in PROGRAM_KINDS.items():
        for value, ref in zip(texts(getattr(row, column)), texts(getattr(row, refs)), strict=True):
            yield Program(kind, image(value) if kind == "process" else value, value, ref)


def place(row: Any) -> str:
    """Where a fingerprint is counted: the service of the catalogue, else the registrable part of the name."""
    return str(row.catalogue_id) if isinstance(row.catalogue_id, str) else suffix(str(row.dst))


def serves_everybody(row: Any) -> bool:
    """Whether the destination is a host of the catalogue whose customer is unknown."""
    return isinstance(row.catalogue_id, str) and not isinstance(row.tenant, str)


def is_known(value: Any) -> bool:
    """Whether the baseline knows it; False also where no baseline can tell."""
    return not pd.isna(value) and not bool(value)


def is_new_program(row: Any, program: Program) -> bool | None:
    """Whether no client had the program in the baseline; null where no baseline tells."""
    return program.value in set(texts(row.new_programs)) if is_list_like(row.new_programs) else None
