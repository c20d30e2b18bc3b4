"""Runbooks that an agent follows by itself: which fit a request, by its words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot import lexical
from bot.model.agent import AgentVersion
from bot.model.run import StepKind
from bot.model.workflow import Workflow
from bot.ports.stores import Workflows
from bot.recorder import Done, RunLog

_FITS = 0.34
"""A third of what is asked for, or most of what the runbook is for."""
_MOST, _LONGEST = 2, 4_000
_LIKE = re.compile(r"(?ms)^## For requests like\s*\n(.*?)(?=^## |\Z)")


@dataclass(frozen=True, slots=True)
class Known:
    """`followed` are shown to the model whole, of the `others` only what they are for."""

    followed: tuple[Workflow, ...] = ()
    others: tuple[Workflow, ...] = ()


NONE = Known()


class Runbooks:
    """Versions never change: one that was read is known for good."""

    def __init__(self, store: Workflows) -> None:
        self._store = store
        self._read: dict[tuple[str, str], Workflow] = {}

    async def known(self, log: RunLog, version: AgentVersion, question: str) -> Known:
        """Each one followed is a step of the run, so that its use can be seen and counted."""
        found = [w for name in version.workflows if (w := await self._get(log.run.workspace, name))]
        fits = lexical.scores(question, [f"{w.name} {purpose(w)}" for w in found])
        best = sorted(zip(fits, range(len(found)), strict=True), key=lambda f: (-f[0], f[1]))
        followed = [found[at] for fit, at in best[:_MOST] if fit >= _FITS]
        for runbook in followed:
            await self._noted(log, runbook, fits[found.index(runbook)])
        return Known(tuple(followed), tuple(w for w in found if w not in followed))

    async def _noted(self, log: RunLog, runbook: Workflow, fit: float) -> None:
        async def note() -> Done:
            return Done({"name": runbook.name, "version": runbook.version, "fit": round(fit, 3)})

        await log.step(StepKind.RUNBOOK, f"{runbook.name}@{runbook.version}", None, note)

    async def _get(self, workspace: str, named: str) -> Workflow | None:
        if known := self._read.get((workspace, named)):
            return known
        name, _, number = named.partition("@")
        pinned = int(number) if number.isdigit() else 0
        found = await self._store.get(workspace, name, pinned)
        if found and pinned:
            self._read[workspace, named] = found
        return found


def purpose(runbook: Workflow) -> str:
    """The requests that it is for, or how it begins."""
    like = _LIKE.search(runbook.markdown)
    return " ".join((like[1] if like else runbook.markdown[:400]).replace(">", " ").split())[:400]


def shown(runbooks: Sequence[Workflow]) -> list[str]:
    """Their texts, no longer than a prompt bears."""
    return [
        w.markdown if len(w.markdown) <= _LONGEST else f"{w.markdown[:_LONGEST].rstrip()}\n[cut]"
        for w in runbooks
    ]
