"""The predictor: what history says before a run, how sure it is, and whether it came."""

import json
import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.improve.calibration import calibrated, table
from bot.improve.predictor import HALVED_AT, PRIOR, Predictor
from bot.model.prediction import ENOUGH


def told(good: int, n: int, cluster: str = "c1", agent: str = "ops") -> Predictor:
    predictor = Predictor()
    for at in range(n):
        predictor.judged(cluster, agent, 1, float(at < good))
    return predictor


def test_nothing_known_says_so() -> None:
    prediction = Predictor().predict("c1", "ops")
    assert not prediction.known and prediction.n == 0
    assert (prediction.success, prediction.latency_ms, prediction.cost_usd) == (0.5, None, None)
    assert prediction.low < 0.2 and prediction.high > 0.8


def test_little_is_drawn_to_the_agents_mean() -> None:
    predictor = told(90, 100, "c1")
    predictor.judged("c2", "ops", 1, 0.0)
    few = predictor.predict("c2", "ops")
    assert 0.7 < few.success < 0.9 and few.n == 1 and not few.known
    for _ in range(60):
        predictor.judged("c2", "ops", 1, 0.0)
    many = predictor.predict("c2", "ops")
    assert many.success < 0.12 and many.known
    assert predictor.predict("c1", "ops").success > 0.8


def test_a_new_agent_is_expected_to_be_as_good_as_all() -> None:
    predictor = told(80, 100, agent="writer")
    assert 0.75 < predictor.predict("c9", "poet").success < 0.85


