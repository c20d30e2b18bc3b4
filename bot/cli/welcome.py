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
}
_NAMES = {"slack": "Slack", "telegram": "Telegram", "whatsapp": "WhatsApp"}
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
    on = [f"{_NAMES.get(c.name, c.name)} ({c.summary}{_doubts(settings, c.name)})" for c in shown]
    off = [name for channel, (name, _) in _TOKENS.items() if channel not in names]
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
    return [
        f"Ratchet {version} is running. Open {url}" + (" or type here." if typing else ""),
        f"Key:     {key}  ({where})" if key else f"Where:   {where}, key as set in RATCHET_API_KEY",
        f"On:      {', '.join(running)}{owner}",
        f"Off:     {', '.join(off) or 'nothing'}",
        f"Turn on: set {'; '.join(missing)} in the environment or .env, then start again"
        if missing
        else "Turn on: everything is on; `ratchet --help` says what else you can type",
    ]


def _doubts(settings: Settings, channel: str) -> str:
    """Tokens that can't be what they are set as; the platform has the last word."""
    tokens: dict[str, dict[str, SecretStr | None]] = {
        "slack": {
            "SLACK_BOT_TOKEN": settings.slack_bot_token,
            "SLACK_APP_TOKEN": settings.slack_app_token,
        },
        "telegram": {"TELEGRAM_BOT_TOKEN": settings.telegram_bot_token},
    }
    return "".join(
        f"; but {name} should {_FORMS[name][1]}"
        for name, token in tokens.get(channel, {}).items()
        if token and not _FORMS[name][0].match(token.get_secret_value())
    )


def _database(settings: Settings) -> str:
    return "PostgreSQL" if settings.database_url.startswith("postgres") else "SQLite"


def _vectors(settings: Settings) -> str:
    return "a Qdrant server" if settings.qdrant_url else "embedded vectors"
