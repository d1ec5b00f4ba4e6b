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


SUB, SITES = "/subscriptions/aaaaaaaa-0000-0000-0000-0000000000aa/resourcegroups/shop/providers", "microsoft.web/sites"
CF = "1d1e650b3385b95db72bba7cfb1287e9"


def elsewhere(provider: str, operation: str, **more: Any) -> dict[str, Any]:
    """A record of another cloud; `base` where the format names the operation otherwise."""
    told = {name: more.pop(name) for name in ("response",) if name in more}
    record = event("03-10 00:01", operation, more.pop("request", None), MALLORY, cloud_provider=provider, **told)
    return {**record, "api_operation_base": more.pop("base", operation), "actor_session_issuer": None, **more}


def azure(name: str, **more: Any) -> dict[str, Any]:
    uid = f"{SUB}/{SITES}/{name}"
    return elsewhere("Azure", "Microsoft.Web/sites/write", resource_uid=uid, resource_name=name,
                     api_service_name="microsoft.web", cloud_account_uid=SUB.split("/")[2],
                     request={"kind": "functionapp"}, **more)  # fmt: skip


def by_host(frame: pd.DataFrame) -> dict[str, tuple[str, list[str], bool]]:
    return {
        row.host: (row.resource, list(row.client_names), "by its name only" in row.answer) for row in frame.itertuples()
    }


def test_hosts_of_an_azure_app_are_found_in_egress_by_its_name_when_no_record_shows_them(tmp_path: Path) -> None:
    hosts = ["shop-fn.azurewebsites.net", "shop-fn-a1b2c3d4e5f6g7h8.westeurope-01.azurewebsites.net",
             "shop-fn.scm.azurewebsites.net", "shop-fn2.azurewebsites.net", "xshop-fn.azurewebsites.net",
             "shop-fn-short.westeurope-01.azurewebsites.net"]  # fmt: skip
    asked = [http(600 + at, "10.20.3.17", host, f"https://{host}/x") for at, host in enumerate(hosts)]
    assert by_host(seen(tmp_path, api_activity=[azure("shop-fn")], http_activity=asked)) == {
        hosts[0]: ("shop-fn", ["10.20.3.17"], False),
        hosts[1]: ("shop-fn", ["10.20.3.17"], True),
        hosts[2]: ("shop-fn", ["10.20.3.17"], False),
    }


def test_a_host_with_a_random_suffix_that_the_answer_of_azure_shows_is_ours_for_certain(tmp_path: Path) -> None:
    host = "shop-fn-a1b2c3d4e5f6g7h8.westeurope-01.azurewebsites.net"
    made = azure("shop-fn", response={"properties": {"defaultHostName": host}})
    frame = seen(tmp_path, api_activity=[made], dns_activity=[dns(600, "10.20.3.17", host.upper())])
    assert by_host(frame) == {host: ("shop-fn", ["10.20.3.17"], False)}


def test_a_workflow_shares_its_host_with_everybody_and_only_its_path_is_ours(tmp_path: Path) -> None:
    host, mine, other = "prod-12.westeurope.logic.azure.com", "0" * 29 + "abc", "0" * 29 + "def"
    uid = f"{SUB}/microsoft.logic/workflows/la-daily"
    made = elsewhere("Azure", "Microsoft.Logic/workflows/write", resource_uid=uid, resource_name="la-daily",
                     api_service_name="microsoft.logic", cloud_account_uid=SUB.split("/")[2], response={
                         "properties": {"accessEndpoint": f"https://{host}:443/workflows/{mine.upper()}"}})  # fmt: skip

    def called(client: str, workflow: str) -> dict[str, Any]:
        return http(600, client, host, f"https://{host}/workflows/{workflow}/triggers/manual/paths/invoke?sig=x")

    asked = [called("10.20.3.17", mine), called("10.20.3.18", other)]
    frame = seen(tmp_path, api_activity=[made], http_activity=asked)
    (row,) = frame[frame.client_count > 0].itertuples()
    assert (row.host, row.resource, list(row.client_names), list(row.made_by)) == (
        host,
        "la-daily",
        ["10.20.3.17"],
        ["E001:1"],
    )


