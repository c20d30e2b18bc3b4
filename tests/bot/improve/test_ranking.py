"""What comes first: much to gain, surely, cheaply; and what comes back only on new evidence."""

from dataclasses import replace

import pytest

from bot.improve import facts, ranking
from bot.model.finding import Finding
from bot.model.proposal import ProposalKind, ProposalStatus
from tests.samples import proposal

K = ProposalKind
FINDING = Finding(
    id="f1",
    workspace="local",
    kind=facts.SPLIT,
    fingerprint="x",
    title="t",
    detail="",
    evidence=("r1",),
    agent="writer",
    count=20,
    status="open",
    created_at=1,
    updated_at=1,
    confidence=0.5,
    facts={"runs_week": 30, "success": 0.4, "baseline": 0.8},
)


def _rank(finding: Finding, kind: ProposalKind = K.AGENT_CONFIG, risk: str = "approver") -> float:
    return ranking.of_finding(finding, kind, risk).rank


def test_rank_is_benefit_times_confidence_over_risk_and_cost() -> None:
    estimate = ranking.of_finding(FINDING, K.AGENT_CONFIG, "owner")
    assert estimate.gain == pytest.approx((0.2, 0.0, 0.4))
    assert estimate.benefit == pytest.approx(6.0)
    assert estimate.rank == pytest.approx(6.0 * 0.5 / (2 * 2))


def test_steps_gain_what_those_who_take_them_do_better() -> None:
    done = {"runs_week": 18, "success": 1.0, "baseline": 0.6}
    pattern = replace(FINDING, kind=facts.PATTERN, facts=done)
    assert ranking.of_finding(pattern, K.WORKFLOW_NEW, "approver").gain == pytest.approx(
        (0.2, 0.0, 0.4)
    )


def test_more_gain_more_certainty_less_risk_and_less_cost_come_first() -> None:
    assert _rank(FINDING) > _rank(replace(FINDING, confidence=0.2))
    assert _rank(FINDING) > _rank(replace(FINDING, facts={**FINDING.facts, "runs_week": 3}))
    assert _rank(FINDING) > _rank(FINDING, risk="owner")
    assert _rank(FINDING, K.MEMORY_NEW) > _rank(FINDING) > _rank(FINDING, K.AGENT_NEW)


def test_money_counts_where_money_is_the_point() -> None:
    cost = replace(FINDING, kind=facts.COST, usd_week=10.0, facts={"runs_week": 0, "saves": 0.5})
    assert ranking.of_finding(cost, K.MODEL_CHEAPER, "approver").benefit == pytest.approx(25.0)


def test_without_facts_little_is_claimed() -> None:
    bare = replace(FINDING, facts={}, confidence=0.0, count=1)
    estimate = ranking.of_finding(bare, K.AGENT_CONFIG, "approver")
    assert (estimate.gain, estimate.confidence) == (None, 0.25)


def test_the_rank_is_explained_in_a_line() -> None:
    estimate = ranking.of_finding(FINDING, K.AGENT_CONFIG, "owner")
    ranked = proposal(rank=estimate.rank, estimate=estimate.as_json())
    assert ranking.in_words(ranked) == (
        "0.75: about 6 better answers a week at 50% confidence, over risk 2 and cost of trying 2"
    )
    assert ranking.in_words(proposal()) == ""


@pytest.mark.parametrize("status", ranking.ENDED)
def test_what_was_turned_down_comes_back_on_twice_the_evidence(status: ProposalStatus) -> None:
    ended = proposal(status=status, estimate={"evidence": 10})
    assert not ranking.worth_another_look(ended, 19)
    assert ranking.worth_another_look(ended, 20)
    assert not ranking.worth_another_look(replace(ended, status=ProposalStatus.KEPT), 99)
    assert not ranking.worth_another_look(replace(ended, estimate={"evidence": 1}), 2)
