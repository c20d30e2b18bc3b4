"""Who may be written to, in which form, and what the platform makes of it."""

from dataclasses import replace
from typing import Any

import pytest

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from bot.model.contact import Consent
from bot.model.message import Button, Card, Reply
from handlers.whatsapp.templates import Templates
from tests.fakes.whatsapp_server import said, text, webhook
from tests.handlers.whatsapp.conftest import House, answer, delivery

CARD = Reply(
    "Proposal P1: shall I change this?\nMore.",
    card=Card("P1 · Say metres", "Because.", ref="P1"),
    buttons=(
        Button("Approve", "/approve P1"),
        Button("Edit", "/edit P1", asks="What?"),
        Button("Decline", "/decline P1", asks="Why?"),
    ),
)
DECIDED = replace(CARD, card=Card("P1 · Say metres", ref="P1", status="Approved by Ben"))
DIGEST = Reply("Two changes were kept.\nSecond line.", card=Card("Your week"))
FORMS = Templates("digest", "approval", "en")
DAY = 24 * 3600.0


async def refused(house: House, one: Any) -> ChannelError:
    with pytest.raises(ChannelError) as raised:
        await house.channel.send(one)
    return raised.value


async def test_nobody_gets_anything_unasked_before_they_agree(house: House) -> None:
    error = await refused(house, delivery(DIGEST, "post:1"))
    assert "not opted in" in str(error) and not error.told
    await house.hears("status")
    assert "not opted in" in str(await refused(house, delivery(DIGEST, "place:2")))
    await house.hears("start")
    await house.channel.send(delivery(DIGEST, "place:3"))
    assert [said(body).split("\n")[0] for body in house.server.shown] == ["Two changes were kept."]


@pytest.mark.parametrize(("consent", "why"), [("out", "opted out"), ("paused", "paused")])
async def test_a_no_fails_at_once_and_the_owner_hears_it_once(
    house: House, consent: Consent, why: str
) -> None:
    await house.hears("start", ago=60)
    now = house.clock.now()
    await house.contacts.set_consent("local", "whatsapp", "US.77", consent, now, "stop")
    first, second = [await refused(house, delivery(CARD, f"post:{n}")) for n in (1, 2)]
    assert why in str(first) and type(first) is ChannelError
    assert (first.told, second.told) == (False, True)
    assert house.server.shown == []


async def test_what_they_ask_for_is_answered_also_after_a_no(house: House) -> None:
    await house.hears("stop")
    await house.channel.send(answer(Reply("You get no more messages.")))
    assert len(house.server.shown) == 1


async def test_within_a_day_a_card_has_buttons(house: House) -> None:
    await house.hears("start")
    house.clock.advance(DAY - 60)
    assert await house.channel.send(delivery(CARD)) == {"id": "wamid.out1"}
    (body,) = house.server.shown
    assert body["to"] == "15551234"
    assert [b["reply"]["id"] for b in body["interactive"]["action"]["buttons"]] == [
        "/approve P1",
        "/decline P1",
    ]


async def test_who_shows_no_number_is_written_to_by_their_id(house: House) -> None:
    await house.hears("start", number=None)
    await house.channel.send(delivery(DIGEST, address={"to": "US.77"}))
    assert house.server.shown[0]["recipient"] == "US.77" and "to" not in house.server.shown[0]


async def test_an_old_address_reaches_the_new_number(house: House) -> None:
    await house.hears("start")
    system = {"type": "user_changed_number", "wa_id": "15550000", "user_id": "US.78"}
    await house.post(webhook(text("", "wamid.m", type="system", system=system)))
    await house.channel.send(delivery(DIGEST))
    assert house.server.shown[0]["to"] == "15550000"


async def test_after_a_day_only_the_template_goes(house: House) -> None:
    await house.hears("start")
    house.clock.advance(DAY + 60)
    assert "no template is set" in str(await refused(house, delivery(DIGEST, "place:1")))
    await house.use(FORMS)
    await house.channel.send(delivery(DIGEST, "place:2"))
    await house.channel.send(delivery(CARD, "post:3"))
    digest, approval = (body["template"] for body in house.server.shown)
    assert said(house.server.shown[0]) == "Your week\nTwo changes were kept."
    assert (digest["name"], digest["language"]) == ("digest", {"code": "en"})
    assert said(house.server.shown[1]) == "P1 · Say metres\nProposal P1: shall I change this?"
    payloads = [c["parameters"][0] for c in approval["components"] if c["type"] == "button"]
    assert payloads == [
        {"type": "payload", "payload": "/approve P1"},
        {"type": "payload", "payload": "/decline P1"},
    ]


