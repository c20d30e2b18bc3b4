"""Reads the log and says what is worth a change: records in, findings out; pure."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.improve.facts import COMPLAINT, DISLIKED, ERROR, OUTAGE, PRAISE
from bot.model.feedback import Feedback
from bot.model.finding import Failure, Finding
from bot.model.run import Run
from bot.model.words import one_line
from bot.ports.clock import Clock, Ids

REPEATS = 3
"""A failure, and a thumb up or down without a word, is a finding from the first on, and worth a
proposal from this many runs on."""
SELDOM = ((ERROR, OUTAGE, DISLIKED, PRAISE), REPEATS)
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
        """Negative feedback by agent: with words by what they say, as someone asks for something;
        without by the version that it is evidence about."""
        worded: dict[tuple[str, str], list[tuple[Feedback, Run]]] = defaultdict(list)
        silent: dict[tuple[str, int], list[tuple[Feedback, Run]]] = defaultdict(list)
        for feedback, run in said:
            if feedback.rating < 0 and feedback.text.strip():
                worded[run.agent, _plain(feedback.text)].append((feedback, run))
            elif feedback.rating < 0:
                silent[run.agent, run.agent_version].append((feedback, run))
        found = [self._complaint(agent, about, group) for (agent, about), group in worded.items()]
        return found + [self._disliked(*of, group) for of, group in silent.items()]

    def _complaint(self, agent: str, about: str, group: Sequence[tuple[Feedback, Run]]) -> Finding:
        feedback, run = group[-1]
        words, asked = one_line(feedback.text, 400), one_line(run.message, 160).replace('"', "'")
        detail = words if stands_alone(words) or not asked else f'Asked "{asked}": {words}'
        title = f"{agent or 'The bot'} was rated badly: {words}"
        return self._finding(COMPLAINT, agent, about, title, detail, group)

    def _disliked(self, agent: str, version: int, group: Sequence[tuple[Feedback, Run]]) -> Finding:
        who = f"{agent} v{version}" if agent else "The bot"
        title = f"Answers of {who} were rated badly, without a word why"
        asked = one_line(group[-1][1].message, 160).replace('"', "'")
        detail = f'{title}. The last one was to "{asked}".'
        finding = self._finding(DISLIKED, agent, f"v{version}", title, detail, group)
        return replace(finding, facts={"version": version})

    def _finding(
        self,
        kind: str,
        agent: str,
        about: str,
        title: str,
        detail: str,
        group: Sequence[tuple[Feedback, Run]],
    ) -> Finding:
        now = self.clock.now()
        evidence = list(dict.fromkeys(run.id for _, run in group))
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
            people=len({feedback.person for feedback, _ in group}),
        )


def ripe(finding: Finding) -> bool:
    """Whether there is enough of it to propose a change: a person's words once, a failure or thumbs
    often.
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
