"""Who talks to what outside, how regularly, and who else does.

**Innocent when** the rhythm is a program's design: updaters, monitoring, mail polling, clock sync, chat
reconnects and telemetry are as regular as an implant. Timing cannot tell them apart; context can.

**Cannot see** what the telemetry does not show: names where neither SNI nor DNS was logged, paths inside
TLS, clients behind a proxy or resolver whose own log is missing, and anything that keeps one connection
open instead of calling again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from playbooks import schema
from playbooks.case import CaseFile
from playbooks.engine import Tables
from playbooks.schema.arrow import LISTS
from playbooks.scoping.address_ranges import Publisher, publishers
from playbooks.scoping.answered_names import answered_names
from playbooks.scoping.destinations import Destinations, classify
from playbooks.scoping.egress_events import egress_events, within
from playbooks.scoping.pair_context import LISTED, carried, listed, new_programs
from playbooks.scoping.pair_telemetry import Columns, PairNames
from playbooks.scoping.pairs_in_slices import in_slices
from playbooks.scoping.question import Question
from playbooks.scoping.rita_pairs import rita_scores
from playbooks.scoping.tool_traits import SHOWS, tool_traits

QUESTION = Question(
    id="egress_rhythm",
    hypothesis="A",
    title="Does a client of the estate call an outside service in a rhythm?",
    needs=(
        ("dns_activity", "query_hostname"),
        ("http_activity", "dst_endpoint_hostname"),
        ("http_activity", "dst_endpoint_ip"),
        ("network_activity", "tls_sni"),
        ("network_activity", "dst_endpoint_ip"),
    ),
    innocent_when=(
        "The program calls home by design: updater, monitoring, mail polling, clock sync, chat, telemetry.",
        "The destination is a service that the house has approved; ask its owner for the expected interval.",
    ),
    cannot_see=(
        "Names of destinations where the records hold neither SNI, host nor a DNS answer before the flow.",
        "Paths inside TLS or CONNECT tunnels: on hosts shared by all customers the customer stays unknown.",
        "Clients behind a proxy or resolver whose own log is not part of the evidence.",
        "Channels that stay open are one contact, not many: only records with durations or volumes show them.",
        "DNS lookups that a cache on the client answered.",
        "Who runs a destination without a name: an address range in evidence names its publisher, never a customer.",
    ),
)

OF_PAIRS = schema.EGRESS_PAIRS.columns
BY_ADDRESS = "address"  # matched by nothing but a published range: low confidence


def egress_pairs(tables: Tables, case: CaseFile, contacts: ir.Table | None = None) -> pd.DataFrame:
    """One row per source and destination over all telemetry, within the window of the case.

    Parameters
    ----------
    tables
        Event tables of the case.
    case
        Window, baseline and internal ranges are taken from it. Events of the baseline outside the window
        only decide `new_in_window`.
    contacts
        What `egress_events` gives, where the caller holds it already.

    Returns
    -------
    pandas.DataFrame
        The columns of `schema.EGRESS_PAIRS`, by falling `beacon_score` (null last) and `connections`, then
        `src`, `dst`. `connections` and bytes are those of the telemetry that saw most, never a sum over
        logs of the same connection. Provider, service and region of a destination without a
        name are those of the narrowest range in `address_ranges` around it: of low confidence, and no match of
        the catalogue. Ownership and priority are left empty for enrichment; `rita_score` needs Zeek's conn.log.
        Of one pair and telemetry the newest `rhythm.MAX_TIMES` seconds with contacts are scored.
    """
    contacts = egress_events(tables, case).cache() if contacts is None else contacts  # a dozen questions start there
    seen = within(contacts, case.window)
    pairs, told = in_slices(seen)
    destinations = classify(seen, tables.dns_activity)
    filled = carried(seen, {*LISTED, *SHOWS})
    columns = {
        **told,
        **_labels(pairs, destinations, publishers(set(pairs.dst), tables.address_ranges, case)),
        **_prevalence(pairs, destinations),
        **listed(seen, pairs, filled),
        **tool_traits(seen, pairs, filled),
        **answered_names(seen, tables.dns_activity, pairs),
        "rita_score": _by_pair(pairs, rita_scores(tables, contacts, case)),
    }
    return _finished(columns | _new(columns, pairs, contacts, destinations, tables, case))


def _by_pair(pairs: PairNames, values: Mapping[tuple[str, str], float]) -> list[float | None]:
    return [values.get(pair) for pair in pairs.both]


def _labels(pairs: PairNames, destinations: Destinations, published: Mapping[str, Publisher]) -> Columns:
    """What the catalogue says; of provider, service and region else what a published range says of the address."""
    labels = [destinations.label(*pair) for pair in pairs.both]
    matches = [label.match if label else None for label in labels]
    known = [match or published.get(dst) for match, dst in zip(matches, pairs.dst, strict=True)]
    by = [label.matched_by if label else BY_ADDRESS if one else None for label, one in zip(labels, known, strict=True)]
    return {
        "provider": [one.provider if one else None for one in known],
        "service": [one.service if one else None for one in known],
        "region": [one.region if one else None for one in known],
        "catalogue_id": [match.id if match else None for match in matches],
        "tenant": [match.tenant if match else None for match in matches],
        "matched_by": by,
    }


def _prevalence(pairs: PairNames, destinations: Destinations) -> Columns:
    """Clients per tenant or destination; a proxy counts only where no client behind it is known."""
    keys = [destinations.key(*pair) for pair in pairs.both]
    used = {(key, src) for key, src in zip(keys, pairs.src, strict=True) if src not in pairs.proxies}
    everyone = len({src for _, src in used}) or 1
    counts = dict.fromkeys(keys, 1) | Counter(key for key, _ in used)
    clients = np.array([counts[key] for key in keys], dtype=np.int64)
    return {"clients": clients, "clients_share": clients / everyone}


def _new(
    columns: Columns, pairs: PairNames, contacts: ir.Table, known: Destinations, tables: Tables, case: CaseFile
) -> Columns:
    """What was not there in the baseline; null where the baseline holds no contact at all."""
    unknown: Columns = dict.fromkeys(("new_in_window", "new_for_client", "new_programs"), [None] * len(pairs.src))
    if case.baseline is None:
        return unknown
    before = within(contacts, case.baseline)
    seen = before.select("src", "dst").distinct().to_pyarrow().to_pydict()
    if not seen["src"]:
        return unknown
    earlier = classify(before, tables.dns_activity)
    habits = {(src, earlier.key(src, dst)) for src, dst in zip(seen["src"], seen["dst"], strict=True)}
    keys = {key for _, key in habits}
    now = [(src, known.key(src, dst)) for src, dst in pairs.both]
    return {
        "new_in_window": [key not in keys for _, key in now],
        "new_for_client": [habit not in habits for habit in now],
        "new_programs": new_programs(columns, before),
    }


def _finished(columns: Columns) -> pd.DataFrame:
    """All columns of the schema, in its order and types; rows in the promised order."""
    count = len(columns["src"])  # type: ignore[arg-type]
    given = columns | {"priority_reasons": [[]] * count}
    typed = {one.name: _typed(pd.Series(given.get(one.name, [None] * count)), one.type) for one in OF_PAIRS}
    by = ["beacon_score", "connections"]  # pairs come by source and destination
    return pd.DataFrame(typed).sort_values(by, ascending=False, na_position="last", kind="stable", ignore_index=True)


def _typed(values: pd.Series, type: str) -> pd.Series:
    match type:
        case "BIGINT":
            return values.astype("Int64")
        case "DOUBLE":
            return values.astype("float64")
        case "BOOLEAN":
            return values.astype("boolean")
        case "TIMESTAMPTZ":
            return values
        case "VARCHAR[]":
            return values if values.dtype == LISTS else values.astype("object").astype(LISTS)
    return values.astype("object")


def checkins(tables: Tables, case: CaseFile, src: str, dst: str, contacts: ir.Table | None = None) -> pd.DataFrame:
    """Every event of one pair in the window, in order of time.

    Returns
    -------
    pandas.DataFrame
        time (UTC), source, evidence_id, record_no, bytes_out, bytes_in.
    """
    seen = within(egress_events(tables, case) if contacts is None else contacts, case.window)
    rows = seen.filter(seen.src == src, seen.dst == dst).select(
        "time", "source", "evidence_id", "record_no", "bytes_out", "bytes_in"
    )
    frame = _frame(rows.order_by("time", "evidence_id", "record_no"))
    return frame.astype({"bytes_out": "Int64", "bytes_in": "Int64"})


def egress_hours(tables: Tables, case: CaseFile, contacts: ir.Table | None = None) -> pd.DataFrame:
    """Contacts per hour with destinations of the catalogue, in the window.

    Returns
    -------
    pandas.DataFrame
        hour (UTC), dst, service, connections (of the telemetry that saw most in that hour).
    """
    seen = within(egress_events(tables, case) if contacts is None else contacts, case.window)
    destinations = classify(seen, tables.dns_activity)
    chosen = seen.filter(seen.dst.isin(sorted(destinations.by_name)))
    hour = chosen.time.truncate("h").cast("timestamp('UTC')")  # truncating drops the zone, which is UTC
    hourly = chosen.group_by("dst", "source", "format", hour=hour).agg(n=ibis._.count())
    most = hourly.group_by("hour", "dst").agg(connections=hourly.n.max())
    frame = _frame(most.order_by("hour", "dst"))
    frame.insert(2, "service", [destinations.by_name[dst].match.service for dst in frame["dst"]])
    return frame


def _frame(rows: ir.Table) -> pd.DataFrame:
    frame: pd.DataFrame = rows.to_pyarrow().to_pandas()
    return frame
