"""The derived table of traces: read from a CSV, made from the form tau-bench keeps them in."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COLUMNS = ("task", "trial", "reward", "user", "turns", "tools")


@dataclass(frozen=True, slots=True)
class Trace:
    """One try at a task. `tools` in the order of the calls; one that failed ends in "!". `turns`
    counts what the (simulated) customer said."""

    task: int
    trial: int
    reward: float
    user: str
    turns: int
    tools: tuple[str, ...]

    @property
    def path(self) -> str:
        """As the run log names steps."""
        return "|".join(f"tool:{name}" for name in self.tools)


def read(path: Path) -> list[Trace]:
    """Lines that begin with # are notes. Raises ValueError that names the line."""
    traces = []
    with path.open(newline="", encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    for number, row in enumerate(csv.DictReader(lines), 1):
        try:
            traces.append(
                Trace(
                    int(row["task"]),
                    int(row["trial"]),
                    float(row["reward"]),
                    row["user"],
                    int(row["turns"]),
                    tuple(row["tools"].split()),
                )
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"{path}, row {number}: {error}") from error
    return traces


def derived(results: Iterable[Mapping[str, Any]]) -> list[Trace]:
    """From tau-bench's own results (historical_trajectories/*.json): nothing of what was said, and
    customers by number, in the order in which they come first."""
    numbers: dict[str, int] = {}
    return [
        Trace(
            task=int(one["task_id"]),
            trial=int(one["trial"]),
            reward=float(one["reward"]),
            user=_numbered(str(one["info"]["task"]["user_id"]), numbers),
            turns=sum(message["role"] == "user" for message in one["traj"]),
            tools=tuple(_tools(one["traj"])),
        )
        for one in results
    ]


def _numbered(user: str, numbers: dict[str, int]) -> str:
    return f"customer_{numbers.setdefault(user, len(numbers))}"


def write(path: Path, traces: Sequence[Trace], notes: Sequence[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {note}\n" for note in notes)
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_COLUMNS)
        for one in traces:
            tools = " ".join(one.tools)
            rows.writerow([one.task, one.trial, f"{one.reward:g}", one.user, one.turns, tools])


def convert(source: Path, target: Path, notes: Sequence[str]) -> int:
    """Makes the table from a file of results; how many traces it has."""
    traces = derived(json.loads(source.read_text("utf-8")))
    write(target, traces, notes)
    return len(traces)


def _tools(messages: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """Calls and results take turns there: one call at a time is the agents' rule. Ids of calls
    repeat, so the order alone says which result is whose."""
    results = [m for m in messages if m["role"] == "tool"]
    calls = [call["function"]["name"] for m in messages for call in m.get("tool_calls") or ()]
    for number, name in enumerate(calls):
        said = str(results[number]["content"]) if number < len(results) else ""
        yield f"{name}!" if said.startswith("Error") else name
