"""Small expressions that questions are made of, each over odd values: what Spark says has to be what DuckDB says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from playbooks.enrichment.matching import _authority, _from_each_label, _last_labels, _of_url, _plain

TEXTS = [
    *(
        "a.b.example.test",
        "example.test",
        "one",
        "",
        "..",
        "b.c.",
        "UPPER.Example.TEST",
        "tab\there",
        "line\nbreak.x\n",
    ),
    *("https://user@host.test:8443/a/b/c?q=1#f", "http://[2001:db8::1]/x", "/only/path", "10.0.0.1", "[v6]", "é.test"),
    *(
        "İSTANBUL.ΣΟΦΟΣ.test",
        "a[b",
        "x\x0by",
        "back\\slash",
        "'quoted'",
        '{"roleArn": "arn:x"}',
        "E001-2:17",
        "%_",
        "$1",
        None,
    ),
]
MOMENTS = [
    dt.datetime(2026, 3, 10, 9, 59, 59, 499_999, dt.UTC),
    dt.datetime(2026, 3, 10, 9, 59, 59, 500_000, dt.UTC),
    dt.datetime(2026, 3, 10, 10, 0, 0, 500_000, dt.UTC),
    dt.datetime(1969, 12, 31, 23, 59, 58, 250_000, dt.UTC),
    dt.datetime(2024, 2, 29, tzinfo=dt.UTC),
    None,
]
FRACTIONS = [0.5, 1.5, 2.5, -0.5, -1.5, 62.0, 1e15, 0.1, None]
Words = Callable[[ir.Table], ir.Value]


def rows() -> ir.Table:
    """`n` numbers the rows; a text, a moment, a fraction, a list and a group beside it."""
    count = len(TEXTS)
    lists = [["b", "a", "b"], [], None, ["x"], [None, "z"]]
    columns = {
        "n": pa.array(range(count), pa.int64()),
        "text": pa.array(TEXTS, pa.string()),
        "time": pa.array([MOMENTS[at % len(MOMENTS)] for at in range(count)], pa.timestamp("us", "UTC")),
        "part": pa.array([FRACTIONS[at % len(FRACTIONS)] for at in range(count)], pa.float64()),
        "many": pa.array([lists[at % len(lists)] for at in range(count)], pa.list_(pa.string())),
        "place": pa.array([at % 5 - 2 for at in range(count)], pa.int64()),
    }
    return ibis.memtable(pa.table(columns))


# one value a row
WORDS: dict[str, Words] = {
    "end of the text": lambda t: t.text.re_replace(r"\[|\]$|\.$", "~"),
    "the end is not a line end": lambda t: t.text.re_search(r"x$"),
    "dot and line ends": lambda t: t.text.re_search(r"^[^a]*.b"),
    "spaces": lambda t: t.text.re_replace(r"\s", "_"),
    "no spaces": lambda t: t.text.re_extract(r"^(\S+)", 1),
    "a bracket in a class": lambda t: t.text.re_extract(r"([^/?#:\[\]]+|\[[^\]]*\])", 1),
    "a class of an opening bracket": lambda t: t.text.re_search(r"[[]"),
    "no match is empty": lambda t: t.text.re_extract(r"zzz(\d+)", 1),
    "a back-slash": lambda t: t.text.lower().re_replace(r"^.*\\", ""),
    "quotes in a pattern": lambda t: t.text.re_extract('"roleArn"\\s*:\\s*"([^"]+)"', 1).nullif(""),
    "first label": lambda t: t.text.re_replace(r"\..*$", ""),
    "contains": lambda t: t.text.contains("\\") | t.text.contains("'") | t.text.contains("%"),
    "starts": lambda t: t.text.startswith("E0") | t.text.endswith("test"),
    "split": lambda t: t.text.split(".")[0],
    "split and length": lambda t: t.text.split(".").length(),
    "past the end": lambda t: t.text.split(":")[1],
    "from the end": lambda t: t.many[-1],
    "by place": lambda t: t.many[t.place],
    "find": lambda t: t.text.find("://"),
    "cut": lambda t: t.text[2:],
    "upper": lambda t: t.text.upper(),
    "length": lambda t: t.text.length(),
    "last labels": lambda t: _last_labels(t.text),
    "each label": lambda t: _from_each_label(t.text),
    "authority": lambda t: _authority(t.text),
    "of a URL": lambda t: _of_url(t.text),
    "plain number": lambda t: _plain(t.part),
    "a number in a text": lambda t: t.text.re_extract(r"([0-9]+)$", 1).try_cast("int64"),
    "no number": lambda t: t.text.try_cast("float64"),
    "whole numbers": lambda t: t.part.cast("int64"),
    "floor": lambda t: (t.n - 5) // 3,
    "rest": lambda t: t.n % 3,
    "division": lambda t: t.n / 4,
    "seconds": lambda t: t.time.epoch_seconds().cast("int64"),
    "seconds with a fraction": lambda t: t.time.epoch_seconds().cast("float64").floor().cast("int64"),
    "hour": lambda t: t.time.truncate("h"),
    "hour of the day": lambda t: t.time.hour(),
    "day": lambda t: t.time.date(),
    "minutes later": lambda t: t.time + ibis.interval(minutes=90),
    "distinct": lambda t: t.many.unique().sort(),
    "joined": lambda t: t.many.join("|"),
    "list length": lambda t: t.many.length(),
    "in a list": lambda t: t.many.contains("b"),
    "one after the other": lambda t: t.text + "|" + t.n.cast("string"),
    "least": lambda t: ibis.least(t.n, t.place),
    "cases": lambda t: ibis.cases((t.n > 3, "some"), else_=t.text),
    "alike": lambda t: t.text.identical_to(t.many.join("|")),
}
# one value a group
GROUPED: dict[str, Words] = {
    "collected": lambda t: t.text.collect().sort(),
    "collected in order": lambda t: t.text.collect(order_by=[t.text.isnull(), t.n]),
    "collected by a key that is missing": lambda t: t.n.collect(order_by=[t.part, t.n]),
    "nothing collected": lambda t: ibis.ifelse(t.n < 0, t.text, ibis.null("string")).collect(),
    "distinct collected": lambda t: t.text.collect(distinct=True).sort(),
    "half": lambda t: t.n.quantile(0.5),
    "nearly all": lambda t: t.n.quantile(0.99),
    "first": lambda t: t.text.argmin(t.n),
    "first by two": lambda t: t.text.argmin(ibis.struct({"p": t.place, "n": t.n})),
    "any": lambda t: (t.part > 1).any(),
    "all": lambda t: (t.part > 1).all(),
    "smallest struct": lambda t: ibis.struct({"p": t.place, "n": t.n}).min()["n"],
    "counted": lambda t: t.count(where=t.n > 3),
    "distinct counted": lambda t: t.text.nunique(),
    "sum of nothing": lambda t: t.n.sum(where=t.n < 0),
    "smallest text": lambda t: t.text.min(),
    "greatest text": lambda t: t.text.max(),
}
