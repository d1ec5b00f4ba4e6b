"""Velociraptor netstat: one JSON object a socket, from Windows.Network.Netstat, NetstatEnriched and their likes.

A picture of the sockets at the moment of collection: the host's own end is `Laddr` (or `SrcIP`), the other `Raddr`
(or `DestIP`), and nothing says who began it. `Timestamp` is when the socket was made; Linux and macOS state none.
Results of a hunt carry the host in `Fqdn`; those of one client do not name it.
Reference: Velociraptor artifact reference, Windows.Network.Netstat and Windows.Network.NetstatEnriched.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="velociraptor_netstat",
    product="Velociraptor netstat",
    table="network_activity",
    cut=Json(
        keys=frozenset({"Pid", "Family", "Type", "Status", "Timestamp"}),
        any_of=frozenset({"Raddr.IP", "Raddr", "DestIP"}),
        shape="""{"Pid": "VARCHAR", "Family": "VARCHAR", "Type": "VARCHAR", "Status": "VARCHAR",
                  "Timestamp": "VARCHAR", "Name": "VARCHAR", "Path": "VARCHAR", "CommandLine": "VARCHAR",
                  "Username": "VARCHAR", "Hash": {"SHA256": "VARCHAR", "SHA1": "VARCHAR", "MD5": "VARCHAR"},
                  "Laddr.IP": "VARCHAR", "Laddr.Port": "VARCHAR", "Raddr.IP": "VARCHAR", "Raddr.Port": "VARCHAR",
                  "Laddr": {"IP": "VARCHAR", "Port": "VARCHAR"}, "Raddr": {"IP": "VARCHAR", "Port": "VARCHAR"},
                  "SrcIP": "VARCHAR", "SrcPort": "VARCHAR", "DestIP": "VARCHAR", "DestPort": "VARCHAR",
                  "Fqdn": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    status=(
        ("r.Status = 'LISTEN'", "status line: a port is listening; no connection"),
        (
            """coalesce(r."Raddr.IP", r.Raddr.IP, r.DestIP, '') IN ('', '0.0.0.0', '::', '*')""",
            "status line: a socket without another end",
        ),
    ),
    columns="""
        iso_time(r.Timestamp)       AS time,
        address(coalesce(r."Laddr.IP", r.Laddr.IP, r.SrcIP))  AS src_endpoint_ip,
        port(coalesce(r."Laddr.Port", r.Laddr.Port, r.SrcPort))  AS src_endpoint_port,
        hostname(r.Fqdn)            AS src_endpoint_hostname,
        address(coalesce(r."Raddr.IP", r.Raddr.IP, r.DestIP))  AS dst_endpoint_ip,
        port(coalesce(r."Raddr.Port", r.Raddr.Port, r.DestPort))  AS dst_endpoint_port,
        said(r.Username)            AS actor_user_name,
        said(r.Name)                AS actor_process_name,
        said(r.Path)                AS actor_process_file_path,
        said(r.CommandLine)         AS actor_process_cmd_line,
        coalesce(said(r.Hash.SHA256), said(r.Hash.SHA1), said(r.Hash.MD5))  AS actor_process_file_hash,
        lower(said(r.Type))         AS connection_info_protocol_name,
        lower(said(r.Status))       AS disposition
    """,
    shows="which process held a socket to which address at the moment of collection, and since when",
    cannot_show="connections that had ended; who began it; names, bytes, paths",
    reference="Velociraptor artifact reference, Windows.Network.Netstat, Windows.Network.NetstatEnriched",
)
