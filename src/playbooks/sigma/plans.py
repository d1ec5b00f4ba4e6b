"""What a set of rules asks of the records of one format: one query for their fields, one for all conditions at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from playbooks.engine import text_literal
from playbooks.formats import Format, Json
from playbooks.normalise.mapping import cells_of, cut_records
from playbooks.normalise.records import Records
from playbooks.sigma.conditions import Columns, Node, Words, fields_of, is_cased, leaves
from playbooks.sigma.several import json_of, values_of
from playbooks.sigma.sources import LogSource, Place


@dataclass(frozen=True)
class Asked:
    """One rule of a plan: its key, its condition, the fields that are kept of its matches, and how many of these."""

    key: int
    node: Node
    keep: tuple[str, ...] = ()
    limit: int = 10_000


@dataclass(frozen=True)
class Plan:
    """The rules of one log source over the records of one format."""

    source: LogSource
    form: Format
    rules: tuple[Asked, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every field that a rule looks at or keeps."""
        every = (name for rule in self.rules for name in (*fields_of(rule.node), *rule.keep))
        return tuple(dict.fromkeys(every))

    @cached_property
    def places(self) -> dict[str, tuple[Place, ...]]:
        dialect = self.source.dialects[self.form.name]
        return {name: dialect.places(name) for name in self.names}

    @cached_property
    def as_is(self) -> dict[str, str]:
        """Field → column with the value in its own case, where a rule needs that."""
        kept = {name for rule in self.rules for name in rule.keep}
        return {
            name: f"v{number}"
            for number, name in enumerate(self.names)
            if name in kept or any(is_cased(rule.node, name) for rule in self.rules)
        }

    @cached_property
    def lower(self) -> dict[str, str]:
        """Field → column with the value in small letters."""
        return {name: f"l{number}" for number, name in enumerate(self.names)}

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The columns with the whole text of a record that a rule searches: `text`, `lower_text`."""
        words = [leaf for rule in self.rules for leaf in leaves(rule.node) if isinstance(leaf, Words)]
        asked = {"text": any(w.cased for w in words), "lower_text": any(not w.cased for w in words)}
        return tuple(name for name, is_asked in asked.items() if is_asked)

    def extraction(self, records: Records, guarded: bool) -> str:
        """SQL from `chunk` to the fields; records with a list on the way to a field come with their JSON instead."""
        pointers = list(dict.fromkeys(place.steps for places in self.places.values() for place in places))
        at = {steps: f"p[{number}]" for number, steps in enumerate(pointers, start=1)}
        named = ", ".join(f"{_first(places, at)} AS v{number}" for number, places in enumerate(self.places.values()))
        columns = [*(f"{column}" for column in self.as_is.values())]
        columns += [f"lower(v{column[1:]}) AS {column}" for column in self.lower.values()]
        columns += [f"{'json' if name == 'text' else 'lower(json)'} AS {name}" for name in self.texts]
        listed = ", ".join(text_literal(_pointer(steps)) for steps in pointers)
        return f"""
            WITH given AS ({self._json(records, guarded)}),
            judged AS (SELECT record_no, json, {self._is_several()} AS several FROM given),
            found AS (SELECT *, CASE WHEN NOT several THEN json_extract_string(json, [{listed}]::VARCHAR[]) END AS p
                      FROM judged),
            named AS (SELECT *{", " + named if named else ""} FROM found)
            SELECT {", ".join(["record_no", "CASE WHEN several THEN json END AS json", *columns])} FROM named
        """

    def _is_several(self) -> str:
        """SQL: whether a list may stand on the way to a field of the record."""
        every = [place for places in self.places.values() for place in places]
        if any(place.inside for place in every):
            return "contains(json, '[')"
        ways = {place.steps[:end] for place in every for end in range(1, len(place.steps) + 1)}
        listed = ", ".join(text_literal(_pointer(way)) for way in sorted(ways))
        types = f"json_type(json, [{listed}]::VARCHAR[])"
        return f"CASE WHEN contains(json, '[') THEN list_contains({types}, 'ARRAY') ELSE false END"

    def _json(self, records: Records, guarded: bool) -> str:
        """SQL of the JSON of each record, as its format reads it; with the guard, none where it is not valid."""
        if not isinstance(self.form.cut, Json):
            cut = cut_records(self.form, records.names, cells_of(records))
            return f"SELECT record_no, CAST(to_json(r) AS VARCHAR) AS json FROM {cut}"
        whole = "CASE WHEN json_valid(json) THEN json END" if guarded else "json"
        if (nested := self.form.cut.nested) is None:
            return f"SELECT record_no, {whole} AS json FROM chunk"
        holds = f"contains(json, {text_literal(json.dumps(nested))})"
        held = f"CASE WHEN {holds} THEN json_extract_string({whole}, {text_literal(_pointer((nested,)))}) END"
        inner = f"SELECT record_no, coalesce({held}, {whole}) AS json FROM chunk"
        return f"SELECT record_no, CASE WHEN json_valid(json) THEN json END AS json FROM ({inner})"

    def matching(self, several: bool) -> str:
        """SQL from `fields`, or `lists`, to a column of truth for each rule, in their order."""
        every = {name: f"v{number}" for number, name in enumerate(self.names)}
        columns = Columns(every if several else self.as_is, self.lower, several)
        told = (f"coalesce({columns.sql(rule.node)}, false) AS r{n}" for n, rule in enumerate(self.rules))
        if not several:
            return f"SELECT {', '.join(told)} FROM fields"
        small = (
            f"list_transform({every[name]}, lambda x: lower(x)) AS {column}" for name, column in self.lower.items()
        )
        return f"SELECT {', '.join(told)} FROM (SELECT {', '.join(['*', *small])} FROM lists)"

    def lists(self, rows: pa.Table) -> pa.Table:
        """The fields of records in which lists stand, each as a list of values."""
        records = [json_of(text) for text in rows["json"].to_pylist()]
        kept = rows.select(["record_no", *self.texts])
        for number, places in enumerate(self.places.values()):
            values = [values_of(record, places) for record in records]
            kept = kept.append_column(f"v{number}", pa.array(values, pa.list_(pa.string())))
        return kept


def _pointer(steps: Iterable[str]) -> str:
    """JSON pointer (RFC 6901): any name fits into it, whatever a rule wrote."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def _first(places: tuple[Place, ...], at: dict[tuple[str, ...], str]) -> str:
    """SQL of the first value that is there."""
    found = [_value(place, at[place.steps]) for place in places if not place.named]
    return f"coalesce({', '.join(found)})" if len(found) > 1 else found[0] if found else "NULL::VARCHAR"


def _value(place: Place, value: str) -> str:
    if place.inside:
        inner = text_literal(_pointer(place.inside))
        value = f"CASE WHEN json_valid({value}) THEN json_extract_string({value}, {inner}) END"
    return f"{value} || {text_literal(place.behind)}" if place.behind else value
