"""Who is who, who agreed to what, and what of all that reaches the inbox."""

import pytest

from bot.errors import StorageError
from bot.model.message import Reply
from bot.model.person import Role
from tests.fakes.whatsapp_server import text, webhook
from tests.handlers.whatsapp.conftest import House, answer

MINUTE, HOUR = 60.0, 3600.0


async def person_of(house: House, one: str) -> tuple[str, Role]:
    met = await house.people.resolve("local", "whatsapp", one, "", Role.GUEST)
    return met.id, met.role


async def test_a_command_is_said_by_a_guest_until_they_have_a_role(house: House) -> None:
    await house.hears("status")
    (first,) = house.inbox.messages
    assert (first.text, first.conversation) == ("/status", "whatsapp:US.77")
    assert (first.sender.external_id, first.sender.name) == ("US.77", "Ann")
    assert first.sender.is_guest
    ids = {"wa_id": "15551234", "user_id": "US.77"}
    assert first.address == {"to": "15551234", **ids, "person": "US.77"}
    await house.people.set_role("local", (await person_of(house, "US.77"))[0], Role.APPROVER)
    await house.hears("approve P1")
    assert not house.inbox.messages[-1].sender.is_guest


async def test_who_the_settings_name_is_no_guest(house: House) -> None:
    await house.use(named=("15551234",))
    await house.hears("approve P1")
    (message,) = house.inbox.messages
    assert message.sender.external_id == "15551234" and not message.sender.is_guest


async def test_one_person_however_much_of_their_ids_is_told(house: House) -> None:
    await house.hears("status")
    await house.hears("status", number=None)
    await house.hears("status", from_user_id=None)
    assert {m.sender.external_id for m in house.inbox.messages} == {"US.77"}
    assert house.inbox.messages[-1].address["user_id"] == "US.77"
    assert house.inbox.messages[-2].address["to"] == "15551234"


async def test_who_was_known_by_their_number_stays_who_they_are(house: House) -> None:
    await house.hears("start", from_user_id=None)
    await house.hears("status")
    await house.hears("status", number=None)
    assert {m.sender.external_id for m in house.inbox.messages} == {"15551234"}
    assert (await house.contact("15551234")).consent == "in"


async def test_the_same_number_with_another_id_is_another_person(house: House) -> None:
    await house.hears("start")
    await house.hears("status", from_user_id="US.99")
    assert house.inbox.messages[-1].sender.external_id == "US.99"
    assert (await house.contact("US.99")).consent == ""


async def test_free_words_are_answered_once_in_a_while_and_kept_nowhere(house: House) -> None:
    for words in ("Our secret plan is", "to sell cables", "by the metre"):
        await house.hears(words)
    assert house.inbox.texts == ["/help"]
    house.clock.advance(6 * MINUTE)
    await house.hears("hello?")
    await house.hears("hello??", from_user_id="US.99", number="15559999")
    assert house.inbox.texts == ["/help"] * 3
    kept = [repr(await house.contact(one)) for one in ("US.77", "15551234")]
    assert "secret" not in "".join([*kept, repr(house.inbox.messages)])


