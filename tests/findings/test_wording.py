"""No text of this kit claims more than evidence can carry: forbidden claims, and the near misses beside them."""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from playbooks.findings import LIMITS, forbidden_claims
from playbooks.findings.wording import FORBIDDEN

if TYPE_CHECKING:
    from tests.conftest import SampleRun

ROOT = Path(__file__).resolve().parents[2]

# What may not be said, and beside it what may.
CLAIMS = [
    # nobody is named
    ("The traffic is that of APT41.", "The traffic is consistent with the source's “APT41 loader”."),
    ("Operated by UNC3944.", "Operated by whoever holds the account UNC/3944."),
    ("TA505 uses this host.", "Mapped to the tactic TA0002."),
    ("Storm-0558 is behind it.", "A storm of 558 requests is behind it."),
    ("Cozy Bear was here.", "A cosy bear of a server was here."),
    ("Volt Typhoon is in the network.", "A typhoon of requests."),
    ("The beacon is attributed to a state.", "The request carries the attribute “state”."),
    # nothing is guaranteed, and nothing is complete
    ("This guarantees that no host calls out.", "The kit cannot promise that no host calls out."),
    ("Coverage is guaranteed.", "There is no guarantee of coverage."),
    ("The kit detects all beacons.", "The kit lists the pairs that it scored."),
    ("It finds every compromised function.", "It looks at every record of the function."),
    ("We have full visibility.", "There is no full visibility of functions."),
    ("The evidence gives complete coverage.", "The evidence covers 31 of 48 hours."),
    # silence is not absence
    ("The host is not compromised.", "No evidence found in the searched records."),
    ("The host was never breached.", "The host was never in the searched records."),
    ("The host is uncompromised.", "Whether the host is compromised cannot be told."),
    ("The function has not been compromised.", "The function has not been looked at."),
    ("There is no malicious activity.", "There is no activity in the searched records."),
    ("No attack took place.", "No record of the kind in the window."),
    # certainty, proof, prevention
    ("This is certainly the adversary.", "This fits several explanations."),
    ("The file is definitely malicious.", "The source lists the file, confidence 80."),
    ("This proves that j.doe did it.", "The record names j.doe."),
    ("It is proof of compromise.", "Silence is no proof of absence, and proves nothing."),
    ("The exfiltration was prevented.", "The proxy logged the request as denied."),
    ("The kit prevents exfiltration.", "The kit shows egress."),
    # ATT&CK is context
    ("MITRE detection AN1961 fired.", "Context: MITRE ATT&CK analytic AN1961."),
    ("ATT&CK rules triggered.", "ATT&CK T1546 is named Event Triggered Execution."),
    ("AN1961 has fired.", "AN1961 has no detection logic."),
    ("DET0864 alerted.", "DET0864 is a strategy without text."),
    # a provider is no suspect, and nobody's customers are harmed by a sentence
    ("Suspicious because of workers.dev.", "A host of workers.dev; this weighs nothing."),
    ("A suspicious provider.", "A provider of many customers."),
    ("The flaw is actively exploited.", "The source says “actively exploited”."),
    ("The affected vendor is Example.", "The service is Example's."),
    ("Customers were exposed.", "The URL asks for no authentication."),
]


@pytest.mark.parametrize(("claim", "near_miss"), CLAIMS)
def test_a_claim_is_forbidden_and_what_stands_beside_it_is_not(claim: str, near_miss: str) -> None:
    assert len(forbidden_claims(claim)) == 1
    assert forbidden_claims(near_miss) == []


def test_a_forbidden_claim_is_told_with_its_words_and_the_reason() -> None:
    told = forbidden_claims("We detect; the kit DETECTS ALL beacons.")
    assert told == ["'DETECTS ALL': claims complete detection"]


def test_quoted_text_is_somebody_else_s_and_what_follows_it_is_not() -> None:
    assert forbidden_claims("The list says “APT41, guaranteed”.") == []
    assert len(forbidden_claims("The list says “loader”, and APT41 is guaranteed to return “soon”.")) == 2


def test_every_rule_is_shown_by_a_claim() -> None:
    unused = [
        pattern for pattern, _ in FORBIDDEN if not any(re.search(pattern, claim, re.IGNORECASE) for claim, _ in CLAIMS)
    ]
    assert unused == []


def clean(text: str, where: str) -> None:
    assert [f"{where}: {told}" for told in forbidden_claims(text)] == []


@pytest.mark.parametrize("limit", LIMITS)
def test_the_limits_of_every_report_claim_nothing(limit: str) -> None:
    clean(limit, "LIMITS")


def strings(file: Path) -> Iterator[tuple[int, str]]:
    """Every string of a module: messages, templates, help and docstrings; patterns that forbid are no claims."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    rules = [n for n in ast.walk(tree) if isinstance(n, ast.AnnAssign) and ast.unparse(n.target) == "FORBIDDEN"]
    skipped = {id(part) for rule in rules for part in ast.walk(rule)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


@pytest.mark.parametrize("file", sorted(ROOT.glob("src/playbooks/**/*.py")), ids=lambda file: file.stem)
def test_no_string_of_the_code_claims_too_much(file: Path) -> None:
    for line, text in strings(file):
        clean(" ".join(text.split()), f"{file.relative_to(ROOT)}:{line}")


@pytest.mark.parametrize(
    "file",
    sorted([*ROOT.glob("src/playbooks/**/*.j2"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")]),
    ids=lambda file: file.name,
)
def test_no_template_and_no_page_of_the_docs_claims_too_much(file: Path) -> None:
    clean(" ".join(file.read_text(encoding="utf-8").split()), str(file.relative_to(ROOT)))


@pytest.mark.parametrize("file", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda file: file.stem)
def test_no_notebook_claims_too_much(file: Path) -> None:
    for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
        clean(" ".join("".join(cell["source"]).split()), file.name)


def told(part: Any, field: str = "") -> Iterator[str]:
    """The texts of a data file that reach a report; where a fact was found is a citation, not a claim."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield from told(value, str(name))
    elif isinstance(part, list):
        for value in part:
            yield from told(value, field)
    elif isinstance(part, str) and field not in ("sources", "source", "regex", "examples"):
        yield part


@pytest.mark.parametrize("file", sorted(ROOT.glob("src/playbooks/knowledge/*.yaml")), ids=lambda file: file.stem)
def test_no_entry_of_the_knowledge_claims_too_much(file: Path) -> None:
    for text in told(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)):
        clean(text, file.name)


@pytest.mark.parametrize("sample", ["incident", "quiet"])
def test_findings_and_report_of_a_run_claim_nothing_outside_quotes(sample: str, request: pytest.FixtureRequest) -> None:
    run: SampleRun = request.getfixturevalue(sample)
    for text in told(run.found):
        clean(text, "findings.json")
    clean(report_text(run.case), "report.html")
    clean(run.said.out, "the words of the command")


def report_text(case: Path) -> str:
    """What a reader of the report sees, markup and scripts taken away."""
    page = (case / "report" / "report.html").read_text(encoding="utf-8")
    body = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", page[page.index("<body") :])
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
