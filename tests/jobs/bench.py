"""What job tests work with: services over a real database, the rest as fakes at the edge."""

from typing import Any, cast

from bot.config import load
from bot.improve.forecast import Forecast
from bot.improve.judging import Judging
from bot.ports.clock import Clock, Ids
from bot.services import Services
from storage.agents import AgentStore
from storage.engine import Database
from storage.evidence import EvidenceStore
from storage.feedback import FeedbackStore
from storage.findings import FindingStore
from storage.holds import HoldStore
from storage.jobstates import JobStateStore
from storage.judgements import JudgementStore
from storage.metrics import MetricsStore
from storage.proposals import ProposalStore
from storage.replays import ReplayStore
from storage.retention import UpkeepStore
from storage.runs import RunStore
from storage.states import StateStore
from storage.trials import TrialStore
from storage.workflows import WorkflowStore
from tests.fakes.post import RecordingPost


def services(db: Database, clock: Clock, ids: Ids, **others: Any) -> Services:
    """Parts that a job under test must not need are missing, and fail when touched."""
    unused = cast(Any, None)
    parts: dict[str, Any] = {
        "settings": load({}),
        "clock": clock,
        "ids": ids,
        "runs": RunStore(db),
        "metrics": MetricsStore(db),
        "agents": AgentStore(db, clock),
        "people": unused,
        "conversations": unused,
        "installations": unused,
        "feedback": FeedbackStore(db),
        "findings": FindingStore(db),
        "proposals": ProposalStore(db),
        "memories": unused,
        "workflows": WorkflowStore(db),
        "codes": unused,
        "contacts": unused,
        "files": unused,
        "budgets": unused,
        "subscriptions": unused,
        "job_states": JobStateStore(db),
        "upkeep": UpkeepStore(db),
        "states": StateStore(db),
        "evidence": EvidenceStore(db),
        "judgements": JudgementStore(db),
        "replays": ReplayStore(db),
        "trials": TrialStore(db),
        "holds": HoldStore(db),
        "brake": unused,
        "forecast": Forecast(StateStore(db), clock),
        "replayer": unused,
        "judging": Judging(None, JudgementStore(db), EvidenceStore(db)),
        "grading": unused,
        "trying": unused,
        "memory": unused,
        "purse": unused,
        "model": unused,
        "desk": unused,
        "policies": unused,
        "inbox": unused,
        "post": RecordingPost(),
        "jobs": unused,
        "durable": unused,
        "events": unused,
    }
    return Services(**(parts | others))
