"""The five lines that `ratchet up` begins with: what runs, where, what is off, how to turn it on."""

import importlib.metadata
from collections.abc import Sequence

from bot.config import Settings
from bot.ports.channels import Channel

_MODEL = "OPENAI_API_KEY or OPENAI_BASE_URL (a model)"
_TOKENS = {
    "slack": ("Slack", "SLACK_BOT_TOKEN + SLACK_APP_TOKEN (Slack)"),
    "telegram": ("Telegram", "TELEGRAM_BOT_TOKEN (Telegram)"),
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

    A sixth line appears where people of a chat platform could need that code.
    """
    names = {channel.name for channel in channels}
    on = [f"{c.name} ({c.summary})" for c in channels if c.name != "web"]
    off = [name for channel, (name, _) in _TOKENS.items() if channel not in names]
    missing = [tokens for channel, (_, tokens) in _TOKENS.items() if channel not in names]
    model = f"model {settings.model}"
    if settings.offline:
        model, off, missing = "the offline model", ["a real model", *off], [_MODEL, *missing]
    if not by_meaning:
        off.append("search by meaning (memories are found by their words)")
        missing.append("RATCHET_EMBEDDING_MODEL_PATH (search by meaning)")
    shown = f"key {key}" if key else "key as set in RATCHET_API_KEY"
    version = importlib.metadata.version("ratchet-bot")
    lines = [
        f"Ratchet {version} is running. Open {url}" + (" or type here." if typing else ""),
        f"Where:   data in {settings.home.resolve()}; API at {url}/v1, {shown}",
        f"On:      {', '.join([model, _database(settings), _vectors(settings), 'web chat', *on])}",
        f"Off:     {', '.join(off) or 'nothing'}",
        f"Turn on: set {'; '.join(missing)} in the environment or .env, then start again"
        if missing
        else "Turn on: everything is on; `ratchet --help` says what else you can type",
    ]
    if claim and not settings.owners and names & set(_TOKENS):
        lines.append(
            f"Owner:   whoever says `/claim {claim}` first on a platform that has none yet"
        )
    return lines


def _database(settings: Settings) -> str:
    return "PostgreSQL" if settings.database_url.startswith("postgres") else "SQLite"


def _vectors(settings: Settings) -> str:
    return "a Qdrant server" if settings.qdrant_url else "embedded vectors"
