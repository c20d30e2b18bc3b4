"""Reads the log and says what is worth a change: records in, findings out; pure."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.improve.facts import COMPLAINT, ERROR, OUTAGE
from bot.model.feedback import Feedback
from bot.model.finding import Failure, Finding
from bot.model.run import Run
from bot.model.words import one_line
from bot.ports.clock import Clock, Ids

REPEATS = 3
"""A failure is a finding from the first on, and worth a proposal from this many runs on."""
SELDOM = ((ERROR, OUTAGE), REPEATS)
"""Kinds that must have been seen so many times before a change is proposed."""

_ELSEWHERE = frozenset(
    {
        "model",
        "model_unavailable",
        "storage",
        "channel",
        "channel_unavailable",
        "delivery_unclear",
        "over_budget",
        "fenced",
        "config",
    }
)
"""Failures of what surrounds the agents: no lesson mends them, but the team should know."""


@dataclass(frozen=True, slots=True)
class Analyst:
    """Makes findings; the same thing seen again has the same fingerprint."""

    workspace: str
    clock: Clock
    ids: Ids

    def complaints(self, said: Iterable[tuple[Feedback, Run]]) -> list[Finding]:
        """Negative feedback by agent and by what it is about: the words where there are some,
        otherwise the question."""
        groups: dict[tuple[str, str], list[tuple[Feedback, Run]]] = defaultdict(list)
        for feedback, run in said:
            if feedback.rating < 0:
                about = feedback.text.strip() or f"asked: {run.message}"
                groups[run.agent, _plain(about)].append((feedback, run))
        return [self._complaint(agent, about, group) for (agent, about), group in groups.items()]

    def _complaint(self, agent: str, about: str, group: Sequence[tuple[Feedback, Run]]) -> Finding:
        feedback, run = group[-1]
        words, asked = one_line(feedback.text, 400), one_line(run.message, 160).replace('"', "'")
        if not words:
            detail = (
                f'lesson: Asked "{asked}": an answer was rated as bad. Look the facts up before '
                "answering, and say what is not certain."
            )
        elif asked and not stands_alone(words):
            detail = f'Asked "{asked}": {words}'
        else:
            detail = words
        title = f"{agent or 'The bot'} was rated badly: {words or asked}"
        evidence = list(dict.fromkeys(run.id for _, run in group))
        return self._finding(COMPLAINT, agent, about, title, detail, evidence)

    def _finding(
        self, kind: str, agent: str, about: str, title: str, detail: str, evidence: list[str]
    ) -> Finding:
        now = self.clock.now()
        return Finding(
            id=self.ids.run_id(),
            workspace=self.workspace,
            kind=kind,
            fingerprint=hashlib.sha256(f"{kind}\x1e{agent}\x1e{about}".encode()).hexdigest(),
            title=one_line(title, 200),
            detail=detail,
            evidence=tuple(evidence),
            agent=agent,
            count=len(evidence),
            status="open",
            created_at=now,
            updated_at=now,
        )


def ripe(finding: Finding) -> bool:
    """Whether there is enough of it to propose a change: a person's word once, a failure often.
    What else is found was weighed by whoever found it."""
    kinds, least = SELDOM
    return finding.kind not in kinds or finding.count >= least


def outage(agent: str, error_type: str) -> bool:
    """Whether it is a failure of what surrounds the agents."""
    return not agent or error_type in _ELSEWHERE


def lesson(failure: Failure, message: str) -> str:
    """The words that a proposal against it is made from."""
    if failure.step:
        return (
            f"lesson: When {failure.step} fails with {failure.error_type} ({message}), do not "
            "repeat the same call: change its arguments or go on without it, and say so."
        )
    return (
        f"lesson: Earlier runs ended with {failure.error_type} ({message}). Keep to fewer and "
        "smaller steps, and answer with what you have before it happens."
    )


def known_problem(title: str, run_id: str) -> str:
    return f"fact: Known problem: {title} (last seen in run {run_id}; no remedy is known yet)"


def stands_alone(words: str) -> bool:
    """Whether words say what they mean without the question they were said about."""
    points = re.match(r"(?i)(?:it|this|that|they|he|she|there|these|those|no|wrong)\b", words)
    return len(words.split()) >= 3 and points is None


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))[:300]
