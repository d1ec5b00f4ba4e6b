"""Tables of results over our own clouds: events, resources, and how these stand."""

from __future__ import annotations

from playbooks.schema.columns import Column, Table

CLOUD_ACTIVITY = Table(
    "cloud_activity",
    "One row per control-plane event that matters.",
    (
        Column("ref", "VARCHAR", "the record, E001:17"),
        Column("further_refs", "VARCHAR[]", "later records of the same operation (accepted, ended); null without any"),
        Column("time", "TIMESTAMPTZ", "when, UTC"),
        Column("provider", "VARCHAR", "AWS, …"),
        Column("service", "VARCHAR", "service"),
        Column("operation", "VARCHAR", "as logged"),
        Column("operation_base", "VARCHAR", "without version suffix"),
        Column("phase", "VARCHAR", "create, modify-code, modify-config, permission, trigger, invoke, identity, …"),
        Column("principal", "VARCHAR", "person, role or pipeline behind it"),
        Column("principal_type", "VARCHAR", "kind of principal"),
        Column("via", "VARCHAR", "service or session in between"),
        Column("by_user", "BOOLEAN", "a user's credentials; false: of a role, app or service; null: not told"),
        Column("resource", "VARCHAR", "resource acted on, by its short name"),
        Column("resource_type", "VARCHAR", "function, role, trail, …"),
        Column("resource_uid", "VARCHAR", "full id where the record has one"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("outcome", "VARCHAR", "success or failure"),
        Column("outcome_detail", "VARCHAR", "error code"),
        Column("source_ip", "VARCHAR", "caller's address"),
        Column("user_agent", "VARCHAR", "caller's user agent"),
        Column("attack", "VARCHAR[]", "ATT&CK technique ids, as context"),
        Column("exposure", "VARCHAR", "what it opens, to whom, or would have opened had it not failed; else null"),
        Column("endpoint", "VARCHAR", "host that the event created (function URL, API), null otherwise"),
        Column("allowed_by", "VARCHAR", "allow-list entry and owner that cover it; null otherwise"),
        Column("change_ref", "VARCHAR", "entries of the case's change list that cover it; null where none does"),
        Column("novelty", "DOUBLE", "0 to 1 against the baseline window; null without baseline"),
        Column("reasons", "VARCHAR[]", "what is new, and in brackets what the baseline had"),
        Column(
            "novelty_dimensions",
            "VARCHAR[]",
            "on what it is new: identity, resource, trigger, schedule, region, account, downstream service, address, "
            "client, hour, refused calls",
        ),
        Column(
            "novelty_untold",
            "VARCHAR[]",
            "on what it could not be compared, for want of baseline: trigger, schedule, account, downstream service, "
            "hour; null without baseline",
        ),
        Column("set_apart", "VARCHAR", "whose own collection this read is; such rows count nowhere; else null"),
        Column("collector", "VARCHAR", "why a record with a mark of our own collection is not set apart; else null"),
    ),
)

RESOURCES = Table(
    "resources",
    "One row per function: its history and the four questions.",
    (
        Column("resource", "VARCHAR", "short name"),
        Column("resource_type", "VARCHAR", "function, api, …"),
        Column("resource_uid", "VARCHAR", "full id where known"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("first_seen", "TIMESTAMPTZ", "first event"),
        Column("last_seen", "TIMESTAMPTZ", "last event"),
        Column("created_by", "VARCHAR", "principal and refs, or 'not answerable because …'"),
        Column("modified_by", "VARCHAR", "same, code and configuration"),
        Column("permitted_by", "VARCHAR", "same, permissions"),
        Column("triggered_by", "VARCHAR", "same, triggers"),
        Column("invoked_by", "VARCHAR", "same, runs"),
        Column("endpoints", "VARCHAR[]", "hosts that its control plane produced"),
        Column("events", "BIGINT", "events in its history"),
        Column("refs", "VARCHAR[]", "up to 20 records, in order of time"),
    ),
)

ROLE_LINKS = Table(
    "role_links",
    "Which role a function, rule or schedule was given, by whom, and what of its policies is in evidence.",
    (
        Column("principal", "VARCHAR", "who passed it; null where only the function's settings show it"),
        Column("relation", "VARCHAR", "passed by that call, tried (it failed), held (an answer shows it), used by it"),
        Column("role", "VARCHAR", "role, by its short name"),
        Column("role_uid", "VARCHAR", "its ARN where the record has one"),
        Column("resource", "VARCHAR", "function or other resource that was given it"),
        Column("resource_type", "VARCHAR", "function, rule, schedule, …"),
        Column("account", "VARCHAR", "account of the resource"),
        Column("region", "VARCHAR", "region of the resource"),
        Column("first_seen", "TIMESTAMPTZ", "first record that shows it"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("refs", "VARCHAR[]", "up to 20 records that show it"),
        Column("policy_refs", "VARCHAR[]", "acquired answers about the role and its policies (at most 20)"),
        Column("lacking", "VARCHAR[]", "what about the role is not in evidence"),
    ),
)

RIGHTS = Table(
    "rights",
    "What policies leave wide open, which serverless rights were used, and which were granted and not used.",
    (
        Column(
            "kind",
            "VARCHAR",
            "all_actions, anyone, service_wildcard, pass_role_wide, not_action, not_resource, cross_account, "
            "condition_gap, action_wildcard, wildcard_resource, pass_role, limited_anyone, unreadable, role_grant, "
            "app_role, consent; ungranted, unused, not_answerable, used",
        ),
        Column("identity", "VARCHAR", "role, user or resource whose policy it is; of a used right, who used it"),
        Column(
            "identity_type",
            "VARCHAR",
            "role, user, group, policy, function, bucket, …; of a grant, the kind of its holder",
        ),
        Column("identity_uid", "VARCHAR", "full id where the evidence has one"),
        Column("account", "VARCHAR", "account"),
        Column("policy", "VARCHAR", "policy or role by its name; trust for who may take a role"),
        Column(
            "action", "VARCHAR", "action or pattern, as IAM writes it; of a grant, the role; elsewhere the operation"
        ),
        Column("sentence", "VARCHAR", "what it leaves open, or why it cannot be told"),
        Column("denied", "VARCHAR", "what a Deny of the same identity takes from it; null where none speaks of it"),
        Column("ended", "VARCHAR", "record that replaced, detached or removed the policy; null while it stands"),
        Column("first_seen", "TIMESTAMPTZ", "first call, UTC; null where none is meant"),
        Column("last_seen", "TIMESTAMPTZ", "last call"),
        Column("calls", "BIGINT", "calls"),
        Column("refs", "VARCHAR[]", "up to 20 records of calls"),
        Column("policy_refs", "VARCHAR[]", "records and acquired answers that hold the policy (at most 20)"),
    ),
)

LOGGING_CHANGES = Table(
    "logging_changes",
    "Every change of what is logged or watched: less, more or the same as before, and until when.",
    (
        Column("ref", "VARCHAR", "the record, E001:17"),
        Column("time", "TIMESTAMPTZ", "when, UTC"),
        Column("provider", "VARCHAR", "AWS, Azure, GCP, …"),
        Column("operation", "VARCHAR", "operation, without version suffix"),
        Column("principal", "VARCHAR", "person, role or pipeline behind it"),
        Column("resource", "VARCHAR", "trail, log group, setting, …"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("outcome", "VARCHAR", "success or failure; attempts that failed changed nothing"),
        Column("effect", "VARCHAR", "less, more, same, unknown: what is recorded after it, compared with before"),
        Column(
            "change",
            "VARCHAR",
            "stopped, deleted, excluded, redirected, shortened, narrowed, widened, lengthened, set up, restored, "
            "unchanged, attempted, not comparable",
        ),
        Column("sentence", "VARCHAR", "what changed, in words"),
        Column("before", "VARCHAR", "the state before it, as far as the evidence tells; null where it does not"),
        Column("before_ref", "VARCHAR", "record or acquired answer that tells the state before"),
        Column("after", "VARCHAR", "the state after it"),
        Column("until", "TIMESTAMPTZ", "when as much was recorded again; null where no record says so"),
        Column("until_ref", "VARCHAR", "the record that restored it"),
    ),
)

OWN_ENDPOINTS = Table(
    "own_endpoints",
    "Hosts that our own control plane made, as the network and access logs saw them.",
    (
        Column("host", "VARCHAR", "host name, lower case"),
        Column("resource", "VARCHAR", "function, API or service behind it"),
        Column("resource_type", "VARCHAR", "function, api, …"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("made_by", "VARCHAR[]", "records and acquired answers that show that it is ours (at most 20)"),
        Column("open_to", "VARCHAR", "what these say of who may call it; null where they say nothing"),
        Column("client_names", "VARCHAR[]", "our clients that contacted it (at most 20)"),
        Column("client_count", "BIGINT", "all of them"),
        Column("connections", "BIGINT", "their contacts"),
        Column("bytes_out", "BIGINT", "bytes they sent; null where no record tells"),
        Column("bytes_in", "BIGINT", "bytes they received; null where no record tells"),
        Column("sources", "VARCHAR[]", "telemetry that saw them: dns, http, tls, flow"),
        Column("first_seen", "TIMESTAMPTZ", "first contact or call, UTC"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("called_from_outside", "BOOLEAN", "an address that is not ours called it; null where not answerable"),
        Column("callers", "VARCHAR[]", "such addresses (at most 20)"),
        Column("calls", "BIGINT", "their calls"),
        Column("answer", "VARCHAR", "both questions in a sentence, or 'not answerable because …'"),
        Column("refs", "VARCHAR[]", "up to 20 records behind it"),
    ),
)

STALE_FUNCTIONS = Table(
    "stale_functions",
    "Functions that nobody touched for long, by their own answers and by no record of a change or run.",
    (
        Column("function", "VARCHAR", "function, by its short name"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("runtime", "VARCHAR", "runtime it is set to"),
        Column("last_modified", "TIMESTAMPTZ", "last change of code or settings, by the answer, UTC"),
        Column("days", "BIGINT", "days from then to the start of the window; without one, to the answer"),
        Column("sentence", "VARCHAR", "the same in words"),
        Column("refs", "VARCHAR[]", "the answer that shows it"),
    ),
)
CODE_CHANGES = Table(
    "code_changes",
    "Per function the history of its code hash, version, layers, runtime, role and log group, as answers show them.",
    (
        Column("function", "VARCHAR", "function, by its short name"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("aspect", "VARCHAR", "code_sha256, version, layers, runtime, role, log_group, …"),
        Column("time", "TIMESTAMPTZ", "when the value was seen first, UTC"),
        Column(
            "change", "VARCHAR", "first seen, changed, returned (to an earlier value), unexplained (no record sets it)"
        ),
        Column("before", "VARCHAR", "value before; null where none was seen"),
        Column("after", "VARCHAR", "value from then on"),
        Column("principal", "VARCHAR", "who made the call that shows it; null for an acquired answer"),
        Column("operation", "VARCHAR", "the call, or the question that was asked"),
        Column("sentence", "VARCHAR", "what changed, in words"),
        Column("before_ref", "VARCHAR", "record or answer that shows the value before"),
        Column("ref", "VARCHAR", "record or answer that shows the value after"),
    ),
)
