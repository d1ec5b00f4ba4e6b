"""Was a destination contacted in the baseline already? With a record that shows it, which egress pairs do not keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.case import Window


@dataclass(frozen=True)
class Before:
    """Contacts of the baseline with one destination: how many, of how many clients, and one of their records."""

    contacts: int
    clients: int
    ref: str


def baseline_contacts(contacts: ir.Table, destinations: Iterable[str], baseline: Window | None) -> dict[str, Before]:
    """Those of the destinations that clients of the estate contacted in the baseline.

    Parameters
    ----------
    contacts
        Rows of `egress_events`.
    destinations
        Names or addresses as `dst` has them.
    baseline
        Start included, end excluded; without one, nothing is known.
    """
    wanted = sorted(set(destinations))
    if baseline is None or not wanted:
        return {}
    named = ibis.memtable({"wanted": wanted})
    inside = contacts.filter(contacts.time >= baseline.start, contacts.time < baseline.end)
    mine = inside.semi_join(named, inside.dst == named.wanted)
    mine = mine.mutate(ref=mine.evidence_id.concat(":", mine.record_no.cast("string")))
    found = mine.group_by("dst").aggregate(
        contacts=mine.count(),
        clients=mine.src.nunique(),
        ref=mine.ref.argmin(ibis.struct({"t": mine.time, "r": mine.ref})),
    )
    rows = found.order_by("dst").to_pyarrow().to_pylist()
    return {row["dst"]: Before(row["contacts"], row["clients"], row["ref"]) for row in rows}
