"""Verbs about what happened in our own clouds: changes, the four questions, who acted, and what followed."""

from __future__ import annotations

import re
from collections import Counter

import pandas as pd

from playbooks.case import Case
from playbooks.guide.cloud_facts import untold_of_roles
from playbooks.guide.next_steps import after_chains, after_cloud
from playbooks.guide.opened import results_of
from playbooks.report import Table, View, counted, function_history, swim_lanes
from playbooks.scoping.outside_credentials import OUTSIDE
from playbooks.scoping.tunables import WINDOW_MINUTES, Tunables
from playbooks.scoping.uses import number_of

ACTIVITY_COLUMNS = [
    *("novelty", "time", "phase", "principal", "operation_base", "resource", "outcome", "ref"),
    *("novelty_dimensions", "reasons", "exposure", "allowed_by"),
]
FOUR_QUESTIONS = [
    "resource",
    "resource_type",
    "created_by",
    "modified_by",
    "permitted_by",
    "triggered_by",
    "invoked_by",
]
ROLE_COLUMNS = ["resource", "role", "relation", "principal", "first_seen", "refs", "policy_refs", "lacking"]
IDENTITIES_FILE = "results/identities.parquet"
WHO_COLUMNS = ["regions", "address_list", "user_agents", "access_keys", "first_seen", "last_seen", "refs"]
DETAIL_COLUMNS = ["kind", "value", "new", "calls", "failed", "refused", "first_seen", "last_seen", "first_ref"]
CALL_COLUMNS = ["function", "operation", "reason", "role", "calls", "refused", "addresses", "first_seen", "refs"]
OUTSIDE_COLUMNS = ["role", "verdict", "reasons", "session", "address", "user_agent", "calls", "operations", "refs"]
EGRESS_COLUMNS = ["function", "reason", "addresses", "destinations", "flows", "first_seen", "last_seen", "refs"]
CHAIN_COLUMNS = ["chain", "score", "stages", "principals", "resources", "reasons", "start", "end", "allowed_by"]
STEP_COLUMNS = ["step", "time", "stage", "principal", "operation", "resource", "linked_by", "source_ip", "ref"]
SCOPES = ("role_scope", "allowed_functions", "user_context", "flow_actions", "script_scope", "trigger_types")


def cloud(case: Case, rows: int = 30) -> View:
    """Control-plane events that matter, in order of time, with who stands behind each.

    Example: `guide.cloud(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per control-plane event of the window.
    """
    results = results_of(case)
    activity = results.activity
    telling = activity[~activity.phase.isin(["invoke", "discovery"])]
    words = (
        f"{number_of(activity):,} control-plane events in the window, by {activity.principal.nunique():,} principals; "
        f"{len(telling):,} of them change something.",
        results.footprint.sentence(),
        *_not_compared(telling),
    )
    ranked = telling.sort_values(["novelty", "time"], ascending=[False, True], na_position="last", kind="stable")
    table = Table.first(
        "Changes, the most unusual first", ranked[ACTIVITY_COLUMNS], rows, "results/cloud_activity.parquet"
    )
    return View(words, (table,), data=activity, next=after_cloud(ranked))


def _not_compared(changes: pd.DataFrame) -> tuple[str, ...]:
    """On which dimensions changes could not be told from the baseline, because it holds too little of each kind."""
    counts = Counter(name for names in changes.novelty_untold if names is not None for name in names)
    told = ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items()))
    return (f"Not compared for want of baseline, out of {len(changes):,} changes: {told}.",) if told else ()


