"""What the forms of a hunt are made from and read with in tests: hostile values, and readers of the three languages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.exports.results import HOSTILE, act, entry, material, pair

from playbooks.exports.material import Material

KUSTO = Path(sys.prefix) / "kusto" / "node_modules"
READER = Path(__file__).with_name("kusto.js")
HOSTILE_VALUES = [
    HOSTILE,
    'x" or 1==1 or y=~"',
    'x" | project-away * //',
    "x' OR 'a'='a",
    "a*b?c\\d",
    "\\",
    "\\\\",
    '\\"',
    "*",
    "?????",
    "name | delete index=main",
    "] [ search index=_internal ] `macro` $token$",
    '") OR (source="*',
    "%placeholder% {field} {0} ${jndi:x}",
    "line\nbreak\r\nand\ttab\x00nul\x1b[31m",
    "```| outputlookup x```",
    "// */ /* --",
    "\u202eevil\u2028\u00e9\U0001f600",
    "---\n- title: another\n",
    "!!python/object:os.system",
    "true",
    "0x1F",
    "trailing\\",
]


def hostile_case(value: str) -> Material:
    """A case whose destination, tenant, fingerprint, principal, program, address, resource and words are this value."""
    found = material().findings | {
        "findings": [
            entry("A-1", value, "high", src=["10.20.3.17"], dst=[f"h{value.replace(':', '')}.t.example"]),
            entry("B-2", value, principal=[value], resource=[value]),
        ],
        "leads": [],
    }
    host = found["findings"][0]["subjects"]["dst"][0]
    prints = {"fingerprints": [f"ja4:{value}", f"ja3:{value}"], "fingerprint_refs": ["E001:7", "E001:7"]}
    acts = dict.fromkeys(("principal", "resource", "source_ip", "user_agent", "operation", "service"), value)
    tables = {
        "egress_pairs": pd.DataFrame([pair(host, catalogue_id="x", tenant="t", **prints)]),
        "cloud_activity": pd.DataFrame([act("E001:7", **acts)]),
    }
    return material(title=value, findings=found, tables=tables)


def values_of(given: Material) -> set[str]:
    """Every text that a query of that case may look for."""
    pairs, acts = given.tables["egress_pairs"].iloc[0], given.tables["cloud_activity"].iloc[0]
    prints = [one.partition(":")[2] for one in pairs.fingerprints or []]
    mine = {acts[name] for name in ("principal", "resource", "source_ip", "user_agent", "operation", "service")}
    return {pairs.dst, "t.example", ".t.example", *prints, *mine, f"/{acts.principal}"}


def blocks(content: bytes, mark: str) -> list[str]:
    """The queries of a file, without the comments above each."""
    found = ["\n".join(line for line in block.split("\n") if not line.startswith(mark)).strip()
             for block in content.decode("ascii").split("\n\n")]  # fmt: skip
    return [one for one in found if one]


def kusto(queries: list[str]) -> list[dict[str, Any]]:
    """What Kusto's own parser says of queries."""
    node = shutil.which("node")
    if node is None or not KUSTO.is_dir():
        pytest.skip("Kusto's parser is not here: make kusto")
    done = subprocess.run(
        [node, str(READER), str(KUSTO)], input=json.dumps(queries), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


SPL = re.compile(
    r'"(?P<text>(?:[^"\\]|\\.)*)"|\'(?P<field>[^\']*)\'|(?P<pipe>\|)|(?P<other>[`$\[\]]|[^"\'|`$\[\]]+)', re.DOTALL
)


def spl(query: str) -> dict[str, Any]:
    """A search by Splunk's rules of quoting: its texts, its pipes, and signs of macros, variables and subsearches."""
    found: dict[str, Any] = {"texts": [], "pipes": 0, "signs": [], "outside": ""}
    at = 0
    while at < len(query):
        token = SPL.match(query, at)
        assert token is not None, f"a quotation mark that nothing ends: {query[at:]!r}"
        at = token.end()
        if (text := token["text"]) is not None:
            found["texts"].append(re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL))
        found["pipes"] += token["pipe"] is not None
        found["signs"] += [token["other"]] if token["other"] in tuple("`$[]") else []
        found["outside"] += token["other"] or ""
    return found


def meant(text: str) -> str:
    """The text that a quoted word of the kit's searches stands for: wildcards around it, or a regular expression."""
    if text.startswith("(?i)"):
        pattern = text.removeprefix("(?i)").removeprefix("\\A").removesuffix("\\z")
        return re.sub(r"\\x\{([0-9A-F]+)\}", lambda one: chr(int(one[1], 16)), pattern)
    return text.removeprefix("*").removesuffix("*")
