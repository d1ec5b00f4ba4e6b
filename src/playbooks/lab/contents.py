"""What JupyterLab may do to the files of a case: read all, write notes and notebooks, touch no evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado.web import HTTPError

from playbooks.case import CASE_FILE
from playbooks.evidence import printable
from playbooks.lab.start_page import START, write_start_page

KEPT = "it is evidence, or the record of it"
CASE = "without it there is no case"
MADE = "a run makes it; run the step again"
READ_ONLY = {
    **dict.fromkeys(("evidence", "custody.jsonl", "decisions.jsonl"), KEPT),
    **dict.fromkeys(("events", "unread", "results", "report", "run.json", START), MADE),
}


class CaseContents(AsyncLargeFileManager):
    """Files below the folder of the lab; those that a case answers for are read-only, whatever asks."""

    async def get(self, path: str, *rest: Any, **more: Any) -> dict[str, Any]:
        """Read a file; the start page is written anew first, so that it tells of now."""
        if path.strip("/") == START:
            write_start_page(Path(self.root_dir))
        found: dict[str, Any] = await super().get(path, *rest, **more)
        return found

    def is_writable(self, path: str) -> bool:
        return not self._why_kept(path) and bool(super().is_writable(path))

    async def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        self._refuse(path)
        saved: dict[str, Any] = await super().save(model, path)
        return saved

    async def delete_file(self, path: str) -> None:
        self._refuse(path, gone=True)
        await super().delete_file(path)

    async def rename_file(self, old_path: str, new_path: str) -> None:
        self._refuse(old_path, gone=True)
        self._refuse(new_path)
        await super().rename_file(old_path, new_path)

    async def copy(self, from_path: str, to_path: str | None = None) -> dict[str, Any]:
        self._refuse(to_path if to_path is not None else from_path.strip("/").rpartition("/")[0])
        copied: dict[str, Any] = await super().copy(from_path, to_path)
        return copied

    async def create_checkpoint(self, path: str) -> dict[str, Any]:
        self._refuse(path)  # the copy would lie beside the file, in the bag
        made: dict[str, Any] = await super().create_checkpoint(path)
        return made

    async def restore_checkpoint(self, checkpoint_id: str, path: str) -> None:
        self._refuse(path)
        await super().restore_checkpoint(checkpoint_id, path)

    def _refuse(self, path: str, gone: bool = False) -> None:
        if why := self._why_kept(path, gone):
            name = printable(path.strip("/"))
            raise HTTPError(403, f"{name} is read-only in the lab: {why}. Notes and notebooks go to notebooks/.")

    def _why_kept(self, path: str, gone: bool = False) -> str:
        """Why a path must stay as it is; empty when it may change. Links are followed to where they lead."""
        named = Path(self._get_os_path(path))
        top = Path(self.root_dir).resolve()
        return next((why for place in (named, named.resolve()) if (why := _kept(place, top, gone))), "")


def _kept(place: Path, top: Path, gone: bool) -> str:
    """The reason of the nearest case above a place; `gone` asks whether it may be moved or deleted."""
    if place == top / START:
        return MADE
    if gone and (place.name == CASE_FILE or next(place.rglob(CASE_FILE), None)):
        return CASE
    for folder in place.parents:
        if (folder / CASE_FILE).is_file():
            return READ_ONLY.get(place.relative_to(folder).parts[0], "")
    return ""
