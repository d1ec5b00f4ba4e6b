"""Our own endpoints: seen from the network, called from outside, or not answerable and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from tests.scoping import events
from tests.scoping.cloud_case import CI, HOME, MALLORY, at, case_of, event
from tests.scoping.events import dns, http
from tests.scoping.test_passed_roles import answer

from playbooks import schema
from playbooks.scoping.cloud_activity import cloud_activity
from playbooks.scoping.egress_pairs import egress_pairs
from playbooks.scoping.function_lifecycle import resources
from playbooks.scoping.own_endpoints import own_endpoints

HOST = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws"
API = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
MADE = event("03-10 00:01", "CreateFunctionUrlConfig", {"functionName": "billing", "authType": "NONE"}, MALLORY,
             response={"functionUrl": f"https://{HOST}/", "authType": "NONE"})  # fmt: skip
ABOUT = {"api_service_name": "lambda", "cloud_region": "eu-central-1"}


def seen(tmp_path: Path, **rows: list[dict[str, Any]]) -> pd.DataFrame:
    tables = events.tables(tmp_path / "events", **{"api_activity": [MADE], **rows})
    case = case_of(tmp_path)
    pairs = egress_pairs(tables, case.config)
    frame = own_endpoints(resources(cloud_activity(tables, case), tables, case), pairs, tables, case)
    assert tuple(frame.columns) == schema.OWN_ENDPOINTS.names
    return frame


def test_a_url_that_our_control_plane_made_is_found_in_egress_with_who_made_it_and_who_called_it(
    tmp_path: Path,
) -> None:
    asked = [http(600 + 60 * number, "10.20.3.17", HOST, f"https://{HOST}/x") for number in range(3)]
    (row,) = seen(tmp_path, http_activity=asked, dns_activity=[dns(599, "10.20.3.18", HOST)]).itertuples()
    assert (row.host, row.resource, list(row.made_by)) == (HOST, "billing", ["E001:1"])
    assert row.open_to == "its URL asks for no authentication (authType NONE)"
    assert (list(row.client_names), row.connections, row.called_from_outside) == (["10.20.3.17", "10.20.3.18"], 4, None)
    assert row.answer == (
        "contacted by 2 of our clients, 4 times, 2026-03-10 00:09 to 2026-03-10 00:12 UTC; whether it was called from "
        "outside is not answerable because no log of its own calls is in evidence"
    )


def test_runs_by_url_from_outside_are_calls_and_those_of_our_own_addresses_are_not(tmp_path: Path) -> None:
    def run(address: str, name: str = "billing", **more: Any) -> dict[str, Any]:
        return event("03-10 10:00", "InvokeFunctionUrl", {"functionName": name}, src_endpoint_ip=address, **more)

    ours = [run("10.20.3.17"), run("lambda.amazonaws.com"), run("203.0.113.9", "other"),
            run("203.0.113.9", cloud_region="us-east-1")]  # fmt: skip
    (row,) = seen(tmp_path / "a", api_activity=[MADE, *ours]).itertuples()
    assert (row.called_from_outside, list(row.callers)) == (False, [])
    assert row.answer.endswith("; its own log shows no call from outside")
    (row,) = seen(tmp_path / "b", api_activity=[MADE, *ours, run("203.0.113.9"), run("203.0.113.9")]).itertuples()
    assert (row.called_from_outside, list(row.callers), row.calls) == (True, ["203.0.113.9"], 2)
    assert list(row.refs) == ["E001:6"]


def test_an_api_that_is_only_known_by_its_id_is_joined_with_its_access_log(tmp_path: Path) -> None:
    changed = event("03-10 00:01", "CreateDeployment", {"restApiId": "a1b2c3d4e5"}, CI,
                    api_service_name="apigateway.amazonaws.com")  # fmt: skip
    calls = [http(600, "203.0.113.9", API, f"https://{API}/x", format="aws_apigateway_access"),
             http(601, "10.20.3.17", API, f"https://{API}/x", format="aws_apigateway_access"),
             http(602, "203.0.113.10", f"x{API}", f"https://x{API}/x", format="aws_apigateway_access")]  # fmt: skip
    (row,) = seen(tmp_path, api_activity=[changed], http_activity=calls).itertuples()
    assert (row.host, row.resource_type, list(row.callers)) == (API, "api", ["203.0.113.9"])


def test_a_custom_name_that_is_an_alias_of_ours_is_ours_too(tmp_path: Path) -> None:
    asked = [dns(600, "10.20.3.17", "hook.example", [HOST, "192.0.2.7"])]
    (row,) = seen(tmp_path, dns_activity=asked).itertuples()
    assert list(row.client_names) == ["10.20.3.17"]


def test_an_acquired_answer_shows_an_endpoint_that_no_record_made(tmp_path: Path) -> None:
    answers = [
        answer("GetFunctionUrlConfig", "billing", {"FunctionUrl": f"https://{HOST}/", "AuthType": "NONE"}, **ABOUT),
        answer("GetFunctionUrlConfig", "other", {"FunctionUrl": f"https://x{HOST}/"}, **ABOUT, status="refused"),
    ]
    (row,) = seen(tmp_path, api_activity=[], acquired_answers=answers).itertuples()
    assert (row.host, row.resource, row.account, list(row.made_by)) == (HOST, "billing", HOME, ["E001:1"])
    assert row.answer.startswith("whether our clients contacted it is not answerable because")


def test_hostile_answers_give_no_endpoint_and_no_error(tmp_path: Path) -> None:
    shapes = ["[" * 100_000, "7", '{"FunctionUrl": ["x"], "FunctionUrlConfigs": [1, {"FunctionUrl": "https://[/"}]}']
    answers = [answer("ListFunctionUrlConfigs", "x", response=shape, time=at("03-10 00:00")) for shape in shapes]
    assert len(seen(tmp_path, api_activity=[], acquired_answers=answers)) == 0
