"""An intrusion in Microsoft 365 and a quiet twin: the unified audit log as `Search-UnifiedAuditLog` wraps it.

In the intrusion a session of an employee who never made a flow consents to an application, makes one, shares it with
somebody outside, lets a mailbox send its mail on, and switches the audit log off. In the quiet twin makers and an
administrator do the same kinds of things, as they do each day, and nothing leaves the house.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from dataclasses import dataclass
from typing import Any

from tests.scoping.clouds.microsoft_case import BASELINE_DAYS, Story, begins

REGULAR, ADMIN = 0, 2
FLOW, EXCHANGE, PLATFORM, DIRECTORY = "MicrosoftFlow", "Exchange", "PowerPlatform", "AzureActiveDirectory"


@dataclass(frozen=True)
class Person:
    """Who acts, from where."""

    name: str
    address: str
    kind: int = REGULAR


class House:
    """Names and numbers of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.begins = begins(seed)
        self.organization, self.environment = self.number(), f"Default-{self.number()}"
        self.flow, self.made, self.app = self.number(), self.number(), self.number()
        self.maker = Person(f"maker{seed}@example.com", "192.0.2.40")
        self.admin = Person(f"admin{seed}@example.com", "192.0.2.41", ADMIN)
        self.reader = Person(f"Clerk{seed}@example.com", "192.0.2.42")
        self.stolen = Person(self.reader.name, "198.51.100.78")

    def number(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def did(self, day: int, time: str, who: Person, workload: str, operation: str, **facts: Any) -> dict[str, Any]:
        """One record, in the wrapping of the search."""
        hour, minute = map(int, time.split(":"))
        when = self.begins + dt.timedelta(days=day, hours=hour, minutes=minute, seconds=self.random.randrange(60))
        stamp = when.strftime("%Y-%m-%dT%H:%M:%S")
        inner = {
            "CreationTime": stamp,
            "Id": self.number(),
            "Operation": operation,
            "OrganizationId": self.organization,
            "RecordType": 1,
            "ResultStatus": "Success",
            "UserKey": who.name,
            "UserType": who.kind,
            "Version": 1,
            "Workload": workload,
            "ClientIP": who.address,
            "UserId": who.name,
            **facts,
        }
        wrapped = {"RecordType": workload, "CreationDate": stamp, "UserIds": who.name, "Operations": operation}
        return wrapped | {"AuditData": json.dumps(inner)}

    def of_flow(self, flow: str, **facts: Any) -> dict[str, Any]:
        """Facts of a record about a flow."""
        url = f"https://make.powerautomate.com/environments/{self.environment}/flows/{flow}/details"
        return {"FlowDetailsUrl": url, "FlowConnectorNames": "HTTP, Office 365 Outlook", **facts}

    def of_environment(self) -> dict[str, Any]:
        """Facts of a record about the environment."""
        name = "powerplatform.analytics.resource.environment.id"
        return {"PropertyCollection": [{"Name": name, "Value": self.environment}]}

    def of_app(self) -> dict[str, Any]:
        """Facts of a record about an app."""
        name = "powerplatform.analytics.resource.power_app.id"
        return {"PropertyCollection": [{"Name": name, "Value": f"/providers/Microsoft.PowerApps/apps/{self.app}"}]}


def _with(**parameters: str) -> dict[str, Any]:
    return {"Parameters": [{"Name": name, "Value": value} for name, value in parameters.items()]}


def _consent(application: str, scope: str, everybody: bool) -> dict[str, Any]:
    asked = f"[] => [[Id: x, ClientId: y, ConsentType: Principal, Scope: {scope}, CreatedDateTime: ]]; "
    return {
        "ObjectId": "00000000-0000-4000-8000-00000000000a",
        "Target": [{"ID": application, "Type": 1}],
        "ModifiedProperties": [
            {"Name": "ConsentContext.IsAdminConsent", "NewValue": str(everybody), "OldValue": ""},
            {"Name": "ConsentAction.Permissions", "NewValue": asked, "OldValue": ""},
        ],
    }


def _ordinary(house: House, day: int) -> list[dict[str, Any]]:
    """What happens each day; the clerk only reads and opens the app."""
    maker, admin, clerk = house.maker, house.admin, house.reader
    within = {"SharingPermission": "2", "RecipientUPN": "clerks@example.com"}
    rule = _with(Mailbox=maker.name, Name="to the team", ForwardTo="team@example.com")
    return [
        house.did(day, "08:00", clerk, "SharePoint", "SearchQueryPerformed", ObjectId="search"),
        house.did(day, "08:30", clerk, "PowerApps", "LaunchPowerApp", **house.of_app()),
        house.did(day, "09:00", maker, FLOW, "CreateFlow", **house.of_flow(house.flow)),
        house.did(day, "09:10", maker, FLOW, "EditFlow", **house.of_flow(house.flow)),
        house.did(day, "09:20", maker, FLOW, "PutPermissions", **house.of_flow(house.flow, **within)),
        house.did(day, "09:25", maker, "PowerApps", "LaunchPowerApp", **house.of_app()),
        house.did(day, "11:00", maker, EXCHANGE, "New-InboxRule", **rule),
        house.did(day, "13:00", admin, DIRECTORY, "Consent to application.", **_consent("Planner", "User.Read", False)),
        house.did(day, "15:00", admin, PLATFORM, "EnvironmentPropertyChange", **house.of_environment()),
        house.did(day, "19:00", maker, FLOW, "DeleteFlow", **house.of_flow(house.flow)),
    ]


def _usual(house: House) -> list[dict[str, Any]]:
    return [record for day in range(-BASELINE_DAYS, 1) for record in _ordinary(house, day)]


def _story(house: House, records: list[dict[str, Any]], **told: Any) -> Story:
    ordered = sorted(records, key=lambda record: str(record["CreationDate"]))
    return Story({"ual.json": ordered}, house.begins, own="{zones: [example.com]}", **told)


def quiet(seed: int) -> Story:
    """The same days, with one more flow of the same maker in the window."""
    house = House(seed)
    records = _usual(house)
    inside = {"SharingPermission": "3", "RecipientUPN": house.reader.name}
    records += [
        house.did(0, "16:00", house.maker, FLOW, "CreateFlow", **house.of_flow(house.made)),
        house.did(0, "16:10", house.maker, FLOW, "EditFlow", **house.of_flow(house.made)),
        house.did(0, "16:20", house.maker, FLOW, "PutPermissions", **house.of_flow(house.made, **inside)),
    ]
    both = {house.flow, house.made}
    phases = {
        "create": both,
        "modify-code": both,
        "permission": both,
        "trigger": {house.maker.name},
        "invoke": {house.app},
        "defence-evasion": {house.flow},
    }
    return _story(house, records, principal=house.maker.name, attacked=house.made, phases=phases)


def incident(seed: int) -> Story:
    """The intrusion, in one sitting at night."""
    house = House(seed)
    records, who = _usual(house), house.stolen
    abroad = {"SharingPermission": "3", "RecipientUPN": "relay@example.net"}
    rule = _with(Mailbox=who.name, Name=".", ForwardTo="relay@example.net", DeleteMessage="True")
    off = _with(UnifiedAuditLogIngestionEnabled="False")
    records += [
        house.did(0, "01:00", who, "SharePoint", "SearchQueryPerformed", ObjectId="search"),
        house.did(0, "01:05", who, DIRECTORY, "Consent to application.", **_consent("Sync", "Mail.ReadWrite", True)),
        house.did(0, "01:10", who, FLOW, "CreateFlow", **house.of_flow(house.made.upper())),
        house.did(0, "01:12", who, FLOW, "EditFlow", **house.of_flow(house.made)),
        house.did(0, "01:14", who, PLATFORM, "EnvironmentPropertyChange", **house.of_environment()),
        house.did(0, "01:16", who, FLOW, "PutPermissions", **house.of_flow(house.made, **abroad)),
        house.did(0, "01:20", who, EXCHANGE, "New-InboxRule", **rule),
        house.did(0, "01:24", who, "PowerApps", "LaunchPowerApp", **house.of_app()),
        house.did(0, "01:40", who, EXCHANGE, "Set-AdminAuditLogConfig", ObjectId="Admin Audit Log Settings", **off),
    ]
    phases = {
        "discovery": {"search"},
        "identity": {"Sync"},
        "create": {house.made},
        "modify-code": {house.made},
        "modify-config": {house.environment.lower()},
        "permission": {house.made},
        "trigger": {who.name.lower()},
        "invoke": {house.app},
        "defence-evasion": {"Admin Audit Log Settings"},
    }
    return _story(house, records, principal=who.name.lower(), attacked=house.made, phases=phases)
