"""The inventory files of a case: which layout each has, and its entries with the place of each.

A file that no layout and no entry of our own fits is refused: an inventory that is silently empty would make
everything a stranger's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from playbooks.errors import CaseError
from playbooks.inventory import aws, azure, cloudflare, gcp, terraform
from playbooks.inventory.documents import Document, path_within, read_document
from playbooks.inventory.entry import InventoryFile, Listed
from playbooks.inventory.layouts import Layout, entries

LAYOUTS: tuple[Layout, ...] = (
    *terraform.LAYOUTS,
    *aws.LAYOUTS,
    *azure.LAYOUTS,
    *gcp.LAYOUTS,
    *cloudflare.LAYOUTS,
)
OWN = "own entries"
OWN_FIELDS = frozenset({"owner", "service", "resource", "host", "tenant", "approved", "expires", "account", "region"})
# Columns that a draft (`playbooks draft-inventory`) has besides: seen, not stated.
DRAFTED = frozenset(
    {
        *("ownership", "ownership_reason", "owner_missing", "seen_by", "first_seen", "last_seen", "exposure"),
        *("last_principal", "clients", "refs"),
    }
)
MOST_FAULTS = 20


def inventory_paths(folder: Path, files: Iterable[InventoryFile]) -> list[Path]:
    """Where the files of a case lie."""
    return [path_within(folder, one.file) for one in files]


def read_inventory_files(folder: Path, files: Iterable[InventoryFile]) -> list[Listed]:
    """Every entry of the files, those that somebody of ours declared before those that an export shows.

    Raises
    ------
    CaseError
        A file cannot be read, has no known layout, or an entry is not valid; file, place and field are named.
    """
    read = [_read(one, read_document(folder, one.file)) for one in files]
    read.sort(key=lambda found: not found[0])
    return [entry for _, listed in read for entry in listed]


def _read(file: InventoryFile, document: Document) -> tuple[bool, list[Listed]]:
    alone = [document.data] if isinstance(document.data, dict) else None  # JSON lines of one line
    shapes = ((layout, data) for data in (document.data, alone) for layout in LAYOUTS)
    layout, data = next(((one, data) for one, data in shapes if one.fits(data)), (None, None))
    if layout is None:
        return True, [_signed(file, one, declared=True) for one in _own(document)]
    facts = {"file": document.name, "sha256": document.sha256, "layout": layout.name}
    found = [one.model_copy(update=facts | {"place": place}) for place, one in entries(layout, data)]
    return layout.declared, [_signed(file, one, layout.declared) for one in found]


def _signed(file: InventoryFile, one: Listed, declared: bool) -> Listed:
    """With the owner and the approval that `case.yaml` gives to the whole file.

    A tag can be written by whoever makes a resource, so an export approves only what `case.yaml` approves.
    """
    owner = one.owner.strip() or file.owner.strip()
    wanted = declared if file.approved is None else file.approved
    return one.model_copy(update={"owner": owner, "approved": bool(owner) and one.approved and wanted})


def _own(document: Document) -> Iterator[Listed]:
    """Entries of our own format: a list, or a list called `inventory`."""
    data = document.data.get("inventory") if isinstance(document.data, dict) else document.data
    rows = data if isinstance(data, list) else [] if data is None and document.data is None else None
    if rows is None or (rows and not any(isinstance(row, dict) and OWN_FIELDS & row.keys() for row in rows)):
        raise CaseError(
            f"inventory_files: {document.name!r} has no layout that is known. Expected entries with "
            f"{', '.join(sorted(OWN_FIELDS))}; or {', '.join(layout.name for layout in LAYOUTS)}. "
            "See docs/how-to/allow-list-and-inventory.md."
        )
    faults: list[str] = []
    for number, row in enumerate(rows):
        if isinstance(row, dict) and "owner_missing" in row and not row.get("owner"):
            continue  # of a draft, and nobody has answered for it
        place = f"line {document.lines[number]}" if document.lines else f"$[{number}]"
        try:
            yield Listed.model_validate(_stated(row) | {
                "file": document.name, "place": place, "sha256": document.sha256, "layout": OWN
            })  # fmt: skip
        except (ValidationError, TypeError) as error:
            faults += _faults(place, error)
        if len(faults) > MOST_FAULTS:
            break
    if faults:
        told = "\n".join(faults[:MOST_FAULTS])
        raise CaseError(f"inventory_files: {document.name!r} is not valid:\n{told}\nCorrect it and run again.")


def _stated(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise TypeError("no entry; expected names and values")
    unknown = sorted(str(name) for name in row if name not in OWN_FIELDS and name not in DRAFTED)
    if unknown:
        raise TypeError(f"no such field: {', '.join(unknown)[:200]}; is it misspelt?")
    return {name: value for name, value in row.items() if name in OWN_FIELDS and value is not None}


def _faults(place: str, error: ValidationError | TypeError) -> list[str]:
    if isinstance(error, TypeError):
        return [f"  {place}: {error}"]
    return [
        f"  {place}, field {'.'.join(map(str, one['loc'])) or '(entry)'}: {one['msg'].removeprefix('Value error, ')}"
        for one in error.errors(include_url=False)
    ]
