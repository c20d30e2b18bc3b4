"""An agent is its versions: immutable descriptions that the universal agent runs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True, slots=True)
class Bullet:
    """One lesson in an agent's playbook; added, edited and retired one at a time.

    `id` is unique within the agent ("b3"); `source` names what taught it ("P12", "seed").
    """

    id: str
    text: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Guard:
    """An error-prevention rule that the agent's loop enforces, whatever the model would do.

    Where `tool` fails with `error` (an error type) and a message of that `signature` ("" fits any),
    the model is told `advice` with the error, and the same call again in the same run is refused
    with it instead of made. `id` is unique within the agent ("g1").
    """

    id: str
    tool: str
    error: str
    signature: str
    advice: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run of the agent may use: model turns, output tokens a call, seconds in all."""

    max_turns: int = 8
    max_tokens: int = 2048
    seconds: float = 120.0
    history: int = 20
    """Earlier messages of the conversation that the model sees."""


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """Everything that decides how an agent behaves. `model` "" means the configured default."""

    name: str
    version: int
    specialty: str
    instructions: str
    playbook: tuple[Bullet, ...] = ()
    model: str = ""
    temperature: float | None = None
    tools: tuple[str, ...] = ()
    limits: Limits = Limits()
    guards: tuple[Guard, ...] = ()
    workflows: tuple[str, ...] = ()
    """The runbooks that it knows and follows by itself where a request fits: "refunds@2" for a
    version, "refunds" for whatever is the newest."""
    budget_day: float | None = None
    """US dollars a day for this agent alone, set with it; None leaves it to the settings."""
    retire_after_days: int = 0
    """A specialist that nobody needed for so long is proposed for retirement; 0: never by itself."""

    def spec(self) -> dict[str, object]:
        """The version's content as JSON values, without its name and number. What came to versions
        later is left out where it is not used: an older version keeps its digest."""
        content = asdict(self)
        del content["name"], content["version"]
        for name, unused in _LATER.items():
            if content[name] == unused:
                del content[name]
        return content

    def digest(self) -> str:
        """SHA-256 of the content: two versions with the same digest behave the same."""
        return hashlib.sha256(json.dumps(self.spec(), sort_keys=True).encode()).hexdigest()

    def next_bullet_id(self) -> str:
        taken = [int(b.id[1:]) for b in self.playbook if b.id[1:].isdigit()]
        return f"b{max(taken, default=0) + 1}"

    def with_bullet(self, bullet: Bullet) -> "AgentVersion":
        return replace(self, playbook=(*self.playbook, bullet))

    def without_bullet(self, bullet_id: str) -> "AgentVersion":
        return replace(self, playbook=tuple(b for b in self.playbook if b.id != bullet_id))


_LATER: Mapping[str, object] = {
    "guards": (),
    "workflows": (),
    "budget_day": None,
    "retire_after_days": 0,
}


def from_spec(name: str, version: int, spec: Mapping[str, object]) -> AgentVersion:
    """The inverse of `AgentVersion.spec`; unknown keys raise TypeError."""
    fields = dict(spec)
    playbook = tuple(Bullet(**b) for b in fields.pop("playbook", ()))  # type: ignore[attr-defined]
    limits = Limits(**fields.pop("limits", {}))  # type: ignore[arg-type]
    tools = tuple(fields.pop("tools", ()))  # type: ignore[arg-type, var-annotated]
    guards = tuple(Guard(**g) for g in fields.pop("guards", ()))  # type: ignore[attr-defined]
    workflows = tuple(fields.pop("workflows", ()))  # type: ignore[arg-type, var-annotated]
    return AgentVersion(
        name,
        version,
        playbook=playbook,
        limits=limits,
        tools=tools,
        guards=guards,
        workflows=workflows,
        **fields,  # type: ignore[arg-type]
    )
