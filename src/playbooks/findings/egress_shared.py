"""Addresses that several names share: flows to them belong beside the name that is a subject already."""

from __future__ import annotations

from typing import Any

from playbooks.findings.egress_signals import Intel, edges, signals_of
from playbooks.findings.estate import Estate
from playbooks.findings.signal import SUPPORTING
from playbooks.schema.arrow import texts

REPEATED = SUPPORTING | {"rhythm"}  # kinds that the flows of a name show again at its addresses


def same_traffic(groups: dict[str, list[Any]], estate: Estate, intel: Intel) -> dict[str, list[str]]:
    """Take shared addresses out of `groups` where the same client has a subject under one of their names.

    Parameters
    ----------
    groups
        Rows of `schema.EGRESS_PAIRS` by the key of their subject; changed in place.
    estate, intel
        As for `signals_of`.

    Returns
    -------
    dict
        Key of a subject → sentences of what was taken out. An address with signals of its own (intelligence, a
        tool, ownership, a channel) stays.
    """
    key_of = {(row.src, row.dst): key for key, rows in groups.items() for row in rows}
    told: dict[str, list[str]] = {}
    for key, rows in list(groups.items()):
        named = [_named(row, key_of) for row in rows]
        kinds = {signal.kind for signal in signals_of(rows, estate, intel)}
        if not kinds <= REPEATED or not all(named):
            continue
        for row, name in zip(rows, named, strict=True):
            told.setdefault(key_of[row.src, name], []).append(_sentence(row, str(name)))
        del groups[key]
    return told


def _named(row: Any, key_of: dict[tuple[str, str], str]) -> str | None:
    """A name of the address under which the client has a subject."""
    names = texts(row.answered_names)
    return next((name for name in names if name != row.dst and (row.src, name) in key_of), None)


def _sentence(row: Any, name: str) -> str:
    shown = ", ".join(edges(row))
    return (
        f"{row.src} was answered with {row.dst} for {name} and for other names: its {int(row.connections):,} flows "
        f"there may be the same traffic ({shown}). They weigh nothing here, as they cannot be told apart."
    )
