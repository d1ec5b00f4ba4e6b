"""Which format an evidence file has: every format's mark is tried on a sample, none wins on a tie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from playbooks.formats import FORMATS, Columns, Format, Json, Pairs, TextLines, W3c, Xml, Zeek
from playbooks.normalise.columns import is_comment, named_columns
from playbooks.normalise.cut import Layout, w3c_fields, zeek_name
from playbooks.normalise.json_records import json_object
from playbooks.normalise.sample import ANY_JSON, Sample, take_sample
from playbooks.normalise.search import Search, python_search, re2_search
from playbooks.normalise.tables import table_layout

LEAST_SHARE = 0.1  # below this a match is chance, not a format
OWN_SHARE = 0.5  # of the records; an own format that fits as many wins over formats of the kit
NEAREST = 3
ANY_LINES = TextLines(pattern=r"(?P<line>.+)")
KIT = frozenset(form.name for form in FORMATS)


@dataclass(frozen=True)
class Tried:
    """How well one format fits a sample: the share of records it fits, and what was missing."""

    name: str
    share: float
    missing: str


@dataclass(frozen=True)
class Detection:
    """The format of a file, or none with the nearest ones; `layout` cuts it in either case.

    `tried` lists every format that was tried, those that fit first, then the nearest ones.
    """

    format: Format | None
    layout: Layout
    tried: tuple[Tried, ...]
    binary: bool = False

    @property
    def as_cut(self) -> Format | None:
        """The format with the layout of this file, which may know more than that of the format: a Zeek log's name."""
        if self.format is None or not isinstance(self.layout, Zeek):
            return self.format
        return replace(self.format, cut=self.layout)

    def why_chosen(self) -> str:
        """Which formats of the kit an own format was preferred to; empty for any other choice."""
        if self.format is None or not self.format.sha256:
            return ""
        kit = [t.name for t in self.tried if t.share >= LEAST_SHARE and t.name in KIT]
        return f"own format {self.format.name} chosen, before {', '.join(kit)} which fit too" if kit else ""

    def why_unknown(self) -> str:
        """Why no format was chosen: the nearest ones and what was missing."""
        if self.binary:
            return "no format fits: the content is binary, not text"
        best = [t for t in self.tried if t.share >= LEAST_SHARE]
        if len(best) > 1:
            return f"no format chosen: {' and '.join(t.name for t in best)} fit equally well"
        near = "; ".join(f"{t.name} ({t.missing})" for t in self.tried[:NEAREST])
        return f"no format fits; nearest: {near}"


def detect(file: Path, own: Sequence[Format] = ()) -> Detection:
    """Find the format of a file by its content; its name plays no part.

    Parameters
    ----------
    file
        Any file; compressed ones are looked into.
    own
        Own formats of the case. One that fits half of the records, or as many as any other, is preferred to those
        of the kit.
    """
    sample = take_sample(file)
    forms = {form.name: form for form in (*FORMATS, *own)}
    tried = sorted((fit(form, sample) for form in forms.values()), key=lambda t: (-t.share, t.name))
    fitting = _fitting(tried, forms)
    mine = [t for t in fitting if forms[t.name].sha256 and t.share >= min(OWN_SHARE, fitting[0].share)]
    best = [t for t in mine or fitting if t.share == (mine or fitting)[0].share]
    if len(best) == 1 or (best and _of_other_lines([forms[one.name] for one in best], sample)):
        form = forms[best[0].name]
        best = best[:1]
        others = [t for t in tried if t not in best]
        return Detection(form, _layout_for(form, sample), (*best, *_by_nearness(others, sample, forms)))
    if best:
        return Detection(None, _layout(sample), tuple(best), "\0" in sample.text)
    return Detection(None, _layout(sample), tuple(_by_nearness(tried, sample, forms)), "\0" in sample.text)


def _fitting(tried: list[Tried], forms: dict[str, Format]) -> list[Tried]:
    """The formats that fit; general ones only where there is no other."""
    fitting = [t for t in tried if t.share >= LEAST_SHARE]
    return [t for t in fitting if not forms[t.name].general] or fitting


