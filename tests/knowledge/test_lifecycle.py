"""The rules of the lifecycle: each with sources and an innocent reading, checked against the pinned release."""

from __future__ import annotations

import re
from dataclasses import replace

import duckdb
import pytest

from playbooks.knowledge.attack import TECHNIQUES
from playbooks.knowledge.lifecycle import Rule, _checked, load_lifecycle
from playbooks.scoping.host_events import ON_CONTACTS, TEXTS

KNOWN = load_lifecycle()


@pytest.mark.parametrize("rule", KNOWN.rules, ids=lambda rule: rule.id)
def test_a_rule_has_sources_an_innocent_reading_and_patterns_of_both_engines(rule: Rule) -> None:
    assert rule.sources and all(rule.sources)
    assert len(rule.innocent_if) > 10
    assert set(rule.attack) <= set(TECHNIQUES)
    assert set(rule.matches) <= {*TEXTS, "client"}
    assert set(re.findall(r"\{(\w+)\}", rule.says)) <= {*TEXTS, "client", "bytes", "message"}
    for regex in (rule.activity, *rule.matches.values()):
        if regex:
            re.compile(f"(?i){regex}")
            duckdb.execute("SELECT regexp_matches('', ?)", [f"(?i){regex}"])


def test_ids_are_unique_and_every_channel_is_read_by_a_rule() -> None:
    ids = [rule.id for rule in KNOWN.every_rule]
    assert len(set(ids)) == len(ids)
    assert {rule.channel for rule in KNOWN.rules} == {channel.id for channel in KNOWN.channels}
    assert set(ON_CONTACTS) <= {channel.id for channel in KNOWN.channels}


def test_what_can_silence_a_stage_is_a_channel_that_some_rule_reads_for_it() -> None:
    for stage in KNOWN.stages:
        read = {rule.channel for rule in KNOWN.every_rule if rule.stage == stage.id}
        assert set(stage.shown_by) <= read, stage.id
        assert "alerts" not in stage.shown_by, "no alert is no answer"


def test_a_technique_of_another_stage_or_an_unknown_name_is_refused() -> None:
    first = KNOWN.rules[0]
    for wrong, told in (
        (replace(first, attack=("T1021",)), "no technique of it belongs"),
        (replace(first, channel="dreams"), "dreams: no such"),
        (replace(first, stage="luck"), "luck: no such"),
    ):
        with pytest.raises(ValueError, match=told):
            _checked(replace(KNOWN, rules=(wrong,)))
    with pytest.raises(KeyError, match=r"v18\.1"):
        _checked(replace(KNOWN, rules=(replace(first, attack=("T9999",)),)))


def test_operations_of_the_clouds_are_read_by_their_phase() -> None:
    trigger = next(rule for rule in KNOWN.every_rule if rule.id == "operation-trigger")
    assert trigger.stage == "persistence"
    assert trigger.telling and "createeventsourcemapping20150331" in trigger.operations