async def test_what_was_edited_is_decided_on_as_it_is_now(house: House) -> None:
    edited = tuple(replace(b, command=f"{b.command}.2") for b in CARD.buttons)
    await house.use(FORMS)
    await house.hears("start")
    house.clock.advance(DAY + 60)
    await house.channel.send(delivery(replace(CARD, buttons=edited)))
    components = house.server.shown[0]["template"]["components"]
    keys = [c["parameters"][0]["payload"] for c in components if c["type"] == "button"]
    assert keys == ["/approve P1.2", "/decline P1.2"]
    pressed = {"payload": keys[0], "text": "Approve"}
    await house.hears("", type="button", button=pressed)
    assert house.inbox.texts[-1] == "/approve P1.2"


async def test_an_approval_goes_as_a_digest_where_it_has_no_template_of_its_own(
    house: House,
) -> None:
    await house.use(Templates("digest"))
    await house.hears("start")
    house.clock.advance(DAY + 60)
    await house.channel.send(delivery(CARD))
    assert said(house.server.shown[0]).endswith("Say: approve P1, or decline P1.")


@pytest.mark.parametrize(
    ("forms", "why"),
    [
        (Templates("gone"), "no approved template"),
        (Templates("digest", language="de"), "no approved template"),
        (Templates("approval"), "another number of parameters"),
    ],
)
async def test_a_template_that_is_refused_is_a_failure_with_its_reason(
    house: House, forms: Templates, why: str
) -> None:
    await house.use(forms)
    await house.hears("start")
    house.clock.advance(DAY + 60)
    assert why in str(await refused(house, delivery(DIGEST)))


async def test_an_answer_after_a_day_has_no_form(house: House) -> None:
    await house.use(FORMS)
    await house.hears("status")
    house.clock.advance(DAY + 60)
    assert "24 hours" in str(await refused(house, answer(Reply("x"))))


async def test_a_window_that_was_closed_after_all_falls_back_to_the_template_once(
    house: House,
) -> None:
    await house.use(FORMS)
    await house.hears("start")
    house.server.heard = {}
    await house.channel.send(delivery(DIGEST))
    assert [body["type"] for body in house.server.shown] == ["template"]
    house.server.templates.clear()
    assert "no approved template" in str(await refused(house, delivery(DIGEST, "post:2")))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ((400, 131047), ChannelError),
        ((400, 131026), ChannelError),
        ((400, 131049), ChannelError),
        ((400, 131050), ChannelError),
        ((400, 100), ChannelError),
        ((403, 10), ChannelError),
        ((400, 131056), ChannelUnavailable),
        ((429, 80007), ChannelUnavailable),
        ((500, 131016), ChannelUnavailable),
        ((401, 190), ChannelUnavailable),
        ((500, 131000), DeliveryUnclear),
        ((0, 0), DeliveryUnclear),
    ],
)
async def test_what_goes_wrong(
    house: House, fault: tuple[int, int], error: type[ChannelError]
) -> None:
    await house.hears("status")
    house.server.faults = [fault]
    raised = await refused(house, answer(Reply("x")))
    assert isinstance(raised, error)
    assert isinstance(raised, ChannelUnavailable | DeliveryUnclear) is (error is not ChannelError)
    assert raised.retry_after is None  # nobody asked for a number of seconds: ever longer ones


async def test_what_is_unclear_is_known_once_a_status_names_it(house: House) -> None:
    await house.hears("status")
    house.server.trouble.add("x", "cut_after")
    with pytest.raises(DeliveryUnclear):
        await house.channel.send(answer(Reply("x")))
    await house.told(house.server.status(0, "sent"))
    assert await house.channel.find(answer(Reply("x"))) == {"id": "wamid.out1"}
    assert await house.channel.send(answer(Reply("x"))) == {"id": "wamid.out1"}
    assert len(house.server.shown) == 1


@pytest.mark.parametrize("fault", [(0, 0), (504, -1)])
async def test_what_stays_unclear_is_said_so(house: House, fault: tuple[int, int]) -> None:
    await house.hears("status")
    house.server.faults = [fault]
    with pytest.raises(DeliveryUnclear):
        await house.channel.send(answer(Reply("x")))
    with pytest.raises(DeliveryUnclear):
        await house.channel.find(answer(Reply("x")))


@pytest.mark.parametrize("faults", [[(500, 131000)] * 2, [(500, -1), (502, -1)], [(503, -1)] * 2])
async def test_what_meta_says_failed_is_tried_again_unless_a_status_says_otherwise(
    house: House, faults: list[tuple[int, int] | None]
) -> None:
    await house.hears("status")
    house.server.faults = faults
    for _ in range(2):
        with pytest.raises(DeliveryUnclear):
            await house.channel.send(answer(Reply("x")))
        assert await house.channel.find(answer(Reply("x"))) is None
    await house.channel.send(answer(Reply("x")))
    assert len(house.server.shown) == 1


