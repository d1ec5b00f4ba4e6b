"""Who stands behind a record of Google, Cloudflare and GitHub; and that no record upsets it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from playbooks.case_file import Own
from playbooks.knowledge.operations import load_operations
from playbooks.scoping.clouds import Call, Facts, cloud_of, principal_of
from playbooks.scoping.clouds.record_json import json_object

BORROWED = "deploy@shop-1.iam.gserviceaccount.com"
POOL = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/subject/repo:o/r"
KEY = f"//iam.googleapis.com/projects/shop-1/serviceAccounts/{BORROWED}/keys/0a1b"
SCHEDULER = "service-1@gcp-sa-cloudscheduler.iam.gserviceaccount.com"
IMITATION = "service-1@gcp-sa-imitation.iam.gserviceaccount.com"
VIA = f"service account {BORROWED}"


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (("GCP", "user", "dana@example.test", None, None, None), ("dana@example.test", "user", None, True)),
        (("GCP", None, None, None, None, None), (None, None, None, None)),
        (("GCP", "serviceAccount", BORROWED, None, "dana@example.test", "dana@example.test"),
         ("dana@example.test", "user", VIA, True)),
        (("GCP", "serviceAccount", BORROWED, None, POOL, None), ("ci:repo:o/r", "workload identity", VIA, False)),
        (("GCP", "principal", None, POOL, None, None), ("ci:repo:o/r", "workload identity", None, False)),
        (("GCP", "serviceAccount", BORROWED, None, SCHEDULER, None),
         (BORROWED, "service account", f"by {SCHEDULER}", False)),
        (("GCP", "serviceAccount", BORROWED, None, IMITATION, None), (IMITATION, "service account", VIA, False)),
        (("GCP", "serviceAccount", BORROWED, None, KEY, None), (BORROWED, "service account", "key 0a1b", True)),
        (("GCP", "serviceAccount", SCHEDULER, None, None, None), (SCHEDULER, "service agent", None, False)),
        (("Google Workspace", "USER", "dana@example.test", "1", None, "Sheet Helper"),
         ("dana@example.test", "user", "by Sheet Helper", True)),
        (("Google Workspace", "USER", "dana@example.test", "1", "1047", "Sheet Helper"),
         ("1047", "application", "as dana@example.test (domain-wide delegation)", False)),
        (("Cloudflare", "user", "dana@example.test", "0a", None, "deploy"),
         ("dana@example.test", "user", "token deploy", True)),
        (("Cloudflare", "account", "deploy", "0a", None, "deploy"), ("deploy", "account", None, False)),
        (("GitHub", "bot", "renovate", "7", None, "GitHub App"), ("renovate", "bot", "by GitHub App", False)),
    ],
)  # fmt: skip
def test_a_principal_is_who_asked_first(actor: tuple[str | None, ...], expected: tuple[Any, ...]) -> None:
    found = principal_of(*actor, "shop-1")
    assert (found.name, found.kind, found.via, found.is_user) == expected


def call_of(provider: str, service: str, operation: str, request: Any, response: Any = None, **facts: Any) -> Facts:
    known = load_operations().find(provider, service, operation)
    assert known is not None
    own = Own(gcp_projects=["shop-1"], zones=["example.test"])
    held = {"logged_name": None, "logged_uid": None, "failed": False, **facts}
    asked, answered = json_object(request), json_object(response)
    call = Call(known, asked, answered, "shop-1", "europe-west1", detail=None, own=own, **held)
    return cloud_of(provider).facts(call)


FUNCTIONS = "google.cloud.functions.v2.FunctionService."
PUSH = "google.pubsub.v1.Subscriber.CreateSubscription"
SINK = "google.logging.v2.ConfigServiceV2.CreateSink"
RUN = "google.cloud.run.v2.Services.UpdateService"
DELEGATED = "AUTHORIZE_API_CLIENT_ACCESS"


@pytest.mark.parametrize(
    ("provider", "service", "operation", "request_", "exposure"),
    [
        ("GCP", "cloudfunctions.googleapis.com", "SetIamPolicy",
         {"policy": {"bindings": [{"role": "roles/cloudfunctions.invoker", "members": ["allAuthenticatedUsers"]}]}},
         "anyone with a Google account may invoke (allAuthenticatedUsers, roles/cloudfunctions.invoker)"),
        ("GCP", "cloudfunctions.googleapis.com", "SetIamPolicy",
         {"policy": {"bindings": [{"role": "roles/cloudfunctions.invoker", "members": [
             "serviceAccount:x@shop-1.iam.gserviceaccount.com", "user:dana@example.test", f"serviceAccount:{SCHEDULER}"
         ]}]}}, None),
        ("GCP", "cloudfunctions.googleapis.com", "SetIamPolicy",
         {"policy": {"bindings": [
             {"role": "roles/owner", "members": ["serviceAccount:x@far.iam.gserviceaccount.com"]}]}},
         "x@far.iam.gserviceaccount.com, of another project, may act on it"
         " (serviceAccount:x@far.iam.gserviceaccount.com, roles/owner)"),
        ("GCP", "run.googleapis.com", RUN, {"service": {"invokerIamDisabled": True}},
         "it asks no caller for the right to invoke (invoker check off)"),
        ("GCP", "run.googleapis.com", RUN,
         {"service": {"invokerIamDisabled": True, "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY"}}, None),
        ("GCP", "pubsub.googleapis.com", PUSH, {"pushConfig": {"pushEndpoint": "https://far.example.net/x"}},
         "messages are pushed to far.example.net, a host that the case does not list"),
        ("GCP", "pubsub.googleapis.com", PUSH, {"pushConfig": {"pushEndpoint": "https://in.example.test/x"}}, None),
        ("GCP", "logging.googleapis.com", SINK,
         {"sink": {"destination": "pubsub.googleapis.com/projects/far/topics/t"}},
         "log records go to project far, not ours (pubsub.googleapis.com/projects/far/topics/t)"),
        ("Google Workspace", "admin", DELEGATED, {"parameters": [
            {"name": "API_CLIENT_NAME", "value": "1047"}, {"name": "API_SCOPES", "multiValue": ["a/drive", "a/mail"]}]},
         "it may act as any person of the domain: a/drive, a/mail (domain-wide delegation)"),
        ("Google Workspace", "drive", "change_document_visibility script",
         {"parameters": {"doc_title": "Sync", "visibility": "people_with_link"}},
         "anyone with the link may open “Sync” (people_with_link)"),
    ],
)  # fmt: skip
def test_what_a_change_opens(provider: str, service: str, operation: str, request_: Any, exposure: str | None) -> None:
    assert call_of(provider, service, operation, request_).exposure == exposure
    assert call_of(provider, service, operation, request_, failed=True).exposure is None


@pytest.mark.parametrize(
    ("operation", "uid", "request_", "resource"),
    [
        ("CreateFunction", "projects/p/locations/l/functions/sync", {}, "sync"),
        ("CreateFunction", "projects/p/locations/l", {"functionId": "sync"}, "sync"),
        ("UpdateFunction", None, {"function": {"name": "projects/p/locations/l/functions/sync"}}, "sync"),
    ],
)
def test_a_function_is_called_by_its_short_name(operation: str, uid: str | None, request_: Any, resource: str) -> None:
    found = call_of("GCP", "cloudfunctions.googleapis.com", FUNCTIONS + operation, request_, logged_uid=uid)
    assert (found.resource, found.uid) == (resource, uid)


DEEP = "[" * 5000 + "]" * 5000
HOSTILE: list[Any] = [
    *(None, "", "null", "{", DEEP, '{"a":' * 4000 + "1" + "}" * 4000, "[1]", "7", '"\\ud800"'),
    *(json.dumps({key: value}) for key in ("parameters", "policy", "policyDelta", "service", "sink", "enabled", "name")
      for value in (None, 1, True, "\ud800", [None, 1, [[]], {"name": {}, "value": []}], {"bindings": 5, "parts": 3})),
    *(json.dumps({"policy": {"bindings": value}}) for value in ([{"members": [1, None, "x:", ":", {}]}], {"a": 1})),
    json.dumps({"pushConfig": {"pushEndpoint": "https://[::1"}, "pattern": "*", "hostname": "[", "subdomain": []}),
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_record_upsets_it(text: Any) -> None:
    own, value = Own(gcp_projects=["shop-1"], zones=["example.test"]), json_object(text)
    for operation in load_operations().operations:
        if operation.platform in ("gcp", "google_workspace", "cloudflare", "github", "okta"):
            call = Call(operation, value, value, None, None, "\ud800", None, failed=False, detail=None, own=own)
            for one in (call, replace(call, logged_name=None, logged_uid="///"), replace(call, logged_uid="")):
                found = cloud_of(operation.platform).facts(one)
                "".join(filter(None, (found.resource, found.uid, found.exposure, found.endpoint))).encode()
    for provider in ("GCP", "Google Workspace", "Cloudflare", "GitHub", "Okta"):
        principal_of(provider, *([text if isinstance(text, str) else None] * 6))
