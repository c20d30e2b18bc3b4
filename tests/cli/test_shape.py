"""What a terminal shows of a command's reply."""

import pytest

from bot.cli.shape import begun, printed

_CARD = "**P1 · Be brief**\n\n```diff\n-long\n+brief\n```\n\nApprove: `/approve P1`"


def test_a_diff_has_no_fence_and_an_absent_picture_no_caption() -> None:
    shown = printed({"kind": "command", "answer": _CARD})
    assert shown == "**P1 · Be brief**\n\n-long\n+brief\n\nApprove: `/approve P1`"
    assert printed({"kind": "command", "answer": "Numbers\n\n_Cost by day_"}) == "Numbers"


def test_an_agent_s_answer_stays_as_it_is() -> None:
    answer = f"{_CARD}\n\n_so it is_"
    assert printed({"kind": "request", "answer": answer}) == answer


@pytest.mark.parametrize(
    ("answer", "run_id"),
    [
        ("Running **weekly-report** v1 as `1a2b3c4d`.", "1a2b3c4d"),
        ("Running it now already: `1a2b3c4d`.", "1a2b3c4d"),
        ("**analyze** runs now as `1a2b3c4d`.", "1a2b3c4d"),
        ("**Run 1a2b3c4d** · succeeded", ""),
    ],
)
def test_what_a_command_began_is_named(answer: str, run_id: str) -> None:
    assert begun({"kind": "command", "answer": answer}) == run_id
    assert begun({"kind": "request", "answer": answer}) == ""
