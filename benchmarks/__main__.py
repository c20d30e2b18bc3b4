"""`make bench`: every figure in one table, written to latest.json and docs/benchmarks.md."""

import argparse
import asyncio
import json
import os
import platform
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from benchmarks import detection, doc, million, people, predictor, service
from tests import postgres
from tests.stories.killing import Killing, Reckoning

_ROOT = Path(__file__).parent.parent
_LATEST = Path(__file__).parent / "latest.json"
_INTRO = """# Benchmarks

`make bench` made this table on {machine}. Latencies and throughputs are medians over five rounds
in which Ratchet and the bare pass-through took turns; the client, the model server (which answers
at once) and both services shared the same cores. The bare pass-through is the same web server and the same
model client, recording nothing. Ratchet records every run durably, deduplicates, routes and logs
it. In the part with 1,000 people, 500 write in 25 Slack channels, 300 in 25 Telegram groups and in
private, 200 say commands on WhatsApp, 20 messages a second in all; its times run from the moment a
message is sent to the moment the platform has what the person sees, and the model takes 0.3 s.
These machines are shared: compare the ratios before the milliseconds. A part that is measured alone
(`python -m benchmarks people`) replaces its own rows only.

"""


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    value: float
    unit: str
    target: str
    reached: bool

    def line(self) -> str:
        mark = "yes" if self.reached else "**no**"
        return f"| {self.name} | {self.value:,.4g} {self.unit} | {self.target} | {mark} |"


def below(name: str, value: float, unit: str, limit: float) -> Row:
    return Row(name, value, unit, f"< {limit:g} {unit}", value < limit)


def above(name: str, value: float, unit: str, limit: float) -> Row:
    return Row(name, value, unit, f"> {limit:g} {unit}", value > limit)


async def _service(folder: Path) -> list[Row]:
    figures = await service.side_by_side(folder / "service")
    alone, many, crowd = (figures.pairs[n] for n in (1, 32, 128))
    latencies = sorted(ms for sample in alone.ours for ms in sample.latencies)
    p50, p99 = (latencies[int(share * len(latencies))] for share in (0.5, 0.99))
    ready, replied = await service.launches(folder / "launches")
    return [
        below("one at a time, p50", p50, "ms", 8),
        below("one at a time, p99", p99, "ms", 30),
        below("one at a time, p50 beside the bare one", alone.latency_ratio(), "times", 4),
        above("32 at once", _median(many), "runs/s", 250),
        above("128 at once", _median(crowd), "runs/s", 250),
        above("32 at once beside the bare one", many.throughput_ratio(), "times", 0.5),
        above("128 at once beside the bare one", crowd.throughput_ratio(), "times", 0.5),
        below("CPU per message", figures.cpu_ms, "ms", 6),
        below("ready after launch", ready, "s", 2),
        below("first reply after launch", replied, "s", 2.5),
        below("memory, idle", figures.idle_mb, "MB", 150),
        below("memory after 10,000 messages more", figures.full_mb, "MB", 180),
        below("growth over the last 10,000", figures.full_mb - figures.half_way_mb, "MB", 10),
        below("model request for ping", await service.ping_bytes(folder / "ping"), "bytes", 4000),
        below("ratchet --help", await service.help_seconds(), "s", 0.3),
    ]


