"""Measure every ratio, each module in a process of its own; write the table and the picture.

    python -m benchmarks [--full] [module ...]

Ends with one line a ratio. The exit code is 1 where a module broke off, so that what it would have
measured is missing; a goal that is not reached is a figure like another.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

from benchmarks import picture
from benchmarks.measured import Measured, Size, kept

#: In the order of the table.
MODULES = ("handing", "end_to_end", "building", "matching", "scale", "workers")
RESULTS = Path(__file__).with_name("results")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="at the sizes that the goals name")
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="module")
    given = parser.parse_args()
    begun = perf_counter()
    found: list[Measured] = []
    broken = []
    for module in given.modules:
        measured = _measured(module, full=given.full)
        broken += [] if measured else [module]
        found += measured
    size = Size.FULL if given.full else Size.QUICK
    if tuple(given.modules) == MODULES and not broken:
        _write(found, size, seconds=perf_counter() - begun)
    for one in found:
        print(one.line)
    if broken:
        print(f"broke off: {', '.join(broken)}", file=sys.stderr)
        raise SystemExit(1)


def _measured(module: str, *, full: bool) -> list[Measured]:
    """What one module measured; empty where it broke off."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "figures.json"
        command = [sys.executable, "-m", f"benchmarks.{module}", "--json", str(file)]
        command += ["--full"] if full else []
        ended = subprocess.run(command, check=False)  # noqa: S603, our own module
        return kept(file) if ended.returncode == 0 else []


def _write(found: list[Measured], size: Size, *, seconds: float) -> None:
    RESULTS.mkdir(exist_ok=True)
    table = RESULTS / f"{size}.md"
    table.write_text(_table(found, size, seconds), encoding="utf-8")
    picture.draw(found, table.with_suffix(".svg"))
    print(f"written: {table.name}, {table.stem}.svg")


def _table(found: list[Measured], size: Size, seconds: float) -> str:
    lines = [
        f"# Ratios, {size}",
        "",
        _how(size, seconds),
        "",
        f"![The ratios beside their goals]({size}.svg)",
        "",
        "| ratio | what is divided by what | value | rounds | goal | reached |",
        "| --- | --- | ---: | --- | ---: | --- |",
    ]
    for one in found:
        sign = "<=" if one.at_most else ">="
        spread = f"{min(one.rounds):.2f} to {max(one.rounds):.2f}"
        lines.append(
            f"| {one.name} | {one.what} | {one.value:.2f} | {len(one.rounds)}: {spread} "
            f"| {sign} {one.goal:g} | {'yes' if one.is_reached else 'no'} |"
        )
    for one in found:
        lines += ["", f"## {one.name}", "", f"{one.what}.", ""]
        lines += [f"- {said}" for said in (*one.detail, one.twin)]
    return "\n".join([*lines, ""])


def _how(size: Size, seconds: float) -> str:
    command = "make bench" if size is Size.QUICK else "make bench-full"
    return (
        f"`{command}`, {seconds / 60:.0f} min, {os.cpu_count()} processors, "
        f"Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}. "
        "Both sides of a ratio take turns in one run; the value is the median of the rounds."
    )


if __name__ == "__main__":
    main()
