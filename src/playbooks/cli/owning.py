"""Commands about whose things are, and what is known of a value."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from playbooks.cli.app import AsJson, CaseFolder, app
from playbooks.terminal import print_json, say


class OutputFormat(StrEnum):
    """How facts are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    STIX = "stix"


@app.command("draft-inventory")
def draft_inventory(folder: CaseFolder, as_json: AsJson = False) -> None:
    """Draft the inventory from what audit records and egress showed, as results/draft_inventory.csv.

    Example: playbooks draft-inventory cases/IR-31
    """
    from playbooks import guide
    from playbooks.case import open_case

    view = guide.draft_inventory(open_case(folder))
    if as_json:
        print_json(view.data.to_dict("records"))
        return
    for words in view.words:
        say(words)
    say("Next: fill in owners, strike out what is not yours, and name the file in case.yaml (inventory_files).")


@app.command()
def enrich(
    values: Annotated[list[str], typer.Argument(help="Hosts, URLs, addresses or hashes, defanged or not.")],
    case: Annotated[Path | None, typer.Option(help="Folder of a case; without it the catalogue alone answers.")] = None,
    form: Annotated[
        OutputFormat, typer.Option("--format", help="table, json (a fact a line), csv or stix (a STIX 2.1 bundle).")
    ] = OutputFormat.TABLE,
) -> None:
    """Tell what the case knows of values: class, tenant, owner, sightings, intelligence. Nothing is asked outside.

    Example: playbooks enrich 'hxxps://example[.]workers[.]dev' --case cases/IR-31 --format csv
    """
    from playbooks.case import open_case
    from playbooks.guide.owning import value_facts
    from playbooks.lookup import as_frame
    from playbooks.report.spreadsheet import csv_text
    from playbooks.report.stix import stix_text

    opened = open_case(case) if case else None
    facts = value_facts(opened, values)
    if form is OutputFormat.JSON:
        for fact in facts:
            print_json(vars(fact))
    elif form is OutputFormat.CSV:
        sys.stdout.write(csv_text(as_frame(facts)))
    elif form is OutputFormat.STIX:
        sys.stdout.write(stix_text(facts, *((opened.config.case_id, opened.config.tlp) if opened else ())))
    else:
        shown = ""
        for fact in facts:
            if fact.value != shown:
                say(f"{fact.value}  {fact.type}")
            shown = fact.value
            span = f"  {fact.first_seen:%Y-%m-%d %H:%M} to {fact.last_seen:%Y-%m-%d %H:%M} UTC" if fact.times else ""
            refs = f"  {' '.join(fact.refs)}" if fact.refs else ""
            say(f"  {fact.fact}: {fact.says}{span}  ({fact.source}){refs}")
