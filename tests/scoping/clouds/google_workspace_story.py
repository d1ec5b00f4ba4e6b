"""Google Workspace in the shape of the Reports API: activities with events, parameters as a list of names.

Apps Script has no report of its own: its projects are files of Drive of the type `script`, its rights stand in the
report of tokens. Triggers, deployments and runs are logged nowhere here, and no record of them is made up.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.scoping.clouds.story import BASELINE_DAYS, HURRY, ORDINARY, Story

PHASES = (
    *("identity", "create", "modify-code", "modify-config", "permission", "invoke", "defence-evasion", "discovery"),
)
UNLOGGED = ("trigger",)  # of every platform's phases
OWNERS = ("avery@example.test", "blake@example.test")
SCOPES = ["https://www.googleapis.com/auth/script.external_request", "https://mail.google.com/"]


class WorkspaceStory(Story):
    """Writes activities of one customer."""

    def begin(self) -> None:
        self.customer = f"C0{self.hexadecimal(7)}"
        self.own = {"zones": ["example.test"]}
        self.client = f"{self.number(12)}-{self.hexadecimal(32)}.apps.googleusercontent.com"

    def activity(
        self, time: dt.datetime, report: str, person: str, *events: tuple[str, str, dict[str, Any]],
        address: str = "192.0.2.30",
    ) -> None:  # fmt: skip
        """One activity; an event is its type, its name and its parameters."""
        self.records.append(
            {
                "kind": "admin#reports#activity",
                "id": {
                    "time": time.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
                    "uniqueQualifier": self.number(18),
                    "applicationName": report,
                    "customerId": self.customer,
                },
                "actor": {"callerType": "USER", "email": person, "profileId": f"1{abs(hash_of(person)):020d}"},
                "ipAddress": address,
                "events": [{"type": kind, "name": name, "parameters": listed(told)} for kind, name, told in events],
            }
        )

    def work(self, time: dt.datetime, person: str, script: str, title: str, outside: str | None = None) -> None:
        """All that is logged of a script's life; with `outside` it is lived in a hurry and opened to strangers."""
        step, address = (HURRY, "203.0.113.91") if outside else (self.pace, "192.0.2.30")
        file = {"doc_id": script, "doc_type": "script", "doc_title": title, "owner": person, "visibility": "private"}
        client = {"client_id": self.client, "app_name": title, "client_type": "WEB"}

        def done(at: int, report: str, *events: tuple[str, str, dict[str, Any]]) -> None:
            self.activity(time + at * step, report, person, *events, address=address)

        done(0, "token", ("auth", "authorize", {**client, "scope": SCOPES}))
        done(1, "drive", ("access", "view", file))
        done(2, "drive", ("access", "create", file))
        done(3, "drive", ("access", "edit", file))
        done(4, "drive", ("access", "rename", {**file, "old_value": "Untitled project"}))
        done(5, "drive", *self._shared(file, outside))
        done(
            6,
            "token",
            ("auth", "activity", {**client, "api_name": "gmail", "method_name": "gmail.users.messages.list"}),
        )
        done(7, "drive", ("access", "trash", file))
        phases = ("discovery", "create", "modify-code", "modify-config", "permission", "defence-evasion")
        self.told += [(phase, person, script) for phase in phases]
        self.told += [(phase, person, self.client) for phase in ("identity", "invoke")]

    def _shared(self, file: dict[str, Any], outside: str | None) -> list[tuple[str, str, dict[str, Any]]]:
        """One act of sharing, told in several events with one name: a colleague first, then a stranger."""
        within = {**file, "target_user": OWNERS[0], "new_value": ["can_view"], "visibility": "people_within_domain"}
        events = [("acl_change", "change_user_access", within)]
        if outside:
            abroad = {"target_user": outside, "visibility": "shared_externally", "visibility_change": "external"}
            events += [("acl_change", "change_user_access", {**within, **abroad})]
        return events


def hash_of(text: str) -> int:
    """A number for a text, the same in every run."""
    return int.from_bytes(text.encode()[:8], "big")


def listed(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Parameters as the API lists them."""
    kinds = {list: "multiValue", bool: "boolValue", int: "intValue"}
    return [{"name": name, kinds.get(type(value), "value"): value} for name, value in told.items()]


def workspace_story(seed: int, incident: bool, pace: dt.timedelta = ORDINARY) -> WorkspaceStory:
    """Ordinary work on scripts of nine days, then two days with one more, or with the incident."""
    story = WorkspaceStory(seed, pace=pace)
    story.begin()

    def ordinary(times: list[dt.datetime]) -> None:
        for place, time in enumerate(times):
            story.work(time, OWNERS[place % 2], f"1{story.hexadecimal(32)}", f"Report {story.number(3)}")

    ordinary(story.working_hours(range(BASELINE_DAYS), 2))
    story.told.clear()
    ordinary(story.working_hours(story.of_the_window(), 1))
    if incident:
        story.attacked = f"1{story.hexadecimal(32)}"
        story.work(story.night(), "casey@example.test", story.attacked, "Untitled project", "x@elsewhere.example")
    else:
        ordinary(story.working_hours([BASELINE_DAYS], 1))
    return story
