"""`case.yaml`: what it may hold, and every fault of it named with line and field."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from playbooks.change_list import Change, read_change_list
from playbooks.engine_choice import DUCKDB, EngineChoice
from playbooks.errors import CaseError, UsageError
from playbooks.inventory import InventoryFile, Owned, read_inventory_files
from playbooks.lookup_rules import Lookups
from playbooks.vetting import VettedSource, read_vetting
from playbooks.yaml_places import line_of, refuse_repeated_keys

PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def _network(text: str) -> str:
    return str(ipaddress.ip_network(text))


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{text!r} is no IANA time zone such as Europe/Berlin or UTC") from error
    return text


def _case_id(text: str) -> str:
    if not CASE_ID.fullmatch(text):
        raise ValueError("expected letters, digits, dot, dash or underscore, at most 64")
    return text


def check_zone(text: str) -> str:
    """`text`, if it names a time zone.

    Raises
    ------
    UsageError
        It does not.
    """
    try:
        return _zone(text)
    except ValueError as error:
        raise UsageError(f"{error}.") from error


Network = Annotated[str, AfterValidator(_network)]
Zone = Annotated[str, AfterValidator(_zone)]
CaseId = Annotated[str, AfterValidator(_case_id)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Window(_Part):
    """A span of time, start included, end excluded, both with a zone."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _in_order(self) -> Window:
        if self.start >= self.end:
            raise ValueError("start must lie before end")
        return self

    def words(self) -> str:
        """The window in words, UTC."""
        return f"{_utc_words(self.start)} to {_utc_words(self.end)}"


