"""What the report says of our own clouds, gathered from the results; and what they cannot answer, with the reason."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from playbooks.report import CloudFacts, counted
from playbooks.scoping.change_list import without_change
from playbooks.scoping.stale_functions import functions_listed

if TYPE_CHECKING:
    import pandas as pd

    from playbooks.guide.results import Results

NO_BASELINE = "Which calls are new is not answerable because the case has no baseline."


def cloud_facts(results: Results) -> CloudFacts:
    """Gather the tables of `results.cloud_state`, the Sigma run and the changes without an entry of the change list."""
    state, rules = results.cloud_state, results.sigma
    chains, steps = state.chains
    called, outside = state.role_activity
    tables = results.tables
    return CloudFacts(
        records=int(tables.api_activity.count().execute() + tables.acquired_answers.count().execute()),
        chains=chains,
        chain_steps=steps,
        identities=state.identities[0],
        role_activity=called,
        credentials_outside=outside,
        function_egress=state.function_egress,
        rights=state.rights,
        logging_changes=state.logging_changes,
        own_endpoints=state.own_endpoints,
        code_changes=state.code_changes,
        stale_functions=state.stale_functions,
        functions_listed=functions_listed(tables),
        without_change=without_change(results.activity, results.case.config.changes),
        sigma_matches=rules.matches,
        sigma_rules=[asdict(one) for one in rules.outcomes],
        untold={"chains": untold_of_chains(results), "roles": untold_of_roles(results, called)},
    )


def untold_of_chains(results: Results) -> tuple[str, ...]:
    """Which stages no record could show, and why."""
    blind = [row for row in results.coverage["phases"] if row["state"] != "pass" and not row["events"]]
    return tuple(
        f"Steps of {row['phase']} on {row['provider']} are not answerable because {row['why']}." for row in blind
    )


def untold_of_roles(results: Results, called: pd.DataFrame) -> tuple[str, ...]:
    """What cannot be told of functions' roles, given their calls (`schema.ROLE_ACTIVITY`)."""
    roles = results.role_links.role.dropna().nunique()
    if not roles:
        return ("Not answerable because no record shows which role a function has.",)
    if not len(called):
        known = counted(roles, "known role")
        return (
            f"Not answerable because no audit record of the window is a call by one of the {known} of functions. "
            "Reads and writes of stores are recorded only where data events are.",
        )
    return () if results.case.config.baseline else (NO_BASELINE,)
