"""What a detector has seen: a finding before it has an id, a time and a workspace."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from bot.model.finding import Finding
from bot.model.words import one_line

EVIDENCE = 50
"""Run ids that a detector names, the newest: the count goes on."""


@dataclass(frozen=True, slots=True)
class Seen:
    """`kind`, `agent` and `about` make the fingerprint: the same thing seen again has the same.

    `count` is how many runs the detector has seen in all; 0 means those of `evidence`. `at` is when
    the last of them was asked (ms), 0 for now. The rest is that of `Finding`.
    """

    kind: str
    agent: str
    about: str
    title: str
    detail: str
    evidence: tuple[str, ...]
    count: int = 0
    people: int = 0
    usd_week: float = 0.0
    confidence: float = 0.0
    facts: Mapping[str, object] = field(default_factory=dict)
    at: int = 0

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.kind, self.agent, self.about)

    def finding(self, workspace: str, id: str, now: int) -> Finding:
        return Finding(
            id=id,
            workspace=workspace,
            kind=self.kind,
            fingerprint=self.fingerprint,
            title=one_line(self.title, 200),
            detail=self.detail,
            evidence=self.evidence,
            agent=self.agent,
            count=max(self.count, len(self.evidence)),
            status="open",
            created_at=now,
            updated_at=self.at or now,
            people=self.people,
            usd_week=round(self.usd_week, 6),
            confidence=round(self.confidence, 4),
            facts=self.facts,
        )


def fingerprint(kind: str, agent: str, about: str) -> str:
    return hashlib.sha256(f"{kind}\x1e{agent}\x1e{about}".encode()).hexdigest()


def merged(seen: Iterable[Seen]) -> list[Seen]:
    """Each thing once, as it was seen last, with the evidence of all times."""
    last: dict[str, Seen] = {}
    evidence: dict[str, dict[str, None]] = {}
    for one in seen:
        mark = one.fingerprint
        last[mark] = one
        evidence.setdefault(mark, {}).update(dict.fromkeys(one.evidence))
    return [
        one
        if len(one.evidence) == len(evidence[mark]) <= EVIDENCE
        else replace(one, evidence=tuple(evidence[mark])[-EVIDENCE:])
        for mark, one in last.items()
    ]
