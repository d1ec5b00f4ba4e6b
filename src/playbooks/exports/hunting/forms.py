"""The three forms of a hunt: rules as YAML, and queries for Sentinel or Defender and for Splunk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import yaml

from playbooks.exports.hunting.rules import Hunt, hunts
from playbooks.exports.material import Made, Material, one_line

if TYPE_CHECKING:
    from sigma.rule import SigmaRule

WIDTH = 120
NOT_IN_A_COMMENT = re.compile(r"[^ -_a-~]|//|\*/")  # nor a backtick, which ends a comment of Splunk's


def sigma_rules(material: Material) -> Made:
    """Every rule as a document of one YAML file; the answers of the case stand above them as a comment.

    A file holds no more than the kit's own reader of rules takes; findings come first.
    """
    from playbooks.sigma.rule_files import MAX_DOCUMENTS, MAX_FILE_BYTES

    left_out: list[str] = []
    text = _head(material, "# ")
    written = beyond = 0
    for hunt in hunts(material, left_out):
        _parsed(hunt)
        document = f"---\n{yaml.dump(dict(hunt.rule), Dumper=_Dumper, sort_keys=False, width=WIDTH)}"
        if beyond or written == MAX_DOCUMENTS or len(text) + len(document) > MAX_FILE_BYTES:
            beyond += 1
            continue
        text += document
        written += 1
    if beyond:
        left_out.append(f"{beyond} rules more: a file of rules holds {MAX_DOCUMENTS}, or {MAX_FILE_BYTES:,} bytes")
    return Made(text.encode("ascii"), f"{written} rules", tuple(left_out))


def kql_queries(material: Material) -> Made:
    """A query of KQL for each rule whose records have a table in Microsoft's products."""
    return _queries(material, "kql", "// ", _kql)


def spl_queries(material: Material) -> Made:
    """A search of Splunk for each rule whose records have a name there."""
    return _queries(material, "spl", "", _spl)


class _Dumper(yaml.SafeDumper):
    """Writes lists below their key, and no aliases: the kit's own reader of rules takes none."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _parsed(hunt: Hunt) -> SigmaRule:
    """The rule as pySigma reads it; a rule of ours that it refuses is a fault of ours."""
    from sigma.rule import SigmaRule

    return SigmaRule.from_dict(dict(hunt.rule))


def _head(material: Material, mark: str) -> str:
    said = [f"case {material.case_id}, TLP:{material.tlp}", *material.answers()]
    return "".join(_comment(line, mark) for line in said)


def _comment(text: str, mark: str) -> str:
    """One line of comment; Splunk's stands between three backticks. Nothing in it ends it."""
    said = NOT_IN_A_COMMENT.sub(" ", one_line(text)).strip()
    return f"{mark}{said}\n" if mark else f"```{said}```\n"


def _queries(material: Material, dialect: str, mark: str, compiled: Callable[[Hunt], str]) -> Made:
    left_out: list[str] = []
    blocks = []
    for hunt in hunts(material, left_out):
        missing = _missing(hunt, dialect)
        if missing:
            left_out.append(f"{hunt.rule['title']}: {missing}")
            continue
        about = [hunt.rule["title"], f"rule {hunt.rule['id']}, level {hunt.rule['level']}", hunt.rule["description"]]
        about += [f"Innocent if: {one}" for one in hunt.rule["falsepositives"]]
        blocks.append("".join(_comment(line, mark) for line in about) + compiled(hunt) + "\n")
    text = "\n".join([_head(material, mark), *blocks])
    return Made(text.encode("ascii"), f"{len(blocks)} queries", tuple(left_out))


def _missing(hunt: Hunt, dialect: str) -> str:
    """Why there is no query of that language for a rule; empty where there is one."""
    spoken = hunt.source.dialects.get(dialect)
    if spoken is None:
        return f"no {dialect.upper()} name of {hunt.source.about} is known; use the Sigma rule"
    unknown = sorted({name for name in _fields(hunt.rule["detection"]) if name not in spoken.fields})
    return f"no {dialect.upper()} name of {', '.join(unknown)} is known; use the Sigma rule" if unknown else ""


def _fields(found: Any) -> Iterable[str]:
    for value in found.values() if isinstance(found, dict) else ():
        for one in value if isinstance(value, list) else [value]:
            yield from (name.partition("|")[0] for name in (one if isinstance(one, dict) else ()))


def _pipeline(hunt: Hunt, dialect: str) -> Any:
    from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
    from sigma.processing.transformations import FieldMappingTransformation

    names: Any = dict(hunt.source.dialects[dialect].fields)
    return ProcessingPipeline(items=[ProcessingItem(FieldMappingTransformation(names))])


def _kql(hunt: Hunt) -> str:
    from playbooks.exports.hunting.backends import KqlBackend

    [condition] = KqlBackend(_pipeline(hunt, "kql")).convert_rule(_parsed(hunt))
    table, *conditions = hunt.source.dialects["kql"].where.split(" | ")
    return "\n| ".join([table, *conditions, f"where {condition}"])


def _spl(hunt: Hunt) -> str:
    """As a search, which uses Splunk's index; with the command `where` where a value is not plain."""
    from sigma.exceptions import SigmaFeatureNotSupportedByBackendError

    from playbooks.exports.hunting.backends import SplBackend, SplWhereBackend

    where, pipeline = hunt.source.dialects["spl"].where, _pipeline(hunt, "spl")
    try:
        [condition] = SplBackend(pipeline).convert_rule(_parsed(hunt))
        return f"search {where} ({condition})"
    except SigmaFeatureNotSupportedByBackendError:
        [condition] = SplWhereBackend(_pipeline(hunt, "spl")).convert_rule(_parsed(hunt))
        return f"search {where}\n| where {condition}"
