"""Stages, novelty and identity: each sentence and table says what the marks say, and an empty one says why."""

from __future__ import annotations

from typing import Any

import pandas as pd
from tests.report.fabricated import HOURS, REF, activity, findings, roles

from playbooks import schema
from playbooks.report.figures import attack_strip, identity_chain, novelty_by_time


def acts(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows)).reindex(columns=list(schema.CLOUD_ACTIVITY.names))


def test_a_stage_is_named_seen_clear_blind_or_not_asked() -> None:
    states = {"execution": "found", "persistence": "clear", "discovery": "blind"}
    stages = [{"stage": stage, "state": state, "events": 2} for stage, state in states.items()]
    entry = findings()["findings"][0] | {"attack": ["T1071.001"], "lifecycle": {"stages": stages}}
    picture = attack_strip({"findings": [entry]})
    assert [tuple(row) for row in picture.table[["tactic", "says", "techniques"]].itertuples(index=False)] == [
        ("execution", "records around first contact", ""),
        ("persistence", "looked at: nothing in the records", ""),
        ("discovery", "blind: nothing could have shown it", ""),
        ("command-and-control", "techniques of the finding", "T1071.001"),
    ]
    assert (
        "consistent with execution, command and control; of one or more of them nothing could have shown discovery"
        in (picture.summary)
    )
    assert attack_strip({"findings": []}).figure is None
    assert sum(len(trace.x) for trace in picture.figure.data) == 4


def test_novelty_is_counted_and_the_newest_is_named() -> None:
    row = {"principal": "j.doe", "resource": "export", "ref": REF, "outcome": "success", "reasons": ["never before"]}
    frame = acts(
        {**row, "time": HOURS[1], "operation": "UpdateFunctionCode", "novelty": 0.9},
        {**row, "time": HOURS[2], "operation": "Invoke", "novelty": 0.1, "reasons": []},
        {**row, "time": HOURS[3], "operation": "Invoke", "novelty": 0.0, "reasons": [], "principal": None},
    )
    picture = novelty_by_time(frame)
    assert picture.summary.startswith("1 of 3 control-plane events have a novelty of 0.5 or more, by 1 principal.")
    assert "UpdateFunctionCode by j.doe at 2024-04-15 01:00 UTC (0.90: never before)" in picture.summary
    assert list(picture.table["novelty"]) == [0.9, 0.1, 0.0]
    assert "without a baseline" in novelty_by_time(activity()).summary
    assert "no control-plane event" in novelty_by_time(activity().head(0)).summary


def test_the_chain_goes_from_who_changed_a_function_to_what_its_role_called() -> None:
    row = {"resource": "export", "resource_type": "function", "time": HOURS[1], "ref": REF}
    frame = acts(
        {**row, "principal": "mallory", "phase": "modify-code", "outcome": "success"},
        {**row, "principal": "nobody", "phase": "modify-code", "outcome": "failure"},
        {**row, "principal": "timer", "phase": "invoke", "outcome": "success"},
    )
    called = pd.DataFrame([{"role": "export-role", "operation": "GetSecretValue", "service": "kms", "refs": [REF]}])
    picture = identity_chain(frame, roles(), called, {"findings": [{"subjects": {"resource": ["export"]}}]})
    assert [tuple(one) for one in picture.table[["from", "link", "to"]].itertuples(index=False)] == [
        ("mallory", "changed", "export"), ("timer", "ran", "export"), ("export", "runs as", "export-role"),
        ("export-role", "called", "GetSecretValue (kms)"),
    ]  # fmt: skip
    assert picture.summary == (
        "Changed: mallory → export. Runs as: export → export-role. 1 kind of call by such a role."
    )
    nothing = identity_chain(frame.head(0), None, None, {})
    assert nothing.figure is None and nothing.summary == (
        "No picture: no record links a principal to a function of ours."
    )