def functions(case: Case, resource: str = "") -> View:
    """Who created, modified, permitted, triggered and ran each function; and the history as a picture.

    Example: `guide.functions(case, "invoice-export")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    resource : str
        Name of one function; empty: all.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per function, with the answers to the four questions.
    """
    results = results_of(case)
    table = results.resources
    shown = table[table.resource == resource] if resource else table
    activity = results.activity
    history = activity if resource else activity[activity.resource.isin(_loudest(activity))]
    words = (f"{len(shown):,} functions and their like.",)
    roles = results.role_links
    passed = roles[roles.resource.isin(shown.resource)][ROLE_COLUMNS]
    tables = [Table("The four questions", shown[FOUR_QUESTIONS], "results/resources.parquet")]
    tables += (
        [Table("Roles of functions: who passed which", passed, "results/role_links.parquet")] if len(passed) else []
    )
    return View(words, tuple(tables), (function_history(history, resource or None),), data=shown)


def _loudest(activity: pd.DataFrame) -> list[str]:
    """The resources whose changes are most unusual, for a picture that is not crowded."""
    changes = activity[activity.resource.notna() & ~activity.phase.isin(["invoke", "discovery"])]
    ranked = changes.groupby("resource").novelty.max().sort_values(ascending=False, kind="stable")
    return [str(name) for name in ranked.index[:6]]


def identities(case: Case, principal: str = "", rows: int = 30) -> View:
    """Who called what attackers use, how often it succeeded, from where and with what; of one principal, every value.

    Example: `guide.identities(case, principal="j.doe")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    principal : str
        Name of one principal, to see all its values; empty: all.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per principal, or one per value of it.
    """
    table, details = results_of(case).cloud_state.identities
    shown = table[table.principal == principal] if principal else table
    if principal and not len(shown):
        return View((f"No audit record of the window names {principal}.",), data=shown)
    acting = shown[shown.attack_calls > 0]
    calls, failed = int(shown.attack_calls.sum()), int(shown.attack_failed.sum())
    words = (
        f"{counted(len(shown), 'principal')} in the window, {len(acting)} with calls that attackers use: "
        f"{calls - failed:,} of these succeeded, {failed:,} failed.",
        "Administrators and pipelines make such calls too. Whether a second factor was used, no column tells.",
    )
    counts = pd.DataFrame(
        {
            "principal": shown.principal.fillna("not told by the records"),
            "attack calls": shown.attack_calls,
            "failed": shown.attack_failed,
            "which": shown.attack_operations,
            "new": shown.new_in_window,
            **{name: shown[name] for name in WHO_COLUMNS},
        }
    )
    tables = [Table.first("Principals, the most calls that attackers use first", counts, rows, IDENTITIES_FILE)]
    if principal:
        mine = details[details.principal == principal][DETAIL_COLUMNS]
        mine = mine.sort_values(["kind", "new", "calls"], ascending=[True, False, False], kind="stable")
        caption = f"What {principal} called, from where, with what; new first"
        tables.append(Table.first(caption, mine, rows, "results/identity_details.parquet"))
    return View(words, tuple(one for one in tables if len(one.rows)), data=shown)


def role_activity(case: Case, function: str = "", rows: int = 30) -> View:
    """What the roles of functions called, new calls first; and their credentials used outside the function.

    Example: `guide.role_activity(case, function="invoice-export")`

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
        Shows itself. `data`: DataFrame: one row per role and call.
    """
    results = results_of(case)
    called, outside = results.cloud_state.role_activity
    table = called
    if function:
        table = table[(table.function == function) | _holds(table.functions, function)]
        outside = outside[_holds(outside.functions, function)]
    new = table[table.new.eq(True)]
    away = outside[outside.verdict == OUTSIDE]
    seen: tuple[str, ...] = (
        f"{counted(int(table.calls.sum()), 'call')} by {counted(table.role.nunique(), 'role')} of functions, "
        f"{counted(len(new), 'kind')} of call new against the baseline; {counted(len(away), 'session')} outside the "
        f"function, {len(outside) - len(away)} unclear.",
    )
    if not len(table):
        seen = (f"No call by a role of {function} is in the window; other roles made some.",) if len(called) else ()
    listed = table.assign(
        function=table.function.fillna(table.functions.map(lambda names: "one of " + ", ".join(names))),
        last=~table.new.eq(True),
    ).sort_values(["last", "first_seen"], kind="stable")
    tables = (
        Table.first("Calls, new ones first", listed[CALL_COLUMNS], rows, "results/role_activity.parquet"),
        Table.first("Credentials used outside the function", outside[OUTSIDE_COLUMNS], rows,
              "results/credentials_outside.parquet"),
    )  # fmt: skip
    words = (*seen, *untold_of_roles(results, called))
    return View(words, tuple(one for one in tables if len(one.rows)), data=table)


