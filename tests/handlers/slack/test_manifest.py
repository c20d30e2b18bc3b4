"""manifest.yml grants what the code uses, no less and no more than it can say why."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import COMMANDS
from handlers.slack.api import SCOPES
from handlers.slack.incoming import SUBSCRIBED
from handlers.slack.interactions import SHORTCUTS

ROOT = Path(__file__).parents[3]
OF_EVENTS = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "agent_session_stopped": "assistant:write",
    "app_context_changed": "assistant:write",
}
ALSO = {"commands", "channels:read", "im:read"}
"""Slash commands; and what names the channels and direct messages that events come from."""


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text())
    return found


def test_the_events_subscribed_to_are_the_events_listened_to(manifest: dict[str, Any]) -> None:
    events = manifest["settings"]["event_subscriptions"]["bot_events"]
    assert {event.split(".")[0] for event in events} == set(SUBSCRIBED)
    assert len(events) == len(set(events))
    assert {e for e in events if e.startswith("message.")} == {
        "message.im",
        "message.channels",
        "message.groups",
    }


def test_the_scopes_are_those_that_methods_and_events_need(manifest: dict[str, Any]) -> None:
    needed = {scope for scopes in SCOPES.values() for scope in scopes.split()}
    events = manifest["settings"]["event_subscriptions"]["bot_events"]
    needed |= {OF_EVENTS[event] for event in events if event in OF_EVENTS}
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    assert set(scopes) == needed | ALSO and len(scopes) == len(set(scopes))


def test_every_method_called_is_known_with_its_scopes() -> None:
    called: set[str] = set()
    for path in (ROOT / "handlers" / "slack").glob("*.py"):
        found = re.findall(
            r"(?:call|post|once|with_blocks)\(\s*\"([a-z]+\.[\w.]+)\"", path.read_text()
        )
        called.update(found)
    assert called - set(SCOPES) == set()
    chosen = {"conversations.history", "conversations.replies"}
    uploading = {"files.getUploadURLExternal"}
    installing = {"oauth.v2.access"}
    assert set(SCOPES) - called - chosen - uploading - installing == set()


def test_the_slash_commands_are_the_commands(manifest: dict[str, Any]) -> None:
    declared = [item["command"] for item in manifest["features"]["slash_commands"]]
    assert sorted(declared) == sorted(f"/{c.name}" for c in COMMANDS if c.slash and not c.hidden)


def test_the_shortcuts_are_those_the_code_knows(manifest: dict[str, Any]) -> None:
    shortcuts = manifest["features"]["shortcuts"]
    assert {item["callback_id"] for item in shortcuts} == set(SHORTCUTS)
    assert all(item["type"] == "message" for item in shortcuts)


def test_slacks_limits_are_kept(manifest: dict[str, Any]) -> None:
    assert manifest["_metadata"]["major_version"] == 2
    assert len(manifest["display_information"]["name"]) <= 35
    assert len(manifest["display_information"]["description"]) <= 140
    features = manifest["features"]
    assert "agent_view" in features and "assistant_view" not in features
    assert len(features["agent_view"]["agent_description"]) <= 300
    assert len(features["slash_commands"]) <= 50 and len(features["shortcuts"]) <= 10
    for item in features["slash_commands"]:
        assert re.fullmatch(r"/[a-z][a-z0-9_-]{0,30}", item["command"])
        assert len(item.get("usage_hint", "")) <= 1_000 and 0 < len(item["description"]) <= 2_000
    for item in features["shortcuts"]:
        assert len(item["name"]) <= 24 and len(item["description"]) <= 150
