"""Papermill's own engine, saving the executed notebook once per cell that runs instead of twice per cell of any kind.

Each save copies, checks and writes the whole notebook. What a cell showed is on disk when the next one begins, or the
notebook ends; long output is saved every half minute, as papermill does.
"""

from __future__ import annotations

from typing import Any

from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

NAME = "playbooks"
PATHS = ("input_path", "output_path")


class _Saved(NotebookExecutionManager):  # type: ignore[misc]  # papermill has no types
    """A running notebook. It holds no path of this machine, not even where its run is killed."""

    def __init__(self, nb: Any, *args: Any, **options: Any) -> None:
        super().__init__(nb, *args, **options)
        for path in PATHS:
            nb.metadata.papermill.pop(path, None)
        self._waits = False

    def save(self, **kwargs: Any) -> None:
        if not self._waits:
            super().save(**kwargs)

    def cell_start(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        self._waits = cell.cell_type != "code"
        super().cell_start(cell, cell_index, **kwargs)
        self._waits = False

    def cell_complete(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        self._waits = True  # the next cell, or the end, follows at once
        super().cell_complete(cell, cell_index, **kwargs)
        self._waits = False


class _Engine(NBClientEngine):  # type: ignore[misc]
    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: bool = False,
        log_output: bool = False,
        **kwargs: Any,
    ) -> Any:
        """As papermill's, with another manager: it names its own in the middle of the method."""
        running = _Saved(nb, output_path, log_output, progress_bar)
        running.notebook_start()
        try:
            cls.execute_managed_notebook(running, kernel_name, log_output=log_output, **kwargs)
        finally:
            running.notebook_complete()
        return running.nb


papermill_engines.register(NAME, _Engine)