def _holds(lists: pd.Series[list[str]], name: str) -> pd.Series[bool]:
    return lists.map(lambda names: name in names).astype(bool)


def function_egress(case: Case, rows: int = 30) -> View:
    """Which functions can be seen leaving our network, from which address and to where; or why not.

    Example: `guide.function_egress(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per function.
    """
    table = results_of(case).cloud_state.function_egress
    seen = table[table.reason.isna()]
    words = (
        f"{len(seen)} of {counted(len(table), 'function')} can be seen leaving."
        if len(table)
        else "Not answerable because no record shows a function and its role.",
        "A function outside our network leaves through the provider's: only its control plane tells of it.",
    )
    ordered = table.sort_values(["flows", "function"], ascending=[False, True], kind="stable")
    listed = Table.first("Functions, those that can be seen first", ordered[EGRESS_COLUMNS], rows,
                   "results/function_egress.parquet")  # fmt: skip
    return View(words, (listed,) if len(table) else (), data=table)


def chains(
    case: Case,
    chain: str = "",
    role_scope: str = "",
    allowed_functions: str = "",
    user_context: str = "",
    flow_actions: str = "",
    script_scope: str = "",
    trigger_types: str = "",
    window_minutes: int = WINDOW_MINUTES,
    rows: int = 10,
) -> View:
    """Steps that lead to each other across principals, the strongest chain first and as swim lanes.

    Patterns narrow what is shown, may hold `*`, and are separated by commas; findings are never narrowed.
    Example: `guide.chains(case, role_scope="*admin*, *deploy*", window_minutes=120)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    chain : str
        Id of one chain; empty: all.
    role_scope, allowed_functions, user_context, flow_actions, script_scope, trigger_types : str
        Patterns with `*`, separated by commas, as AN1053 to AN1055 name them; empty: not narrowed.
    window_minutes : int
        How many minutes steps of a chain may lie apart.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: tuple of two DataFrames: chains, and their steps.
    """
    scopes = (role_scope, allowed_functions, user_context, flow_actions, script_scope, trigger_types)
    tunables = Tunables(**dict(zip(SCOPES, map(_patterns, scopes), strict=True)), time_window_minutes=window_minutes)
    state = results_of(case, window_minutes).cloud_state
    heads, steps = state.chains if tunables == Tunables() else state.chains_within(tunables)
    chosen = heads[heads.chain == chain] if chain else heads
    words = (
        f"{counted(len(heads), 'chain')} of steps at most {window_minutes} minutes apart. {tunables.words()}",
        "A chain is a reason to look: administrators and first releases make some, with low scores.",
    )
    tables = [Table.first("Chains, the strongest first", chosen[CHAIN_COLUMNS], rows, "results/chains.parquet")]
    if len(chosen):
        mine = steps[steps.chain == chosen.iloc[0].chain]
        caption = f"Steps of {chosen.iloc[0].chain}, in order of time"
        tables.append(Table(caption, mine[STEP_COLUMNS], "results/chain_steps.parquet"))
    shown = tuple(one for one in tables if len(one.rows))
    following = () if chain else after_chains(chosen)
    return View(words, shown, (swim_lanes(chosen, steps, chain),), data=(heads, steps), next=following)


def _patterns(text: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[,\s]+", text) if part)
