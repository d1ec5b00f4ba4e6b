"""Linux netfilter log (`iptables -j LOG`, nftables `log`, ufw): one packet a line, as the kernel writes it.

The verdict is what the rule's author wrote into the prefix, if anything. LEN is the length of that one packet.
The kernel's line has no date: it is syslog's, and only a header with year and zone gives a time; where a
collector cut the header off, there is none.
Reference: iptables-extensions manual page, LOG target; Linux kernel, netfilter nf_log_syslog.
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

FORMAT = Format(
    name="iptables",
    product="Linux iptables and nftables",
    cut=Pairs(
        style="keyvalue",
        keys=frozenset({"IN", "OUT", "SRC", "DST", "PROTO"}),
        fields=("prefix", "IN", "OUT", "SRC", "DST", "LEN", "PROTO", "SPT", "DPT"),
    ),
    clock=Clock.IN_THE_STAMP,
    undated=r"NOT regexp_matches(coalesce(r.prefix, ''), '\d:\d\d')",
    kind="'a packet whose line is cut short'",
    parts=(
        Part(
            table="network_activity",
            when="r.DST IS NOT NULL AND r.PROTO IS NOT NULL",
            columns=r"""
                iso_time(regexp_extract(r.prefix, '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)'))
                                            AS time,
                address(r.SRC)              AS src_endpoint_ip,
                port(r.SPT)                 AS src_endpoint_port,
                address(r.DST)              AS dst_endpoint_ip,
                port(r.DPT)                 AS dst_endpoint_port,
                CASE WHEN regexp_matches(r.PROTO, '^\d+$') THEN protocol(r.PROTO)
                     WHEN r.PROTO = 'ICMPv6' THEN 'icmp6' ELSE lower(said(r.PROTO)) END
                                            AS connection_info_protocol_name,
                amount(r.LEN)               AS traffic_bytes_out,
                CASE WHEN regexp_matches(r.prefix, '(?i)(^|[^a-z])(drop|deny|denied|reject|block)(ped|ed)?([^a-z]|$)')
                     THEN 'blocked'
                     WHEN regexp_matches(r.prefix, '(?i)(^|[^a-z])(accept|accepted|allow|allowed|pass)([^a-z]|$)')
                     THEN 'allowed' END     AS disposition
            """,
        ),
    ),
    shows="packets that a rule logged: addresses, ports, length, and the verdict where the prefix names it",
    cannot_show="whole connections and their bytes; packets of rules that do not log; names, processes",
    reference="iptables-extensions manual page, LOG target",
)
