"""Who is asked when nobody decides: the next place, the reminder, the end, and quiet hours."""

from datetime import UTC, datetime

import pytest

from bot.model.message import Reply
from bot.model.proposal import Proposal, ProposalStatus
from bot.places import Place, Reached, own_chat
from jobs import approvals
from tests.commands.conftest import on_each
from tests.commands.stage import WORKSPACE, Stage

__all__ = ["on_each"]

HOUR, DAY = 3_600, 86_400
ADMIN = Place("slack", "C0ADMIN", {"channel": "C0ADMIN"}, own=False)
PHONE, DESK, BOSS = own_chat("telegram", "7"), own_chat("slack", "U2"), own_chat("slack", "U1")

POLICY = """
ask:
- where: admin
- {where: approvers@telegram, after: 4h}
- {where: owners, after: 1d}
remind_after: 2d
expire_after: 7d
"""
QUIET = "quiet_hours: {from: '22:00', to: '07:00', zone: Europe/Vienna}"


@pytest.fixture
async def on(on_each: Stage) -> Stage:
    on_each.post.reached = {
        "admin": Reached((ADMIN,)),
        "approvers": Reached((PHONE, DESK)),
        "approvers@telegram": Reached((PHONE,)),
        "owners": Reached((BOSS,)),
    }
    await on_each.say("owner", f"/policy set {POLICY}")
    return on_each


async def _offered(on: Stage) -> Proposal:
    await on.asked("Hello", "Hi")
    await on.say("member", "/better always be brief")
    found = await on.services.proposals.get(WORKSPACE, "P1")
    assert found is not None
    return found


async def _tick(on: Stage) -> str:
    return await approvals.work(on.services, WORKSPACE, "r")


def _sent(on: Stage) -> list[str]:
    """Places in the order in which something came there."""
    return [place for place, _ in on.post.sent]


def _at(on: Stage, iso: str) -> None:
    """Moves the clock to a time in UTC."""
    moment = datetime.fromisoformat(iso).replace(tzinfo=UTC)
    on.clock.advance(moment.timestamp() - on.clock.now() / 1000)


async def test_what_nobody_answers_goes_to_the_next_place(on: Stage) -> None:
    await _offered(on)
    assert _sent(on) == ["slack:C0ADMIN"]
    on.clock.advance(4 * HOUR - 60)
    assert await _tick(on) == "0 asked further, 0 reminded, 0 expired"
    on.clock.advance(60)
    assert await _tick(on) == "1 asked further, 0 reminded, 0 expired"
    assert await _tick(on) == "0 asked further, 0 reminded, 0 expired"
    assert _sent(on) == ["slack:C0ADMIN", "telegram:7"]
    on.clock.advance(20 * HOUR)
    await _tick(on)
    assert _sent(on) == ["slack:C0ADMIN", "telegram:7", "slack:U1"]
    cards = [reply for _, reply in on.post.sent]
    assert all(reply.card and reply.card.ref == "P1" for reply in cards)


async def test_what_is_decided_is_asked_nobody_any_more(on: Stage) -> None:
    await _offered(on)
    await on.say("approver", "/approve P1")
    on.clock.advance(3 * DAY)
    assert await _tick(on) == "0 asked further, 0 reminded, 0 expired"
    assert _sent(on) == ["slack:C0ADMIN"]


async def test_who_cannot_be_reached_is_skipped_at_once(on: Stage) -> None:
    on.post.reached["admin"] = Reached((), shut=1)
    await _offered(on)
    assert _sent(on) == ["telegram:7"]
    on.post.reached["approvers@telegram"] = Reached((), shut=1)
    await _tick(on)
    assert _sent(on) == ["telegram:7", "slack:U1"]


async def test_where_nobody_is_known_yet_the_first_who_comes_is_asked(on: Stage) -> None:
    everyone, on.post.reached = on.post.reached, {}
    await _offered(on)
    for _ in range(3):
        await _tick(on)
    assert _sent(on) == []
    on.post.reached = everyone
    await _tick(on)
    assert _sent(on) == ["slack:C0ADMIN"]