def test_more_runs_make_it_surer() -> None:
    few, many = (told(n * 8 // 10, n).predict("c1", "ops") for n in (20, 200))
    assert few.low < many.low < many.success < many.high < few.high
    assert (few.n, many.n) == (20, 200)


def test_old_runs_fade() -> None:
    predictor = told(int(HALVED_AT), int(HALVED_AT))
    for _ in range(400):
        predictor.judged("c1", "ops", 1, 0.0)
    assert predictor.predict("c1", "ops").success < 0.4
    assert predictor.predict("c1", "ops").n < HALVED_AT


def test_a_new_version_begins_with_little() -> None:
    predictor = told(100, 100)
    before = predictor.predict("c1", "ops")
    predictor.judged("c1", "ops", 2, 0.0)
    after = predictor.predict("c1", "ops")
    assert before.n == 100 and after.n == 21 and after.success < before.success
    predictor.judged("c1", "ops", 1, 1.0)
    assert predictor.predict("c1", "ops").n == 22


def test_a_candidate_counts_once_it_is_in_use() -> None:
    predictor = Predictor()
    for _ in range(100):
        predictor.judged("c1", "ops", 1, 1.0, in_use=1)
        predictor.closed("c1", "ops", 1, 800, 0.01, in_use=1)
    before = predictor.predict("c1", "ops")
    for _ in range(50):  # a trial: half of them get version 2, which is bad and slow
        predictor.judged("c1", "ops", 2, 0.0, in_use=1)
        predictor.closed("c1", "ops", 2, 9000, 0.09, in_use=1)
    assert predictor.predict("c1", "ops") == before
    assert predictor.calibration().n == 100 - ENOUGH
    predictor.judged("c1", "ops", 2, 1.0, in_use=2)  # kept
    assert predictor.predict("c1", "ops").n == 21
    predictor.judged("c1", "ops", 1, 0.0, in_use=2)  # heard of late
    assert predictor.predict("c1", "ops").n == 21


def test_what_was_taken_back_is_left_to_little() -> None:
    predictor = told(100, 100)
    for _ in range(40):
        predictor.judged("c1", "ops", 2, 0.0, in_use=2)
    predictor.judged("c1", "ops", 1, 1.0, in_use=1)  # rolled back
    assert predictor.predict("c1", "ops").n == 21
    predictor.judged("c1", "ops", 2, 0.0, in_use=1)
    assert predictor.predict("c1", "ops").n == 21


def test_a_first_analysis_reads_versions_in_their_order() -> None:
    predictor = Predictor()
    for version, y in ((1, 0.0), (2, 0.0), (3, 1.0)):
        for _ in range(40):
            predictor.judged("c1", "ops", version, y, in_use=3)
    assert predictor.predict("c1", "ops").n == 60
    assert predictor.predict("c1", "ops").success > 0.6


def test_latency_and_cost_are_spans_of_one_run() -> None:
    predictor, random = Predictor(), Random(7)
    took = [math.exp(random.gauss(7.0, 0.5)) for _ in range(400)]
    for ms in took:
        predictor.closed("c1", "ops", 1, ms, ms / 1e6)
    span = predictor.predict("c1", "ops").latency_ms
    cost = predictor.predict("c1", "ops").cost_usd
    assert span and cost and cost.middle == pytest.approx(span.middle / 1e6, rel=0.01)
    assert 900 < span.middle < 1300
    assert 0.7 < sum(span.low <= ms <= span.high for ms in took) / 400 < 0.9


def test_what_is_not_known_of_the_cluster_is_that_of_the_agent() -> None:
    predictor = Predictor()
    for _ in range(9):
        predictor.closed("c1", "ops", 1, 800, None)
    span = predictor.predict("c2", "ops").latency_ms
    assert span and span.middle == 800.0
    assert predictor.predict("c1", "ops").cost_usd is None
    assert predictor.predict("c1", "writer").latency_ms is None


def test_free_and_instant_runs_do_no_harm() -> None:
    predictor = Predictor()
    for _ in range(9):
        predictor.closed("c1", "ops", 1, 0, 0.0)
    found = predictor.predict("c1", "ops")
    assert found.cost_usd is None and found.latency_ms and found.latency_ms.middle == 1.0


runs = st.lists(
    st.tuples(
        st.sampled_from(["", "c1", "c2", "c3"]),
        st.sampled_from(["ops", "writer", ""]),
        st.integers(1, 3),
        st.sampled_from([0.0, 0.5, 1.0]),
    ),
    max_size=40,
)


@given(runs, st.integers(0, 40), st.integers(1, 9))
def test_pages_may_end_anywhere(
    seen: list[tuple[str, str, int, float]], cut: int, most: int
) -> None:
    whole, paged = Predictor(most=most), Predictor(most=most)
    for at, (cluster, agent, version, y) in enumerate(seen):
        if at == cut:
            paged = Predictor(json.loads(json.dumps(paged.dump())), most)
        for predictor in (whole, paged):
            predictor.judged(cluster, agent, version, y)
            predictor.closed(cluster, agent, version, 100 * (at + 1), y or None)
    assert paged.dump() == whole.dump()
    assert len(paged.dump()["good"]) <= 2 * most
    for cluster, agent, *_ in seen:
        found = whole.predict(cluster, agent)
        assert 0 <= found.low <= found.success <= found.high <= 1


def test_success_by_agent_and_cluster_is_told() -> None:
    predictor = told(3, 4, "c1")
    predictor.judged("c2", "ops", 1, 0.5)
    predictor.judged("", "ops", 1, 1.0)
    assert predictor.success() == {"ops": {"c1": (4, 3.0), "c2": (1, 0.5)}}
    assert predictor.agents("c1") == {"ops": (4, 3.0)}


def test_predictions_are_held_against_what_came() -> None:
    predictor, random = Predictor(), Random(11)
    truth = {"c1": 0.9, "c2": 0.35}
    for _ in range(3_000):
        cluster = random.choice(["c1", "c2"])
        predictor.judged(cluster, "ops", 1, float(random.random() < truth[cluster]))
    found = predictor.calibration()
    assert 2_900 < found.n <= 3_000 - 2 * ENOUGH + 1
    assert found.error < 0.05 and found.skill > 0.25
    assert found.brier < found.baseline


def test_small_data_is_not_held_against_it() -> None:
    assert told(3, ENOUGH).calibration().n == 0
    assert told(3, ENOUGH).calibration().skill == 0.0


def test_the_reliability_table_of_a_known_case() -> None:
    found = calibrated([(0.85, 1.0), (0.85, 0.0), (0.05, 0.0), (1.0, 1.0)])
    assert found.brier == pytest.approx((0.0225 + 0.7225 + 0.0025) / 4)
    assert found.baseline == pytest.approx(0.25)
    assert [(b.low, b.n, b.came) for b in found.bins] == [
        (0.0, 1, 0.0),
        (0.8, 2, 0.5),
        (0.9, 1, 1.0),
    ]
    assert found.error == pytest.approx((0.05 + 2 * 0.35 + 0.0) / 4)
    assert table(found)[1] == {"low": 0.8, "high": 0.9, "n": 2, "predicted": 0.85, "came": 0.5}


def test_the_prior_is_worth_what_it_says() -> None:
    predictor = told(0, 1)
    mean = predictor.predict("", "ops")
    assert mean.n == 1 and PRIOR > 1 and 0 < mean.success < 0.5
