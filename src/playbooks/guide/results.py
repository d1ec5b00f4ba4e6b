"""Results: each one computed once for the same evidence, case file and kit, kept in `results/`.

A notebook run alone computes what it needs; run in order it finds it there. Nothing here decides
anything: the rooms below do.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from playbooks import kit, schema, sigma
from playbooks.argument import Known, argued
from playbooks.case import CASE_FILE, Case, write_json
from playbooks.collection import Given, checklist
from playbooks.coverage import coverage
from playbooks.engine import Tables, open_tables, read_table
from playbooks.engine.lake import open_lake
from playbooks.enrichment import intelligence, with_ownership
from playbooks.evidence import items
from playbooks.evidence.acquire.lake import lakes, span_of
from playbooks.evidence.captures import derive_new
from playbooks.findings import (
    OwnClouds,
    counted_matches,
    deciding_fields,
    decisions,
    findings,
    links,
    with_groups,
    with_priority,
)
from playbooks.guide.happened import timeline
from playbooks.guide.judged import Judged
from playbooks.guide.owning_tables import Owning
from playbooks.guide.progress import Counted, tell
from playbooks.guide.state_tables import CloudState
from playbooks.guide.store import Store
from playbooks.normalise import READINGS, Reading, normalise
from playbooks.scoping import cloud_activity, egress_pairs, function_lifecycle, known_indicators, uses
from playbooks.scoping.baseline_contacts import baseline_contacts
from playbooks.scoping.collectors import collectors_of
from playbooks.scoping.control_plane import control_plane, framed, in_order
from playbooks.scoping.egress_channels import egress_channels
from playbooks.scoping.egress_events import egress_events
from playbooks.scoping.footprint import Footprint, own_collection
from playbooks.scoping.function_runs import FUNCTION_RUNS, why_blind_to_runs
from playbooks.scoping.logging_changes import all_logging_changes
from playbooks.scoping.passed_roles import role_links
from playbooks.scoping.question import Question
from playbooks.scoping.related_activity import Related, related_activity, with_lifecycle
from playbooks.scoping.resolutions import resolutions
from playbooks.scoping.shared_traits import Scope, shared_traits
from playbooks.scoping.tunables import WINDOW_MINUTES, Tunables
from playbooks.scoping.watched import Around

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

QUESTIONS: tuple[Question, ...] = (
    egress_pairs.QUESTION,
    known_indicators.QUESTION,
    cloud_activity.FUNCTION_CHANGES,
    cloud_activity.PUBLIC_EXPOSURE,
    cloud_activity.LOGGING_TAMPERED,
    FUNCTION_RUNS,
)
CONTACTS = ".contacts.parquet"
CLOUD_EVENTS = ".cloud_events.parquet"


class Results:
    """The results of one case; every property is computed on first use."""

    def __init__(self, case: Case, window_minutes: int = WINDOW_MINUTES) -> None:
        self.case = case
        self.window_minutes = window_minutes
        self._store = Store(case.results, lambda: self._stamp)

    @cached_property
    def readings(self) -> list[Reading]:
        """What became of each evidence item; captures that no tool has read are given to one first."""
        derive_new(self.case)
        return normalise(self.case, done=Counted("reading evidence", len(items(self.case))))

    @cached_property
    def tables(self) -> Tables:
        """The events, ready for questions."""
        assert self.readings is not None  # reading writes the events
        tables = open_tables(self.case.events, self.case.config.engine)
        for evidence_id, lake in lakes(self.case).items():
            tables = open_lake(lake.root, lake.files, evidence_id, span_of(self.case.config), beside=tables)
        return tables

    @cached_property
    def coverage(self) -> dict[str, Any]:
        """What the evidence covers and what it forbids to conclude."""
        file = self.case.results / "coverage.json"
        if self._store.is_current("coverage") and file.is_file():
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return found
        blind = why_blind_to_runs(self.tables)
        small = cloud_activity.small_baseline(self._others, self.case, self.cloud_events)
        changes = all_logging_changes(self._others)
        found = coverage(self.case, self.readings, self.tables, QUESTIONS, blind, small, changes)
        write_json(file, found)
        self._store.mark("coverage")
        return found

    @property
    def scoped_pairs(self) -> pd.DataFrame:
        """Egress pairs by rhythm and prevalence; ownership and priority come with `pairs`, which are held instead."""
        return self.pairs if self._is_enriched() else self._store.kept(schema.EGRESS_PAIRS, self._scope_pairs)

    @cached_property
    def channels(self) -> pd.DataFrame:
        """Ways out that the check-ins of one pair do not show."""
        return self._store.kept(
            schema.EGRESS_CHANNELS, lambda: egress_channels(self.tables, self.case.config, self._contacts)
        )

    @cached_property
    def footprint(self) -> Footprint:
        """What our own collection wrote into the audit records."""
        return own_collection(self.tables, self.case)

    @cached_property
    def activity(self) -> pd.DataFrame:
        """Control-plane events of the window, without the reads of our own collection.

        Runs and reads that are alike are the first and the last of them (`uses.STANDS_FOR`); the file holds all.
        """
        if not (self._store.is_current("cloud_activity") and self._store.file(schema.CLOUD_ACTIVITY).is_file()):
            rows = cloud_activity.activity_table(self.tables, self.case, self.footprint, self.cloud_events)
            self._store.keep_rows(schema.CLOUD_ACTIVITY, in_order(rows))
            self._store.mark("cloud_activity")
        return framed(
            self._store.parked(f".activity_of_{self.window_minutes}_minutes.parquet", self.tables, self._thin_out)
        )

    def _thin_out(self) -> ir.Table:
        whole = read_table(self.tables, self._store.file(schema.CLOUD_ACTIVITY))
        whole = whole.filter(whole.set_apart.isnull())
        return uses.thinned(whole, minutes=self.window_minutes, kept=whole.collector.notnull())

    @cached_property
    def resources(self) -> pd.DataFrame:
        """Functions and their like, with the four questions answered."""
        return self._store.kept(schema.RESOURCES, self._scope_functions)

    @cached_property
    def role_links(self) -> pd.DataFrame:
        """Which role was passed to which function, by whom, and whether its policies are in evidence."""
        return self._store.kept(schema.ROLE_LINKS, lambda: role_links(self._others, self.case, self.cloud_events))

    @cached_property
    def chains(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Steps that lead to each other within the window of minutes: chains and their steps."""
        if self.window_minutes == WINDOW_MINUTES:
            return self.cloud_state.chains
        return self.cloud_state.chains_within(Tunables(time_window_minutes=self.window_minutes))

    @cached_property
    def intel(self) -> pd.DataFrame:
        """What intelligence says of what was seen."""
        return self._store.kept(
            schema.ENRICHMENT, lambda: intelligence(self.tables, self.scoped_pairs, self.case.config)
        )

    @cached_property
    def resolutions(self) -> pd.DataFrame:
        """What serverless and indicated names were answered with."""
        return self._store.kept(schema.RESOLUTIONS, lambda: resolutions(self.tables))

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Egress pairs with ownership and priority, most worth a look first."""
        if self._is_enriched():
            return self._store.load(schema.EGRESS_PAIRS)
        known = (self.intel, self.case.config, self.channels)  # before the pairs: intelligence holds all of them, too
        owned = with_ownership(self.scoped_pairs, self.resources, self.activity, self.case.config)
        self._store.keep(schema.EGRESS_PAIRS, with_priority(owned, *known))
        self._store.mark("enriched")
        del owned
        return self._store.load(schema.EGRESS_PAIRS)

    @cached_property
    def _judged(self) -> Judged:
        """Findings and what follows from them alone, kept until a decision or the evidence changes."""
        return Judged(self, lambda: f"{self._stamp} {self.window_minutes}")

    def judge(self) -> dict[str, Any]:
        """Findings, leads and outcomes, judged anew; `findings` says more."""
        own = self._own_clouds() if "B" in self.case.config.hypotheses else None
        tables = (self.pairs, self.activity, self.intel)
        return findings(self.case, self.coverage, *tables, self.footprint.as_json(), self.channels, own)

    def _own_clouds(self) -> OwnClouds:
        """What the state of our clouds adds to their events."""
        apart = set(self.footprint.apart["ref"])
        matches = counted_matches(self.sigma.matches, self.case.config.window, apart)
        state = self.cloud_state
        return OwnClouds(self.chains[0], state.logging_changes, state.role_activity[1], matches)

    @cached_property
    def findings(self) -> dict[str, Any]:
        """Findings, leads, suppressed rows, outcomes and limits; written anew each time, and what would decide more."""
        found = with_lifecycle(self._judged.found, self.related)
        told = deciding_fields(found, self.pairs, self.activity, self.coverage)
        found = argued(found, self._known_of(found, told))
        write_json(self.case.results / "findings.json", found)
        write_json(self.case.results / "coverage.json", {**self.coverage, "deciding_fields": told})
        self._store.keep(schema.TIMELINE, timeline(found, self.activity, self.related.activity))
        return found

    def _known_of(self, found: dict[str, Any], lacking: list[dict[str, Any]]) -> Known:
        """What the arguments of findings and leads rest on."""
        told = [entry for kind in ("findings", "leads") for entry in found[kind]]
        contacted = [dst for entry in told for dst in entry["subjects"].get("dst", ())]
        before = baseline_contacts(self._contacts, contacted, self.case.config.baseline)
        formats = {one.evidence_id: one.format for one in self.readings if one.format}
        return Known(self.pairs, self.activity, before, formats, lacking, bool(self.case.config.changes))

    @property
    def related(self) -> Related:
        """What happened around the first contact of findings and leads."""
        return self._judged.related

    def look_around(self, around: Around | None = None) -> Related:
        """The same worked out anew, over another span where one is given; kept nowhere."""
        return related_activity(self._judged.found, self._contacts, self.tables, self.case.config, around)

    @property
    def scope(self) -> Scope:
        """Who shares a trait with findings and leads."""
        return self._judged.scope

    def share_traits(self) -> Scope:
        """The same worked out anew; kept nowhere."""
        return shared_traits(self._judged.found, self.pairs, self._contacts, self.tables, self.case.config)

    @cached_property
    def deciding_fields(self) -> list[dict[str, Any]]:
        """Which fields would have decided this case: known once findings are, and kept in `coverage.json`."""
        return deciding_fields(self.findings, self.pairs, self.activity, self.coverage)

    @cached_property
    def links(self) -> pd.DataFrame:
        """From each cited record to who did what to which entity; written anew each time, as findings are."""
        digests = {item.evidence_id: item.sha256 for item in items(self.case)}
        self._store.keep(schema.LINKS, links(self.findings, self.tables, self.activity, digests))
        return self._store.load(schema.LINKS)

    def checklist(self, at: dt.datetime | None = None) -> dict[str, Any]:
        """What to collect next, counted from `at`; without it, from the newest event in evidence."""
        listed = checklist(self.findings, self.pairs, self.activity, self.coverage, self.given, at, self.role_links)
        if at is None:  # the file says the same on every day
            write_json(self.case.results / "checklist.json", listed)
        return listed

    @cached_property
    def given(self) -> list[Given]:
        """Answers that were acquired, refused ones too."""
        asked = self.tables.acquired_answers
        columns = ("api_operation", "resource_name", "cloud_region", "cloud_account_uid", "status")
        rows = asked.select("evidence_id", "record_no", *columns).order_by("evidence_id", "record_no").to_pyarrow()
        return [
            Given(f"{row['evidence_id']}:{row['record_no']}", *(row[name] or "" for name in columns))
            for row in rows.to_pylist()
        ]

    def checkins(self, src: str, dst: str) -> pd.DataFrame:
        """Every event of one pair in the window."""
        return egress_pairs.checkins(self.tables, self.case.config, src, dst, self._contacts)

    @cached_property
    def egress_hours(self) -> pd.DataFrame:
        """Contacts per hour with destinations of the catalogue."""
        return self._store.kept(schema.EGRESS_HOURS, self._count_hours)

    @cached_property
    def _contacts(self) -> ir.Table:
        """The contacts of the estate, kept in a file: three questions start from them."""
        return self._store.parked(CONTACTS, self.tables, lambda: egress_events(self.tables, self.case.config))

    @cached_property
    def _others(self) -> Tables:
        """All records but those of our own collection."""
        return self.footprint.without(self.tables)

    @cached_property
    def cloud_events(self) -> ir.Table:
        """Their control-plane events over all time, kept in a file: four questions start from them."""
        return self._store.parked(
            CLOUD_EVENTS, self.tables, lambda: control_plane(self._others, self.case.config.estate.own)
        )

    @property
    def sigma(self) -> sigma.SigmaRun:
        """Matches of Sigma rules and the outcome of each rule; made anew when a rule file changed."""
        given = sigma.rule_files(self.case)
        if not (self._store.is_current("sigma") and sigma.is_kept(self.case, given)):
            assert self.readings is not None
            tell("asking the Sigma rules")
            sigma.keep(self.case, sigma.run_sigma(self.case, given))
            self._store.mark("sigma")
        return sigma.kept(self.case)

    @cached_property
    def cloud_state(self) -> CloudState:
        """Rights, logging, endpoints and code of our own clouds; each table is computed when first asked for."""
        return CloudState(self, self._store)

    @cached_property
    def owning(self) -> Owning:
        """The draft of the inventory and the review of the lists."""
        return Owning(self, self._store)

    def _scope_pairs(self) -> pd.DataFrame:
        return with_groups(egress_pairs.egress_pairs(self.tables, self.case.config, self._contacts), self.channels)

    def _scope_functions(self) -> pd.DataFrame:
        return function_lifecycle.resources(self.activity, self._others, self.case, self.cloud_events)

    def _count_hours(self) -> pd.DataFrame:
        return egress_pairs.egress_hours(self.tables, self.case.config, self._contacts)

    def _is_enriched(self) -> bool:
        return self._store.is_current("enriched") and self._store.file(schema.EGRESS_PAIRS).is_file()

    @cached_property
    def _stamp(self) -> str:
        """Changes with the evidence as read, the case file and the lists it names, the kit, and our own collection."""
        assert self.readings is not None
        parts = [
            (self.case.events / READINGS).read_bytes(),
            (self.case.path / CASE_FILE).read_bytes(),
            kit.fingerprint().encode(),
            repr((collectors_of(self.case), self.case.config.changes, self.case.config.inventory)).encode(),
        ]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()


__all__ = ["QUESTIONS", "Results", "decisions", "timeline"]