def test_hosts_of_google_are_found_by_project_number_random_part_and_region(tmp_path: Path) -> None:
    uid = "projects/example-shop/locations/europe-west1/functions/pay"
    made = elsewhere("GCP", "google.cloud.functions.v2.FunctionService.CreateFunction", resource_uid=uid,
                     resource_name="pay", cloud_account_uid="example-shop", cloud_region="europe-west1",
                     api_service_name="cloudfunctions.googleapis.com")  # fmt: skip
    hosts = ["europe-west1-example-shop.cloudfunctions.net", "pay-123456789012.europe-west1.run.app",
             "pay-abcdefghij-ew.a.run.app", "pay-123456789012.us-east1.run.app",
             "europe-west1-example-shop2.cloudfunctions.net"]  # fmt: skip
    asked = [dns(600 + at, "10.20.3.17", host) for at, host in enumerate(hosts)]
    assert by_host(seen(tmp_path, api_activity=[made], dns_activity=asked)) == {
        hosts[0]: ("pay", ["10.20.3.17"], False),
        hosts[1]: ("pay", ["10.20.3.17"], True),
        hosts[2]: ("pay", ["10.20.3.17"], True),
    }


def test_workers_below_the_account_s_own_name_are_ours_and_those_of_others_are_not(tmp_path: Path) -> None:
    def record(base: str, name: str, **more: Any) -> dict[str, Any]:
        return elsewhere("Cloudflare", "update", base=base, resource_name=name, resource_uid=name,
                         cloud_account_uid=CF, api_service_name="workers/x", **more)  # fmt: skip

    made = [
        record("PUT /accounts/{id}/workers/scripts/{name}", "relay"),
        record("PUT /accounts/{id}/workers/subdomain", "acme", request={"subdomain": "acme"}),
    ]
    hosts = ["relay.acme.workers.dev", "other.acme.workers.dev", "relay.evil.workers.dev"]
    asked = [http(600 + at, "10.20.3.17", host) for at, host in enumerate(hosts)]
    found = by_host(seen(tmp_path, api_activity=made, http_activity=asked))
    assert {host: (clients, named) for host, (_, clients, named) in found.items()} == {
        hosts[0]: (["10.20.3.17"], False),
        hosts[1]: (["10.20.3.17"], False),
    }


def test_routes_domains_and_pages_projects_of_cloudflare_are_endpoints(tmp_path: Path) -> None:
    def record(base: str, request: dict[str, Any], response: Any = None) -> dict[str, Any]:
        return elsewhere("Cloudflare", "update", base=base, cloud_account_uid=CF, api_service_name="workers/x",
                         request=request, response=response)  # fmt: skip

    made = [
        record("POST /zones/{id}/workers/routes", {"pattern": "*.example.test/api/*", "script": "relay"}),
        record("PUT /accounts/{id}/workers/domains", {"hostname": "hook.example.test", "service": "relay"}),
        record("POST /accounts/{id}/pages/projects", {"name": "proj"}, {"subdomain": "proj-4xy.pages.dev"}),
    ]
    hosts = ["example.test", "hook.example.test", "proj-4xy.pages.dev"]
    asked = [dns(600 + at, "10.20.3.17", host) for at, host in enumerate([*hosts, "proj.pages.dev"])]
    frame = seen(tmp_path, api_activity=made, dns_activity=asked)
    assert [(row.host, list(row.client_names), list(row.made_by)) for row in frame.itertuples()] == [
        (host, ["10.20.3.17"], [f"E001:{number}"]) for number, host in enumerate(hosts, start=1)
    ]


def test_a_host_of_ours_that_only_its_own_log_shows_is_found_with_its_callers(tmp_path: Path) -> None:
    host = "shop-fn.azurewebsites.net"
    calls = [http(600, "203.0.113.9", host, f"https://{host}/x", format="azure_app_service_http")]
    (row,) = seen(tmp_path, api_activity=[azure("shop-fn")], http_activity=calls).itertuples()
    assert (row.host, list(row.callers), row.called_from_outside) == (host, ["203.0.113.9"], True)


def test_hostile_names_are_no_patterns(tmp_path: Path) -> None:
    names = [".*", "a" * 500, "(a+)+$", "x{99999}", "{label}", "a.b"]
    asked = [http(600, "10.20.3.17", "victim.azurewebsites.net")]
    assert len(seen(tmp_path, api_activity=[azure(name) for name in names], http_activity=asked)) == 0
