"""Write the pages of docs/reference/ from the code, so that no page can say what the code does not do.

python docs/make_reference.py           write them
python docs/make_reference.py --check   write nothing; exit 1 and name every page that differs
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import sys
import tokenize
import types
import typing
from collections.abc import Callable, Iterable
from pathlib import Path

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from playbooks import case_file, engine_choice, guide, inventory, lookup_rules, schema, vetting
from playbooks.argument import SCALE
from playbooks.cli.app import commands as commands_of_kit
from playbooks.engine import parity
from playbooks.errors import EXIT_CODES, PlaybookError
from playbooks.findings import cloud_signals, cloud_table_signals, egress_priority, egress_signals, estate, signal
from playbooks.formats import FORMATS
from playbooks.guide.results import QUESTIONS
from playbooks.knowledge.catalogue import load_catalogue
from playbooks.knowledge.characteristics import load_characteristics
from playbooks.knowledge.lifecycle import Rule, load_lifecycle
from playbooks.knowledge.operations import load_operations
from playbooks.knowledge.readings import load_readings
from playbooks.scoping import (
    baseline_habits,
    chains,
    host_contacts,
    host_events,
    novelty,
    related_activity,
    rhythm,
    shared_traits,
    watched,
)
from playbooks.sigma import signals as sigma_levels
from playbooks.steps import OWN_PARAMETER, STEPS, notebooks_folder, parameters_of

PAGES_FOLDER = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Made by docs/make_reference.py from the code: `make docs` writes it, `make check` compares it. -->"

# case.yaml: what each field is for. A field of the model that is missing here stops the writing.
FIELD_MEANING = {
    "CaseFile.case_id": "id of the case; letters, digits, dot, dash, underscore, at most 64",
    "CaseFile.title": "what it is about, in a line",
    "CaseFile.analyst": "who works on it",
    "CaseFile.tlp": "traffic light protocol marking, printed in the report",
    "CaseFile.hypotheses": "A: an outside function is called from inside. B: our own functions are abused",
    "CaseFile.window": "the span in question; without it all evidence counts",
    "CaseFile.baseline": "the quiet span before it; without it nothing can be called new",
    "CaseFile.clock": "IANA zone of stamps that carry none, e.g. Europe/Berlin; never guessed",
    "CaseFile.estate": "the network and the clouds that are ours",
    "CaseFile.inventory": "what we own, with owner",
    "CaseFile.inventory_files": "files in the folder of the case that list what we own: own entries, Terraform state, "
    "exports of a provider; a name alone stands for `file`. See "
    "[inventory files](../how-to/allow-list-and-inventory.md#inventory-files)",
    "CaseFile.allow_list": "what is known and accepted, with owner and expiry",
    "CaseFile.intel": "sources and items of intelligence that somebody has reviewed: entries here, or the name of a "
    "CSV or YAML file beside case.yaml, see [bring intelligence](../how-to/intelligence.md#vet-the-source)",
    "CaseFile.address_ranges": "whose ranges an evidence item lists that names nobody, see "
    "[bring intelligence](../how-to/intelligence.md#address-ranges)",
    "CaseFile.collectors": "who of ours collected evidence; their reads are set apart, see "
    "[collect next](../how-to/collect-next.md)",
    "CaseFile.sigma_rules": "files and folders of Sigma rules that run over the case besides the kit's own, seen from "
    "the folder of the case, see [use Sigma rules](../how-to/use-sigma-rules.md)",
    "CaseFile.options": "switches",
    "Window.start": "first moment, with zone; included",
    "Window.end": "last moment, with zone; not included",
    "Estate.trusted_proxies": "addresses or ranges of proxies whose X-Forwarded-For counts: the client is the last "
    "address in it that is none of them; nobody else's is believed",
    "Estate.internal_ranges": "address ranges inside the house; a destination in them is not outside",
    "Estate.own": "accounts, tenants, projects and zones of the house",
    "Own.aws_accounts": "account ids, in quotes so that leading zeros stay",
    "Own.azure_tenants": "tenant ids",
    "Own.gcp_projects": "project ids, and project numbers as they stand in hosts below run.app",
    "Own.cloudflare_accounts": "account ids, and the labels of the accounts below workers.dev",
    "Own.zones": "DNS zones of the house; a name in them is ours",
    "Own.brands": "names of the house that others might imitate, three characters at least; labels of zones count too",
    "Owned.owner": "team or person who answers for it",
    "Owned.service": "id of the service, see [catalogue](catalogue.md)",
    "Owned.resource": "name of the function or the like, as audit records write it",
    "Owned.host": "host name; `*` stands for anything",
    "Owned.tenant": "tenant label, see [catalogue](catalogue.md)",
    "Owned.approved": "whether its owner approved it",
    "Owned.expires": "last day of the approval; empty means until further notice",
    "InventoryFile.file": "name, seen from the folder of the case; files elsewhere are refused",
    "InventoryFile.owner": "who answers for every entry of the file that names nobody",
    "InventoryFile.approved": "whether its entries are approved; empty: own entries and Terraform state are where they "
    "name an owner, exports are not",
    "Allowed.kind": "destination: a host that may be called. tenant: a customer of a service. process: a program that "
    "may call. principal: somebody who may change things",
    "Allowed.value": "host name, `service/tenant`, path of a process image, or principal; `*` stands for anything. "
    "What would accept every customer of a service is not honoured",
    "Allowed.owner": "who accepts it",
    "Allowed.expires": "last day on which the entry counts",
    "Allowed.reason": "why",
    "Allowed.source": "contacts only: address that may call; empty means any",
    "Allowed.process": "contacts only: path of the image that alone may call; empty means any",
    "Allowed.actions": "principal only: phases that are accepted, see [operations](operations.md); empty means any",
    "Allowed.resource": "principal only: resources that may be changed; `*` stands for anything",
    "RangesOf.evidence": "evidence id, e.g. E007",
    "RangesOf.provider": "who publishes the ranges",
    "CaseFile.lookups": "services outside that may be asked about what was seen; nobody, unless named here, see "
    "[bring intelligence](../how-to/intelligence.md#ask-services-outside)",
    "Lookups.providers": "names of providers, as msticpyconfig.yaml has them",
    "Lookups.tlp_max": "what is known only from items above this marking is never sent; no marking counts as AMBER",
    "Lookups.per_minute": "questions that may leave in a minute",
    "Lookups.timeout_s": "seconds after which a question counts as failed",
    "VettedSource.source": "name of the source, exactly as in the `source` column of the indicator list; `*` for any",
    "VettedSource.item": "value of single items, a pattern with `*`",
    "VettedSource.vetted_by": "who reviewed it",
    "VettedSource.vetted_on": "when",
    "VettedSource.expires": "last day of the review; what was seen later counts as unreviewed",
    "VettedSource.verdict": "accepted, or rejected: its matches are shown and weigh nothing",
    "CaseFile.retention": "how long sources keep their records, as their owners state it, see "
    "[read coverage](../how-to/read-coverage.md)",
    "CaseFile.change_list": "what was announced: entries here, or the name of a CSV or YAML file beside case.yaml",
    "Change.id": "ticket or change number",
    "Change.since": "first moment, with zone; included; `from` is read too; empty means any",
    "Change.until": "last moment, with zone; not included; empty means any",
    "Change.principal": "who may do it, as audit records name them; `*` stands for anything",
    "Change.resource": "what is changed; `*` stands for anything",
    "Change.actions": "phases or operations, see [operations](operations.md); empty means any; in a CSV with spaces or "
    "semicolons between",
    "Change.approved_by": "who approved it",
    "Retained.source": "name, evidence id or format of a source, or a table; `*` stands for anything, e.g. `proxy*`",
    "Retained.days": "days that its owner says it keeps",
    "Retained.owner": "who says so",
    "Retained.needed_until": "day until which the records must be there; an alarm where they are deleted before",
    "Collector.principal": "name as audit records give it, or ARN of user, session or role; `*` stands for anything",
    "Collector.owner": "who collected",
    "Collector.user_agent": "its user agent; `*` stands for anything. Without it, since and until are needed",
    "Collector.source_ip": "its address; empty means any",
    "Collector.since": "first moment of the collection, with zone; included",
    "Collector.until": "last moment, with zone; not included",
    "CaseFile.engine": "where questions are asked; left out, DuckDB in this process, see "
    "[use another engine](../how-to/use-another-engine.md)",
    "EngineChoice.kind": "`duckdb`, in this process, or `spark`, a cluster that is there already",
    "EngineChoice.master": "spark only: address of the master, e.g. `spark://10.0.0.5:7077`, `yarn`, `local[4]`",
    "EngineChoice.settings": "spark only: properties for the session, e.g. `spark.executor.memory: 4g`",
    "Options.online_lookups": "whether `guide.lookup` may ask the providers of `lookups`; a blind spot without any",
    "Options.timestamp_url": "time stamp authority (RFC 3161) that `playbooks sign` may ask; empty: none is asked",
    "Options.keep_environment_values": "keep values of environment variables of acquired functions; may be secrets",
    "Options.redact_secrets": "hide credentials in the records that the report prints; evidence is never touched",
}
PHASE_MEANING = {
    "create": "makes a function, workflow or script",
    "modify-code": "changes what it runs",
    "modify-config": "changes its settings: role, environment, layers, network",
    "permission": "changes who may call or change it",
    "trigger": "ties it to an event, a schedule or an address",
    "invoke": "runs it",
    "identity": "makes or changes keys, roles, policies, consents",
    "defence-evasion": "ends, weakens or redirects a record of what happens",
    "discovery": "looks around",
}
# case.yaml: where each part of the model stands.
PLACES = {
    "CaseFile": "the file",
    "Window": "window, baseline",
    "Estate": "estate",
    "Change": "change_list",
    "Own": "estate.own",
    "Owned": "inventory",
    "InventoryFile": "inventory_files",
    "Allowed": "allow_list",
    "VettedSource": "intel",
    "Lookups": "lookups",
    "RangesOf": "address_ranges",
    "Collector": "collectors",
    "Retained": "retention",
    "EngineChoice": "engine",
    "Options": "options",
}
# Signals: when each kind is given, and its weight; names in braces are constants of the module that yields it.
# A kind that the code yields and that is missing here, or the other way round, stops the writing.
KIND_MEANING = {
    ("A", "rhythm"): (
        "A client calls a destination in a rhythm (`beacon_score` from {RHYTHM_FROM}) that fewer than "
        "{COMMON_SHARE:.0%} of all clients share; at a host of all customers, that few others call in a rhythm.",
        "{RHYTHM_WEIGHT} × `beacon_score`; {RHYTHM_KNOWN_WEIGHT} × where the destination was in use before the window",
    ),
    ("A", "rarity"): (
        "At most {RARE_CLIENTS} clients, or {RARE_SHARE:.0%} of them, talk to it, and none did in the baseline; "
        "only with {CLIENTS_TO_TELL} clients or more.",
        "{RARITY_WEIGHT}; {RARITY_WITHOUT_BASELINE} without a baseline",
    ),
    ("A", "client"): (
        "The program (user agent, process image or TLS fingerprint: one fact, counted once) is one client's alone, or "
        "a value has the shape of a tool that common software shares; not where the baseline knows program and place.",
        "{CLIENT_WEIGHT}; {CLIENT_ELSEWHERE_WEIGHT} for a fingerprint alone at a service that others have elsewhere",
    ),
    ("A", "tool"): (
        "Host name, URL, user agent, process or fingerprint has the shape of a documented tool.",
        "{TOOL_WEIGHT}",
    ),
    ("A", "ownership"): (
        "The destination is ours and was just changed without an allow-list entry.",
        "{MODIFIED_WEIGHT}",
    ),
    ("A", "intelligence"): (
        "An indicator that is not expired and not too broad names the host, the user agent or the fingerprint.",
        "{INTEL_WEIGHT[valid]} × confidence ÷ 100; {INTEL_WEIGHT[unvetted]} × from a source nobody vetted; "
        "no confidence counts as 50",
    ),
    ("B", "novelty"): (
        "Somebody did what they never did in the baseline (`novelty` from {NOVELTY_FROM}), and succeeded.",
        "{NOVELTY_WEIGHT} × the highest `novelty`",
    ),
    ("B", "exposure"): ("A successful change opened something to strangers.", "{EXPOSURE_WEIGHT}"),
    ("B", "tool"): ("The user agent is that of a documented tool; an exercise has it too.", "{TOOL_WEIGHT}"),
    ("B", "evasion"): (
        "A log records less than before, in any cloud, or nobody can tell from what it was changed; as much or more "
        "is no signal.",
        "{EVASION_WEIGHT}; {EVASION_UNKNOWN_WEIGHT} where the state before is not in evidence, and no second kind "
        "beside the change itself",
    ),
    ("B", "collector"): (
        "A mark of our own collection (its identity, or its user agent) on something that is no read.",
        "{COLLECTOR_WEIGHT}",
    ),
    ("B", "change"): (
        "What no baseline knows as a habit: a change, or rights given to somebody, with a user's credentials where "
        "pipelines have roles; or a change that failed.",
        "{BY_HAND_WEIGHT} by a user; {NOT_TOLD_WEIGHT} where no record says whose they are; {ATTEMPT_WEIGHT} failed; "
        "{REFUSED_WEIGHT} refused for want of rights",
    ),
    ("B", "chain"): (
        "Steps that lead to each other within the window, across principals (`chains.parquet`); what exposure, evasion "
        "and novelty add to its score is taken off where the resource has such a signal of its own.",
        "{CHAIN_WEIGHT} × what is left of the score, from {CHAIN_LEAD_FROM} on; a second kind from `CHAIN_FROM` on",
    ),
    ("B", "credentials"): (
        "Credentials of a function's role look used outside the function.",
        "{OUTSIDE_WEIGHT}; {UNCLEAR_WEIGHT} where only the role's own habit speaks against the address, and no second "
        "kind",
    ),
    ("B", "sigma"): (
        "A Sigma rule fits a record of the resource; a match that belongs to none is told from level high on.",
        "by its level, see `playbooks.sigma.signals`; a second kind from {RULE_FROM} on, for records that no other "
        "signal cites",
    ),
}
MODULES_OF = {"A": (egress_signals,), "B": (cloud_signals, cloud_table_signals)}


def cell(value: object) -> str:
    """A value as one cell of a Markdown table."""
    return re.sub(r"\s+", " ", str(value)).replace("|", "\\|").strip()


def code(text: object) -> str:
    """Text as code; nothing for nothing."""
    return f"`{text}`" if text not in (None, "") else ""


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    names = list(header)
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def page(title: str, *parts: str) -> str:
    """A page: heading, note on its origin, parts."""
    return "\n\n".join([f"# {title}", NOTE, *(part.strip() for part in parts)]) + "\n"


def _anchor(heading: str) -> str:
    """The fragment that a heading gets on a forge."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def docstring(thing: object) -> str:
    """The docstring of a thing, unindented; empty when it has none."""
    return inspect.getdoc(thing) or ""


