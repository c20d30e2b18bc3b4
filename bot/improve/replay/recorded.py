"""What a run's log answers in place of the world: nothing is asked again, nothing is written."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from bot.agents.tools.base import Tool, ToolContext
from bot.agents.tools.run import call, checked
from bot.errors import RatchetError, ToolError
from bot.model.file import Taken
from bot.model.memory import Memory, Namespace, Recalled
from bot.model.run import Step, StepKind
from bot.redaction import Redactor

PURE = frozenset({"calculator", "date_and_time"})
"""Tools that read and change nothing: these really run, on the recorded run's clock."""

_KEPT_ARGUMENTS = 4000
"""The log keeps no more of a call's arguments: of longer ones nobody knows whether they agree."""


class Diverged(RatchetError):
    """A tool would have been asked what the log has no answer to."""

    kind = "diverged"


class Recorded:
    """One run's memories, files and tool results, each as the run had it."""

    def __init__(self, steps: Sequence[Step], redactor: Redactor) -> None:
        self._steps, self._redactor = steps, redactor
        self._results: dict[str, list[Step]] = defaultdict(list)
        for step in steps:
            if step.kind is StepKind.TOOL and step.output is not None and _is_result(step):
                self._results[step.name].append(step)
        self._taken: dict[int, int] = defaultdict(int)

    @property
    def files(self) -> list[Taken]:
        """What came with the message, as it was read then."""
        read = [s.output for s in self._steps if s.kind is StepKind.FILE]
        return [Taken(**output) for output in read if isinstance(output, Mapping)]

    @property
    def memories(self) -> list[Recalled]:
        found = (s.output for s in self._steps if s.kind is StepKind.RECALL)
        return [_recalled(one) for one in next(found, None) or ()]  # type: ignore[attr-defined]

    def remembering(self, standing: Collection[str]) -> "Recollection":
        """Without what was forgotten since; `standing` are the ids of memories that still are."""
        return Recollection([m for m in self.memories if m.memory.id in standing])

    async def call(self, tool: Tool, ctx: ToolContext, raw: str) -> str:
        """As `bot.agents.tools.run.call`; raises Diverged where the log has no such call."""
        if tool.name in PURE:
            return await call(tool, ctx, raw)
        checked(tool, raw)  # what a tool refuses it refuses again, whatever was recorded
        step = self._result(tool, self._redactor.text(raw))
        if step.error_type:
            raise ToolError(step.error_message)
        return str(step.output)

    def _result(self, tool: Tool, raw: str) -> Step:
        """The same call made again gets what it got then; the last result where it got fewer."""
        wanted = _plain(tool, raw)
        same = [s for s in self._results[tool.name] if _plain(tool, _arguments(s)) == wanted]
        if not same or len(raw) >= _KEPT_ARGUMENTS:
            raise Diverged(f"{tool.name} was not called so: {raw[:200]}")
        at = self._taken[same[0].seq]
        self._taken[same[0].seq] += 1
        return same[min(at, len(same) - 1)]


class Recollection:
    """The memories that were found then, whatever is asked. Implements `Recalling`."""

    def __init__(self, memories: Iterable[Recalled]) -> None:
        self._memories = list(memories)

    async def holds(self, workspace: str, namespaces: Sequence[Namespace]) -> bool:
        return bool(self._memories)

    async def recall(
        self, workspace: str, namespaces: Sequence[Namespace], question: str
    ) -> list[Recalled]:
        return self._memories


def _is_result(step: Step) -> bool:
    """The tool's own word, and not that of a guard or of an end that came in between."""
    return step.error_type in ("", ToolError.kind)


def _arguments(step: Step) -> str:
    asked = step.input if isinstance(step.input, Mapping) else {}
    return str(asked.get("arguments", ""))


def _plain(tool: Tool, raw: str) -> str:
    """Arguments in one form: order, spacing and what is left at its default make no difference."""
    try:
        return str(checked(tool, raw).model_dump_json())
    except ToolError:
        return raw.strip()


def _recalled(record: Mapping[str, Any]) -> Recalled:
    kept = {name: value for name, value in record.items() if name != "score"}
    return Recalled(Memory(**kept), float(record["score"]))