async def test_a_long_text_goes_on_where_it_was_interrupted_also_after_a_restart(
    house: House,
) -> None:
    await house.hears("status")
    long = answer(Reply("word " * 2500))
    house.server.faults = [None, (429, 130429)]
    with pytest.raises(ChannelUnavailable):
        await house.channel.send(long)
    await house.use()
    house.server.trouble.add("word", "cut_after")
    with pytest.raises(DeliveryUnclear):
        await house.channel.send(long)
    await house.told(house.server.status(1, "delivered"))
    assert await house.channel.find(long) is None
    assert await house.channel.send(long) == {"id": "wamid.out4"}
    assert len(house.server.shown) == 4
    assert " ".join(map(said, house.server.shown)).split() == ["word"] * 2500


async def test_receipts_go_up_only(house: House) -> None:
    await house.hears("status")
    await house.channel.send(answer(Reply("x")))
    for state, standing in (
        ("delivered", "delivered"),
        ("sent", "delivered"),
        ("failed", "delivered"),
        ("read", "read"),
        ("delivered", "read"),
    ):
        await house.told(house.server.status(0, state))
        assert (await house.receipts.of("local", "whatsapp", "r1"))[0].status == standing
    assert house.bounces == []


async def test_what_failed_after_it_was_taken_is_a_failure_told_once(house: House) -> None:
    await house.hears("start")
    await house.channel.send(delivery(DIGEST))
    failed = house.server.status(0, "failed", 131049)
    await house.told(failed, failed)
    await house.told(failed)
    ((which, cause, again),) = house.bounces
    assert (which, again) == ("post:1", False)
    assert "too many such messages" in cause and "131049" in cause
    assert (await house.receipts.of("local", "whatsapp", "post:1"))[0].error == cause


async def test_statuses_of_messages_that_are_not_ours_are_ignored(house: House) -> None:
    await house.hears("start")
    await house.channel.send(delivery(DIGEST))
    ours = house.server.status(0, "failed", 131026)
    await house.told(ours | {"id": "wamid.else", "biz_opaque_callback_data": "theirs#1"})
    assert house.bounces == []
    nameless = {k: v for k, v in ours.items() if k != "biz_opaque_callback_data"}
    await house.told(nameless)
    assert [which for which, _, _ in house.bounces] == ["post:1"]


async def test_a_window_that_a_status_calls_closed_is_worth_the_template(house: House) -> None:
    await house.use(FORMS)
    await house.hears("start")
    await house.channel.send(delivery(DIGEST))
    await house.told(house.server.status(0, "failed", 131047))
    ((_, cause, again),) = house.bounces
    assert again
    await house.channel.send(delivery(DIGEST, error=cause))
    assert [body["type"] for body in house.server.shown] == ["text", "template"]
    await house.told(house.server.status(1, "failed", 131047))
    assert house.bounces[-1][2] is False


async def test_a_decided_card_is_one_more_line_for_those_who_did_not_decide(house: House) -> None:
    await house.hears("start")
    shown = await house.channel.send(delivery(CARD))
    edit = delivery(DECIDED, "e1", edits=shown)
    await house.channel.send(edit)
    assert said(house.server.shown[-1]) == "P1 · Say metres: Approved by Ben"
    house.clock.advance(DAY + 60)
    assert await house.channel.send(replace(edit, id="e2")) == shown
    assert len(house.server.shown) == 2


async def test_an_edited_card_comes_anew_with_its_buttons(house: House) -> None:
    await house.hears("start")
    shown = await house.channel.send(delivery(CARD))
    edited = replace(CARD, card=Card("P1 · Say centimetres", ref="P1"))
    await house.channel.send(delivery(edited, "e1", edits=shown))
    assert "centimetres" in said(house.server.shown[-1])
    assert house.server.shown[-1]["type"] == "interactive"


@pytest.mark.parametrize("consent", ["out", "paused"])
async def test_news_of_a_card_go_to_nobody_who_wants_none(house: House, consent: Consent) -> None:
    await house.hears("start", ago=60)
    shown = await house.channel.send(delivery(CARD))
    now = house.clock.now()
    await house.contacts.set_consent("local", "whatsapp", "US.77", consent, now, "stop")
    assert await house.channel.send(delivery(DECIDED, "e1", edits=shown)) == shown
    assert len(house.server.shown) == 1


async def test_news_that_may_have_been_shown_are_not_shown_again(house: House) -> None:
    await house.hears("start")
    shown = await house.channel.send(delivery(CARD))
    await house.channel.send(delivery(DECIDED, "e1", edits=shown, attempts=2))
    assert len(house.server.shown) == 1
    await house.channel.send(delivery(DECIDED, "e1", edits=shown, attempts=2, error="429"))
    assert len(house.server.shown) == 2
