"""What a table and a column are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column: its name, DuckDB type, meaning, and OCSF attribute (empty where OCSF has none)."""

    name: str
    type: str
    meaning: str
    ocsf: str = ""


@dataclass(frozen=True)
class Table:
    """One table of a case; `columns` in the order in which they are stored; `grows` with the estate, uncut."""

    name: str
    about: str
    columns: tuple[Column, ...]
    class_uid: int | None = None
    grows: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def type_of(self, name: str) -> str:
        return next(column.type for column in self.columns if column.name == name)
