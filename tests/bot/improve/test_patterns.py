"""Patterns: every closed stretch of steps, whatever the pages; bounded; only what is well proven."""

import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.improve.distinct import distinct, mark, note
from bot.improve.patterns import Patterns, Strength, mine
from bot.improve.walks import LONGEST, SHORTEST, Walk, sequence

STEPS = ("tool:a", "tool:b", "tool:c", "tool:c!", "model:m", "route:x", "recall:memory")

walks = st.lists(
    st.builds(
        lambda agent, path, conversation, person, y: ("", agent, conversation, person, path, y),
        st.sampled_from(["analyst", "ops", ""]),
        st.lists(st.sampled_from(STEPS), max_size=8).map("|".join),
        st.sampled_from([f"c{n}" for n in range(8)]),
        st.sampled_from(["p1", "p2", "p3"]),
        st.sampled_from([None, 0.0, 0.75, 1.0]),
    ),
    max_size=30,
).map(lambda rows: [Walk(f"r{n}", *row[1:], at=n) for n, row in enumerate(rows)])


def brute(runs: Sequence[Walk]) -> dict[tuple[str, ...], tuple[int, int, int, int, float]]:
    """Every closed stretch by looking at every run for each of them."""
    texts = [sequence(run.agent, run.path) for run in runs]
    grams = {
        tuple(text[i : i + n])
        for text in texts
        for n in range(SHORTEST, LONGEST + 1)
        for i in range(len(text) - n + 1)
    }
    holders = defaultdict(list)
    for gram in grams:
        for run, text in zip(runs, texts, strict=True):
            if _holds(text, gram):
                holders[gram].append(run)
    return {
        gram: (
            len(held),
            len({run.conversation for run in held}),
            len({run.person for run in held}),
            sum(run.y is not None for run in held),
            sum(run.y or 0.0 for run in held),
        )
        for gram, held in holders.items()
        if not any(
            len(other) > len(gram) and _holds(other, gram) and len(holders[other]) == len(held)
            for other in grams
        )
    }


def _holds(text: Sequence[str], gram: Sequence[str]) -> bool:
    return any(
        tuple(text[i : i + len(gram)]) == tuple(gram) for i in range(len(text) - len(gram) + 1)
    )


@given(walks)
def test_it_finds_what_a_look_at_everything_finds(runs: list[Walk]) -> None:
    found = {p.steps: (p.runs, p.conversations, p.people, p.scored, p.good) for p in mine(runs)}
    assert found == brute(runs)


@given(walks, st.lists(st.integers(0, 30), max_size=4), st.integers(1, 6))
def test_pages_may_end_anywhere(runs: list[Walk], cuts: list[int], most: int) -> None:
    whole = Patterns(most=most)
    for run in runs:
        whole.steps_taken(run)
    for run in runs:
        whole.judged(run)
    paged = Patterns(most=most)
    edges = [0, *sorted(cuts), len(runs)]
    for start, end in pairwise(edges):
        for run in runs[start:end]:
            paged.steps_taken(run)
        paged = Patterns(json.loads(json.dumps(paged.dump())), most)
        for run in runs[start:end]:
            paged.judged(run)
        paged = Patterns(json.loads(json.dumps(paged.dump())), most)
    assert paged.dump() == whole.dump()
    assert paged.found() == whole.found()


def test_memory_is_bounded_however_much_there_is() -> None:
    patterns = Patterns(most=50)
    for n in range(5_000):
        path = "|".join(f"tool:t{(n * k) % 97}" for k in range(1, 6))
        walk = Walk(f"r{n}", f"a{n % 300}", f"c{n}", f"p{n}", path, 1.0, n)
        patterns.steps_taken(walk)
        patterns.judged(walk)
    state = patterns.dump()
    assert len(state["taken"]) <= 100 and len(state["judged"]) <= 100
    for runs, _, conversations, people, agents, examples, _ in state["taken"].values():
        assert runs and len(conversations) <= 32 and len(people) <= 16
        assert len(agents) <= 8 and len(examples) <= 5


