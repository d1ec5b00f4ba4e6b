"""The application that commands register with, and what their arguments share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from playbooks.errors import EXIT_CODES

CODES = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + "."
app = typer.Typer(
    name="playbooks",
    help="Incident-response playbooks for suspected serverless command and control.",
    epilog=CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

CaseFolder = Annotated[Path, typer.Argument(help="Folder of the case.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def commands(of: typer.Typer = app, prefix: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every command with its full name, groups included: `add`, `keys new`, …"""
    for info in of.registered_commands:
        if info.callback:
            yield prefix + (info.name or info.callback.__name__), info.callback
    for group in of.registered_groups:
        if group.typer_instance:
            yield from commands(group.typer_instance, f"{prefix}{group.name} ")