async def test_one_place_gets_one_card_however_often_it_is_named(on: Stage) -> None:
    on.post.reached["owners"] = Reached((PHONE, BOSS))
    await _offered(on)
    on.clock.advance(DAY)
    for _ in range(3):
        await _tick(on)
    assert _sent(on) == ["slack:C0ADMIN", "telegram:7", "slack:U1"]


async def test_those_who_were_asked_are_reminded(on: Stage) -> None:
    await _offered(on)
    on.clock.advance(2 * DAY)
    assert await _tick(on) == "1 asked further, 1 reminded, 0 expired"
    assert await _tick(on) == "0 asked further, 0 reminded, 0 expired"
    reminders = [(place, reply) for place, reply in on.post.sent if reply.card is None]
    assert [place for place, _ in reminders] == ["slack:C0ADMIN", "telegram:7", "slack:U1"]
    text, commands = reminders[0][1].text, [b.command for b in reminders[0][1].buttons]
    assert "P1" in text and "waits for a decision since 2 days" in text and "expires" in text
    assert commands == ["/approve P1", "/edit P1", "/decline P1", "/proposals P1"]
    on.clock.advance(2 * DAY)
    assert "1 reminded" in await _tick(on)
    await on.say("approver", "/approve P1")
    over = on.post.cards["local/P1:reminder"]
    assert "Approved by Approver" in over.text and not over.buttons


async def test_time_ends_what_nobody_decides(on: Stage) -> None:
    await _offered(on)
    on.clock.advance(7 * DAY)
    assert (await _tick(on)).endswith("1 expired")
    proposal = await on.services.proposals.get(WORKSPACE, "P1")
    assert proposal and proposal.status is ProposalStatus.EXPIRED
    card = on.post.cards["local/P1"]
    assert card.card and "declined" in card.card.status and not card.buttons


@pytest.mark.parametrize(
    ("night", "still", "morning"),
    [
        ("2026-03-28T22:30", "2026-03-29T04:59", "2026-03-29T05:00"),  # the clock goes forward
        ("2026-10-24T21:30", "2026-10-25T05:59", "2026-10-25T06:00"),  # and back
        ("2026-07-01T21:30", "2026-07-02T04:59", "2026-07-02T05:00"),
    ],
)
async def test_at_night_people_are_left_alone_and_rooms_are_not(
    on: Stage, night: str, still: str, morning: str
) -> None:
    on.post.reached["admin"] = Reached((ADMIN, DESK))
    await on.say("owner", f"/policy set {POLICY}{QUIET}")
    _at(on, night)
    await _offered(on)
    assert _sent(on) == ["slack:C0ADMIN"]
    _at(on, still)
    assert await _tick(on) == "0 asked further, 0 reminded, 0 expired"
    assert _sent(on) == ["slack:C0ADMIN"]
    _at(on, morning)
    assert "1 asked further" in await _tick(on)
    assert _sent(on) == ["slack:C0ADMIN", "slack:U2", "telegram:7"]


async def test_at_night_decisions_work_and_reminders_wait(on: Stage) -> None:
    await on.say("owner", f"/policy set {POLICY}{QUIET}")
    _at(on, "2026-07-01T12:00")
    await _offered(on)
    _at(on, "2026-07-03T22:00")
    assert await _tick(on) == "0 asked further, 0 reminded, 0 expired"
    _at(on, "2026-07-04T05:00")
    assert await _tick(on) == "1 asked further, 1 reminded, 0 expired"
    _at(on, "2026-07-04T23:00")
    assert "is approved" in (await on.say("approver", "/approve P1")).text


async def test_one_that_fails_harms_no_other(on: Stage) -> None:
    await _offered(on)
    on.clock.advance(5 * HOUR)
    await on.asked("Bye", "Bye")
    await on.say("member", "/better never be rude")
    sent: list[Reply] = [reply for _, reply in on.post.sent]
    assert [r.card.ref for r in sent if r.card] == ["P1", "P2"]
    await _tick(on)
    assert [(p, r.card.ref) for p, r in on.post.sent if r.card][2:] == [("telegram:7", "P1")]