def commands() -> str:
    """Every command with its arguments and options."""
    known = list(commands_of_kit())
    rows = [(f"[`{name}`](#{_anchor(name)})", docstring(call).partition("\n")[0]) for name, call in known]
    return page(
        "Commands",
        "The same words as `playbooks COMMAND --help`. What a command returns: [exit codes](exit-codes.md).",
        table(("command", "does"), rows),
        *(_command(name, call) for name, call in known),
    )


def _command(name: str, call: Callable[..., object]) -> str:
    text, _, example = docstring(call).partition("Example:")
    hints = typing.get_type_hints(call, include_extras=True)
    rows = [_parameter(p, hints[p.name]) for p in inspect.signature(call).parameters.values()]
    parts = [f"## {name}", text.strip()]
    if rows:
        parts.append(table(("", "type", "default", "meaning"), rows))
    parts.append(f"```text\n{example.strip()}\n```")
    return "\n\n".join(parts)


def _parameter(parameter: inspect.Parameter, hint: object) -> tuple[str, str, str, str]:
    kind, info = typing.get_args(hint)[:2]
    required = parameter.default is inspect.Parameter.empty
    if isinstance(info, typer.models.ArgumentInfo):
        name = parameter.name.upper() + ("…" if typing.get_origin(kind) is list else "")
    else:
        dashed = "--" + parameter.name.replace("_", "-")
        switch = f"{dashed} / --no-{dashed[2:]}" if kind is bool else dashed
        # in Annotated the first name of an option stands where its default would
        stated = [one for one in (info.default, *(info.param_decls or ())) if isinstance(one, str)]
        name = ", ".join(stated) or switch
    default = "required" if required else code(_plain(parameter.default))
    return code(name), _type_name(kind), default, info.help or ""


