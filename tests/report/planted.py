"""The hostile corpus: attacks planted in every text column of every table of a case, each with a mark of its own.

What is planted in events stands for any log that a format lets through; what is planted in results, for any value
that a question lets through. Values of ours (ids, references, names of states) stay, so that every room still runs.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

RAN = "onerror=alert(document.domain)"
ATTACKS = (
    f"<img src=x {RAN}>",
    "</script><script>alert(3)</script>",
    f"<svg/onload=alert(2)><image href=x {RAN}></svg>",
    "</td></table></main><iframe srcdoc='<script>parent.alert(4)</script>'></iframe>",
    '"}],"layout":{"images":[{"source":"https://evil.example/i.png"}]},"x":[{"',
    "=cmd|'/C calc'!A1",
    "invoice\u202egpj.exe \u200b\u2066\u061c",
    "\x1b[31mred\x1b[0m \x00\x07\x08 \u2028",
    '[click](javascript:alert(5)) ![p](https://evil.example/p.png "x")',
    r"$\href{javascript:alert(6)}{x}$ $$\unicode{x61}\require{html}\style{position:fixed}{x}$$ \(\class{x}{y}\)",
    "<style>*{display:none!important;background:url(https://evil.example/b)}</style>",
    "{{7*7}}{% include '/etc/passwd' %}${7*7}<%= 7*7 %>",
    "<math><mtext></form><a href='javascript:alert(7)' xlink:href='javascript:alert(8)'>x</a></math>",
    "<!--><meta http-equiv=refresh content=0;url=https://evil.example/r>]]>",
    "%{customdata}<extra></extra><a href='https://evil.example/l'>l</a>",
)
HUGE = 1 << 20
NUL_IN_EVENTS = "\u2400"  # see normalise/nul_characters.py
MARK = re.compile(r"ZQ([A-Z]+(?:-[A-Z]+)*)QZ")
# By these, rooms choose rows or compare times; a log cannot put words of its own there.
OURS = {
    "evidence_id", "format", "finding", "chain", "stage", "phase", "outcome", "state", "kind", "effect",
    "change", "verdict", "ownership", "list", "handed_over",
    "made_by", "blind_for", "attack", "rule_id", "provider", "faults", "relation", "entity_kind", "set_apart", "source",
    "sources", "beacon_channel", "aspect", "hypothesis", "item_sha256",
}  # fmt: skip
# A log chooses these too, but questions read them: they are spoilt in some rows only.
READ = {
    "src_endpoint_ip", "dst_endpoint_ip", "dst_endpoint_hostname", "src_endpoint_hostname", "proxy_endpoint_ip",
    "query_hostname", "query_type", "rcode", "answers", "http_request_url_string", "tls_sni", "api_operation",
    "api_operation_base", "api_service_name", "cloud_provider", "cloud_account_uid", "cloud_region", "status",
    "resource_name", "resource_uid", "actor_user_type", "actor_invoked_by", "actor_session_issuer", "request",
    "response", "disposition", "activity_name", "value", "indicator", "type", "connection_info_protocol_name",
    "http_request_http_method", "actor_user_uid", "actor_user_name", "device_hostname", "src", "dst", "host",
}  # fmt: skip
EVERY = 7  # row of a column that questions read


def mark(table: str, column: str) -> str:
    """What tells in a page from which column a text comes."""
    return f"zq{table}-{column}qz".replace("_", "-").upper()


def attack(number: int) -> str:
    """All attacks in one text, another first each time: long values are cut in their middle."""
    first = number % len(ATTACKS)
    return " ".join((*ATTACKS[first:], *ATTACKS[:first]))


def plant(folder: Path, huge: bool = False) -> list[str]:
    """Plant in every table below `folder`, one file each; gives the marks. With `huge`, one field a table of 1 MB."""
    marks: list[str] = []
    for file in sorted(folder.rglob("*.parquet")):
        table = pq.read_table(file)
        name = file.stem if file.parent == folder else file.parent.name
        for number, field in enumerate(table.schema):
            if field.name in OURS or field.name.endswith(("ref", "refs")) or not _is_text(field.type):
                continue
            marks.append(mark(name, field.name))
            text = f"{marks[-1]} {attack(number)}".replace("\0", NUL_IN_EVENTS)
            spoilt = [
                _spoilt(value, text, field.name, row + number)
                for row, value in enumerate(table[field.name].to_pylist())
            ]
            if huge and spoilt and field.name not in READ and not pa.types.is_list(field.type):
                spoilt[-1], huge = f"{text} {'A' * HUGE}", False
            table = table.set_column(number, field, pa.array(spoilt, field.type))
        pq.write_table(table, file)
    return sorted(set(marks))


def plant_json(file: Path, told: set[str]) -> None:
    """Plant in every text of a JSON file that stands under one of these keys."""

    def spoilt(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: spoilt(part, name) for name, part in value.items()}
        if isinstance(value, list):
            return [spoilt(part, key) for part in value]
        is_told = isinstance(value, str) and key in told
        return f"{value} {mark(file.stem, key)} {attack(len(key))}" if is_told else value

    file.write_text(json.dumps(spoilt(json.loads(file.read_text("utf-8")))), "utf-8")


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or (pa.types.is_list(kind) and pa.types.is_string(kind.value_type))


def _spoilt(value: Any, text: str, column: str, row: int) -> Any:
    if column in READ and row % EVERY:
        return value
    if isinstance(value, list):
        return [f"{part} {text}" for part in value]  # none is added: some lists stand side by side
    return f"{value} {text}" if value is not None else (None if row % EVERY else text)
