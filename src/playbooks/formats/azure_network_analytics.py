"""Azure Network Watcher traffic analytics: flows between the same ends, summed over an hour or less.

Table `NTANetAnalytics`, or `AzureNetworkAnalytics_CL` with or without the endings `_s`, `_t` and `_d`: CSV, JSON or
Parquet. With public addresses on the other side SrcIP and DestIP are empty: the machine's address and the external
ones stand in columns of their own, of which the first is taken. Azure stores UTC; exports drop the zone.
Reference: Azure Network Watcher documentation, "Traffic analytics schema and data aggregation".
"""

from playbooks.formats.format import Clock, Format, Json

# each name as the newer table writes it; SQL and headers know no case in names
TEXTS = (
    *("FlowDirection", "FlowType", "SrcIp", "DestIp", "L4Protocol", "VMName", "VMIPAddress", "AllExtIPs", "FlowStatus"),
    *("SrcVm", "DestVm", "VM", "VMIP", "PublicIPs", "SrcPublicIps", "DestPublicIps"),
)
NUMBERS = (
    *("SrcPort", "DestPort", "AllowedInFlows", "AllowedOutFlows", "DeniedInFlows", "DeniedOutFlows", "BytesSrcToDest"),
    *("BytesDestToSrc", "PacketsSrcToDest", "PacketsDestToSrc"),
)
OLDER = {
    "SrcIp": "SrcIP_s",
    "DestIp": "DestIP_s",
    "SrcVm": "VM1_s",
    "DestVm": "VM2_s",
    "SrcPublicIps": "SrcPublicIPs_s",
    "DestPublicIps": "DestPublicIPs_s",
}
NAMES = {name: (name, OLDER.get(name, f"{name}_s")) for name in TEXTS} | {name: (name, f"{name}_d") for name in NUMBERS}
FIELDS = ("FlowStartTime", "FlowStartTime_t", *(spelling for spellings in NAMES.values() for spelling in spellings))


def said(name: str) -> str:
    """SQL: the value under either name."""
    return "coalesce(" + ", ".join(f"said(r.{spelling})" for spelling in NAMES[name]) + ")"


def number(name: str) -> str:
    """SQL: as `said`; data frames turn whole numbers to 443.0."""
    return f"regexp_replace({said(name)}, '\\.0$', '')"


def first(name: str) -> str:
    """SQL: the first of several addresses, behind which counts stand."""
    return f"said(regexp_extract({said(name)}, '[0-9A-Fa-f]+[.:][0-9A-Fa-f.:]+'))"


OUTBOUND = f"{said('FlowDirection')} IN ('O', 'Outbound')"
MACHINE = f"coalesce({said('VMIPAddress')}, {said('VMIP')})"
OUTSIDE = f"coalesce({first('AllExtIPs')}, {first('DestPublicIps')}, {first('SrcPublicIps')}, {first('PublicIPs')})"
NAME = f"coalesce({said('VMName')}, {said('VM')})"

FORMAT = Format(
    name="azure_network_analytics",
    product="Azure traffic analytics, tables of Log Analytics",
    table="network_activity",
    cut=Json(
        keys=frozenset(),
        any_of=frozenset({"FlowStartTime", "FlowStartTime_t"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    columns=f"""
        stamp(portal_iso(coalesce(said(r.FlowStartTime), said(r.FlowStartTime_t))))  AS time,
        address(coalesce({said("SrcIp")}, CASE WHEN {OUTBOUND} THEN {MACHINE} ELSE {OUTSIDE} END))
                                    AS src_endpoint_ip,
        port({number("SrcPort")})   AS src_endpoint_port,
        coalesce({said("SrcVm")}, CASE WHEN {OUTBOUND} THEN {NAME} END)  AS src_endpoint_hostname,
        address(coalesce({said("DestIp")}, CASE WHEN {OUTBOUND} THEN {OUTSIDE} ELSE {MACHINE} END))
                                    AS dst_endpoint_ip,
        port({number("DestPort")})  AS dst_endpoint_port,
        hostname(coalesce({said("DestVm")}, CASE WHEN NOT {OUTBOUND} THEN {NAME} END))  AS dst_endpoint_hostname,
        CASE {said("L4Protocol")} WHEN 'T' THEN 'tcp' WHEN 'U' THEN 'udp' ELSE lower({said("L4Protocol")}) END
                                    AS connection_info_protocol_name,
        amount({number("BytesSrcToDest")})  AS traffic_bytes_out,
        amount({number("BytesDestToSrc")})  AS traffic_bytes_in,
        amount({number("PacketsSrcToDest")})  AS traffic_packets_out,
        amount({number("PacketsDestToSrc")})  AS traffic_packets_in,
        CASE WHEN {said("FlowStatus")} IN ('Denied', 'D')
               OR regexp_matches(concat({said("DeniedInFlows")}, ' ', {said("DeniedOutFlows")}), '[1-9]') THEN 'blocked'
             WHEN {said("FlowStatus")} IN ('Allowed', 'A')
               OR regexp_matches(concat({said("AllowedInFlows")}, ' ', {said("AllowedOutFlows")}), '[1-9]')
             THEN 'allowed' ELSE lower({said("FlowStatus")}) END  AS disposition
    """,
    shows="which machine spoke with which address and port within an interval, and whether the rules let it pass",
    cannot_show="single connections; names, URLs, TLS; bytes in the older table",
    reference="Azure Network Watcher documentation, Traffic analytics schema",
)
