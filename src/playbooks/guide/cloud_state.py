"""Verbs about the state of our own clouds: rights, logging, endpoints and code of functions."""

from __future__ import annotations

from playbooks.case import Case
from playbooks.guide.opened import results_of
from playbooks.report import Table, View, counted
from playbooks.scoping.logging_state import LESS, UNKNOWN
from playbooks.scoping.rights import UNGRANTED, UNUSED, USED
from playbooks.scoping.rights import UNKNOWN as NOT_ANSWERABLE

RIGHT_COLUMNS = ["kind", "identity", "identity_type", "policy", "action", "sentence", "denied", "ended", "policy_refs"]
USED_COLUMNS = ["identity", "action", "sentence", "first_seen", "last_seen", "calls", "refs"]
LOGGING_COLUMNS = ["time", "effect", "change", "principal", "sentence", "until", "outcome", "ref", "before_ref"]
ENDPOINT_COLUMNS = ["host", "resource", "open_to", "answer", "client_names", "callers", "made_by", "refs"]
CODE_COLUMNS = ["time", "function", "aspect", "change", "principal", "operation", "sentence", "ref", "before_ref"]
TELLING = ("unexplained", "returned", "changed", "first seen")  # order of the rows of code


def rights(case: Case, identity: str = "", rows: int = 20) -> View:
    """What policies leave wide open, which grants nobody used, and who used which serverless right.

    Example: `guide.rights(case, identity="billing-role")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    identity : str
        Name of a role or user; empty: all.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per right.
    """
    table = results_of(case).cloud_state.rights
    shown = table[table.identity == identity] if identity else table
    used, compared = shown.kind == USED, shown.kind.isin([UNGRANTED, UNUSED, NOT_ANSWERABLE])
    weak = shown[~used & ~compared]
    words = (
        f"{counted(len(weak), 'weak point')} of policies in evidence, "
        f"{counted(int((shown.kind == UNUSED).sum()), 'grant')} that no call used, "
        f"{counted(int((shown.kind == UNGRANTED).sum()), 'action')} called without a grant in evidence, "
        f"{counted(int(used.sum()), 'serverless right')} used in the window.",
        "A wide policy is no sign of misuse. Resources and conditions are read for their presence, not evaluated.",
    )
    file = "results/rights.parquet"
    tables = (
        Table.first("What policies leave open, the widest first", weak[RIGHT_COLUMNS], rows, file),
        Table.first("Grants beside calls", shown[compared][[*USED_COLUMNS[:-1], "policy_refs"]], rows, file),
        Table.first("Rights that were used in the window", shown[used][USED_COLUMNS], rows, file),
    )
    return View(words, tuple(one for one in tables if len(one.rows)), data=shown)


def logging_state(case: Case, rows: int = 20) -> View:
    """What of logging and watching was stopped, narrowed, redirected or restored, compared with the state before.

    Example: `guide.logging_state(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per change of logging.
    """
    table = results_of(case).cloud_state.logging_changes
    less, unknown = table[table.effect == LESS], table[(table.effect == UNKNOWN) & (table.outcome != "failure")]
    words = (
        f"{counted(len(table), 'change')} of logging in the window: after {len(less)} less was recorded"
        f" ({int(less.until.notna().sum())} of them undone later), {len(unknown)} cannot be compared with what was "
        "before.",
        "No row means that no record in evidence tells of a change, not that logging was on.",
    )
    ordered = table.assign(last=table.effect != LESS).sort_values(["last", "time"], kind="stable")
    listed = Table.first("Changes, those after which less was recorded first", ordered[LOGGING_COLUMNS], rows,
                   "results/logging_changes.parquet")  # fmt: skip
    return View(words, (listed,) if len(table) else (), data=table)


def own_endpoints(case: Case, rows: int = 20) -> View:
    """Our own function URLs, APIs and hosts as the network saw them, and who called them from outside.

    Example: `guide.own_endpoints(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per endpoint.
    """
    table = results_of(case).cloud_state.own_endpoints
    outside = table.called_from_outside
    words = (
        f"{counted(len(table), 'endpoint')} of ours in evidence: {int((table.client_count > 0).sum())} contacted by "
        f"our own clients, {int((outside == 1).sum())} called from outside, "
        f"{int(outside.isna().sum())} of which nobody can say that.",
    )
    ordered = table.sort_values(["calls", "client_count", "host"], ascending=[False, False, True], kind="stable")
    listed = Table.first("Endpoints, the most called first", ordered[ENDPOINT_COLUMNS], rows,
                   "results/own_endpoints.parquet")  # fmt: skip
    return View(words, (listed,) if len(table) else (), data=table)


def code_changes(case: Case, function: str = "", rows: int = 20) -> View:
    """How code, layers, role and log group of functions changed; what came back and what no record explains first.

    Example: `guide.code_changes(case, function="billing")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    function : str
        Name of a function; empty: all.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per change.
    """
    table = results_of(case).cloud_state.code_changes
    shown = table[table.function == function] if function else table
    counts = shown.change.value_counts()
    told = ", ".join(f"{counts[kind]} {kind}" for kind in TELLING if kind in counts)
    words = (
        f"{counted(len(shown), 'value')} of {counted(shown.function.nunique(), 'function')}: {told}."
        if told
        else "No answer in evidence shows a code hash or a setting of a function.",
        "CloudTrail never holds code: a hash says that it differs, not in what.",
    )
    ordered = shown.assign(place=shown.change.map(TELLING.index)).sort_values(["place", "time"], kind="stable")
    listed = Table.first("Changes, the most telling first", ordered[CODE_COLUMNS], rows, "results/code_changes.parquet")
    return View(words, (listed,) if len(shown) else (), data=shown)
