"""The section on our own clouds: the most telling rows of each table, and what could not be answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from playbooks.report.facts import CloudFacts
from playbooks.report.figures.picture import counted
from playbooks.report.parts import MOST, MOST_REFS, most, part, refs_in, some
from playbooks.report.words import REF, is_missing, span, utc_time
from playbooks.scoping.logging_state import LESS, UNKNOWN
from playbooks.scoping.outside_credentials import OUTSIDE
from playbooks.scoping.rights import UNGRANTED, UNUSED, USED
from playbooks.scoping.rights import UNKNOWN as NOT_ANSWERABLE
from playbooks.scoping.stale_functions import STALE_DAYS

MOST_SENTENCES = 5
UNTOLD_CODE = ("unexplained", "returned")
LEVELS = ("critical", "high", "medium", "low", "informational", "")
Row = Mapping[Any, Any]


def chains_part(cloud: CloudFacts | None) -> dict[str, Any]:
    """Chains of steps, the strongest first."""
    if cloud is None:
        return {}
    rows = [
        [one["chain"], _score(one["score"]), one["principals"], one["stages"], one["reasons"], one["allowed_by"],
         utc_time(one["start"]), refs_in(one["refs"])]
        for one in most(cloud.chains)
    ]  # fmt: skip
    heads = ("Chain", "Score", "Who, in order", "Stages", "Why", "Allowed by", "Start (UTC)", "Records")
    words = list(cloud.untold["chains"])
    if not rows:
        words.insert(0, "No steps of principals lead to each other in the records.")
    caption = "Steps that lead to each other, the strongest chain first; lanes and arrows show who handed what to whom"
    return part("Chains of steps", words, heads, rows, len(cloud.chains), "chains", caption)


def cloud_parts(cloud: CloudFacts | None) -> list[dict[str, Any]]:
    """The parts after the chains, in the order of a reader's questions; none without records of a cloud."""
    if cloud is None:
        return []
    if not cloud.records:
        return [_sigma(cloud)] if len(cloud.sigma_matches) else []
    listed = [] if cloud.without_change is None else [_without_change(cloud.without_change)]
    return [
        _identities(cloud.identities), *listed, _roles(cloud), _outside(cloud), _egress(cloud.function_egress),
        _rights(cloud.rights), _used(cloud.rights), _logging(cloud.logging_changes), _endpoints(cloud.own_endpoints),
        _code(cloud.code_changes), _stale(cloud), _sigma(cloud),
    ]  # fmt: skip


def refs_of_cloud(cloud: CloudFacts) -> list[str]:
    """The records that the section refers to, in its order: the report prints them."""
    parts = [chains_part(cloud), *cloud_parts(cloud)]
    cells = [text for part in parts for text in (*part["words"], *(ref for row in part["rows"] for ref in row[-1]))]
    return list(dict.fromkeys(ref for text in cells for ref in REF.findall(str(text))))


def _score(score: float) -> str:
    return f"{score:.2f}"


def _identities(table: pd.DataFrame) -> dict[str, Any]:
    acting = table[table["attack_calls"] > 0]
    rows = [
        [one["principal"] if not is_missing(one["principal"]) else "not told by the records", one["attack_calls"],
         one["attack_failed"], some(one["attack_operations"], 8), one["new_in_window"], some(one["address_list"]),
         some(one["user_agents"], 2),
         refs_in(one["refs"])]
        for one in most(acting)
    ]  # fmt: skip
    words = [] if len(table) else ["Not answerable because no audit record lies in the window."]
    if len(table) and not rows:
        words = [f"None of {counted(len(table), 'principal')} made a call that attackers use."]
    heads = ("Principal", "Attack calls", "Failed", "Which", "New", "From", "With", "Records")
    caption = "Identities with calls that attackers use, most first; new: no call at all in the baseline"
    return part("Who made calls that attackers use", words, heads, rows, len(acting), "identities", caption)


def _without_change(table: pd.DataFrame) -> dict[str, Any]:
    rows = [
        [one["operation_base"], one["principal"], one["resource"], one["phase"], one["allowed_by"],
         utc_time(one["time"]), refs_in(one["ref"])]
        for one in most(table)
    ]  # fmt: skip
    heads = ("Change", "By", "To", "Phase", "Allowed by", "Time (UTC)", "Records")
    words = [] if rows else ["Every successful change belongs to an entry of the change list."]
    return part("Changes without a ticket", words, heads, rows, len(table), "cloud_activity",
                 "Successful changes that no entry of the change list covers; change_ref is empty")  # fmt: skip


def _roles(cloud: CloudFacts) -> dict[str, Any]:
    table = cloud.role_activity
    known = table["new"].notna()
    told = table[table["new"].eq(True) | ~known]
    rows = [
        [_function(one), one["operation"], one["service"], one["reason"], one["calls"], one["refused"],
         one["addresses"], refs_in(one["refs"])]
        for one in most(told)
    ]  # fmt: skip
    words = list(cloud.untold["roles"])
    if len(table) and not rows:
        words.append(f"None of {counted(len(table), 'kind')} of call is new against the baseline.")
    heads = ("Function", "Operation", "Service", "New because", "Calls", "Refused", "From", "Records")
    caption = "Calls of functions' roles that are new; without a baseline, all"
    return part("What functions' roles called anew", words, heads, rows, len(told), "role_activity", caption)


