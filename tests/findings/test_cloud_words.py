"""What a finding tells to do next, and what it cannot see, holds for the kind of resource and for every cloud."""

from __future__ import annotations

import re

import pytest
from tests.findings import tables as t

from playbooks.findings.cloud import cloud_subjects
from playbooks.findings.cloud_words import CODE, DOOR, FAMILIES, IDENTITY, LOG, OTHER, family_of, next_steps
from playbooks.knowledge.operations import load_operations

VENDOR = re.compile(r"CloudTrail|Lambda|concurrency 0|S3|Azure|Google|Cloudflare|Microsoft", re.IGNORECASE)
# Kinds of the catalogue for which a general sentence serves.
GENERAL = {
    *("setting", "repository", "organization", "search", "file", "storage-account", "bucket", "key-value-store"),
    *("namespace", "code-signing-config", "log-policy"),
}


def test_every_kind_of_the_catalogue_is_of_one_family_or_is_known_to_be_general() -> None:
    kinds = {one.resource_type for one in load_operations().operations if one.resource_type}
    assert {kind for kind in kinds if family_of(kind) is OTHER} <= GENERAL
    listed = [kind for family in FAMILIES for kind in family.kinds]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        *((kind, CODE) for kind in ("function", "script", "service", "job", "flow", "automation-account", "workflow")),
        *((kind, LOG) for kind in ("trail", "sink", "diagnostic-setting", "log-job")),
        *((kind, IDENTITY) for kind in ("application", "service-account", "role", "oauth-client")),
        *((kind, DOOR) for kind in ("api", "webhook", "trigger")),
        ("a kind of tomorrow", OTHER),
    ],
)
def test_steps_preserve_first_ask_then_stop_and_never_delete(kind: str, family: object) -> None:
    assert family_of(kind) is family
    steps = next_steps(kind, "relay", "j.doe")
    assert len(steps) == 5 and "{" not in "".join(steps)
    assert steps[0].split()[0] in ("Export", "List")
    assert steps[1].startswith("Ask the owner of relay and j.doe")
    assert not VENDOR.search("".join(steps))
    assert not re.search(r"(?<!not )(?<!never )\bdelete", "".join(steps)), "deleting destroys evidence"


def test_the_texts_of_a_subject_are_those_of_its_kind_and_its_signals() -> None:
    log = t.act("PutEventSelectors", "defence-evasion", resource="corp-trail", resource_type="trail")
    [found] = cloud_subjects(t.activity(log), t.own(logging_changes=[t.log_change()]))
    assert any("logging was off" in sentence for sentence in found.not_observable)
    [opened] = cloud_subjects(t.activity(t.act(exposure="anyone may invoke")))
    assert any("meant to be public" in sentence for sentence in opened.innocent_if)
    assert not any(VENDOR.search(text) for text in (*opened.not_observable, *opened.innocent_if))
