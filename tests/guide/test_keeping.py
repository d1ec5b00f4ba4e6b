"""Verbs that keep evidence defensible: verify every link, acquire from a cloud or a lake."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.conftest import SampleRun
from tests.evidence.acquire.aws_front import ACCOUNT, KEYS, door_to_moto
from tests.evidence.acquire.aws_house import REGION, clients, package, policy

from playbooks import guide
from playbooks.case import new_case
from playbooks.evidence import items
from playbooks.evidence.keys import load_private, new_key
from playbooks.evidence.seal import seal


def test_every_check_is_a_row_and_what_differs_is_named(incident: SampleRun, tmp_path: Path) -> None:
    case = guide.open_case(str(incident.copy(tmp_path / "case")))
    new_key(tmp_path / "ana", "Ana Lyst")
    seal(case, load_private(tmp_path / "ana"))
    view = guide.verify(case, str(tmp_path / "ana.pub"))
    assert view.words == ("Evidence holds.",)
    answers = dict(zip(view.tables[0].rows.check, view.tables[0].rows.answer, strict=True))
    assert (answers["bag"], answers["seal"], answers["report"]) == ("verified", "verified", "verified")
    assert len(view.tables) == 1
    (case.report / "report.html").write_text("<p>nothing</p>")
    view = guide.verify(case, str(tmp_path / "ana.pub"))
    assert view.words == ("Evidence holds; results or report are not what was written.",)
    assert list(view.tables[1].rows["where"]) == ["report/report.html"]
    (case.evidence / "data" / items(case)[0].name).unlink()
    assert guide.verify(case).words[0].startswith("EVIDENCE IS BROKEN")


def test_a_function_of_our_own_cloud_becomes_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = new_case(tmp_path / "case", "GUIDE-1")
    with door_to_moto() as door:
        client = clients(f"http://127.0.0.1:{door.moto_port}")
        client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=policy("sts:AssumeRole"))
        client("lambda").create_function(
            FunctionName="orders",
            Runtime="python3.12",
            Role=f"arn:aws:iam::{ACCOUNT}:role/runs",
            Handler="a.b",
            Code={"ZipFile": door.keep(package("orders"))},
        )
        for name, value in {**KEYS, "endpoint_url": door.url}.items():
            monkeypatch.setenv(name.upper() if name.startswith("aws") else f"AWS_{name.upper()}", value)
        view = guide.acquire_aws(case, ["orders"], [REGION])
    [row] = view.tables[0].rows.to_dict("records")
    assert row["evidence"] == "E001"
    assert row["answered"] > 10
    assert "is a blind spot" in view.words[0]
    [item] = items(case)  # the link to the code leads to no host of AWS here, and so is not followed
    assert item.source.startswith("acquired: 0/aws-")


class Lake:
    """A lake that answers everything with two rows."""

    def exec_query(self, _query: str) -> pd.DataFrame:
        return pd.DataFrame({"host": ["a.example.test", "b.example.test"]})


def test_the_answer_of_a_lake_becomes_evidence(tmp_path: Path) -> None:
    case = new_case(tmp_path / "case", "GUIDE-2")
    view = guide.acquire_query(case, Lake(), "Dns | where Name == {host:hostname}", {"host": "a.example.test"}, "kql")
    [row] = view.tables[0].rows.to_dict("records")
    assert row["name"].endswith(".parquet")
    assert pd.read_parquet(view.data.file(case)).host.tolist() == ["a.example.test", "b.example.test"]
