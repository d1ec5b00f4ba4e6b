"""What the expressions of formats may call besides DuckDB's functions: macros that cast text, and never fail.

Where a macro cannot read a text (a count that is no number) it gives the value of `REFUSED`; the record is unread then.
"""

from __future__ import annotations

REFUSED: dict[str, str] = {
    "VARCHAR": "chr(0) || 'refused'",
    "BIGINT": "-9223372036854775807",
    "INTEGER": "-2147483647",
    "TIMESTAMPTZ": "'-infinity'::TIMESTAMPTZ",
}
"""What a macro gives, by type, where it cannot read a text: values that stand in no log."""

BLANKS = r"[ \x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]*"
"""RE2: what DuckDB's `trim` takes away."""

MACROS = rf"""
CREATE MACRO refused_text() AS {REFUSED["VARCHAR"]};
CREATE MACRO refused_whole() AS {REFUSED["BIGINT"]}::BIGINT;
CREATE MACRO refused_small() AS {REFUSED["INTEGER"]}::INTEGER;
CREATE MACRO refused_time() AS {REFUSED["TIMESTAMPTZ"]};
-- text that says "nothing", between blanks of any kind; without a group to capture a pattern costs a fifth
CREATE MACRO said(t) AS CASE WHEN NOT regexp_matches(t, '^{BLANKS}(?:-|\(empty\)|null)?{BLANKS}$') THEN t END;
CREATE MACRO whole(t) AS CASE WHEN said(t) IS NOT NULL THEN coalesce(TRY_CAST(t AS BIGINT), refused_whole()) END;
CREATE MACRO amount(t) AS CASE WHEN said(t) IS NOT NULL
    THEN coalesce(CASE WHEN TRY_CAST(t AS BIGINT) >= 0 THEN TRY_CAST(t AS BIGINT) END, refused_whole()) END;
CREATE MACRO small(t) AS CASE WHEN said(t) IS NOT NULL THEN coalesce(TRY_CAST(t AS INTEGER), refused_small()) END;
CREATE MACRO port(t) AS CASE WHEN said(t) IS NOT NULL
    THEN coalesce(CAST(TRY_CAST(t AS USMALLINT) AS INTEGER), refused_small()) END;
CREATE MACRO percent(t) AS CASE WHEN said(t) IS NOT NULL
    THEN CASE WHEN TRY_CAST(t AS INTEGER) BETWEEN 0 AND 100 THEN TRY_CAST(t AS INTEGER) ELSE refused_small() END END;
CREATE MACRO millis(t) AS CASE WHEN said(t) IS NOT NULL
    THEN coalesce(TRY_CAST(round(TRY_CAST(t AS DOUBLE) * 1000) AS BIGINT), refused_whole()) END;
CREATE MACRO millis_between(a, b) AS CASE WHEN said(a) IS NOT NULL AND said(b) IS NOT NULL
    THEN coalesce((TRY_CAST(b AS UINTEGER)::BIGINT - TRY_CAST(a AS UINTEGER)::BIGINT) * 1000,
                  TRY_CAST((TRY_CAST(b AS BIGINT)::HUGEINT - TRY_CAST(a AS BIGINT)::HUGEINT) * 1000 AS BIGINT),
                  refused_whole()) END;
CREATE MACRO address(t) AS regexp_replace(lower(said(t)), '^::ffff:(\d+\.\d+\.\d+\.\d+)$', '\1');
-- an address behind which a port may stand: 192.0.2.1:443, [2001:db8::1]:443
CREATE MACRO address_before_port(t) AS
    address(regexp_replace(t, '^(?:(\d+\.\d+\.\d+\.\d+)|\[([^\]]+)\])(?::\d+)?$', '\1\2'));
CREATE MACRO hostname(t) AS regexp_replace(lower(said(t)), '\.+$', '');
-- epoch seconds, milliseconds, microseconds or nanoseconds, told apart by size; whole numbers stay exact
CREATE MACRO epoch_scale(n) AS CASE WHEN n < 1e11 THEN 1000000 WHEN n < 1e14 THEN 1000 ELSE 1 END;
CREATE MACRO epoch_micros(t) AS CASE
    WHEN abs(TRY_CAST(t AS DOUBLE)) >= 1e17 THEN TRY_CAST(t AS HUGEINT) // 1000
    WHEN contains(t, '.')
    THEN TRY_CAST(round(TRY_CAST(t AS DOUBLE) * epoch_scale(abs(TRY_CAST(t AS DOUBLE)))) AS HUGEINT)
    ELSE TRY_CAST(t AS BIGINT)::HUGEINT * epoch_scale(abs(TRY_CAST(t AS DOUBLE))) END;
-- years 1 to 9999
CREATE MACRO bounded(ts) AS CASE
    WHEN ts BETWEEN '0001-01-01 00:00:00Z'::TIMESTAMPTZ AND '9999-12-31 23:59:59.999999Z'::TIMESTAMPTZ THEN ts END;
CREATE MACRO moment(micros) AS make_timestamptz(CAST(
    CASE WHEN micros BETWEEN -62135596800000000 AND 253402300799999999 THEN micros END AS BIGINT));
-- a value under CASE is computed row by row: the usual case stands outside of it, four times as fast
CREATE MACRO epoch_time(t) AS coalesce(moment(epoch_micros(t)), CASE WHEN said(t) IS NOT NULL THEN refused_time() END);
CREATE MACRO digits_of(t) AS CASE WHEN regexp_matches(t, '^-?\d+(\.\d+)?$') THEN t END;
CREATE MACRO iso_time(t) AS CASE WHEN ends_with(t, 'Z') OR regexp_matches(t, '(Z|z|[+-]\d\d:?\d\d)$')
    THEN coalesce(bounded(TRY_CAST(t AS TIMESTAMPTZ)), refused_time()) END;
-- a stamp of UTC that carries no zone, or the word UTC
CREATE MACRO utc_time(t) AS coalesce(iso_time(t), iso_time(regexp_replace(t, ' ?UTC$', '') || 'Z'));
CREATE MACRO yes(t) AS CASE WHEN lower(trim(t)) IN ('true', '1', 'yes') THEN true
    WHEN lower(trim(t)) IN ('false', '0', 'no') THEN false END;
CREATE MACRO read_time(t, layout) AS
    CASE WHEN said(t) IS NOT NULL THEN coalesce(bounded(try_strptime(t, layout)::TIMESTAMPTZ), refused_time()) END;
-- a stamp without zone, in the zone that the case states; NULL where the case states none
CREATE MACRO case_clock(t) AS CASE WHEN nullif(getvariable('case_clock'), '') IS NOT NULL AND said(t) IS NOT NULL
    THEN coalesce(timezone(nullif(getvariable('case_clock'), ''), CASE WHEN year(TRY_CAST(t AS TIMESTAMP))
                  BETWEEN 1 AND 9998 THEN TRY_CAST(t AS TIMESTAMP) END), refused_time()) END;
-- "Tue Mar 10 09:00:00 2026" as "2026-03-10 09:00:00"; other text stays as it is
CREATE MACRO ctime_iso(t) AS coalesce(strftime(try_strptime(
    regexp_replace(trim(t), ' +', ' ', 'g'), '%a %b %d %H:%M:%S %Y'), '%Y-%m-%d %H:%M:%S'), t);
-- any of these: a number since the epoch, a stamp with a zone, a stamp in the zone that the case states
CREATE MACRO stamp(t) AS coalesce(moment(epoch_micros(digits_of(t))), CASE
    WHEN digits_of(t) IS NOT NULL THEN refused_time()
    WHEN regexp_matches(t, '(Z|z|[+-]\d\d:?\d\d)$') THEN iso_time(t)
    ELSE case_clock(t) END);
-- "3/10/2026, 9:00:00.000 AM", as Microsoft's portals write it in American English, as ISO; other text stays as it is
CREATE MACRO portal_iso(t) AS coalesce(strftime(try_strptime(
    regexp_replace(regexp_replace(t, 'Z$', ''), ', ', ' '), ['%m/%d/%Y %I:%M:%S.%f %p', '%m/%d/%Y %I:%M:%S %p']),
    '%Y-%m-%dT%H:%M:%S.%f') || CASE WHEN t LIKE '%Z' THEN 'Z' ELSE '' END, t);
-- JSON logs hold a list; in text a first answer may begin with the same bracket
CREATE MACRO json_list(t) AS json_transform(CASE WHEN t LIKE '[%' AND json_valid(t) THEN t END, '["VARCHAR"]');
CREATE MACRO listed(t) AS CASE WHEN said(t) IS NOT NULL THEN coalesce(json_list(t), string_split(t, ',')) END;
-- the time to live of each answer; what is no number is null
CREATE MACRO ttls(texts) AS nullif(list_transform(texts, lambda t: TRY_CAST(TRY_CAST(t AS DOUBLE) AS BIGINT)), []);
-- of a JSON list of answers; null where not each of them has data and a time to live
CREATE MACRO answer_ttls(answers, value) AS CASE
    WHEN len(json_extract_string(answers, '$[*].ttl')) = len(json_extract_string(answers, '$[*].' || value))
    THEN ttls(json_extract_string(answers, '$[*].ttl')) END;
CREATE MACRO protocol(n) AS CASE WHEN said(n) IS NULL THEN NULL
    WHEN TRY_CAST(n AS UTINYINT) IS NULL THEN refused_text() ELSE CASE TRY_CAST(n AS UTINYINT)
    WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 58 THEN 'icmp6' ELSE n END END;
-- host and port of a URL, of "host:port", and of "[v6]:port". Only one that holds a user or a bracket wants the whole
-- pattern, at five times the cost. A list has a costly part computed once, where a name that is used twice under
-- CASE would have it computed twice
CREATE MACRO url_is_plain(u) AS NOT (contains(u, '@') OR contains(u, '['));
CREATE MACRO url_rest(u) AS
    CASE WHEN regexp_matches(u, '^[A-Za-z][A-Za-z0-9+.-]*://[^:/?#\]]') THEN substr(u, strpos(u, '://') + 3) ELSE u END;
CREATE MACRO url_host_text(u) AS CASE WHEN url_is_plain(u) THEN regexp_extract(url_rest(u), '^[^:/?#\]]+')
    ELSE regexp_extract(u, '^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^@/?#]*@)?(\[[^\]]*\]|[^:/?#\[\]]+)', 1) END;
CREATE MACRO url_host(u) AS list_transform(
    list_transform([u], lambda v: url_host_text(v)), lambda h: hostname(h))[1];
CREATE MACRO url_port_text(u) AS
    CASE WHEN url_is_plain(u) THEN regexp_extract(url_rest(u), '^[^:/?#\]]+:(\d+)(?:[/?#]|$)', 1) ELSE regexp_extract(
    u, '^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^@/?#]*@)?(?:\[[^\]]*\]|[^:/?#\[\]]+):(\d+)(?:[/?#]|$)', 1) END;
CREATE MACRO url_port_digits(u) AS nullif(list_transform([u], lambda v: url_port_text(v))[1], '');
CREATE MACRO url_port(u) AS coalesce(list_transform([url_port_digits(u)], lambda d: port(d))[1],
    CASE WHEN u LIKE 'https:%' THEN 443 WHEN u LIKE 'http:%' THEN 80 END);
-- the last part of a path, as Windows and as others write it
CREATE MACRO file_name(p) AS nullif(CASE WHEN p LIKE '/%' THEN regexp_extract(said(p), '[^/]+$')
    ELSE regexp_extract(said(p), '[^\\/]+$') END, '');
-- `%20` is a blank; text with bytes beyond ASCII, or NUL, stays as it is: DuckDB stops at what is no UTF-8
CREATE MACRO percent_decoded(t) AS
    coalesce(url_decode(CASE WHEN NOT regexp_matches(t, '%(00|[89A-Fa-f])') THEN t END), t);
CREATE MACRO is_address(t) AS regexp_matches(t, '^(\d{{1,3}}(\.\d{{1,3}}){{3}}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$');
-- a range in CIDR notation; of IPv6 all eight groups, or fewer around one double colon
CREATE MACRO address_range(t) AS list_transform([lower(trim(t))], lambda c: CASE WHEN regexp_matches(c,
    '^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){{3}}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)/(?:3[0-2]|[12]?\d)$')
    OR regexp_matches(c, '^(?:(?:[0-9a-f]{{1,4}}:){{7}}[0-9a-f]{{1,4}}|(?:(?:[0-9a-f]{{1,4}}:)*[0-9a-f]{{1,4}})?::'
    || '(?:(?:[0-9a-f]{{1,4}}:)*[0-9a-f]{{1,4}})?)/(?:12[0-8]|1[01]\d|[1-9]?\d)$')
    AND len(regexp_extract_all(split_part(c, '/', 1), '\w+')) <= 8 - contains(c, '::')::INTEGER
    THEN c ELSE refused_text() END)[1];
-- a value written so that nobody follows it, as it stands in logs; scheme and host of a URL know no case
CREATE MACRO fanged(t) AS regexp_replace(regexp_replace(regexp_replace(
    trim(t), '[\[({{](?:\.|dot)[\])}}]', '.', 'gi'), '\[(:|://|@)\]', '\1', 'g'), '^hxxp', 'http', 'i');
CREATE MACRO url_lower(u) AS
    lower(regexp_extract(u, '^[^/?#]*(?://[^/?#]*)?')) || regexp_replace(u, '^[^/?#]*(?://[^/?#]*)?', '');
-- an item of intelligence as it stands in logs, by its type; and the type of one that has none, by its look
CREATE MACRO indicator_value(t, kind) AS CASE WHEN said(t) IS NULL OR kind IS NULL THEN refused_text()
    WHEN kind = 'user_agent' THEN t WHEN kind = 'url' THEN url_lower(fanged(t))
    WHEN kind = 'ip' THEN coalesce(address_before_port(fanged(t)), refused_text())
    -- a path and a header know case; an interval is a number of seconds
    WHEN kind IN ('uri', 'http_header') THEN trim(t)
    WHEN kind = 'interval'
    THEN coalesce(nullif(regexp_extract(trim(t), '^[0-9]{{1,9}}(?:\.[0-9]{{1,3}})?$'), ''), refused_text())
    ELSE rtrim(lower(fanged(t)), '.') END;
CREATE MACRO hash_type(t) AS CASE WHEN regexp_matches(trim(t), '^[0-9A-Fa-f]{{64}}$') THEN 'sha256'
    WHEN regexp_matches(trim(t), '^[0-9A-Fa-f]{{40}}$') THEN 'sha1'
    WHEN regexp_matches(trim(t), '^[0-9A-Fa-f]{{32}}$') THEN 'md5' END;
-- what lists write where they have nothing to say
CREATE MACRO stated(t) AS CASE WHEN lower(trim(t)) NOT IN ('none', 'n/a', 'nan', 'null') THEN said(t) END;
-- groups with colons and a port behind them: where the address ends cannot be told
CREATE MACRO unclear_port(t) AS CASE WHEN regexp_matches(trim(t), '^[0-9A-Fa-f]*(:[0-9A-Fa-f]*){{2,}}$')
    THEN 'IPv6 address and port without brackets: where the address ends cannot be told' END;
CREATE MACRO indicator_type_of(t) AS CASE WHEN is_address(address_before_port(fanged(t))) THEN 'ip'
    WHEN hash_type(t) IS NOT NULL THEN hash_type(t) WHEN contains(t, '/') THEN 'url' ELSE 'domain' END;
-- DNS record types and response codes as numbers; names stay as they are
CREATE MACRO dns_type(t) AS CASE WHEN said(t) IS NULL THEN NULL WHEN NOT regexp_matches(t, '^\d+$') THEN upper(t)
    ELSE coalesce(MAP {{'1': 'A', '2': 'NS', '5': 'CNAME', '6': 'SOA', '10': 'NULL', '12': 'PTR', '13': 'HINFO',
        '15': 'MX', '16': 'TXT', '17': 'RP', '28': 'AAAA', '29': 'LOC', '33': 'SRV', '35': 'NAPTR', '39': 'DNAME',
        '41': 'OPT', '43': 'DS', '46': 'RRSIG', '47': 'NSEC', '48': 'DNSKEY', '50': 'NSEC3', '52': 'TLSA',
        '64': 'SVCB', '65': 'HTTPS', '99': 'SPF', '251': 'IXFR', '252': 'AXFR', '255': 'ANY', '257': 'CAA'}}[t],
        'TYPE' || t) END;
CREATE MACRO dns_rcode(t) AS CASE WHEN said(t) IS NULL THEN NULL WHEN NOT regexp_matches(t, '^\d+$') THEN upper(t)
    ELSE coalesce(MAP {{'0': 'NOERROR', '1': 'FORMERR', '2': 'SERVFAIL', '3': 'NXDOMAIN', '4': 'NOTIMP', '5': 'REFUSED',
        '6': 'YXDOMAIN', '7': 'YXRRSET', '8': 'NXRRSET', '9': 'NOTAUTH', '10': 'NOTZONE', '16': 'BADVERS'}}[t],
        'RCODE' || t) END;
"""
