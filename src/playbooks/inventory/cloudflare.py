"""Cloudflare: answers of its API about Workers and Pages.

A script's host below `workers.dev` is made of its name and the account's own label, which another question answers
(`workers/subdomain`); that label then stands for every Worker of the account.
Reference: Cloudflare API, Workers scripts, routes, domains, account subdomain; Pages projects.
"""

from playbooks.inventory.layouts import Kind, Layout

_OK = {"success": True}

LAYOUTS = (
    Layout(
        name="Cloudflare Workers domains",
        records="result[]",
        keys=frozenset({"hostname", "service"}),
        root=_OK,
        kinds={"": Kind("cf-workers", ("service",), ("hostname",))},
    ),
    Layout(
        name="Cloudflare Workers routes",
        records="result[]",
        keys=frozenset({"pattern", "id"}),
        root=_OK,
        kinds={"": Kind("cf-workers", ("script",), ("pattern",))},
    ),
    Layout(
        name="Cloudflare Pages projects",
        records="result[]",
        keys=frozenset({"name", "subdomain"}),
        root=_OK,
        kinds={"": Kind("cf-pages", ("name",), ("subdomain", "domains[]"))},
    ),
    Layout(
        name="Cloudflare Workers scripts",
        records="result[]",
        keys=frozenset({"id"}),
        any_of=frozenset({"handlers", "etag", "usage_model", "modified_on"}),
        root=_OK,
        kinds={"": Kind("cf-workers", ("id",))},
    ),
    Layout(
        name="Cloudflare account subdomain",
        records="result",
        keys=frozenset({"subdomain"}),
        root=_OK,
        kinds={"": Kind("cf-workers", tenant=("subdomain",))},
    ),
)