def _utc_words(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


class Own(_Part):
    """What belongs to the house: accounts, tenants, projects, zones."""

    aws_accounts: list[str] = []
    azure_tenants: list[str] = []
    gcp_projects: list[str] = []
    cloudflare_accounts: list[str] = []
    zones: list[str] = []
    brands: list[Annotated[str, Field(min_length=3)]] = []


class Estate(_Part):
    """The network and the clouds that are ours.

    Of a request from one of `trusted_proxies` the last address in X-Forwarded-For that is no such proxy is the client.
    """

    internal_ranges: list[Network] = list(PRIVATE_RANGES)
    trusted_proxies: list[Network] = []
    own: Own = Own()


def _fits(text: str, pattern: str) -> bool:
    return fnmatchcase(text.lower(), pattern.lower())


class Allowed(_Part):
    """One allow-list entry: what is known and accepted, by whom, until when.

    `destination` and `tenant` accept contacts with a host or a customer of a service (`cf-workers/corp-edge`), of one
    `source` or `process` where named; `process` what a program does; `principal` what somebody does in a cloud.
    """

    kind: Literal["destination", "tenant", "process", "principal"]
    value: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    expires: dt.date
    reason: str = ""
    source: str | None = None
    process: str | None = None
    actions: list[str] = []
    resource: str = "*"

    def may_cover(self, dst: str) -> bool:
        """Whether it can cover a contact with that host, whoever makes it: only `destination` names hosts."""
        return self.kind in ("tenant", "process") or _fits(dst, self.value)

    def covers_contact(self, src: str, dst: str, customer: str | None, processes: Iterable[str], on: dt.date) -> bool:
        """Whether it covers contacts of `src` with `dst` on that day (patterns with `*`).

        An entry that names a process covers what only such processes did, and nothing where none is known.
        """
        value = {"destination": dst, "tenant": customer, "process": None}.get(self.kind)
        process = self.value if self.kind == "process" else self.process
        return (
            self.kind != "principal"
            and on <= self.expires
            and (self.kind == "process" or (value is not None and _fits(value, self.value)))
            and (self.source is None or fnmatchcase(src, self.source))
            and (process is None or {_fits(one, process) for one in processes} == {True})
        )

    def covers_action(self, principal: str, phase: str, resource: str, on: dt.date) -> bool:
        """Whether it covers `principal` doing an action of `phase` to `resource` on that day."""
        return (
            self.kind == "principal"
            and on <= self.expires
            and fnmatchcase(principal, self.value)
            and (not self.actions or phase in self.actions)
            and fnmatchcase(resource, self.resource)
        )

    def words(self) -> str:
        """The entry in words, for reports."""
        return f"{self.value} (owner {self.owner}, expires {self.expires.isoformat()})"


def _named(given: object) -> object:
    return {"file": given} if isinstance(given, str) else given


class RangesOf(_Part):
    """Whose address ranges an evidence item lists, where the list itself names nobody."""

    evidence: str
    provider: str = Field(min_length=1)


class Collector(_Part):
    """Somebody of ours who collects evidence, and the marks by which the audit logs show it.

    A principal alone is no mark, and a user agent alone is none either: anybody can send it.
    """

    principal: str
    owner: str = Field(min_length=1)
    user_agent: str | None = None
    source_ip: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _says_enough(self) -> Collector:
        if not self.principal.strip("*?") or (self.user_agent is not None and not self.user_agent.strip("*? ")):
            raise ValueError("a pattern of wildcards alone covers everybody; name the principal and the user agent")
        if not self.user_agent and not (self.since and self.until):
            raise ValueError("a collector needs a user_agent, or since and until, beside its principal")
        if self.since and self.until and self.since >= self.until:
            raise ValueError("since must lie before until")
        return self


class Retained(_Part):
    """How long a source keeps its records at its owner's, as somebody states it."""

    source: str = Field(min_length=1)  # pattern: name of an item, format or table, e.g. "proxy*" or dns_activity
    days: int = Field(ge=1, le=36_500)
    owner: str = Field(min_length=1)
    needed_until: dt.date | None = None

    def covers(self, *names: str) -> bool:
        """Whether it speaks of a source that goes by one of these names."""
        return any(fnmatchcase(name.lower(), self.source.lower()) for name in names)


class Options(_Part):
    """Switches of a case; every default is the safe one."""

    online_lookups: bool = False
    redact_secrets: bool = True
    timestamp_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    keep_environment_values: bool = False


class CaseFile(_Part):
    """The content of `case.yaml`; `inventory` holds the entries of `inventory_files` too, once these are read."""

    case_id: CaseId
    title: str = ""
    analyst: str = ""
    tlp: Literal["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"] = "AMBER"
    hypotheses: list[Literal["A", "B"]] = ["A", "B"]
    window: Window | None = None
    baseline: Window | None = None
    clock: Zone | None = None
    estate: Estate = Estate()
    inventory: list[Owned] = []
    inventory_files: list[Annotated[InventoryFile, BeforeValidator(_named)]] = []
    allow_list: list[Allowed] = []
    intel: list[VettedSource] | str = []
    lookups: Lookups = Lookups()
    address_ranges: list[RangesOf] = []
    collectors: list[Collector] = []
    retention: list[Retained] = []
    sigma_rules: list[Annotated[str, Field(min_length=1)]] = []
    change_list: list[Change] | str = []
    engine: EngineChoice = DUCKDB
    options: Options = Options()

    @property
    def changes(self) -> list[Change]:
        """The entries of the change list; read from its file by `read_case_file`."""
        return [] if isinstance(self.change_list, str) else self.change_list

    @property
    def vetting(self) -> list[VettedSource]:
        """What was reviewed of intelligence; read from its file by `read_case_file`."""
        return [] if isinstance(self.intel, str) else self.intel


def read_case_file(file: Path) -> CaseFile:
    """Read and validate one `case.yaml`; every fault is listed with its line."""
    try:
        text = file.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        refuse_repeated_keys(node)
        data = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise CaseError(f"{file}: not UTF-8 text ({error}). Save it as UTF-8.") from error
    except (yaml.YAMLError, ValueError) as error:  # a date such as 2026-02-30 is a ValueError
        raise CaseError(f"{file}: not valid YAML: {error}. Correct it and run again.") from error
    if not isinstance(data, dict):
        raise CaseError(f"{file}: expected fields such as `case_id: IR-1`, found {type(data).__name__}.")
    try:
        case = CaseFile.model_validate(data)
    except ValidationError as error:
        raise CaseError(_faults(file, node, error)) from error
    beside: dict[str, object] = {}
    if isinstance(case.change_list, str):
        beside["change_list"] = read_change_list(file.parent / case.change_list)
    if case.inventory_files:
        beside["inventory"] = [*case.inventory, *read_inventory_files(file.parent, case.inventory_files)]
    if isinstance(case.intel, str):
        beside["intel"] = read_vetting(file.parent / case.intel)
    return case.model_copy(update=beside)


MESSAGES = {"extra_forbidden": "no such field here; is it misspelt?", "missing": "this field is needed"}


def _faults(file: Path, node: yaml.Node | None, error: ValidationError) -> str:
    lines = [f"{file} is not valid:"]
    for fault in error.errors(include_url=False):
        if "str" in fault["loc"] and isinstance(fault["input"], list):
            continue  # it is no name of a file: its entries are told
        loc = tuple(part for part in fault["loc"] if not str(part).startswith("list["))
        field = ".".join(str(part) for part in loc) or "(whole file)"
        message = MESSAGES.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        found = "" if fault["type"] in ("missing", "extra_forbidden") else f"; found {fault['input']!r:.80}"
        lines.append(f"  line {line_of(node, loc)}, field {field}: {message}{found}")
    lines.append("Correct these fields and run again; the reference is docs/reference/case-yaml.md.")
    return "\n".join(lines)
