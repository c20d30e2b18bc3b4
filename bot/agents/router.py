"""Which agent takes a request, and why: by name, by conversation, by words and load."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.errors import NotFound
from bot.lexical import terms
from bot.model.agent import AgentVersion

_MENTION = re.compile(r"^\s*@([a-z][a-z0-9_-]*)\b[:,]?\s*", re.IGNORECASE)
_CLEAR = 0.12
"""Below this share of the request's weight no specialty is meant."""
_NEAR = 0.04
"""Within this the words don't tell two specialties apart."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`by_name` says that a person chose; `clear` that the words did. `near` is everyone who
    may take it as well, where words and names don't decide; `fresh` that nobody answered here
    before."""

    agent: AgentVersion
    why: str
    by_name: bool = False
    clear: bool = True
    scores: Mapping[str, float] | None = None
    near: tuple[AgentVersion, ...] = ()
    fresh: bool = True
    predicted: Mapping[str, object] | None = None
    """What was likely to come of it, as JSON values; None where nothing is known."""


class Router:
    """Pure: the same roster, words and load give the same decision."""

    def __init__(self, agents: Sequence[AgentVersion], default: str = "generalist") -> None:
        self._agents = {agent.name: agent for agent in agents}
        self._default = self._agents.get(default) or agents[0]
        self._words = {
            name: terms(f"{name} {a.specialty}")
            for name, a in self._agents.items()
            if a is not self._default
        }
        held = Counter(word for words in self._words.values() for word in words)
        self._rarity = {w: math.log(1 + len(self._words) / n) for w, n in held.items()}

    def decide(
        self,
        text: str,
        *,
        hint: str = "",
        chosen: str = "",
        last: str = "",
        load: Mapping[str, int] | None = None,
    ) -> Decision:
        """`hint` is the agent that the caller asked for, `chosen` the one that the conversation
        chose by name, `last` the one that answered in it before; `load` counts open runs.

        Raises NotFound for a hint that is no agent.
        """
        if hint:
            return Decision(self._named(hint), f"asked for as {hint}", by_name=True)
        mention = _MENTION.match(text)
        if mention and (agent := self._agents.get(mention[1].lower())):
            return Decision(agent, f"mentioned as @{agent.name}", by_name=True)
        if agent := self._agents.get(chosen):
            return Decision(agent, "chosen by this conversation")
        return self._by_words(text, last, load or {})

    def _named(self, name: str) -> AgentVersion:
        if agent := self._agents.get(name.lower()):
            return agent
        raise NotFound(
            f"no agent {name!r}",
            said=f"There is no agent called {name}. There are: {', '.join(sorted(self._agents))}.",
        )

    def _by_words(self, text: str, last: str, load: Mapping[str, int]) -> Decision:
        asked = terms(text)
        total = sum(self._rarity.get(word, 1.0) for word in asked) or 1.0
        scores = {
            name: round(
                sum(self._rarity[w] for w in asked & words) / total / (1 + load.get(name, 0) / 8), 3
            )
            for name, words in self._words.items()
        }
        best = max(scores, key=lambda name: (scores[name], name), default="")
        if best and scores[best] >= _CLEAR:
            shared = ", ".join(sorted(asked & self._words[best]))
            why = f"its specialty matches ({shared})"
            near = tuple(self._agents[n] for n in scores if scores[n] >= scores[best] - _NEAR)
            return Decision(self._agents[best], why, scores=scores, near=near, fresh=not last)
        agent, why = self._default, "no specialty matches clearly"
        if known := self._agents.get(last):
            agent, why = known, "answered here before"
        return Decision(
            agent,
            why,
            clear=False,
            scores=scores,
            near=tuple(self._agents.values()),
            fresh=not last,
        )


def mentioned(text: str) -> str:
    """The name that a request begins with, whether there is such an agent or not; "" for none."""
    mention = _MENTION.match(text)
    return mention[1].lower() if mention else ""


def without_mention(text: str, agent: str) -> str:
    """The request itself, where it began with the agent's name."""
    mention = _MENTION.match(text)
    if mention is None or mention[1].lower() != agent:
        return text
    return text[mention.end() :] or text
