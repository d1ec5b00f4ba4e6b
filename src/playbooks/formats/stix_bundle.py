r"""STIX 2.0 and 2.1: each object of a bundle a record, each comparison in an indicator's pattern an item.

`[domain-name:value = 'a' OR ipv4-addr:value IN ('b', 'c')]` is three items. What `AND`, `FOLLOWEDBY` or a qualifier
demands besides is not compared: such an item is one of context, with the whole pattern beside it. What is no equality
with one text (`LIKE`, `MATCHES`, `!=`, a number, …), and a pattern of another language, is kept with the reason why it
is compared with nothing. Objects other than indicators say nothing that could be compared with a log.
Reference: OASIS, STIX Version 2.1, Indicator; STIX Patterning.
"""

from playbooks.formats.format import Clock, Format, Json

QUOTED = r"''(?:[^''\\]|\\.)*''"
PATH = r"[a-z0-9-]+:(?:[A-Za-z0-9_.*\[\]-]|''[^'']*'')+"
WORD = r"(?:=|!=|<>|<=|>=|<|>|LIKE|MATCHES|ISSUBSET|ISSUPERSET)"
LISTED = rf"IN\s*\((?:\s*(?:{QUOTED}|[^''()])*)\)"
COMPARISON = rf"(?:EXISTS\s+{PATH}|{PATH}\s*(?:NOT\s+)?(?:{WORD}\s*(?:[tbh]?{QUOTED}|[A-Za-z0-9.+-]+)|{LISTED}))"
# what stands outside of quotes: words that join conditions, and brackets
OUTSIDE = f"regexp_replace(r.pattern, '{QUOTED}', '', 'g')"
JOINED = rf"regexp_matches({OUTSIDE}, '\b(?:AND|FOLLOWEDBY|REPEATS|WITHIN|START)\b')"
# inside a path `[*]` names the members of a list
BARE = rf"regexp_replace({OUTSIDE}, '\w\[[0-9*]*\]', '', 'g')"
OPENED, CLOSED = (f"length({BARE}) - length(replace({BARE}, '{bracket}', ''))" for bracket in "[]")
NESTED = rf"regexp_matches({BARE}, '\[[^\]]*\[|\][^\[]*\]')"
WHOLE = rf"(regexp_matches({BARE}, '^[\s(]*\[') AND NOT {NESTED} AND {OPENED} = {CLOSED})"
OTHER = "coalesce(said(r.pattern_type), 'stix') <> 'stix'"

PROPERTY = r"regexp_extract(item, '^([a-z0-9-]+:[^=]*?)\s*=', 1)"
VALUE = r"regexp_replace(regexp_extract(item, '=\s*''(.*)''$', 1), '\\(.)', '\1', 'g')"
ONE_VALUE = rf"regexp_matches(item, '^{PATH}\s*=\s*{QUOTED}$')"
KIND = f"""CASE {PROPERTY} WHEN 'domain-name:value' THEN 'domain' WHEN 'ipv4-addr:value' THEN 'ip'
            WHEN 'ipv6-addr:value' THEN 'ip' WHEN 'url:value' THEN 'url'
            WHEN 'network-traffic:dst_ref.value' THEN 'ip' WHEN 'email-addr:value' THEN 'email'
            ELSE CASE WHEN {PROPERTY} LIKE '%user_agent%' OR {PROPERTY} LIKE '%User-Agent%' THEN 'user_agent'
                 WHEN {PROPERTY} LIKE '%request_value' AND starts_with({VALUE}, '/') THEN 'uri'
                 WHEN {PROPERTY} LIKE 'file:hashes.%' THEN coalesce(hash_type({VALUE}), {PROPERTY})
                 ELSE coalesce(nullif({PROPERTY}, ''), 'pattern') END END"""
