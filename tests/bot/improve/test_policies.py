"""The policy is read strictly: what is wrong is told with its line, what is right holds."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadInput, ConfigError
from bot.improve.policies import seed, shipped
from bot.improve.policy_text import LONGEST, parse
from bot.model.policy import (
    AtExpiry,
    Author,
    Guests,
    Needs,
    Policy,
    QuietHours,
    Rule,
    in_words,
    span,
)

_DAY = 86_400_000
_FULL = """
approvals:
  - {risk: owner, needs: two}
  - kind: agent.*
    needs: two
    author: never
  - {kind: memory.new, needs: automatic}
ask:
  - where: slack:C012AB3CD
  - {where: approvers@telegram, after: 4h}
  - {where: whatsapp:4912345, after: 1d}
  - {where: owners, after: 2d}
remind_after: 12h
expire_after: 7d
at_expiry: approve
quiet_hours: {from: 20:00, to: "07:30", zone: Europe/Vienna}
guests: chat
"""


def test_the_shipped_policy_takes_one_approver_and_an_owner_for_what_widens() -> None:
    policy = parse(shipped())
    assert policy.need("approver", "agent.config").words == "an approver"
    assert policy.need("owner", "agent.config").words == "an owner"
    assert policy.need("approver", "memory.new").author is Author.WHEN_ALONE
    assert policy.guests is Guests.REFUSE and policy.at_expiry is AtExpiry.DECLINE
    assert policy.expire_after == 0 and not policy.quiet(0)
    assert [step.where for step in policy.ask] == [
        "admin",
        "approvers@telegram",
        "approvers",
        "owners",
    ]
    assert any("one approver" in line for line in in_words(policy))


def test_everything_that_can_be_said_is_read() -> None:
    policy = parse(_FULL)
    assert policy.need("approver", "agent.config").people == 2
    assert policy.need("approver", "memory.new").people == 0
    assert policy.remind_after == 12 * 3_600_000 and policy.expire_after == 7 * _DAY
    assert policy.quiet_hours == QuietHours(20 * 60, 7 * 60 + 30, "Europe/Vienna")
    assert "two approvers" in "\n".join(in_words(policy))


@pytest.mark.parametrize("needs", list(Needs))
def test_what_widens_takes_an_owner_whatever_the_rule_says(needs: Needs) -> None:
    policy = Policy(approvals=(Rule(needs, author=Author.YES),))
    for risk in ("owner", "anything new"):
        need = policy.need(risk, "agent.config")
        assert need.owner and need.people >= 1
    assert parse("{}").need("owner", "agent.config").owner
    assert parse("{}").need("approver", "memory.new").people == 1


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("approvls: []", 1, "'approvls' is no key here"),
        ("approvals:\n- needs: some", 2, "approvals[0].needs: expected one of automatic, one"),
        ("approvals:\n- risk: owner", 2, "needs is missing"),
        ("approvals: 3", 1, "expected a list"),
        ("ask:\n- where: discord:1", 2, "ask[0].where: expected admin"),
        ("ask:\n- where: slack", 2, "ask[0].where"),
        ("ask:\n- {where: admin, after: soon}", 2, "a time such as 30m"),
        ("remind_after: 5000d", 1, "at most a year"),
        ("expire_after: 0m", 1, "expire_after"),
        ("guests: [chat]", 1, "guests: expected one of chat, refuse"),
        ("quiet_hours: {from: '25:00', to: '7:00', zone: UTC}", 1, "quiet_hours.from"),
        ("quiet_hours: {from: '22:00', to: '7:00', zone: Mars/Base}", 1, "time zone such as"),
        ("quiet_hours: {from: '22:00', to: '7:00', zone: ../../etc}", 1, "time zone such as"),
        ("quiet_hours: {from: '22:00'}", 1, "zone is missing"),
        ("guests: chat\nguests: refuse", 2, "stands there twice"),
        ("a: &x [1]\nb: *x", 1, "& and * are not taken"),
        ("- just\n- a list", 1, "expected the keys approvals"),
        ("guests: chat: chat", 1, "this is no YAML"),
        ("guests: !!python/object:os.system chat", 1, ""),
        ("[" * 3000, 1, "nested too deeply"),
        ("", 0, "nothing in it"),
        ("# " + "x" * LONGEST, 0, "of at most"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, said: str) -> None:
    if not said:
        assert parse(text).guests is Guests.CHAT  # a tag says nothing: only texts are read
        return
    with pytest.raises(BadInput) as error:
        parse(text)
    assert said in error.value.said
    assert not line or f"line {line}" in error.value.said


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadInput) as error:
        parse("guests: no\nat_expiry: maybe\nremind_after: x")
    assert [f"line {n}" in error.value.said for n in (1, 2, 3)] == [True] * 3


@given(st.text(max_size=400))
def test_any_text_is_a_policy_or_told_what_is_wrong(text: str) -> None:
    try:
        policy = parse(text)
    except BadInput as error:
        assert error.said
    else:
        assert policy.need("owner", "agent.config").owner


_KEYS = ("approvals", "ask", "remind_after", "expire_after", "at_expiry", "quiet_hours", "guests")
_VALUES = st.recursive(
    st.sampled_from(["automatic", "one", "1d", "0m", "owners", "*", "yes", "-1d", "~", "''"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.dictionaries(
            st.sampled_from(["needs", "risk", "kind", "author", "where", "after", "from", "zone"]),
            inner,
            max_size=3,
        ).map(lambda d: "{" + ", ".join(f"{k}: {v}" for k, v in d.items()) + "}"),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=7))
def test_no_policy_lets_anything_widen_without_an_owner(parts: dict[str, str]) -> None:
    try:
        policy = parse("\n".join(f"{key}: {value}" for key, value in parts.items()))
    except BadInput:
        return
    need = policy.need("owner", "agent.config")
    assert need.owner and need.people >= 1
    assert in_words(policy)


@pytest.mark.parametrize(
    ("hours", "quiet", "loud"),
    [
        ((22 * 60, 7 * 60), ("23:30", "00:00", "06:59"), ("07:00", "12:00", "21:59")),
        ((12 * 60, 13 * 60), ("12:00", "12:59"), ("11:59", "13:00", "00:00")),
        ((0, 0), (), ("00:00", "12:00")),
    ],
)
def test_quiet_hours_may_go_over_midnight(
    hours: tuple[int, int], quiet: tuple[str, ...], loud: tuple[str, ...]
) -> None:
    times = QuietHours(*hours, "UTC")
    day = 1_780_012_800_000 // _DAY * _DAY
    for clock in (*quiet, *loud):
        hour, minute = map(int, clock.split(":"))
        assert times.at(day + (hour * 60 + minute) * 60_000) is (clock in quiet)


def test_quiet_hours_follow_the_clock_on_the_wall_over_daylight_saving() -> None:
    """In Vienna the clock went from 02:00 to 03:00 on 2026-03-29, and back on 2026-10-25."""
    night = QuietHours(22 * 60, 7 * 60, "Europe/Vienna")
    winter, summer = 1_774_677_600_000, 1_774_764_000_000  # 07:00 CET on the 28th, 08:00 CEST
    assert [night.at(t) for t in (winter - 1, winter)] == [True, False]
    assert [night.at(t) for t in (summer - 3_600_001, summer - 3_600_000)] == [True, False]
    autumn = 1_792_908_000_000  # 07:00 CET on 2026-10-25
    assert [night.at(t) for t in (autumn - 1, autumn)] == [True, False]


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 minutes"),
        (60_000, "1 minute"),
        (4 * 3_600_000, "4 hours"),
        (2 * _DAY, "2 days"),
        (36 * 3_600_000, "36 hours"),
    ],
)
def test_spans_are_said_in_words(ms: int, words: str) -> None:
    assert span(ms) == words


def test_a_file_of_the_settings_is_checked_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "policy.yml"
    path.write_text("guests: chat\n")
    assert parse(seed(path)).guests is Guests.CHAT
    path.write_text("guests: maybe\n")
    with pytest.raises(ConfigError) as wrong:
        seed(path)
    assert "line 1" in wrong.value.said and str(path) in wrong.value.said
    assert "nothing was started" in wrong.value.said and "changed" not in wrong.value.said
    with pytest.raises(ConfigError) as wrong:
        seed(tmp_path / "missing.yml")
    assert "No such file" in wrong.value.said and "Errno" not in wrong.value.said


def test_what_is_shipped_is_said_in_plain_words() -> None:
    said = in_words(parse(shipped()))
    assert said[:2] == [
        "What gives an agent new wording or more rights: an owner, not who asked for it unless "
        "nobody else may.",
        "Every other change: one approver, not who asked for it unless nobody else may.",
    ]
    assert "Asked at once: all approvers on Telegram." in said
    assert len([line for line in said if "wording" in line]) == 1 and "*" not in "".join(said)
    lax = in_words(parse("approvals:\n- {risk: owner, needs: automatic}"))
    assert "What gives an agent new wording or more rights always takes an owner." in lax
