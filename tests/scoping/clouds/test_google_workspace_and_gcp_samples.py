"""Public samples of Google's and Cloudflare's logs: who, what and which phase, as their records say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playbooks.case import new_case
from playbooks.engine import open_tables
from playbooks.evidence.preserve import add
from playbooks.normalise import normalise
from playbooks.scoping.cloud_activity import cloud_activity

LOGS = Path(__file__).resolve().parents[4] / "shared" / "logs"
FOLDERS = (
    *("panther/gcp_audit", "sekoia/gcp_audit", "plaso/gcp_logging", "panther/google_workspace"),
    *("sekoia/google_workspace_reports", "sekoia/cloudflare_audit"),
)

pytestmark = pytest.mark.skipif(not LOGS.is_dir(), reason="the public samples are not beside this repository")


@pytest.fixture(scope="module")
def activity(tmp_path_factory: pytest.TempPathFactory) -> Any:
    case = new_case(tmp_path_factory.mktemp("samples") / "case", "SAMPLES")
    add(case, [LOGS / folder / "events.jsonl" for folder in FOLDERS])
    normalise(case)
    return cloud_activity(open_tables(case.events), case)


@pytest.mark.parametrize(
    ("operation", "facts"),
    [
        ("google.cloud.run.v1.Services.SetIamPolicy", {"phase": "permission", "principal_type": "user"}),
        ("google.logging.v2.ConfigServiceV2.DeleteBucket", {"phase": "defence-evasion", "outcome": "success"}),
        ("SignJwt", {"phase": "identity", "principal_type": "service account"}),
        ("job_update", {"phase": "defence-evasion", "resource_type": "log-job"}),
        ("ADD_APPLICATION", {"phase": "permission", "outcome": "success"}),
    ],
)
def test_an_operation_of_the_samples_has_its_phase(activity: Any, operation: str, facts: dict[str, str]) -> None:
    rows = activity[activity["operation"] == operation]
    assert len(rows) and {name: set(rows[name]) for name in facts} == {name: {held} for name, held in facts.items()}


def test_an_agent_of_googles_is_not_put_in_place_of_the_account_that_acts(activity: Any) -> None:
    agents = activity[activity["via"].fillna("").str.startswith("by service-")]
    assert set(agents["principal_type"]) == {"service account"}
    assert not agents["principal"].str.startswith("service-").any()


def test_who_used_the_key_of_a_service_account_is_told_by_the_key(activity: Any) -> None:
    keys = activity[activity["via"].fillna("").str.startswith("key ")]
    assert len(keys) >= 3
    assert keys["principal"].str.endswith(".iam.gserviceaccount.com").all()
