"""What is remembered, and for whom: a namespace is part of every memory's type."""

from dataclasses import dataclass
from typing import NewType

Namespace = NewType("Namespace", str)

ORG = Namespace("org")


def of_agent(name: str) -> Namespace:
    return Namespace(f"agent:{name}")


def of_user(person: str) -> Namespace:
    return Namespace(f"user:{person}")


@dataclass(frozen=True, slots=True)
class Memory:
    """One remembered text. `number` is its short id in the workspace (M7)."""

    id: str
    workspace: str
    number: int
    namespace: Namespace
    text: str
    created_at: int
    created_by: str = ""
    source: str = ""
    """What it came from: a run's id or a proposal ("P12")."""

    @property
    def ref(self) -> str:
        return f"M{self.number}"


@dataclass(frozen=True, slots=True)
class Recalled:
    """A memory found for a question; `score` is in [0, 1], higher is nearer."""

    memory: Memory
    score: float
