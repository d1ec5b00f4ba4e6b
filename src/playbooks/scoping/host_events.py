"""Records of a watched host, its user and its web requests, each read by the first rule that fits.

All three event tables are brought into one shape, matched with the keys of the hosts, and classified in the
engine; only the most telling records of each stage come out, with the number of all.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING

import ibis

from playbooks.knowledge.lifecycle import Rule, load_lifecycle
from playbooks.scoping.watched import Watched, is_usable, label, plain, table_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine import Tables

HISTORY_HOURS = 12  # of the host's records before a start, for it to be called the first
EVENTS_A_STAGE = 20  # of one host and finding; the number of all is told
ENDPOINT_CLASSES = (1001, 1005, 1006, 1007, 2004, 201001, 201002, 201004)  # their address is the host's own
DETECTION, AUTHENTICATION, ACCOUNT_CLASSES = 2004, 3002, (3001, 3006)
RECORD = ("time", "evidence_id", "record_no", "format")
TEXTS = (
    *("activity", "device", "client_ip", "client_name", "target_ip", "user", "account", "parent", "process", "path"),
    *("command", "file", "message", "title", "url", "method", "status", "operation", "service", "provider", "target"),
    "port",
)
SHAPE = (*RECORD, "about", "class_uid", *TEXTS)
HOST = ("finding", "who", "first_contact", "since", "until", "own_label")
MATCHED = (*SHAPE, *HOST, "side", "by", "turn")
BY_NAME, BY_ADDRESS, BY_CLIENT, BY_USER = "host name", "address", "client of another machine", "user"
TURNS = {"device": 0, "client": 1, "wire": 1, "user": 2}  # the surest key of a record is the one that is told
OUT = (*RECORD, *TEXTS, "class_uid", *HOST[:3], "by", "rule", "fresh", "history", "rank", "of_stage")


def host_records(tables: Tables, hosts: Iterable[Watched]) -> ir.Table:
    """Records of all times that the keys of the hosts find, with `side` and `by` (how), `channel` and `rule`.

    The engine holds them: the rules are long, and two questions are asked of the result.
    """
    hosts = list(hosts)
    parts = (_system(tables.system_activity), _web(tables.http_activity), _audit(tables.api_activity))
    rows = ibis.union(*(part.filter(_may_be_theirs(part, hosts)) for part in parts))
    rows = rows.mutate(key=ibis.array([_keys_of(rows)[tag] for tag in TAGS]).unnest()).cache()
    joined = rows.inner_join(_keys(hosts), "key")
    rows = _once(_with_key(joined)).cache()
    return rows.mutate(channel=_channel(rows)).mutate(rule=lambda classed: _rule(classed)).cache()


def most_telling(records: ir.Table) -> ir.Table:
    """Of each host and stage the records around first contact that say most, in the columns `OUT`.

    A start of a program that the host's records did not hold before is `fresh`; `history` is where those begin.
    `of_stage` counts all records of the stage.
    """
    known = load_lifecycle()
    telling = [number for number, rule in enumerate(known.every_rule) if rule.telling]
    start = records.rule == known.number_of("process-start")
    program = (records.channel == "processes") & (records.rule != known.number_of("process-read")).fill_null(True)
    ran = ibis.ifelse(program & records.path.notnull(), records.time, ibis.null("timestamp('UTC')"))
    rows = records.mutate(
        earliest=ran.min().over(group_by=[records.finding, records.who, records.path.lower()]),
        history=ran.min().over(group_by=[records.finding, records.who]),
        program=program.fill_null(False),
    )
    rows = rows.filter(rows.rule.notnull(), rows.time >= rows.since, rows.time < rows.until)
    known_for = ibis.interval(hours=HISTORY_HOURS)
    fresh = (rows.program & (rows.earliest == rows.time) & (rows.time > rows.history + known_for)).fill_null(False)
    rank = ibis.cases((rows.rule.isin(telling), 0), (fresh & start.fill_null(False), 1), else_=2)
    rows = rows.mutate(fresh=fresh, rank=rank, stage=_stage(rows.rule), away=_seconds_away(rows))
    mine = [rows.finding, rows.who, rows.stage]
    nearest = [rows["rank"], rows.away, rows.evidence_id, rows.record_no]
    rows = rows.mutate(
        of_stage=ibis._.count().over(group_by=mine), place=ibis.row_number().over(group_by=mine, order_by=nearest)
    )
    return rows.filter(rows.place < EVENTS_A_STAGE).select(*OUT)


def kinds_of_records(records: ir.Table) -> ir.Table:
    """(finding, who, channel, format, family, ever, around, before): which telemetry reports of which host, and when.

    `around` counts the span around first contact, `before` its part up to it. A log with plain-text URLs only does
    not see the web: URLs count where some are of https.
    """
    around = (records.time >= records.since) & (records.time < records.until)
    before = around & (records.time < records.first_contact)
    useful = (records.channel != "urls") | _fits(records.url, "^https://")
    rows = records.mutate(
        channel=ibis.ifelse(useful.fill_null(True), records.channel, ibis.null("string")),
        family=records.activity.re_extract(r"^(\D+) \d", 1),
        around=around.cast("int64"),
        before=before.cast("int64"),
    )
    return rows.group_by("finding", "who", "channel", "format", "family").agg(
        ever=ibis._.count(), around=rows.around.sum(), before=rows.before.sum()
    )


def _system(table: ir.Table) -> ir.Table:
    told = {
        "class_uid": table.class_uid,
        "activity": table.activity_name,
        "device": table.device_hostname,
        "client_ip": table.src_endpoint_ip,
        "client_name": table.src_endpoint_hostname,
        "target_ip": table.dst_endpoint_ip,
        "user": table.actor_user_name,
        "account": table.user_name,
        "parent": table.actor_process_name.fill_null(table.actor_process_file_path),
        "process": table.process_name.fill_null(table.process_file_path),
        "path": table.process_file_path.fill_null(table.process_name),
        "command": table.process_cmd_line,
        "file": table.file_path,
        "message": table.message,
        "title": table.finding_title.fill_null(table.message),
        "url": table.http_request_url_string,
        "status": table.status,
        "target": table.dst_endpoint_hostname.fill_null(table.dst_endpoint_ip),
    }
    return _shaped(table, "system", told)


def _web(table: ir.Table) -> ir.Table:
    """Requests whose URL can be seen; a tunnel shows none."""
    tunnel = (table.http_request_http_method.upper() == "CONNECT").fill_null(False)
    seen = table.filter(~tunnel, table.http_request_url_string.notnull())
    told = {
        "client_ip": seen.src_endpoint_ip,
        "client_name": seen.src_endpoint_hostname,
        "user": seen.actor_user_name,
        "process": seen.actor_process_name,
        "url": seen.http_request_url_string,
        "method": seen.http_request_http_method,
        "status": seen.http_response_code.cast("string"),
        "target": seen.dst_endpoint_hostname.fill_null(seen.dst_endpoint_ip),
    }
    return _shaped(seen, "web", told)


def _audit(table: ir.Table) -> ir.Table:
    told = {
        "client_ip": table.src_endpoint_ip,
        "user": table.actor_user_name.fill_null(table.actor_user_uid),
        "account": table.actor_user_uid,
        "operation": table.api_operation_base.fill_null(table.api_operation),
        "service": table.api_service_name,
        "provider": table.cloud_provider,
        "status": table.status,
        "target": table.resource_name.fill_null(table.resource_uid),
    }
    return _shaped(table, "audit", told)


def _shaped(table: ir.Table, about: str, told: dict[str, ir.Value]) -> ir.Table:
    empty: dict[str, ir.Value] = {name: ibis.null("string") for name in TEXTS}
    columns = {"about": ibis.literal(about), "class_uid": ibis.null("int32"), **empty, **told}
    return table.select(*RECORD, **{name: columns[name] for name in SHAPE[len(RECORD) :]})


TAGS = {"device": "name", "client": "name", "from": "address", "to": "address", "actor": "user", "account": "user"}


def _keys(hosts: Iterable[Watched]) -> ir.Table:
    """(finding, who, first_contact, since, until, own_label, full, tag, key): each key under each of its tags."""
    rows: list[tuple[object, ...]] = []
    for host in hosts:
        own = next((name.partition(".")[0] for name in host.names), None)
        full = next((name for name in host.names if "." in name), None)
        values = {"address": host.addresses, "user": host.users, "name": (own,) if own else ()}
        around = (host.finding, host.src, host.first, host.since, host.until, own, full)
        rows += [(*around, tag, f"{tag} {value}") for tag, kind in TAGS.items() for value in values[kind]]
    return table_of((*HOST, "full", "tag", "key"), rows, HOST[2:5])


def _keys_of(rows: ir.Table) -> dict[str, ir.StringValue]:
    """What of a record may name a watched host or user, under its tag."""
    system, web = rows.about == "system", rows.about == "web"
    endpoint = rows.class_uid.isin(ENDPOINT_CLASSES).fill_null(False)
    alert = (rows.class_uid == DETECTION).fill_null(False)
    people = rows.class_uid.isin([AUTHENTICATION, *ACCOUNT_CLASSES]).fill_null(False) | (rows.about == "audit")
    by_name = (system & ~endpoint) | (web & rows.client_ip.isnull())
    return {
        "device": "device " + label(rows.device),
        "client": _where(by_name, "client " + label(rows.client_name)),
        "from": "from " + rows.client_ip,
        "to": _where(alert, "to " + rows.target_ip),
        "actor": _where(people & is_usable(plain(rows.user)), "actor " + plain(rows.user)),
        "account": _where(people & is_usable(plain(rows.account)), "account " + plain(rows.account)),
    }


def _where(holds: ir.BooleanValue, value: ir.StringValue) -> ir.StringValue:
    return ibis.ifelse(holds, value, ibis.null("string"))


def _may_be_theirs(rows: ir.Table, hosts: list[Watched]) -> ir.BooleanValue:
    """Whether a record names anything that some host is known by: a cheap test before the join."""
    labels = {name.partition(".")[0] for host in hosts for name in host.names}
    addresses = {address for host in hosts for address in host.addresses}
    users = {user for host in hosts for user in host.users}
    tests = [label(rows[name]).isin(sorted(labels)) for name in ("device", "client_name") if labels]
    tests += [rows[name].isin(sorted(addresses)) for name in ("client_ip", "target_ip") if addresses]
    tests += [plain(rows[name]).isin(sorted(users)) for name in ("user", "account") if users]
    return reduce(lambda one, other: one | other, (test.fill_null(False) for test in tests))


def _with_key(joined: ir.Table) -> ir.Table:
    """Matched records with `side`, `by` and the turn in which a key is believed; another host's are out."""
    named = ibis.ifelse(joined.tag == "device", joined.device, joined.client_name)
    same_domain = ~named.contains(".") | joined.full.isnull() | (named.lower() == joined.full)
    by_name = joined.tag.isin(["device", "client"])
    rows = joined.filter(~by_name | same_domain.fill_null(False))
    by_user, system = rows.tag.isin(["actor", "account"]), rows.about == "system"
    itself = (rows.tag.isin(["device", "to"])) | rows.class_uid.isin(ENDPOINT_CLASSES).fill_null(False)
    side = ibis.cases(
        (rows.about == "web", "wire"), (by_user | (rows.about == "audit"), "user"), (itself, "device"), else_="client"
    )
    by = ibis.cases(
        (by_user, BY_USER), (system & (side == "client"), BY_CLIENT),
        (rows.tag.isin(["device", "client"]), BY_NAME), else_=BY_ADDRESS,
    )  # fmt: skip
    told = rows.mutate(
        side=side, by=by, turn=ibis.cases(*((side == one, turn) for one, turn in TURNS.items()), else_=3)
    )
    own = (label(told.device) == told.own_label).fill_null(False)  # the host's own records are found by its name
    elsewhere = told.side.isin(["client", "user"]) & (told.about == "system")
    return told.filter(~(elsewhere & own)).select(*MATCHED)


