"""Imports that cost more than all else a case needs, and that nothing here asks for.

`jsonschema` takes `rfc3987_syntax` for one format of string, "iri", where Jupyter's server brings it along. It builds a
grammar when it is imported, which took 1.4 of the 3.5 seconds in which a program that runs notebooks is ready
(measured with `-X importtime`). No schema of a notebook has such a string. Without it `jsonschema` leaves that format
unchecked, as it does on any machine where it is not installed. Papermill takes Azure's and AWS's clients where they
are installed, for notebooks in their stores: a third of its own import, and a case lies in a folder. A kernel takes
debugpy for a debugger, a tenth of a second each: nobody debugs a headless run.
"""

from __future__ import annotations

import sys

SPARED = ("rfc3987_syntax", "papermill.abs", "papermill.adl", "papermill.s3", "debugpy.server")


def spare_imports() -> None:
    """Let this process, which is a program of the kit and nobody's notebook, go without them."""
    for name in SPARED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # None: as if not installed
