"""Zeek's logs besides conn, dns, http and ssl: what a protocol told, files, certificates, notices, oddities.

One mapping for all: who and to whom as in every Zeek log, and what each log has of its own (`note` of a notice,
`action` of a file share, `client` of Kerberos) where a column fits; `activity_name` is the log and what it says.
A connection of these logs stands in conn.log too, under the same `uid`; so they go to `system_activity` and are not
counted twice. Of `files.log` the source is who sent the file. JSON without `_path` is told by its fields.
`open_…` logs (zeek-open-connections) repeat every few minutes what is still open.
Reference: Zeek documentation, log files; field references of the protocol scripts.
"""

from playbooks.formats.format import Clock, Format, Part, Zeek

_FIELDS = (
    *("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "_path", "_system_name", "id", "name"),
    *("note", "msg", "sub", "src", "dst", "p", "peer_descr", "suppress_for", "file_desc"),  # notice
    *("addl", "notice", "peer", "source"),  # weird
    *("fuid", "tx_hosts", "rx_hosts", "mime_type", "filename", "md5", "sha1", "sha256", "seen_bytes"),  # files
    *("certificate.subject", "certificate.issuer", "san.dns", "fingerprint"),  # x509
    *("host", "software_type", "unparsed_version", "port_num", "port_proto", "service", "subject"),  # known_…, software
    *("client", "server", "auth_success", "auth_attempts", "cookie", "result", "security_protocol", "client_name"),
    *("action", "path", "share_type", "request_type", "success", "error_msg", "username", "hostname", "domainname"),
    *("server_nb_computer_name", "server_dns_computer_name", "mac", "host_name", "client_fqdn", "client_addr"),
    *("server_addr", "assigned_addr", "msg_types", "user", "command", "arg", "reply_msg", "helo", "mailfrom", "rcptto"),
    *("last_reply", "tunnel_type", "facility", "severity", "message", "seen.indicator", "seen.where", "sources"),
    *("endpoint", "operation", "named_pipe", "community", "request.name", "request.host", "request_p", "bound.host"),
    *("status", "method", "uri", "call_id", "nick", "value", "cmd", "func", "compile_ts", "machine", "server_name"),
    *("client_initial_dcid", "failure_reason", "analyzer", "percent_lost", "framed_addr", "remote_ip", "kex_alg"),
)
# a field that only this log has
_TOLD_BY = {
    "notice": "suppress_for",
    "weird": "notice",
    "files": "seen_bytes",
    "x509": "certificate_subject",
    "software": "software_type",
    "ssh": "kex_alg",
    "rdp": "security_protocol",
    "smb_mapping": "share_type",
    "kerberos": "request_type",
    "ntlm": "server_nb_computer_name",
    "dhcp": "msg_types",
    "smtp": "helo",
    "tunnel": "tunnel_type",
    "intel": "seen_indicator",
    "dce_rpc": "named_pipe",
    "snmp": "community",
    "socks": "bound_host",
    "sip": "call_id",
    "pe": "compile_ts",
    "quic": "client_initial_dcid",
    "dpd": "failure_reason",
    "capture_loss": "percent_lost",
    "radius": "framed_addr",
}
_MORE_TOLD_BY = {
    "starts_with(r.action, 'SMB:')": "smb_files",
    "r.auth_attempts IS NOT NULL": "ssh",
    "r.cookie IS NOT NULL": "rdp",
    "r.mailfrom IS NOT NULL": "smtp",
    "r.domainname IS NOT NULL": "ntlm",
    "r.assigned_addr IS NOT NULL": "dhcp",
    "r.fingerprint IS NOT NULL": "x509",
    "r.facility IS NOT NULL": "syslog",
    "r.port_num IS NOT NULL": "known_services",
    "r.operation IS NOT NULL": "dce_rpc",
    "r.func IS NOT NULL": "modbus",
    "r.command IS NOT NULL AND r.reply_msg IS NOT NULL": "ftp",
}
_KIND = "coalesce(said(r._path), CASE " + " ".join(
    [f"WHEN r.{field} IS NOT NULL THEN '{log}'" for log, field in _TOLD_BY.items()]
    + [f"WHEN {condition} THEN '{log}'" for condition, log in _MORE_TOLD_BY.items()]
) + " END)"  # fmt: skip

FORMAT = Format(
    name="zeek_logs",
    product="Zeek, logs besides conn, dns, http and ssl",
    cut=Zeek(
        path="",
        fields=_FIELDS,
        keys=frozenset({"ts"}),
        any_of=frozenset(_TOLD_BY.values()) | {"_path", "auth_attempts", "mailfrom", "domainname", "assigned_addr"},
        never=frozenset({"conn", "dns", "http", "ssl"}),
    ),
    clock=Clock.ASK,
    kind=_KIND,
    status=((f"{_KIND} LIKE 'open_%'", "status line: a snapshot of what was still open; its end is logged apart"),),
    parts=(
        Part(
            table="system_activity",
            when="true",
            columns=f"""
        stamp(r.ts)                 AS time,
        coalesce(said(r.uid), said(r.fuid), said(r.fingerprint), said(r.id))  AS metadata_uid,
        CASE WHEN {_KIND} IN ('notice', 'intel') THEN 2004 WHEN {_KIND} IN ('files', 'smb_files', 'pe') THEN 1001
             WHEN {_KIND} IN ('kerberos', 'ntlm', 'ssh', 'rdp', 'radius') THEN 3002
             WHEN {_KIND} = 'dhcp' THEN 4004 ELSE 0 END  AS class_uid,
        concat_ws(': ', {_KIND}, coalesce(said(r.note), CASE {_KIND} WHEN 'weird' THEN said(r.name)
             WHEN 'files' THEN said(r.source) WHEN 'software' THEN said(r.software_type) END,
             said(r.action), said(r.request_type), said(r.operation), said(r.command), said(r.cmd), said(r.func),
             said(r.method), array_to_string(listed(r.msg_types), ' '), said(r.tunnel_type)))  AS activity_name,
        coalesce(said(r._system_name), said(r.peer_descr), said(r.peer))  AS device_hostname,
        address(coalesce(said(r.id_orig_h), said(r.src), listed(r.tx_hosts)[1], said(r.client_addr),
             CASE WHEN said(r.port_num) IS NULL THEN said(r.host) END))  AS src_endpoint_ip,
        port(r.id_orig_p)           AS src_endpoint_port,
        -- names that a client gave itself
        hostname(coalesce(said(r.host_name), said(r.client_fqdn), said(r.hostname), said(r.client_name),
                          said(r.helo)))  AS src_endpoint_hostname,
        address(coalesce(said(r.id_resp_h), said(r.dst), listed(r.rx_hosts)[1], said(r.server_addr),
             CASE WHEN said(r.port_num) IS NOT NULL THEN said(r.host) END))  AS dst_endpoint_ip,
        port(coalesce(said(r.id_resp_p), said(r.p), r.port_num))  AS dst_endpoint_port,
        hostname(coalesce(said(r.server_name), said(r.request_name), said(r.server_dns_computer_name),
                          said(r.server_nb_computer_name)))  AS dst_endpoint_hostname,
        lower(coalesce(said(r.proto), said(r.port_proto)))  AS connection_info_protocol_name,
        coalesce(CASE WHEN {_KIND} = 'kerberos' THEN said(r.client) END, said(r.username), said(r."user"),
                 said(r.cookie), said(r.mailfrom), said(r.nick))  AS user_name,
        coalesce(said(r.filename), CASE WHEN {_KIND} LIKE 'smb%' THEN
                     nullif(concat_ws(chr(92), rtrim(said(r.path), chr(92)), said(r.name)), '') END,
                 CASE WHEN {_KIND} = 'ftp' THEN said(r.arg) END, said(r.named_pipe))  AS file_path,
        coalesce(said(r.note), said(r.seen_indicator))  AS finding_title,
        said(r.severity)            AS severity,
        CASE coalesce(r.success, r.auth_success) WHEN 'T' THEN 'success' WHEN 'true' THEN 'success'
             WHEN 'F' THEN 'failure' WHEN 'false' THEN 'failure' END  AS status,
        coalesce(said(r.error_msg), said(r.result), said(r.reply_msg), said(r.failure_reason), said(r.last_reply),
                 said(r.status))    AS status_detail,
        nullif(concat_ws(', ', said(r.msg), said(r.sub), said(r.message), said(r.addl), said(r.file_desc),
            said(r.mime_type), 'sha256: ' || said(r.sha256), 'sha1: ' || said(r.sha1), 'md5: ' || said(r.md5),
            said(r.certificate_subject), 'issuer: ' || said(r.certificate_issuer), 'names: ' || said(r.san_dns),
            said(r.subject), 'to: ' || said(r.rcptto), said(r.unparsed_version), said(r.service),
            CASE WHEN {_KIND} = 'ssh' THEN 'client: ' || said(r.client) END, 'server: ' || said(r.server),
            'mac: ' || said(r.mac), 'assigned: ' || said(r.assigned_addr), 'domain: ' || said(r.domainname),
            'seen in: ' || said(r.seen_where), 'sources: ' || said(r.sources), said(r.endpoint), said(r.uri),
            CASE WHEN {_KIND} <> 'ftp' THEN said(r.arg) END, said(r.value), 'framed: ' || said(r.framed_addr),
            'lost: ' || said(r.percent_lost), 'analyzer: ' || said(r.analyzer), 'machine: ' || said(r.machine),
            'share: ' || said(r.share_type), 'facility: ' || said(r.facility), 'remote: ' || said(r.remote_ip),
            'request: ' || said(r.request_host) || coalesce(':' || said(r.request_p), '')), '')  AS message
    """,
        ),
    ),
    shows="what protocols told (logons, files, mail, tunnels, DHCP), certificates, software, notices and oddities",
    cannot_show="bytes (join conn.log by uid); what is encrypted; users, but what a protocol tells in the clear",
    reference="Zeek documentation, log files",
)
