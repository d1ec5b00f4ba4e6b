"""Intelligence: which observed hosts, addresses, URLs, clients and rhythms does somebody hold to be malicious?

The case's own indicator lists are evidence like any log. Joins in the engine find what they say of what was seen;
observables that they know are then asked of msticpy's TILookup, with a provider of ours over the same lists, so that it
answers in msticpy's form. TILookup drops reserved addresses and malformed names without a word: every observable handed
to it comes back here, answered or refused. Nothing contacts a suspect or a service.
"""

from __future__ import annotations

import pandas as pd

from playbooks import schema
from playbooks.case import CaseFile
from playbooks.engine import Tables
from playbooks.enrichment.comparable import VISIBLE_IN
from playbooks.enrichment.matching import matches
from playbooks.enrichment.states import with_states
from playbooks.enrichment.ti_provider import lookup

MOST_ASKED = 1_000  # of TILookup, which takes a millisecond for each; the case's own lists have answered already
NOT_ASKED = f"not asked: TILookup is asked about {MOST_ASKED:,} observables; the case's own list was compared"


def intelligence(tables: Tables, pairs: pd.DataFrame, config: CaseFile) -> pd.DataFrame:
    """What the case's intelligence says of what was observed.

    Parameters
    ----------
    tables
        Events and indicators.
    pairs
        Rows of `schema.EGRESS_PAIRS`; their destinations and spans are the observables.
    config
        The case; `intel` says which sources and items somebody has reviewed.

    Returns
    -------
    pandas.DataFrame
        Columns of `schema.ENRICHMENT`, ordered by observable and reference.
    """
    table = with_states(matches(tables, pairs), config.vetting)
    table["visible_in"] = table.observable_type.map(VISIBLE_IN)
    table["lookup"] = table.observable.map(_looked_up(table)).astype(object)
    return table[list(schema.ENRICHMENT.names)]


def _looked_up(table: pd.DataFrame) -> dict[str, str]:
    seen = dict(zip(table.observable, table.observable_type, strict=True))
    asked = dict(list(seen.items())[:MOST_ASKED])
    return dict.fromkeys(seen, NOT_ASKED) | lookup(asked, table)
