"""Tables of results over who acts in our own clouds: identities, roles, chains."""

from __future__ import annotations

from playbooks.schema.columns import Column, Table

IDENTITIES = Table(
    "identities",
    "One row per principal of the window: what it called, from where, with what; all audit records count.",
    (
        Column("principal", "VARCHAR", "person, role or pipeline behind the calls; null where the records name nobody"),
        Column("principal_type", "VARCHAR", "kind of principal"),
        Column("provider", "VARCHAR", "AWS, …"),
        Column("calls", "BIGINT", "calls in the window"),
        Column("failed", "BIGINT", "of these, failed"),
        Column("refused", "BIGINT", "of these, refused for want of rights"),
        Column("attack_calls", "BIGINT", "calls that attackers use: catalogued, neither reads nor runs"),
        Column("attack_failed", "BIGINT", "of these, failed"),
        Column("attack_operations", "VARCHAR[]", "which, with counts (at most 20)"),
        Column("attack", "VARCHAR[]", "ATT&CK technique ids of these, as context"),
        Column("runs", "BIGINT", "runs of functions and their like"),
        Column("discovery_calls", "BIGINT", "reads: Get…, List…, Describe… and the catalogue's discovery"),
        Column("console_sign_ins", "BIGINT", "sign-ins at a console; whether with a second factor, no column tells"),
        Column("operation_count", "BIGINT", "different operations"),
        Column("accounts", "VARCHAR[]", "accounts, the most used first (at most 20)"),
        Column("regions", "VARCHAR[]", "regions (at most 20)"),
        Column("address_count", "BIGINT", "different addresses, or services that called"),
        Column("address_list", "VARCHAR[]", "these, the most used first (at most 20)"),
        Column("user_agents", "VARCHAR[]", "user agents (at most 20)"),
        Column("access_keys", "VARCHAR[]", "long-term access keys (at most 20)"),
        Column("first_seen", "TIMESTAMPTZ", "first call in the window"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("new_in_window", "BOOLEAN", "no call in the baseline; null without baseline"),
        Column("refs", "VARCHAR[]", "first call, the first of each call that attackers use, last call"),
    ),
)

IDENTITY_DETAILS = Table(
    "identity_details",
    "One row per principal and operation, region, account, address, user agent or long-term key of the window.",
    (
        Column("principal", "VARCHAR", "as in identities"),
        Column("principal_type", "VARCHAR", "kind of principal"),
        Column("provider", "VARCHAR", "AWS, …"),
        Column("kind", "VARCHAR", "operation, region, account, address, user agent, access key"),
        Column("value", "VARCHAR", "which"),
        Column("service", "VARCHAR", "service of an operation; null for other kinds"),
        Column("phase", "VARCHAR", "phase of a catalogued operation; null for others"),
        Column("calls", "BIGINT", "calls in the window"),
        Column("failed", "BIGINT", "of these, failed"),
        Column("refused", "BIGINT", "of these, refused for want of rights"),
        Column("new", "BOOLEAN", "not so in the baseline; null without baseline"),
        Column("first_seen", "TIMESTAMPTZ", "first call in the window"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("first_ref", "VARCHAR", "record of the first"),
        Column("last_ref", "VARCHAR", "record of the last"),
    ),
)

ROLE_ACTIVITY = Table(
    "role_activity",
    "What the roles of functions called in the window, per function, service and operation.",
    (
        Column(
            "function", "VARCHAR", "function behind the session; null where several share the role and none is named"
        ),
        Column("functions", "VARCHAR[]", "then these"),
        Column("role", "VARCHAR", "role, service account or managed identity"),
        Column("account", "VARCHAR", "account"),
        Column("service", "VARCHAR", "service that was called"),
        Column("operation", "VARCHAR", "operation, without version suffix"),
        Column("calls", "BIGINT", "calls in the window"),
        Column("failed", "BIGINT", "of these, failed"),
        Column("refused", "BIGINT", "of these, refused for want of rights"),
        Column("addresses", "VARCHAR[]", "addresses they came from (at most 10)"),
        Column("new", "BOOLEAN", "the role did not call it in the baseline; null without baseline"),
        Column("reason", "VARCHAR", "what is new; null where nothing is"),
        Column("first_seen", "TIMESTAMPTZ", "first call in the window"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("refs", "VARCHAR[]", "up to 5 records"),
    ),
)

CREDENTIALS_OUTSIDE = Table(
    "credentials_outside",
    "Sessions of functions' roles whose name, user agent or address is none of the function's.",
    (
        Column("role", "VARCHAR", "role, service account or managed identity"),
        Column("functions", "VARCHAR[]", "functions that have it"),
        Column("session", "VARCHAR", "name of the session; null where a cloud has none"),
        Column("account", "VARCHAR", "account"),
        Column("address", "VARCHAR", "address of the caller"),
        Column("user_agent", "VARCHAR", "its user agent"),
        Column("verdict", "VARCHAR", "outside, or unclear: an address that only the role's own habit speaks against"),
        Column("reasons", "VARCHAR[]", "why"),
        Column("compared_with", "VARCHAR", "what the address was compared with"),
        Column("calls", "BIGINT", "calls in the window"),
        Column("operations", "VARCHAR[]", "what was called (at most 10)"),
        Column("first_seen", "TIMESTAMPTZ", "first call in the window"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("refs", "VARCHAR[]", "up to 5 records"),
    ),
)

FUNCTION_EGRESS = Table(
    "function_egress",
    "Per function: whether it stands in a network of ours, and what flow logs show of it.",
    (
        Column("function", "VARCHAR", "function"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("in_network", "BOOLEAN", "whether its settings name subnets; null where no record holds its settings"),
        Column("subnets", "VARCHAR[]", "these"),
        Column("addresses", "VARCHAR[]", "private addresses of its network interfaces"),
        Column("flows", "BIGINT", "flow records from these; null where there is nothing to join"),
        Column("destinations", "VARCHAR[]", "where to, most flows first (at most 10)"),
        Column("first_seen", "TIMESTAMPTZ", "first flow"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("reason", "VARCHAR", "why nothing can be said of its traffic; null where flows are there"),
        Column("refs", "VARCHAR[]", "the record of its settings, and up to 5 flows"),
    ),
)

CHAINS = Table(
    "chains",
    "Steps that lead to each other within a window, across principals; weights: docs/reference/findings.md.",
    (
        Column("chain", "VARCHAR", "id, stable for the same evidence"),
        Column("score", "DOUBLE", "0 to 1; what a deployment has stays low"),
        Column("reasons", "VARCHAR[]", "what the score adds up from"),
        Column("exposure_part", "DOUBLE", "of the score, what opening something adds: a signal of its own, too"),
        Column("evasion_part", "DOUBLE", "of the score, what a change of the records adds"),
        Column("novelty_part", "DOUBLE", "of the score, what novelty adds"),
        Column("stages", "VARCHAR[]", "preparation, change, permission or trigger, run, downstream, evasion"),
        Column("principals", "VARCHAR[]", "who took part, in order of their first step"),
        Column("resources", "VARCHAR[]", "what was changed, run or given rights"),
        Column("start", "TIMESTAMPTZ", "first step"),
        Column("end", "TIMESTAMPTZ", "last one"),
        Column("steps", "BIGINT", "different steps"),
        Column("allowed_by", "VARCHAR", "allow-list entries, where they cover every step; null otherwise"),
        Column("refs", "VARCHAR[]", "up to 20 records, the first of each stage among them"),
    ),
)

CHAIN_STEPS = Table(
    "chain_steps",
    "The steps of chains in order of time, the first of equal ones (at most 40 a chain).",
    (
        Column("chain", "VARCHAR", "as in chains"),
        Column("step", "BIGINT", "from 1"),
        Column("time", "TIMESTAMPTZ", "when, UTC"),
        Column("stage", "VARCHAR", "its stage"),
        Column("principal", "VARCHAR", "who"),
        Column("operation", "VARCHAR", "what, without version suffix"),
        Column("resource", "VARCHAR", "to what; of a downstream call the service"),
        Column("source_ip", "VARCHAR", "from where"),
        Column("linked_by", "VARCHAR", "how it belongs to what was before; null for the first"),
        Column(
            "handed_over", "VARCHAR", "credentials, rights, role, function (its role), run; null within one principal"
        ),
        Column("handed_by", "VARCHAR", "by whom; null within one principal"),
        Column("handed_ref", "VARCHAR", "the record that shows it"),
        Column("ref", "VARCHAR", "the record"),
    ),
)
