"""What commands and jobs work with: made once by the wiring, passed by hand."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from bot.budget import Purse
from bot.config import Settings
from bot.events import Events
from bot.improve.proposals import ProposalDesk
from bot.memory import MemoryBank
from bot.model.job import JobState
from bot.model.message import Reply
from bot.ports import stores
from bot.ports.channels import Inbox
from bot.ports.clock import Clock, Ids
from bot.ports.durable import Durable
from bot.ports.models import Model


class Post(Protocol):
    """Sends what nobody asked for: cards and warnings."""

    async def to_admins(self, workspace: str, reply: Reply, *, key: str) -> None:
        """To the admin channel that the setting names (and, for a card that asks for a decision,
        to Telegram approvers). The same `key` twice is one posting."""

    async def update_card(self, workspace: str, ref: str, reply: Reply) -> None:
        """Replaces every message that shows card `ref`, wherever it was sent."""


class JobControl(Protocol):
    """The jobs, for people: list, pause, resume, run now."""

    async def states(self, workspace: str) -> list[JobState]: ...

    async def pause(self, workspace: str, job: str, paused: bool) -> None:
        """Raises NotFound for an unknown job."""

    async def run_now(self, workspace: str, job: str, key: str) -> str:
        """Starts it (once per `key`) and returns its run id."""


@dataclass(frozen=True, slots=True)
class Services:
    """The stores by the words of the model, and the parts that work on them."""

    settings: Settings
    clock: Clock
    ids: Ids
    runs: stores.Runs
    metrics: stores.Metrics
    agents: stores.Agents
    people: stores.People
    conversations: stores.Conversations
    feedback: stores.Feedbacks
    findings: stores.Findings
    proposals: stores.Proposals
    memories: stores.Memories
    workflows: stores.Workflows
    budgets: stores.Budgets
    memory: MemoryBank
    purse: Purse
    model: Model
    desk: ProposalDesk
    inbox: Inbox
    post: Post
    jobs: JobControl
    durable: Durable
    events: Events


JobWork = Callable[["Services", str, str], Awaitable[str]]
"""(services, workspace, run_id) → one line about what was done."""
