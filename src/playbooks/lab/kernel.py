"""What a kernel of the lab knows beyond a plain one: the guide, whole tables and forms, frames shown as inert as views.

IPython loads this as an extension, by the profile that `playbooks lab` writes. A headless run never does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks import guide
from playbooks.report import enter_lab, frame_markup

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Set up the shell of a kernel."""
    import pandas as pd

    enter_lab()
    assert shell.display_formatter is not None
    shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, frame_markup)
    shell.Completer.use_jedi = False  # it would list modules of the guide, which are no verbs
    assert guide.__all__  # imported before the first cell asks for it
