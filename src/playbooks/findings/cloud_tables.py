"""Tables about our own clouds that say more of a resource than its single events do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import pandas as pd

from playbooks import schema
from playbooks.case import Window
from playbooks.scoping.control_plane import within


def _empty(table: schema.Table) -> pd.DataFrame:
    return pd.DataFrame(columns=list(table.names))


@dataclass(frozen=True)
class OwnClouds:
    """Rows of `schema.CHAINS`, `LOGGING_CHANGES`, `CREDENTIALS_OUTSIDE` and `SIGMA_MATCHES`; none where not given.

    Matches of Sigma rules are those that `counted_matches` leaves.
    """

    chains: pd.DataFrame = field(default_factory=lambda: _empty(schema.CHAINS))
    logging_changes: pd.DataFrame = field(default_factory=lambda: _empty(schema.LOGGING_CHANGES))
    credentials_outside: pd.DataFrame = field(default_factory=lambda: _empty(schema.CREDENTIALS_OUTSIDE))
    sigma_matches: pd.DataFrame = field(default_factory=lambda: _empty(schema.SIGMA_MATCHES))


def counted_matches(matches: pd.DataFrame, window: Window | None, apart: Collection[str]) -> pd.DataFrame:
    """Matches in the window that rest on a record of somebody else than our own collection.

    Parameters
    ----------
    matches
        Rows of `schema.SIGMA_MATCHES`, over all evidence.
    apart
        References of records that are set apart.
    """
    ours = set(apart)
    inside = matches[within(matches, window)]
    rests = [not {ref, *more} <= ours for ref, more in zip(inside["ref"], inside["refs"], strict=True)]
    return inside[pd.Series(rests, index=inside.index, dtype=bool)]