def _function(one: Row) -> str:
    return f"one of {', '.join(one['functions'])}" if is_missing(one["function"]) else str(one["function"])


def _outside(cloud: CloudFacts) -> dict[str, Any]:
    table = cloud.credentials_outside
    rows = [
        [one["role"], one["verdict"], one["reasons"], one["session"], one["address"], one["user_agent"], one["calls"],
         one["operations"], refs_in(one["refs"])]
        for one in most(table)
    ]  # fmt: skip
    words: list[str] = []
    if not len(cloud.role_activity):
        words = ["Not answerable because no call of a function's role is in the records of the window."]
    elif not rows:
        words = ["No session of a function's role has a name, agent or address that is not the function's."]
    elif not table["verdict"].eq(OUTSIDE).any():
        words = ["None is clearly outside: functions change their addresses, and no published range says whose it is."]
    heads = ("Role", "Verdict", "Why", "Session", "Address", "Agent", "Calls", "What", "Records")
    caption = "Sessions whose name, agent or address is none of the function's"
    return part("Credentials used outside the function", words, heads, rows, len(table), "credentials_outside",
                 caption)  # fmt: skip


def _egress(table: pd.DataFrame) -> dict[str, Any]:
    seen = table[table["reason"].isna()]
    rows = [[one["function"], one["addresses"], one["destinations"], refs_in(one["refs"])] for one in most(seen)]
    hidden = table["reason"].dropna().value_counts()
    words = [f"{counted(int(number), 'function')}: {reason}" for reason, number in hidden.items()]
    words = words or ([] if rows else ["Not answerable because no record shows a function and its role."])
    heads = ("Function", "From", "To, most flows first", "Records")
    return part("Functions that can be seen leaving", words, heads, rows, len(seen), "function_egress",
                 "Functions whose own addresses are in flow records")  # fmt: skip


def _rights(table: pd.DataFrame) -> dict[str, Any]:
    unused, unknown = table[table["kind"] == UNUSED], table[table["kind"] == NOT_ANSWERABLE]
    told = table[~table["kind"].isin([USED, UNUSED, NOT_ANSWERABLE])]
    rows = [
        [one["identity"], "called without a grant in evidence" if one["kind"] == UNGRANTED else one["kind"],
         one["action"], one["sentence"], one["denied"], one["ended"], refs_in(one["refs"], one["policy_refs"])]
        for one in most(told)
    ]  # fmt: skip
    words = [] if rows else ["No policy in evidence is wide open, and no call lacks its grant."]
    if len(unused):
        words.append(f"{counted(len(unused), 'grant')} that no call used in the window: results/rights.parquet.")
    words += _reasons(zip(unknown["identity"], unknown["sentence"], strict=True))
    heads = ("Identity", "What", "Action", "In words", "Denied", "Ended by", "Records")
    return part("Weak rights, and calls without a grant", words, heads, rows, len(told), "rights",
                 "The widest first; a wide policy is no sign of misuse")  # fmt: skip


def _used(table: pd.DataFrame) -> dict[str, Any]:
    used = table[table["kind"] == USED].sort_values("calls", ascending=False, kind="stable")
    rows = [
        [one["identity"], one["action"], one["sentence"], one["calls"],
         span(one["first_seen"], one["last_seen"]).removesuffix(" UTC"), refs_in(one["refs"])]
        for one in most(used)
    ]  # fmt: skip
    words = [] if rows else ["No call with a serverless right is in the records of the window."]
    heads = ("Identity", "Right", "In words", "Calls", "First to last (UTC)", "Records")
    return part("Who used which serverless right", words, heads, rows, len(used), "rights",
                 "Rights that were used in the window, the most used first: what a role needs at least")  # fmt: skip


def _reasons(named: Iterable[tuple[object, object]]) -> Iterator[str]:
    """Of whom something is not answerable, by the reason why; of many reasons, how many more there are."""
    by_reason: dict[str, list[str]] = {}
    for who, why in named:
        by_reason.setdefault(str(why), []).append(str(who))
    for why in list(by_reason)[:MOST_SENTENCES]:
        yield f"{', '.join(some(by_reason[why]))}: {why}."
    if len(by_reason) > MOST_SENTENCES:
        yield f"{len(by_reason) - MOST_SENTENCES:,} more reasons stand in the file."


