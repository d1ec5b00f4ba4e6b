"""Which pairs an entry of the allow-list or the inventory covers: they are set aside and listed, never dropped."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from playbooks.case import Allowed, CaseFile
from playbooks.enrichment import APPROVED, MODIFIED
from playbooks.knowledge.anybody import ANY_TENANT, names_of_nobody
from playbooks.knowledge.catalogue import load_catalogue
from playbooks.schema.arrow import texts


def allowed_by(pairs: pd.DataFrame, config: CaseFile) -> list[str | None]:
    """Per row the entry that accepts the pair, or null; a destination of ours that was just changed has none."""
    found: list[str | None] = [None] * len(pairs)
    entries = [entry for entry in config.allow_list if entry.kind != "principal" and not is_too_broad(entry)]
    asked = pairs.ownership.eq(APPROVED).fillna(False).to_numpy(dtype=bool)
    if entries:
        hosts = {dst for dst in pairs.dst.unique() if any(entry.may_cover(str(dst)) for entry in entries)}
        asked = asked | pairs.dst.isin(hosts).to_numpy()
    places = asked.nonzero()[0]
    for at, row in zip(places, pairs.iloc[places].itertuples(index=False), strict=True):
        found[at] = _entry(row, entries)
    return found


def _entry(row: Any, entries: list[Allowed]) -> str | None:
    if row.ownership == MODIFIED:
        return None
    day = row.last_seen.date() if isinstance(row.last_seen, dt.datetime) else dt.date.max
    processes = tuple(texts(row.processes))
    customer = f"{row.catalogue_id}/{row.tenant}" if isinstance(row.tenant, str) else None
    for entry in entries:
        if entry.covers_contact(str(row.src), str(row.dst), customer, processes, day):
            return entry.words()
    return f"inventory: {row.ownership_reason}" if row.ownership == APPROVED else None


def is_too_broad(entry: Allowed) -> bool:
    """Whether an entry accepts every customer of a service, every name or every program there is."""
    if entry.process is not None and entry.process.strip("*?"):
        return False
    if entry.kind == "process":
        return not entry.value.strip("*?")
    day = dt.date.min
    anywhere = entry.model_copy(update={"source": None, "process": None})
    if entry.kind == "destination":
        return any(anywhere.covers_contact("", name, None, (), day) for name in names_of_nobody())
    return any(anywhere.covers_contact("", "", f"{name}/{ANY_TENANT}", (), day) for name in load_catalogue().by_id)
