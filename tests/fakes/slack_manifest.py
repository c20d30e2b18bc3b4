"""Slack's rules for an app manifest, by its reference: which fields there are, and how long."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Text:
    most: int
    least: int = 0
    form: str = ""


@dataclass(frozen=True)
class Flag:
    pass


@dataclass(frozen=True)
class Number:
    pass


@dataclass(frozen=True)
class Many:
    of: "Rule"
    most: int
    least: int = 0
    unique: bool = False


@dataclass(frozen=True)
class Fields:
    """No other fields than these; `needs` are those that can't be left out."""

    known: Mapping[str, "Rule"]
    needs: frozenset[str] = field(default_factory=frozenset)


Rule = Text | Flag | Number | Many | Fields

_URL = Text(3_500, form=r"https?://\S+")
_PROMPTS = Many(
    Fields({"title": Text(200), "message": Text(4_000)}, frozenset({"title", "message"})), 4
)
_COMMAND = Fields(
    {
        "command": Text(32, 2, r"/[a-z0-9][a-z0-9_-]*"),
        "description": Text(2_000, 1),
        "usage_hint": Text(1_000, 1),
        "url": Text(3_000, form=r"https?://\S+"),
        "should_escape": Flag(),
    },
    frozenset({"command", "description"}),
)
_SHORTCUT = Fields(
    {
        "name": Text(24, 1),
        "type": Text(7, form="message|global"),
        "callback_id": Text(255, 1),
        "description": Text(150, 1),
    },
    frozenset({"name", "type", "callback_id", "description"}),
)
_NAMES = Many(Text(50, 1), 255, unique=True)

MANIFEST = Fields(
    {
        "_metadata": Fields({"major_version": Number(), "minor_version": Number()}),
        "display_information": Fields(
            {
                "name": Text(35, 1),
                "description": Text(140, 1),
                "long_description": Text(4_000, 175),
                "background_color": Text(7, 4, "#([0-9a-fA-F]{3}){1,2}"),
            },
            frozenset({"name"}),
        ),
        "features": Fields(
            {
                "agent_view": Fields(
                    {"agent_description": Text(300, 1), "suggested_prompts": _PROMPTS}
                ),
                "app_home": Fields(
                    dict.fromkeys(
                        (
                            "home_tab_enabled",
                            "messages_tab_enabled",
                            "messages_tab_read_only_enabled",
                        ),
                        Flag(),
                    )
                ),
                "bot_user": Fields(
                    {"display_name": Text(80, 1), "always_online": Flag()},
                    frozenset({"display_name"}),
                ),
                "shortcuts": Many(_SHORTCUT, 10, 1),
                "slash_commands": Many(_COMMAND, 50, 1),
            }
        ),
        "oauth_config": Fields(
            {
                "redirect_urls": Many(Text(2_500, 1, r"https?://\S+"), 1_000, unique=True),
                "scopes": Fields({"bot": _NAMES}),
            }
        ),
        "settings": Fields(
            {
                "event_subscriptions": Fields(
                    {"request_url": _URL, "bot_events": Many(Text(50, 1), 100, unique=True)}
                ),
                "interactivity": Fields(
                    {"is_enabled": Flag(), "request_url": _URL}, frozenset({"is_enabled"})
                ),
                "org_deploy_enabled": Flag(),
                "socket_mode_enabled": Flag(),
                "token_rotation_enabled": Flag(),
            }
        ),
    },
    frozenset({"display_information"}),
)


def faults(manifest: Any) -> list[str]:
    """What Slack would say against it."""
    return [*_against(manifest, MANIFEST, "manifest"), *_together(manifest)]


def _against(found: Any, rule: Rule, where: str) -> Iterator[str]:
    match rule:
        case Fields():
            if not isinstance(found, Mapping):
                yield f"{where}: no object"
                return
            yield from (f"{where}: unknown {key}" for key in found.keys() - rule.known.keys())
            yield from (f"{where}: no {key}" for key in rule.needs - found.keys())
            for key in found.keys() & rule.known.keys():
                yield from _against(found[key], rule.known[key], f"{where}.{key}")
        case Many():
            if not isinstance(found, list) or not rule.least <= len(found) <= rule.most:
                yield f"{where}: no list of {rule.least} to {rule.most}"
                return
            if rule.unique and len(set(found)) < len(found):
                yield f"{where}: something twice"
            for number, item in enumerate(found):
                yield from _against(item, rule.of, f"{where}[{number}]")
        case Text():
            if not isinstance(found, str) or not rule.least <= len(found) <= rule.most:
                yield f"{where}: no text of {rule.least} to {rule.most}"
            elif rule.form and not re.fullmatch(rule.form, found):
                yield f"{where}: not of the form {rule.form}"
        case Flag():
            if not isinstance(found, bool):
                yield f"{where}: not true or false"
        case Number():
            if not isinstance(found, int):
                yield f"{where}: no number"


def _together(manifest: Any) -> Iterator[str]:
    """What one part says about another: without Socket Mode everything needs an address."""
    settings, features = manifest.get("settings", {}), manifest.get("features", {})
    if settings.get("socket_mode_enabled"):
        return
    for name in ("event_subscriptions", "interactivity"):
        if "request_url" not in settings.get(name, {}):
            yield f"manifest.settings.{name}: no request_url, and no Socket Mode"
    for command in features.get("slash_commands", ()):
        if "url" not in command:
            yield f"{command.get('command')}: no url, and no Socket Mode"
