"""Only fixed commands and buttons get through; everything else is asked what works here."""

import json

import pytest

from handlers.whatsapp.incoming import Malformed, command, read
from tests.fakes.whatsapp_server import PHONE_ID, press, text, webhook


def test_a_command_from_a_person_of_two_ids() -> None:
    (message,) = read(webhook(text("/approve P1")), PHONE_ID)
    assert (message.text, message.event_id, message.sent_at) == ("/approve P1", "wamid.1", 100_000)
    assert (message.sender.external_id, message.sender.name) == ("US.77", "Ann")
    assert message.address == {"to": "15551234", "wa_id": "15551234", "user_id": "US.77"}
    assert message.conversation == "whatsapp:US.77"
    (message,) = read(webhook(text("/runs")), PHONE_ID, {"15551234"})
    assert message.sender.external_id == "15551234"


def test_either_id_is_enough() -> None:
    hidden = {k: v for k, v in text("/runs").items() if k != "from"}
    (message,) = read(webhook(hidden, contacts=[{"user_id": "US.77"}]), PHONE_ID)
    assert message.address == {"to": "US.77", "wa_id": "", "user_id": "US.77"}
    old = {k: v for k, v in text("/runs").items() if k != "from_user_id"}
    (message,) = read(webhook(old, contacts=[]), PHONE_ID)
    assert message.sender.external_id == "15551234"
    nobody = {k: v for k, v in old.items() if k != "from"}
    assert read(webhook(nobody, contacts=[]), PHONE_ID) == []


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("/approve P1", "/approve P1"),
        ("!decline P1 too vague", "/decline P1 too vague"),
        ("approve p12", "/approve p12"),
        ("link abcd-efgh", "/link abcd-efgh"),
        ("link me up", "/help"),
        ("Metrics", "/metrics"),
        ("HELP", "/help"),
        ("what did we sell last week?", "/help"),
        ("stop asking me", "/help"),
        ("/better be brief", "/help"),
        ("/remember our secret", "/help"),
        ("/edit P1 say this", "/help"),
        ("/unknown", "/help"),
        ("", "/help"),
        ("\x00\ud800", "/help"),
        ("/", "/help"),
    ],
)
def test_words(said: str, heard: str) -> None:
    assert command(said) == heard


def test_a_press_is_its_command() -> None:
    (message,) = read(webhook(press("/approve P1")), PHONE_ID)
    assert (message.text, message.is_button) == ("/approve P1", True)
    template = text("", type="button", button={"payload": "/decline P1", "text": "Decline"})
    assert read(webhook(template), PHONE_ID)[0].text == "/decline P1"


@pytest.mark.parametrize(
    "raw",
    [
        webhook(statuses=[{"id": "wamid.1", "status": "read"}]),
        webhook(text("x", type="reaction")),
        webhook(text("/runs"), phone_id="another number"),
        webhook({"type": "text"}),
        {"object": "whatsapp_business_account", "entry": []},
        {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "flows"}]}]},
    ],
)
def test_what_says_nothing(raw: object) -> None:
    assert read(raw, PHONE_ID) == []


def test_one_that_can_not_be_read_does_not_hide_the_others() -> None:
    assert len(read(webhook({"id": 4}, text("/runs")), PHONE_ID)) == 1


@pytest.mark.parametrize(
    "raw", [None, [], {}, {"object": 1}, json.loads('{"object":"x","entry":4}')]
)
def test_what_is_no_webhook(raw: object) -> None:
    with pytest.raises(Malformed):
        read(raw, PHONE_ID)
