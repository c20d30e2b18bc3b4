"""What detectors put into `Finding.facts`, by kind, and proposals are made from; JSON values only.

Each kind is listed with the proposal that answers it. A key that isn't known is left out, never
guessed; texts of people stand in `examples` and nowhere else.
"""

from collections.abc import Mapping
from typing import Literal, Required, TypedDict

COMPLAINT = "feedback"
"""Someone's negative words or thumbs → agent.config (a lesson) or memory.new."""
DISLIKED = "disliked"
"""Thumbs down without a word, of one version of an agent → agent.config (a lesson), once they
repeat."""
ERROR = "error"
"""Failures of one signature → guard.new where a tool failed, otherwise agent.config."""
OUTAGE = "outage"
"""Failures of what surrounds the agents → memory.new."""
REGRESSION = "regression"
"""A version does worse than before → ops.action (back to the version before)."""
PATTERN = "pattern"
"""Steps that went well again and again → workflow.new, where strong."""
GAP = "gap"
"""What nobody here can serve → agent.new, or route.change where someone could."""
COST = "cost"
"""An agent, a model or a workflow that costs much → model.cheaper, where a cheaper one is named."""
BUDGET = "budget"
"""A budget that is nearly or wholly spent → ops.action (another limit; always an owner's)."""
ROUTE = "route"
"""Requests that another agent serves better → route.change."""
DUPLICATE = "duplicate"
"""Two agents that do the same → agent.merge."""
SPLIT = "split"
"""One agent that serves two kinds of request with different success → agent.split."""
UNUSED = "unused"
"""An agent that nobody needs → agent.retire."""
LESSON = "lesson"
"""A lesson in a playbook that does harm → agent.config (that it goes), which is tried."""
PRAISE = "praise"
"""What worked and should be kept → memory.new, for that agent."""

OF_RATINGS = (COMPLAINT, DISLIKED)
"""What people themselves complained of."""

WEAK, MODERATE, STRONG, VERY_STRONG = "weak", "moderate", "strong", "very strong"


class Common(TypedDict, total=False):
    """What rank and cards are made from, whatever the kind."""

    runs_week: float
    """Runs a week that it is about."""
    success: float
    """Mean outcome of those runs, of `scored` that have one."""
    scored: int
    baseline: float
    """Mean outcome of the same agent's other runs, or before."""
    examples: list[str]
    """What people asked, at most 5, redacted, at most 300 characters each."""
    terms: list[str]
    """The words that tell these requests from others, most telling first, at most 12."""


class DislikedFacts(Common, total=False):
    version: Required[int]
    """Of the agent that gave these answers."""


class RegressionFacts(Common, total=False):
    version: Required[int]
    measure: Required[Literal["success", "latency", "cost"]]
    before: float
    """Success in [0, 1], ms, or US dollars a run."""
    after: float
    previous: int
    """The version in use before this one, 0 or left out where there is none."""
    deployed: str
    """The proposal (P12) that made the version, "" where none did."""


class PatternFacts(Common, total=False):
    steps: Required[list[str]]
    """Steps as "tool:recall" or "agent:writer", in order, repeats collapsed."""
    strength: Required[Literal["weak", "moderate", "strong", "very strong"]]
    support: int
    """Runs that contain them."""
    conversations: int
    success_low: float
    """The lower bound of their success."""
    name: str
    """What a runbook of it could be called: lower case letters, digits and hyphens."""


class GapFacts(Common, total=False):
    wanted: str
    """What was asked for and is missing, in a few words: "calendar"."""
    tool: str
    """The tool asked for that there is none of, or that the agent has no right to."""
    called: str
    """The name by which people called somebody, "" where they called nobody."""
    able: str
    """An agent here that has what is missing, "" where none has."""
    missing: bool
    """Whether the means are missing, so that no agent made of what is here could serve it."""
    tools: list[str]
    """Tools that worked in such requests, most often used first."""
    signals: dict[str, int]
    """What showed it: "cannot", "tool", "file", "handed on", "rephrased", each with its runs."""


class ErrorFacts(Common, total=False):
    error_type: Required[str]
    step: Required[str]
    """The tool that failed, "" where the run itself did."""
    signature: Required[str]
    """The message without what differs, as `analyst.signature` makes it."""
    message: str
    remedies: list[str]
    """Proposals (P12) that were tried against it."""
    worked: str
    """The one after which it did not recur, "" for none."""
    advice: str
    """What helped where a later call in the same run went well, in words made by us."""


class CostFacts(Common, total=False):
    workflow: str
    """The runbook that was followed, where it is about one."""
    model: str
    """The model in use."""
    cheaper: str
    """A model with a known lower price that is worth trying, "" where none is known."""
    saves: float
    """The part of the cost that it would save, in [0, 1]."""
    ratio: float
    """What is spent now over its own average."""


class BudgetFacts(Common, total=False):
    scope: Required[str]
    key: Required[str]
    period: Required[str]
    limit_usd: Required[float]
    spent_usd: Required[float]
    needed_usd: float
    """What the period would come to at this pace."""


class RouteFacts(Common, total=False):
    better: Required[str]
    """The agent that serves them better; the finding's `agent` gets them now."""
    success_there: float


class DuplicateFacts(Common, total=False):
    stays: Required[str]
    goes: Required[str]
    likeness: float


class SplitFacts(Common, total=False):
    """`terms`, `examples`, `success` are those of the part that would get its own agent, `baseline`
    is the success of the part that stays."""

    rest: list[str]
    """The words of the part that stays."""


class LessonFacts(Common, total=False):
    """`success` is that of runs with the lesson, `baseline` of the same agent's without it."""

    bullet: Required[str]
    """Its id in the playbook."""
    lesson: Required[str]
    """Its words."""
    taught: str
    """The proposal (P12) that taught it."""


class UnusedFacts(Common, total=False):
    days: Required[int]
    """Days without a run; `runs_week` is 0."""


class PraiseFacts(Common, total=False):
    asked: Required[str]
    answer: Required[str]
    """What was answered, redacted, at most 600 characters."""


def text(facts: Mapping[str, object], key: str) -> str:
    """A fact as text, "" where it isn't one."""
    value = facts.get(key)
    return value if isinstance(value, str) else ""


def texts(facts: Mapping[str, object], key: str) -> list[str]:
    value = facts.get(key)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else []


def number(facts: Mapping[str, object], key: str) -> float | None:
    """A fact as a number, None where it isn't known: unknown is never 0."""
    value = facts.get(key)
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain else None  # type: ignore[arg-type]
