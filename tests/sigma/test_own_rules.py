"""The kit's own rules: each fits what it is made for, and not the near miss beside it."""

from __future__ import annotations

import re
import uuid
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.sigma.sigma_case import case_of, cloudtrail, ran

from playbooks.sigma import SigmaRun

FOLDER = Path(str(resources.files("playbooks.knowledge").joinpath("sigma_rules")))
RULES = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.yml"))}
LOGS = Path(__file__).resolve().parents[3] / "shared" / "logs"
AT = "2026-03-10T09:00:00Z"
OWN, OTHER = "111122223333", "444455556666"


def call(service: str, name: str, second: int = 0, **fields: Any) -> dict[str, Any]:
    return cloudtrail(second, eventSource=f"{service}.amazonaws.com", eventName=name, **fields)


def asked(service: str, name: str, **request: Any) -> dict[str, Any]:
    return call(service, name, requestParameters=request)


def azure(operation: str) -> dict[str, Any]:
    where = "/SUBSCRIPTIONS/S-1/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.WEB/SITES/PAY"
    return {
        "time": AT,
        "operationName": operation,
        "resourceId": where,
        "callerIpAddress": "192.0.2.10",
        "resultType": "Success",
    }


def gcp(method: str, service: str = "run.googleapis.com", **payload: Any) -> dict[str, Any]:
    said = {
        "methodName": method,
        "serviceName": service,
        "resourceName": "projects/shop/x",
        "authenticationInfo": {"principalEmail": "dana@example.test"},
    }
    return {
        "protoPayload": said | payload,
        "insertId": "i",
        "logName": "projects/shop/logs/x",
        "timestamp": AT,
        "resource": {"type": "x", "labels": {"project_id": "shop"}},
    }


def bound(member: str) -> dict[str, Any]:
    return {
        "request": {"policy": {"bindings": [{"role": "roles/run.invoker", "members": ["user:a@example.test", member]}]}}
    }


def worker(method: str, uri: str) -> dict[str, Any]:
    return {
        "AccountID": "a",
        "ActionResult": "success",
        "ActionTimestamp": AT,
        "ActionType": "update",
        "ActorEmail": "dana@example.test",
        "AuditLogID": "i",
        "Raw": {"method": method, "uri": uri, "status_code": 200},
        "ResourceProduct": "workers",
        "ResourceType": "script",
    }


def office(workload: str, operation: str) -> dict[str, Any]:
    return {
        "CreationTime": "2026-03-10T09:00:00",
        "Operation": operation,
        "RecordType": 30,
        "Workload": workload,
        "UserId": "dana@example.test",
    }


def token(scope: str, name: str = "authorize") -> dict[str, Any]:
    listed = [{"name": "app_name", "value": "Sheet Helper"}, {"name": "scope", "multiValue": ["openid", scope]}]
    return {
        "id": {"time": AT, "applicationName": "token", "uniqueQualifier": "1", "customerId": "C1"},
        "actor": {"email": "dana@example.test"},
        "events": [{"type": "auth", "name": name, "parameters": listed}],
    }


CODE, NEW_URL, CHANGED_URL = "UpdateFunctionCode20150331v2", "CreateFunctionUrlConfig", "UpdateFunctionUrlConfig"
GRANT = "AddPermission20150331v2"
WORKER = "/accounts/a/workers/scripts/relay"
SCRIPT = "https://www.googleapis.com/auth/script.external_request"
DENIED = {"errorCode": "AccessDenied"}


def codes(count: int) -> list[dict[str, Any]]:
    return [call("lambda", CODE, s, requestParameters={"functionName": f"f{s}"}) for s in range(count)]


