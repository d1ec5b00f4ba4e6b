"""Azure: lists of the command line and of Resource Manager, and answers of Resource Graph.

Reference: Azure CLI, `functionapp list`, `logic workflow list`, `graph query`; Resource Graph, table `resources`.
"""

from playbooks.inventory.layouts import At, Kind, Layout

_AT: At = {"account": ("subscriptionId", "id"), "region": ("location",)}
_HOSTS = ("defaultHostName", "hostNames[]", "enabledHostNames[]")
_SITE = Kind("az-functions", ("name",), (*_HOSTS, *(f"properties>{one}" for one in _HOSTS)), fold=True, **_AT)
KINDS = {
    "microsoft.web/sites": _SITE,
    "microsoft.logic/workflows": Kind(
        "az-logicapps", ("name",), ("accessEndpoint", "properties>accessEndpoint"), fold=True, **_AT
    ),
    "microsoft.app/containerapps": Kind(
        "az-aca", ("name",), ("properties>configuration>ingress>fqdn",), fold=True, **_AT
    ),
    "microsoft.web/staticsites": Kind(
        "az-swa", ("name",), ("defaultHostname", "properties>defaultHostname"), fold=True, **_AT
    ),
    "microsoft.apimanagement/service": Kind(
        "az-apim", ("name",), ("gatewayUrl", "properties>gatewayUrl"), fold=True, **_AT
    ),
}
_KEYS = frozenset({"id", "name", "type"})

LAYOUTS = (
    Layout("az functionapp list", "[]", _KEYS, KINDS, any_of=frozenset({"location", "resourceGroup"}), kind_at="type"),
    Layout("Azure Resource Graph", "data[]", _KEYS, KINDS, kind_at="type"),
    Layout("Azure Resource Manager list", "value[]", _KEYS, KINDS, kind_at="type"),
)
