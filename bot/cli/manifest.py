"""`ratchet manifest`: what Slack must grant, for Socket Mode or for signed HTTP."""

import copy
import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from bot import config
from bot.errors import BadInput, NotFound

_FILE = Path(__file__).parents[2] / "manifest.yml"
_LONGEST = 32
"""Characters of a slash command, with its slash."""

Manifest = dict[str, Any]


def manifest(http: str | None, prefix: str | None, as_json: bool) -> int:
    """Prints it; what else has to be set goes to stderr."""
    asked = config.load().command_prefix if prefix is None else prefix
    made = shaped(_read(_FILE), http or "", asked)
    if as_json:
        print(json.dumps(made, indent=2, ensure_ascii=False))
    else:
        print(yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=100), end="")
    if prefix:
        print(f"Set RATCHET_COMMAND_PREFIX={prefix.rstrip('-')} as well.", file=sys.stderr)
    if http:
        print("Set SLACK_SIGNING_SECRET, and start Ratchet before Slack asks it.", file=sys.stderr)
    return 0


def shaped(found: Manifest, http: str, prefix: str) -> Manifest:
    """The manifest with slash commands that begin with `prefix`, and with the addresses of a
    server at `http` in place of Socket Mode. Pure. Raises BadInput."""
    made = copy.deepcopy(found)
    commands, settings = made["features"]["slash_commands"], made["settings"]
    if prefix:
        _rename(commands, prefix.rstrip("-"))
    if http:
        base = _base(http)
        events = f"{base}/slack/events"
        settings["socket_mode_enabled"] = False
        subscribed = settings["event_subscriptions"]
        settings["event_subscriptions"] = {"request_url": events, **subscribed}
        settings["interactivity"]["request_url"] = events
        for command in commands:
            command["url"] = events
        oauth = made["oauth_config"]
        made["oauth_config"] = {"redirect_urls": [f"{base}/slack/oauth_redirect"], **oauth}
    return made


def _rename(commands: list[dict[str, str]], prefix: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", prefix):
        raise BadInput(
            f"prefix {prefix!r}", said="A prefix is a short word of small letters, such as rt."
        )
    longest = max((command["command"] for command in commands), key=len)
    if len(longest) + len(prefix) + 1 > _LONGEST:
        most = _LONGEST - len(longest) - 1
        raise BadInput(
            f"prefix {prefix!r} is too long",
            said=f"Slack takes {_LONGEST} characters a command: with {longest} the prefix may have "
            f"{most}.",
        )
    for command in commands:
        command["command"] = f"/{prefix}-{command['command'].removeprefix('/')}"


def _base(url: str) -> str:
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.scheme not in ("https", "http"):
        raise BadInput(f"url {url!r}", said="Give the server's address, as https://your.host")
    if parts.scheme == "http" and not local:
        raise BadInput(f"url {url!r}", said="Slack calls https addresses only: https://your.host")
    if parts.query or parts.fragment:
        raise BadInput(f"url {url!r}", said="Give the address without ? and #.")
    return url.rstrip("/").removesuffix("/slack/events")


def _read(path: Path) -> Manifest:
    try:
        found: Manifest = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        said = f"{path} can't be read: {error.strerror}. It comes with the source of Ratchet."
        raise NotFound(str(error), said=said) from error
    return found
