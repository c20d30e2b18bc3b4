"""What is given to the assembly: the stores, and what else stands behind the ports."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.command import Command
from bot.lease import Lease
from bot.ports import outbox as out
from bot.ports import stores
from bot.ports.durable import Durable
from bot.ports.vectors import VectorIndex
from bot.services import JobControl


@dataclass(frozen=True, slots=True)
class Stores:
    """What is kept. `shared` says that other nodes work on the same database."""

    journal: stores.Journal
    outbox: out.Outbox
    drafts: out.Drafts
    receipts: stores.Receipts
    runs: stores.Runs
    metrics: stores.Metrics
    agents: stores.Agents
    people: stores.People
    conversations: stores.Conversations
    feedback: stores.Feedbacks
    findings: stores.Findings
    proposals: stores.Proposals
    policies: stores.Policies
    approvals: stores.Approvals
    asks: stores.Asks
    memories: stores.Memories
    workflows: stores.Workflows
    codes: stores.Codes
    subscriptions: stores.Subscriptions
    contacts: stores.Contacts
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
    shared: bool


@dataclass(frozen=True, slots=True)
class Doors:
    """What else stands behind the ports. `lease` is this node's."""

    lease: Lease
    durable: Durable
    index: VectorIndex
    jobs: JobControl
    commands: Sequence[Command]
