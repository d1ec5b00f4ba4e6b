"""The command line: arguments in, one call, words out. The only room that prints."""

from __future__ import annotations

import io
import os
import sys

from rich.markup import escape

from playbooks.cli import acquiring, batching, cases, comparing, owning, preserving, reading, sharing, signing
from playbooks.cli.app import app
from playbooks.errors import PlaybookError
from playbooks.spared import spare_imports
from playbooks.terminal import err, plain


def main() -> None:
    """Run a command; an error a person can act on becomes words and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a narrow terminal shows less, and stops nothing
    spare_imports()
    try:
        app()
    except PlaybookError as error:
        err.print(f"[bold red]{type(error).__name__}[/] {escape(plain(str(error)))}", soft_wrap=True)
        sys.exit(error.exit_code)
    except SystemExit as end:
        # `| head` took what it wanted: click makes that exit code 1, which says that this kit has a bug
        left = isinstance(end.__context__, BrokenPipeError)
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0 if left else end.code)


__all__ = [
    "acquiring",
    "app",
    "batching",
    "cases",
    "comparing",
    "main",
    "owning",
    "preserving",
    "reading",
    "sharing",
    "signing",
]
