"""Inventory files: what each layout gives, where each entry stands, and which files are refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from playbooks import guide
from playbooks.case import Case, new_case, open_case
from playbooks.errors import CaseError
from playbooks.inventory import Listed
from playbooks.inventory.files import LAYOUTS

ARN = "arn:aws:lambda:eu-central-1:111111111111:function:billing"
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers"
URL_HOST = "hb3nxe6yq2wvk7tzaj5pmc4rfd0luog2.lambda-url.eu-central-1.on.aws"
WORKFLOW = "0123456789abcdef0123456789abcdef"


def case_with(folder: Path, stated: Any, **files: str | bytes) -> Case:
    """A case that names inventory files; `_json` at the end of a keyword is the ending of a file."""
    case = new_case(folder / "case", "T-1")
    for name, text in files.items():
        raw = text if isinstance(text, bytes) else text.encode()
        (case.path / name.replace("_", ".")).write_bytes(raw)
    file = case.path / "case.yaml"
    told = file.read_text(encoding="utf-8").replace("inventory_files: []", f"inventory_files: {json.dumps(stated)}")
    file.write_text(told, encoding="utf-8")
    return case


def listed(folder: Path, data: Any, stated: Any = ("a.json",)) -> list[Listed]:
    case = case_with(folder, list(stated), a_json=json.dumps(data))
    return [one for one in open_case(case.path).config.inventory if isinstance(one, Listed)]


def told(one: Listed) -> dict[str, Any]:
    """What an entry says, without the file."""
    hidden = {"file", "sha256", "layout", "expires"}
    return {name: value for name, value in one.model_dump().items() if name not in hidden and value is not None}


def terraform(kind: str, mode: str = "managed", **attributes: Any) -> dict[str, Any]:
    resource = {"mode": mode, "type": kind, "name": "one", "instances": [{"attributes": attributes}]}
    return {"version": 4, "terraform_version": "1.9.0", "resources": [resource]}


ENTRIES: dict[str, tuple[Any, list[dict[str, Any]]]] = {
    "terraform: a function and its tags": (
        terraform("aws_lambda_function", function_name="billing", arn=ARN, tags_all={"Owner": "Finance"}),
        [{"place": "$.resources[0].instances[0]", "owner": "Finance", "service": "aws-lambda-url",
          "resource": "billing", "account": "111111111111", "region": "eu-central-1", "approved": True}],
    ),
    "terraform: a function URL": (
        terraform("aws_lambda_function_url", function_name="billing", function_arn=ARN, function_url=f"https://{URL_HOST}/"),
        [{"place": "$.resources[0].instances[0]", "owner": "", "service": "aws-lambda-url", "resource": "billing",
          "host": URL_HOST, "account": "111111111111", "region": "eu-central-1", "approved": False}],
    ),
    "terraform: a REST API, whose host is made of its id": (
        terraform("aws_api_gateway_rest_api", id="r275xc9bmd",
                  execution_arn="arn:aws:execute-api:us-east-1:111111111111:r275xc9bmd"),
        [{"place": "$.resources[0].instances[0]", "owner": "", "service": "aws-apigw", "resource": "r275xc9bmd",
          "host": "r275xc9bmd.execute-api.us-east-1.amazonaws.com", "account": "111111111111", "region": "us-east-1",
          "approved": False}],
    ),
    "terraform: a function of Google": (
        terraform("google_cloudfunctions2_function", name="sync", project="corp-project", location="europe-west1",
                  url="https://europe-west1-corp-project.cloudfunctions.net/sync", labels={"team": "data"},
                  service_config=[{"uri": "https://sync-abcdefghij-ew.a.run.app"}]),
        [{"place": "$.resources[0].instances[0]", "owner": "data", "service": service, "resource": "sync", "host": host,
          "account": "corp-project", "region": "europe-west1", "approved": True}
         for service, host in (("g-gcf1", "europe-west1-corp-project.cloudfunctions.net"),
                               ("g-run", "sync-abcdefghij-ew.a.run.app"))],
    ),
    "terraform: a logic app, whose host serves everybody": (
        terraform("azurerm_logic_app_workflow", name="Export", location="westeurope",
                  id=f"{SUBSCRIPTION}/Microsoft.Logic/workflows/Export",
                  access_endpoint=f"https://prod-42.westeurope.logic.azure.com:443/workflows/{WORKFLOW}"),
        [{"place": "$.resources[0].instances[0]", "owner": "", "service": "az-logicapps", "resource": "export",
          "tenant": WORKFLOW, "account": "00000000-0000-0000-0000-000000000000", "region": "westeurope",
          "approved": False}],
    ),
    "terraform: a route of Cloudflare that covers a name and all below it": (
        terraform("cloudflare_workers_route", pattern="*example.net/api/*", script="resize"),
        [{"place": "$.resources[0].instances[0]", "owner": "", "service": "cf-workers", "resource": "resize",
          "host": host, "approved": False} for host in ("example.net", "*.example.net")],
    ),
    "terraform: what is only looked up is not ours": (terraform("aws_lambda_function", "data", function_name="x"), []),
    "aws lambda list-functions": (
        {"Functions": [{"FunctionName": "billing", "FunctionArn": ARN, "Runtime": "python3.13"}]},
        [{"place": "$.Functions[0]", "owner": "", "service": "aws-lambda-url", "resource": "billing",
          "account": "111111111111", "region": "eu-central-1", "approved": False}],
    ),
    "aws lambda list-function-url-configs": (
        {"FunctionUrlConfigs": [{"FunctionUrl": f"https://{URL_HOST}/", "FunctionArn": f"{ARN}:live"}]},
        [{"place": "$.FunctionUrlConfigs[0]", "owner": "", "service": "aws-lambda-url", "resource": "billing",
          "host": URL_HOST, "account": "111111111111", "region": "eu-central-1", "approved": False}],
    ),
    "AWS Config": (
        {"fileVersion": "1.0", "configurationItems": [
            {"resourceType": "AWS::S3::Bucket", "awsRegion": "eu-central-1", "resourceName": "logs"},
            {"resourceType": "AWS::Lambda::Function", "awsRegion": "eu-central-1", "awsAccountId": "111111111111",
             "resourceName": "billing", "tags": {"owner": "Finance"}}]},
        [{"place": "$.configurationItems[1]", "owner": "Finance", "service": "aws-lambda-url", "resource": "billing",
          "account": "111111111111", "region": "eu-central-1", "approved": False}],
    ),
    "AWS Resource Explorer": (
        {"Resources": [{"Arn": ARN, "ResourceType": "lambda:function", "OwningAccountId": "111111111111",
                        "Region": "eu-central-1",
                        "Properties": [{"Name": "tags", "Data": [{"Key": "Team", "Value": "Finance"}]}]}]},
        [{"place": "$.Resources[0]", "owner": "Finance", "service": "aws-lambda-url", "resource": "billing",
          "account": "111111111111", "region": "eu-central-1", "approved": False}],
    ),
    "az functionapp list": (
        [{"id": f"{SUBSCRIPTION}/Microsoft.Web/sites/Corp-App", "name": "Corp-App", "type": "Microsoft.Web/sites",
          "location": "West Europe", "defaultHostName": "corp-app.azurewebsites.net", "tags": None,
          "enabledHostNames": ["corp-app.azurewebsites.net", "jobs.corp.example"]}],
        [{"place": "$[0]", "owner": "", "service": service, "resource": "corp-app", "host": host,
          "account": "00000000-0000-0000-0000-000000000000", "region": "West Europe", "approved": False}
         for service, host in (("az-functions", "corp-app.azurewebsites.net"), ("az-functions", "jobs.corp.example"))],
    ),
    "Azure Resource Graph": (
        {"count": 1, "data": [{"id": f"{SUBSCRIPTION}/Microsoft.Web/sites/a", "name": "corp-app",
                               "location": "westeurope", "type": "microsoft.web/sites", "subscriptionId": "sub-1",
                               "tags": {"owner": "Ops"},
                               "properties": {"defaultHostName": "corp-app.azurewebsites.net"}}]},
        [{"place": "$.data[0]", "owner": "Ops", "service": "az-functions", "resource": "corp-app",
          "host": "corp-app.azurewebsites.net", "account": "sub-1", "region": "westeurope", "approved": False}],
    ),
    "gcloud functions list": (
        [{"name": "projects/corp-project/locations/us-central1/functions/sync", "entryPoint": "main",
          "httpsTrigger": {"url": "https://us-central1-corp-project.cloudfunctions.net/sync"}}],
        [{"place": "$[0]", "owner": "", "service": "g-gcf1", "resource": "sync", "account": "corp-project",
          "host": "us-central1-corp-project.cloudfunctions.net", "region": "us-central1", "approved": False}],
    ),
    "gcloud run services list": (
        [{"apiVersion": "serving.knative.dev/v1", "kind": "Service",
          "metadata": {"name": "api", "namespace": "313373223340",
                       "labels": {"cloud.googleapis.com/location": "us-central1", "owner": "web"},
                       "annotations": {"run.googleapis.com/urls": '["https://api-313373223340.us-central1.run.app"]'}},
          "status": {"url": "https://api-abcdefghij-uc.a.run.app"}}],
        [{"place": "$[0]", "owner": "web", "service": "g-run", "resource": "api", "host": host,
          "account": "313373223340", "region": "us-central1", "approved": False}
         for host in ("api-abcdefghij-uc.a.run.app", "api-313373223340.us-central1.run.app")],
    ),
    "Cloud Asset Inventory": (
        [{"name": "//run.googleapis.com/projects/corp-project/locations/us-central1/services/api",
          "assetType": "run.googleapis.com/Service",
          "resource": {"data": {"status": {"url": "https://api-abcdefghij-uc.a.run.app"},
                                "metadata": {"labels": {"owner": "web"}}}}}],
        [{"place": "$[0]", "owner": "web", "service": "g-run", "resource": "api", "account": "corp-project",
          "host": "api-abcdefghij-uc.a.run.app", "region": "us-central1", "approved": False}],
    ),
    "Cloudflare: scripts": (
        {"success": True, "result": [{"id": "resize", "etag": "x", "handlers": ["fetch"]}]},
        [{"place": "$.result[0]", "owner": "", "service": "cf-workers", "resource": "resize", "approved": False}],
    ),
    "Cloudflare: domains": (
        {"success": True, "result": [{"id": "1", "hostname": "img.corp.example", "service": "resize"}]},
        [{"place": "$.result[0]", "owner": "", "service": "cf-workers", "resource": "resize",
          "host": "img.corp.example", "approved": False}],
    ),
    "Cloudflare: the label of the account": (
        {"success": True, "result": {"subdomain": "corp-edge"}},
        [{"place": "$.result", "owner": "", "service": "cf-workers", "tenant": "corp-edge", "approved": False}],
    ),
    "own entries": (
        [{"host": "a.corp.example", "owner": "Web"}, {"resource": "b"}],
        [{"place": "$[0]", "owner": "Web", "host": "a.corp.example", "approved": True},
         {"place": "$[1]", "owner": "", "resource": "b", "approved": False}],
    ),
    "an empty list": ([], []),
    "an answer without functions": ({"Functions": []}, []),
}  # fmt: skip


@pytest.mark.parametrize("name", ENTRIES)
def test_a_layout_gives_its_entries_with_their_places(name: str, tmp_path: Path) -> None:
    data, expected = ENTRIES[name]
    assert [told(one) for one in listed(tmp_path, data)] == expected


def test_a_layout_fits_nothing_but_its_own_documents() -> None:
    """Each document above is read by one layout; an own list by none."""
    for name, (data, expected) in ENTRIES.items():
        if expected and name != "own entries":
            assert len([one.name for one in LAYOUTS if one.fits(data)]) == 1, name
    assert [one.name for one in LAYOUTS if one.fits(ENTRIES["own entries"][0])] == []


def test_every_entry_points_to_the_bytes_that_name_it(tmp_path: Path) -> None:
    text = "owner,host,approved,expires\n\nWeb,a.corp.example,,2026-12-31\n,b.corp.example,true,\n"
    case = case_with(tmp_path, ["a.csv"], a_csv=text)
    found = open_case(case.path).config.inventory
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert [(one.file, one.place, one.sha256, one.approved) for one in found if isinstance(one, Listed)] == [
        ("a.csv", "line 3", digest, True),
        ("a.csv", "line 4", digest, False),
    ]
    assert found[1].words() == f"in the inventory (a.csv, line 4, SHA-256 {digest[:12]}), no owner named"


def test_who_signs_for_a_whole_file_owns_and_approves_what_names_nobody(tmp_path: Path) -> None:
    functions = {"Functions": [{"FunctionName": "billing", "FunctionArn": ARN}]}
    [only_owned] = listed(tmp_path / "1", functions, [{"file": "a.json", "owner": "Platform"}])
    assert (only_owned.owner, only_owned.approved) == ("Platform", False)
    [signed] = listed(tmp_path / "2", functions, [{"file": "a.json", "owner": "Platform", "approved": True}])
    assert (signed.owner, signed.approved) == ("Platform", True)
    [unsigned] = listed(tmp_path / "3", functions, [{"file": "a.json", "approved": True}])
    assert (unsigned.owner, unsigned.approved) == ("", False)


def test_json_lines_are_read_one_record_a_line(tmp_path: Path) -> None:
    asset = ENTRIES["Cloud Asset Inventory"][0][0]
    for lines in (1, 2):
        case = case_with(tmp_path / str(lines), ["a.json"], a_json=(json.dumps(asset) + "\n") * lines)
        assert len(open_case(case.path).config.inventory) == lines


REFUSED: dict[str, tuple[str, str | bytes, str]] = {
    "no layout": ("a.json", '{"rows": [1]}', "has no layout that is known"),
    "records of another kind": ("a.json", '[{"sku": 1}]', "has no layout that is known"),
    "a misspelt field": ("a.csv", "owner,host,aproved\nWeb,a.example,false\n", "line 2: no such field: aproved"),
    "an entry that names nothing": ("a.yaml", "- {owner: Web}\n", r"\$\[0\], field \(entry\): .*names a resource"),
    "a date that is none": ("a.csv", "host,expires\na.example,soon\n", "line 2, field expires"),
    "too many values": ("a.csv", "host,owner\na,b,c\n", "line 2: 3 values under 2 columns"),
    "a column twice": ("a.csv", "host,host\na,b\n", "every column needs a name of its own"),
    "a name twice": ("a.json", '[{"host": "a.example", "host": "b.example"}]', "'host' stands twice"),
    "an alias": ("a.yaml", "- &a {host: a.example}\n- *a\n", "line 2: an alias"),
    "a cut document": ("a.json", '{"Functions": [', "cannot be read"),
    "depth": ("a.json", "[" * 100_000, "nested too deep"),
    "bytes": ("a.json", b"\xff\xfe[", "cannot be read"),
    "a huge number": ("a.json", '[{"host": "a.example", "owner": ' + "9" * 5000 + "}]", "cannot be read"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_used_is_refused_by_name_with_place_and_reason(name: str, tmp_path: Path) -> None:
    file, text, why = REFUSED[name]
    case = case_with(tmp_path, [file], **{file.replace(".", "_"): text})
    with pytest.raises(CaseError, match=why) as refused:
        open_case(case.path)
    assert file in str(refused.value)


def test_only_files_inside_the_case_are_read(tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text("[]")
    case = case_with(tmp_path, ["../outside.json"])
    with pytest.raises(CaseError, match="outside the folder of the case"):
        open_case(case.path)
    (case.path / "case.yaml").write_text("case_id: T-1\ninventory_files: [link.json]\n")
    (case.path / "link.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(CaseError, match="outside the folder of the case"):
        open_case(case.path)
    (case.path / "case.yaml").write_text("case_id: T-1\ninventory_files: [gone.json]\n")
    with pytest.raises(CaseError, match=r"'gone\.json' is no file"):
        open_case(case.path)


def test_results_follow_the_inventory_file(tmp_path: Path) -> None:
    """The file changes, the case file does not: the next look knows it."""
    flow = {"ts": 1773133200, "uid": "C1", "query": "api.corp.example", "id.orig_h": "10.0.0.1", "qtype_name": "A"}
    (tmp_path / "dns.json").write_text(json.dumps(flow | {"proto": "udp", "id.resp_h": "10.0.0.2"}) + "\n")
    case = case_with(tmp_path, ["a.csv"], a_csv="host,owner\nother.example,Web\n")
    guide.add(case, str(tmp_path / "dns.json"))
    before = guide.enrich(guide.open_case(str(case.path))).data
    assert list(before.ownership) == ["external"]
    (case.path / "a.csv").write_text("host,owner\napi.corp.example,Web\n")
    after = guide.enrich(guide.open_case(str(case.path))).data
    assert list(after.ownership) == ["owned-approved"]
