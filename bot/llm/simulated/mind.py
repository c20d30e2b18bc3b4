"""The simulated model: it reads a request as the world does, and answers as the world decides."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.llm.simulated import answers
from bot.llm.simulated.asking import number_in
from bot.llm.simulated.chance import normal, uniform
from bot.llm.simulated.changes import found
from bot.llm.simulated.truth import Prompt, Served, Truth

Body = Mapping[str, Any]

_LESSON = re.compile(r"^\s*[-*] \[b\d+\] ", re.MULTILINE)
_JSON = re.compile(r"\bJSON\b")
_EXAMPLE = re.compile(r"^\s*Example\b", re.MULTILINE | re.IGNORECASE)
_CHARS_PER_TOKEN = 4
_THINKING_MS = 400.0
_ARGUMENTS = {
    "calculator": {"expression": "12*7"},
    "recall": {"question": "periods and amounts"},
    "date_and_time": {},
    "run_history": {},
}


@dataclass(frozen=True, slots=True)
class Said:
    """`call` is (id, tool, arguments as JSON) where a tool is asked for. `latency_ms` is what it
    would have taken."""

    text: str
    tokens_in: int
    tokens_out: int
    latency_ms: float
    call: tuple[str, str, str] | None = None


class Mind:
    """Answers chat requests. What it served live is kept: the truth that reports are made from.

    A request that was answered before is a replay: by then the world has moved on.
    """

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.served: dict[int, Served] = {}
        """Live answers by request number."""
        self.calls = 0
        self.grades = 0

    @property
    def at(self) -> int:
        """The run that the world is at."""
        return max(self.served, default=0)

    def reply(self, body: Body) -> Said:
        self.calls += 1
        messages = [m for m in body.get("messages", ()) if isinstance(m, Mapping)]
        system = "\n".join(_text(m) for m in messages if m.get("role") == "system")
        question = next((_text(m) for m in reversed(messages) if m.get("role") == "user"), "")
        everything = f"{system}\n{question}"
        if _JSON.search(everything) and (graded := self._grade(question)):
            return graded
        number = number_in(question)
        if number is None:
            return self._other(system, question)
        if call := self._wants_tool(number, body, messages):
            return call
        return self._answer(number, _prompt(body, system, messages))

    def _answer(self, number: int, prompt: Prompt) -> Said:
        replayed = number in self.served
        at = self.at if replayed else number
        served = self.truth.serve(number, prompt, at, replayed)
        if not replayed:
            self.served[number] = served
        text = answers.worded(self.truth, served)
        return Said(text, served.tokens_in, served.tokens_out, served.latency_ms)

    def _grade(self, question: str) -> Said | None:
        """What a judge says of the last answer in the text; None where there is none."""
        seen = list(answers.marks(self.truth.seed, question))
        if not seen:
            return None
        self.grades += 1
        nonce, good = seen[-1]
        judge, key = self.truth.world.judge, (self.truth.seed, "grade", nonce)
        if uniform(*key, "wrong") < judge.wrong:
            good = not good
        grade = normal(float(good) + judge.bias, judge.spread, *key)
        score = round(min(max(grade, 0.0), 1.0), 2)
        text = json.dumps({"score": score, "reason": "a simulated judge's grade"})
        return Said(text, len(question) // _CHARS_PER_TOKEN, 20, _THINKING_MS)

    def _wants_tool(self, number: int, body: Body, messages: list[Body]) -> Said | None:
        """The tools of the request's cluster, one after the other, where the agent has them."""
        offered = {tool["function"]["name"] for tool in body.get("tools") or ()}
        cluster = self.truth.world.clusters[self.truth.asked(number).cluster]
        wanted = [name for name in cluster.tools if name in offered]
        done = sum(m.get("role") == "tool" for m in messages)
        if done >= len(wanted):
            return None
        name = wanted[done]
        arguments = json.dumps(_ARGUMENTS.get(name, {}))
        tokens = _tokens(messages)
        return Said("", tokens, 20, _THINKING_MS, (f"call_{number}_{done}", name, arguments))

    def _other(self, system: str, question: str) -> Said:
        text = "This is a simulated model: it knows the requests of its own world, and no others."
        return Said(text, (len(system) + len(question)) // _CHARS_PER_TOKEN, 20, _THINKING_MS)


def _prompt(body: Body, system: str, messages: list[Body]) -> Prompt:
    temperature = body.get("temperature")
    changes = found(system)
    return Prompt(
        changes=changes,
        lessons=max(len(_LESSON.findall(system)), len(changes)),
        model=str(body.get("model") or ""),
        temperature=temperature if isinstance(temperature, int | float) else None,
        examples=len(_EXAMPLE.findall(system)),
        tokens=_tokens(messages),
    )


def _tokens(messages: list[Body]) -> int:
    return sum(len(_text(m)) for m in messages) // _CHARS_PER_TOKEN + 1


def _text(message: Body) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if isinstance(part, Mapping))
