"""`ratchet ask`, `say`, `runs`, `run` and `job`: one thing said, one thing printed."""

import json
import os
import sys
import threading
from typing import Any

from bot.cli.life import life_sign
from bot.cli.line import Line, open_line
from bot.cli.shape import answer_fields, begun, footer, printed
from bot.errors import BadInput
from bot.model.words import duration, one_line, usd, when

_FAILED = {"failed", "cancelled", "expired", "refused"}
_RECENT = 50


def ask(question: str, as_json: bool, agent: str | None, conversation: str) -> int:
    text = _utf8(sys.stdin.buffer.read() if question == "-" else os.fsencode(question))
    if not text.strip():
        raise BadInput(said='Ask something, as in: ratchet ask "What can you do?"')
    return _say(text, as_json, agent, conversation)


def say(command: str, as_json: bool, conversation: str) -> int:
    if not command.startswith(("/", "!")):
        raise BadInput(
            said=f'Commands begin with "/", as in: ratchet say "/help". '
            f'To ask something: ratchet ask "{one_line(command, 60)}"'
        )
    return _say(_utf8(os.fsencode(command)), as_json, None, conversation)


def job(name: str) -> int:
    with life_sign("working"), open_line() as line:
        before = {run["run_id"] for run in line.runs(_RECENT)}
        said = line.say(f"/jobs run {name}", None, "terminal")
        if said["status"] in _FAILED:
            print(said["answer"], file=sys.stderr)
            return 1
        done = _job_run(line, name, before)
    print(done["answer"] or f"{name}: {done['status']}", flush=True)
    print(footer(done), file=sys.stderr)
    return 1 if done["status"] in _FAILED else 0


def _job_run(line: Line, name: str, before: set[str]) -> dict[str, Any]:
    """The job's new run, once it is closed."""
    pause = threading.Event()
    while True:
        for run in line.runs(_RECENT):
            new = run["kind"] == "job" and run["message"] == name and run["run_id"] not in before
            if new and run["latency_ms"] is not None:
                return run
        pause.wait(0.2)


def runs(limit: int, as_json: bool) -> int:
    with open_line() as line:
        listed = line.runs(limit)
    if as_json:
        _print_json(listed)
    elif not listed:
        print('No runs yet. Ask something: ratchet ask "What can you do?"')
    else:
        print("\n".join(_run_line(run) for run in listed))
    return 0


def run(run_id: str, as_json: bool) -> int:
    with open_line() as line:
        found = line.run(run_id)
    if as_json:
        _print_json(found)
    else:
        print("\n".join(_run_lines(found)))
    return 0


def _say(text: str, as_json: bool, agent: str | None, conversation: str) -> int:
    with life_sign("thinking"), open_line() as line:
        done = line.say(text, agent, conversation)
    if as_json:
        _print_json(answer_fields(done))
    else:
        print(printed(done), flush=True)
        if run_id := begun(done):
            print(f"ratchet run {run_id} shows it", file=sys.stderr)
        print(footer(done), file=sys.stderr)
    return 1 if done["status"] in _FAILED else 0


def _utf8(raw: bytes) -> str:
    """What is no UTF-8 becomes "�"."""
    return raw.decode("utf-8", "replace")


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _run_line(run: dict[str, Any]) -> str:
    who = f"{run['agent']} v{run['agent_version']}" if run["agent"] else run["kind"]
    asked = one_line(run["message"], 48)
    return (
        f"{run['run_id'][-8:]}  {when(run['created_at'])}  {run['status']:<9}  {who:<16}  "
        f"{duration(run['latency_ms']):>8}  {usd(run['cost_usd']):>8}  {asked}"
    )


def _run_lines(run: dict[str, Any]) -> list[str]:
    lines = [
        f"run      {run['run_id']}",
        f"asked    {one_line(run['message'], 300)}",
        f"by way   {run['channel']}, {when(run['created_at'])}",
        f"status   {run['status']} after {duration(run['latency_ms'])}, {usd(run['cost_usd'])}",
    ]
    if run["agent"]:
        lines.append(f"agent    {run['agent']} v{run['agent_version']}")
    if run["error"]:
        lines.append(f"error    {run['error']['type']}: {run['error']['message']}")
    lines += [
        f"  {step['seq']:>3}  {step['kind']:<8} {step['name']:<20} {duration(step['duration_ms'])}"
        + (f"  {step['error_type']}: {step['error_message']}" if step["error_type"] else "")
        for step in run["steps"]
    ]
    return [*lines, "", run["answer"]]
