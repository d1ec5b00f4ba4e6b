"""Wording: numbers with their nouns, and claims that no report of this kit may make, whatever the evidence.

The rules follow from what the evidence can carry: no attribution, no guarantee, no complete coverage,
nothing suspicious in a provider, ATT&CK as context. Quoted text (“…”) is somebody else's and exempt.
"""

from __future__ import annotations

import re

QUOTED = re.compile(r"“[^”]*”")
FORBIDDEN: tuple[tuple[str, str], ...] = (
    (
        # TA0002 and its like are tactics of ATT&CK
        r"\b(apt[- ]?\d{1,3}|unc\d{3,5}|fin\d{1,2}|ta(?!0)\d{3,4}|(dev|storm)-\d{4})\b",
        "names an actor: say “consistent with”, or quote the source",
    ),
    (
        r"(?-i:\b[A-Z][a-z]+ (Bear|Blizzard|Chollima|Kitten|Panda|Sandstorm|Sleet|Spider|Tempest|Typhoon)\b)",
        "names an actor: say “consistent with”, or quote the source",
    ),
    (r"\battribut(ed|able) to\b", "attributes"),
    (r"(?<!\bno )\bguarantee[sd]?\b", "guarantees"),
    (r"\b(detects?|finds?|catches) (all|every|any)\b", "claims complete detection"),
    (r"(?<!\bno )\b(complete|full|total) (coverage|visibility|scope)\b", "claims complete coverage"),
    (r"\b(is|are|was|were) (not|never|un)\s?-?(compromised|breached|infected)\b", "says that nothing happened"),
    (r"\b(has|have|had) (not|never) been (compromised|breached|infected)\b", "says that nothing happened"),
    (r"\bno (compromise|breach|infection|attack|malicious activity)\b", "says that nothing happened"),
    (r"\b(fully|completely|certainly|definitely|undoubtedly|without doubt)\b", "claims certainty"),
    (r"(?<!\bno )\b(proves?|proof of|proven)\b (?!nothing)", "claims proof"),
    (r"\b(has been|was|were|are|is) (prevented|blocked for good|eradicated)\b", "claims prevention"),
    (r"\b(kit|playbooks?|report|notebooks?|tool) (prevent|stop|protect)(s|ed)\b", "claims prevention"),
    (
        r"\b((mitre|att&ck) (detection|rule|analytic|strateg)\w*|(an|det)\d{4}) ((an|det)\d{4} )?(has |have )?"
        r"(fired|triggered|detected|alerted)\b",
        "cites ATT&CK as a rule",
    ),
    (r"\bsuspicious (provider|because .{0,40}(workers\.dev|amazonaws|azure|cloudflare))", "suspects a provider"),
    (r"\bactively exploited\b|\baffected vendor\b|\bcustomers? (is|are|was|were) exposed\b", "claims exploitation"),
)

LIMITS: tuple[str, ...] = (
    "This is what the records in evidence show over the stated window; what no record covers was not looked at.",
    "No adversary is named: the facts fit several explanations, and the innocent ones stand beside each finding.",
    "“Clear” means that the searched records hold no such thing. It does not mean that it did not happen.",
    "A provider's name, address range or certificate weighs nothing; tenant labels and full URLs say more.",
    "Addresses of providers are shared and change hands; a match of an address is context.",
    "The code, the account and the upstream of a foreign function cannot be seen from inside the house.",
    "Findings do not state exploitation, affected products or harm to others.",
    "The outcome depends on the estate, the baseline, the allow-list and the intelligence that the case states.",
    "ATT&CK and its analytics (AN1961, AN1996, AN1053–AN1055) are cited as context; they define no rule here.",
    "Abuse of our own functions (T1648) was asked of IaaS, SaaS and office suites, the platforms ATT&CK names for it; "
    "nothing is said of others.",
    "Code that runs in a cloud or office suite may leave nothing on an endpoint: silence there is no evidence.",
)


def forbidden_claims(text: str) -> list[str]:
    """Claims in `text` that a report may not make, each with the words and the reason."""
    plain = QUOTED.sub("“”", text)
    return [
        f"{match.group(0)!r}: {why}"
        for pattern, why in FORBIDDEN
        for match in re.finditer(pattern, plain, re.IGNORECASE)
    ]


def counted(number: int, noun: str) -> str:
    """1 name, 2 names."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