def _logging(table: pd.DataFrame) -> dict[str, Any]:
    less = table[table["effect"] == LESS]
    unknown = table[(table["effect"] == UNKNOWN) & (table["outcome"] != "failure")]
    rows = [
        [one["sentence"], one["principal"], utc_time(one["time"]),
         "never in the records" if is_missing(one["until"]) else utc_time(one["until"]),
         refs_in(one["ref"], one["before_ref"], one["until_ref"])]
        for one in most(less)
    ]  # fmt: skip
    words = [] if len(table) else ["No record tells of a change of logging; that does not say that logging was on."]
    if len(table) and not rows:
        words = ["No change of logging is known after which less was recorded."]
    words += [f"Not answerable: {one['sentence']} ({one['principal']}, {one['ref']})." for one in most(unknown)]
    heads = ("What changed", "By", "Time (UTC)", "Restored (UTC)", "Records")
    return part("Logging after which less was recorded", words, heads, rows, len(less), "logging_changes",
                 "Compared with the state before, as far as the evidence tells it")  # fmt: skip


def _endpoints(table: pd.DataFrame) -> dict[str, Any]:
    told = table.assign(opened=table["open_to"].notna())
    met = told[told["opened"] | told["called_from_outside"].eq(True) | (told["client_count"] > 0)]
    met = met.sort_values(["opened", "calls", "client_count"], ascending=False, kind="stable")
    rows = [
        [one["host"], one["resource"], one["open_to"], one["answer"], one["callers"], one["client_names"],
         refs_in(one["refs"], one["made_by"])]
        for one in most(met)
    ]  # fmt: skip
    quiet = table[~table.index.isin(met.index)]
    words = [] if len(table) else ["Not answerable because no record or answer in evidence shows an endpoint of ours."]
    words += _reasons(zip(quiet["host"], quiet["answer"], strict=True))
    heads = ("Endpoint", "Behind it", "Open to", "Seen", "Callers from outside", "Own clients", "Records")
    return part("Own endpoints, open to strangers or called", words, heads, rows, len(met), "own_endpoints",
                 "Hosts that our control plane made: who may call them by the records, and who did")  # fmt: skip


def _code(table: pd.DataFrame) -> dict[str, Any]:
    told = table[table["change"].isin(UNTOLD_CODE)].sort_values("time", ascending=False, kind="stable")
    rows = [
        [one["function"], one["aspect"], one["change"], one["sentence"], one["principal"],
         refs_in(one["ref"], one["before_ref"])]
        for one in most(told)
    ]  # fmt: skip
    words = [] if rows else ["Records explain every value of code and settings in evidence, and none came back."]
    if not len(table):
        words = ["Not answerable because no record or answer in evidence shows a code hash or setting of a function."]
    heads = ("Function", "Aspect", "Change", "In words", "Seen in a call of", "Records")
    return part("Code that no record explains, or that came back", words, heads, rows, len(told), "code_changes",
                 "The newest first; a hash says that code differs, not in what")  # fmt: skip


def _stale(cloud: CloudFacts) -> dict[str, Any]:
    table = cloud.stale_functions
    rows = [
        [one["function"], one["account"], one["region"], one["runtime"], utc_time(one["last_modified"]),
         one["sentence"], refs_in(one["refs"])]
        for one in most(table)
    ]  # fmt: skip
    words: list[str] = []
    if not cloud.functions_listed:
        words = [
            "Not answerable because no acquired answer in evidence tells when a function was changed last "
            "(ListFunctions, GetFunction)."
        ]
    elif not rows:
        listed = counted(cloud.functions_listed, "function")
        words = [f"Of {listed} in acquired answers none was untouched for {STALE_DAYS} days before the window."]
    heads = ("Function", "Account", "Region", "Runtime", "Last changed (UTC)", "In words", "Records")
    return part("Functions that nobody touched for long", words, heads, rows, len(table), "stale_functions",
                 "The longest untouched first; age is no sign of misuse, but asks who needs it")  # fmt: skip


def _sigma(cloud: CloudFacts) -> dict[str, Any]:
    matches = cloud.sigma_matches
    listed = [one for one in cloud.sigma_rules if one["rule_id"] in set(matches["rule_id"])]
    listed.sort(key=lambda one: (LEVELS.index(one["level"]) if one["level"] in LEVELS else len(LEVELS), one["title"]))
    rows = []
    for one in listed[:MOST]:
        mine = matches[matches["rule_id"] == one["rule_id"]]
        first = mine.head(MOST_REFS).to_dict("records")
        refs = [ref for match in first for ref in refs_in(match["ref"], match["refs"])]
        rows.append([one["title"], one["level"], one["matches"], some(sorted(set(mine["principal"].dropna()))),
                     refs_in(refs)])  # fmt: skip
    heads = ("Rule", "Level", "Matches", "Principals", "Records")
    statuses = [one["status"] for one in cloud.sigma_rules]
    told = ", ".join(f"{statuses.count(name)} {name}" for name in sorted(set(statuses)))
    words = [f"{counted(len(statuses), 'Sigma rule')}: {told}." if statuses else "No Sigma rule was asked."]
    words += [f"Blind: {why}" for why in _reasons((one["title"], one["reason"]) for one in _blind(cloud.sigma_rules))]
    return part("Sigma rules", words, heads, rows, len(listed), "sigma.json",
                 "Rules that fit records, the most severe first; a match accuses nobody")  # fmt: skip


def _blind(rules: Sequence[Row]) -> list[Row]:
    return [one for one in rules if one["status"] == "blind"]
