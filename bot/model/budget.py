"""Budgets: who may spend how much in which period, and what is left."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    RUN = "run"
    AGENT = "agent"
    PERSON = "person"
    WORKSPACE = "workspace"


class Period(StrEnum):
    RUN = "run"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `limit_usd` US dollars for `key` in a `period` (UTC calendar day or month).

    `key` is the agent's name or the person's id, "*" for every one of the scope each on its own,
    and "" for the workspace.
    """

    scope: Scope
    key: str
    period: Period
    limit_usd: float

    @property
    def label(self) -> str:
        who = f" {self.key}" if self.key not in ("", "*") else ""
        return f"{self.scope}{who} per {self.period}"