# markings that the standard defines
TLP = {
    "613f2e26-407d-48c7-9eca-b8e91df99dc9": "WHITE",
    "34098fce-860f-48ae-8e50-ebd3cc5e41da": "GREEN",
    "f88d31f6-486f-44da-b317-01333bde0b82": "AMBER",
    "5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "RED",
    "94868c89-83c2-464b-929b-a1a8aa3c8487": "CLEAR",
    "bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "GREEN",
    "55d920b0-5e8b-4f79-9ee9-91f868d9b421": "AMBER",
    "939a9414-2ddd-4d32-a0cd-375ea402b003": "AMBER+STRICT",
    "e828b379-4e03-4974-9ac4-e53a884c97c1": "RED",
}
MARKING = " ".join(f"WHEN contains(r.object_marking_refs, '{uid}') THEN '{word}'" for uid, word in TLP.items())

FORMAT = Format(
    name="stix_bundle",
    product="STIX 2 bundle",
    table="indicators",
    cut=Json(
        keys=frozenset({"id", "type"}),
        any_of=frozenset({"created", "spec_version"}),
        only=(("id", "[a-z0-9-]+--[0-9a-fA-F-]{36}"),),
        shape="""{"id": "VARCHAR", "type": "VARCHAR", "pattern": "VARCHAR", "pattern_type": "VARCHAR",
                  "valid_from": "VARCHAR", "valid_until": "VARCHAR", "confidence": "VARCHAR", "name": "VARCHAR",
                  "description": "VARCHAR", "created_by_ref": "VARCHAR", "object_marking_refs": "VARCHAR",
                  "revoked": "VARCHAR", "modified": "VARCHAR", "labels": "VARCHAR", "indicator_types": "VARCHAR"}""",
        envelopes=("objects",),
    ),
    clock=Clock.IN_THE_STAMP,
    undated="r.valid_from IS NULL",
    status=(("r.type <> 'indicator'", "status line: an object that is no indicator"),),
    # each value of a list is an item; a pattern without a comparison is one itself
    each=rf"""CASE WHEN {OTHER} OR NOT regexp_matches(r.pattern, '{COMPARISON}') THEN [r.pattern]
        ELSE flatten(list_transform(regexp_extract_all(r.pattern, '{COMPARISON}'),
            lambda c: CASE WHEN regexp_matches(c, '^{PATH}\s*IN\s*\(') AND regexp_matches(c, '{QUOTED}\s*\)$')
            THEN list_transform(regexp_extract_all(regexp_replace(c, '^{PATH}\s*IN\s*\(', ''), '{QUOTED}'),
                 lambda v: regexp_extract(c, '^{PATH}') || ' = ' || v)
            ELSE [c] END)) END""",
    columns=f"""
        iso_time(r.valid_from)      AS time,
        CASE WHEN {ONE_VALUE} THEN indicator_value({VALUE}, {KIND}) ELSE item END  AS indicator,
        CASE WHEN {ONE_VALUE} THEN {KIND} ELSE 'pattern' END  AS indicator_type,
        -- an id; its name stands in an object of its own
        said(r.created_by_ref)      AS source,
        percent(r.confidence)       AS confidence,
        -- what was revoked ended then
        CASE WHEN coalesce(said(r.valid_until), CASE WHEN r.revoked = 'true' THEN r.modified END) IS NOT NULL
             THEN coalesce(iso_time(coalesce(said(r.valid_until), r.modified)), refused_time()) END  AS valid_until,
        CASE {MARKING} END          AS tlp,
        said(concat_ws('; ', said(r.name), said(r.description), CASE WHEN {JOINED} THEN r.pattern END))
                                    AS description,
        CASE WHEN {JOINED} THEN false END  AS for_detection,
        CASE WHEN r.revoked = 'true' THEN 'revoked'
             WHEN contains(r.indicator_types, '"benign"') OR contains(r.labels, '"benign"') THEN 'benign' END
                                    AS verdict,
        CASE WHEN {OTHER} THEN 'a pattern of another language: ' || left(r.pattern_type, 40)
             WHEN NOT {WHOLE} THEN 'no STIX pattern: its brackets do not enclose conditions'
             WHEN NOT {ONE_VALUE} THEN 'its condition is no equality with one text' END  AS not_compared
    """,
    shows="which values a source holds to be malicious, since when, how sure it is",
    cannot_show="patterns of other languages; what AND, FOLLOWEDBY and qualifiers demand besides; the source's name; "
    "whether it is true",
    reference="OASIS, STIX Version 2.1, Indicator and Patterning",
)
