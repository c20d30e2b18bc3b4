"""From a finding to the change that answers it; to answer a new kind, add a function and a line."""

from collections.abc import Mapping

from bot.improve import facts
from bot.improve.drafting import Draft
from bot.improve.synthesis.crew import reroute, retire, serve, split_off, unite
from bot.improve.synthesis.form import Crew, Rule
from bot.improve.synthesis.learning import forget, keep, prevent, reconsider, say, write_down
from bot.improve.synthesis.running import budget, go_back, save
from bot.model.finding import Finding

RULES: Mapping[str, Rule] = {
    facts.COMPLAINT: say,
    facts.DISLIKED: reconsider,
    facts.ERROR: prevent,
    facts.OUTAGE: say,
    facts.LESSON: forget,
    facts.PRAISE: keep,
    facts.PATTERN: write_down,
    facts.GAP: serve,
    facts.ROUTE: reroute,
    facts.SPLIT: split_off,
    facts.DUPLICATE: unite,
    facts.UNUSED: retire,
    facts.REGRESSION: go_back,
    facts.COST: save,
    facts.BUDGET: budget,
}


def draft(finding: Finding, crew: Crew) -> Draft | None:
    """The change that a finding asks for, made without a model; None where there is none."""
    return RULES.get(finding.kind, say)(finding, crew)


__all__ = ["RULES", "Crew", "draft"]
