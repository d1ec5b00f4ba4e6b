r"""Linux audit log (auditd): raw, enriched, and as `ausearch -i` interprets it; the lines of one event are one record.

The lines of an event share `msg=audit(<seconds>:<serial>)`: `SYSCALL` has the process, `SOCKADDR` the other end,
`EXECVE` and `PROCTITLE` the command line, `PATH` files. `saddr` is a socket address as bytes in hexadecimal; so is
text with blanks or quotes in it. Connections (connect, sendto, accept) have a table of their own; a `SOCKADDR` line
without its `SYSCALL` is taken for a connection to there. `ausearch -i` writes local time without its zone, month first.
Reference: Linux audit documentation, record types and fields; auditd.conf, log_format; ausearch manual page.
"""

from playbooks.formats.format import Clock, Format, Part, TextLines


def _said(name: str) -> str:
    """SQL of the value of a field; the first one counts. What stands in the inner quotes of a USER_ line too."""
    return f"said(nullif(nullif(regexp_extract(r.event, '(?:^|[\\s\\x1d'']){name}=\"?([^\"\\s'']*)', 1), ''), '?'))"


def _text(name: str) -> str:
    """SQL of a field that is quoted text, or text as hexadecimal digits; bytes beyond ASCII stay digits."""
    quoted = f"said(nullif(regexp_extract(r.event, '(?:^|[\\s\\x1d'']){name}=\"([^\"]*)\"', 1), ''))"
    return f"coalesce({quoted}, {_spelt(_said(name))})"


def _spelt(value: str) -> str:
    """SQL of text that may be spelt as hexadecimal digits."""
    letters = "lambda h: CASE WHEN h = '00' THEN ' ' ELSE chr(small('0x' || h)) END"
    read = f"trim(array_to_string(list_transform(regexp_extract_all({value}, '..'), {letters}), ''))"
    return f"CASE WHEN regexp_matches({value}, '^([0-7][0-9A-F]){{2,}}$') THEN {read} ELSE {value} END"


# the title runs to the end of its line
_TITLE = _spelt("said(trim(regexp_extract(r.event, 'proctitle=\"?([^\"\\n]*)', 1)))")


_SADDR = "upper(regexp_extract(r.event, 'saddr=([0-9A-Fa-f]+)', 1))"
_V4 = f"{_SADDR} LIKE '0200%' AND length({_SADDR}) >= 16"
_V6 = f"{_SADDR} LIKE '0A00%' AND length({_SADDR}) >= 48"
_BYTES = ", ".join(f"small('0x' || nullif(substr({_SADDR}, {9 + 2 * n}, 2), ''))" for n in range(4))
_GROUPS = " || ':' || ".join(f"ltrim(substr({_SADDR}, {17 + 4 * n}, 3), '0') || substr({_SADDR}, {20 + 4 * n}, 1)"
                             for n in range(8))  # fmt: skip
# `laddr` and `lport` are what the interpreter calls the other end
_PEER = f"""coalesce(CASE WHEN {_V4} THEN concat_ws('.', {_BYTES}) END,
             CASE WHEN {_V6} THEN regexp_replace({_GROUPS}, '(^|:)0(:0)+(:|$)', repeat(':', 2)) END,
             {_said("laddr")})"""
_PEER_PORT = f"""coalesce(port(CASE WHEN {_V4} OR {_V6}
                  THEN CAST(small('0x' || substr({_SADDR}, 5, 4)) AS VARCHAR) END), port({_said("lport")}))"""
_CALL = _said("(?:syscall|SYSCALL)")
_MACHINE = _said("arch")
_ACCEPT = f"""(coalesce({_said("SYSCALL")}, {_said("syscall")}) IN ('accept', 'accept4')
    OR ({_MACHINE} = 'c000003e' AND {_CALL} IN ('43', '288'))
    OR ({_MACHINE} = 'c00000b7' AND {_CALL} IN ('202', '242')))"""
_BIND = f"""(coalesce({_said("SYSCALL")}, {_said("syscall")}) IN ('bind', 'listen', 'getsockname')
    OR ({_MACHINE} = 'c000003e' AND {_CALL} IN ('49', '50', '51'))
    OR ({_MACHINE} = 'c00000b7' AND {_CALL} IN ('200', '201', '204')))"""
_NO_PEER = f"coalesce({_PEER}, '') IN ('', '0.0.0.0', repeat(':', 2))"
_USER = (
    f"coalesce({_said('AUID')}, CASE WHEN {_said('auid')} NOT IN ('4294967295', '-1', 'unset') "
    f"THEN {_said('auid')} END, {_said('UID')}, {_said('uid')})"
)
_SHARED = f"""
        -- seconds since the epoch; interpreted: 03/10/2026 or 03/10/26, and a time
        coalesce(epoch_time(digits_of(r.stamp)), case_clock(regexp_replace(regexp_replace(r.stamp,
             '^(\\d\\d)/(\\d\\d)/(\\d\\d) ', '\\1/\\2/20\\3 '),
             '^(\\d\\d)/(\\d\\d)/(\\d{{4}}) ', '\\3-\\1-\\2 ')))  AS time,
        concat_ws('/', said(r.node), r.stamp || ':' || r.serial)  AS metadata_uid,
        {_USER}                     AS actor_user_name,"""
