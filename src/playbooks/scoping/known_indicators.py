"""Was a destination, URL or client contacted that somebody holds to be malicious?

Innocent when: the item is old, too broad, or names a shared host for one of its many customers.
Cannot see: what nobody has reported, and paths inside tunnels.
"""

from __future__ import annotations

from playbooks.scoping.question import Question

QUESTION = Question(
    id="known_indicators",
    hypothesis="A",
    title="Was a destination contacted that intelligence lists?",
    needs=(
        ("dns_activity", "query_hostname"),
        ("http_activity", "dst_endpoint_hostname"),
        ("network_activity", "dst_endpoint_ip"),
    ),
    innocent_when=(
        "The item is stale, or names a host that many customers share.",
        "Somebody in the house researched the indicator.",
    ),
    cannot_see=(
        "Destinations that nobody has reported.",
        "URL paths inside tunnels: an item for one path of a shared host cannot match there.",
    ),
)
