"""Names that a client was answered with an address, for pairs of an address that has several.

Such a pair is shared: its traffic belongs to one of the names, or to several, and the records do not say to which.
"""

from __future__ import annotations

import ibis.expr.types as ir

from playbooks.scoping.pair_context import places
from playbooks.scoping.pair_telemetry import Columns, PairNames

MOST_NAMES = 20  # of an address of a content network; more would say nothing


def answered_names(seen: ir.Table, dns: ir.Table, pairs: PairNames) -> Columns:
    """Per pair the names, in order; empty where the address is not shared.

    Parameters
    ----------
    seen
        Contacts of the window, as `egress_events` gives them.
    dns
        Table of DNS events.
    pairs
        The pairs of `seen`.
    """
    shared = seen.filter(seen.naming == "ambiguous").select("src", "dst").distinct()
    answers = dns.select(
        client=dns.src_endpoint_ip.fill_null(dns.src_endpoint_hostname),
        name=dns.query_hostname.lower().re_replace(r"\.$", ""),
        address=dns.answers.unnest(),
    ).distinct()
    joined = shared.inner_join(answers, [shared.src == answers.client, shared.dst == answers.address])
    found = joined.group_by("src", "dst").agg(names=joined.name.collect(distinct=True))
    rows = found.to_pyarrow().to_pydict()
    lists: list[list[str]] = [[]] * len(pairs.src)
    place = places(pairs) if rows["src"] else {}
    for src, dst, names in zip(rows["src"], rows["dst"], rows["names"], strict=True):
        lists[place[src, dst]] = sorted(names)[:MOST_NAMES]
    return {"answered_names": lists}
