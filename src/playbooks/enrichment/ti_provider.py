"""The case's indicators as a provider of msticpy's TILookup, and the lookup with its books kept."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd

NAME = "CaseIndicators"
MSTICPY_TYPES = {"domain": "dns", "url": "url"}
NOT_ASKED = "not asked: TILookup knows no such type"
REFUSED = "refused by TILookup: reserved address or malformed name; the case's own list was compared"


def lookup(observables: dict[str, str], items: pd.DataFrame) -> dict[str, str]:
    """Ask TILookup about observables.

    Parameters
    ----------
    observables
        Value → type (domain, ip, url, user_agent).
    items
        The indicators of the case.

    Returns
    -------
    dict
        Value → what came of it; every value that went in is in it.
    """
    asked = {value: kind for value, kind in ((v, _type(v, t)) for v, t in observables.items()) if kind}
    answers = dict.fromkeys(observables, NOT_ASKED) | dict.fromkeys(asked, REFUSED)
    if asked:
        for row in _ask(asked, items).itertuples(index=False):
            answers[str(row.Ioc)] = f"{row.Provider}: {'listed' if row.Result else 'not listed'}"
    return answers


def msticpy_type(value: str, kind: str) -> str | None:
    """The type of an observable by msticpy's name; None where it has none."""
    hashes = {"sha256": "sha256_hash", "sha1": "sha1_hash", "md5": "md5_hash"}
    return ("ipv6" if ":" in value else "ipv4") if kind == "ip" else (MSTICPY_TYPES | hashes).get(kind)


def _type(value: str, kind: str) -> str | None:
    return None if kind in ("sha256", "sha1", "md5") else msticpy_type(value, kind)


def _ask(asked: dict[str, str], items: pd.DataFrame) -> pd.DataFrame:
    """Ask in a thread of its own: msticpy runs an event loop, and a notebook's kernel has one already."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(_ask_msticpy, asked, items).result()


def tilookup() -> Any:
    """The class TILookup, without what importing it does to the process and the network."""
    # msticpy is slow to import and asks the network for a suffix list unless tldextract is told not to
    import tldextract

    offline = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    tldextract.extract = offline  # type: ignore[assignment]  # a callable object in place of a function
    handlers = list(logging.getLogger().handlers)
    from msticpy.context import lookup as msticpy_lookup
    from msticpy.context.tilookup import TILookup

    logging.getLogger().handlers = handlers  # importing msticpy adds one of its own
    # in a kernel it would patch asyncio for the whole process (nest_asyncio): cells that wait then never run
    msticpy_lookup.is_ipython = lambda: False
    return TILookup


def _ask_msticpy(asked: dict[str, str], items: pd.DataFrame) -> pd.DataFrame:
    offered = tilookup()
    asyncio.set_event_loop(asyncio.new_event_loop())
    desk = offered(primary_providers=[_provider(frozenset(items.indicator.astype(str)))])
    found = desk.lookup_iocs(asked, progress=False)
    return found if isinstance(found, pd.DataFrame) else pd.DataFrame(columns=["Ioc", "Provider", "Result"])


def _provider(known: frozenset[str]) -> Any:
    from msticpy.context.tiproviders.ti_provider_base import ResultSeverity, TIProvider

    class CaseIndicators(TIProvider):  # type: ignore[misc]  # msticpy carries no types
        """Answers from the indicators in evidence; sends nothing anywhere."""

        PROVIDER_NAME = NAME
        _QUERIES = dict.fromkeys(("dns", "ipv4", "ipv6", "url"))

        def lookup_ioc(
            self, ioc: str, ioc_type: str | None = None, query_type: str | None = None, **_: object
        ) -> pd.DataFrame:
            result = self._check_ioc_type(ioc, ioc_type, query_type)
            labels = str(result["Ioc"]).split(".")
            listed = any(".".join(labels[start:]) in known for start in range(len(labels) - 1))
            severity = ResultSeverity.warning if listed else ResultSeverity.information
            result |= {"Provider": NAME, "Result": listed, "Severity": severity.name, "Details": "", "RawResult": ""}
            return pd.DataFrame([result])

        def parse_results(self, response: dict[str, Any]) -> tuple[bool, Any, Any]:
            return bool(response.get("Result")), ResultSeverity.information, response

    return CaseIndicators()
