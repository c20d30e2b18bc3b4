"""The end of an installation: Slack says that the bot's token is good for nothing any more."""

from collections.abc import Mapping
from typing import Any

from bot.ports.clock import Clock
from bot.ports.stores import Installations
from handlers.slack.api import REJECTED, Refused
from handlers.slack.incoming import HOME, part_of, text_of
from handlers.slack.teams import Team, Teams

_KEPT = 1_000
_CLOCKS_DIFFER = 5_000
"""Milliseconds between Slack's clock and ours."""


class Leaving:
    """The listener of `app_uninstalled` and `tokens_revoked`: the token is erased, and what waits
    to be sent there ends as failed."""

    def __init__(
        self, teams: Teams, installations: Installations | None, clock: Clock, log: Any
    ) -> None:
        self._teams, self._installations = teams, installations
        self._clock, self._log = clock, log
        self._known: dict[str, None] = {}

    async def on_removed(self, body: dict[str, Any]) -> None:
        event_id = text_of(body.get("event_id"))
        if not ends(body) or event_id in self._known:
            return
        team = await self._teams.of_body(body)
        if team is None:
            return
        kind = text_of(part_of(body.get("event")).get("type"))
        if team.workspace == HOME:
            self._log.error("slack_app_removed", kind=kind, do="Install the app again; restart.")
        elif self._installations and not await self._is_stale(body, team, self._installations):
            await self._installations.remove(team.workspace, self._clock.now())
            self._teams.forget(team.workspace)
            self._log.warning("slack_app_removed", kind=kind, workspace=team.workspace)
        if event_id:
            self._remember(event_id)

    async def _is_stale(self, body: Mapping[str, Any], team: Team, kept: Installations) -> bool:
        """Whether it tells of an earlier installation: it is older than this one, whose token
        Slack still takes."""
        installation = await kept.get(team.workspace)
        told = body.get("event_time")
        if installation is None or not isinstance(told, int):
            return False
        if told * 1000 >= installation.installed_at - _CLOCKS_DIFFER:
            return False
        try:
            await team.api.call("auth.test")
        except Refused as error:
            return error.code not in REJECTED
        return True

    def _remember(self, event_id: str) -> None:
        """Slack may say it again after the app was installed anew."""
        self._known[event_id] = None
        if len(self._known) > _KEPT:
            self._known.pop(next(iter(self._known)))


def ends(body: Mapping[str, Any]) -> bool:
    """Whether an event says that the bot's token is no longer good."""
    event = part_of(body.get("event"))
    if event.get("type") == "app_uninstalled":
        return True
    bots = part_of(event.get("tokens")).get("bot")
    return event.get("type") == "tokens_revoked" and isinstance(bots, list) and bool(bots)
