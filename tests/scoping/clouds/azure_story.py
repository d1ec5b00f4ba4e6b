"""An intrusion in Azure and a quiet twin of it: the Activity log and the Entra audit log as exports give them.

In the intrusion a stolen session of an employee, who only ever looked, makes a function app of its own that anybody
may call, lets events of the house flow to it, runs it and removes the settings that would have told. In the quiet
twin the pipeline, the platform's managed identity and an operator do the same kinds of things, as they do each day.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from dataclasses import dataclass
from typing import Any

from tests.scoping.clouds.microsoft_case import BASELINE_DAYS, Story, begins

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
WEB = "Microsoft.Web/sites"
RIGHTS = "Microsoft.Authorization/roleAssignments/write"
RUN = "Microsoft.Logic/workflows/triggers/run/action"
PORTAL = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"


@dataclass(frozen=True)
class Caller:
    """Who acts, from where; `identity_of` is the resource whose managed identity asks."""

    uid: str
    address: str
    name: str | None = None
    app: str = PORTAL
    identity_of: str | None = None

    @property
    def claims(self) -> dict[str, str]:
        said = {"appid": self.app, OBJECT_ID: self.uid, "idtyp": "user" if self.name else "app"}
        if self.name:
            said[f"{CLAIMS}/upn"] = self.name
        if self.identity_of:
            said["xms_mirid"] = self.identity_of
        return said


class House:
    """Names and numbers of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.begins = begins(seed)
        word = self.random.choice(["orders", "claims", "ledger", "stock"])
        self.subscription, self.tenant = self.number(), self.number()
        self.group = f"/subscriptions/{self.subscription}/resourceGroups/rg-{word}"
        self.web = f"{self.group}/providers/Microsoft.Web"
        self.app, self.made = f"Fn-{word}-{seed}", f"fn-{word}-sync{seed}"
        self.ci = Caller(self.number(), "192.0.2.10", app=self.number())
        platform = f"{self.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-{word}"
        self.platform = Caller(self.number(), "192.0.2.11", app=self.number(), identity_of=platform)
        self.operator = Caller(self.number(), "192.0.2.20", f"ops{seed}@example.com")
        who, place = f"Reader{seed}@example.com", "198.51.100.77"
        self.reader = Caller(self.number(), "192.0.2.30", who)
        self.stolen = Caller(self.reader.uid, place, who)

    def number(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def at(self, day: int, time: str) -> dt.datetime:
        """`time` on a day counted from the window's; the minutes differ a little."""
        hour, minute = map(int, time.split(":"))
        return self.begins + dt.timedelta(days=day, hours=hour, minutes=minute, seconds=self.random.randrange(60))

    def did(
        self, when: dt.datetime, who: Caller, action: str, resource: str, body: Any = None, answer: Any = None
    ) -> list[dict[str, Any]]:
        """Start and Success of one operation."""
        correlation = self.number()
        properties = {"eventCategory": "Administrative", "entity": resource, "message": action}
        asked = properties | ({"requestbody": json.dumps(body)} if body else {})
        told = properties | {"statusCode": "OK"} | ({"responseBody": json.dumps(answer)} if answer else {})
        evidence = {
            "role": "Contributor",
            "principalId": who.uid,
            "principalType": "User" if who.name else "ServicePrincipal",
        }
        begin = {
            "time": _stamp(when),
            "resourceId": resource.upper(),
            "operationName": action.upper(),
            "category": "Administrative",
            "resultType": "Start",
            "resultSignature": "Started.",
            "durationMs": 0,
            "callerIpAddress": who.address,
            "correlationId": correlation,
            "identity": {
                "authorization": {"scope": resource, "action": action, "evidence": evidence},
                "claims": who.claims,
            },
            "level": "Information",
            "location": "global",
            "tenantId": self.tenant,
            "properties": asked,
        }
        end = {
            "time": _stamp(when + dt.timedelta(seconds=4)),
            "resultType": "Success",
            "resultSignature": "Succeeded.OK",
        }
        return [begin, begin | end | {"properties": told}]

    def acts(self, day: int, who: Caller, *rows: tuple[Any, ...]) -> list[dict[str, Any]]:
        """What one caller did on a day: time, operation, resource, and the bodies of request and answer."""
        return [one for time, action, *rest in rows for one in self.did(self.at(day, time), who, action, *rest)]

    def directory(self, when: dt.datetime, who: Caller, activity: str, app: str) -> dict[str, Any]:
        """A change of an application in the Entra audit log."""
        target = {
            "id": self.number(),
            "displayName": app,
            "type": "ServicePrincipal",
            "modifiedProperties": [{"displayName": "KeyDescription", "oldValue": "[]", "newValue": '["new key"]'}],
        }
        return {
            "time": _stamp(when),
            "resourceId": f"/tenants/{self.tenant}/providers/Microsoft.aadiam",
            "operationName": activity,
            "category": "AuditLogs",
            "tenantId": self.tenant,
            "callerIpAddress": who.address,
            "properties": {
                "id": self.number(),
                "activityDisplayName": activity,
                "activityDateTime": _stamp(when),
                "loggedByService": "Core Directory",
                "result": "success",
                "initiatedBy": {"user": {"id": who.uid, "userPrincipalName": who.name, "ipAddress": who.address}},
                "targetResources": [target],
            },
        }


def _stamp(when: dt.datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.0000000Z")


def _function(auth: str) -> dict[str, Any]:
    binding = {"type": "httpTrigger", "direction": "in", "authLevel": auth, "methods": ["post"]}
    return {"properties": {"config": {"bindings": [binding]}}}


def _ordinary(house: House, day: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What happens each day: a deployment at noon, rights in the morning, a clean-up at night."""
    site, ci = f"{house.web}/sites/{house.app}", house.ci
    flow = f"{house.group}/providers/Microsoft.Logic/workflows/la-daily"
    right = f"{site}/providers/Microsoft.Authorization/roleAssignments/{house.number()}"
    granted = {"properties": {"principalId": house.platform.uid, "principalType": "ServicePrincipal"}}
    host = f"{site}/host/default"
    key = f"{site}/functions/Book/keys/shop"
    acts = house.acts(
        day,
        ci,
        ("06:05", RIGHTS, right, granted),
        ("12:00", f"{WEB}/write", site, {"kind": "functionapp"}),
        ("12:03", f"{WEB}/functions/write", f"{site}/functions/Book", _function("function")),
        ("12:04", f"{WEB}/config/write", f"{site}/config/appsettings"),
        ("12:05", f"{WEB}/functions/keys/write", key),
        ("12:06", f"{WEB}/syncfunctiontriggers/action", site),
        ("12:07", f"{WEB}/hostruntime/host/action", f"{site}/hostruntime/host"),
        ("22:00", f"{WEB}/functions/delete", f"{site}/functions/Old"),
    )
    acts += house.acts(day, house.operator, ("09:30", f"{WEB}/host/listsyncstatus/action", host))
    acts += house.acts(day, house.reader, ("09:40", f"{WEB}/host/listsyncstatus/action", host))
    acts += house.acts(day, house.platform, ("15:00", RUN, f"{flow}/triggers/daily"))
    people = [house.directory(house.at(day, "10:00"), house.operator, "Add service principal credentials", "Shop API")]
    return acts, people


def _usual(house: House, days: range) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    acts: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    for day in days:
        done, changed = _ordinary(house, day)
        acts += done
        people += changed
    return acts, people


def _story(house: House, acts: list[dict[str, Any]], people: list[dict[str, Any]], **told: Any) -> Story:
    ordered = sorted(acts, key=lambda record: str(record["time"]))
    files = {"activity.json": ordered, "entra_audit.json": people}
    own = f"{{azure_tenants: [{house.tenant}], zones: [example.com]}}"
    return Story(files, house.begins, own=own, **told)


def quiet(seed: int) -> Story:
    """The same days, with a first release of one more function in the window; the pipeline did all of it before."""
    house = House(seed)
    acts, people = _usual(house, range(-BASELINE_DAYS, 1))
    made = f"{house.web}/sites/{house.made}"
    acts += house.acts(
        0,
        house.ci,
        ("14:00", f"{WEB}/write", made, {"kind": "functionapp"}),
        ("14:02", f"{WEB}/functions/write", f"{made}/functions/Run", _function("function")),
        ("14:03", f"{WEB}/syncfunctiontriggers/action", made),
    )
    app, fn, new = house.app.lower(), f"{house.app}/book".lower(), house.made.lower()
    phases = {
        "create": {app, new},
        "modify-code": {fn, f"{new}/run"},
        "modify-config": {app},
        "permission": {fn},
        "trigger": {app, new},
        "invoke": {app},
        "defence-evasion": {f"{app}/old"},
    }
    return _story(house, acts, people, principal=house.ci.uid, attacked=new, phases=phases)


def incident(seed: int) -> Story:
    """The intrusion, in one sitting at night."""
    house = House(seed)
    acts, people = _usual(house, range(-BASELINE_DAYS, 1))
    made, who = f"{house.web}/sites/{house.made}", house.stolen
    topic = f"{house.group}/providers/Microsoft.EventGrid/systemTopics/files/eventSubscriptions/copy"
    abroad = {"properties": {"destination": {"properties": {"endpointUrl": "https://drop.example.net/in"}}}}
    settings = f"{house.web}/sites/{house.app}/providers/Microsoft.Insights/diagnosticSettings/to-siem"
    right = f"{made}/providers/Microsoft.Authorization/roleAssignments/{house.number()}"
    host = {"properties": {"defaultHostName": f"{house.made}.azurewebsites.net"}}
    people.append(house.directory(house.at(0, "02:01"), who, "Add service principal credentials", "Shop API"))
    publishing = "basicPublishingCredentialsPolicies/scm"
    acts += house.acts(
        0,
        who,
        ("02:00", f"{WEB}/listsyncfunctiontriggerstatus/action", made),
        ("02:03", RIGHTS, right),
        ("02:05", f"{WEB}/write", made, {"kind": "functionapp"}, host),
        ("02:08", f"{WEB}/functions/write", f"{made}/functions/Relay", _function("anonymous")),
        ("02:10", f"{WEB}/config/write", f"{made}/config/appsettings"),
        ("02:12", f"{WEB}/{publishing}/write", f"{made}/{publishing}", {"properties": {"allow": True}}),
        ("02:14", "Microsoft.EventGrid/systemTopics/eventSubscriptions/write", topic, abroad),
        ("02:20", f"{WEB}/hostruntime/host/action", f"{made}/hostruntime/host"),
        ("02:30", "Microsoft.Insights/diagnosticSettings/delete", settings),
    )
    app, fn = house.made.lower(), f"{house.made}/relay".lower()
    phases = {
        "discovery": {house.app.lower(), app},  # the first by the person, in the morning
        "identity": {"Shop API", right.rsplit("/", 1)[-1]},
        "create": {app},
        "modify-code": {fn},
        "modify-config": {app},
        "permission": {app},
        "trigger": {"files/copy"},
        "invoke": {app},
        "defence-evasion": {"to-siem"},
    }
    return _story(house, acts, people, principal=str(who.name).lower(), attacked=fn, phases=phases)
