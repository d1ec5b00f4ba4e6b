"""What databases in evidence say of addresses: network, organisation, country, each with the database and its day.

Context, and never a reason: a database says who was registered or guessed on the day it was built. It weighs nothing.
Innocent when: the provider has customers in that country, or the address has moved since.
Cannot see: who uses an address of a cloud or an edge network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from playbooks import schema
from playbooks.case import Case
from playbooks.evidence.address_databases import BROKEN, AddressDatabase, address_databases, opened
from playbooks.scoping.addresses import parse

# column → places in a record, the first that is there counts: MaxMind's layouts, then the flat ones of others
FIELDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "asn": (("autonomous_system_number",), ("traits", "autonomous_system_number"), ("asn",)),
    "as_organisation": (
        *(("autonomous_system_organization",), ("traits", "autonomous_system_organization"), ("as_name",)),
        *(("as_org",), ("organization",)),
    ),
    "country": (("country", "iso_code"), ("country_code",), ("registered_country", "iso_code"), ("country",)),
}
LONGEST = 200
MAX_ADDRESSES = 50_000


def address_facts(case: Case, addresses: Iterable[str]) -> tuple[pd.DataFrame, list[AddressDatabase]]:
    """What each database says of each address; and the databases, with the fault of those that cannot be read.

    Parameters
    ----------
    addresses
        As they stand in the event tables; what is no address is left out, and so is what lies beyond 50,000 of them.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.ADDRESS_FACTS`, by address and database.
    """
    wanted = {text: address for text in sorted(set(addresses))[:MAX_ADDRESSES] if (address := parse(text))}
    rows: list[dict[str, Any]] = []
    databases = []
    for database in address_databases(case):
        fault = database.fault
        if not fault:
            try:
                rows += _told(case, database, wanted)
            except BROKEN as error:
                fault = f"a record of it cannot be read: {str(error)[:200]}"
        databases.append(AddressDatabase(database.item, database.kind, database.built, fault))
    frame = pd.DataFrame(rows, columns=list(schema.ADDRESS_FACTS.names))
    frame["built"] = pd.to_datetime(frame["built"], utc=True)
    frame = frame.astype({"asn": "Int64"})
    return frame.sort_values(["address", "ref"], kind="stable", ignore_index=True), databases


def _told(case: Case, database: AddressDatabase, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with opened(case, database.item) as reader:
        only_v4 = reader.metadata().ip_version == 4
        for text, address in wanted.items():
            if only_v4 and address.version == 6:
                continue
            record, bits = reader.get_with_prefix_len(address)
            facts = _facts(record)
            if not facts:
                continue
            yield facts | {
                "address": text,
                "network": f"{address}/{bits}",
                "database": database.kind,
                "built": database.built,
                "ref": f"{database.item.evidence_id}:1",
            }


def _facts(record: object) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column, places in FIELDS.items():
        told = next((value for place in places if (value := _at(record, place)) is not None), None)
        if told is not None:
            found[column] = _number(told) if column == "asn" else str(told)[:LONGEST]
    return {name: value for name, value in found.items() if value is not None}


def _at(record: object, place: tuple[str, ...]) -> str | int | None:
    node: Any = record
    for name in place:
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, (str, int)) and not isinstance(node, bool) else None


def _number(told: str | int) -> int | None:
    digits = re.fullmatch(r"(?:AS)?(\d{1,10})", str(told), re.IGNORECASE)
    return int(digits[1]) if digits and int(digits[1]) < 1 << 32 else None
