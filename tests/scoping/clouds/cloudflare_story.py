"""Cloudflare in the shape of the Logpush dataset audit_logs_v2: a method and a path tell what was done.

Runs of a Worker stand in no audit record, and reads are not recorded by default: neither is made up.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.scoping.clouds.story import BASELINE_DAYS, HURRY, ORDINARY, Story

PHASES = ("identity", "create", "modify-code", "modify-config", "permission", "trigger", "defence-evasion", "discovery")
UNLOGGED = ("invoke",)  # of every platform's phases
PIPELINE = "deploy-main"


class CloudflareStory(Story):
    """Writes calls of one account."""

    def begin(self) -> None:
        self.account, self.zone = self.hexadecimal(), self.hexadecimal()
        self.own = {"cloudflare_accounts": [self.account], "zones": ["example.test"]}
        self.apps = [f"{name}-{self.number(4)}" for name in ("edge", "mail", "report")]

    def call(self, time: dt.datetime, call: str, person: str | None, request: Any = None, id: str = "") -> None:
        """One call of the API, `METHOD /path` below the account; without `person` the pipeline's token makes it."""
        method, _, path = call.partition(" ")
        uri = path.replace("/zone", f"/zones/{self.zone}") if path.startswith("/zone") else path
        uri = uri if uri.startswith(("/zones", "/user")) else f"/accounts/{self.account}{path}"
        self.records.append(
            {
                "AccountID": self.account,
                "ActionResult": "success",
                "ActionTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "ActionType": {"POST": "create", "DELETE": "delete"}.get(method, "update"),
                "ActorContext": "dash" if person else "api_token",
                "ActorEmail": person or "",
                "ActorID": self.hexadecimal() if person else self.account,
                "ActorIPAddress": "203.0.113.55" if person else "192.0.2.40",
                "ActorTokenDetails": {} if person else {"id": "0" * 32, "name": PIPELINE},
                "ActorType": "user" if person else "account",
                "AuditLogID": self.hexadecimal(),
                "Raw": {
                    "method": method,
                    "status_code": 200,
                    "uri": uri,
                    "user_agent": "Mozilla/5.0 (X11; Linux x86_64)" if person else "wrangler/3.100.0",
                },
                "ResourceID": id,
                "ResourceProduct": "workers",
                "ResourceRequest": request or {},
                "ResourceResponse": {},
                "ResourceType": "script",
            }
        )

    def release(self, time: dt.datetime, app: str, person: str | None = None) -> None:
        """All that a release does: each phase once, by the pipeline, or in a hurry by `person`."""
        step, acting = (HURRY if person else ORDINARY), person or PIPELINE
        script, tunnel, token, job = f"/workers/scripts/{app}", f"tunnel-{app}", f"token-{app}", self.number(6)
        pattern = f"{app}.example.test/*"
        calls: list[tuple[str, Any, str]] = [
            ("POST /user/tokens", {"name": token}, self.hexadecimal()),
            (f"POST {script}/tails", None, ""),
            ("POST /cfd_tunnel", {"name": tunnel}, self.hexadecimal()),
            (f"PUT {script}", {"main_module": "index.js"}, app),
            (f"PUT {script}/secrets", {"name": "RELAY_KEY", "type": "secret_text"}, ""),
            (f"POST {script}/subdomain", {"enabled": bool(person)}, ""),
            ("POST /zone/workers/routes", {"pattern": pattern, "script": app}, self.hexadecimal()),
            (f"PUT /logpush/jobs/{job}", {"enabled": not person}, job),
        ]
        for place, (call, request, id) in enumerate(calls):
            self.call(time + place * step, call, person, request, id)
        phases = ("discovery", "modify-code", "modify-config", "permission", "trigger")
        self.told += [(phase, acting, app) for phase in phases]
        self.told += [("identity", acting, token), ("create", acting, tunnel), ("defence-evasion", acting, job)]


def cloudflare_story(seed: int, incident: bool) -> CloudflareStory:
    """Ordinary releases of nine days, then two days with one more release or with the incident."""
    story = CloudflareStory(seed)
    story.begin()
    for place, time in enumerate(story.working_hours(range(BASELINE_DAYS), 2)):
        story.release(time, story.apps[place % 3])
    story.told.clear()
    for place, time in enumerate(story.working_hours(story.of_the_window(), 1)):
        story.release(time, story.apps[place % 3])
    new = f"relay-{story.number(4)}"
    if incident:
        story.attacked = new
        story.release(story.night(), new, person="dana@example.test")
    else:
        [time] = story.working_hours([BASELINE_DAYS], 1)
        story.release(time, new)
    return story
