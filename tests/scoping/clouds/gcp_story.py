"""Google Cloud in its own shape: `LogEntry` with `AuditLog`, long-running operations in two entries.

The pipeline of the house deploys with a federated identity that borrows a service account. In the incident a person
of the house, whose account was taken, borrows the same service account at night.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.scoping.clouds.story import BASELINE_DAYS, HURRY, ORDINARY, Story

PHASES = (
    *("identity", "create", "modify-code", "modify-config", "permission", "trigger", "invoke", "defence-evasion"),
    "discovery",
)
FUNCTIONS = "google.cloud.functions.v2.FunctionService"
PIPELINE_SUBJECT = "repo:example/shop:ref:refs/heads/main"


class GcpStory(Story):
    """Writes entries of one project."""

    def begin(self) -> None:
        self.project = f"shop-{self.number(5)}"
        self.own = {"gcp_projects": [self.project], "zones": ["example.test"]}
        self.account = f"deploy@{self.project}.iam.gserviceaccount.com"
        self.pool = (
            f"principal://iam.googleapis.com/projects/{self.number(12)}/locations/global/workloadIdentityPools/ci"
        )
        self.pipeline = f"ci:{PIPELINE_SUBJECT}"
        self.apps = [f"{name}-{self.number(4)}" for name in ("orders", "mail", "report")]

    def name_of(self, collection: str, name: str) -> str:
        return f"projects/{self.project}/locations/europe-west1/{collection}/{name}"

    def entry(
        self, time: dt.datetime, service: str, method: str, resource: str, person: str | None, data: bool = False,
        **payload: Any,
    ) -> None:  # fmt: skip
        """One entry; without `person` the pipeline acts."""
        first: dict[str, Any] = {"principalSubject": f"{self.pool}/subject/{PIPELINE_SUBJECT}"}
        if person:
            first = {"firstPartyPrincipal": {"principalEmail": person}}
        who = {
            "principalEmail": self.account,
            "principalSubject": f"serviceAccount:{self.account}",
            "serviceAccountDelegationInfo": [first],
        }
        agent = "google-cloud-sdk gcloud/501.0.0" if person else "Terraform/1.9.5 terraform-provider-google/6.2.0"
        address = "203.0.113.77" if person else "192.0.2.20"
        operation = payload.pop("operation", None)
        log = "data_access" if data else "activity"
        entry = {
            "insertId": self.hexadecimal(12),
            "logName": f"projects/{self.project}/logs/cloudaudit.googleapis.com%2F{log}",
            "protoPayload": {
                "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
                "authenticationInfo": payload.pop("who", who),
                "methodName": method,
                "serviceName": f"{service}.googleapis.com",
                "resourceName": resource,
                "requestMetadata": {"callerIp": address, "callerSuppliedUserAgent": agent},
                "resourceLocation": {"currentLocations": ["europe-west1"]},
                "status": {},
                **payload,
            },
            "resource": {"type": "audited_resource", "labels": {"project_id": self.project}},
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "receiveTimestamp": (time + dt.timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "severity": "NOTICE",
        }
        self.records.append({**entry, "operation": operation} if operation else entry)

    def long_running(self, time: dt.datetime, verb: str, app: str, person: str | None, **request: Any) -> None:
        """A start with the request, and an end that names neither caller nor request."""
        resource, id = self.name_of("functions", app), f"operation-{self.hexadecimal(16)}"
        producer = {"id": id, "producer": "cloudfunctions.googleapis.com"}
        asked = {"function": {"name": resource, **request}}
        begun = {**producer, "first": True}
        self.entry(time, "cloudfunctions", f"{FUNCTIONS}.{verb}", resource, person, request=asked, operation=begun)
        answer = {"name": resource, "serviceConfig": {"uri": f"https://{app}-{self.project[-5:]}-ew.a.run.app"}}
        ended = {**producer, "last": True}
        later = time + dt.timedelta(seconds=50)
        method = f"{FUNCTIONS}.{verb}"
        self.entry(later, "cloudfunctions", method, resource, person, who={}, response=answer, operation=ended)

    def release(self, time: dt.datetime, app: str, create: bool = False, person: str | None = None) -> None:
        """All that a release does: each phase once, by the pipeline, or in a hurry by `person`."""
        step = HURRY if person else self.pace
        acting, resource = person or self.pipeline, self.name_of("functions", app)
        service_account = f"projects/-/serviceAccounts/{self.account}"
        self.entry(
            time, "iamcredentials", "GenerateAccessToken", f"projects/-/serviceAccounts/{self.number(21)}", person,
            data=True, request={"name": service_account}, who=self._oneself(person),
        )  # fmt: skip
        listing = f"projects/{self.project}/locations/europe-west1"
        self.entry(time + step, "cloudfunctions", f"{FUNCTIONS}.ListFunctions", listing, person, data=True)
        if create:
            runs_as = {"serviceConfig": {"serviceAccountEmail": self.account}}
            self.long_running(time + 2 * step, "CreateFunction", app, person, **runs_as)
        self.long_running(time + 4 * step, "UpdateFunction", app, person)
        enabled = f"projects/{self.project}/services/cloudscheduler.googleapis.com"
        enable = "google.api.serviceusage.v1.ServiceUsage.EnableService"
        self.entry(time + 5 * step, "serviceusage", enable, enabled, person)
        member = "allUsers" if person else f"serviceAccount:{self.account}"
        self.entry(
            time + 6 * step, "run", "google.cloud.run.v1.Services.SetIamPolicy", self.name_of("services", app),
            person,
            request={"policy": {"bindings": [{"role": "roles/run.invoker", "members": [member]}]}},
            serviceData={"policyDelta": {"bindingDeltas": [
                {"action": "ADD", "role": "roles/run.invoker", "member": member}]}},
        )  # fmt: skip
        target = {"httpTarget": {"uri": f"https://{app}-{self.project[-5:]}-ew.a.run.app/"}, "schedule": "*/5 * * * *"}
        self.entry(
            time + 7 * step, "cloudscheduler", "google.cloud.scheduler.v1.CloudScheduler.UpdateJob",
            self.name_of("jobs", app), person, request={"job": target},
        )  # fmt: skip
        call = "google.cloud.functions.v1.CloudFunctionsService.CallFunction"
        self.entry(time + 8 * step, "cloudfunctions", call, resource, person, data=True)
        sink = f"projects/{self.project}/sinks/{'all' if person else app}"
        ending = "google.logging.v2.ConfigServiceV2.DeleteSink"
        if not person:
            ending = "google.logging.v2.ConfigServiceV2.UpdateSink"
        self.entry(time + 9 * step, "logging", ending, sink, person)
        self.told += [
            ("identity", acting, self.account),
            ("discovery", acting, "europe-west1"),
            *([("create", acting, app)] if create else []),
            *((phase, acting, app) for phase in ("modify-code", "permission", "trigger", "invoke")),
            ("modify-config", acting, "cloudscheduler.googleapis.com"),
            ("defence-evasion", acting, "all" if person else app),
        ]

    def _oneself(self, person: str | None) -> dict[str, Any]:
        """Who asks for the token of a service account is not yet borrowing it."""
        if person:
            return {"principalEmail": person, "principalSubject": f"user:{person}"}
        return {"principalSubject": f"{self.pool}/subject/{PIPELINE_SUBJECT}"}


def gcp_story(seed: int, incident: bool, pace: dt.timedelta = ORDINARY) -> GcpStory:
    """Ordinary releases of nine days, then two days with one more release or with the incident."""
    story = GcpStory(seed, pace=pace)
    story.begin()
    for place, time in enumerate(story.working_hours(range(BASELINE_DAYS), 2)):
        story.release(time, story.apps[place % 3], create=place < 3)
    story.told.clear()
    for place, time in enumerate(story.working_hours(story.of_the_window(), 1)):
        story.release(time, story.apps[place % 3])
    new = f"sync-{story.number(4)}"
    if incident:
        story.attacked = new
        story.release(story.night(), new, create=True, person="dana@example.test")
    else:
        [time] = story.working_hours([BASELINE_DAYS], 1)
        story.release(time, new, create=True)
    return story
