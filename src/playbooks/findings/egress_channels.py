"""Signals of channels: ways out of the estate that do not show as the check-ins of one pair.

Kinds are what a fact was seen by. A rhythm over several hosts is of the kind of a pair's rhythm and does not
count beside it; that a connection stays open, that names carry data, that much leaves, and that two names
differ on one connection are facts of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from playbooks import schema
from playbooks.findings.signal import Signal

Pair = tuple[str, str]


@dataclass(frozen=True)
class Weight:
    """The kind of signal a kind of channel is, its weight at strength 1, and the least strength that counts."""

    signal: str
    weight: float
    least: float


# Each alone stays below a rhythm with rarity (.68), as for pairs: see `findings.egress`.
WEIGHTS = {
    "long_connection": Weight("session", 0.5, 0.4),  # from 4 h on: chat and live pages of people end before
    "tunnel": Weight("session", 0.5, 0.4),
    "dns_channel": Weight("dns", 0.6, 0.4),  # 500 names: below, a security product or a CDN is likelier
    "rotating_destinations": Weight("rhythm", 0.5, 0.7),  # as the rhythm of a pair
    "shared_rhythm": Weight("rhythm", 0.5, 0.7),
    "polling_pairs": Weight("rhythm", 0.5, 0.7),
    "upload_asymmetry": Weight("volume", 0.45, 0.4),  # from 25 MB on; backups and sync send more
    "fronting": Weight("fronting", 0.5, 0.3),  # of a few clients only: certificates with many names look alike
    "first_contact_burst": Weight("burst", 0.25, 0.0),  # every application in a browser begins so
}
IN_STEP = 0.7  # a DNS channel asked in a rhythm shows two facts: what the names carry, and when
NO_CHANNELS = pd.DataFrame(columns=list(schema.EGRESS_CHANNELS.names))
GROUPS = {"rotating_destinations": "fingerprint", "dns_channel": "fqdn"}  # of channels whose `dst` is no pair


def channel_signals(channels: pd.DataFrame) -> Mapping[Pair, tuple[Signal, ...]]:
    """(source, chief destination) → signals of its channels (rows of `schema.EGRESS_CHANNELS`), where there are any."""
    found: dict[Pair, list[Signal]] = {}
    for row in channels.itertuples(index=False):
        for signal in _signals(row):
            found.setdefault((str(row.src), str(row.dst)), []).append(signal)
    return {pair: tuple(signals) for pair, signals in found.items()}


def in_channels(pairs: pd.DataFrame, channels: Mapping[Pair, tuple[Signal, ...]]) -> npt.NDArray[np.bool_]:
    """Rows of pairs that a channel speaks of."""
    found = np.asarray(pairs.dst.isin({dst for _, dst in channels}), dtype=bool)
    for at in np.flatnonzero(found).tolist():
        found[at] = (str(pairs.src.iat[at]), str(pairs.dst.iat[at])) in channels
    return found


def _signals(row: Any) -> list[Signal]:
    weight, refs = WEIGHTS[str(row.kind)], tuple(row.refs)
    if row.strength < weight.least:
        return []
    signals = [Signal(weight.signal, str(row.sentence), weight.weight * row.strength, refs)]
    if row.kind == "dns_channel" and not pd.isna(row.score) and row.score >= IN_STEP:
        pace = f"{row.src} asks for names below {row.dst} every {row.period_s:,.0f} s (score {row.score:.2f})."
        signals.append(Signal("rhythm", pace, WEIGHTS["polling_pairs"].weight * row.score, refs))
    return signals


def with_groups(pairs: pd.DataFrame, channels: pd.DataFrame) -> pd.DataFrame:
    """`pairs`, and after them the rows of channels over many destinations (kind `fingerprint`, or a whole domain)."""
    groups = grouped(channels, pairs)
    return pd.concat([pairs, groups.astype(pairs.dtypes)], ignore_index=True) if len(groups) else pairs


def grouped(channels: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Rows like those of `schema.EGRESS_PAIRS` for channels over many destinations, which are no pair.

    That few clients show it is part of what such a channel is: it does not count again as rarity.
    """
    known = set(zip(pairs.src, pairs.dst, strict=True))
    wanted = [
        row
        for row in channels.itertuples(index=False)
        if row.kind in GROUPS and (row.src, row.dst) not in known and _signals(row)
    ]
    everyone = int(pairs.src.nunique())
    rows = [_group(row) | {"clients": everyone} for row in wanted]
    return pd.DataFrame(rows, columns=list(schema.EGRESS_PAIRS.names))


def _group(row: Any) -> dict[str, Any]:
    many = len(row.dsts)
    taken = ("src", "dst", "first_seen", "last_seen", "connections", "bytes_out", "bytes_in", "refs")
    empty: dict[str, Any] = {c.name: [] if c.type == "VARCHAR[]" else None for c in schema.EGRESS_PAIRS.columns}
    return (
        empty
        | {name: getattr(row, name) for name in taken}
        | {
            "kind": GROUPS[row.kind],
            "ownership": "unknown",
            "ownership_reason": f"{many} destinations under one mark"
            if many > 1
            else "names below one registered domain",
            "sources": [row.source],
            "clients_share": 1.0,
            "beacon_score": row.score,
            "beacon_period_s": row.period_s,
            "beacon_reason": None if pd.isna(row.score) else row.sentence,
            "beacon_source": None if pd.isna(row.score) else row.source,
        }
    )