Records = list[dict[str, Any]]
CASES: dict[str, tuple[Records, Records]] = {
    "aws_lambda_url_open_to_everyone": (
        [asked("lambda", NEW_URL, authType="NONE"), asked("lambda", CHANGED_URL, authType="NONE")],
        [
            asked("lambda", NEW_URL, authType="AWS_IAM"),
            call("lambda", NEW_URL, requestParameters={"authType": "NONE"}, **DENIED),
        ],
    ),
    "aws_lambda_permission_for_everyone": (
        [asked("lambda", GRANT, principal="*", action="lambda:InvokeFunction")],
        [
            asked("lambda", GRANT, principal="sns.amazonaws.com", sourceArn="arn:aws:sns:eu-central-1:1:t"),
            asked("lambda", GRANT, principal="*", principalOrgID="o-1"),
            asked("sns", "AddPermission", principal="*"),
            asked("lambda", GRANT, principal=f"arn:aws:iam::{OTHER}:root"),
        ],
    ),
    "aws_lambda_permission_for_another_account": (
        [asked("lambda", GRANT, principal=OTHER), asked("lambda", GRANT, principal=f"arn:aws:iam::{OTHER}:role/x")],
        [
            asked("lambda", GRANT, principal=OWN),
            asked("lambda", GRANT, principal=f"arn:aws:iam::{OWN}:role/x"),
            asked("lambda", GRANT, principal="events.amazonaws.com"),
            asked("lambda", GRANT, principal="*"),
        ],
    ),
    "aws_lambda_event_source_mapping": (
        [call("lambda", "CreateEventSourceMapping20150331")],
        [call("lambda", "ListEventSourceMappings20150331")],
    ),
    "aws_scheduler_schedule": ([call("scheduler", "CreateSchedule")], [call("scheduler", "CreateSchedule", **DENIED)]),
    "aws_eventbridge_target_function": (
        [
            asked(
                "events", "PutTargets", targets=[{"arn": "arn:aws:sqs:x:1:q"}, {"arn": "arn:aws:lambda:x:1:function:f"}]
            )
        ],
        [asked("events", "PutTargets", targets=[{"arn": "arn:aws:sqs:x:1:q"}])],
    ),
    "aws_eventbridge_api_destination": (
        [call("events", "CreateApiDestination")],
        [call("events", "ListApiDestinations")],
    ),
    "aws_stepfunctions_state_machine": ([call("states", "UpdateStateMachine")], [call("states", "StartExecution")]),
    "aws_cloudfront_function": (
        [call("cloudfront", "PublishFunction2020_05_31")],
        [call("cloudfront", "DescribeFunction2020_05_31")],
    ),
    "aws_lambda_role_trust": (
        [
            asked("iam", "CreateRole", assumeRolePolicyDocument='{"Service":"lambda.amazonaws.com"}'),
            asked("iam", "UpdateAssumeRolePolicy", policyDocument='{"Service":"lambda.amazonaws.com"}'),
        ],
        [asked("iam", "CreateRole", assumeRolePolicyDocument='{"Service":"ec2.amazonaws.com"}')],
    ),
    "aws_lambda_code_of_many_functions": (codes(5), codes(4)),
    "aws_lambda_code_then_url": (
        [
            call("lambda", CODE, 1, requestParameters={"functionName": "f"}),
            call("lambda", NEW_URL, 9, requestParameters={"functionName": "f"}),
        ],
        [
            call("lambda", NEW_URL, 1, requestParameters={"functionName": "f"}),
            call("lambda", CODE, 9, requestParameters={"functionName": "f"}),
            call("lambda", NEW_URL, 20, requestParameters={"functionName": "another"}),
        ],
    ),
    "azure_function_keys_listed": (
        [azure("MICROSOFT.WEB/SITES/HOST/LISTKEYS/ACTION"), azure("Microsoft.Web/sites/functions/listKeys/action")],
        [azure("MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTKEYS/ACTION")],
    ),
    "azure_function_publishing_profile": (
        [azure("MICROSOFT.WEB/SITES/PUBLISHXML/ACTION")],
        [azure("MICROSOFT.WEB/SITES/RESTART/ACTION")],
    ),
    "azure_function_written": (
        [azure("MICROSOFT.WEB/SITES/FUNCTIONS/WRITE"), azure("MICROSOFT.WEB/SITES/EXTENSIONS/WRITE")],
        [azure("MICROSOFT.WEB/SITES/FUNCTIONS/DELETE")],
    ),
    "azure_function_basic_publishing_allowed": (
        [azure("MICROSOFT.WEB/SITES/BASICPUBLISHINGCREDENTIALSPOLICIES/WRITE")],
        [azure("MICROSOFT.WEB/SITES/BASICPUBLISHINGCREDENTIALSPOLICIES/READ")],
    ),
    "azure_logic_app_written": (
        [azure("MICROSOFT.LOGIC/WORKFLOWS/WRITE")],
        [azure("MICROSOFT.LOGIC/WORKFLOWS/DELETE")],
    ),
    "azure_logic_app_callback_listed": (
        [azure("MICROSOFT.LOGIC/WORKFLOWS/TRIGGERS/LISTCALLBACKURL/ACTION")],
        [azure("MICROSOFT.LOGIC/WORKFLOWS/TRIGGERS/RUN/ACTION")],
    ),
    "azure_container_app_job": ([azure("MICROSOFT.APP/JOBS/START/ACTION")], [azure("MICROSOFT.APP/JOBS/STOP/ACTION")]),
    "gcp_function_open_to_everyone": (
        [
            gcp("google.cloud.run.v1.Services.SetIamPolicy", **bound("allUsers")),
            gcp(
                "google.cloud.functions.v1.CloudFunctionsService.SetIamPolicy",
                "cloudfunctions.googleapis.com",
                serviceData={"policyDelta": {"bindingDeltas": [{"action": "ADD", "member": "allUsers", "role": "r"}]}},
            ),
        ],
        [
            gcp("google.cloud.run.v1.Services.SetIamPolicy", **bound("user:b@example.test")),
            gcp("storage.setIamPermissions", "storage.googleapis.com", **bound("allUsers")),
        ],
    ),
    "gcp_run_job": ([gcp("google.cloud.run.v1.Jobs.RunJob")], [gcp("google.cloud.run.v1.Jobs.GetJob")]),
    "gcp_function_written": (
        [gcp("google.cloud.functions.v2.FunctionService.CreateFunction", "cloudfunctions.googleapis.com")],
        [gcp("google.cloud.functions.v2.FunctionService.ListFunctions", "cloudfunctions.googleapis.com")],
    ),
    "gcp_scheduler_or_workflow": (
        [gcp("google.cloud.scheduler.v1.CloudScheduler.CreateJob", "cloudscheduler.googleapis.com")],
        [gcp("google.cloud.scheduler.v1.CloudScheduler.ListJobs", "cloudscheduler.googleapis.com")],
    ),
    "cloudflare_worker_uploaded": (
        [worker("PUT", f"{WORKER}?include_subdomain_availability=true"), worker("PUT", f"{WORKER}/content")],
        [worker("GET", WORKER), worker("PUT", f"{WORKER}/secrets")],
    ),
    "cloudflare_worker_secret": ([worker("PUT", f"{WORKER}/secrets")], [worker("GET", f"{WORKER}/secrets")]),
    "cloudflare_worker_route": (
        [worker("POST", "/zones/z/workers/routes"), worker("PUT", "/accounts/a/workers/domains")],
        [worker("GET", "/zones/z/workers/routes"), worker("POST", "/zones/z/dns_records")],
    ),
    "cloudflare_worker_public": ([worker("POST", f"{WORKER}/subdomain")], [worker("GET", f"{WORKER}/subdomain")]),
    "m365_power_automate_flow": (
        [office("MicrosoftFlow", "CreateFlow"), office("MicrosoftFlow", "EditFlow")],
        [office("MicrosoftFlow", "DeleteFlow"), office("Exchange", "CreateFlow")],
    ),
    "m365_power_automate_connection": (
        [office("PowerPlatform", "PutConnection")],
        [office("PowerPlatform", "DeleteConnection")],
    ),
    "workspace_apps_script_authorised": (
        [token(SCRIPT)],
        [token("https://www.googleapis.com/auth/calendar"), token(SCRIPT, "revoke")],
    ),
}
COUNTED_ONLY = {"aws_lambda_code_updated", "aws_lambda_url_opened"}  # correlation rules list what they count


