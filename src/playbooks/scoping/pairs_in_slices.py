"""All pairs of an estate, client by client: what is held at once is bounded, however many contacts there are.

A pair belongs to one client, so clients are taken together until their contacts fill a slice; what all clients say
together, the hours in which an estate rests, is put together from what each slice adds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from playbooks.scoping.pair_hours import hours, hours_of
from playbooks.scoping.pair_rhythms import rhythms
from playbooks.scoping.pair_telemetry import Columns, PairNames, by_telemetry, counted, number_pairs

SLICE = 2_000_000  # contacts; their times and record numbers take some 40 bytes each, several times over


def in_slices(seen: ir.Table, size: int = SLICE) -> tuple[PairNames, Columns]:
    """Pairs by source and destination, with counts, bytes, records, rhythm and hours of each."""
    told, resting, src, dst = [], [], [], []
    proxies: set[str] = set()
    for part in slices(seen, size):
        telemetry = by_telemetry(part)
        pairs = number_pairs(telemetry)
        told.append({**counted(telemetry, pairs), **rhythms(telemetry, pairs)})
        resting.append(hours_of(telemetry, pairs))
        src += pairs.src
        dst += pairs.dst
        proxies |= pairs.proxies
    columns = {name: _joined([one[name] for one in told]) for name in told[0]}
    return PairNames(src, dst, frozenset(proxies)), {**columns, **hours(resting)}


def slices(seen: ir.Table, size: int) -> Iterator[ir.Table]:
    """Contacts by client, in the order of clients; a client with more than `size` is a slice of its own."""
    rows = seen.group_by("src").agg(n=seen.count()).order_by("src").to_pyarrow().to_pydict()
    if sum(rows["n"]) <= size:
        yield seen
        return
    begin, held = 0, 0
    for at, (src, count) in enumerate(zip(rows["src"], rows["n"], strict=True)):
        if held and held + count > size:
            yield seen.filter(seen.src >= rows["src"][begin], seen.src < src)
            begin, held = at, 0
        held += count
    yield seen.filter(seen.src >= rows["src"][begin])


def _joined(parts: list[Any]) -> object:
    """One column of its slices."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], list):
        return [value for part in parts for value in part]
    if isinstance(parts[0], pd.Series):
        return pd.concat(parts, ignore_index=True)
    return np.concatenate(parts)
