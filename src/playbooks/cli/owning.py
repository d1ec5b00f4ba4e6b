"""Commands about whose things are."""

from __future__ import annotations

from playbooks.cli.app import AsJson, CaseFolder, app
from playbooks.terminal import print_json, say


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
