"""What is the same on every engine, and what is not: one list, held by the tests and printed by the reference."""

from __future__ import annotations

# results that every engine gives alike, row by row: `tests/engine/test_spark.py` asks both for each of them
SAME = (
    *("coverage", "scoped_pairs", "channels", "egress_hours", "resolutions", "intel", "pairs"),
    *("activity", "resources", "role_links", "chains", "rights", "logging_changes", "code_changes", "own_endpoints"),
    *("identities", "role_activity", "function_egress", "related", "scope", "findings", "links", "given"),
)
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
    "A pattern has to stand in the code: Spark gets it translated for Java, and one that stands in a column is refused.",
)
