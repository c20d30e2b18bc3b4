"""What commands and jobs work with: made once by the wiring, passed by hand."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from bot.budget import Purse
from bot.config import Settings
from bot.events import Events
from bot.improve.brake import Brake
from bot.improve.forecast import Forecast
from bot.improve.grading import Grading
from bot.improve.judging import Judging
from bot.improve.policies import PolicyBook
from bot.improve.proposals import ProposalDesk
from bot.improve.replay.replayer import Replayer
from bot.improve.trials.desk import TrialDesk
from bot.memory import MemoryBank
from bot.model.job import JobState
from bot.ports import stores
from bot.ports.channels import Inbox
from bot.ports.clock import Clock, Ids
from bot.ports.durable import Durable
from bot.ports.models import Model
from bot.ports.post import Post


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
    codes: stores.Codes
    contacts: stores.Contacts
    subscriptions: stores.Subscriptions
    files: stores.Files
    installations: stores.Installations
    budgets: stores.Budgets
    job_states: stores.JobStates
    upkeep: stores.Upkeep
    states: stores.States
    evidence: stores.Evidence
    judgements: stores.Judgements
    replays: stores.Replays
    trials: stores.Trials
    holds: stores.Holds
    forecast: Forecast
    memory: MemoryBank
    purse: Purse
    model: Model
    desk: ProposalDesk
    policies: PolicyBook
    brake: Brake
    replayer: Replayer
    judging: Judging
    grading: Grading
    trying: TrialDesk
    inbox: Inbox
    post: Post
    jobs: JobControl
    durable: Durable
    events: Events
    claim_code: str = ""
    """Said with /claim it makes its first sayer owner; printed in the log, "" where not needed."""


JobWork = Callable[["Services", str, str], Awaitable[str]]
"""(services, workspace, run_id) → one line about what was done."""
