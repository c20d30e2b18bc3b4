"""/digest: what is asked for, where it goes, and who may ask for it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.errors import BadInput, Conflict, Forbidden
from bot.model.run import Outcome, RunStatus, Usage
from bot.model.subscription import Subscription
from tests.commands.stage import WORKSPACE, Stage

IN_CHANNEL: dict[str, Any] = {
    "channel": "slack",
    "address": {"channel": "C1", "user": "U7", "thread_ts": "1.2"},
}
IN_DM: dict[str, Any] = {"channel": "slack", "address": {"channel": "D9", "user": "U7"}}


async def know(on: Stage, who: str, channel: str, external_id: str) -> None:
    await on.services.people.link(WORKSPACE, channel, external_id, on.people[who].id)


async def kept(on: Stage, who: str = "member") -> list[Subscription]:
    return list(await on.services.subscriptions.of_person(WORKSPACE, on.people[who].id))


async def test_a_member_gets_one_in_their_own_chat(on: Stage) -> None:
    await know(on, "member", "slack", "U7")
    said = await on.say("member", "/digest daily at 9 zone Europe/Berlin", **IN_CHANNEL)
    assert said.private
    assert "**Daily** digest to you on Slack, every day at 09:00 Europe/Berlin" in said.text
    assert "When nothing happened nothing is sent" in said.text
    [one] = await kept(on)
    assert (one.channel, one.place, one.address) == ("slack", "U7", {"channel": "U7"})
    assert [b.command for b in said.buttons] == ["/digest now daily", "/digest off daily me"]
    again = await on.say("member", "/digest daily at 18 always", **IN_DM)
    assert "at 18:00 Europe/Berlin, also when nothing happened" in again.text
    assert [(s.hour, s.zone, s.always) for s in await kept(on)] == [(18, "Europe/Berlin", True)]


async def test_a_channel_gets_one_from_an_approver_only(on: Stage) -> None:
    await know(on, "member", "slack", "U7")
    await know(on, "approver", "slack", "U8")
    with pytest.raises(Forbidden) as refused:
        await on.say("member", "/digest weekly here", **IN_CHANNEL)
    assert "An approver can" in refused.value.said and "/digest weekly me" in refused.value.said
    said = await on.say("approver", "/digest weekly on friday at 4pm here", **IN_CHANNEL)
    assert not said.private
    assert "**Weekly** digest here, Fridays at 16:00 UTC" in said.text
    [one] = await kept(on, "approver")
    assert (one.place, one.address, one.weekday) == ("C1", {"channel": "C1"}, 4)
    assert "digest here, Fridays" in (await on.say("member", "/digest", **IN_CHANNEL)).text
    assert "no digest" in (await on.say("member", "/digest", **IN_DM)).text

    nothing = await on.say("member", "/digest off here", **IN_CHANNEL)
    assert "no digest to end" in nothing.text
    assert "1 digest ended" in (await on.say("owner", "/digest off here", **IN_CHANNEL)).text
    assert await kept(on, "approver") == []


async def test_off_ends_all_of_ones_own_or_the_named_one(on: Stage) -> None:
    await know(on, "member", "telegram", "7")
    alone: dict[str, Any] = {"channel": "telegram", "address": {"chat_id": 7, "user_id": 7}}
    for words in ("daily", "weekly on mon"):
        await on.say("member", f"/digest {words}", **alone)
    shown = await on.say("member", "/digest", **alone)
    assert shown.text.count("to you on Telegram") == 2
    assert [b.command for b in shown.buttons] == ["/digest now", "/digest off"]
    assert "1 digest ended" in (await on.say("member", "/digest off weekly", **alone)).text
    assert [s.cadence for s in await kept(on)] == ["daily"]
    assert "1 digest ended" in (await on.say("member", "/digest off", **alone)).text
    assert await kept(on) == []


async def test_on_whatsapp_asking_for_it_is_consent(on: Stage) -> None:
    await know(on, "member", "whatsapp", "1555")
    with pytest.raises(Conflict) as refused:
        await on.say("member", "/digest daily")
    assert "You have not agreed" in refused.value.said
    chat: dict[str, Any] = {
        "channel": "whatsapp",
        "address": {"to": "1555", "wa_id": "1555", "user_id": ""},
    }
    assert "to you on WhatsApp" in (await on.say("member", "/digest daily here", **chat)).text
    contact = await on.services.contacts.get(WORKSPACE, "whatsapp", "1555")
    assert contact and (contact.consent, contact.consent_word) == ("in", "/digest daily here")
    [one] = await kept(on)
    assert one.address["to"] == "1555"


async def test_a_page_can_show_it_and_not_send_it(on: Stage) -> None:
    with pytest.raises(Conflict) as refused:
        await on.say("other", "/digest daily")
    assert "`/digest now`" in refused.value.said
    asked = await on.say("other", "/digest")
    assert "say `/digest daily at 9` there" in asked.text
    assert [b.command for b in asked.buttons] == ["/digest now"]
    await know(on, "member", "telegram", "7")
    assert "to you on Telegram" in (await on.say("member", "/digest weekly")).text
    with pytest.raises(Conflict):
        await on.say("owner", "/digest weekly here")


async def test_now_shows_it_to_the_one_who_asks(on: Stage) -> None:
    assert "Nothing happened this week." in (await on.say("member", "/digest now")).text
    for number in range(12):
        await on.asked(
            f"Secret question {number}",
            "Secret answer",
            outcome=Outcome(float(number > 2), "rating"),
            usage=Usage(1, 1, 0, 0.5),
        )
    await on.asked("Q", status=RunStatus.FAILED, error_type="model")
    reply = await on.say("member", "/digest now")
    assert reply.private and reply.card and reply.picture
    assert reply.card.title == "Ratchet · this week"
    assert reply.text.startswith("13 runs; success 75% [47% to 91%], n=12; failures: 1 run (model")
    fields = {f.label: f.value for f in reply.card.fields}
    assert fields["Runs"] == "13 (12 of 13 rated, 12 with an outcome)"
    assert fields["Cost"] == "$6.00, today $0.00 of $20.00, this month $0.00 of $200.00"
    assert "Secret" not in repr(reply)
    assert (await on.say("member", "/digest now daily")).card != reply.card


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("dayly", "Did you mean daily?"),
        ("daily at 25", "0 to 23"),
        ("daily at 9:30", "whole hour"),
        ("daily at", "whole hour"),
        ("daily zone Europe/Berln", "Did you mean Europe/Berlin?"),
        ("daily zone ../../etc/passwd", "no time zone"),
        ("weekly on fryday", "Did you mean friday?"),
        ("weekly on t", "Say a day"),
        ("here", "Say daily, weekly, now or off."),
    ],
)
async def test_wrong_words_get_the_right_ones(on: Stage, words: str, hint: str) -> None:
    await know(on, "member", "slack", "U7")
    with pytest.raises(BadInput) as wrong:
        await on.say("member", f"/digest {words}", **IN_DM)
    assert hint in wrong.value.said
    assert await kept(on) == []


@pytest.mark.parametrize(
    ("words", "hour", "zone"),
    [
        ("at 9", 9, "UTC"),
        ("at 09:00", 9, "UTC"),
        ("at 12am", 0, "UTC"),
        ("at 12pm", 12, "UTC"),
        ("zone berlin", 9, "Europe/Berlin"),
        ("zone new_york", 9, "America/New_York"),
        ("asia/kolkata", 9, "Asia/Kolkata"),
    ],
)
async def test_hours_and_zones_as_people_write_them(
    on: Stage, words: str, hour: int, zone: str
) -> None:
    await know(on, "member", "slack", "U7")
    await on.say("member", f"/digest daily {words}", **IN_DM)
    [one] = await kept(on)
    assert (one.hour, one.zone) == (hour, zone)


async def test_the_first_one_is_announced_in_its_zone(on: Stage) -> None:
    await know(on, "member", "slack", "U7")
    said = await on.say("member", "/digest weekly on sunday at 7 zone Asia/Tokyo", **IN_DM)
    now = datetime.fromtimestamp(on.clock.now() / 1000, UTC)
    assert now.strftime("%a %-d %b %H:%M") == "Thu 28 May 20:26"
    assert "The first one comes Sun 31 May at 07:00." in said.text