async def test_an_answer_that_could_not_be_recorded_is_still_owed(house: House) -> None:
    house.inbox.refusals = [StorageError("locked")]
    payload = webhook(text("hello", timestamp=str(house.clock.now() // 1000)))
    assert [await house.post(payload) for _ in range(2)] == [503, 200]
    assert house.inbox.texts == ["/help"]


async def test_yes_and_no_are_kept_with_their_word_and_time(house: House) -> None:
    await house.hears("Start!", ago=MINUTE)
    contact = await house.contact()
    at = house.clock.now() - 60_000
    assert (contact.consent, contact.consent_word, contact.consent_at) == ("in", "start", at)
    await house.hears("ABMELDEN")
    contact = await house.contact()
    assert (contact.consent, contact.consent_word) == ("out", "abmelden")
    assert house.inbox.texts == ["/subscribe", "/unsubscribe"]
    assert all(message.never_expires for message in house.inbox.messages)


async def test_a_no_is_confirmed_once_and_then_there_is_silence(house: House) -> None:
    await house.hears("start", ago=30)
    await house.hears("stop", ago=20)
    await house.hears("stop", ago=10)
    await house.hears("stop", ago=10)
    await house.hears("why do you still write?")
    assert house.inbox.texts == ["/subscribe", "/unsubscribe"]
    await house.hears("start")
    assert (await house.contact()).consent == "in"


async def test_an_old_yes_that_comes_late_does_not_undo_a_no(house: House) -> None:
    await house.hears("stop", ago=HOUR)
    await house.hears("start", ago=2 * HOUR)
    assert (await house.contact()).consent == "out"


async def test_a_no_counts_however_late_it_comes(house: House) -> None:
    await house.hears("start", ago=5 * 24 * HOUR)
    await house.hears("stop", ago=4 * 24 * HOUR)
    assert (await house.contact()).consent == "out"


async def test_a_no_ends_a_pause_that_another_clock_noted(house: House) -> None:
    await house.hears("start", ago=MINUTE)
    later = house.clock.now() + 5_000
    await house.contacts.set_consent("local", "whatsapp", "US.77", "paused", later, "pause")
    await house.hears("stop")
    assert (await house.contact()).consent == "out"


async def test_the_stop_button_of_the_app_is_a_no(house: House) -> None:
    await house.hears("start", ago=MINUTE)
    chosen = {"user_id": "US.77", "value": "stop", "timestamp": house.clock.now() // 1000}
    assert await house.post(webhook(field="user_preferences", user_preferences=[chosen])) == 200
    assert (await house.contact()).consent == "out"


async def test_when_they_last_wrote_never_goes_back_nor_into_the_future(house: House) -> None:
    now = house.clock.now()
    await house.hears("status")
    await house.hears("runs", ago=HOUR)
    assert (await house.contact()).heard_at == now
    await house.hears("jobs", ago=-HOUR)
    assert (await house.contact()).heard_at == now
    assert (await house.contact("15551234")).heard_at == now


async def test_a_person_with_a_new_number_stays_the_same_person(house: House) -> None:
    await house.hears("start")
    person, _ = await person_of(house, "US.77")
    await house.people.set_role("local", person, Role.APPROVER)
    system = {"type": "user_changed_number", "wa_id": "15550000", "user_id": "US.78"}
    moved = webhook(text("", "wamid.m", type="system", system=system))
    assert [await house.post(moved) for _ in range(2)] == [200, 200]
    await house.hears("status", from_user_id="US.78", number="15550000")
    assert await person_of(house, house.inbox.messages[-1].sender.external_id) == (
        person,
        Role.APPROVER,
    )
    assert (await house.contact("US.78")).consent == "in"


async def test_whoever_gets_the_old_number_is_a_stranger(house: House) -> None:
    await house.use(named=("15551234",))
    await house.hears("start", from_user_id=None)
    system = {"type": "user_changed_number", "wa_id": "15550000"}
    moved = text("", "wamid.m", type="system", system=system)
    del moved["from_user_id"]
    assert await house.post(webhook(moved, contacts=[])) == 200
    await house.hears("approve P1", from_user_id=None)
    stranger = house.inbox.messages[-1].sender
    assert stranger.is_guest and stranger.external_id != "15551234"
    await house.channel.send(answer(Reply("x"), address=house.inbox.messages[-1].address))
    assert house.server.shown[-1]["to"] == "15551234"
    await house.channel.send(answer(Reply("x"), "r2", address=house.inbox.messages[0].address))
    assert house.server.shown[-1]["to"] == "15550000"
    await house.hears("approve P1", from_user_id="US.66")
    assert house.inbox.messages[-1].sender.is_guest
    await house.hears("status", from_user_id=None, number="15550000")
    assert house.inbox.messages[-1].sender.external_id == "15550000"


async def test_a_person_whose_id_was_turned_stays_the_same_person(house: House) -> None:
    await house.hears("start")
    turned = {"user_id": {"previous": "US.77", "current": "US.78"}, "wa_id": "15551234"}
    assert await house.post(webhook(field="user_id_update", user_id_update=[turned])) == 200
    await house.hears("status", from_user_id="US.78")
    first, last = house.inbox.messages[0].sender, house.inbox.messages[-1].sender
    assert await person_of(house, first.external_id) == await person_of(house, last.external_id)
    assert (await house.contact("US.78")).consent == "in"


@pytest.mark.parametrize("kind", ["user_changed_number", "user_changed_user_id"])
async def test_a_change_of_somebody_unknown_changes_nothing(house: House, kind: str) -> None:
    system = {"type": kind, "wa_id": "15550000", "user_id": "US.78"}
    assert await house.post(webhook(text("", type="system", system=system))) == 200
    assert house.inbox.messages == []
