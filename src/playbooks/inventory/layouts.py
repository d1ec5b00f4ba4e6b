"""What an export looks like, and where in it the names of our things stand: data, read by one function.

A path is names joined by `>`; `[]` behind a name (or alone) goes through a list; `^` begins at the object around the
record. What a path does not find, or finds to be no text, is not there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict
from urllib.parse import urlsplit

from playbooks.inventory.entry import Listed
from playbooks.knowledge.catalogue import load_catalogue, plain_host

OWNER_TAGS = ("owner", "team", "service-owner", "service_owner", "responsible", "maintainer", "contact")
LONGEST_TEXT = 2048
ACCOUNT = re.compile(
    r"^arn:[^:]*:[^:]*:[^:]*:(\d{12}):|/subscriptions/([0-9A-Fa-f-]{36})(?:/|$)|(?:^|/)projects/([^/]+)/"
)
REGION = re.compile(r"^arn:[^:]*:[^:]*:([a-z0-9-]+):|/locations/([a-z0-9-]+)(?:/|$)")
ARN_NAME = re.compile(r"^arn:.*:function:([^:]+)")


class At(TypedDict):
    """Where account and region stand, for several kinds."""

    account: tuple[str, ...]
    region: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """Where one kind of thing keeps its names; of `resource`, `account` and `region` the first that is there counts.

    `made_host` builds a host out of `{resource}` and `{region}`. `fold`: the audit log writes its name in lower case.
    """

    service: str | None = None
    resource: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    tenant: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    made_host: str = ""
    fold: bool = False


@dataclass(frozen=True)
class Layout:
    """One shape of document.

    `records` leads to its records; the first of them has all of `keys` and, where named, one of `any_of`. `kind_at`
    tells the kind of a record; without it all are `""`. `only` are conditions on a record. `declared`: somebody of ours
    wrote that it should be there, while an export shows what is.
    """

    name: str
    records: str
    keys: frozenset[str]
    kinds: Mapping[str, Kind]
    any_of: frozenset[str] = frozenset()
    kind_at: str = ""
    only: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ("tags", "Tags", "labels")
    declared: bool = False
    root: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, data: Any) -> bool:
        """Whether a document has this shape; an empty list of records has it too."""
        if self.root and not (isinstance(data, dict) and all(data.get(k) == v for k, v in self.root.items())):
            return False
        for _, chain in walk(data, self.records):
            return self.keys <= chain[-1].keys() and (not self.any_of or not self.any_of.isdisjoint(chain[-1]))
        first = self.records.removesuffix("[]").partition(">")[0].removesuffix("[]")
        return bool(first) and isinstance(data, dict) and data.get(first) == []


Chain = tuple[dict[str, Any], ...]


def walk(data: Any, path: str) -> Iterator[tuple[str, Chain]]:
    """Each object that a path leads to, with its place in the document and the objects around it, outermost first."""
    yield from _walk(data, path.split(">") if path else [], "$", ())


def _walk(node: Any, steps: list[str], place: str, around: Chain) -> Iterator[tuple[str, Chain]]:
    here = (*around, node) if isinstance(node, dict) else around
    if not steps:
        if isinstance(node, dict):
            yield place, here
        return
    name, through = steps[0].removesuffix("[]"), steps[0].endswith("[]")
    below = node.get(name) if name and isinstance(node, dict) else None if name else node
    place = f"{place}.{name}" if name else place
    if not through:
        yield from _walk(below, steps[1:], place, here)
    elif isinstance(below, list):
        for number, one in enumerate(below):
            yield from _walk(one, steps[1:], f"{place}[{number}]", here)


def texts(chain: Chain, *paths: str) -> list[str]:
    """Every text that the paths find, in their order."""
    found: list[str] = []
    for path in paths:
        outer = path.startswith("^")
        start = chain[-2] if outer and len(chain) > 1 else chain[-1]
        found += [text for node in _nodes(start, path.removeprefix("^").split(">")) if (text := _text(node))]
    return found


def _nodes(node: Any, steps: list[str]) -> Iterator[Any]:
    if not steps:
        yield node
        return
    name, through = steps[0].removesuffix("[]"), steps[0].endswith("[]")
    below = node.get(name) if isinstance(node, dict) else None
    for one in below if through and isinstance(below, list) else () if through else (below,):
        yield from _nodes(one, steps[1:])


def _text(node: Any) -> str | None:
    text = str(node) if isinstance(node, int) and not isinstance(node, bool) else node
    return text if isinstance(text, str) and 0 < len(text.strip()) <= LONGEST_TEXT else None


def entries(layout: Layout, data: Any) -> Iterator[tuple[str, Listed]]:
    """The entries of a document of this layout, each with its place; one for each host of a thing, or one without."""
    for place, chain in walk(data, layout.records):
        kind = layout.kinds.get("" if not layout.kind_at else next(iter(texts(chain, layout.kind_at)), "").lower())
        if kind is None or not all(value in texts(chain, path) for path, value in layout.only):
            continue
        for one in _of_record(kind, chain, _owner(layout, chain)):
            yield place, one


def _of_record(kind: Kind, chain: Chain, owner: str) -> Iterator[Listed]:
    resource = next(map(short_name, texts(chain, *kind.resource)), None)
    if resource and kind.fold:
        resource = resource.lower()
    account = next((found for text in texts(chain, *kind.account) if (found := _part(ACCOUNT, text))), None)
    region = next((found for text in texts(chain, *kind.region) if (found := _part(REGION, text))), None)
    tenant = next(iter(texts(chain, *kind.tenant)), None)
    given = [text for found in texts(chain, *kind.hosts) for text in _spread(found)]
    if kind.made_host and resource and region:
        given.append(kind.made_host.format(resource=resource, region=region))
    facts = {"owner": owner, "resource": resource, "account": account, "region": region}
    names = dict.fromkeys(name for text in given for name in names_of(text))
    for host, at_host, service in names:
        yield Listed.model_validate(facts | {"host": host, "tenant": at_host, "service": service or kind.service})
    if not names and (resource or tenant):
        yield Listed.model_validate(facts | {"tenant": tenant, "service": kind.service})


def _part(pattern: re.Pattern[str], text: str) -> str | None:
    """The group of a long id; a text that is no long id stands for itself."""
    if found := pattern.search(text):
        return next(group for group in found.groups() if group)
    return None if text.startswith("arn:") or "/" in text else text


def _owner(layout: Layout, chain: Chain) -> str:
    """Who is named in the tags: an object of names and values, or a list of pairs."""
    told: dict[str, str] = {}
    for path in layout.tags:
        for node in _nodes(chain[-1], path.split(">")):
            pairs = node.items() if isinstance(node, dict) else _pairs(node)
            told |= {str(name).lower(): text for name, value in pairs if (text := _text(value))}
    return next((told[name] for name in OWNER_TAGS if name in told), "")


def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:
    for one in node if isinstance(node, list) else ():
        if isinstance(one, dict):
            yield one.get("Key", one.get("key")), one.get("Value", one.get("value"))


def _spread(text: str) -> list[str]:
    """A text that holds a list of texts, as annotations of Cloud Run do, as these."""
    if not text.startswith("["):
        return [text]
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [one for one in held if isinstance(one, str)] if isinstance(held, list) else []


def short_name(text: str) -> str:
    """The name at the end of an ARN, an id or a path; a plain name stays."""
    if found := ARN_NAME.match(text):
        return found[1]
    last = text.rstrip("/").rsplit("/", 1)[-1]
    return last.rsplit(":", 1)[-1] if text.startswith("arn:") else last


def names_of(text: str) -> list[tuple[str | None, str | None, str | None]]:
    """Host, tenant and service of a URL, a host or a pattern; of a host that serves everybody only the tenant."""
    host, path = _split(text)
    if host is None:
        return []
    if "*" in host:
        bare = host.removeprefix("*").removeprefix(".")
        names = [f"*.{bare}"] if host.startswith("*.") else [bare, f"*.{bare}"]  # `*a.b` covers a.b and all below
        return [(name, None, None) for name in names] if bare and "*" not in bare else []
    match = load_catalogue().classify(host, path)
    if match is not None and match.shared:
        return [(None, match.tenant, match.id)] if match.tenant else []
    return [(host, None, match.id if match else None)]


def _split(text: str) -> tuple[str | None, str | None]:
    if "://" not in text:
        host, slash, path = text.partition("/")
        return plain_host(host.strip()), slash + path
    try:
        url = urlsplit(text)
        return plain_host(url.hostname or ""), url.path
    except ValueError:
        return None, None
