"""Readings and options: sourced, tied to facts and kinds that exist, and honest in their words."""

from __future__ import annotations

import ast
from pathlib import Path

from playbooks import argument
from playbooks.findings import egress_channels, forbidden_claims
from playbooks.knowledge.containment import load_containment
from playbooks.knowledge.operations import load_operations
from playbooks.knowledge.readings import load_readings

READINGS = load_readings().readings
OPTIONS = load_containment().options
FINDINGS = Path(egress_channels.__file__).parent


def facts_that_are_made() -> set[str]:
    """Ids that the code gives to facts, and kinds that it gives to signals: the first text of each call."""
    found = {weight.signal for weight in egress_channels.WEIGHTS.values()}
    for file in (*FINDINGS.glob("*.py"), *Path(argument.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Fact", "Signal"):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def test_every_fact_that_a_reading_or_an_option_names_is_made_somewhere() -> None:
    made = facts_that_are_made()
    named = {fact for one in READINGS for fact in (*one.only_with, *one.speaks_for, *one.speaks_against)}
    named |= {fact for one in OPTIONS for fact in one.with_facts}
    assert named - made == set()


def test_every_kind_of_signal_speaks_for_the_reading_of_abuse() -> None:
    told = {fact for one in READINGS if not one.innocent for fact in one.speaks_for}
    kinds = {kind for kind in facts_that_are_made() if kind not in told}
    assert kinds <= {"in-baseline", "common", "own", "named-tenant", "shared-host", "program-known"} | {
        *("ticket", "by-role", "habit")
    }


def test_readings_and_options_are_named_once_sourced_and_say_what_to_do() -> None:
    for several in (READINGS, OPTIONS):
        assert len({one.id for one in several}) == len(several)
        assert all(one.sources for one in several)
    assert all(one.decides and one.says.endswith(".") for one in READINGS)
    assert {one.hypothesis for one in READINGS if not one.innocent} == {"A", "B"}
    texts = [text for one in READINGS for text in (one.says, *one.decides)]
    texts += [text for one in OPTIONS for text in (one.option, one.effect, one.evidence, one.undo or "")]
    assert [claim for text in texts for claim in forbidden_claims(text)] == []


def test_options_name_kinds_of_resources_that_the_catalogue_knows() -> None:
    known = {one.resource_type for one in load_operations().operations}
    assert {kind for one in OPTIONS for kind in one.types} - known == set()


def test_deleting_and_blocking_a_suffix_come_last_and_preserving_is_never_undone() -> None:
    orders = {one.id: one.order for one in OPTIONS}
    assert orders["delete"] == max(orders.values())
    assert orders["block-suffix"] > orders["isolate-host"] > orders["watch"]
    assert orders["stop-function-aws"] > orders["revoke-sessions-aws"] > orders["block-host"]
