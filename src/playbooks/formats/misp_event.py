"""MISP event as MISP exports it and as its feeds hold it: an event a record, each attribute an item.

Attributes of its objects are items too. So are those that MISP does not hand to detection (`to_ids` false): command
servers stand among them; they are context. Types of two parts (`ip-dst|port`, `filename|sha256`) give the part that
stands in logs. What was deleted ended when it was. Text, comments and other attributes that are no value of a log keep
the type that MISP gives them. An attribute without a value, or with a stamp that is none, is kept with that reason.
Reference: MISP core format; MISP attribute types; MISP taxonomies, confidence level.
"""

from playbooks.formats.format import Clock, Format, Json

TYPE = "json_extract_string(item, '$.type')"
VALUE = "json_extract_string(item, '$.value')"
STAMP = "json_extract_string(item, '$.timestamp')"
PART = f"""CASE WHEN {TYPE} IN ('domain|ip', 'hostname|port', 'ip-dst|port', 'ip-src|port')
            THEN regexp_extract({VALUE}, '^[^|]*') WHEN {TYPE} LIKE 'filename|%' THEN regexp_extract({VALUE}, '[^|]*$')
            ELSE {VALUE} END"""
KIND = f"""CASE WHEN {TYPE} IN ('domain', 'hostname', 'domain|ip', 'hostname|port') THEN 'domain'
            WHEN {TYPE} IN ('ip-dst', 'ip-src', 'ip-dst|port', 'ip-src|port') THEN 'ip'
            WHEN {TYPE} = 'uri' AND starts_with({VALUE}, '/') THEN 'uri'
            WHEN {TYPE} IN ('url', 'uri') THEN 'url' WHEN {TYPE} = 'user-agent' THEN 'user_agent'
            WHEN {TYPE} = 'ja3-fingerprint-md5' THEN 'ja3' WHEN {TYPE} = 'ja4-fingerprint' THEN 'ja4'
            WHEN {TYPE} LIKE 'filename|%' THEN regexp_extract({TYPE}, '[^|]*$')
            ELSE coalesce(said({TYPE}), 'no type') END"""
DELETED = "json_extract_string(item, '$.deleted') IN ('true', '1')"
# an attribute's own tags come before those of its event
TAGS = "list_concat(json_extract_string(item, '$.Tag[*].name'), list_transform(r.Tag, lambda t: t.name))"
TLP_TAG = f"list_filter({TAGS}, lambda t: lower(t) LIKE 'tlp:%')[1]"
SURE = f"list_filter({TAGS}, lambda t: lower(t) LIKE 'misp:confidence-level=%')[1]"
SURENESS = {"complete": 100, "usually": 75, "fairly": 50, "rarely": 25, "unconfident": 0}
CONFIDENCE = " ".join(f"WHEN contains(lower({SURE}), '\"{word}') THEN '{share}'" for word, share in SURENESS.items())

FORMAT = Format(
    name="misp_event",
    product="MISP event, JSON export or feed",
    table="indicators",
    cut=Json(
        keys=frozenset(),
        any_of=frozenset({"Attribute", "Object"}),
        shape="""{"uuid": "VARCHAR", "info": "VARCHAR", "Orgc": {"name": "VARCHAR"},
                    "Attribute": "JSON", "Object": "JSON", "Tag": [{"name": "VARCHAR"}]}""",
        envelopes=("response",),
        nested="Event",
    ),
    clock=Clock.IN_THE_STAMP,
    # a stamp that is none is told beside the item
    undated=f"NOT regexp_matches(coalesce({STAMP}, ''), '^\\d{{1,18}}$')",
    each="""list_concat(json_extract(r.Attribute, '$[*]'), json_extract(r.Object, '$[*].Attribute[*]'))""",
    columns=f"""
        epoch_time(CASE WHEN regexp_matches({STAMP}, '^\\d{{1,18}}$') THEN {STAMP} END)  AS time,
        -- text may run over lines and be of any language
        CASE WHEN said({VALUE}) IS NULL THEN ''
             WHEN {KIND} IN ('domain', 'ip', 'url', 'user_agent', 'ja3', 'ja4', 'sha256', 'sha1', 'md5', 'uri')
             THEN indicator_value({PART}, {KIND}) ELSE {PART} END  AS indicator,
        {KIND}                      AS indicator_type,
        said(r.Orgc.name)           AS source,
        percent(CASE {CONFIDENCE} END)  AS confidence,
        CASE WHEN {DELETED} THEN epoch_time(digits_of({STAMP})) END  AS valid_until,
        upper(said(regexp_extract({TLP_TAG}, '(?i)^tlp:(.*)$', 1)))  AS tlp,
        said(concat_ws('; ', said(r.info), said(json_extract_string(item, '$.category')),
                       said(json_extract_string(item, '$.comment')),
                       CASE WHEN {PART} <> {VALUE} THEN {VALUE} END,
                       CASE WHEN list_contains(json_extract_string(item, '$.Sighting[*].type'), '1')
                            THEN 'a sighting calls it a false positive' END,
                       CASE WHEN {DELETED} THEN 'deleted' END))  AS description,
        yes(json_extract_string(item, '$.to_ids'))  AS for_detection,
        CASE WHEN {DELETED} THEN 'revoked' END  AS verdict,
        CASE WHEN said({VALUE}) IS NULL THEN 'it has no value'
             WHEN said({STAMP}) IS NOT NULL AND NOT regexp_matches({STAMP}, '^\\d{{1,18}}$')
             THEN 'its stamp is no moment: ' || left({STAMP}, 40) END  AS not_compared
    """,
    shows="what an organisation wrote into an event: values, with comment and category, since when",
    cannot_show="whether it is true; an end of validity, but for what was deleted; who saw it",
    reference="MISP core format",
)