def _plain(value: object) -> object:
    if value is None or value == "" or value == []:
        return ""
    return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value


def _type_name(kind: object) -> str:
    """A type in words of a person who writes YAML or a command line."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _type_name(inner[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type_name(one) for one in inner if one is not type(None))
    if origin is list:
        return f"list: {_type_name(inner[0])}"
    if origin is typing.Literal:
        return " or ".join(str(one) for one in inner)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"[{PLACES[kind.__name__]}](#{_anchor(PLACES[kind.__name__])})"
    named = {"str": "text", "bool": "true or false", "int": "whole number", "float": "number", "Path": "path"}
    name = getattr(kind, "__name__", str(kind))
    return named.get(name, {"AwareDatetime": "time with zone", "date": "date"}.get(name, name))


def exit_codes() -> str:
    """The one table of exit codes."""
    errors = {kind.exit_code: kind.__name__ for kind in PlaybookError.__subclasses__()}
    rows = [(number, code(errors.get(number, "")), meaning) for number, meaning in EXIT_CODES.items()]
    return page(
        "Exit codes",
        "What a command returns. From 2 on, the last lines on stderr say what was expected and what to do.",
        table(("code", "error", "meaning"), rows),
    )


def formats() -> str:
    """Every format: what it shows, what it cannot, its clock, its columns."""
    rows = [(f"[`{form.name}`](#{form.name})", form.product, ", ".join(map(code, form.tables))) for form in FORMATS]
    return page(
        "Log formats",
        "A file is told by its content, never by its name. Gzip is looked into. If no format fits, or two fit equally "
        "well, every record is kept as unread, with the nearest formats and what was missing. "
        "Columns: [tables](tables.md).",
        table(("format", "reads", "table"), rows),
        *(_format(form) for form in FORMATS),
    )


def _format(form: object) -> str:
    module = sys.modules[f"playbooks.formats.{form.name}"]  # type: ignore[attr-defined]
    rows = [
        ("shows", form.shows),
        ("cannot show", form.cannot_show),
        ("zone of its stamps", form.clock.value),
        ("layout", type(form.cut).__name__),
        ("described in", form.reference),
        *(("no event", reason) for _, reason in form.status),
        *((f"fills {part.table}", ", ".join(code(name) for name in part.select())) for part in form.every_part),
    ]
    return f"## {form.name}\n\n{docstring(module).partition('Reference:')[0].strip()}\n\n" + table(("", ""), rows)


def tables() -> str:
    """The field dictionary."""
    parts = ["## Events", "`events/<table>/E001.parquet`, one file per evidence item, rows in the order of the record."]
    parts += [_table(one) for one in schema.TABLES.values()]
    parts += ["## Unread", "`unread/E001.parquet`.", _table(schema.UNREAD)]
    parts += ["## Results", "`results/<name>.parquet`."]
    parts += [_table(one) for one in schema.RESULT_TABLES.values()]
    return page(
        "Tables and columns",
        "Event tables use the names of OCSF 1.8, dots written as underscores. Times are UTC, to the microsecond. "
        "A column that a log does not carry is null, never an empty text.",
        *parts,
    )


def _table(one: schema.Table) -> str:
    rows = [(code(c.name), c.type, c.meaning, code(c.ocsf)) for c in one.columns]
    ocsf = f" OCSF class {one.class_uid}." if one.class_uid else ""
    return f"### {one.name}\n\n{one.about}{ocsf}\n\n" + table(("column", "type", "meaning", "OCSF"), rows)


def case_yaml() -> str:
    """Every field of case.yaml, from the model that validates it."""
    parts = [
        case_file.CaseFile,
        case_file.Window,
        case_file.Estate,
        case_file.Own,
        inventory.Owned,
        inventory.InventoryFile,
        case_file.Allowed,
        vetting.VettedSource,
        lookup_rules.Lookups,
        case_file.RangesOf,
        case_file.Collector,
        case_file.Retained,
        case_file.Change,
        engine_choice.EngineChoice,
        case_file.Options,
    ]
    return page(
        "case.yaml",
        "Checked before anything runs. A fault is named with line and field, and nothing is started. "
        "A field that is not listed here is refused: a typing error must not pass as a default.",
        *(f"## {PLACES[model.__name__]}\n\n{docstring(model)}\n\n{_fields(model)}" for model in parts),
    )


def _fields(model: type[BaseModel]) -> str:
    rows = []
    for name, field in model.model_fields.items():
        meaning = field.description or FIELD_MEANING[f"{model.__name__}.{name}"]
        rows.append((code(name), _type_name(field.annotation), _default(field), meaning))
    return table(("field", "type", "default", "meaning"), rows)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, list):
        return code(", ".join(map(str, value))) if value else "none"
    return "none" if value in (None, "") else code(_plain(value))


def questions() -> str:
    """What is asked, what it needs, and its limits."""
    return page(
        "Questions",
        "Every question has one of three answers. **found**: see the findings. **clear**: over how many records, from "
        "when to when. **blind**: which telemetry is missing. Of the columns under *needs*, one with values is enough.",
        *(_question(one) for one in QUESTIONS),
    )


def _question(one: object) -> str:
    needs = ", ".join(code(f"{name}.{column}") for name, column in one.needs)  # type: ignore[attr-defined]
    lines = [f"## {one.id}", f"**{one.title}** (hypothesis {one.hypothesis})", f"Needs any of {needs}."]
    lines += ["Innocent when:", "\n".join(f"- {text}" for text in one.innocent_when)]
    lines += ["Cannot see:", "\n".join(f"- {text}" for text in one.cannot_see)]
    return "\n\n".join(lines)


def notebooks() -> str:
    """The six notebooks, their parameters, and the verbs they use."""
    verbs = [
        (name, call)
        for name, call in inspect.getmembers(guide, inspect.isfunction)
        if call.__module__.startswith(guide.__name__) and not name.startswith("_") and "Example:" in docstring(call)
    ]
    rows = [(code(name), docstring(call).partition("\n")[0], _example(call)) for name, call in verbs]
    return page(
        "Notebooks",
        f"Parameters are given with `playbooks run CASE -p NAME=VALUE` and checked before a kernel starts. "
        f"`{OWN_PARAMETER}` is set by the runner. None of them may be a secret: they are stored in plain text.",
        *(_notebook(step) for step in STEPS),
        "## Verbs of a cell",
        "`from playbooks import guide`. Each verb takes the case first, shows itself, and gives its result as `.data`.",
        table(("verb", "does", "example"), rows),
    )


def _example(call: object) -> str:
    found = re.search(r"Example: (`[^`]+`)", docstring(call))
    return found[1] if found else ""


def _notebook(step: str) -> str:
    import json

    cells = json.loads((notebooks_folder() / f"{step}.ipynb").read_text(encoding="utf-8"))["cells"]
    head, *lines = "".join(cells[0]["source"]).splitlines()
    rows = [(code(p.name), p.type, code(repr(p.default)), p.help) for p in parameters_of(step)]
    words = "\n".join(f"- {line}" if line.startswith("**") else line for line in lines)
    question = re.sub(r"^# \d+ · ", "", head)
    return f"## {step}\n\n*{question}*\n\n{words.strip()}\n\n" + table(
        ("parameter", "type", "default", "meaning"), rows
    )


def findings() -> str:
    """How signals add up, from the constants themselves."""
    traits = load_characteristics()
    return page(
        "Findings and their scores",
        "A **signal** is one fact with the records behind it. A **lead** has at least one kind of signal that stands "
        "on its own. A **finding** has two kinds or more, one of them able to lead. "
        "Presence at a provider weighs nothing.",
        f"Score = 1 − Π(1 − weight): the strongest signal of each kind once, no weight above {signal.STRONGEST}. "
        "It puts findings in order; it is no probability of compromise. "
        f"Kinds that only support another: {', '.join(sorted(signal.SUPPORTING))}.",
        "A fact that is weak, or repeats what another signal of the same subject rests on, adds to the score and is "
        "none of the two kinds. A further signal never lowers anything.",
        "A destination outside the serverless catalogue stays a lead unless intelligence, a tool's shape or ownership "
        "speaks of it.",
        "## Kinds of signal",
        table(("hypothesis", "kind", "given when", "weight"), _kinds()),
        "## Weights and thresholds",
        "The same names as in the code. A constant without a remark is explained by its name.",
        *(
            _constants(module)
            for module in (
                *(signal, egress_signals, estate, egress_priority, cloud_signals, cloud_table_signals),
                *(sigma_levels, novelty, baseline_habits, chains, rhythm),
            )
        ),
        "## Confidence",
        "A word beside the score. It speaks of the behaviour in the title, not of who stands behind it.",
        table(("word", "given when"), SCALE.items()),
        "## Readings",
        "Facts are kinds of signal, or what the same records say besides. What a finding rests on makes no innocent "
        "reading fit by itself.",
        table(
            ("hypothesis", "reading", "facts for it", "facts against it"),
            (
                (one.hypothesis, one.says, ", ".join(one.speaks_for), ", ".join(one.speaks_against) or "–")
                for one in load_readings().readings
            ),
        ),
        "## Shapes of tools",
        f"{len(traits.characteristics)} documented traits are known. A default that the user of a tool changed "
        "is not seen.",
    )


def _kinds() -> list[tuple[str, str, str, str]]:
    """Every kind that `Signal(kind, sentence, weight, …)` is built with in these modules."""
    built = {
        (hypothesis, ast.literal_eval(node.args[0]))
        for hypothesis, modules in MODULES_OF.items()
        for module in modules
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Signal"
    }
    if differing := built ^ set(KIND_MEANING):
        raise SystemExit(f"docs/make_reference.py: KIND_MEANING and the code differ in {sorted(differing)}.")
    known = {hypothesis: _constants_of(modules) for hypothesis, modules in MODULES_OF.items()}
    return [(*key, *(text.format(**known[key[0]]) for text in KIND_MEANING[key])) for key in sorted(built)]


def _constants_of(modules: Iterable[types.ModuleType]) -> dict[str, object]:
    return {name: value for module in modules for name, value in vars(module).items()}


def _constants(module: types.ModuleType) -> str:
    """The numbers of a module, each with the comment beside it or the one above it."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    remarks = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    rows = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            value = getattr(module, node.targets[0].id)
            if isinstance(value, int | float) or (isinstance(value, dict) and not _is_table_of_names(value)):
                reason = remarks.get(node.end_lineno or node.lineno) or _above(lines, node.lineno)
                rows.append((code(node.targets[0].id), code(_rounded(value)), reason))
    return f"### {module.__name__}\n\n" + table(("constant", "value", "reason"), rows)


