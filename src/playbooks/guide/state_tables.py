"""The tables that say how our own clouds stand: rights, logging, endpoints, code. Computed only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from playbooks import schema
from playbooks.scoping.code_changes import code_changes
from playbooks.scoping.logging_changes import logging_changes
from playbooks.scoping.own_endpoints import own_endpoints
from playbooks.scoping.rights import rights

if TYPE_CHECKING:
    import pandas as pd

    from playbooks.engine import Tables
    from playbooks.guide.results import Results

Keep = Callable[[schema.Table, Callable[[], "pd.DataFrame"]], "pd.DataFrame"]


class CloudState:
    """Each property is one table of `schema`, over records without those of our own collection."""

    def __init__(self, results: Results, keep: Keep) -> None:
        self._results = results
        self._keep = keep

    @cached_property
    def _others(self) -> Tables:
        return self._results.footprint.without(self._results.tables)

    @cached_property
    def rights(self) -> pd.DataFrame:
        """Weak policies, grants beside calls, and who used which serverless right."""
        return self._keep(schema.RIGHTS, lambda: rights(self._results.activity, self._others, self._results.case))

    @cached_property
    def logging_changes(self) -> pd.DataFrame:
        """Changes of what is logged or watched: less, more, the same, and until when."""
        return self._keep(schema.LOGGING_CHANGES, lambda: logging_changes(self._others, self._results.case))

    @cached_property
    def own_endpoints(self) -> pd.DataFrame:
        """Hosts of ours with their clients and their callers from outside."""
        one = self._results
        return self._keep(schema.OWN_ENDPOINTS, lambda: own_endpoints(one.resources, one.pairs, self._others, one.case))

    @cached_property
    def code_changes(self) -> pd.DataFrame:
        """The history of code hashes, layers, roles and aliases of functions."""
        return self._keep(schema.CODE_CHANGES, lambda: code_changes(self._others, self._results.case))
