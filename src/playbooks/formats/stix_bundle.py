r"""STIX 2.0 and 2.1: each object of a bundle a record, each comparison in an indicator's pattern an item.

`[domain-name:value = 'a' OR ipv4-addr:value = 'b']` is two items. Only comparisons by `=` of one property with one
text are read: what `AND`, `FOLLOWEDBY` or `LIKE` demand besides is not. Objects other than indicators (malware,
reports, observables, relations) say nothing that could be compared with a log.
Reference: OASIS, STIX Version 2.1, Indicator; STIX Patterning.
"""

from playbooks.formats.format import Clock, Format, Json

PROPERTY = r"regexp_extract(item, '^([a-z0-9-]+:[^=]*?)\s*=', 1)"
VALUE = r"regexp_replace(regexp_extract(item, '=\s*''(.*)''$', 1), '\\(.)', '\1', 'g')"
KIND = f"""CASE {PROPERTY} WHEN 'domain-name:value' THEN 'domain' WHEN 'ipv4-addr:value' THEN 'ip'
            WHEN 'ipv6-addr:value' THEN 'ip' WHEN 'url:value' THEN 'url'
            WHEN 'network-traffic:dst_ref.value' THEN 'ip' WHEN 'email-addr:value' THEN 'email'
            ELSE CASE WHEN {PROPERTY} LIKE '%user_agent%' OR {PROPERTY} LIKE '%User-Agent%' THEN 'user_agent'
                 WHEN {PROPERTY} LIKE '%request_value' AND starts_with({VALUE}, '/') THEN 'uri'
                 WHEN {PROPERTY} LIKE '%hashes.%' THEN coalesce(hash_type({VALUE}), {PROPERTY})
                 ELSE {PROPERTY} END END"""
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
                  "revoked": "VARCHAR", "modified": "VARCHAR"}""",
        envelopes=("objects",),
    ),
    clock=Clock.IN_THE_STAMP,
    undated="r.valid_from IS NULL",
    status=(("r.type <> 'indicator'", "status line: an object that is no indicator"),),
    each=r"""regexp_extract_all(r.pattern,
        '[a-z0-9-]+:(?:[A-Za-z0-9_.*\[\]-]|''[^'']*'')+\s*=\s*''(?:[^''\\]|\\.)*''')""",
    columns=f"""
        iso_time(r.valid_from)      AS time,
        indicator_value({VALUE}, {KIND})  AS indicator,
        {KIND}                      AS indicator_type,
        -- an id; its name stands in an object of its own
        said(r.created_by_ref)      AS source,
        percent(r.confidence)       AS confidence,
        -- what was revoked ended then
        CASE WHEN coalesce(said(r.valid_until), CASE WHEN r.revoked = 'true' THEN r.modified END) IS NOT NULL
             THEN coalesce(iso_time(coalesce(said(r.valid_until), r.modified)), refused_time()) END  AS valid_until,
        CASE {MARKING} END          AS tlp,
        said(concat_ws('; ', said(r.name), said(r.description),
                       CASE WHEN r.pattern LIKE '% AND %' OR r.pattern LIKE '% FOLLOWEDBY %' THEN r.pattern END))
                                    AS description
    """,
    shows="which values a source holds to be malicious, since when, how sure it is",
    cannot_show="patterns of other languages; conditions joined by AND or FOLLOWEDBY; the source's name; whether it is "
    "true",
    reference="OASIS, STIX Version 2.1, Indicator and Patterning",
)
