"""Waits, their limits, and text that is shown once over several attempts."""

from hypothesis import given
from hypothesis import strategies as st

from bot.llm.resilience import RESTARTED, Patience, Shown, retry_after

NOW = 1_780_000_000_000


def test_waits_double_and_stay_within_bounds() -> None:
    patient = Patience(10, lambda: 0.999)
    waits = [patient.wait(attempt, None) for attempt in range(10)]
    assert all(w is not None and w <= patient.longest for w in waits)
    assert waits[1] == 2 * (waits[0] or 0)
    assert patient.wait(10, None) is None


@given(st.integers(0, 20), st.floats(0, 1, exclude_max=True), st.floats(0, 100) | st.none())
def test_a_wait_is_never_shorter_than_asked(
    attempt: int, chance: float, asked: float | None
) -> None:
    wait = Patience(5, lambda: chance).wait(attempt, asked)
    assert wait is None or wait >= (asked or 0)
    assert (wait is None) == (attempt >= 5 or (asked or 0) > 30)


def test_reads_every_form_of_retry_after() -> None:
    assert retry_after({"retry-after": "7"}, NOW) == 7
    assert retry_after({"retry-after": "0.5"}, NOW) == 0.5
    assert retry_after({"retry-after-ms": "250"}, NOW) == 0.25
    assert retry_after({"retry-after": "Thu, 28 May 2026 20:33:40 GMT"}, NOW) == 420
    assert retry_after({"retry-after": "Thu, 28 May 1998 20:27:00 GMT"}, NOW) == 0


@given(st.text(max_size=30))
def test_nonsense_asks_for_nothing(value: str) -> None:
    wait = retry_after({"retry-after": value, "retry-after-ms": ""}, NOW)
    assert wait is None or wait >= 0
    assert retry_after({}, NOW) is None


@given(st.lists(st.text("ab", min_size=1, max_size=3), max_size=6), st.integers(0, 20))
def test_the_same_answer_again_is_shown_once(pieces: list[str], cut: int) -> None:
    heard: list[str] = []
    shown, text = Shown(heard.append), "".join(pieces)
    shown.restart()
    if text[:cut]:
        shown(text[:cut])
    shown.restart()
    for piece in pieces:
        shown(piece)
    assert "".join(heard) == text


@given(st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=4))
def test_what_a_person_ends_up_with_is_the_last_answer(attempts: list[str]) -> None:
    heard: list[str] = []
    shown = Shown(heard.append)
    for attempt in attempts:
        shown.restart()
        for letter in attempt:
            shown(letter)
    seen = "".join(heard).split(RESTARTED)[-1]
    assert seen.startswith(attempts[-1])