def _once(rows: ir.Table) -> ir.Table:
    """Each record once for each host and finding, by its surest key."""
    each = [rows.finding, rows.who, rows.evidence_id, rows.record_no]
    numbered = rows.mutate(again=ibis.row_number().over(group_by=each, order_by=[rows.turn, rows["by"]]))
    return numbered.filter(numbered.again == 0).drop("again", "turn")


def _channel(rows: ir.Table) -> ir.StringValue:
    """The channel that a record belongs to; null where no rule reads it."""
    found = []
    for channel in load_lifecycle().channels:
        fits = rows.side == channel.side
        if channel.classes:
            fits &= rows.class_uid.isin(channel.classes).fill_null(False)
        elif channel.activities:
            fits &= _fits(rows.activity, channel.activities)
        if channel.id in ("urls", "audit") or channel.classes or channel.activities:
            found.append((fits, channel.id))
    accounts = (rows.side == "user") & rows.class_uid.isin(ACCOUNT_CLASSES)
    logons = (rows.side == "user") & (rows.class_uid == AUTHENTICATION)
    first = [(accounts.fill_null(False), "accounts"), (logons.fill_null(False), "remote-logons")]
    return ibis.cases(*first, *found, else_=ibis.null("string"))


def _rule(rows: ir.Table) -> ir.IntegerValue:
    """The place of the first rule that fits, in `Lifecycle.every_rule`; null where none does."""
    rules = enumerate(load_lifecycle().every_rule)
    read = [(_holds(rows, rule), number) for number, rule in rules if rule.channel not in ON_CONTACTS]
    return ibis.cases(*read, else_=ibis.null("int64"))


