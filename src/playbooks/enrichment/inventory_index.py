"""The inventory, looked up by host, resource, tenant and customer; a pattern that fits everybody names nobody."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from playbooks.inventory import Owned
from playbooks.knowledge.anybody import fits_anybody
from playbooks.knowledge.catalogue import load_catalogue

Customer = tuple[str, str]  # id in the catalogue, tenant


def customer_of(host: str) -> Customer | None:
    """The customer of a service that a host name shows."""
    match = load_catalogue().classify(host)
    return (match.id, match.tenant) if match and match.tenant and not match.shared else None


def is_too_broad(entry: Owned) -> bool:
    """Whether an entry names every customer of a service, or every host there is."""
    return entry.host is not None and fits_anybody(entry.host)


class InventoryIndex:
    """Entries by what they name. Of several that fit, the first that names an owner counts, else the first."""

    def __init__(self, inventory: Iterable[Owned]) -> None:
        self._hosts: dict[str, list[Owned]] = {}
        self._patterns: list[tuple[str, Owned]] = []
        self._resources: dict[str, list[Owned]] = {}
        self._tenants: dict[str, list[Owned]] = {}
        self._customers: dict[Customer, Owned] = {}
        for entry in inventory:
            self._add(entry)

    def _add(self, entry: Owned) -> None:
        if is_too_broad(entry):
            return
        if entry.host:
            host = entry.host.lower()
            if any(mark in host for mark in "*?["):
                self._patterns.append((host, entry))
            else:
                self._hosts.setdefault(host, []).append(entry)
            if customer := customer_of(host.removeprefix("*.")):
                self._customers.setdefault(customer, entry)
        if entry.resource:
            self._resources.setdefault(entry.resource, []).append(entry)
        if entry.tenant:
            self._tenants.setdefault(entry.tenant, []).append(entry)

    def find(self, dst: str, tenant: str | None, service: str | None, resource: str | None) -> Owned | None:
        """The entry that names the host, else the one for the resource behind it, else the tenant's."""
        host = dst.lower()
        of_tenant = (o for o in self._tenants.get(tenant or "", ()) if service and o.service in (None, service))
        return (
            _best(self._hosts.get(host, ()))
            or _best(entry for pattern, entry in self._patterns if fnmatchcase(host, pattern))
            or _best(self._resources.get(resource or "", ()))
            or _best(of_tenant)
        )

    def of_customer(self, customer: Customer) -> Owned | None:
        """An entry for another host of the same customer."""
        return self._customers.get(customer)


def _best(fitting: Iterable[Owned]) -> Owned | None:
    listed = list(fitting)
    return next((one for one in listed if one.owner.strip()), listed[0] if listed else None)