def _above(lines: list[str], lineno: int) -> str:
    """The comment block that ends on the line before, in one line."""
    words: list[str] = []
    for line in reversed(lines[: lineno - 1]):
        if not line.startswith("# "):
            break
        words.insert(0, line.removeprefix("# "))
    return " ".join(words)


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value


def _is_table_of_names(value: object) -> bool:
    return isinstance(value, dict) and not all(isinstance(one, float) for one in value.values())


def catalogue() -> str:
    """The services of the catalogue."""
    known = load_catalogue()
    rows = [(code(e.id), e.provider, e.service, _tenant_in(e), e.confidence, e.status) for e in known.entries]
    return page(
        "Catalogue of serverless services",
        f"Version {known.version}, {len(known.entries)} services. An entry labels, it never accuses: most of what is "
        "found here is the business at work. A name outside it may still hide a function behind a custom domain.",
        "*Tenant in* says where the customer's label stands. *none*: no record from inside tells the customers apart. "
        "Confidence speaks of the shape of the names, not of the services.",
        table(("id", "provider", "service", "tenant in", "confidence", "status"), rows),
    )


def _tenant_in(entry: object) -> str:
    places = [f"host ({rule.tenant_kind})" for rule in entry.hosts if rule.tenant]  # type: ignore[attr-defined]
    places += [f"path ({rule.tenant_kind})" for rule in entry.paths if rule.tenant]  # type: ignore[attr-defined]
    return ", ".join(dict.fromkeys(places)) or "none"