ON_CONTACTS = ("destinations", "volumes", "inside")  # read from contacts, not from single records


def _holds(rows: ir.Table, rule: Rule) -> ir.BooleanValue:
    client = rows.client_ip.fill_null(rows.client_name)
    tests = [(rows.channel == rule.channel).fill_null(False)]
    tests += [_fits(rows.activity, rule.activity)] if rule.activity else []
    tests += [_fits(client if name == "client" else rows[name], regex) for name, regex in rule.matches.items()]
    tests += [rows.time < rows.first_contact] if rule.when == "before" else []
    tests += [rows.time >= rows.first_contact] if rule.when == "after" else []
    tests += [rows.operation.lower().isin(rule.operations).fill_null(False)] if rule.operations else []
    return reduce(lambda one, other: one & other, tests)


def _fits(text: ir.StringValue, regex: str) -> ir.BooleanValue:
    return text.fill_null("").re_search(f"(?i){regex}")


def _stage(rule: ir.IntegerValue) -> ir.StringValue:
    known = load_lifecycle()
    numbers = {
        stage.id: [number for number, one in enumerate(known.every_rule) if one.stage == stage.id]
        for stage in known.stages
    }
    return ibis.cases(*((rule.isin(those), stage) for stage, those in numbers.items()), else_=ibis.null("string"))


def _seconds_away(rows: ir.Table) -> ir.IntegerValue:
    return (rows.time.epoch_seconds().cast("int64") - rows.first_contact.epoch_seconds().cast("int64")).abs()
