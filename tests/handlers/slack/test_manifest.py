"""manifest.yml grants what the code uses, no less and no more than it can say why."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli.manifest import shaped
from bot.errors import BadInput
from commands import COMMANDS
from handlers.slack.api import SCOPES, bot_scopes
from handlers.slack.incoming import SUBSCRIBED, Me, from_slash
from handlers.slack.interactions import SHORTCUTS
from tests.fakes.slack_manifest import faults
from tests.fakes.slack_payloads import BOT, BOT_ID, TEAM, slash

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
    assert set(scopes) == bot_scopes(), "the install page asks for the same"


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


def test_slack_takes_it(manifest: dict[str, Any]) -> None:
    assert faults(manifest) == []
    assert manifest["_metadata"]["major_version"] == 2
    assert "assistant_view" not in manifest["features"]


def test_slack_takes_it_for_signed_http_with_every_address(manifest: dict[str, Any]) -> None:
    made = shaped(manifest, "https://bot.example.com/", "")
    assert faults(made) == []
    settings, url = made["settings"], "https://bot.example.com/slack/events"
    assert not settings["socket_mode_enabled"]
    assert settings["event_subscriptions"]["request_url"] == url
    assert settings["interactivity"]["request_url"] == url
    assert {command["url"] for command in made["features"]["slash_commands"]} == {url}
    redirect = "https://bot.example.com/slack/oauth_redirect"
    assert made["oauth_config"]["redirect_urls"] == [redirect]
    assert manifest["settings"]["socket_mode_enabled"], "the original stays"


@pytest.mark.parametrize("prefix", ["rt", "rt-", "team-bot", "a" * 17])
def test_a_prefix_is_understood_when_it_comes_back(manifest: dict[str, Any], prefix: str) -> None:
    made = shaped(manifest, "", prefix)
    assert faults(made) == []
    names = {name for c in COMMANDS for name in (c.name, *c.aliases)}
    for command, plain in zip(
        made["features"]["slash_commands"], manifest["features"]["slash_commands"], strict=True
    ):
        body = slash(command["command"], "x")
        heard = from_slash(body, Me(BOT, BOT_ID, TEAM), names, "d", prefix.rstrip("-"))
        assert heard is not None and heard.text == f"{plain['command']} x"


@pytest.mark.parametrize("prefix", ["RT", "r t", "ü", "/rt", "a" * 18])
def test_a_prefix_slack_would_not_take_is_refused(manifest: dict[str, Any], prefix: str) -> None:
    with pytest.raises(BadInput):
        shaped(manifest, "", prefix)


@pytest.mark.parametrize(
    "url", ["bot.example.com", "http://bot.example.com", "https://", "ftp://x", "https://x/?a=b"]
)
def test_an_address_slack_would_not_call_is_refused(manifest: dict[str, Any], url: str) -> None:
    with pytest.raises(BadInput):
        shaped(manifest, url, "")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: m["display_information"].update(name="n" * 36),
        lambda m: m["features"]["slash_commands"][0].update(command="/" + "c" * 32),
        lambda m: m["features"]["slash_commands"].extend(m["features"]["slash_commands"] * 3),
        lambda m: m["features"].update(assistant_view={}),
        lambda m: m["settings"].update(socket_mode_enabled=False),
        lambda m: m["settings"]["event_subscriptions"]["bot_events"].append("message.im"),
        lambda m: m.pop("display_information"),
    ],
)
def test_the_rules_find_what_slack_would_refuse(
    manifest: dict[str, Any], spoil: Callable[[dict[str, Any]], object]
) -> None:
    spoiled = copy.deepcopy(manifest)
    spoil(spoiled)
    assert faults(spoiled)
