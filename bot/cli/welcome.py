"""The five lines that `ratchet up` begins with: what runs, where, what is off, how to turn it on."""

import importlib.metadata
import re
from collections.abc import Sequence

from pydantic import SecretStr

from bot.config import Settings
from bot.ports.channels import Channel

_MODEL = "OPENAI_API_KEY or OPENAI_BASE_URL (a model)"
_TOKENS = {
    "slack": ("Slack", "SLACK_BOT_TOKEN + SLACK_APP_TOKEN (Slack)"),
    "telegram": ("Telegram", "TELEGRAM_BOT_TOKEN (Telegram)"),
    "whatsapp": ("WhatsApp", "WHATSAPP_TOKEN and three more (WhatsApp)"),
}
_FORMS = {
    "SLACK_BOT_TOKEN": (re.compile(r"xox[be]"), "begin with xoxb-"),
    "SLACK_APP_TOKEN": (re.compile(r"xapp-"), "begin with xapp-"),
    "TELEGRAM_BOT_TOKEN": (re.compile(r"\d+:\S"), "look like 123456:ABC"),
}


def welcome(
    settings: Settings,
    channels: Sequence[Channel],
    url: str,
    key: str,
    claim: str,
    typing: bool,
    by_meaning: bool,
) -> list[str]:
    """`key` is "" where someone chose it, `claim` the code that makes its first user the owner;
    `by_meaning` says how memories are found.

    The key begins its line, so that it is whole in 80 columns and can be selected.
    """
    names = {channel.name for channel in channels}
    shown = [c for c in channels if c.name != "web"]
    on = [f"{_name(c.name)} ({c.summary}{_doubts(settings, c.name)})" for c in shown]
    off = [_name(c) + _unused(settings, c) for c in _TOKENS if c not in names]
    missing = [tokens for channel, (_, tokens) in _TOKENS.items() if channel not in names]
    model = f"model {settings.model}"
    if settings.offline:
        model, off, missing = "the offline model", ["a real model", *off], [_MODEL, *missing]
    if not by_meaning:
        off.append("search by meaning (memories are found by their words)")
        missing.append("RATCHET_EMBEDDING_MODEL_PATH (search by meaning)")
    where = f"data in {settings.home.resolve()}; API at {url}/v1"
    version = importlib.metadata.version("ratchet-bot")
    running = [model, _database(settings), _vectors(settings), "web chat", *on]
    owner = ""
    if claim and not settings.owners and names & set(_TOKENS):
        owner = f"; whoever says `/claim {claim}` first on a platform owns it there"
        if "slack" in names:  # which has no such slash command
            owner += f" (in Slack `!claim {claim}`)"
    return [
        f"Ratchet {version} is running. Open {url}" + (" or type here." if typing else ""),
        f"Key:     {key}  ({where})" if key else f"Where:   {where}, key as set in RATCHET_API_KEY",
        f"On:      {', '.join(running)}{owner}",
        f"Off:     {', '.join(off) or 'nothing'}",
        f"Turn on: set {'; '.join(missing)} in the environment or .env, then start again; "
        "docs/howto has the steps"
        if missing
        else "Turn on: everything is on; `ratchet --help` says what else you can type",
    ]


def _doubts(settings: Settings, channel: str) -> str:
    """Tokens that can't be what they are set as, and what is missing beside them; the platform has
    the last word."""
    tokens: dict[str, dict[str, SecretStr | None]] = {
        "slack": {
            "SLACK_BOT_TOKEN": settings.slack_bot_token,
            "SLACK_APP_TOKEN": settings.slack_app_token,
        },
        "telegram": {"TELEGRAM_BOT_TOKEN": settings.telegram_bot_token},
    }
    doubts = [
        f"{name} should {_FORMS[name][1]}"
        for name, token in tokens.get(channel, {}).items()
        if token and not _FORMS[name][0].match(token.get_secret_value())
    ]
    if channel == "whatsapp" and (missing := _whatsapp(settings, present=False)):
        doubts.append(f"it needs {', '.join(missing)} too")
    if doubts:
        return f"; but {' and '.join(doubts)}"
    return ""


def _unused(settings: Settings, channel: str) -> str:
    """What is set for a platform that is off."""
    given: dict[str, dict[str, object]] = {
        "slack": {
            "SLACK_APP_TOKEN": settings.slack_app_token,
            "SLACK_SIGNING_SECRET": settings.slack_signing_secret,
        },
        "telegram": {
            "TELEGRAM_WEBHOOK_URL": settings.telegram_webhook_url,
            "TELEGRAM_WEBHOOK_SECRET": settings.telegram_webhook_secret,
        },
        "whatsapp": dict.fromkeys(_whatsapp(settings, present=True), True),
    }
    names = [name for name, value in given[channel].items() if value]
    if settings.admin_channel and f"{channel}:" in settings.admin_channel:
        names.append("RATCHET_ADMIN_CHANNEL")
    return f" (though there is {' and '.join(names)})" if names else ""


def _whatsapp(settings: Settings, *, present: bool) -> list[str]:
    """Which of the settings that go with WHATSAPP_TOKEN are there, or are not."""
    values = {
        "WHATSAPP_PHONE_ID": settings.whatsapp_phone_id,
        "WHATSAPP_APP_SECRET": settings.whatsapp_app_secret,
        "WHATSAPP_VERIFY_TOKEN": settings.whatsapp_verify_token,
    }
    return [name for name, value in values.items() if bool(value) is present]


def _name(channel: str) -> str:
    return _TOKENS[channel][0] if channel in _TOKENS else channel


def _database(settings: Settings) -> str:
    return "PostgreSQL" if settings.database_url.startswith("postgres") else "SQLite"


def _vectors(settings: Settings) -> str:
    return "a Qdrant server" if settings.qdrant_url else "embedded vectors"
