"""/status, and /pause, /resume, /subscribe and /unsubscribe about WhatsApp."""

import pytest

from bot.errors import BadInput, Forbidden
from bot.model.contact import Consent
from bot.model.run import Outcome, RunStatus, Usage
from tests.commands.stage import Stage

WHATSAPP = "whatsapp"


async def agreed(on: Stage, who: str, consent: Consent) -> None:
    """They are known on WhatsApp, and said so."""
    store, now = on.services.contacts, on.clock.now()
    await on.services.people.link("local", WHATSAPP, f"US.{who}", on.people[who].id)
    await store.heard("local", WHATSAPP, f"US.{who}", now, {"to": f"US.{who}"})
    if consent:
        await store.set_consent("local", WHATSAPP, f"US.{who}", consent, now, "start")


async def consent_of(on: Stage, who: str) -> str:
    found = await on.services.contacts.get("local", WHATSAPP, f"US.{who}")
    return found.consent if found else "unknown"


async def test_a_quiet_day(on: Stage) -> None:
    text = (await on.say("member", "/status")).text
    assert "Nothing waits for approval." in text
    assert "No requests in the last 24 hours." in text
    assert "$0.00 of $20.00 today (0%), $0.00 of $200.00 this month (0%)" in text
    assert "No job's last run failed." in text


async def test_what_waits_and_how_the_day_went(on: Stage) -> None:
    await on.asked("Old", "x")
    on.clock.advance(2 * 86_400)
    await on.asked("Q1", "x", outcome=Outcome(1.0, "rating"), usage=Usage(1, 1, 0, 0.5))
    await on.asked("Q2", status=RunStatus.FAILED, outcome=Outcome(0.0, "error"))
    run = await on.asked("Q3", "x")
    await on.say("member", f"/better {run.short} answer in metres")
    reply = await on.say("member", "/status")
    assert "1 proposal waits for approval: **P1**" in reply.text
    assert "3 requests in the last 24 hours, success 33% of the 3 with an outcome." in reply.text
    assert [b.command for b in reply.buttons] == ["/proposals P1"]


async def test_a_guest_is_told_nothing(on: Stage) -> None:
    with pytest.raises(Forbidden):
        await on.say("guest", "/status")


async def test_a_break_is_ones_own_and_said_from_anywhere(on: Stage) -> None:
    await agreed(on, "member", "in")
    await agreed(on, "other", "in")
    assert "Paused" in (await on.say("member", "/pause")).text
    assert "Paused" in (await on.say("member", "/pause")).text
    assert [await consent_of(on, who) for who in ("member", "other")] == ["paused", "in"]
    assert "Resumed" in (await on.say("member", "/resume")).text
    assert await consent_of(on, "member") == "in"


@pytest.mark.parametrize("consent", ["", "out"])
async def test_a_break_makes_no_yes_of_a_no(on: Stage, consent: Consent) -> None:
    await agreed(on, "member", consent)
    assert "nothing to pause" in (await on.say("member", "/pause")).text
    assert "write START" in (await on.say("member", "/resume")).text
    assert await consent_of(on, "member") == consent


async def test_who_has_no_whatsapp_is_told_what_there_is(on: Stage) -> None:
    reply = await on.say("member", "/pause")
    assert "/digest" in reply.text and "/jobs pause" in reply.text
    assert "write START to me there" in (await on.say("member", "/subscribe")).text


async def test_the_answers_to_yes_and_no(on: Stage) -> None:
    await agreed(on, "member", "in")
    yes = await on.say("member", "/subscribe", channel=WHATSAPP)
    assert "You are in" in yes.text and "role" not in yes.text
    await agreed(on, "guest", "in")
    assert "role first" in (await on.say("guest", "/subscribe", channel=WHATSAPP)).text
    assert "Write START" in (await on.say("member", "/unsubscribe", channel=WHATSAPP)).text
    assert "no messages on WhatsApp" in (await on.say("member", "/unsubscribe")).text
    assert await consent_of(on, "member") == "out"
    stale = await on.say("member", "/subscribe", channel=WHATSAPP)
    assert "You have said STOP since" in stale.text


async def test_help_on_whatsapp_names_what_works_there(on: Stage) -> None:
    reply = await on.say("member", "/help", channel=WHATSAPP)
    assert "`status`" in reply.text and "better" not in reply.text
    assert [b.command for b in reply.buttons] == ["/subscribe"]
    guests = await on.say("guest", "/help", channel=WHATSAPP)
    assert "metrics" not in guests.text and "given you a role" in guests.text


async def test_nothing_of_whatsapp_is_taken_as_a_lesson(on: Stage) -> None:
    run = await on.asked("status", "fine", channel=WHATSAPP)
    for words in (f"/better {run.short} be brief", f"/rate {run.short} down"):
        with pytest.raises(BadInput) as refused:
            await on.say("owner", words)
        assert "nothing may be learned" in refused.value.said
    with pytest.raises(BadInput):
        await on.say("owner", f"/save-workflow standing {run.short}")
    assert await on.services.feedback.of_run("local", run.id) == []
    assert await on.services.proposals.list("local") == []
