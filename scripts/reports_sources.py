"""`alertes rapport sources`: how healthy each source is, and what it brought week by week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from alerts import summary
from base.clock import quebec_day, utc_now
from base.french import short_day
from scripts import reports_charts as charts
from scripts import reports_page as pages
from scripts import sources_words
from scripts.asked_sources import configured
from scripts.console import moment, opened, out, print_json
from scripts.told_words import stamp
from sources import freshness, habits
from sources.freshness import SourceState

HELP = "La santé de chaque source, et ce qu’elle a apporté en 12 semaines."


def command(
    on: Annotated[
        str | None, typer.Option("--au", metavar="DATE", help="Comme si c’était ce jour.")
    ] = None,
    *,
    folder: pages.Folder = pages.FOLDER,
    workbook: pages.Workbook = False,
    as_json: pages.Json = False,
) -> None:
    at = moment(on, utc_now())
    mondays = _mondays(at)
    with opened() as store, store.read() as session:
        states = freshness.coverage(session, at, configured())
        brought = habits.new_by_week(session, summary.monday_of(at - timedelta(weeks=11)), at)
        refused = habits.refused(session, at - timedelta(days=30), at)
    rows = [_row(one, refused) for one in states]
    name = f"sources-{quebec_day(at)}"
    written = [pages.keep(folder, f"{name}.html", _page(states, rows, brought, mondays, at))]
    if workbook:
        book = pages.workbook({"Sources": (_HEADINGS, rows)})
        written.append(pages.keep(folder, f"{name}.xlsx", book))
    if as_json:
        files = [str(path) for path in written]
        print_json({"sources": [sources_words.in_json(one) for one in states], "files": files})
        return
    for one in states:
        if one.missing_since:
            standing = sources_words.STANDINGS[one.standing]
            out.print(f"{one.short}\u00a0: {standing}.", soft_wrap=True)
    pages.say(*written)


def _mondays(at: datetime) -> list[date]:
    last = quebec_day(summary.monday_of(at))
    return [last - timedelta(weeks=back) for back in reversed(range(summary.WEEKS))]


_HEADINGS = (
    "Source", "Publie", "État", "A répondu", "Du nouveau", "Avis lus", "Refusés en 30 jours",
    "Il manque depuis",
)  # fmt: skip


def _row(one: SourceState, refused: Mapping[str, int]) -> pages.Cells:
    return (
        one.short,
        sources_words.RHYTHMS.get(one.rhythm, one.rhythm),
        sources_words.STANDINGS[one.standing],
        stamp(one.answered_at) or "jamais",
        stamp(one.news_at) or "jamais",
        one.counts.get("releases", 0),
        refused.get(one.key, 0),
        stamp(one.missing_since),
    )


def _page(
    states: Sequence[SourceState],
    rows: Sequence[pages.Cells],
    brought: Mapping[str, Mapping[date, int]],
    mondays: Sequence[date],
    at: datetime,
) -> str:
    names = {one.key: one.short for one in states}
    series = {
        names.get(source, source): [weeks.get(monday, 0) for monday in mondays]
        for source, weeks in brought.items()
    }
    labels = [short_day(monday) for monday in mondays]
    alt = "Nouveaux avis par semaine et par source"
    words = {
        "states": states,
        "rows": rows,
        "remarks": [line.strip() for one in states for line in sources_words.remarks(one)],
        "picture": charts.columns("sources", labels, series, alt=alt),
        "weeks": [(label, [series[name][n] for name in series]) for n, label in enumerate(labels)],
        "series": list(series),
        "missing": [one.short for one in states if one.missing_since],
    }
    return pages.page("sources", words, at=at)
