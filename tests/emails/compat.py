"""What a letter's HTML and CSS use, held against what mail clients support (caniemail's data)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import tinycss2
from lxml import html as lxml_html

DATA = Path(__file__).parents[1] / "vendor" / "caniemail" / "caniemail.json"
#: Client -> platform -> versions that count where they were tested; else the newest tested.
CLIENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "gmail": {"desktop-webmail": (), "ios": (), "android": (), "mobile-webmail": ()},
    "outlook": {
        "windows": ("2016", "2019"),
        "outlook-com": (),
        "macos": (),
        "ios": (),
        "android": (),
    },
    "apple-mail": {"macos": (), "ios": ()},
    "yahoo": {"desktop-webmail": (), "ios": (), "android": ()},
    "thunderbird": {"macos": (), "windows": ()},
}
#: Properties that caniemail lists under another title than their own name.
_TITLES = {
    "width": "width property",
    "height": "height property",
    "max-height": "max-height property",
    "min-height": "min-height property",
    "min-width": "min-width property",
    "font": "font shorthand",
    "color-scheme": "color-scheme CSS property",
    **dict.fromkeys(("left", "right", "top", "bottom"), "left, right, top, bottom"),
    **dict.fromkeys(("gap", "row-gap", "column-gap"), "gap, column-gap, row-gap"),
}
_ELEMENTS = {
    **{f"h{n}": "<h1> to <h6> elements" for n in range(1, 7)},
    **dict.fromkeys(("ul", "ol", "dl"), "<ul>, <ol> and <dl>"),
    **dict.fromkeys(("article", "section", "nav", "header", "footer", "main"), "HTML5 semantics"),
    "svg": "Embedded <svg> image",
    "map": "Image maps",
}


def used(document: str) -> frozenset[str]:
    """The titles of caniemail's features that the letter uses."""
    known = _features()
    found = {"HTML5 doctype"} | ({"HTML comments"} if "<!--" in document else set())
    for element in lxml_html.document_fromstring(document).iter():
        if isinstance(element.tag, str):
            found |= _of_element(element.tag, dict(element.attrib))
            found |= set(_of_declarations(element.attrib.get("style", "")))
            if element.tag == "style":
                found |= set(_of_sheet(element.text or ""))
    return frozenset(found & known.keys())


def unsupported(titles: frozenset[str]) -> set[tuple[str, str]]:
    """(feature, client) where a version that counts does not support it at all."""
    return {
        (title, f"{client} {platform}")
        for title in titles
        for client, platforms in CLIENTS.items()
        for platform, versions in platforms.items()
        if _refused(_features()[title]["stats"][client].get(platform, {}), versions)
    }


def _refused(tested: dict[str, str], versions: tuple[str, ...]) -> bool:
    counted = [tested[one] for one in versions if one in tested] or list(tested.values())[-1:]
    return any(verdict.startswith("n") for verdict in counted)


@cache
def _features() -> dict[str, dict[str, Any]]:
    features = json.loads(DATA.read_text("utf-8"))["data"]
    return {one["title"].strip(): one for one in features}


def _of_element(tag: str, attributes: dict[str, str]) -> set[str]:
    found = {_ELEMENTS.get(tag, f"<{tag}> element"), f"<{tag}>"}
    found |= {f"{name} attribute" for name in attributes}
    if tag == "a" and attributes.get("href", "").startswith("mailto:"):
        found.add("mailto: links")
    if tag == "a" and attributes.get("href", "").startswith("#"):
        found.add("Local anchors")
    if tag in {"input", "button"}:
        found.add(f'<{tag} type="{attributes.get("type", "text")}"> element')
    if attributes.get("name") == "color-scheme":
        found.add("color-scheme meta tag")
    return found


def _of_sheet(sheet: str) -> Iterator[str]:
    for rule in tinycss2.parse_stylesheet(sheet, skip_comments=False, skip_whitespace=True):
        yield from _of_rule(rule)


def _of_rule(rule: Any) -> Iterator[str]:
    if rule.type == "comment":
        yield "CSS comments"
    elif rule.type == "at-rule":
        prelude = tinycss2.serialize(rule.prelude)
        yield f"@{rule.at_keyword}"
        for condition in re.findall(r"\(([a-z-]+)", prelude):
            yield f"@media ({condition})"
        for inner in tinycss2.parse_rule_list(rule.content or [], skip_whitespace=True):
            yield from _of_rule(inner)
    elif rule.type == "qualified-rule":
        yield from _of_selector(tinycss2.serialize(rule.prelude))
        yield from _of_declarations(tinycss2.serialize(rule.content))


def _of_selector(selector: str) -> Iterator[str]:
    for pattern, title in (
        (r",", "Grouping selectors"),
        (r"\.[\w-]+", "Class selector"),
        (r"#[\w-]+", "ID selector"),
        (r"\[", "Attribute selector"),
        (r"\*", "Universal selector *"),
        (r">", "Child combinator"),
        (r"\+", "Adjacent sibling combinator"),
        (r"~", "General sibling combinator"),
        (r"[\w)] +[\w.#\[]", "Descendant combinator"),
        (r"(?<![\w.#:-])[a-z][a-z0-9]*", "Type selector"),
    ):
        if re.search(pattern, selector):
            yield title
    for pseudo in re.findall(r"::?[a-z-]+", selector):
        yield from (pseudo, f"{pseudo}()")


def _of_declarations(style: str) -> Iterator[str]:
    for one in tinycss2.parse_declaration_list(style, skip_comments=True, skip_whitespace=True):
        if one.type != "declaration":
            continue
        value = tinycss2.serialize(one.value)
        yield from (one.name, _TITLES.get(one.name, one.name), f"{one.name}:{value.strip()}")
        if one.name.startswith("--"):
            yield "CSS Variables (Custom Properties)"
        if one.important:
            yield "!important keyword"
        for unit in re.findall(r"[0-9.](%|[a-z]+)\b", f"{value} "):
            yield f"{unit} unit"
        for function in re.findall(r"([a-z-]+)\(", value):
            yield from (f"{function}()", f"CSS {function}() function")