def _median(pair: service.Pair) -> float:
    rates = sorted(sample.per_second for sample in pair.ours)
    return rates[len(rates) // 2]


async def _million(folder: Path) -> list[Row]:
    found = await million.figures(folder / "million")
    return [below(f"1 million runs: {name}", ms, "ms", 10) for name, ms in found.items()]


async def _detection(folder: Path, count: int) -> list[Row]:
    return _detected("SQLite", count, await detection.figures(folder / "detection", count))


async def _detection_on_postgres(folder: Path, count: int) -> list[Row]:
    with postgres.server() as url:
        found = await detection.figures(folder / "detection", count, f"{url}/postgres")
    return _detected("PostgreSQL (a core's: without the server's own)", count, found)


def _detected(where: str, count: int, found: detection.Figures) -> list[Row]:
    over = f"detection over {count:,} runs of 5 steps, {where}"
    parts = ", ".join(f"{name} {took.core:.1f}" for name, took in found.first.items())
    more = ", ".join(f"{name} {took.core:.2f}" for name, took in found.more.items())
    load = f"on the clock at a load of {found.load:.0f}"
    return [
        below(
            f"{over}: first analysis, {load}", sum(t.seconds for t in found.first.values()), "s", 60
        ),
        below(
            f"{over}: first analysis, of a core's ({parts})",
            sum(t.core for t in found.first.values()),
            "s",
            60,
        ),
        below(f"{over}: 1,000 more, {load}", sum(t.seconds for t in found.more.values()), "s", 1),
        below(
            f"{over}: 1,000 more, of a core's ({more}; analyze drafts proposals too)",
            sum(t.core for t in found.more.values()),
            "s",
            1,
        ),
        below(f"{over}: memory", found.peak_mb, "MB", 500),
        below(f"{over}: event loop held at most, {load}", found.held.seconds, "ms", 50),
        below(f"{over}: event loop held at most, of a core's", found.held.core, "ms", 50),
    ]


async def _kills(folder: Path) -> list[Row]:
    found = await Killing(folder / "one", "", 1, messages=500, kills=200, seed=11).run()
    return _reckoned("SQLite", found)


async def _kills_of_two(folder: Path) -> list[Row]:
    with postgres.server() as url:
        database = f"{url}/postgres"
        found = await Killing(folder / "two", database, 2, messages=500, kills=200, seed=12).run()
    return _reckoned("PostgreSQL, 2 nodes", found)


def _reckoned(where: str, found: Reckoning) -> list[Row]:
    over = f"{found.kills} kills, {found.messages} messages, {where}"
    counts = {
        "lost": len(found.lost),
        "answered twice": len(found.answered_twice),
        "steps or calls repeated": len(found.steps_repeated) + len(found.calls_repeated),
        "left open": len(found.left_open),
    }
    return [Row(f"{over}: {name}", n, "", "0", n == 0) for name, n in counts.items()]


async def _people(folder: Path, seconds: float) -> list[Row]:
    found = await people.figures(folder / "people", seconds)
    over = f"1,000 people, {found.messages:,} messages in {seconds:g} s"
    sent = [
        Row(f"{over}: {name}", n, "", "0", n == 0)
        for name, n in {"lost": found.lost, "shown twice": found.doubled}.items()
    ]
    signs = [
        below(f"{over}: sign of life on {name.capitalize()}, p99", found.sign(0.99, name), "s", 1)
        for name in found.signs
    ]
    return [
        *sent,
        below(f"{over}: sign of life, p50", found.sign(0.5), "s", 0.5),
        below(f"{over}: sign of life, p99", found.sign(0.99), "s", 1),
        *signs,
        below(f"{over}: whole answer (the model takes 0.3 s), p50", found.answer(0.5), "s", 1),
        below(f"{over}: whole answer, p99", found.answer(0.99), "s", 3),
        below(f"{over}: memory gained in the second half", found.growth_mb, "MB", 10),
        below(f"{over}: cores busy", found.cpu, "", 0.7),
    ]


async def _predictor(folder: Path) -> list[Row]:
    seeds = [predictor.figures(seed) for seed in (5, 6, 7, 8)]

    def mean(of: Callable[[predictor.Figures], float]) -> float:
        return sum(map(of, seeds)) / len(seeds)

    said = "predictor, 8 kinds of request, 5 agents, 30 % scored"
    beside = mean(lambda f: f.calibration.brier - f.oracle_brier)
    won = mean(lambda f: f.chosen - f.first) / mean(lambda f: f.best - f.first)
    return [
        below(f"{said}: Brier score", mean(lambda f: f.calibration.brier), "", 0.25),
        below(f"{said}: Brier score above the truth's own", beside, "", 0.01),
        below(f"{said}: calibration error", mean(lambda f: f.calibration.error), "", 0.05),
        above(f"{said}: 95 % intervals that hold the truth", mean(lambda f: f.covered), "", 0.9),
        above(f"{said}: success by choosing, of what there is to win", won, "", 0.3),
        below("predictions for a message (5 agents), p50", mean(lambda f: f.predict_ms), "ms", 0.2),
    ]


Part = Callable[[Path], Awaitable[list[Row]]]
Parts = Mapping[str, Part]
_PARTS: Parts = {
    "service": _service,
    "million": _million,
    "people": partial(_people, seconds=300.0),
    "detection": partial(_detection, count=1_000_000),
    "detection-on-postgres": partial(_detection_on_postgres, count=1_000_000),
    "predictor": _predictor,
    "kills": _kills,
    "kills-of-two": _kills_of_two,
}


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def _table(rows: list[Row]) -> str:
    head = ["| figure | measured | target | reached |", "|---|---|---|---|"]
    return "\n".join([*head, *(row.line() for row in rows)])


def _keep(part: str, rows: list[Row]) -> list[Row]:
    """Writes a part's figures beside the last ones of the others; returns all, in order."""
    kept = json.loads(_LATEST.read_text()) if _LATEST.exists() else {}
    parts = {**kept.get("parts", {}), part: [asdict(row) for row in rows]}
    _LATEST.write_text(json.dumps({"machine": _machine(), "parts": parts}, indent=1) + "\n")
    return [Row(**row) for name in _PARTS for row in parts.get(name, ())]


async def _run(part: Part, folder: Path) -> list[Row]:
    return await part(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(_PARTS)}; default: all")
    parser.add_argument("--seconds", type=float, default=300.0, help="how long the people talk")
    parser.add_argument("--runs", type=int, default=1_000_000, help="how long detection's log is")
    given = parser.parse_args()
    parts: Parts = {
        **_PARTS,
        "people": partial(_people, seconds=given.seconds),
        "detection": partial(_detection, count=given.runs),
        "detection-on-postgres": partial(_detection_on_postgres, count=given.runs),
    }
    for part in given.parts or list(_PARTS):
        print(f"… {part}", flush=True)
        with tempfile.TemporaryDirectory(prefix="ratchet-bench-") as folder:
            rows = asyncio.run(_run(parts[part], Path(folder)))
        print(_table(rows), flush=True)
        everything = _keep(part, rows)
        doc.put_first(_INTRO.format(machine=_machine()) + _table(everything))


if __name__ == "__main__":
    main()
