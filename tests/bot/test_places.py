"""Places: threads are no places of their own, and one person's chat is one place."""

from bot.places import Place, named, own_chat, spoken_in


def test_a_slack_channel_is_one_place_whatever_the_thread() -> None:
    said = {"channel": "C1", "user": "U1", "thread_ts": "1.2", "response_url": "https://x"}
    place = spoken_in("slack", said, "U1")
    assert place and (place.name, place.address, place.own) == ("C1", {"channel": "C1"}, False)


def test_a_direct_message_is_the_persons_own_chat() -> None:
    for channel, said, person in (
        ("slack", {"channel": "D1", "user": "U1"}, "U1"),
        ("telegram", {"chat_id": 7, "user_id": 7, "reply_to": None}, "7"),
        ("whatsapp", {"to": "1555", "wa_id": "1555", "user_id": "US.9"}, "US.9"),
    ):
        place = spoken_in(channel, said, person)
        assert place and place.own and place.name == person
        assert place == own_chat(channel, person, said)


def test_a_forum_topic_is_a_place_of_its_own() -> None:
    place = spoken_in("telegram", {"chat_id": -5, "thread_id": 3, "after": 9, "user_id": 7}, "7")
    assert place and place.address == {"chat_id": -5, "thread_id": 3} and place.name == "-5:3"


def test_whatsapp_keeps_both_ids() -> None:
    place = own_chat("whatsapp", "US.9", {"to": "1555", "wa_id": "1555", "user_id": "US.9", "x": 1})
    assert place.address == {"to": "1555", "wa_id": "1555", "user_id": "US.9"}


def test_nothing_goes_unasked_to_a_page_or_a_terminal() -> None:
    assert spoken_in("web", {"to": "c1"}, "owner") is None
    assert spoken_in("slack", {}, "U1") is None


def test_what_the_settings_name_is_the_place_that_a_saying_there_gives() -> None:
    for where, address, person in (
        ("slack:C1", {"channel": "C1"}, "U1"),
        ("slack:U1", {"channel": "D1"}, "U1"),
        ("telegram:-5", {"chat_id": "-5"}, "7"),
        ("telegram:7", {"chat_id": "7"}, "7"),
        ("whatsapp:1555", {"to": "1555"}, "1555"),
    ):
        assert named(where) == spoken_in(where.partition(":")[0], address, person)
    assert named("telegram:@news") == Place("telegram", "@news", {"chat_id": "@news"}, own=False)
    assert named("console") is None and named("slack:") is None