def _of_other_lines(forms: list[Format], sample: Sample) -> bool:
    """Whether no line has the marks of two of these formats: logs of several products in one file."""
    return all(sum(fit(form, Sample(line)).share == 1 for form in forms) < 2 for line in sample.lines)


def _layout_for(form: Format, sample: Sample) -> Layout:
    """How a file is cut that has this format: its own way, or as a CSV of the same table.

    A layout for Zeek logs of any name takes the name of this one: records of another log are not of it.
    """
    if isinstance(form.cut, Json) and form.cut.csv and sample.table:
        return table_layout(form.cut, frozenset(sample.table[0]))
    if isinstance(form.cut, Zeek) and not form.cut.path:
        return replace(form.cut, path=sample.zeek_header[0])
    return form.cut


def _layout(sample: Sample) -> Layout:
    if any(w3c_fields(line) for line in sample.lines[:20]):
        return W3c(fields=(), keys=frozenset())
    if sample.zeek_header[1]:
        return Zeek(path="", fields=(), keys=frozenset(), any_of=frozenset())
    return ANY_JSON if sample.looks_json else ANY_LINES


def _by_nearness(tried: list[Tried], sample: Sample, forms: dict[str, Format]) -> list[Tried]:
    """Those that fit some records, own formats, then formats of the same layout: what the reader may have expected."""
    likely = _likely(sample)
    own = {name for name, form in forms.items() if form.sha256}
    kinds = {name: type(form.cut) for name, form in forms.items()}
    return sorted(
        tried,
        key=lambda t: (
            *(-t.share, t.name not in own, kinds[t.name] not in likely),
            *(forms[t.name].general, len(t.missing), t.name),
        ),
    )


def _likely(sample: Sample) -> tuple[type[Layout], ...]:
    """Layouts that text of this look may have been meant to have."""
    tabs = sum("\t" in line for line in sample.lines)
    commas = sum(line.count(",") > line.count(" ") for line in sample.lines)
    if sample.looks_json:
        return (Json, Zeek)
    if sample.zeek_header[1] or 2 * tabs > len(sample.lines):
        return (Zeek,)
    return (Columns,) if 2 * commas > len(sample.lines) else (TextLines, Columns)


def fit(form: Format, sample: Sample) -> Tried:
    """How well a format's mark fits a sample."""
    search = re2_search if form.sha256 else python_search
    match form.cut:
        case TextLines(pattern=pattern, comment=comment):
            lines = [line for line in sample.lines if not is_comment(line, comment)]
            share = _share(sum(search(pattern, line) for line in lines), len(lines))
            return Tried(form.name, share, "no line has its pattern" if not share else "")
        case Json(csv=True) as layout if sample.table:
            return _fit_table(form.name, sample, layout, search)
        case Json() as layout:
            objects = [_unnested(o, layout) for o in sample.objects(layout.envelopes)]
            return _fit_objects(form.name, objects, layout, search)
        case Xml(element=element) as layout:
            return _fit_objects(form.name, sample.elements(element), layout, search)
        case Pairs() as layout:
            return _fit_pairs(form.name, sample, layout, search)
        case W3c() as layout:
            return _fit_w3c(form.name, sample, layout)
        case Zeek() as layout:
            return _fit_zeek(form.name, sample, layout)
        case Columns() as layout:
            return _fit_columns(form.name, sample, layout, search)


def _fit_table(name: str, sample: Sample, layout: Json, search: Search) -> Tried:
    """The mark in lower case, as names stand in headers."""
    keys, any_of = (frozenset(key.lower() for key in keys) for keys in (layout.keys, layout.any_of))
    only = tuple((path.lower(), pattern) for path, pattern in layout.only)
    return _fit_objects(name, sample.table, replace(layout, keys=keys, any_of=any_of, only=only), search)


def _share(hits: int, total: int) -> float:
    return hits / total if total else 0.0


def _unnested(found: dict[str, object], layout: Json) -> dict[str, object]:
    text = found.get(layout.nested) if layout.nested else None
    return text if isinstance(text, dict) else (json_object(text) or found) if isinstance(text, str) else found


