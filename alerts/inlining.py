"""Styles put into a template's elements once, at load, so that no letter pays for it.

Mail clients drop style sheets; premailer writes the rules into `style` attributes. A sheet marked
`data-premailer="ignore"` stays as it is: what some clients may do without. Premailer must not see
Jinja's tags, which lxml would move out of tables: each is an opaque word meanwhile.
"""

from __future__ import annotations

import re

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_MARKUP = re.compile(r"<!--.*?-->|<[!/A-Za-z](?:\"[^\"]*\"|'[^']*'|[^'\">])*>", re.DOTALL)
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'")
#: Jinja's statements around the document, which have no place in an HTML tree.
_STATEMENTS = r"(?:\s*\{[%#](?:(?![%#]\}).)*[%#]\})*\s*"
_AROUND = re.compile(f"({_STATEMENTS})(.*?)({_STATEMENTS})", re.DOTALL)
_WORD = re.compile(r"jinjatag\d{5}x")


def inlined(source: str) -> str:
    """The HTML template with its rules in `style` attributes, its Jinja tags untouched.

    Raises:
        ValueError: a tag is inside an element's markup but outside an attribute's value,
            or premailer lost or repeated one.
    """
    # Commands that compose nothing are spared its loading.
    import premailer  # noqa: PLC0415

    around = _AROUND.fullmatch(source)
    assert around is not None  # noqa: S101, it matches any text
    before, document, after = around.groups()
    tags: dict[str, str] = {}

    def hide(found: re.Match[str]) -> str:
        word = f"jinjatag{len(tags):05}x"
        tags[word] = found[0]
        return word

    hidden = _TAG.sub(hide, document)
    styled = premailer.Premailer(
        _commented(hidden, tags),
        keep_style_tags=False,
        remove_classes=False,
        strip_important=False,
        disable_link_rewrites=True,
        allow_network=False,
        disable_validation=True,
    ).transform(pretty_print=False)
    bare = re.sub(r"<!--(jinjatag\d{5}x)-->", r"\1", styled)
    if sorted(_WORD.findall(bare)) != sorted(tags):
        raise ValueError("inlining lost or repeated a template tag")
    whole = _WORD.sub(lambda found: tags[found[0]], bare)
    doctype = "" if whole.lower().startswith("<!doctype") else "<!DOCTYPE html>\n"
    return f"{before}{doctype}{whole}{after}"


def _commented(hidden: str, tags: dict[str, str]) -> str:
    """The words of statements between elements as comments, which stay where they are."""
    parts: list[str] = []
    done = 0
    for markup in _MARKUP.finditer(hidden):
        parts += [_comments(hidden[done : markup.start()], tags), markup[0]]
        if _WORD.search(_VALUE.sub("", markup[0])):
            raise ValueError(f"a template tag in the markup of an element: {markup[0]}")
        done = markup.end()
    return "".join(parts) + _comments(hidden[done:], tags)


def _comments(text: str, tags: dict[str, str]) -> str:
    return _WORD.sub(
        lambda found: found[0] if tags[found[0]].startswith("{{") else f"<!--{found[0]}-->", text
    )
