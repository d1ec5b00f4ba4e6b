"""MISP attributes as CSV, as MISP exports them and as CSV feeds hold them: an attribute a record.

Types of two parts (`ip-dst|port`, `filename|sha256`) give the part that stands in logs. What MISP does not hand to
detection (`to_ids` 0) is context.
Reference: MISP, automation, CSV export.
"""

from playbooks.formats.format import Clock, Columns, Format

COLUMNS = (
    *("uuid", "event_id", "category", "type", "value", "comment", "to_ids", "date", "object_relation"),
    *("attribute_tag", "object_uuid", "object_name", "object_meta_category"),
)
PART = """CASE WHEN r.type IN ('domain|ip', 'hostname|port', 'ip-dst|port', 'ip-src|port')
            THEN regexp_extract(r.value, '^[^|]*') WHEN r.type LIKE 'filename|%' THEN regexp_extract(r.value, '[^|]*$')
            ELSE r.value END"""
KIND = """CASE WHEN r.type IN ('domain', 'hostname', 'domain|ip', 'hostname|port') THEN 'domain'
            WHEN r.type IN ('ip-dst', 'ip-src', 'ip-dst|port', 'ip-src|port') THEN 'ip'
            WHEN r.type = 'uri' AND starts_with(r.value, '/') THEN 'uri'
            WHEN r.type IN ('url', 'uri') THEN 'url' WHEN r.type = 'user-agent' THEN 'user_agent'
            WHEN r.type = 'ja3-fingerprint-md5' THEN 'ja3' WHEN r.type = 'ja4-fingerprint' THEN 'ja4'
            WHEN r.type LIKE 'filename|%' THEN regexp_extract(r.type, '[^|]*$')
            ELSE coalesce(said(r.type), refused_text()) END"""

FORMAT = Format(
    name="misp_csv",
    product="MISP attributes, CSV",
    table="indicators",
    cut=Columns(
        delimiter=",",
        fields=COLUMNS,
        keys=frozenset({"uuid", "event_id", "category", "type", "value", "to_ids", "date"}),
    ),
    clock=Clock.IN_THE_STAMP,
    undated="stated(r.date) IS NULL",
    columns=f"""
        -- eight digits are a day, and no moment
        coalesce(epoch_time(CASE WHEN length(r.date) >= 9 THEN digits_of(r.date) END), utc_time(stated(r.date)))
                                    AS time,
        CASE WHEN said(r.value) IS NULL THEN refused_text()
             WHEN {KIND} IN ('domain', 'ip', 'url', 'user_agent', 'ja3', 'ja4', 'sha256', 'sha1', 'md5', 'uri')
             THEN indicator_value({PART}, {KIND}) ELSE {PART} END  AS indicator,
        {KIND}                      AS indicator_type,
        upper(said(regexp_extract(r.attribute_tag, '(?i)tlp:([a-z+]+)', 1)))  AS tlp,
        said(concat_ws('; ', said(r.category), stated(r.comment), CASE WHEN {PART} <> r.value THEN r.value END))
                                    AS description,
        yes(r.to_ids)               AS for_detection
    """,
    shows="which values an organisation wrote into its events, with category and comment, since when",
    cannot_show="who says so; whether it is true; until when it holds",
    reference="MISP, automation, CSV export",
)