def operations() -> str:
    """The operations of control planes, by phase."""
    known = load_operations()
    by_phase = {phase: [o for o in known.operations if o.phase == phase] for phase in PHASE_MEANING}
    strangers = {o.phase for o in known.operations} - set(PHASE_MEANING)
    if strangers:
        raise SystemExit(f"docs/make_reference.py: PHASE_MEANING lacks {sorted(strangers)}.")
    rows = [(f"[{phase}](#{phase})", PHASE_MEANING[phase], len(found)) for phase, found in by_phase.items()]
    return page(
        "Operations of control planes",
        f"Version {known.version}, {len(known.operations)} operations. Names are compared without the API version that "
        "AWS appends and without regard to case. *Logged by default: no* means that silence proves nothing. "
        "ATT&CK ids are context for a reader; they define no rule here.",
        table(("phase", "the operation", "operations"), rows),
        *(_phase(phase, found) for phase, found in by_phase.items() if found),
    )


def _phase(phase: str, found: list[typing.Any]) -> str:
    logged = {True: "yes", False: "no", None: "no source says"}
    rows = [
        (o.platform, o.service, code(o.operation), o.log_class, logged[o.logged_by_default], ", ".join(o.attack))
        for o in found
    ]
    header = ("platform", "service", "operation", "record", "logged by default", "ATT&CK")
    return f"## {phase}\n\n" + table(header, rows)


