"""Which grants of roles the evidence holds, beyond AWS: set by records, or acquired; of whom, where, and until when.

Only what succeeded gives or ends a grant. One that ended stays listed with the record that ended it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import ibis

from playbooks.knowledge.role_rights import load_role_rights
from playbooks.scoping.clouds.azure_grants import AZURE_GRANTS
from playbooks.scoping.clouds.entra_grants import ENTRA_GRANTS, OFFICE_GRANTS
from playbooks.scoping.clouds.google_grants import GOOGLE_GRANTS
from playbooks.scoping.clouds.grants import Definition, Grant, GrantReader, Step, Told
from playbooks.scoping.clouds.record_json import json_record
from playbooks.scoping.control_plane import once, plain
from playbooks.scoping.one_operation import FURTHER, one_operation

if TYPE_CHECKING:
    from playbooks.case_file import Own
    from playbooks.engine import Tables

READERS: tuple[GrantReader, ...] = (AZURE_GRANTS, GOOGLE_GRANTS, ENTRA_GRANTS, OFFICE_GRANTS)
COLUMNS = (
    *("evidence_id", "record_no", "time", "cloud_provider", "cloud_account_uid", "metadata_correlation_uid"),
    *("api_operation", "resource_uid", "resource_name", "status", "status_detail", "request", "response"),
    *("metadata_uid", "actor_user_uid", "src_endpoint_ip", "http_request_user_agent"),
)


@dataclass(frozen=True)
class HeldGrant:
    """A grant with the reader that told it, the records and answers that hold it, and the one that ended it."""

    grant: Grant
    reader: GrantReader
    refs: tuple[str, ...]
    ended: str | None = None


@dataclass
class HeldGrants:
    """Grants in order of time, definitions in evidence by platform and role, and accounts listed whole."""

    grants: list[HeldGrant] = field(default_factory=list)
    definitions: dict[tuple[str, str], Definition] = field(default_factory=dict)
    listed: set[tuple[str, str]] = field(default_factory=set)
    _last: dict[tuple[str, str], int] = field(default_factory=dict)

    def definition(self, reader: GrantReader, role: str) -> Definition | None:
        """What a role grants: by the evidence, else as its provider publishes it; null where neither tells."""
        key = (reader.platform, role.lower())
        known = load_role_rights().role_of.get(key)
        if key in self.definitions or known is None:
            return self.definitions.get(key)
        return Definition(known.name, known.actions, known.not_actions, known.whole, known.kind)

    def learn(self, told: Told, reader: GrantReader, ref: str) -> None:
        """Take up what one record or answer tells."""
        for role, found in told.defined.items():
            self.definitions[reader.platform, role] = replace(found, refs=(ref,))
        if told.listed:
            self.listed.add((reader.platform, told.listed.lower()))
        given = {(reader.platform, one.key): one for one in told.given}
        for key, at in list(self._last.items()) if told.ended or told.replaces else ():
            held = self.grants[at]
            gone = key[1] in told.ended or (held.grant.scope == told.replaces and key not in given)
            if key[0] == reader.platform and gone and held.ended is None:
                self.grants[at] = replace(held, ended=ref)
        for key, grant in given.items():
            last = self._last.get(key)
            if last is not None and self.grants[last].ended is None and self.grants[last].grant == grant:
                self.grants[last] = replace(self.grants[last], refs=(*self.grants[last].refs, ref))
                continue
            if last is not None and self.grants[last].ended is None:
                self.grants[last] = replace(self.grants[last], ended=ref)
            self._last[key] = len(self.grants)
            self.grants.append(HeldGrant(grant, reader, (ref,)))


def grants_in_evidence(tables: Tables, own: Own) -> HeldGrants:
    """Every grant of a role in the records and acquired answers of Azure, Google Cloud and Entra."""
    held = HeldGrants()
    steps = [*_records(tables, own), *_answers(tables, own)]
    for _, ref, reader, told in sorted(steps, key=lambda step: (step[0], step[1])):
        held.learn(told, reader, ref)
    return held


def _records(tables: Tables, own: Own) -> Iterator[tuple[Any, str, GrantReader, Told]]:
    api = tables.api_activity
    name = api.api_operation.lower()
    wanted = ibis.literal(False)
    for reader in READERS:
        ends = ibis.or_(*(name.endswith(end) for end in reader.operations))
        wanted |= (api.cloud_provider == reader.provider) & ends
    item = api.evidence_id.re_extract(r"(\d+)", 1).try_cast("int64").fill_null(0)
    ref = api.evidence_id + ":" + api.record_no.cast("string")
    rows = one_operation(api.filter(wanted, api.time.notnull()).select(*COLUMNS, place=name, item=item, ref=ref))
    found: Iterator[Any] = once(plain(rows.drop(FURTHER).execute())).itertuples(index=False)
    for row in found:
        if row.status == "success":
            name = row.api_operation.lower()
            request, response = json_record(row.request), json_record(row.response)
            place = row.resource_uid or row.resource_name
            step = Step(row.api_operation, request, response, row.cloud_account_uid, place, own)
            for reader in READERS:
                if row.cloud_provider == reader.provider and name.endswith(reader.operations):
                    yield row.time, row.ref, reader, reader.record(step)


def _answers(tables: Tables, own: Own) -> Iterator[tuple[Any, str, GrantReader, Told]]:
    asked = tables.acquired_answers
    by_call: Mapping[tuple[str, str], GrantReader] = {
        (reader.provider, call): reader for reader in READERS for call in reader.asked
    }
    names = [call for _, call in by_call]
    wanted = asked.filter(asked.api_operation.isin(names), asked.status == "answered", asked.time.notnull())
    columns = ("evidence_id", "record_no", "time", "cloud_provider", "api_operation", "cloud_account_uid")
    rows = wanted.select(*columns, "resource_name", "response").order_by("evidence_id", "record_no")
    for row in rows.to_pyarrow().to_pylist():
        reader = by_call.get((row["cloud_provider"], row["api_operation"]))
        if reader:
            content, account = json_record(row["response"]), row["cloud_account_uid"]
            step = Step(row["api_operation"], {}, content, account, row["resource_name"], own)
            yield row["time"], f"{row['evidence_id']}:{row['record_no']}", reader, reader.answer(step)
