"""The custody chain as a graph of the CASE ontology: items, and who did what to them, when, with which version.

Every entry of the chain is one investigative action, informed by the one before; its number and fingerprints are tags,
so that the graph can be held against `custody.jsonl`. An entry that says it wrote such a graph is left out: it would
speak of itself. Whatever an entry says beyond what is known here is kept as JSON in its description.
Reference: CASE 1.5 and UCO 1.5 (ontology.caseontology.org), as JSON-LD.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from playbooks.exports.material import Made, Material, one_line

FORM = "case"
UCO = "https://ontology.unifiedcyberontology.org/uco/"
CONTEXT = {
    "kb": "urn:uuid:",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "investigation": "https://ontology.caseontology.org/case/investigation/",
    **{
        f"uco-{name}": f"{UCO}{name}/"
        for name in ("action", "core", "identity", "marking", "observable", "tool", "types")
    },
}
HASHES = {64: "SHA256", 128: "SHA512"}
HEX = re.compile(r"[0-9a-fA-F]+")
# What becomes a node or a tag of its own; everything else of an entry stays in its description.
TOLD = ("seq", "time", "activity", "actor", "tool", "chain_uid", "prev_event", "fingerprint", "item", "original")
PARTS = re.compile(r"Facet$|:Hash$|^uco-marking:")  # no objects in their own right, or about others only
Node = dict[str, Any]


def case_graph(material: Material) -> Made:
    """One JSON-LD document; the same chain gives the same bytes."""
    return _Graph(material).made()


class _Graph:
    """Nodes by id, in the order in which they are first told."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.nodes: dict[str, Node] = {}
        self.marking = self._marking()
        self.items: dict[str, str] = {}  # evidence id → its file

    def made(self) -> Made:
        told = [one for one in self.material.custody if not _of_itself(one)]
        before = ""
        for entry in told:
            before = self._act(entry, before)
        self._investigation()
        graph = {"@context": CONTEXT, "@graph": [*self.nodes.values()]}
        text = json.dumps(graph, indent=1, ensure_ascii=True) + "\n"
        holds = f"{len(told)} acts on {len(self.items)} items, {len(self.nodes)} nodes"
        return Made(text.encode("ascii"), holds)

    def _node(self, kind: str, name: str, facts: Mapping[str, Any]) -> str:
        """A node of this type for that content, made once; facts without a value are left out."""
        node_id = f"kb:{self.material.id_of('case-graph', f'{kind}|{name}')}"
        known = {key: value for key, value in facts.items() if value not in ("", None, [])}
        self.nodes.setdefault(node_id, {"@id": node_id, "@type": kind, **known})
        return node_id

    def _marking(self) -> str:
        statement = f"TLP:{self.material.tlp}"
        model = self._node(
            "uco-marking:StatementMarking",
            statement,
            {"uco-marking:definitionType": "statement", "uco-marking:statement": statement},
        )
        facts = {"uco-marking:definitionType": "statement", "uco-marking:definition": _to(model)}
        return self._node("uco-marking:MarkingDefinition", statement, facts)

    def _investigation(self) -> None:
        said = [self.material.title, *self.material.answers()]
        if self.material.evidence_head:
            said.append(f"Custody chain when the last evidence was added: {self.material.evidence_head}")
        members = [node_id for node_id, node in self.nodes.items() if not PARTS.search(node["@type"])]
        facts = {
            "uco-core:name": self.material.case_id,
            "uco-core:description": [one_line(one) for one in said if one.strip()],
            "investigation:investigationForm": "suspicious-activity",
            "uco-core:object": [_to(one) for one in members],
            "uco-core:objectMarking": _to(self.marking),
        }
        self._node("investigation:Investigation", self.material.case_id, facts)

    def _act(self, entry: Mapping[str, Any], before: str) -> str:
        """One entry of the chain: its performer, its instrument, what it was done to and what it gave."""
        objects, results = self._of(entry)
        rest = {name: value for name, value in entry.items() if name not in TOLD}
        tags = [
            f"{name} {one_line(str(entry[name]))}" for name in ("seq", "fingerprint", "prev_event") if name in entry
        ]
        facts = {
            "uco-core:name": one_line(str(entry.get("activity", ""))),
            "uco-core:description": json.dumps(rest, sort_keys=True) if rest else "",
            "uco-core:tag": tags,
            "uco-action:startTime": _time(entry.get("time")),
            "uco-action:performer": _to(self._performer(entry.get("actor"))),
            "uco-action:instrument": _to(self._tool(entry.get("tool"))),
            "uco-action:participant": [_to(one) for one in self._analyst(entry)],
            "uco-action:object": [_to(one) for one in objects],
            "uco-action:result": [_to(one) for one in results],
            "investigation:wasInformedBy": _to(before) if before else "",
            "uco-core:objectMarking": _to(self.marking),
        }
        return self._node("investigation:InvestigativeAction", f"{entry.get('seq')}|{entry.get('fingerprint')}", facts)

    def _of(self, entry: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """The nodes that an entry was done to, and those that came of it."""
        item = entry.get("item")
        if isinstance(item, Mapping) and isinstance(item.get("evidence_id"), str):
            return self._added(item, entry.get("original"))
        count = entry.get("items")
        read = [*self.items.values()][: count if type(count) is int else None] if "steps" in entry else []
        files = entry.get("files")
        written = dict(files) if isinstance(files, Mapping) else {}
        if "run_record_sha256" in entry:
            written["run.json"] = entry["run_record_sha256"]
        results = [self._file(str(name), [digest]) for name, digest in sorted(written.items())]
        if isinstance(entry.get("file"), str):
            results.append(self._file(entry["file"], [entry.get("sha256")], entry.get("size")))
        return read, results

    def _added(self, item: Mapping[str, Any], original: Any) -> tuple[list[str], list[str]]:
        """The file as it was found, the copy that is preserved, and its number as an exhibit."""
        digests, size = [item.get("sha256"), item.get("sha512")], item.get("size")
        changed = original.get("modified") if isinstance(original, Mapping) else None
        found = self._file(str(item.get("source", "")), digests, size, changed, "found")
        copy = self._file(f"evidence/data/{item.get('name', '')}", digests, size)
        self.items[item["evidence_id"]] = copy
        record = {
            "investigation:exhibitNumber": item["evidence_id"],
            "uco-core:description": "preserved copy of a file, unchanged since it was added",
            "uco-core:object": _to(copy),
            "uco-core:objectMarking": _to(self.marking),
        }
        return [found], [copy, self._node("investigation:ProvenanceRecord", item["evidence_id"], record)]

    def _file(self, path: str, digests: list[Any], size: Any = None, modified: Any = None, where: str = "case") -> str:
        """A file with its name, size and digests; the same path with the same digest is one node."""
        known = [one for one in digests if isinstance(one, str) and HEX.fullmatch(one) and len(one) in HASHES]
        name = f"{where}|{path}|{'|'.join(known)}"
        whole = size if type(size) is int else None
        facet = {
            "uco-observable:fileName": PurePosixPath(path).name,
            "uco-observable:filePath": path,
            "uco-observable:sizeInBytes": whole,
            "uco-observable:modifiedTime": _time(modified),
        }
        content = {
            "uco-observable:hash": [_to(self._hash(one, name)) for one in known],
            "uco-observable:sizeInBytes": whole,
        }
        facets = [self._node("uco-observable:FileFacet", name, facet)]
        facets += [self._node("uco-observable:ContentDataFacet", name, content)] if known else []
        marked = {"uco-core:hasFacet": [_to(one) for one in facets], "uco-core:objectMarking": _to(self.marking)}
        return self._node("uco-observable:File", name, marked)

    def _hash(self, digest: str, of: str) -> str:
        value = {"@type": "xsd:hexBinary", "@value": digest.upper()}
        facts = {"uco-types:hashMethod": HASHES[len(digest)], "uco-types:hashValue": value}
        return self._node("uco-types:Hash", f"{of}|{digest}", facts)

    def _performer(self, actor: Any) -> str:
        """Under which account, on which machine: the chain knows no more of a person."""
        known = actor if isinstance(actor, Mapping) else {}
        name = one_line(f"{known.get('user', 'unknown')} on {known.get('host', 'unknown')}")
        return self._node("uco-identity:Identity", name, self._named(name))

    def _analyst(self, entry: Mapping[str, Any]) -> Iterator[str]:
        """Who decided, by the name that was given."""
        decision = entry.get("decision")
        name = one_line(str(decision.get("analyst") or "")) if isinstance(decision, Mapping) else ""
        if name:
            yield self._node("uco-identity:Identity", name, self._named(name))

    def _tool(self, tool: Any) -> str:
        known = tool if isinstance(tool, Mapping) else {}
        name, version = (one_line(str(known.get(key, "unknown"))) for key in ("name", "version"))
        facts = self._named(name) | {"uco-tool:version": version}
        return self._node("uco-tool:Tool", f"{name}|{version}", facts)

    def _named(self, name: str) -> dict[str, Any]:
        return {"uco-core:name": name, "uco-core:objectMarking": _to(self.marking)}


def _of_itself(entry: Mapping[str, Any]) -> bool:
    return entry.get("activity") == "shared" and entry.get("form") == FORM


def _to(node: str) -> dict[str, str]:
    return {"@id": node}


def _time(stated: Any) -> dict[str, str] | None:
    """A time with its zone; nothing for what is none."""
    try:
        time = dt.datetime.fromisoformat(stated)
    except (TypeError, ValueError):
        return None
    return {"@type": "xsd:dateTime", "@value": time.isoformat(timespec="microseconds")} if time.tzinfo else None