def test_what_is_frequent_outlives_the_flood() -> None:
    often = Walk("r", "ops", "c", "p", "tool:look|tool:act", 1.0)
    patterns = Patterns(most=20)
    for n in range(2_000):
        patterns.steps_taken(often if n % 4 == 0 else Walk("r", "x", "c", "p", f"tool:t{n}"))
    assert ("agent:ops", "tool:look", "tool:act") in [p.steps for p in patterns.found()]
    assert max(p.runs for p in patterns.found()) == 500


def report(n: int, y: float | None = 1.0, people: int = 3, conversations: int = 99) -> Walk:
    path = "route:analyst|recall:memory|model:m|tool:recall|tool:calculator|model:m"
    return Walk(
        f"good{n}", "analyst", f"c{n % conversations}", f"p{n % people}", path, y, 1_000 + n
    )


def other(n: int, y: float) -> Walk:
    return Walk(f"other{n}", "analyst", f"o{n}", "p9", "model:m", y)


def best(runs: Sequence[Walk]) -> Strength:
    found = {p.steps: p for p in mine(runs)}
    return found["agent:analyst", "tool:recall", "tool:calculator"].strength


def test_a_runbook_needs_support_people_and_success() -> None:
    poor = [other(n, float(n % 2)) for n in range(40)]
    assert best([*poor, *(report(n) for n in range(12))]) is Strength.STRONG
    assert best([*poor, *(report(n) for n in range(40))]) is Strength.VERY_STRONG
    assert best([*poor, *(report(n, people=1) for n in range(12))]) is Strength.WEAK
    assert best([*poor, *(report(n, conversations=4) for n in range(12))]) is Strength.WEAK
    assert best([*poor, *(report(n, None) for n in range(12))]) is Strength.MODERATE
    assert best([*poor, *(report(n, float(n % 2)) for n in range(12))]) is Strength.MODERATE
    # All that it ever does is no better than its mean
    assert best([report(n) for n in range(12)]) is Strength.MODERATE


def test_a_runbook_names_the_runs_that_went_well() -> None:
    runs = [*(other(n, float(n % 2)) for n in range(40)), *(report(n) for n in range(12))]
    (found,) = [p for p in mine([*runs, report(99, 0.0)]) if p.runbook]
    assert found.examples == ("good7", "good8", "good9", "good10", "good11")
    assert (found.agent, found.runs, found.scored) == ("analyst", 13, 13)


def test_two_steps_are_no_runbook() -> None:
    runs = [*(other(n, 0.0) for n in range(40)), *(report(n) for n in range(12))]
    short = [Walk(r.run_id, r.agent, r.conversation, r.person, "tool:a", r.y) for r in runs[40:]]
    assert not any(p.runbook for p in mine([*runs[:40], *short]))


def test_old_patterns_are_not_found_again() -> None:
    patterns = Patterns()
    patterns.steps_taken(report(1))
    assert patterns.found(since=1_001) and not patterns.found(since=1_002)


@pytest.mark.parametrize("name", ["", "x" * 49, "ignore all rules", "a\nb", "<b>", "rm -rf;"])
def test_a_name_that_is_none_is_no_step(name: str) -> None:
    assert sequence("ops", f"tool:{name}|tool:recall") == ["agent:ops", "tool:recall"]
    assert sequence(name, "tool:recall") == ["tool:recall"]


def test_failed_steps_and_repeats_are_left_out() -> None:
    path = "tool:fetch!|tool:fetch|tool:fetch|model:m|tool:fetch|tool:工具"
    assert sequence("ops", path) == ["agent:ops", "tool:fetch", "tool:工具"]


@given(st.lists(st.integers(0, 400)), st.integers(2, 40))
def test_distinct_is_exact_below_its_limit_and_in_any_order(names: list[int], limit: int) -> None:
    one: list[int] = []
    two: list[int] = []
    for name in names:
        note(one, mark(str(name)), limit)
    for name in reversed(names):
        note(two, mark(str(name)), limit)
    assert one == two and len(one) <= limit
    if len(set(names)) < limit:
        assert distinct(one, limit) == len(set(names))
    else:
        assert distinct(one, limit) >= limit


def test_distinct_estimates_beyond() -> None:
    kept: list[int] = []
    for n in range(10_000):
        note(kept, mark(f"conversation-{n}"), 64)
    assert 7_000 < distinct(kept, 64) < 13_000
