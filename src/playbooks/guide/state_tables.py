"""The tables about our own clouds beside their events: how they stand, and who acts in them. Made when asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from playbooks import schema
from playbooks.scoping.chains import chains
from playbooks.scoping.code_changes import code_changes
from playbooks.scoping.function_egress import function_egress
from playbooks.scoping.identities import identities
from playbooks.scoping.known_acts import known_acts
from playbooks.scoping.logging_changes import logging_changes
from playbooks.scoping.logging_effects import with_effect
from playbooks.scoping.own_endpoints import own_endpoints
from playbooks.scoping.rights import rights
from playbooks.scoping.role_activity import calls_by_hour, role_activity
from playbooks.scoping.stale_functions import stale_functions
from playbooks.scoping.tunables import Tunables

if TYPE_CHECKING:
    import pandas as pd

    from playbooks.engine import Tables
    from playbooks.guide.results import Results
    from playbooks.guide.store import Store


class CloudState:
    """Each property is one table of `schema`, over records without those of our own collection."""

    def __init__(self, results: Results, store: Store) -> None:
        self._results = results
        self._store = store

    @cached_property
    def _others(self) -> Tables:
        return self._results.footprint.without(self._results.tables)

    @cached_property
    def rights(self) -> pd.DataFrame:
        """Weak policies, grants beside calls, and who used which serverless right."""
        return self._store.kept(schema.RIGHTS, lambda: rights(self._results.activity, self._others, self._results.case))

    @cached_property
    def logging_changes(self) -> pd.DataFrame:
        """Changes of what is logged or watched: less, more, the same, and until when."""
        return self._store.kept(schema.LOGGING_CHANGES, lambda: logging_changes(self._others, self._results.case))

    @cached_property
    def own_endpoints(self) -> pd.DataFrame:
        """Hosts of ours with their clients and their callers from outside."""
        one = self._results
        return self._store.kept(
            schema.OWN_ENDPOINTS, lambda: own_endpoints(one.resources, one.pairs, self._others, one.case)
        )

    @cached_property
    def code_changes(self) -> pd.DataFrame:
        """The history of code hashes, layers, roles and aliases of functions."""
        return self._store.kept(schema.CODE_CHANGES, lambda: code_changes(self._others, self._results.case))

    @cached_property
    def stale_functions(self) -> pd.DataFrame:
        """Functions that nobody touched for long."""
        one = self._results
        return self._store.kept(
            schema.STALE_FUNCTIONS, lambda: stale_functions(self._others, one.cloud_events, one.case)
        )

    @cached_property
    def identities(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Who acts in our own clouds, and with what: operations, regions, addresses, agents, keys."""
        one = self._results
        names = (schema.IDENTITIES, schema.IDENTITY_DETAILS)
        return self._store.kept_both(names, lambda: identities(self._others, one.case.config))

    @cached_property
    def role_activity(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What functions' roles called, and credentials that look used outside the function."""
        one = self._results
        names = (schema.ROLE_ACTIVITY, schema.CREDENTIALS_OUTSIDE)
        return self._store.kept_both(names, lambda: role_activity(self._others, one.role_links, one.case.config))

    @cached_property
    def function_egress(self) -> pd.DataFrame:
        """Which functions can be seen leaving their network, and what is seen."""
        return self._store.kept(schema.FUNCTION_EGRESS, lambda: function_egress(self._others, self._results.role_links))

    @cached_property
    def chains(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Steps that lead to each other across principals; chains and their steps."""
        return self._store.kept_both((schema.CHAINS, schema.CHAIN_STEPS), lambda: self.chains_within(Tunables()))

    def chains_within(self, tunables: Tunables) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The same, narrowed; kept nowhere."""
        one = self._results
        downstream = calls_by_hour(self._others, one.role_links, one.case.config)
        activity = with_effect(one.activity, self.logging_changes)
        known = known_acts(one.cloud_events, one.case.config)
        return chains(activity, self._others, one.role_links, downstream, tunables, known)
