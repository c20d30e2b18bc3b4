"""A context for tools over a real database, for the tests of this folder."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.agents.tools.base import ToolContext
from bot.clock import SystemIds
from bot.files.making import Making
from bot.memory import MemoryBank
from bot.redaction import Redactor
from storage.engine import Database
from storage.files import FileStore
from storage.memories import MemoryStore
from storage.metrics import MetricsStore
from storage.proposals import ProposalStore
from storage.runs import RunStore
from storage.vectors import EdgeIndex
from tests.conftest import HeldClock
from tests.fakes.embedders import WordEmbedder


@asynccontextmanager
async def context(
    db: Database,
    clock: HeldClock,
    home: Path,
    *,
    person: str = "anna",
    call_id: str = "run-1:call-1",
    http_allow: Sequence[str] = (),
) -> AsyncIterator[ToolContext]:
    index = EdgeIndex(home / "vectors")
    memory = MemoryBank(MemoryStore(db), index, WordEmbedder(), clock, SystemIds())
    await memory.open()
    yield ToolContext(
        workspace="w",
        person=person,
        agent="generalist",
        run_id="run-1",
        call_id=call_id,
        conversation="c",
        clock=clock,
        memory=memory,
        runs=RunStore(db),
        metrics=MetricsStore(db),
        proposals=ProposalStore(db),
        http_allow=tuple(http_allow),
        making=Making(FileStore(db), Redactor(), clock),
    )
    await memory.close()


def bare(clock: HeldClock) -> ToolContext:
    """For tools that need nothing but the clock."""
    nothing: Any = None
    return ToolContext(
        workspace="w",
        person="anna",
        agent="generalist",
        run_id="run-1",
        call_id="run-1:call-1",
        conversation="c",
        clock=clock,
        memory=nothing,
        runs=nothing,
        metrics=nothing,
        proposals=nothing,
        http_allow=(),
        making=nothing,
    )
