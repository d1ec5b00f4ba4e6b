"""Tables about whose things are, each computed when first asked for and kept in `results/`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from playbooks import schema
from playbooks.case import write_text
from playbooks.enrichment.draft_inventory import clouds_without_records, draft_inventory
from playbooks.findings.allow_list_review import review_allow_list
from playbooks.lookup import Known, address_facts, name_facts
from playbooks.report.spreadsheet import csv_text

if TYPE_CHECKING:
    import pandas as pd

    from playbooks.evidence.address_databases import AddressDatabase
    from playbooks.guide.results import Results
    from playbooks.guide.store import Store

DRAFT_FILE = "draft_inventory.csv"


class Owning:
    """The draft of the inventory and the review of the lists, over the results of one case."""

    def __init__(self, results: Results, store: Store) -> None:
        self._results = results
        self._store = store

    @cached_property
    def draft(self) -> pd.DataFrame:
        """What to answer for; also written as CSV."""
        one = self._results
        table = self._store.kept(
            schema.DRAFT_INVENTORY, lambda: draft_inventory(one.resources, one.pairs, one.activity, one.case.config)
        )
        write_text(one.case.results / DRAFT_FILE, csv_text(table))
        return table

    @cached_property
    def unseen_clouds(self) -> list[str]:
        """Clouds without audit records, in words."""
        one = self._results
        named = one.tables.api_activity.select("cloud_provider").distinct().execute()
        return clouds_without_records(named["cloud_provider"].dropna(), one.pairs, one.case.config)

    @cached_property
    def review(self) -> pd.DataFrame:
        """Every entry of both lists, gone over."""
        one = self._results
        return self._store.kept(
            schema.ALLOW_LIST_REVIEW,
            lambda: review_allow_list(one.pairs, one.resources, one.activity, one.case.config),
        )

    @cached_property
    def known(self) -> Known:
        """What a value is looked up in."""
        one = self._results
        return Known(
            one.case,
            one.tables,
            one.pairs,
            one.resources,
            one.activity,
            one.intel,
            one.resolutions,
            one.links,
            self.names,
        )

    @cached_property
    def addresses(self) -> tuple[pd.DataFrame, list[AddressDatabase]]:
        """What databases in evidence say of addresses that were contacted or answered; and these databases."""
        one = self._results
        facts, databases = address_facts(one.case, [*one.pairs.dst, *one.resolutions.answer])
        self._store.keep(schema.ADDRESS_FACTS, facts)
        return self._store.load(schema.ADDRESS_FACTS), databases

    @cached_property
    def names(self) -> pd.DataFrame:
        """What names of destinations say, and what files in evidence hold of them."""
        one = self._results
        return self._store.kept(
            schema.NAME_FACTS, lambda: name_facts(one.pairs, one.tables.name_records, one.case.config)
        )
