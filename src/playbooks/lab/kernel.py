"""What a kernel of the lab knows beyond a plain one: the guide, whole tables and forms, frames as inert as views.

IPython loads this as an extension, by the profile that `playbooks lab` writes. A headless run never does.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from playbooks.guide.progress import listen
from playbooks.report import enter_lab, frame_markup

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Set up the shell of a kernel: it shows whole tables, forms and progress, and completes verbs."""
    import pandas as pd

    enter_lab()
    assert shell.display_formatter is not None
    shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, frame_markup)
    shell.Completer.use_jedi = False  # it would list modules of the guide, which are no verbs
    line = ProgressLine()
    listen(line.say)
    shell.events.register("post_run_cell", line.clear)


class ProgressLine:
    """One line below a cell that says how far its work is; empty when the cell is done."""

    def __init__(self) -> None:
        self._shown: Any = None

    def say(self, words: str) -> None:
        """Show these words in place of the last ones."""
        from IPython.display import display

        line = {"text/html": f"<p>… {html.escape(words)}</p>", "text/plain": f"… {words}"}
        if self._shown is None:
            self._shown = display(line, raw=True, display_id=True)
        else:
            self._shown.update(line, raw=True)

    def clear(self, _: object = None) -> None:
        """Take the line away: nothing of it is kept in the notebook but an empty output."""
        if self._shown is not None:
            self._shown.update({"text/plain": ""}, raw=True)
            self._shown = None
