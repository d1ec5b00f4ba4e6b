"""What a function's code and settings were, when: hash, version, layers, runtime, role, log group, aliases.

CloudTrail never holds code, but answers of calls hold its hash. A hash that comes back after another was in place is a
round trip: changed, and changed back. A value that differs although no record in evidence set it was changed where
nobody recorded it. `revisionId` is left out: AWS changes it without any call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks import schema
from playbooks.knowledge.operations import base_name
from playbooks.scoping.clouds import ACTOR_COLUMNS, principal_of
from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.clouds.record_json import json_object, plain_text, text_at, texts_at
from playbooks.scoping.control_plane import once, plain

if TYPE_CHECKING:
    from playbooks.case import Case
    from playbooks.engine import Tables

CODE, VERSION, LAYERS = "code_sha256", "version", "layers"
# Where an answer holds each aspect; acquired answers begin with a capital, which makes no difference.
ASPECTS: Mapping[str, str] = {
    CODE: "codeSha256",
    LAYERS: "layers[].arn",
    "runtime": "runtime",
    "role": "role",
    "handler": "handler",
    "log_group": "loggingConfig.logGroup",
    "execution_wrapper": "environment.variables.AWS_LAMBDA_EXEC_WRAPPER",
}
SETTING: Mapping[str, frozenset[str]] = {
    "CreateFunction": frozenset({*ASPECTS, VERSION}),
    "UpdateFunctionCode": frozenset({CODE, VERSION}),
    "UpdateFunctionConfiguration": frozenset(set(ASPECTS) - {CODE}),
    "PublishVersion": frozenset({VERSION}),
    "CreateAlias": frozenset(),
    "UpdateAlias": frozenset(),
}
"""Which aspects each call sets; any of them may show all."""
ACQUIRED = {"GetFunctionConfiguration": "", "GetFunction": "Configuration."}
Key = tuple[str, str | None, str | None]  # function, account, region


@dataclass(frozen=True)
class Sight:
    """What one record or answer shows of a function; `sets` are the aspects that the call itself may have changed."""

    key: Key
    time: pd.Timestamp
    ref: str
    principal: str | None
    operation: str
    values: Mapping[str, str]
    sets: frozenset[str]


def code_changes(tables: Tables, case: Case) -> pd.DataFrame:
    """The history of every function of AWS over all records and acquired answers.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.CODE_CHANGES`, by function, aspect and time; a value seen again is no row.
    """
    sights = sorted([*_recorded(tables), *_acquired(tables)], key=lambda one: one.time)
    by_function: dict[Key, list[Sight]] = defaultdict(list)
    for one in sights:
        by_function[one.key].append(one)
    rows = [row for key in sorted(by_function, key=str) for row in _history(by_function[key])]
    frame = pd.DataFrame(rows, columns=list(schema.CODE_CHANGES.names))
    frame["time"] = pd.to_datetime(frame["time"], utc=True)
    return plain(frame)


def _recorded(tables: Tables) -> Iterator[Sight]:
    api = tables.api_activity
    base = api.api_operation.re_replace(r"20[0-9]{6}(v[0-9]+)?$", "")
    wanted = api.filter(
        api.api_service_name == "lambda.amazonaws.com", api.status == "success", base.isin(list(SETTING))
    )
    columns = ("evidence_id", "record_no", "time", "api_operation", *ACTOR_COLUMNS, "cloud_region", "metadata_uid")
    found = wanted.select(*columns, "resource_name", "request", "response", "src_endpoint_ip").execute()
    rows: Iterator[Any] = once(plain(found)).itertuples(index=False)
    for row in rows:
        request, response = json_object(row.request), json_object(row.response)
        named = text_at(request, "functionName") or text_at(response, "functionName") or plain_text(row.resource_name)
        if named and str(request.get("dryRun")).lower() != "true":
            operation = base_name(str(row.api_operation))
            key = (short_name("lambda", named), row.cloud_account_uid, row.cloud_region)
            who = principal_of(*(getattr(row, name) for name in ACTOR_COLUMNS)).name
            values, sets = _values(operation, request, response), SETTING[operation]
            yield Sight(key, row.time, f"{row.evidence_id}:{row.record_no}", who, operation, values, sets)


def _values(operation: str, request: dict[str, object], response: dict[str, object]) -> dict[str, str]:
    if operation.endswith("Alias"):
        name, version = text_at(request, "name") or text_at(response, "name"), _pointed_at(request, response)
        return {f"alias {name}": version} if name and version else {}
    asked = {name: value for name, value in _aspects(request, "").items() if name in SETTING[operation] - {CODE}}
    layers = ", ".join(texts_at(request, "layers"))  # ARNs in a request, objects in an answer
    found = {**_aspects(response, ""), **asked, **({LAYERS: layers} if layers else {})}
    number = text_at(response, "version")
    return found | ({VERSION: number} if number and number.isascii() and number.isdigit() else {})


def _pointed_at(request: dict[str, object], response: dict[str, object]) -> str | None:
    version = text_at(request, "functionVersion") or text_at(response, "functionVersion")
    routing = request.get("routingConfig") or response.get("routingConfig")
    weights = routing.get("additionalVersionWeights") if isinstance(routing, dict) else None
    shared = sorted(f"{number} ({weight})" for number, weight in weights.items()) if isinstance(weights, dict) else []
    return plain_text(" and ".join([version or "the same version", *shared])) if version or shared else None


def _aspects(content: dict[str, object], prefix: str) -> dict[str, str]:
    found = {name: ", ".join(texts_at(content, f"{prefix}{path}")) for name, path in ASPECTS.items()}
    if found[CODE] and not found[LAYERS]:  # a whole configuration, and no layer in it
        found[LAYERS] = "none"
    return {name: value for name, value in found.items() if value}


def _acquired(tables: Tables) -> Iterator[Sight]:
    asked = tables.acquired_answers
    wanted = asked.filter(asked.api_operation.isin(list(ACQUIRED)), asked.status == "answered", asked.time.notnull())
    columns = ("api_operation", "resource_name", "cloud_account_uid", "cloud_region", "response")
    found = wanted.select("evidence_id", "record_no", "time", *columns).order_by("evidence_id", "record_no").execute()
    rows: Iterator[Any] = plain(found).itertuples(index=False)
    for row in rows:
        named = str(row.resource_name or "")
        qualifier = named.rsplit(":", 1)[1] if ":" in named and not named.startswith("arn:") else "$LATEST"
        if named and qualifier == "$LATEST":
            values = _aspects(json_object(row.response), ACQUIRED[row.api_operation])
            key = (short_name("lambda", named), row.cloud_account_uid, row.cloud_region)
            asked_as = f"{row.api_operation} (acquired)"
            yield Sight(key, row.time, f"{row.evidence_id}:{row.record_no}", None, asked_as, values, frozenset())


def _history(sights: list[Sight]) -> Iterator[dict[str, Any]]:
    """Rows of one function: each aspect as far as it is shown, in order of time."""
    aspects = dict.fromkeys(name for one in sights for name in one.values)
    for aspect in aspects:
        seen: list[tuple[str, Sight]] = []
        setter: Sight | None = None  # a call since the last value that may have set it and did not show it
        for one in sights:
            setter = one if aspect in one.sets else setter
            value = one.values.get(aspect)
            if value is None:
                continue
            if not seen or seen[-1][0] != value:
                yield _row(aspect, one, value, seen, setter)
                seen.append((value, one))
            else:
                seen[-1] = (value, one)
            setter = None


def _row(aspect: str, one: Sight, value: str, seen: list[tuple[str, Sight]], setter: Sight | None) -> dict[str, Any]:
    before, shown = seen[-1] if seen else (None, None)
    earlier = next((sight for held, sight in reversed(seen[:-1]) if held == value), None)
    explained = setter is not None or aspect.startswith("alias ")
    function, when = one.key[0], one.time.strftime("%Y-%m-%d %H:%M UTC")
    if before is None:
        change, words = "first seen", f"first seen as {value}"
    elif not explained:
        change = "unexplained"
        words = f"{before} became {value} although no record in evidence between them sets it"
    elif earlier is not None:
        change = "returned"
        words = f"returned to {value}, which it had in {earlier.ref} before {before}"
    else:
        change, words = "changed", f"{before} became {value}"
    return {
        "function": function,
        "account": one.key[1],
        "region": one.key[2],
        "aspect": aspect,
        "time": one.time,
        "change": change,
        "before": before,
        "after": value,
        "principal": one.principal,
        "operation": one.operation,
        "sentence": f"{aspect.replace('_', ' ')} of {function}: {words} ({when})",
        "before_ref": shown.ref if shown else None,
        "ref": one.ref,
    }
