"""The end of an installation: Slack says that the bot's token is good for nothing any more."""

from collections.abc import Mapping
from typing import Any

from bot.ports.clock import Clock
from bot.ports.stores import Installations
from handlers.slack.home import Once
from handlers.slack.incoming import HOME, part_of, text_of
from handlers.slack.teams import Teams


class Leaving:
    """The listener of `app_uninstalled` and `tokens_revoked`: the token is erased, and what waits
    to be sent there ends as failed. `once` is True for the first with an event id, ever."""

    def __init__(
        self, teams: Teams, installations: Installations | None, once: Once, clock: Clock, log: Any
    ) -> None:
        self._teams, self._installations = teams, installations
        self._once, self._clock, self._log = once, clock, log

    async def on_removed(self, body: dict[str, Any]) -> None:
        if not ends(body):
            return
        team = await self._teams.of_body(body)
        event_id = text_of(body.get("event_id"))
        # Slack may say it again, after the app was installed anew and after a restart of ours.
        key = f"slack-gone:{event_id}"[:300]
        if team is None or (event_id and not await self._once(team.workspace, key)):
            return
        kind = text_of(part_of(body.get("event")).get("type"))
        if team.workspace == HOME:
            self._log.error("slack_app_removed", kind=kind, do="Install the app again; restart.")
        elif self._installations:
            await self._installations.remove(team.workspace, self._clock.now())
            self._teams.forget(team.workspace)
            self._log.warning("slack_app_removed", kind=kind, workspace=team.workspace)


def ends(body: Mapping[str, Any]) -> bool:
    """Whether an event says that the bot's token is no longer good."""
    event = part_of(body.get("event"))
    if event.get("type") == "app_uninstalled":
        return True
    bots = part_of(event.get("tokens")).get("bot")
    return event.get("type") == "tokens_revoked" and isinstance(bots, list) and bool(bots)
