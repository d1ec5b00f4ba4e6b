"""MISP event as MISP exports it: an event a record, each attribute of it and of its objects an item.

Attributes that MISP does not hand to detection (`to_ids` false) are items too, and say so: command servers stand among
them. Types of two parts (`ip-dst|port`, `filename|sha256`) give the part that stands in logs. What was deleted ended
when it was. Text, comments and other attributes that are no value of a log keep the type that MISP gives them.
Reference: MISP core format; MISP attribute types.
"""

from playbooks.formats.format import Clock, Format, Json

TYPE = "json_extract_string(item, '$.type')"
VALUE = "json_extract_string(item, '$.value')"
PART = f"""CASE WHEN {TYPE} IN ('domain|ip', 'hostname|port', 'ip-dst|port', 'ip-src|port')
            THEN regexp_extract({VALUE}, '^[^|]*') WHEN {TYPE} LIKE 'filename|%' THEN regexp_extract({VALUE}, '[^|]*$')
            ELSE {VALUE} END"""
KIND = f"""CASE WHEN {TYPE} IN ('domain', 'hostname', 'domain|ip', 'hostname|port') THEN 'domain'
            WHEN {TYPE} IN ('ip-dst', 'ip-src', 'ip-dst|port', 'ip-src|port') THEN 'ip'
            WHEN {TYPE} = 'uri' AND starts_with({VALUE}, '/') THEN 'uri'
            WHEN {TYPE} IN ('url', 'uri') THEN 'url' WHEN {TYPE} = 'user-agent' THEN 'user_agent'
            WHEN {TYPE} = 'ja3-fingerprint-md5' THEN 'ja3' WHEN {TYPE} = 'ja4-fingerprint' THEN 'ja4'
            WHEN {TYPE} LIKE 'filename|%' THEN regexp_extract({TYPE}, '[^|]*$') ELSE said({TYPE}) END"""
DELETED = "json_extract_string(item, '$.deleted') IN ('true', '1')"

FORMAT = Format(
    name="misp_event",
    product="MISP event, JSON export",
    table="indicators",
    cut=Json(
        keys=frozenset(),
        any_of=frozenset({"Event"}),
        only=(("Event.uuid", "[0-9A-Fa-f-]{36}"),),
        shape="""{"Event": {"uuid": "VARCHAR", "info": "VARCHAR", "Orgc": {"name": "VARCHAR"},
                    "Attribute": "JSON", "Object": "JSON", "Tag": [{"name": "VARCHAR"}]}}""",
        envelopes=("response",),
    ),
    clock=Clock.IN_THE_STAMP,
    undated="said(json_extract_string(item, '$.timestamp')) IS NULL",
    each="""list_concat(json_extract(r.Event.Attribute, '$[*]'), json_extract(r.Event.Object, '$[*].Attribute[*]'))""",
    columns=f"""
        epoch_time(json_extract_string(item, '$.timestamp'))  AS time,
        -- text may run over lines and be of any language
        CASE WHEN said({VALUE}) IS NULL THEN refused_text()
             WHEN {KIND} IN ('domain', 'ip', 'url', 'user_agent', 'ja3', 'ja4', 'sha256', 'sha1', 'md5', 'uri')
             THEN indicator_value({PART}, {KIND}) ELSE {PART} END  AS indicator,
        {KIND}                      AS indicator_type,
        said(r.Event.Orgc.name)     AS source,
        CASE WHEN {DELETED} THEN epoch_time(json_extract_string(item, '$.timestamp')) END  AS valid_until,
        upper(said(regexp_extract(list_filter(r.Event.Tag, lambda t: lower(t.name) LIKE 'tlp:%')[1].name,
                                  '(?i)^tlp:(.*)$', 1)))  AS tlp,
        said(concat_ws('; ', said(r.Event.info), said(json_extract_string(item, '$.category')),
                       said(json_extract_string(item, '$.comment')),
                       CASE WHEN {PART} <> {VALUE} THEN {VALUE} END,
                       CASE WHEN json_extract_string(item, '$.to_ids') IN ('false', '0') THEN 'not for detection' END,
                       CASE WHEN {DELETED} THEN 'deleted' END))  AS description
    """,
    shows="what an organisation wrote into an event: values, with comment and category, since when",
    cannot_show="whether it is true; an end of validity, but for what was deleted; sightings",
    reference="MISP core format",
)
