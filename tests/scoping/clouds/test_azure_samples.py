"""Real records of Azure, Entra and Microsoft 365: each catalogued act once, with its resource."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from playbooks.case import new_case
from playbooks.case_file import Own
from playbooks.engine import open_tables
from playbooks.evidence.preserve import add
from playbooks.normalise import normalise
from playbooks.scoping.control_plane import read_events

LOGS = Path(__file__).resolve().parents[4] / "shared" / "logs"
FILES = (
    *("panther/azure_activity/events.jsonl", "sekoia/azure_activity/events.jsonl"),
    *("plaso/azure_activity_log/events.jsonl", "panther/entra_audit/events.jsonl", "panther/m365_aad/events.jsonl"),
    *("otrf/goldensaml/AADAuditEvents.json", "sekoia/m365_ual/events.jsonl", "panther/m365_sharepoint/events.jsonl"),
)

pytestmark = pytest.mark.skipif(not LOGS.is_dir(), reason="the real logs are not beside this repository")


@pytest.fixture(scope="module")
def acts(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    case = new_case(tmp_path_factory.mktemp("samples") / "case", "SAMPLES")
    add(case, [LOGS / name for name in FILES])
    normalise(case)
    return read_events(open_tables(case.events), Own())


def test_every_act_has_a_resource_and_stands_once(acts: pd.DataFrame) -> None:
    assert len(acts) > 50
    assert acts[acts.resource.isna()].empty
    refs = [ref for first, more in zip(acts.ref, acts.further_refs, strict=True) for ref in (first, *(more or ()))]
    assert len(refs) == len(set(refs))


def test_acts_of_automation_are_told_with_account_and_name(acts: pd.DataFrame) -> None:
    ours = acts[acts.resource_type.isin(["runbook", "webhook", "schedule"])]
    assert set(ours.phase) >= {"create", "modify-code", "trigger", "invoke", "defence-evasion"}
    named = ours[~ours.operation_base.str.endswith("/jobs/write")].resource
    assert named.str.fullmatch(r"[^/]+/[^/]+").all()


def test_a_grant_to_an_application_is_about_the_application(acts: pd.DataFrame) -> None:
    granted = acts[acts.operation_base == "Add delegated permission grant"]
    assert list(granted.exposure.str.contains("may act for everybody in the tenant")) == [True] * len(granted)
    assert "Microsoft Graph" not in set(granted.resource)


def test_mail_sent_on_by_a_rule_is_told_with_its_addresses(acts: pd.DataFrame) -> None:
    rules = acts[acts.operation_base == "UpdateInboxRules"]
    assert rules.exposure.fillna("").str.startswith("mail goes to").sum() == 1
