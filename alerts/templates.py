"""The templates of letters, read from disk, inlined and compiled once."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from alerts.digest import Notice, Period
from alerts.inlining import inlined
from base import french
from base.text import clean, fold, shortened

ROOT = Path(__file__).parent.parent / "templates"
_INCLUDE = re.compile(r'\{% include "([^"]+)" %\}\n?')
#: What fits on a line as it is, where it is short enough.
_LINE = re.compile(r"\S(?:[^\t\n\v\f\r]*\S)?")
#: Characters of a title that a letter shows; the rest is cut visibly.
TITLE = 300
#: Characters of a title in a one-line entry.
BRIEF = 120


def source(name: str) -> str:
    """A template's text with its includes written in, so that inlining sees it whole."""
    text = (ROOT / name).read_text("utf-8")
    return _INCLUDE.sub(lambda found: source(found[1]), text)


def cut(text: str, length: int = TITLE) -> str:
    """The text, or its beginning and «…»."""
    return shortened(text, length)


def wrap(text: str, indent: str = "") -> str:
    """Lines of at most 76 characters, broken at ordinary blanks only."""
    if len(indent) + len(text) <= 76 and _LINE.fullmatch(text):
        return indent + text
    return _filled(text, indent)


@lru_cache(maxsize=2000)
def _filled(text: str, indent: str) -> str:
    return textwrap.fill(
        text,
        76,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def underlined(text: str) -> str:
    """A heading of the text part."""
    return f"{text}\n{'-' * len(text)}"


def web(uri: str) -> str:
    """The address where it may be linked (http or https with a plain host), else ""."""
    if len(uri) > 2048 or not re.fullmatch(r"[!#-;=?-\[\]_a-z~]+", uri):
        return ""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return ""
    plain = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    return uri if plain and port in {None, 80, 443} else ""


def where(notice: Notice) -> str:
    """Buyer and place, as far as they are known; what the buyer's name tells is not said twice."""
    buyer = clean(notice.buyer)
    said = f" {fold(buyer)} "
    parts = [part for part in clean(notice.place).split(", ") if f" {_bare(part)} " not in said]
    return cut(" · ".join(filter(None, (buyer, ", ".join(parts)))))


#: How nearly all calls are published.
_USUAL = "avis d'appel d'offres"


def _bare(place: str) -> str:
    """«MRC La Matanie» is «la matanie», as it stands in «MRC de La Matanie»."""
    return fold(place).removeprefix("mrc ")


def kind(notice: Notice, categories: Mapping[str, str]) -> str:
    """Category, in the words of `categories`, and method, unless it is the usual one."""
    category = categories.get(notice.category, "")
    method = "" if fold(notice.method) == _USUAL else clean(notice.method)
    return cut(" · ".join(filter(None, (category, method))))


def brief(notice: Notice) -> str:
    """Number and beginning of the title, for a one-line entry."""
    return f"{clean(notice.number)} {cut(clean(notice.title), BRIEF)}".strip()


def _period(period: Period) -> str:
    return french.period(period.start, period.end)


FILTERS: dict[str, Callable[..., str]] = {
    "brief": brief,
    "clean": clean,
    "count": french.count,
    "cut": cut,
    "day": french.day,
    "hour": french.hour,
    "kind": kind,
    "month": french.month,
    "period": _period,
    "short_day": french.short_day,
    "thousands": french.thousands,
    "time_left": french.time_left,
    "underlined": underlined,
    "web": web,
    "where": where,
    "wrap": wrap,
}


def _environment(load: Callable[[str], str], *, html: bool) -> Environment:
    environment = Environment(
        loader=FunctionLoader(load),
        autoescape=html,  # noqa: S701, off for text parts only
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(FILTERS)
    return environment


_HTML = _environment(lambda name: inlined(source(name)), html=True)
_TEXT = _environment(source, html=False)


@cache
def template(name: str) -> Template:
    """The compiled template: names that end in .html escape what they show."""
    return (_HTML if name.endswith(".html") else _TEXT).get_template(name)


def lines(name: str, words: Mapping[str, object]) -> tuple[str, ...]:
    """What a text template says line by line, for both parts of a letter; empty lines apart."""
    return tuple(filter(None, template(name).render(words).split("\n")))


def block(of: Template, name: str, words: Mapping[str, object]) -> str:
    """One block of a template on its own."""
    return "".join(of.blocks[name](of.new_context(dict(words))))
