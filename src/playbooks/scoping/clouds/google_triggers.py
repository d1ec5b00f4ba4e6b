"""What a change in Google Cloud lets start a function or its like, when, and which resources it names for that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from playbooks.scoping.clouds.cloud import Call, Target
from playbooks.scoping.clouds.google_exposure import PUSH_PATHS, TARGET_PATHS, host_of
from playbooks.scoping.clouds.record_json import objects_at, text_at, texts_at

KINDS = {"functions": "function", "services": "service", "jobs": "job", "workflows": "workflow"}
FULL_NAME = re.compile(
    r"projects/([a-z0-9:.-]+)/locations/([a-z0-9-]+)/(functions|services|jobs|workflows)/([A-Za-z0-9_-]+)"
)
# Addresses that tell project, place and name: of a function, and of a job of Cloud Run in its first API.
FUNCTION_URL = re.compile(r"https://([a-z]+-[a-z]+[0-9]+)-([a-z0-9-]+)\.cloudfunctions\.net/([A-Za-z0-9_-]+)")
JOB_URL = re.compile(
    r"https://([a-z0-9-]+)-run\.googleapis\.com/[a-z0-9./]+/namespaces/([a-z0-9:.-]+)/jobs/([A-Za-z0-9_-]+)"
)
LOCATION = re.compile(r"(?:^|/)locations/([a-z0-9-]+)")
SCHEDULE_PATHS = ("job.schedule", "schedule")
FILTER_PATHS = ("trigger.eventFilters", "trigger.event_filters")
EVENT_PATHS = ("eventTrigger.eventType", "function.eventTrigger.eventType")
HTTP_PATHS = ("httpsTrigger", "function.httpsTrigger")
MAX_TOUCHED = 20


def target_of(uid: str) -> Target | None:
    """The resource of a full name that `touched_by` gives."""
    found = FULL_NAME.fullmatch(uid)
    return Target(KINDS[found[3]], found[4], found[1], found[2]) if found else None


def place_of(region: str | None, uid: str | None) -> str | None:
    """The location in a resource's name, else the region that the record tells."""
    found = LOCATION.search(uid) if uid else None
    return found[1] if found and found[1] != "-" else region


def touched_by(call: Call) -> tuple[str, ...]:
    """Full names, and hosts, of what a trigger's request names; sorted."""
    if call.operation.phase != "trigger":
        return ()
    text = json.dumps(call.request)
    found = {match[0] for match in FULL_NAME.finditer(text)}
    found |= {f"projects/{m[2]}/locations/{m[1]}/functions/{m[3]}" for m in FUNCTION_URL.finditer(text)}
    found |= {f"projects/{m[2]}/locations/{m[1]}/jobs/{m[3]}" for m in JOB_URL.finditer(text)}
    found |= set(_of_cloud_run(call))
    urls = (one for path in (*PUSH_PATHS, *TARGET_PATHS) for one in texts_at(call.request, path))
    found |= {f"https://{host}" for host in map(host_of, urls) if host and host.endswith(".run.app")}
    return tuple(sorted(found)[:MAX_TOUCHED])


def _of_cloud_run(call: Call) -> Iterator[str]:
    """A service that an Eventarc trigger names by itself, without its project."""
    for one in objects_at(call.request, "trigger.destination.cloudRun"):
        name, region = text_at(one, "service"), text_at(one, "region")
        if name and region and call.account:
            yield f"projects/{call.account}/locations/{region}/services/{name}"


def triggers_of(call: Call) -> tuple[str, ...]:
    """Kinds of triggers that a request sets, sorted."""
    kinds = {f"event {one}" for path in EVENT_PATHS for one in texts_at(call.request, path)}
    for one in (held for path in FILTER_PATHS for held in objects_at(call.request, path)):
        if text_at(one, "attribute") == "type":
            kinds.add(f"event {text_at(one, 'value')}")
    kinds |= {"http" for path in HTTP_PATHS if objects_at(call.request, path)}
    if call.operation.phase == "trigger" and not kinds:
        kinds = {"schedule" if schedule_of(call) else str(call.operation.resource_type)}
    return tuple(sorted(kinds))


def schedule_of(call: Call) -> str | None:
    """The cron expression of a job of Cloud Scheduler."""
    scheduler = call.operation.service.startswith("cloudscheduler")
    return text_at(call.request, *SCHEDULE_PATHS) if scheduler else None
