"""What `ratchet up` begins with, line by line."""

from pathlib import Path

from bot import config
from bot.cli.welcome import welcome
from tests.fakes.recording_channel import RecordingChannel

URL = "http://127.0.0.1:8420"


def lines(home: Path, *names: str, key: str = "rk-1", claim: str = "", **environ: str) -> list[str]:
    settings = config.load({"RATCHET_HOME": str(home), **environ}, home.parent)
    channels = [RecordingChannel(name) for name in names]
    return welcome(settings, channels, URL, key, claim, typing=False, by_meaning=True)


def test_the_key_can_be_selected_whole(tmp_path: Path) -> None:
    said = lines(tmp_path, "web")
    assert len(said) == 5 and said[1].split()[:2] == ["Key:", "rk-1"]
    chosen = lines(tmp_path, "web", key="")
    assert len(chosen) == 5 and "key as set in RATCHET_API_KEY" in chosen[1]


def test_whoever_may_claim_is_told_on_the_platforms_line(tmp_path: Path) -> None:
    tokens = {"TELEGRAM_BOT_TOKEN": "123456:fake-token"}
    assert "/claim c0de" in lines(tmp_path, "web", "telegram", claim="c0de", **tokens)[2]
    assert "!claim" not in lines(tmp_path, "web", "telegram", claim="c0de", **tokens)[2]
    slack = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    assert "in Slack `!claim c0de`" in lines(tmp_path, "web", "slack", claim="c0de", **slack)[2]
    owned = {**tokens, "RATCHET_OWNERS": "telegram:7"}
    assert "/claim" not in lines(tmp_path, "web", "telegram", claim="c0de", **owned)[2]


def test_platforms_are_named_alike_on_and_off(tmp_path: Path) -> None:
    on, off = lines(tmp_path, "web", "telegram", TELEGRAM_BOT_TOKEN="123456:fake-token")[2:4]
    assert "Telegram (" in on and "should" not in on
    assert "Slack" in off and "Telegram" not in off


def test_tokens_of_another_form_are_doubted_and_not_shown(tmp_path: Path) -> None:
    tokens = {"SLACK_BOT_TOKEN": "xapp-9", "SLACK_APP_TOKEN": "xoxb-9", "TELEGRAM_BOT_TOKEN": "me"}
    on = lines(tmp_path, "web", "slack", "telegram", **tokens)[2]
    for doubt in (
        "SLACK_BOT_TOKEN should begin with xoxb-",
        "SLACK_APP_TOKEN should begin with xapp-",
        "TELEGRAM_BOT_TOKEN should look like 123456:ABC",
    ):
        assert doubt in on
    assert "-9" not in on


def test_what_is_set_for_a_platform_that_is_off_is_not_passed_over(tmp_path: Path) -> None:
    off = lines(
        tmp_path,
        "web",
        SLACK_APP_TOKEN="xapp-9",
        TELEGRAM_WEBHOOK_URL="https://bot.example.org",
        RATCHET_ADMIN_CHANNEL="whatsapp:15551234567",
    )[3]
    assert "Slack (though there is SLACK_APP_TOKEN)" in off
    assert "Telegram (though there is TELEGRAM_WEBHOOK_URL)" in off
    assert "WhatsApp (though there is RATCHET_ADMIN_CHANNEL)" in off and "-9" not in off


def test_whatsapp_says_what_it_still_needs(tmp_path: Path) -> None:
    given = {"WHATSAPP_TOKEN": "EAAB", "WHATSAPP_PHONE_ID": "1066", "WHATSAPP_APP_SECRET": "s"}
    on = lines(tmp_path, "web", "whatsapp", claim="c0de", **given)[2]
    assert "; but it needs WHATSAPP_VERIFY_TOKEN too" in on and "/claim c0de" in on
    whole = lines(tmp_path, "web", "whatsapp", **given, WHATSAPP_VERIFY_TOKEN="words")
    assert "needs" not in whole[2] and "WhatsApp" not in whole[3]
