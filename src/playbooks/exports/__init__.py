"""What a case found, in the forms that other tools read. This room draws conclusions from nothing.

The same results give the same bytes: ids are made from what they stand for, times come from the records. Every value
may be an attacker's: it is written as data of the form, with the secrets of URLs hidden where the case says so.
What is slow to import is imported where it is used: `playbooks --help` lists the forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from playbooks import schema
from playbooks.exports.cacao import cacao_playbook
from playbooks.exports.case_graph import case_graph
from playbooks.exports.hunting.forms import kql_queries, sigma_rules, spl_queries
from playbooks.exports.material import Made, Material
from playbooks.exports.misp import misp_event
from playbooks.exports.navigator import navigator_layer
from playbooks.exports.ocsf import ocsf_lines
from playbooks.exports.stix import stix_bundle
from playbooks.exports.tables import csv_zip, parquet_zip
from playbooks.exports.timesketch import timesketch_lines


@dataclass(frozen=True)
class Form:
    """A form: what it is, how it is made, its file's ending, which tables it reads, and whether the chain."""

    about: str
    make: Callable[[Material], Made]
    suffix: str
    tables: tuple[str, ...] = ()
    custody: bool = False


HUNTED = ("egress_pairs", "cloud_activity")

FORMS: Mapping[str, Form] = {
    "stix": Form(
        "STIX 2.1 bundle of findings, what was seen, and indicators of outside hosts",
        stix_bundle,
        ".json",
        ("egress_pairs",),
    ),
    "misp": Form(
        "MISP event: destinations of findings as attributes, with their records",
        misp_event,
        ".json",
        ("egress_pairs", "links"),
    ),
    "navigator": Form("layer of the ATT&CK Navigator, 4.5", navigator_layer, ".json"),
    "timesketch": Form(
        "JSON lines for Timesketch: what happened when, and each cited record",
        timesketch_lines,
        ".jsonl",
        ("timeline", "links"),
    ),
    "csv": Form(
        "zip of every table of results, safe to open in a spreadsheet", csv_zip, ".zip", (*schema.RESULT_TABLES,)
    ),
    "parquet": Form(
        "zip of the same tables as Parquet, with their types, for a program",
        parquet_zip,
        ".zip",
        (*schema.RESULT_TABLES,),
    ),
    "sigma": Form("Sigma rules that find the behaviour of findings and leads elsewhere", sigma_rules, ".yml", HUNTED),
    "kql": Form("the same as KQL, for Microsoft Sentinel and Defender XDR", kql_queries, ".kql", HUNTED),
    "spl": Form("the same as searches of Splunk", spl_queries, ".spl", HUNTED),
    "cacao": Form("CACAO 2.0 playbook of the six notebooks, each whole and with its digest", cacao_playbook, ".json"),
    "ocsf": Form("JSON lines of OCSF 1.8 Detection Findings, for a SIEM", ocsf_lines, ".jsonl"),
    "case": Form(
        "the custody chain as JSON-LD of CASE 1.5: items, acts, performers, versions",
        case_graph,
        ".jsonld",
        custody=True,
    ),
}

__all__ = ["FORMS", "Form", "Made", "Material"]
