"""Secrets go, words stay, and doing it twice changes nothing."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.redaction import Redactor

PLAIN = Redactor()
WITH_EMAILS = Redactor(emails=True)

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75\n-----END RSA PRIVATE KEY-----"
SECRETS = [
    "sk-abcdefghijklmnopqrstuvwx",
    "sk-proj-abc_DEF-0123456789abcdefghij",
    "sk-ant-api03-abcdefghijklmnop",
    "xoxb-123456789012-abcdefABCDEF",
    "xapp-1-A012ABCD0EF-1234567890-abcdef",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuv",
    "AKIAIOSFODNN7EXAMPLE",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc",
    "sk_" + "live_abcdefghijklmnopqrstuvwx",
    "whsec_abcdefghijklmnopqrstuvwx",
    JWT,
    PEM,
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_key_goes_and_the_words_around_it_stay(secret: str) -> None:
    out = PLAIN.text(f"use ({secret}) for it")

    assert out.startswith("use (") and out.endswith(") for it")
    assert secret.rpartition(":")[2] not in out
    assert "[redacted: " in out


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Bearer abc.def", "abc.def"),
        ('{"authorization": "Basic dXNlcjpwYXNz"}', "dXNlcjpwYXNz"),
        ("curl -H 'authorization: hunter22'", "hunter22"),
        ("it says Bearer 0a1b2c3d4e5f6a7b", "0a1b2c3d4e5f6a7b"),
        ("password=hunter", "hunter"),
        ('db_password = "two words"', "two words"),
        ("https://x.test/?token=abcdef&page=2", "abcdef"),
        ("api_key: 12ab34", "12ab34"),
        ("password: hunter\nuser: me", "hunter"),
        ('{"client_secret": "s h h"}', "s h h"),
        ('{\\"password\\": \\"hunter2\\"}', "hunter2"),
        ("postgresql://ratchet:p@ss@db.test/ratchet", "p@ss"),
        ("redis://:hunter2@cache.test", "hunter2"),
        (
            "AKIAIOSFODNN7EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
    ],
)
def test_what_is_assigned_to_a_secret_name_goes(text: str, hidden: str) -> None:
    out = PLAIN.text(text)

    assert hidden not in out
    assert "[redacted: " in out


@pytest.mark.parametrize(
    "card",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "5500000000000004",
        "2223 0031 2200 3222",
        "378282246310005",
        "3782 822463 10005",
        "6011111111111117",
        "30569309025904",
        "3530111333300000",
        "4222222222222",
        "6304000000000000",
        "4111-11111111-1111",
        "6212345678900000003",
        "visa-4111-1111-1111-1111",
    ],
)
def test_card_numbers_go_however_they_are_written(card: str) -> None:
    out = PLAIN.text(f"pay with {card}, please")

    assert out.removeprefix("pay with ").removeprefix("visa-") == "[redacted: card], please"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "What did we decide about the deploy on Tuesday?",
        "4111 1111 1111 1112 fails the check digit",
        "at 1780000000000 ms or 1780000000000000 us",
        "run 01915555-1234-7123-8123-012345678901 of 2026-11-20 22:10:50",
        "order 12345678901234567890 and call +49 170 1234567",
        "0191f3a4-2b21-4111-8111-1111b2c3d4e5 and 19f3a4b1-4111-1111-1111-1111b2c3d4e5",
        "at 52.12345678901237, 0.4111111111111111 or 1732140000.123456",
        "between 2024 2025 2026 2032 or 1200 1300 1400 1508",
        "digest da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "The password: ask the owner for it. Tokens: 12 in, 3 out, max_tokens=2048",
        "the bearer of bad news is a basic responsibility of everyone",
        "see https://docs.test:8080/a@b and mail the owner",
        "keep task-based-scheduling and sk-learn apart",
        "مرحبا بالعالم 👩‍💻 שלום",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert PLAIN.text(text) == text


def test_a_card_stands_out_from_the_digits_around_it() -> None:
    assert PLAIN.text("1 4111 1111 1111 1111 12/29 123") == "1 [redacted: card] 12/29 123"


def test_mail_addresses_go_only_where_the_setting_says_so() -> None:
    text = "write to first.last+tag@mail.example.org, soon"

    assert PLAIN.text(text) == text
    assert WITH_EMAILS.text(text) == "write to [redacted: email], soon"


def test_what_a_database_cannot_store_is_taken_out() -> None:
    assert PLAIN.text("a\0b\ud800c\udfff") == "abc"
    assert PLAIN.text("\ud83d\ude00 ok") == "😀 ok"


def test_values_are_cleaned_at_any_depth_by_content_and_by_name() -> None:
    value = {
        "headers": {"X-Api-Key": "abc", "Cookie": "a=b", "accept": "text/html"},
        "SLACK_BOT_TOKEN": 12345,
        "max_tokens": 2048,
        "tokens_in": 7,
        "password": None,
        "note\0": ["sk-abcdefghijklmnopqrstuvwx", 4111111111111111, 1780000000000, 1.5, True],
        "bad": float("nan"),
        "credentials": {"user": "me", "password": "x"},
    }

    assert PLAIN.value(value) == {
        "headers": {
            "X-Api-Key": "[redacted: key]",
            "Cookie": "[redacted: key]",
            "accept": "text/html",
        },
        "SLACK_BOT_TOKEN": "[redacted: key]",
        "max_tokens": 2048,
        "tokens_in": 7,
        "password": None,
        "note": ["[redacted: key]", "[redacted: card]", 1780000000000, 1.5, True],
        "bad": None,
        "credentials": "[redacted: key]",
    }


def test_a_value_nested_beyond_reason_is_cut() -> None:
    deep: object = "end"
    for _ in range(5_000):
        deep = [deep]

    assert "cut: nested too deep" in json.dumps(PLAIN.value(deep))


PIECES = st.sampled_from(
    [*SECRETS, "password=", "token: ", '"', "'", "\n", " ", "Bearer ", "://", "@", ":", "\0", "=",
     "4111", "1111", "-", "\ud800", "authorization", "[redacted: ", "]", "eyJ", "sk-", "&", "\\"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=14).map("".join))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    once = WITH_EMAILS.text(text)

    assert WITH_EMAILS.text(once) == once
    assert "\0" not in once
    once.encode()


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SECRETS[:12]), st.text(max_size=30), st.text(max_size=30))
def test_no_surroundings_save_a_secret(secret: str, before: str, after: str) -> None:
    out = PLAIN.text(f"{before} {secret} {after}")

    assert secret not in out


@settings(max_examples=300, deadline=None)
@given(st.uuids(), st.integers(10**12, 2 * 10**12), st.floats(0, 100))
def test_ids_times_and_measures_stay(id: object, at: int, measure: float) -> None:
    text = f"run {id} at {at} took {measure} ({str(id).replace('-', '')})"

    assert PLAIN.text(text) == text


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=12,
    )
)
def test_values_stay_values_that_json_can_carry(value: object) -> None:
    out = PLAIN.value(value)

    assert PLAIN.value(out) == out
    json.dumps(out, allow_nan=False).encode()


@pytest.mark.parametrize(
    "piece",
    ["1 ", "4111 ", "a@", "eyJ", "eyJaaaaa.", "sk-", "password: a ", "token= ", "://a:", "Bearer ",
     "-----BEGIN PRIVATE KEY", "authorization: ", "xoxb-", "[redacted: ", "1", "a"],
)  # fmt: skip
def test_a_megabyte_of_anything_comes_out(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))

    assert len(WITH_EMAILS.text(text)) > 0
