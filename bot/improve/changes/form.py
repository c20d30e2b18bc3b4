"""What a maker is given and gives: the roster as it stands, and what would stand there instead."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from bot.errors import Conflict, NotFound
from bot.model.agent import AgentVersion, from_spec
from bot.model.proposal import Proposal

Roster = Mapping[str, AgentVersion | None]
"""By name the agents that would be different; None for one that would be gone."""


@dataclass(frozen=True, slots=True)
class Situation:
    """`now` is the roster in use, `seen` the version that the proposal was made from, and
    `runbook` the name and version ("refunds@2") of the one that it would teach."""

    now: Mapping[str, AgentVersion]
    seen: AgentVersion | None = None
    runbook: str = ""

    def find(self, proposal: Proposal, name: str) -> AgentVersion:
        """Raises NotFound for an agent that has left."""
        if agent := self.now.get(name):
            return agent
        raise NotFound(
            f"{proposal.ref} is about {name}, which is gone",
            said=f"There is no agent {name} any more, so {proposal.ref} can't be done.",
        )

    def must_be_as_seen(self, proposal: Proposal, agent: AgentVersion, *parts: str) -> None:
        """Raises Conflict where what would be overwritten was changed by someone else meanwhile."""
        for part in parts:
            seen = self.seen
            if seen and seen.name == agent.name and getattr(seen, part) != getattr(agent, part):
                raise Conflict(
                    f"{proposal.ref} changes {part} of v{seen.version}, "
                    f"{agent.name} is at v{agent.version}",
                    said=f"{agent.name}'s {_WORDS.get(part, part)} changed since "
                    f"{proposal.ref} was made from v{seen.version}. Decline it and ask again.",
                )

    def must_be_new(self, proposal: Proposal, name: str) -> None:
        if name in self.now:
            raise Conflict(
                f"{proposal.ref} takes on {name}, which is there",
                said=f"There is an agent {name} already, so {proposal.ref} can't be done.",
            )


Maker = Callable[[Proposal, Situation], Roster]
"""Pure. Raises NotFound or Conflict where it can't be done any more."""

_WORDS = {"instructions": "instructions have", "specialty": "specialty has", "model": "model has"}
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z", re.ASCII)
"""What can be called with an @, and fits wherever names are kept."""
_SPEC = {f.name for f in fields(AgentVersion)} - {"name", "version"}


def whole(proposal: Proposal, name: str) -> AgentVersion:
    """The agent of a whole spec; its lessons and guards carry the proposal's ref. Raises Conflict
    for what no version has: a spec is data, and grants nothing by other names."""
    spec = {key: value for key, value in proposal.change.config.items() if key in _SPEC}
    if spec.keys() != proposal.change.config.keys() or not _NAME.match(name):
        raise malformed(proposal, "what an agent is made of")
    try:
        made = from_spec(name, 0, spec)
        made.digest()
    except (TypeError, ValueError, AttributeError) as error:
        raise malformed(proposal, str(error)) from error
    return made


def malformed(proposal: Proposal, why: str) -> Conflict:
    return Conflict(
        f"{proposal.ref} is malformed: {why}",
        said=f"{proposal.ref} isn't written so that it could be done. Decline it and ask again.",
    )
