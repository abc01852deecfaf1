"""How fast a weekly SEAO file is read, normalised and stored: python -m benchmarks.reading_sources

Each variant runs in its own process, in turns; ratios are medians of the rounds. The reference is
json.load into dictionaries, then the same fields through the same cleaning. Both must find the
same calls. Nothing here is asserted by tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import func, select

from base.database import Database, ready_or_new
from benchmarks.seao_generator import Generator
from sources import fields, seao
from sources.reading import read_path
from sources.release import Release
from sources.tables import Reading, Revision, Tender

ROUNDS = 5
#: In the week of the file that is read: its calls are open.
AT = datetime(2025, 10, 6, 12, tzinfo=UTC)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        *_, week = Generator().weeks(3)
        file = folder / week.name
        file.write_bytes(week.content)
        month = folder / "mensuel.json"
        month.write_bytes(
            b'{"releases": [' + b",".join(_inner(week.content) for _ in range(4)) + b"]}"
        )
        _stored(file, folder)
        _decoded(file, "week")
        _decoded(month, "month")


def _inner(content: bytes) -> bytes:
    """The releases of a package, without what is round them."""
    return content[content.index(b"[", content.index(b'"releases"')) + 1 : content.rindex(b"]")]


def _stored(file: Path, folder: Path) -> None:
    """Read, normalise and store; then once more, unchanged."""
    rounds = []
    for n in range(ROUNDS):
        base = f"sqlite:///{folder}/base-{n}.sqlite3"
        ready_or_new(base).dispose()
        first, again = _run("store", file, base), _run("store", file, base)
        if again["rows"] != first["rows"]:
            sys.exit("the second reading wrote rows")
        rounds.append((first, again))
    size = file.stat().st_size / 1e6
    last = rounds[-1][0]
    print(f"weekly file: {size:.1f} MB, {last['releases']} releases, {last['new']} new calls")
    print(f"first reading: {median(f['wall'] for f, _ in rounds):.2f} s", end=", ")
    print(f"CPU {median(f['cpu'] for f, _ in rounds):.2f} s", end=", ")
    print(f"peak {max(f['peak'] for f, _ in rounds):.0f} MiB")
    print(f"again / first: {median(a['cpu'] / f['cpu'] for f, a in rounds):.2f} (CPU)", end=", ")
    print(f"{median(a['wall'] / f['wall'] for f, a in rounds):.2f} (wall), rows written: 0")


def _decoded(file: Path, name: str) -> None:
    """Decode and normalise, beside the reference."""
    ratios, peaks = [], []
    for _ in range(ROUNDS):
        ours, theirs = _run("ours", file), _run("reference", file)
        if ours["calls"] != theirs["calls"]:
            sys.exit("the two do not find the same calls")
        ratios.append(theirs["cpu"] / ours["cpu"])
        peaks.append((ours["peak"] - ours["start"]) / (theirs["peak"] - theirs["start"]))
    print(
        f"{name}, {file.stat().st_size / 1e6:.1f} MB, decode and normalise: "
        f"{median(ratios):.1f} times json.load with dictionaries ({ours['cpu']:.3f} s CPU), "
        f"memory above the start {median(peaks):.2f} of it"
    )


def _run(what: str, *arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.reading_sources", what, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True)  # noqa: S603, ourselves
    return dict(json.loads(done.stdout))


def _measured(work: Callable[[], dict[str, Any]]) -> None:
    start, wall, cpu = _peak(), time.perf_counter(), time.process_time()
    found = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps(found | {"cpu": cpu, "wall": wall, "start": start, "peak": _peak()}))


def _peak() -> float:
    """MiB that this process ever held (VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _store(file: Path, database: Database) -> dict[str, Any]:
    (outcome,) = read_path(database, file, at=AT)
    with database.read() as session:
        tables = (Tender, Revision, Reading)
        rows = [session.scalar(select(func.count()).select_from(one)) for one in tables]
    return {"rows": rows, "releases": outcome.counts.releases, "new": outcome.counts.new}


def _ours(file: Path) -> dict[str, Any]:
    found = [one for one in seao.read(file.read_bytes()) if isinstance(one, Release)]
    return {"calls": _sum((one.ocid, one.title, one.buyer, len(one.items)) for one in found)}


def _reference(file: Path) -> dict[str, Any]:
    with file.open(encoding="utf-8") as stream:
        document = json.load(stream)
    found = [one for one in map(_normalised, document["releases"]) if one]
    return {
        "calls": _sum((one["ocid"], one["title"], one["buyer"], len(one["items"])) for one in found)
    }


def _sum(calls: Iterator[tuple[object, ...]]) -> list[int]:
    known = list(calls)
    return [len(known), sum(len(str(one)) for one in known)]


def _normalised(release: dict[str, Any]) -> dict[str, Any] | None:
    """What a program with dictionaries keeps of an open or cancelled call."""
    tender = release.get("tender") or {}
    called = any(tag.startswith("tender") for tag in release.get("tag", ()))
    if not called or tender.get("status") not in {"active", "cancelled"}:
        return None
    party = next((p for p in release["parties"] if "buyer" in p["roles"]), {})
    changed = datetime.strptime(release["id"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    urls = [document.get("url") for document in tender.get("documents", ())]
    return {
        "ocid": release["ocid"],
        "release_id": release["id"],
        "published_at": fields.moment(release.get("date"), after=changed),
        "changed_at": changed,
        "status": tender["status"],
        "title": fields.text(tender.get("title"), 2000),
        "buyer": fields.name(release["buyer"].get("name"), 500),
        "buyer_id": fields.text(release["buyer"].get("id"), 64),
        "municipal": party.get("details", {}).get("municipal") == "1",
        "locality": fields.text(party.get("address", {}).get("locality"), 100),
        "postal_code": fields.text(party.get("address", {}).get("postalCode"), 20),
        "reference": fields.text(tender.get("id"), 255),
        "category": tender.get("mainProcurementCategory"),
        "method": fields.text(tender.get("procurementMethodDetails"), 255),
        "closes_at": fields.moment(tender["tenderPeriod"].get("endDate"), after=changed),
        "items": list(_codes(tender.get("items", ()))),
        "documents": [fields.text(url, 2048) for url in urls],
        "uri": next(filter(None, map(fields.link, urls)), ""),
    }


def _codes(items: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for item in items:
        yield f"SEAO:{item['id']}", fields.text(item.get("description"), 500)
        for one in (item.get("classification"), *item.get("additionalClassifications", ())):
            if one:
                yield f"{one['scheme']}:{one['id']}", fields.text(one.get("description"), 500)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["store", file, base]:
            opened = ready_or_new(base)
            _measured(lambda: _store(Path(file), opened))
        case ["ours", file]:
            _measured(lambda: _ours(Path(file)))
        case ["reference", file]:
            _measured(lambda: _reference(Path(file)))
        case _:
            main()
