"""The records: every method is scoped by workspace, first argument, always."""

from bot.ports.channels import Accepted
from bot.ports.improvement_stores import (
    Agents,
    Approvals,
    Asks,
    Feedbacks,
    Findings,
    Memories,
    Policies,
    Proposals,
    Stored,
    Workflows,
)
from bot.ports.people_stores import (
    Codes,
    Contacts,
    Conversations,
    Installations,
    People,
    Subscriptions,
)
from bot.ports.run_stores import (
    Bucket,
    Closing,
    Files,
    Journal,
    Metrics,
    Receipts,
    Runs,
    Span,
    Spend,
)
from bot.ports.upkeep_stores import (
    Budgets,
    JobStates,
    Upkeep,
)

__all__ = [
    "Accepted",
    "Agents",
    "Approvals",
    "Asks",
    "Bucket",
    "Budgets",
    "Closing",
    "Codes",
    "Contacts",
    "Conversations",
    "Feedbacks",
    "Files",
    "Findings",
    "Installations",
    "JobStates",
    "Journal",
    "Memories",
    "Metrics",
    "People",
    "Policies",
    "Proposals",
    "Receipts",
    "Runs",
    "Span",
    "Spend",
    "Stored",
    "Subscriptions",
    "Upkeep",
    "Workflows",
]
