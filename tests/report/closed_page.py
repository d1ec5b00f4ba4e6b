"""What every page of this kit must be: one file that refers to nothing and runs only what it declares."""

from __future__ import annotations

import base64
import hashlib
import re

from bs4 import BeautifulSoup

ALLOWED_SCRIPT = re.compile(r"script-src ([^;]*);")


def assert_closed(html: str) -> BeautifulSoup:
    """Assert that `html` has the policy, no reference to the outside and no script of anybody else."""
    soup = BeautifulSoup(html, "html.parser")
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'; script-src ")
    for part in ("style-src 'unsafe-inline'", "img-src data:", "font-src data:", "base-uri 'none'"):
        assert f"; {part};" in policy
    assert policy.endswith("; form-action 'none'")
    assert_scripts_known(soup, ALLOWED_SCRIPT.search(policy)[1])
    for element in soup.find_all(True):
        for name, value in element.attrs.items():
            assert_harmless(element.name, name, value)
    assert not soup.find_all(["iframe", "object", "embed", "form", "base", "link", "svg", "math", "video", "audio"])
    for style in soup.find_all("style"):
        assert "url(" not in style.text and "@import" not in style.text
    return soup


def assert_scripts_known(soup: BeautifulSoup, sources: str) -> None:
    for script in soup.find_all("script"):
        assert not script.get("src")
        if script.get("type") == "application/json":
            assert not set("<>&") & set(script.text)
            continue
        assert not script.attrs
        digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in sources
        assert not re.search(r"""(?:src|href|action)=["']https?:|url\(["']?https?:""", script.text)


def assert_harmless(tag: str, name: str, value: str | list[str]) -> None:
    assert not name.startswith("on"), (tag, name)
    if name in ("href", "src", "action", "formaction", "xlink:href", "srcset", "data"):
        assert str(value).startswith("#" if name == "href" else "data:image/"), (tag, name, value)
    if name == "style":
        assert tag == "div" and re.fullmatch(r"height:\d+px", str(value)), (tag, value)