def fits(run: SigmaRun, name: str) -> list[str]:
    rows = run.matches[run.matches.path == f"kit/{name}.yml"]
    return [ref for row in rows.itertuples() for ref in (row.ref, *row.refs)]


def test_every_own_rule_is_tried_here() -> None:
    assert set(CASES) | COUNTED_ONLY == set(RULES)
    assert len(RULES) >= 20


@pytest.mark.parametrize("name", CASES)
def test_an_own_rule_fits_what_it_is_made_for_and_not_the_near_miss(name: str, tmp_path: Path) -> None:
    good, bad = CASES[name]
    for folder, records, wanted in (("good", good, len(good)), ("bad", bad, 0)):
        (tmp_path / folder).mkdir()
        run = ran(case_of(tmp_path / folder, records, {}))
        [outcome] = [one for one in run.outcomes if one.path == f"kit/{name}.yml"]
        assert outcome.status == ("matched" if wanted else "clear"), outcome
        assert len(fits(run, name)) == wanted


@pytest.mark.parametrize("name", RULES)
def test_an_own_rule_says_all_that_its_reader_needs(name: str) -> None:
    stated = RULES[name]
    assert uuid.UUID(stated["id"])
    assert stated["author"] == "Serverless C2 playbook kit"
    assert len(stated["description"]) > 40 and stated["falsepositives"]
    assert all(reference.startswith("https://") for reference in stated["references"]) and stated["references"]
    assert any(re.fullmatch(r"attack\.t\d{4}(\.\d{3})?", tag) for tag in stated["tags"])
    assert (stated["status"], stated["level"] in ("informational", "low", "medium", "high")) == ("experimental", True)
    assert ("logsource" in stated) != ("correlation" in stated)


def test_own_rules_have_ids_and_titles_of_their_own() -> None:
    assert len({stated["id"] for stated in RULES.values()}) == len(RULES)
    assert len({stated["title"] for stated in RULES.values()}) == len(RULES)


@pytest.mark.skipif(not LOGS.is_dir(), reason="the real logs are not beside this repository")
def test_a_function_that_a_real_exercise_opened_to_everybody_is_matched(tmp_path: Path) -> None:
    from playbooks import evidence
    from playbooks.case import new_case
    from playbooks.normalise import normalise

    case = new_case(tmp_path / "case", "REAL")
    folder = LOGS / "stratus" / "cloudtrail_detonations"
    evidence.add(
        case, [folder / f"aws.persistence.lambda-{what}.json" for what in ("backdoor-function", "overwrite-code")]
    )
    normalise(case)
    run = ran(case)
    assert len(fits(run, "aws_lambda_permission_for_everyone")) == 1
    counts = {one.path: one.matches for one in run.outcomes}
    assert counts["kit/aws_lambda_code_updated.yml"] == 1