_ARGUMENTS = """nullif(array_to_string(regexp_extract_all(regexp_extract(r.event, 'type=EXECVE ([^\\n]*)', 1),
             'a\\d+="([^"]*)"', 1), ' '), '')"""
_PROCESS = f"""
        {_text("comm")}             AS actor_process_name,
        {_text("exe")}              AS actor_process_file_path,
        coalesce({_ARGUMENTS}, {_TITLE})  AS actor_process_cmd_line"""

FORMAT = Format(
    name="linux_audit",
    product="Linux audit log (auditd)",
    cut=TextLines(
        r"(?s)^(?:[^\n]*?node=(?P<node>\S+) |[^\n]*?)"
        r"type=(?P<type>[A-Z0-9_]+) msg=audit\((?P<stamp>[^)]*):(?P<serial>\d+)\)"
        r" ?:(?P<event>.*)",
        joined=r"type=[A-Z0-9_]+ msg=(audit\([^)]*:\d+\))",
    ),
    clock=Clock.ASK,
    kind="r.type",
    status=((f"{_BIND} AND r.event LIKE '%addr=%'", "status line: a socket's own address; no connection"),),
    parts=(
        Part(
            table="network_activity",
            when=f"NOT ({_NO_PEER})",
            columns=f"""{_SHARED}{_PROCESS},
        CASE WHEN {_ACCEPT} THEN address({_PEER}) END  AS src_endpoint_ip,
        CASE WHEN {_ACCEPT} THEN {_PEER_PORT} END  AS src_endpoint_port,
        CASE WHEN NOT coalesce({_ACCEPT}, false) THEN hostname(r.node) END  AS src_endpoint_hostname,
        CASE WHEN NOT coalesce({_ACCEPT}, false) THEN address({_PEER}) END  AS dst_endpoint_ip,
        CASE WHEN NOT coalesce({_ACCEPT}, false) THEN {_PEER_PORT} END  AS dst_endpoint_port,
        CASE WHEN {_ACCEPT} THEN hostname(r.node) END  AS dst_endpoint_hostname,
        -- a connection that does not wait for its end (EINPROGRESS) says no
        CASE WHEN {_said("success")} = 'yes' THEN 'allowed' WHEN {_said("exit")} IN ('-115', 'EINPROGRESS',
             'EINPROGRESS(Operation') THEN 'attempted' WHEN {_said("success")} = 'no' THEN 'failed' END  AS disposition
    """,
        ),
        Part(
            table="system_activity",
            when="r.type IS NOT NULL",
            columns=f"""{_SHARED}
        CASE WHEN r.event LIKE '%type=EXECVE%' OR r.type = 'EXECVE' THEN 1007
             WHEN regexp_matches(r.type, '^(USER_(LOGIN|AUTH|ACCT|START|END|LOGOUT)|CRED_|LOGIN)') THEN 3002
             WHEN regexp_matches(r.type, '^(ADD|DEL)_USER|^USER_MGMT|^USER_CHAUTHTOK') THEN 3001
             WHEN regexp_matches(r.type, '_GROUP$|^GRP_MGMT') THEN 3006
             WHEN regexp_matches(r.type, '^SERVICE_') THEN 201004 WHEN r.type LIKE 'ANOM_%' THEN 2004
             WHEN r.event LIKE '%type=PATH%' OR r.type = 'PATH' THEN 1001 ELSE 0 END  AS class_uid,
        concat_ws(': ', r.type, coalesce({_said("key")}, {_said("op")}, {_said("unit")}))  AS activity_name,
        hostname(r.node)            AS device_hostname,
        address({_said("addr")})    AS src_endpoint_ip,
        hostname({_said("hostname")})  AS src_endpoint_hostname,
        coalesce({_text("acct")}, {_said("ID")}, {_said("id")})  AS user_name,
        -- who asked for it, by name; of a start it is the process itself
        {_text("comm")}             AS process_name,
        {_text("exe")}              AS process_file_path,
        coalesce({_ARGUMENTS}, {_TITLE}, {_text("cmd")})  AS process_cmd_line,
        coalesce({_text("name")}, {_said("unit")})  AS file_path,
        CASE WHEN {_said("success")} = 'yes' OR {_said("res")} IN ('success', '1', 'yes') THEN 'success'
             WHEN {_said("success")} = 'no' OR {_said("res")} IN ('failed', '0', 'no') THEN 'failure' END  AS status,
        trim(r.event)               AS message
    """,
        ),
    ),
    shows="which process and user connected where, commands with arguments, logons, files, services",
    cannot_show="names and bytes of connections; calls that no audit rule watches; the own address of a connection",
    reference="Linux audit documentation, record types and fields",
)
