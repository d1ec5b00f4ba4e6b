"""Windows DNS server debug log: one packet a line, with the dates of the server's locale.

A question can be four packets: from the client, to another server, back, and to the client. Packets between the
server and other servers have no client: there the other server is the destination. The detail lines below a packet
are status lines. The stamp has no zone. With AM or PM, month comes first, as in the United States, unless the day
cannot be a month or the month has a zero in front; without, the day comes first: look at the file's days above 12.
Reference: Microsoft Learn, DNS logging and diagnostics; the key of fields in the log's own header.
"""

from playbooks.formats.format import Clock, Format, TextLines

FORMAT = Format(
    name="windows_dns_debug",
    product="Windows DNS server debug log",
    table="dns_activity",
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
        r"|Offset|Name|QTYPE|QCLASS|TYPE|CLASS|TTL|DLEN|DATA|empty)\b.*|"
        r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4} [\d:.]+ (?:[AaPp]\.?[Mm]\.? )?[0-9A-Fa-f]{3,4} "
        r"(?:EVENT|Note:|LOOKUP|RECURSE|REMOTE|NOTIFY|UPDATE|INIT|TIMER|WRITE|DSWRITE|TOMBSTN).*)$"
    ),
    clock=Clock.ASK,
    status=(("r.other <> ''", "status line: header, detail of the packet above, or a message about no packet"),),
    columns=r"""
        case_clock(coalesce(strftime(try_strptime(CASE
            WHEN regexp_matches(r.date, '^\d{4}') THEN regexp_replace(r.date, '[./]', '-', 'g')
            WHEN r.half = '' OR regexp_matches(r.date, '^(1[3-9]|[23]\d)|^\d+[./-]0|^\d+\.')
            THEN regexp_replace(r.date, '^(\d+)\D(\d+)\D(\d+)$', '\3-\2-\1')
            ELSE regexp_replace(r.date, '^(\d+)\D(\d+)\D(\d+)$', '\3-\1-\2')
            END || ' ' || replace(r.clock, '.', ':') || upper(replace(r.half, '.', '')),
            ['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %I:%M:%S%p']), '%Y-%m-%d %H:%M:%S'), r.date || ' ' || r.clock))  AS time,
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
    """,
    shows="which client asked the server for which name, the response code, and which servers it asked itself",
    cannot_show="answers in a form that can be read; the zone of its stamps; on some servers which is day, which month",
    reference="Microsoft Learn, DNS logging and diagnostics",
)
