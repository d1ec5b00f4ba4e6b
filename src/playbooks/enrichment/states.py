"""What a match with an item of intelligence may be leaned on for: its state, what it lacks, who says otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from playbooks.knowledge.catalogue import load_catalogue
from playbooks.knowledge.public_suffixes import is_public_suffix
from playbooks.vetting import VettedSource, vetting_of

VALID, EXPIRED, NOT_YET, UNVETTED, TOO_BROAD = "valid", "expired", "not yet valid", "unvetted", "too broad"
TRAIT, CONTEXT = "trait", "context"
REJECTED, BENIGN, REVOKED = "rejected", "benign", "revoked"
TRAITS = {"uri", "interval"}  # anybody's program may have the same path or rhythm: shown, and no answer by itself
NOT_COUNTED = (REJECTED, BENIGN, REVOKED, TOO_BROAD, EXPIRED, NOT_YET, TRAIT)
"""States that are shown and weigh nothing."""


def with_states(matches: pd.DataFrame, vetting: Sequence[VettedSource]) -> pd.DataFrame:
    """Matches with `state`, `vetted_by`, `lacks` and `contradicted_by`.

    Parameters
    ----------
    matches
        As `matching.matches` gives them.
    vetting
        `intel` of the case; an entry must hold on the day on which the observable was last seen.
    """
    vetted = _vetted(matches, vetting)
    accepted = vetted.verdict.eq("accepted")
    lacks = _lacks(matches, accepted)
    table = matches.assign(vetted_by=vetted.vetted_by, lacks=lacks)
    table["state"] = _states(table, vetted.verdict.eq("rejected"))
    table["contradicted_by"] = _contradicted(table)
    return table


def _vetted(matches: pd.DataFrame, vetting: Sequence[VettedSource]) -> pd.DataFrame:
    """Who reviewed each item, and what came of it."""
    asked = list(zip(matches.source, matches.indicator, matches.last_seen.dt.date, strict=True))
    found = {one: vetting_of(vetting, *one) for one in set(asked)} if vetting else {}
    entries = [found.get(one) for one in asked]
    columns = {name: [getattr(one, name, None) for one in entries] for name in ("vetted_by", "verdict")}
    return pd.DataFrame(columns, index=matches.index, dtype=object)


def _lacks(matches: pd.DataFrame, accepted: pd.Series) -> pd.Series:
    """What a match needs to be leaned on, and this one has not."""
    missing = {
        "source": ~matches.has_source.astype(bool),
        "reviewer": ~accepted,
        "date": matches.valid_from.isna(),
        "confidence": matches.confidence.isna(),
    }
    table = np.column_stack([flags.to_numpy(dtype=bool) for flags in missing.values()])
    names = np.array(list(missing))
    return pd.Series([names[row].tolist() for row in table], index=matches.index, dtype=object)


def _states(table: pd.DataFrame, rejected: pd.Series) -> pd.Series:
    """The first of these that holds."""
    conditions = [
        (rejected, REJECTED),
        (table.verdict.eq(BENIGN), BENIGN),
        (table.verdict.eq(REVOKED), REVOKED),
        (_too_broad(table), TOO_BROAD),
        (table.valid_until < table.first_seen, EXPIRED),
        (table.valid_from > table.last_seen, NOT_YET),
        (table.observable_type.isin(TRAITS), TRAIT),
        (table.for_detection.eq(False).fillna(False), CONTEXT),
        (table.lacks.map(len).eq(0), VALID),
    ]
    flags = [condition.to_numpy(dtype=bool) for condition, _ in conditions]
    return pd.Series(np.select(flags, [state for _, state in conditions], UNVETTED), index=table.index, dtype=object)


def _too_broad(table: pd.DataFrame) -> pd.Series:
    named = table.observable_type.eq("domain")
    asked = list(zip(table.observable, table.indicator, strict=True))
    known = {one: is_too_broad(*one) for one in {one for one, is_name in zip(asked, named, strict=True) if is_name}}
    return pd.Series([known.get(one, False) for one in asked], index=table.index, dtype=bool)


def is_too_broad(host: str, indicator: str) -> bool:
    """Whether the item speaks of a provider's host or suffix, and so of all its customers, not of this one."""
    catalogue = load_catalogue()
    seen = catalogue.classify(host)
    if seen is not None and seen.shared:
        return True
    if indicator == host:
        return False
    if seen is not None and (seen.tenant is None or seen.tenant not in indicator):
        return True
    above = indicator.removeprefix("*.")
    if catalogue.classify(above) is None and catalogue.classify(f"any-label.{above}") is not None:
        return True
    return is_public_suffix(above)


def _contradicted(table: pd.DataFrame) -> pd.Series:
    """For each match, the items that say otherwise of the same observable: malicious here, not so there."""
    against = table.state.isin([REJECTED, BENIGN, REVOKED])
    sides: dict[tuple[str, str], dict[bool, set[str]]] = {}
    keys = list(zip(table.observable_type, table.observable, strict=True))
    for key, side, ref in zip(keys, against, table.ref, strict=True):
        sides.setdefault(key, {True: set(), False: set()})[bool(side)].add(str(ref))
    others = [sorted(sides[key][not side]) for key, side in zip(keys, against, strict=True)]
    return pd.Series(others, index=table.index, dtype=object)
