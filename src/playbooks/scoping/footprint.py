"""What our own collection wrote into the audit logs: recognised, counted, and set apart.

A read is ours where the principal is a collector's **and** every other mark that is known of this collection
fits: user agent, time, access key, address. A user agent alone is never enough, because anybody can send it,
and a collector's credentials can be stolen: so only reads are set apart, and whatever else a collector's
identity does is shown with a word of its own.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.case import Case
from playbooks.knowledge.operations import load_operations
from playbooks.scoping.clouds import ACTOR_COLUMNS, Actor, cloud_of, principal_of
from playbooks.scoping.collectors import PRODUCT, Collector, collectors_of
from playbooks.scoping.control_plane import each_distinct, once, plain

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine import Tables

MAX_REFS = 20
READS = re.compile(r"(Get|List|Describe|Lookup|Head|BatchGet|Filter|Search)[A-Z]\w*")
# Reads by name that hand out secrets or credentials: no collection of ours calls them.
HAND_OUT = frozenset(
    {
        *("GetSecretValue", "BatchGetSecretValue", "GetParameter", "GetParameters", "GetParametersByPath"),
        *("GetParameterHistory", "GetSessionToken", "GetFederationToken", "GetRoleCredentials", "GetSigninToken"),
        *("GetPasswordData", "GetAuthorizationToken", "GetCredentialsForIdentity", "GetOpenIdToken", "GetAccessToken"),
        *("GetOpenIdTokenForDeveloperIdentity", "GetConsoleScreenshot", "GetConnectionPassword"),
    }
)
MARKS = ("actor_session_uid", "http_request_user_agent", "src_endpoint_ip")
NAMED = ("cloud_provider", "api_service_name", "api_operation", "api_operation_base")
KEPT = ("evidence_id", "record_no", "time", *NAMED[1:], *ACTOR_COLUMNS, *MARKS, "metadata_uid")
APART = ("evidence_id", "record_no", "ref", "time", "principal", "collector")
SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Footprint:
    """Reads of our own collection, and what bears a mark of it without being one.

    Attributes
    ----------
    apart
        Every record set apart: `evidence_id`, `record_no`, `ref`, `time`, `principal`, `collector` (words).
    events
        How many events they are: one that several items hold is counted once.
    marked
        Reference → why this record is not set apart although it bears a mark of our collection.
    collectors
        How many collections are known.
    """

    apart: pd.DataFrame
    events: int
    marked: Mapping[str, str]
    collectors: int

    def without(self, tables: Tables) -> Tables:
        """The tables of a case without the records that are set apart."""
        return self._joined(tables, "anti")

    def only(self, tables: Tables) -> Tables:
        """The tables of a case with no audit records but those that are set apart."""
        return self._joined(tables, "semi")

    def _joined(self, tables: Tables, how: str) -> Tables:
        import ibis

        if self.apart.empty:
            return tables if how == "anti" else dataclasses.replace(tables, api_activity=tables.api_activity.limit(0))
        keys = ibis.memtable(self.apart[["evidence_id", "record_no"]])
        kept = tables.api_activity.join(keys, ["evidence_id", "record_no"], how=how)
        return dataclasses.replace(tables, api_activity=kept)

    def as_json(self) -> dict[str, Any]:
        """The count with references and the sentence for the report."""
        return {
            "events": self.events,
            "collectors": sorted(set(self.apart["collector"])),
            "refs": list(self.apart["ref"].head(MAX_REFS)),
            "not_set_apart": len(self.marked),
            "not_set_apart_refs": list(self.marked)[:MAX_REFS],
            "sentence": self.sentence(),
        }

    def sentence(self) -> str:
        """What was set apart, in words."""
        if not self.collectors and not self.marked:
            return "No collection of our own is known to this case, so no audit record is set apart."
        who = "; ".join(sorted(set(self.apart["collector"])))
        said = f"{_counted(self.events, 'event')} by our own collection, set apart{': ' + who if who else ''}."
        if self.marked:
            verb = "bears a mark" if len(self.marked) == 1 else "bear marks"
            said += f" {_counted(len(self.marked), 'record')} {verb} of it and {_is(len(self.marked))} not set apart."
        return said


NOTHING_APART = Footprint(pd.DataFrame({name: pd.Series(dtype=object) for name in APART}), 0, {}, 0)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def own_collection(tables: Tables, case: Case) -> Footprint:
    """Recognise what our own collection wrote into the audit records of a case.

    Returns
    -------
    Footprint
        Empty where no collector is known and no record bears the kit's own user agent.
    """
    collectors = collectors_of(case)
    rows = _candidates(tables.api_activity, collectors)
    if rows.empty:
        return Footprint(_apart(rows.assign(collector=None, ref=None)), 0, {}, len(collectors))
    rows = each_distinct(rows, NAMED, lambda *named: (_is_read(*named),), ("read",))
    told = [_judge(row, collectors) for row in rows.itertuples(index=False)]
    rows = rows.assign(
        ref=rows["evidence_id"] + ":" + rows["record_no"].astype("int64").astype(str),
        collector=pd.Series([who for who, _ in told], index=rows.index, dtype=object),
        why=pd.Series([why for _, why in told], index=rows.index, dtype=object),
    )
    ours = rows[rows["collector"].notna()]
    marked = once(rows[rows["why"].notna()])
    return Footprint(
        _apart(ours), len(once(ours)), dict(zip(marked["ref"], marked["why"], strict=True)), len(collectors)
    )


def _apart(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.reindex(columns=list(APART)).sort_values(["time", "evidence_id", "record_no"], ignore_index=True)


def _candidates(events: ir.Table, collectors: list[Collector]) -> pd.DataFrame:
    """Records by a collector's principal, and those that bear the kit's user agent."""
    import ibis

    product = events.http_request_user_agent.contains(PRODUCT).fill_null(False)
    actor = ibis.literal(SEPARATOR).join([events[name].fill_null("") for name in ACTOR_COLUMNS])
    if collectors:
        actors = plain(events.select(*ACTOR_COLUMNS).distinct().execute())
        named = [row for row in actors.itertuples(index=False, name=None) if _is_known(row, collectors)]
        keys = [SEPARATOR.join(part or "" for part in row) for row in named]
        wanted = product | actor.isin(keys) if keys else product
    else:
        wanted = product
    rows = plain(events.filter(wanted).select(*KEPT).execute())
    return each_distinct(rows, ACTOR_COLUMNS, lambda *row: (principal_of(*row).name,), ("principal",))


def _is_known(actor: tuple[str | None, ...], collectors: Iterable[Collector]) -> bool:
    return any(one.is_principal(_names(*actor)) for one in collectors)


def _names(*actor: str | None) -> tuple[str | None, ...]:
    """What a principal is called: by name, by its own ARN, by that of the role that it assumed."""
    one = Actor(*actor)
    return cloud_of(one.provider).principal(one).name, one.uid, one.issuer


def _is_read(provider: str | None, service: str | None, operation: str | None, base: str | None = None) -> bool:
    """Whether an operation only reads, and hands out nothing that opens a door."""
    if not provider or not operation:
        return False
    known = load_operations().find(provider, service, operation, base)
    if known is not None:
        return known.phase == "discovery"
    name = load_operations().canonical_name(provider, service, operation).rpartition(".")[2]
    return READS.fullmatch(name) is not None and name not in HAND_OUT


def _judge(row: Any, collectors: Iterable[Collector]) -> tuple[str | None, str | None]:
    """Whose read a record is (words), or why it is not set apart although it bears a mark; else nothing."""
    names = (row.principal, row.actor_user_uid, row.actor_session_issuer)
    mine = [one for one in collectors if one.is_principal(names)]
    agent = row.http_request_user_agent
    if row.read:
        ours = next((one for one in mine if _fits(one, row)), None)
        if ours is not None:
            return ours.words(), None
    else:
        loud = next((one for one in mine if one.has_agent(agent) or one.since is None or row.time >= one.since), None)
        if loud is not None:
            return None, (
                f"{row.principal} is the identity that collected evidence for {loud.words()}, and a collection only "
                "reads: was this containment, or somebody else with its credentials?"
            )
    if agent is not None and PRODUCT in agent:
        return None, _unknown_agent(row.principal, bool(mine))
    return None, None


def _fits(collector: Collector, row: Any) -> bool:
    """Whether every mark that is known of a collection fits a record by its principal."""
    return (
        (collector.user_agent is None or collector.has_agent(row.http_request_user_agent))
        and (collector.since is None or row.time >= collector.since)
        and (collector.until is None or row.time < collector.until)
        and (collector.source_ip is None or row.src_endpoint_ip == collector.source_ip)
        and (None in (collector.access_key, row.actor_session_uid) or row.actor_session_uid == collector.access_key)
    )


def _unknown_agent(principal: str | None, known: bool) -> str:
    who = "outside its recorded times, key or address" if known else "is no collector that this case knows"
    return (
        f"the user agent is that of our collection, but {principal or 'the caller'} {who}: a user agent can be "
        "sent by anybody. If a colleague collected, add them to collectors in case.yaml"
    )
