"""What is the same on every engine, and what is not: one list, held by the tests and printed by the reference."""

from __future__ import annotations

# results that DuckDB and Spark give alike, row by row, in an order in which none is made while another is asked for
SAME = (
    *("given", "resolutions", "egress_hours", "channels", "scoped_pairs", "activity", "resources", "role_links"),
    *("logging_changes", "rights", "code_changes", "chains", "identities", "role_activity", "function_egress"),
    *("intel", "pairs", "own_endpoints", "coverage", "related", "findings", "links", "scope"),
)
# asked of either engine, and not compared by a test yet
NOT_COMPARED = ("stale_functions",)
# parts of these that may differ, and why
DIFFERS = {
    "coverage.clock_skew.examples": "Which connections are shown as examples follows the engine's own hash; from "
    "200,000 records on it also chooses which of them are compared.",
}
# what stays with DuckDB in this process whatever `engine` says
HERE_ONLY = {
    "reading evidence": "Raw bytes become events in this process: formats are SELECT lists of DuckDB.",
    "Sigma rules": "They look at raw records, which lie in the case and not on the cluster.",
    "packet captures": "Installed tools read them on this machine.",
    "answers of services outside": "`guide.lookup` reads the few rows of its own answers here.",
}
# Spark's limits that no test of the questions meets
LIMITS = (
    "A struct that holds a null sorts first on Spark and last on DuckDB; no question orders by such a struct.",
    "A fraction below 0.001 is written with an exponent on Spark; no question compares one as text.",
    "A pattern stands in the code: Spark gets it translated for Java, and one that stands in a column is refused.",
)
# engines whose SQL is compiled and parsed, and never run here
COMPILED_FOR = ("athena", "bigquery", "clickhouse", "trino")
# what Ibis has no words for there, by result; everything else of `SAME` compiles
NOT_COMPILED: dict[str, dict[str, tuple[str, ...]]] = {
    "athena": {"channels": ("Quantile",), "coverage": ("Hash", "Quantile"), "intel": ("ArrayMap",)},
    "bigquery": {"channels": ("Quantile",), "coverage": ("Quantile",)},
    "clickhouse": {"activity": ("a frame of microseconds",), "scoped_pairs": ("collecting in order",)},
    "trino": {"channels": ("Quantile",), "coverage": ("Hash", "Quantile")},
}
# functions that questions call by their name, and where that name is missing or means something else
CALLED_BY_NAME = {
    "split_part": "Trino and Athena have it without places from the end; BigQuery and ClickHouse have none.",
}
