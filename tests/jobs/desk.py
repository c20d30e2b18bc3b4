"""Services with a desk over a real database, for jobs that make or undo proposals."""

from typing import Any, cast

from bot.budget import Purse
from bot.improve.approvals import Approvals
from bot.improve.asking import Asking
from bot.improve.brake import Brake
from bot.improve.deeds import Deeds
from bot.improve.policies import PolicyBook, shipped
from bot.improve.proposals import ProposalDesk
from bot.improve.release import Release
from bot.improve.rights import Rights
from bot.improve.showing import Showing
from bot.improve.trials.desk import Kept, TrialDesk
from bot.improve.verdicts import RULES
from bot.llm.offline import OfflineModel
from bot.model.agent import AgentVersion
from bot.ports.clock import Clock, Ids
from bot.services import Services
from storage.agents import AgentStore
from storage.approvals import ApprovalStore
from storage.asks import AskStore
from storage.budgets import BudgetStore
from storage.engine import Database
from storage.evidence import EvidenceStore
from storage.feedback import FeedbackStore
from storage.holds import HoldStore
from storage.people import PeopleStore
from storage.policies import PolicyStore
from storage.proposals import ProposalStore
from storage.replays import ReplayStore
from storage.runs import RunStore
from storage.trials import TrialStore
from storage.workflows import WorkflowStore
from tests.fakes.post import RecordingPost
from tests.jobs.bench import services as make

WRITER = AgentVersion("writer", 1, "Writing", "You write.")


async def with_desk(db: Database, clock: Clock, ids: Ids) -> Services:
    agents, post = AgentStore(db, clock), RecordingPost()
    people = PeopleStore(db, clock, ids)
    await agents.seed("local", [WRITER])
    nobody = cast(Any, None)
    release = Release(agents, WorkflowStore(db), Deeds(agents, nobody, nobody, nobody), clock)
    book = PolicyBook(PolicyStore(db), clock, "local", shipped())
    rights = Rights(release, OfflineModel())
    approvals = Approvals(book, ApprovalStore(db), people, FeedbackStore(db), clock, rights)
    asking = Asking(book, AskStore(db), RunStore(db), post, clock)
    proposals = ProposalStore(db)
    brake = Brake(HoldStore(db), agents, clock)
    showing = Showing(proposals, people, approvals, asking, brake)
    kept = Kept(TrialStore(db), proposals, EvidenceStore(db), ReplayStore(db), RunStore(db), agents)
    trying = TrialDesk(kept, release, rights, brake, showing, post, clock, ids, "off", RULES)
    desk = ProposalDesk(
        proposals,
        release,
        book,
        approvals,
        asking,
        clock,
        ids,
        14,
        brake=brake,
        trying=trying,
        showing=showing,
    )
    purse = Purse(BudgetStore(db, clock), (), clock)
    made = {"agents": agents, "people": people, "post": post, "desk": desk, "purse": purse}
    return make(db, clock, ids, **made, brake=brake, trying=trying)