def _fit_pairs(name: str, sample: Sample, layout: Pairs, search: Search) -> Tried:
    lacking = [
        _lacking(frozenset(one), layout) or _unfit(one, layout.only, search) if one else "no pairs"
        for one in sample.pairs(layout.style)
    ]
    share = _share(sum(not lack for lack in lacking), len(lacking))
    return Tried(name, share, "" if share == 1 else max(lacking, key=len, default="no lines"))


def _fit_w3c(name: str, sample: Sample, layout: W3c) -> Tried:
    headers = [frozenset(fields) for line in sample.lines if (fields := w3c_fields(line))]
    if not headers:
        return Tried(name, 0.0, "no `#Fields:` line")
    lack = _lacking(headers[0], layout) or ", ".join(f"has {field}" for field in sorted(layout.never & headers[0]))
    return Tried(name, 0.0 if lack else 1.0, lack)


def _unfit(found: dict[str, object], only: tuple[tuple[str, str], ...], search: Search) -> str:
    """The first value that is not what the mark asks for; empty where all are."""
    for path, pattern in only:
        value = _at(found, path)
        if not isinstance(value, str | int) or not search(pattern, str(value), True):
            return f"{path} is not {pattern[:40]}"
    return ""


def _at(found: dict[str, object], path: str) -> object:
    """The value at a path with dots; a name that holds dots itself comes first."""
    if path in found or "." not in path:
        return found.get(path)
    head, _, rest = path.partition(".")
    inner = found.get(head)
    return _at(inner, rest) if isinstance(inner, dict) else None


def _fit_objects(
    name: str, objects: list[dict[str, object]], layout: Json | Zeek | Xml, search: Search = python_search
) -> Tried:
    if not objects and isinstance(layout, Xml):
        return Tried(name, 0.0, f"no XML element {layout.element}")
    if not objects:
        header = "no `#fields` header and " if isinstance(layout, Zeek) else ""
        return Tried(name, 0.0, f"{header}no JSON objects")
    only = () if isinstance(layout, Zeek) else layout.only
    lacking = [_lacking(frozenset(found), layout) or _unfit(found, only, search) for found in objects]
    share = _share(sum(not lack for lack in lacking), len(objects))
    return Tried(name, share, "" if share == 1 else max(lacking, key=len))


def _lacking(names: frozenset[str], layout: Json | Zeek | Columns | Pairs | W3c | Xml) -> str:
    missing = sorted(layout.keys - names)
    any_of = frozenset() if isinstance(layout, Columns | W3c) else layout.any_of
    if any_of and not any_of & names:
        missing.append("one of " + ", ".join(sorted(any_of)))
    return f"missing: {', '.join(missing)}" if missing else ""


def _fit_zeek(name: str, sample: Sample, layout: Zeek) -> Tried:
    path, names = sample.zeek_header
    if not names:
        objects = [{zeek_name(key): value for key, value in found.items()} for found in sample.objects(())]
        objects = [{} if found.get("_path") in layout.never else found for found in objects]
        return _fit_objects(name, objects, layout)
    if path and (path in layout.never or path != (layout.path or path)):
        return Tried(name, 0.0, f"#path is {path[:40]}, not {layout.path or 'one of the other logs'}")
    lack = _lacking(names, replace(layout, any_of=frozenset()) if path else layout)
    return Tried(name, 0.0 if lack else 1.0, lack)


def _head(sample: Sample, layout: Columns) -> list[str]:
    """The comments before the first record, and that one: the lines that may name the columns."""
    first = next((i for i, line in enumerate(sample.lines) if not is_comment(line, layout.comment)), 0)
    return sample.lines[: first + 1]


def _fit_columns(name: str, sample: Sample, layout: Columns, search: Search) -> Tried:
    if not sample.lines:
        return Tried(name, 0.0, "no lines")
    lack = _lacking(sample.header(layout.delimiter), layout)
    if layout.comment:
        headers = (frozenset(named_columns(line, layout)) for line in _head(sample, layout))
        lack = min((_lacking(header, layout) for header in headers), key=len)
    if not lack or not layout.default_mark:
        return Tried(name, 0.0 if lack else 1.0, lack)
    lines = [line for line in sample.lines if not is_comment(line, layout.comment)]
    share = _share(sum(search(layout.default_mark, line) for line in lines), len(lines))
    return Tried(name, share, "" if share else f"{lack}; and no line has the default columns")