def lifecycle() -> str:
    """Stages, telemetry and rules by which records around first contact are read."""
    known = load_lifecycle()
    stages = [
        (stage.name, ", ".join(map(code, stage.shown_by)), stage.needs, ", ".join(stage.tactics))
        for stage in known.stages
    ]
    channels = [(code(one.id), one.what, one.open) for one in known.channels]
    return page(
        "Around first contact: stages, telemetry, rules",
        f"Data version {known.version}. How to use it: [around first contact](../how-to/around-first-contact.md).",
        "## Stages",
        "A stage without a record is *clear* only where one of the telemetry named here reports of the host around "
        "first contact (or before it); else it is *blind*.",
        table(("stage", "one of these must report of the host", "when", "tactics"), stages),
        "## Telemetry",
        "It counts where records of the host itself are in evidence, and the log that holds them reports of the host "
        "in the span.",
        table(("telemetry", "what", "collect, where it is lacking"), channels),
        "## Rules",
        "The first that fits a record counts. Telling: hardly ordinary on a host.",
        table(
            ("stage", "rule", "telemetry", "techniques", "telling", "confidence", "sources", "innocent if"),
            [_rule(rule) for stage in known.stages for rule in known.every_rule if rule.stage == stage.id],
        ),
        *(_question(one.QUESTION) for one in (related_activity, shared_traits)),
        "## Thresholds",
        *(_constants(module) for module in (watched, host_events, host_contacts, shared_traits)),
    )


