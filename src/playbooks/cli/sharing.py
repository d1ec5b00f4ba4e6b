"""Commands that hand a case to other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from playbooks.cli.app import AsJson, CaseFolder, app
from playbooks.exports import FORMS
from playbooks.terminal import print_json, say

HELP = " ".join(f"{name}: {form.about}." for name, form in FORMS.items())


@app.command()
def export(
    folder: CaseFolder,
    to: Annotated[str, typer.Option("--to", help=HELP)],
    out: Annotated[Path | None, typer.Option("--out", help="File to write; without it exports/ in the case.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write what was found in the form of another tool. Nothing is sent anywhere.

    Example: playbooks export cases/IR-31 --to stix --out IR-31.json
    """
    from playbooks import guide
    from playbooks.case import open_case

    view = guide.export(open_case(folder), to, str(out) if out else "")
    if as_json:
        print_json(view.data)
        return
    for words in view.words:
        say(words)
