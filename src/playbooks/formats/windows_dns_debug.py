"""Windows DNS server debug log: one packet a line, with the dates of the server's locale.

A question can be four packets: from the client, to another server, back, and to the client. Packets between the
server and other servers have no client: there the other server is the destination. The detail lines below a packet
are status lines; what the server says of itself is read as its own event. The stamp has no zone. With AM or PM, month
comes first, as in the United States, unless the day cannot be a month or the month has a zero in front; without, the
day comes first: look at the file's days above 12.
Reference: Microsoft Learn, DNS logging and diagnostics; the key of fields in the log's own header.
"""

from playbooks.formats.format import Clock, Format, Part, TextLines

DATE = "coalesce(nullif(r.date, ''), r.note_date)"
HOUR = "coalesce(nullif(r.clock, ''), r.note_clock)"
HALF = "coalesce(nullif(r.half, ''), r.note_half)"
STAMP = rf"""
    case_clock(coalesce(strftime(try_strptime(CASE
        WHEN regexp_matches({DATE}, '^\d{{4}}') THEN regexp_replace({DATE}, '[./]', '-', 'g')
        WHEN {HALF} = '' OR regexp_matches({DATE}, '^(1[3-9]|[23]\d)|^\d+[./-]0|^\d+\.')
        THEN regexp_replace({DATE}, '^(\d+)\D(\d+)\D(\d+)$', '\3-\2-\1')
        ELSE regexp_replace({DATE}, '^(\d+)\D(\d+)\D(\d+)$', '\3-\1-\2')
        END || ' ' || replace({HOUR}, '.', ':') || upper(replace({HALF}, '.', '')),
        ['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %I:%M:%S%p']), '%Y-%m-%d %H:%M:%S'), {DATE} || ' ' || {HOUR}))  AS time"""

PACKET = (
    STAMP
    + r""",
    -- a question received and an answer sent belong to a client; the other two to another server
    CASE WHEN (r.way = 'Rcv') = (r.answer <> 'R') THEN address(r.peer) END  AS src_endpoint_ip,
    CASE WHEN (r.way = 'Rcv') <> (r.answer <> 'R') THEN address(r.peer) END  AS dst_endpoint_ip,
    lower(r.proto)              AS connection_info_protocol_name,
    -- (7)example(3)com(0): a length before each label
    hostname(regexp_replace(regexp_replace(r.name, '^\(\d+\)|\(0\)$', '', 'g'), '\(\d+\)', '.', 'g'))
                                AS query_hostname,
    dns_type(r.type)            AS query_type,
    -- a question carries a code too, which means nothing
    CASE WHEN r.answer = 'R' THEN dns_rcode(r.rcode) END  AS rcode
"""
)

NOTE = (
    STAMP
    + r""",
    small('0')                  AS class_uid,
    said(regexp_extract(r.note, '^[A-Za-z]+'))  AS activity_name,
    said(trim(regexp_extract(r.note, '^[A-Za-z]+:?\s*(.*)$', 1)))  AS message
"""
)

FORMAT = Format(
    name="windows_dns_debug",
    product="Windows DNS server debug log",
    cut=TextLines(
        r"^(?P<date>\d{1,4}[./-]\d{1,2}[./-]\d{1,4}) (?P<clock>\d{1,2}[:.]\d\d[:.]\d\d)"
        r"(?: (?P<half>[AaPp]\.?[Mm]\.?))? "
        r"[0-9A-Fa-f]{3,4} PACKET\s+[0-9A-Fa-f]{8,16} (?P<proto>UDP|TCP) (?P<way>Rcv|Snd) "
        r"(?P<peer>[0-9A-Fa-f.:]+)\s+(?P<xid>[0-9A-Fa-f]{4}) (?P<answer>R| ) (?P<opcode>.)\s*"
        r"\[(?P<flags>[0-9A-Fa-f]{4})\s+(?P<letters>[A-Z ]*?)\s*(?P<rcode>[A-Z0-9]+)\] "
        r"(?P<type>\S+)\s+(?P<name>\S+)\s*$"
        r"|^(?P<other>DNS Server log file creation .*|Log file wrap .*|Message logging key .*|"
        r"\s+(?:Field #|Context|Information|Values|-+ |\d+ +[A-Za-z]).*|(?:TCP|UDP) (?:question|response) info at .*|"
        r"\s+(?:Socket|Remote addr|Time Query|Buf length|Msg length|Message:|XID|Flags|QR|OPCODE|AA|TC|RD|RA|Z|CD|AD"
        r"|RCODE|QCOUNT|ACOUNT|NSCOUNT|ARCOUNT|QUESTION SECTION|ANSWER SECTION|AUTHORITY SECTION|ADDITIONAL SECTION"
        r"|Offset|Name|QTYPE|QCLASS|TYPE|CLASS|TTL|DLEN|DATA|empty)\b.*)$"
        r"|^(?P<note_date>\d{1,4}[./-]\d{1,2}[./-]\d{1,4}) (?P<note_clock>[\d:.]+) "
        r"(?:(?P<note_half>[AaPp]\.?[Mm]\.?) )?[0-9A-Fa-f]{3,4} "
        r"(?P<note>(?:EVENT|Note:|LOOKUP|RECURSE|REMOTE|NOTIFY|UPDATE|INIT|TIMER|WRITE|DSWRITE|TOMBSTN|DSPOLL).*)$"
    ),
    clock=Clock.ASK,
    status=(("r.other <> ''", "status line: header, or detail of the packet above"),),
    kind="'other'",
    parts=(
        Part("dns_activity", "r.name <> ''", PACKET),
        Part("system_activity", "r.note <> ''", NOTE),
    ),
    shows="which client asked the server for which name, the response code, and which servers it asked itself",
    cannot_show="answers in a form that can be read; the zone of its stamps; on some servers which is day, which month",
    reference="Microsoft Learn, DNS logging and diagnostics",
)
