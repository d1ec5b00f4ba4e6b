"""An operation that writes several records (started, accepted, ended) is one row, with the outcome of its end.

Azure Activity writes them under one correlation id, which a whole deployment shares: what is done and to what belongs
to the key. Google's long-running operations have an id of their own. A start that follows an end begins another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.scoping.joins import has_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir

CORRELATED = "metadata_correlation_uid"
FURTHER = "further_refs"
OF_THE_END = ("status", "status_detail", "response")  # the last record that says it
OF_THE_START = ("request", "resource_name", "resource_uid", "src_endpoint_ip", "http_request_user_agent")
KEY = ("cloud_provider", "cloud_account_uid", CORRELATED, "place", "what")
ORDER = ("time", "item", "record_no")


def one_operation(rows: ir.Table) -> ir.Table:
    """`rows`, each operation once.

    Parameters
    ----------
    rows
        `control_plane.READ_COLUMNS` with `place`, the operation's place in the catalogue, and `item`, the number of
        the evidence item.

    Returns
    -------
    ibis.expr.types.Table
        The first record of each operation, with what its later ones add, and `FURTHER`: the references of those, null
        where there are none.
    """
    import ibis

    alone = rows.filter(rows[CORRELATED].isnull()).mutate(**{FURTHER: ibis.null("array<string>")})
    parts = rows.filter(rows[CORRELATED].notnull())
    if not has_rows(parts):
        return alone
    by = [*KEY, "run"]
    parts = _runs(parts.mutate(what=parts.resource_uid.fill_null(parts.resource_name).lower()))
    order = [parts[name] for name in ORDER]
    refs = parts.ref.collect(order_by=order)
    said = {name: parts[name].first(order_by=order) for name in OF_THE_START}  # the first, or last, that is no null
    said |= {name: parts[name].last(order_by=order) for name in OF_THE_END}
    kept = [name for name in rows.columns if name not in said and name not in KEY]
    said |= {name: parts[name].first(order_by=order, include_null=True) for name in kept}
    whole = parts.group_by(by).agg(**said, refs=refs)
    whole = whole.mutate(**{FURTHER: (whole.refs.length() > 1).ifelse(whole.refs[1:], ibis.null("array<string>"))})
    return alone.union(whole.select(*alone.columns))


def _runs(parts: ir.Table) -> ir.Table:
    """Records with `run`: how many operations of the same key ended before theirs began."""
    import ibis

    order = ibis.window(group_by=KEY, order_by=ORDER)
    parts = parts.mutate(ended=parts.status.notnull())
    parts = parts.mutate(before=parts.ended.lag(default=False).over(order))
    begins = (~parts.ended & parts.before).cast("int64")
    upto = ibis.window(group_by=KEY, order_by=ORDER, preceding=None, following=0)
    return parts.mutate(run=begins.sum().over(upto)).drop("ended", "before")
