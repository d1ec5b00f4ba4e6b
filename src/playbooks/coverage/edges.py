"""References of the records at a moment: those between which a silence lies, and the first of a source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

Moment = tuple[int, int]  # number of the stream, second since 1970


def refs_at(stamps: ir.Table, moments: Iterable[Moment]) -> dict[Moment, tuple[str, str]]:
    """First and last record of each stream at these seconds, in one pass over the records.

    Returns
    -------
    dict
        moment → (first, last) reference, `E003:4118`; a moment at which no record stands is left out.
    """
    import ibis
    import pyarrow as pa

    wanted = sorted(set(moments))
    if not wanted:
        return {}
    shape = pa.schema([("stream", pa.int64()), ("second", pa.int64())])
    named = ibis.memtable(pa.table([[one for one, _ in wanted], [second for _, second in wanted]], schema=shape))
    held = stamps.semi_join(named, ["stream", "second"])
    key = held.evidence_id + ":" + held.record_no.cast("string").lpad(12, "0")
    rows = held.group_by("stream", "second").aggregate(first=key.min(), last=key.max()).to_pyarrow().to_pylist()
    return {(row["stream"], row["second"]): (_ref(row["first"]), _ref(row["last"])) for row in rows}


def _ref(key: str) -> str:
    item, _, number = key.rpartition(":")
    return f"{item}:{int(number)}"
