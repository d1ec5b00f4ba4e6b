"""DuckDB through Ibis, which plans nothing for rows that cannot be there: most cases lack most logs.

Planning a question costs some 20 ms however little it finds, and a case with a proxy's log alone would plan all that
is asked of clouds and of DNS, too. Whether a question can have rows follows from which tables have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis.backends.duckdb
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler

if TYPE_CHECKING:
    from collections.abc import Mapping

NARROWING = (  # rows come from the parent alone, and from each row at most copies of it
    ops.Project,
    ops.Filter,
    ops.Sort,
    ops.Limit,
    ops.Distinct,
    ops.DropColumns,
    ops.DropNull,
    ops.FillNull,
    ops.SelfReference,
    ops.JoinReference,
    ops.TableUnnest,
)
NEEDS_BOTH = ("inner", "semi", "cross", "any_inner")
GIVES_EITHER = ("outer", "positional")


class Backend(ibis.backends.duckdb.Backend):  # type: ignore[misc]
    """Knows which of its tables are without rows, by name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.compiler: _Compiler = _Compiler()

    def know_rowless(self, table: ir.Table) -> None:
        """From now on nothing is planned for what `table` alone would give."""
        self.compiler.known.add(table.op().name)

    def create_table(self, name: str, /, obj: Any = None, **kwargs: Any) -> ir.Table:
        """As Ibis does it, which keeps what is cached in a table; one made from nothing is known to have no rows."""
        made = super().create_table(name, obj, **kwargs)
        if isinstance(obj, ir.Table) and self.compiler.is_rowless(obj.op()):
            self.know_rowless(made)
        return made


class _Compiler(DuckDBCompiler):  # type: ignore[misc]
    """Compiles what cannot have rows to a SELECT of its columns without any."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[str] = set()

    def to_sqlglot(
        self, expr: ir.Expr, *, limit: int | str | None = None, params: Mapping[ir.Expr, Any] | None = None
    ) -> sge.Expression:
        table = expr.as_table()
        if not self.is_rowless(table.op()):
            planned: sge.Expression = super().to_sqlglot(expr, limit=limit, params=params)
            return planned
        columns = [self.cast(sge.Null(), kind).as_(name, quoted=self.quoted) for name, kind in table.schema().items()]
        return sg.select(*columns).where(sge.false())

    def is_rowless(self, relation: ops.Relation) -> bool:
        """Whether `relation` cannot have a row, whatever else the evidence holds."""
        match relation:
            case ops.DatabaseTable():
                return relation.name in self.known
            case ops.InMemoryTable():
                return not len(relation.data.obj)
            case ops.Aggregate():
                return bool(relation.groups) and self.is_rowless(relation.parent)  # without groups there is one row
            case ops.Union():
                return self.is_rowless(relation.left) and self.is_rowless(relation.right)
            case ops.Intersection():
                return self.is_rowless(relation.left) or self.is_rowless(relation.right)
            case ops.Difference():
                return self.is_rowless(relation.left)
            case ops.JoinChain():
                return self._is_joined_to_nothing(relation)
        return isinstance(relation, NARROWING) and self.is_rowless(relation.parent)

    def _is_joined_to_nothing(self, chain: ops.JoinChain) -> bool:
        nothing = self.is_rowless(chain.first)
        for link in chain.rest:
            if link.how == "right":
                nothing = self.is_rowless(link.table)
            elif link.how in GIVES_EITHER:
                nothing = nothing and self.is_rowless(link.table)
            elif link.how in NEEDS_BOTH:
                nothing = nothing or self.is_rowless(link.table)
        return nothing
