"""Feeds as WordPress in French makes them: made, since no municipal one with calls could be found.

What is imitated: numeric entities in titles, CDATA, content:encoded beside a cut description,
guids «?p=123» that are no permalinks, pubDate at +0000, and the sentence each entry ends with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

SITE = "https://www.exemple-sur-lac.quebec"
TOWN = "Ville d’Exemple-sur-Lac"

_NAMESPACES = " ".join(
    f'xmlns:{prefix}="{name}"'
    for prefix, name in {
        "content": "http://purl.org/rss/1.0/modules/content/",
        "wfw": "http://wellformedweb.org/CommentAPI/",
        "dc": "http://purl.org/dc/elements/1.1/",
        "atom": "http://www.w3.org/2005/Atom",
        "sy": "http://purl.org/rss/1.0/modules/syndication/",
        "slash": "http://purl.org/rss/1.0/modules/slash/",
    }.items()
)


@dataclass(frozen=True, kw_only=True)
class Post:
    """One entry."""

    title: str
    #: Paragraphs, as HTML.
    paragraphs: tuple[str, ...] = ()
    number: int = 1234
    slug: str = "avis"
    published: datetime = datetime(2025, 9, 10, 13, 30, tzinfo=UTC)
    updated: datetime | None = None
    categories: tuple[str, ...] = ("Avis publics",)
    #: Elements that replace those of the same name; "" leaves one out.
    instead: dict[str, str] = field(default_factory=dict)

    @property
    def link(self) -> str:
        return f"{SITE}/{self.slug}/"


CLOSING = (
    "Les soumissions doivent être reçues <strong>avant 10h00, le 2 octobre 2025</strong>, "
    "à l&rsquo;hôtel de ville."
)
#: The wording of infodunordtremblant.ca for «MRC des Laurentides - APPEL D'OFFRES S2025-02».
SNOW = Post(
    title="APPEL D’OFFRES S2025-02 – Damage et entretien hivernal d’un tronçon",
    slug="appel-doffres-s2025-02",
    paragraphs=(
        f"La {TOWN} demande des soumissions pour le damage et l&rsquo;entretien hivernal.",
        'Les documents sont sur le <a href="https://www.seao.gouv.qc.ca">SEAO</a>.',
        CLOSING,
    ),
)


def entities(text: str) -> str:
    """As WordPress writes a title: « – » is `&#8211;`, « ’ » is `&#8217;`."""
    written = escape(text, quote=False)
    return "".join(f"&#{ord(c)};" if c in "–—’…" else c for c in written)


def rss(posts: Iterable[Post], *, title: str = f"Avis publics – {TOWN}", site: str = SITE) -> bytes:
    """An RSS 2.0 feed."""
    items = "\n".join(map(_item, posts))
    return f"""<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
\t{_NAMESPACES}
\t>

<channel>
\t<title>{entities(title)}</title>
\t<atom:link href="{site}/category/avis/feed/" rel="self" type="application/rss+xml" />
\t<link>{site}</link>
\t<description>Site officiel</description>
\t<lastBuildDate>Wed, 10 Sep 2025 13:31:02 +0000</lastBuildDate>
\t<language>fr-CA</language>
\t<sy:updatePeriod>
\thourly\t</sy:updatePeriod>
\t<generator>https://wordpress.org/?v=6.8.2</generator>
{items}
</channel>
</rss>
""".encode()


def _item(post: Post) -> str:
    elements = {
        "title": f"<title>{entities(post.title)}</title>",
        "link": f"<link>{post.link}</link>",
        "dc:creator": "<dc:creator><![CDATA[Personne Fictive]]></dc:creator>",
        "pubDate": f"<pubDate>{format_datetime(post.published)}</pubDate>",
        "category": "".join(f"<category><![CDATA[{one}]]></category>" for one in post.categories),
        "guid": f'<guid isPermaLink="false">{SITE}/?p={post.number}</guid>',
        "description": f"<description><![CDATA[{_cut(post)}{_appeared(post)}]]></description>",
        "content:encoded": f"<content:encoded><![CDATA[{_whole(post)}]]></content:encoded>",
    } | post.instead
    return "\t<item>\n\t\t{}\n\t</item>".format("\n\t\t".join(filter(None, elements.values())))


def atom(posts: Iterable[Post], *, title: str = f"Avis publics – {TOWN}") -> bytes:
    """An Atom feed of the same posts."""
    return f"""<?xml version="1.0" encoding="UTF-8"?><feed
  xmlns="http://www.w3.org/2005/Atom"
  xmlns:thr="http://purl.org/syndication/thread/1.0"
  xml:lang="fr-CA"
  >
\t<title type="text">{entities(title)}</title>
\t<updated>2025-09-10T13:31:02Z</updated>
\t<link rel="alternate" type="text/html" href="{SITE}" />
\t<id>{SITE}/feed/atom/</id>
{"".join(map(_entry, posts))}
</feed>
""".encode()


def _entry(post: Post) -> str:
    updated = post.updated or post.published
    elements = {
        "author": "<author><name>Personne Fictive</name></author>",
        "title": f'<title type="html"><![CDATA[{entities(post.title)}]]></title>',
        "link": f'<link rel="alternate" type="text/html" href="{post.link}" />',
        "id": f"<id>{SITE}/?p={post.number}</id>",
        "updated": f"<updated>{updated:%Y-%m-%dT%H:%M:%SZ}</updated>",
        "published": f"<published>{post.published:%Y-%m-%dT%H:%M:%SZ}</published>",
        "category": "".join(f'<category scheme="{SITE}" term="{c}" />' for c in post.categories),
        "summary": f'<summary type="html"><![CDATA[{_cut(post)}]]></summary>',
        "content": f'<content type="html"><![CDATA[{_whole(post)}]]></content>',
    } | post.instead
    return "\t<entry>\n\t\t{}\n\t</entry>\n".format("\n\t\t".join(filter(None, elements.values())))


def _whole(post: Post) -> str:
    body = "\n\n\n\n".join(f"<p>{one}</p>" for one in post.paragraphs)
    return f"\n{body}\n{_appeared(post)}\n"


def _cut(post: Post) -> str:
    first = post.paragraphs[0] if post.paragraphs else ""
    return f"<p>{first[:120]} [&#8230;]</p>\n" if first else ""


def _appeared(post: Post) -> str:
    return (
        f'<p>L’article <a href="{post.link}">{entities(post.title)}</a> est apparu en premier sur '
        f'<a href="{SITE}">{TOWN}</a>.</p>'
    )
