"""Own formats: a log that the kit does not know, described in YAML in the case, so that it needs no Python.

A file may come from a stranger. It can describe a log and nothing else: see `expressions` for its SQL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from playbooks.case import Case
from playbooks.errors import CaseError
from playbooks.formats import Format
from playbooks.normalise.own_formats.document import NotValid, faults_of, read_bytes, read_document
from playbooks.normalise.own_formats.making import make

FOLDER = "formats"
ENDINGS = (".yaml", ".yml")
MAX_FILES = 50


def read_formats(files: Sequence[Path]) -> tuple[Format, ...]:
    """Read and check the files of own formats.

    Parameters
    ----------
    files
        YAML files, one format each.

    Returns
    -------
    tuple of Format
        In the order of their names; `sha256` is the digest of the file.

    Raises
    ------
    CaseError
        A file is not valid (every fault of every file is listed), or two have one name.
    """
    found: dict[str, Path] = {}
    forms: list[Format] = []
    faults: list[str] = []
    for file in files:
        try:
            form = _checked(read_bytes(file, str(file)), str(file))
        except CaseError as error:
            faults.append(str(error))
            continue
        if form.name in found:
            faults.append(
                f"{file}: {found[form.name]} has the name {form.name} too. Give each format a name of its own."
            )
        found[form.name] = file
        forms.append(form)
    if faults:
        raise CaseError("\n".join(faults))
    return tuple(sorted(forms, key=lambda form: form.name))


def formats_of(case: Case) -> tuple[Format, ...]:
    """The own formats of a case: `formats/*.yaml` in its folder.

    Raises
    ------
    CaseError
        As `read_formats`; or the folder is none, or leads out of the case.
    """
    return read_formats(files_of(case))


def files_of(case: Case) -> tuple[Path, ...]:
    """The files of the own formats of a case, unread."""
    folder = case.path / FOLDER
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise CaseError(f"{folder}: a link or no folder. Expected a folder with own formats, or none.")
    files = sorted(file for file in folder.glob("*") if file.suffix in ENDINGS and not file.name.startswith("."))
    if len(files) > MAX_FILES:
        raise CaseError(
            f"{folder}: {len(files)} formats; expected {MAX_FILES} at most. Keep those that the case needs."
        )
    return tuple(files)


def digests_of(case: Case) -> dict[str, str]:
    """The own formats of a case as files: path inside the case → SHA-256, whether they are valid or not."""
    return {
        file.relative_to(case.path).as_posix(): hashlib.sha256(read_bytes(file, str(file))).hexdigest()
        for file in files_of(case)
    }


@lru_cache(maxsize=MAX_FILES)
def _checked(raw: bytes, label: str) -> Format:
    document, node = read_document(raw, label)
    try:
        return make(document, hashlib.sha256(raw).hexdigest())
    except NotValid as error:
        raise faults_of(label, node, error.faults) from error


__all__ = ["FOLDER", "digests_of", "files_of", "formats_of", "read_formats"]
