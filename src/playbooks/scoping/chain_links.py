"""How one principal's work leads to another's: rights or keys handed over, roles taken, functions' own roles.

Each link has the moment from which it holds, the words that say how, and the record that shows it. A role that
was taken is an ordinary link; a key or a right that somebody gave is one that a chain counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd

from playbooks.scoping.actors import with_principal, without_sessions
from playbooks.scoping.clouds import ACTOR_COLUMNS
from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.clouds.record_json import json_object, text_at

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine import Tables

CREDENTIALS, RIGHTS, ROLE, FUNCTION = "credentials", "rights", "role", "function"
ACTING = frozenset({"user", "role", "service-account", "application", "identity", "oauth-client"})  # can act themselves
# Identity changes that hand out something to sign in with; others hand out rights.
HANDING_OUT = frozenset(
    {
        *("CreateAccessKey", "UpdateAccessKey", "CreateLoginProfile", "UpdateLoginProfile", "CreateUser"),
        *("google.iam.admin.v1.CreateServiceAccountKey", "Add service principal credentials."),
        "google.iam.credentials.v1.IAMCredentials.GenerateAccessToken",
    }
)
TAKING = ("AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")  # daily; a link, and no change of identity
CLOSING = ("Delete", "Detach", "Remove", "Deactivate")  # takes something away; nobody acts by it
CHANGING = ("create", "modify-code", "modify-config", "permission", "trigger")


@dataclass(frozen=True)
class Link:
    """From `time` on, what `target` does may follow from what `source` did."""

    time: pd.Timestamp
    source: str
    target: str
    kind: str
    words: str
    ref: str


def links_between(activity: pd.DataFrame, tables: Tables, role_links: pd.DataFrame) -> list[Link]:
    """All links, in order of time.

    Parameters
    ----------
    activity
        Rows of `schema.CLOUD_ACTIVITY`.
    role_links
        Rows of `schema.ROLE_LINKS`.
    """
    found = [*_handed_over(activity), *_keys(tables), *_taken(tables), *_own_roles(activity, role_links)]
    return sorted(found, key=lambda link: (link.time, link.source, link.target, link.kind, link.ref))


def _each(rows: pd.DataFrame) -> Iterator[Any]:
    return iter(rows.itertuples(index=False))


def _handed_over(activity: pd.DataFrame) -> Iterator[Link]:
    """Identity changes by one of somebody else, who may act from then on."""
    done = activity[(activity["phase"] == "identity") & (activity["outcome"] != "failure")]
    done = done[done["resource_type"].isin(ACTING) & ~done["operation_base"].isin(TAKING)]
    done = done[~done["operation_base"].astype(str).str.startswith(CLOSING)]
    for row in _each(done[done["principal"].notna() & done["resource"].notna()]):
        kind = CREDENTIALS if row.operation_base in HANDING_OUT else RIGHTS
        words = f"{row.principal} called {row.operation_base} for {row.resource}"
        yield Link(row.time, str(row.principal), str(row.resource), kind, words, str(row.ref))


def _keys(tables: Tables) -> Iterator[Link]:
    """Access keys that somebody made and somebody else, or another name, signed with."""
    events = tables.api_activity
    made = _named(events.filter(events.api_operation == "CreateAccessKey", events.status == "success"), "response")
    keys = [text_at(json_object(text), "accessKey.accessKeyId") for text in made["response"]]
    made = made.assign(key=pd.Series(keys, index=made.index, dtype=object)).dropna(subset=["key", "principal"])
    if made.empty:
        return
    signed = events.filter(events.actor_session_uid.isin(sorted(set(made["key"]))))
    users = with_principal(without_sessions(signed).select(*ACTOR_COLUMNS, "actor_session_uid").distinct().execute())
    by_key = users.dropna(subset=["principal"]).groupby("actor_session_uid", sort=True)["principal"].agg(set)
    for row in _each(made):
        for user in sorted(by_key.get(row.key, set()) - {row.principal}):
            words = f"{row.principal} made the very key {row.key}"
            yield Link(row.time, str(row.principal), str(user), CREDENTIALS, words, str(row.ref))


def _taken(tables: Tables) -> Iterator[Link]:
    """Roles that a principal took, the first time in each hour; what services take for themselves is none."""
    events = tables.api_activity
    own = events.actor_invoked_by.isnull() & (events.actor_user_type != "AWSService").fill_null(True)
    taken = events.filter(events.api_operation.isin(TAKING), events.status == "success", own)
    role = taken.request.re_extract('"roleArn"\\s*:\\s*"([^"]+)"', 1).nullif("")
    known = without_sessions(taken.mutate(taken_role=role, hour=taken.time.truncate("h")))
    known = known.filter(known.taken_role.notnull())
    rows = _first(known, *ACTOR_COLUMNS, "taken_role", "hour")
    for row in _each(rows.dropna(subset=["principal"])):
        target = short_name("iam", row.taken_role)
        yield Link(row.time, str(row.principal), target, ROLE, f"{row.principal} took the role {target}", str(row.ref))


def _first(events: ir.Table, *by: str) -> pd.DataFrame:
    place = ibis.struct({"time": events.time, "item": events.evidence_id, "record": events.record_no})
    groups = events.group_by(*by).agg(place=place.min())
    ref = groups.place["item"].concat(":", groups.place["record"].cast("string"))
    return with_principal(groups.mutate(time=groups.place["time"], ref=ref).drop("place").execute())


def _named(events: ir.Table, *columns: str) -> pd.DataFrame:
    ref = events.evidence_id.concat(":", events.record_no.cast("string"))
    return with_principal(events.select(*ACTOR_COLUMNS, *columns, "time", ref=ref).execute())


def _own_roles(activity: pd.DataFrame, role_links: pd.DataFrame) -> Iterator[Link]:
    """From who changed a function to its role: what the role then calls, changed code may have called."""
    held = role_links[role_links["role"].notna() & (role_links["relation"] != "tried")]
    roles = held.groupby("resource", sort=True)["role"].agg(lambda names: sorted(set(names))).to_dict()
    changed = activity[activity["phase"].isin(CHANGING) & (activity["outcome"] != "failure")]
    changed = changed[changed["resource"].isin(roles) & changed["principal"].notna()]
    for row in _each(changed):
        for role in roles[row.resource]:
            words = f"{row.principal} changed {row.resource}, which runs as {role}"
            yield Link(row.time, str(row.principal), str(role), FUNCTION, words, str(row.ref))