def _rule(rule: Rule) -> tuple[str, ...]:
    techniques = ", ".join(rule.attack) or ("those of the operation" if rule.operations else "–")
    sources, telling = ", ".join(rule.sources), "yes" if rule.telling else "no"
    return (
        rule.stage,
        code(rule.id),
        code(rule.channel),
        techniques,
        telling,
        rule.confidence,
        sources,
        rule.innocent_if,
    )


def engines() -> str:
    """What is the same on every engine, and what is not."""
    compiled = [
        (name, ", ".join(map(code, engine_words))) for name, engine_words in _not_compiled().items() if engine_words
    ]
    return page(
        "Engines",
        "The same questions run on DuckDB in this process and on a Spark cluster; their SQL is compiled for others. "
        "How to: [use another engine](../how-to/use-another-engine.md).",
        "## The same on DuckDB and Spark\n\nRow by row, fractions to 1e-9, by a test on a standalone cluster with "
        "two workers, which runs where pyspark and Java are; `findings.json` of the sample is the same file, byte for "
        "byte: "
        f"{', '.join(map(code, parity.SAME))}.",
        f"Asked of either, and not compared yet: {', '.join(map(code, parity.NOT_COMPARED))}.",
        "What may differ:\n\n" + table(("where", "why"), [(code(at), why) for at, why in parity.DIFFERS.items()]),
        "What stays in this process whatever `engine` says:\n\n" + table(("what", "why"), parity.HERE_ONLY.items()),
        "Limits that no question meets today:\n\n" + "\n".join(f"- {text}" for text in parity.LIMITS),
        "## Compiled, not run\n\nThe SQL of every result above is compiled by Ibis and parsed for "
        f"{', '.join(map(code, parity.COMPILED_FOR))}. **None of these is run here.** No function in Python is needed "
        "there. What has no words there:\n\n" + table(("engine and result", "missing"), compiled),
        "Called by name:\n\n"
        + table(("function", "where"), [(code(at), why) for at, why in parity.CALLED_BY_NAME.items()]),
    )


