"""The approval policy, kept in versions; it begins as it is shipped, or as the settings say."""

from pathlib import Path

import structlog

from bot.errors import BadInput, ConfigError, NotFound
from bot.improve.policy_text import parse
from bot.model.policy import Policy, PolicyVersion
from bot.ports.clock import Clock
from bot.ports.stores import Policies

log = structlog.get_logger()

_KNOWN = 100
_NOT_RIGHT = "These settings are not right, so nothing was started:\n  RATCHET_POLICY: "


def shipped() -> str:
    return Path(__file__).with_name("policy.yml").read_text("utf-8")


def seed(path: Path | None) -> str:
    """The text that version 0 is: a file of the settings, or what is shipped. Raises ConfigError."""
    if path is None:
        return shipped()
    try:
        text = path.read_text("utf-8")
        parse(text)
    except UnicodeDecodeError as error:
        raise ConfigError(said=f"{_NOT_RIGHT}{path} is no text in UTF-8.") from error
    except OSError as error:
        raise ConfigError(said=f"{_NOT_RIGHT}{path}: {error.strerror or error}.") from error
    except BadInput as error:
        faults = error.said.partition("\n")[2]
        raise ConfigError(said=f"{_NOT_RIGHT}{path} can't be used:\n{faults}") from error
    return text


class PolicyBook:
    """Every version of each workspace's policy. `home` is the workspace that `seed` is for."""

    def __init__(self, store: Policies, clock: Clock, home: str, seed: str) -> None:
        self._store, self._clock, self._home, self._seed = store, clock, home, seed
        self._read: dict[str, Policy] = {}

    async def current(self, workspace: str) -> Policy:
        """One that an older Ratchet took and this one can't read counts as the shipped one."""
        text = (await self.standing(workspace)).text
        if text not in self._read:
            if len(self._read) >= _KNOWN:
                self._read.clear()
            self._read[text] = self._parsed(workspace, text)
        return self._read[text]

    def _parsed(self, workspace: str, text: str) -> Policy:
        try:
            return parse(text)
        except BadInput as error:
            log.error("policy_unreadable", workspace=workspace, cause=str(error))
            return parse(shipped())

    async def standing(self, workspace: str) -> PolicyVersion:
        return await self._store.current(workspace) or self._first(workspace)

    async def set(self, workspace: str, text: str, by: str) -> PolicyVersion:
        """The next version; the same text as now is no new one. Raises BadInput."""
        parse(text)
        now = await self.standing(workspace)
        if now.text == text:
            return now
        return await self._store.add(workspace, text, by, self._clock.now())

    async def restore(self, workspace: str, version: int, by: str) -> PolicyVersion:
        """An earlier text as the next version. Raises NotFound."""
        if version == 0:
            return await self.set(workspace, self._first(workspace).text, by)
        found = await self._store.get(workspace, version)
        if found is None:
            said = f"There is no version {version}. /policy history lists them."
            raise NotFound(f"no policy version {version}", said=said)
        return await self.set(workspace, found.text, by)

    async def history(self, workspace: str) -> list[PolicyVersion]:
        """Newest first, the one it began with last."""
        return [*await self._store.list(workspace), self._first(workspace)]

    def _first(self, workspace: str) -> PolicyVersion:
        return PolicyVersion(0, self._seed if workspace == self._home else shipped())
