"""Only Slack gets in."""

import pytest

from handlers.slack.signing import is_signed, sign

SECRET, NOW = "8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618_000
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
    b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
DOCUMENTED = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def test_the_documented_example_is_signed() -> None:
    assert sign(SECRET, "1531420618", BODY) == DOCUMENTED
    assert is_signed(SECRET, "1531420618", DOCUMENTED, BODY, NOW)


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_an_old_or_early_request_is_not(seconds: int) -> None:
    assert not is_signed(SECRET, "1531420618", DOCUMENTED, BODY, NOW + seconds * 1000)


@pytest.mark.parametrize("seconds", [-299, 299])
def test_five_minutes_are_allowed(seconds: int) -> None:
    assert is_signed(SECRET, "1531420618", DOCUMENTED, BODY, NOW + seconds * 1000)


@pytest.mark.parametrize(
    ("secret", "stamp", "signature", "body"),
    [
        ("", "1531420618", DOCUMENTED, BODY),
        ("other", "1531420618", DOCUMENTED, BODY),
        (SECRET, "1531420618", DOCUMENTED, BODY + b"x"),
        (SECRET, "1531420619", DOCUMENTED, BODY),
        (SECRET, "1531420618", DOCUMENTED.upper(), BODY),
        (SECRET, "1531420618", "", BODY),
        (SECRET, "1531420618", "v0=é", BODY),
        (SECRET, "", DOCUMENTED, BODY),
        (SECRET, "١٥٣١", DOCUMENTED, BODY),
        (SECRET, "1e9", DOCUMENTED, BODY),
        (SECRET, "9" * 400, DOCUMENTED, BODY),
    ],
)
def test_anything_else_is_forged(secret: str, stamp: str, signature: str, body: bytes) -> None:
    assert not is_signed(secret, stamp, signature, body, NOW)