def _not_compiled() -> dict[str, tuple[str, ...]]:
    return {
        f"{engine}: {code(result)}": words
        for engine, results in parity.NOT_COMPILED.items()
        for result, words in results.items()
    }


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "exit-codes.md": exit_codes,
    "formats.md": formats,
    "tables.md": tables,
    "case-yaml.md": case_yaml,
    "questions.md": questions,
    "notebooks.md": notebooks,
    "findings.md": findings,
    "catalogue.md": catalogue,
    "operations.md": operations,
    "lifecycle.md": lifecycle,
    "engines.md": engines,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(__doc__ or "")
        return 2
    made = {name: make() for name, make in PAGES.items()}
    present = {file.name: file.read_text(encoding="utf-8") for file in sorted(PAGES_FOLDER.glob("*.md"))}
    if arguments:
        differing = sorted(name for name in made.keys() | present.keys() if made.get(name) != present.get(name))
        for name in differing:
            sys.stderr.write(f"docs/reference/{name} is not what the code says. Run: make docs\n")
        return 1 if differing else 0
    PAGES_FOLDER.mkdir(exist_ok=True)
    for name, text in made.items():
        (PAGES_FOLDER / name).write_text(text, encoding="utf-8")
    for name in present.keys() - made.keys():
        (PAGES_FOLDER / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
