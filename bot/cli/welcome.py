"""The five lines that `ratchet up` begins with: what runs, where, what is off, how to turn it on."""

import importlib.metadata
from collections.abc import Sequence

from bot.config import Settings
from bot.ports.channels import Channel

_MODEL = "OPENAI_API_KEY (or OPENAI_BASE_URL) for a model"
_TOKENS = {
    "slack": "SLACK_BOT_TOKEN + SLACK_APP_TOKEN for Slack",
    "telegram": "TELEGRAM_BOT_TOKEN for Telegram",
    "whatsapp": "WHATSAPP_TOKEN for WhatsApp",
}


def welcome(settings: Settings, channels: Sequence[Channel], url: str, key: str) -> list[str]:
    """`key` is "" where it should not be shown, because someone chose it."""
    on = [f"{channel.name} ({channel.summary})" for channel in channels if channel.summary]
    names = {channel.name for channel in channels}
    off = [name for name in _TOKENS if name not in names]
    missing = [_TOKENS[name] for name in off]
    model = f"model {settings.model}"
    if settings.offline:
        model, off = "offline model", ["a connected model", *off]
        missing.insert(0, _MODEL)
    turn_on = "; ".join(missing)
    shown = f"key {key}" if key else "key as set in RATCHET_API_KEY"
    version = importlib.metadata.version("ratchet-bot")
    return [
        f"Ratchet {version} is running. Web chat: {url}   API: {url}/v1, {shown}",
        f"Data:    {settings.home.resolve()} ({_database(settings)}, {_vectors(settings)})",
        f"On:      {'; '.join([model, *on])}",
        f"Off:     {', '.join(off) or 'nothing'}",
        f"Turn on: {turn_on}; set it in the environment or in .env, then start again"
        if turn_on
        else "Turn on: nothing is missing; `ratchet --help` says what you can type",
    ]


def _database(settings: Settings) -> str:
    return "PostgreSQL" if settings.database_url.startswith("postgres") else "SQLite"


def _vectors(settings: Settings) -> str:
    return "Qdrant server" if settings.qdrant_url else "embedded vectors"
