"""What Meta's webhooks say, in whatever form they come."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.whatsapp.incoming import (
    Became,
    Heard,
    Ids,
    Malformed,
    Moved,
    Refused,
    carries,
    read,
)
from handlers.whatsapp.words import FREE, meant
from tests.fakes.whatsapp_server import PHONE_ID, Json, press, statuses, text, webhook


def only(raw: object) -> Any:
    (event,) = read(raw, PHONE_ID)
    return event


def test_a_command_from_a_person_of_two_ids() -> None:
    heard = only(webhook(text("/approve P1")))
    assert heard == Heard("wamid.1", Ids("15551234", "US.77"), "Ann", 100_000, meant("/approve P1"))


def test_either_id_is_enough_and_the_contact_may_hold_the_other() -> None:
    hidden = {k: v for k, v in text("/runs").items() if k != "from"}
    assert only(webhook(hidden, contacts=[{"user_id": "US.77"}])).ids == Ids("", "US.77")
    old = {k: v for k, v in text("/runs").items() if k != "from_user_id"}
    assert only(webhook(old, contacts=[])).ids == Ids("15551234", "")
    assert only(webhook(old, contacts=[{"user_id": "US.77"}])).ids == Ids("15551234", "US.77")
    nobody = {k: v for k, v in old.items() if k != "from"}
    assert only(webhook(nobody)).ids == Ids("15551234", "US.77")
    assert read(webhook(nobody, contacts=[]), PHONE_ID) == []


def test_a_contact_that_is_another_person_lends_nothing() -> None:
    other = {"wa_id": "15559999", "user_id": "US.99", "profile": {"name": "Ben"}}
    heard = only(webhook(text("/runs"), contacts=[other]))
    assert (heard.ids, heard.name) == (Ids("15551234", "US.77"), "")


def test_a_press_is_its_command() -> None:
    heard = only(webhook(press("/approve P1")))
    assert (heard.meant.command, heard.is_button) == ("/approve P1", True)
    template = text("", type="button", button={"payload": "/decline P1", "text": "Decline"})
    assert only(webhook(template)).meant.command == "/decline P1"
    chosen = {"type": "list_reply", "list_reply": {"id": "/status", "title": "Status"}}
    listed = text("", type="interactive", interactive=chosen)
    assert only(webhook(listed)).meant.command == "/status"


@pytest.mark.parametrize("kind", ["image", "audio", "location", "order", "request_welcome"])
def test_what_is_no_text_is_free_words(kind: str) -> None:
    said = {k: v for k, v in text("", type=kind).items() if k != "text"}
    assert only(webhook(said | {kind: {"caption": "approve P1"}})).meant == FREE


@pytest.mark.parametrize("value", [None, "", "soon", "1e9", [], {}, 10**20, "-5", True])
def test_a_time_that_is_none_does_not_lose_the_message(value: object) -> None:
    assert only(webhook(text("/runs", timestamp=value))).at == 0


def test_what_is_null_is_what_is_missing() -> None:
    said = text("/runs", interactive=None, button=None, context=None, system=None)
    contact = {"wa_id": "15551234", "user_id": None, "profile": None}
    heard = only(webhook(said, contacts=[contact, None, 4], statuses=None))
    assert (heard.meant.command, heard.name) == ("/runs", "")
    assert only(webhook(text("/runs") | {"from": 15551234})).ids.wa_id == "15551234"


@pytest.mark.parametrize(
    "raw",
    [
        webhook(text("x", type="reaction")),
        webhook(text("/approve P1", group_id="g1")),
        webhook(text("/runs"), phone_id="another number"),
        webhook(text("/runs"), field="message_echoes"),
        webhook({"type": "text"}),
        webhook(text("/runs", number="")),
        webhook(text("/runs", **{"from": "1" * 300, "from_user_id": "x" * 300}), contacts=[]),
        {"object": "whatsapp_business_account", "entry": []},
        {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "flows"}]}]},
        {"object": "whatsapp_business_account", "entry": [4, {"changes": [None, {}]}]},
        statuses({"id": "wamid.1", "status": "deleted"}, {"status": "read"}, {"id": "wamid.1"}),
    ],
)
def test_what_says_nothing(raw: object) -> None:
    assert read(raw, PHONE_ID) == []


def test_one_that_can_not_be_read_does_not_hide_the_others() -> None:
    good = webhook(text("/runs"))["entry"][0]["changes"][0]
    several = {
        "object": "whatsapp_business_account",
        "entry": [
            {"changes": [{"field": "messages", "value": 4}, good]},
            {"changes": [{"field": "messages", "value": {"metadata": 4}}]},
            {"changes": [good, good]},
        ],
    }
    assert len(read(several, PHONE_ID)) == 3
    assert len(read(webhook({"text": 4}, text("/runs"), text("/jobs", "wamid.2")), PHONE_ID)) == 2


@pytest.mark.parametrize(
    "raw", [None, [], {}, {"object": 1.5, "entry": {}}, json.loads('{"object":"x","entry":4}')]
)
def test_what_is_no_webhook(raw: object) -> None:
    with pytest.raises(Malformed):
        read(raw, PHONE_ID)


def test_statuses_name_their_delivery() -> None:
    ours: Json = {"id": "wamid.9", "status": "delivered", "timestamp": "7"}
    ours["biz_opaque_callback_data"] = carries("post:1#2", 3)
    assert only(statuses(ours)) == Became("wamid.9", "delivered", 7_000, "post:1#2", 3)
    for carried in ("", "post:1#2", "ratchet:post:1", "ratchet:#1", "ratchet:x#y"):
        became = only(statuses(ours | {"biz_opaque_callback_data": carried}))
        assert (became.delivery, became.part) == ("", 0)


def test_a_failure_has_its_reason() -> None:
    fault = {"code": 131049, "title": "Not sent", "error_data": {"details": "too many"}}
    became = only(statuses({"id": "wamid.9", "status": "failed", "errors": [None, fault]}))
    assert (became.status, became.code) == ("failed", 131049)
    assert became.error == "131049 Not sent. too many"
    assert only(statuses({"id": "wamid.9", "status": "failed"})).code == 0


def test_the_same_person_has_other_ids() -> None:
    system = {"type": "user_changed_number", "wa_id": "15550000", "user_id": "US.78", "body": "x"}
    moved = only(webhook(text("", type="system", system=system)))
    assert moved == Moved(Ids("15551234", "US.77"), Ids("15550000", "US.78"), 100_000)
    turned = {"user_id": {"previous": "US.77", "current": "US.78"}, "timestamp": 9}
    update = webhook(field="user_id_update", user_id_update=[turned, {}, None])
    assert only(update) == Moved(Ids("", "US.77"), Ids("", "US.78"), 9_000)
    other = {"type": "user_identity_changed", "body": "x"}
    assert read(webhook(text("", type="system", system=other)), PHONE_ID) == []


def test_the_stop_button_of_the_app_itself() -> None:
    chosen = {"wa_id": "15551234", "category": "marketing_messages", "timestamp": 9}
    raw = webhook(
        field="user_preferences",
        user_preferences=[chosen | {"value": "stop"}, chosen | {"value": "resume"}],
    )
    assert only(raw) == Refused(Ids("15551234", ""), 9_000)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {"id": _JSON, "type": st.sampled_from(["text", "system", "button", "interactive"])},
        optional={name: _JSON for name in ("from", "from_user_id", "text", "system", "timestamp")},
    ),
    _JSON,
)
def test_no_form_of_a_message_breaks_the_reading(message: Json, contacts: object) -> None:
    read(webhook(message, contacts=contacts), PHONE_ID)
