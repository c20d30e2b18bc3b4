"""From someone's words to the change they ask for; pure."""

import difflib
import hashlib
import re
from dataclasses import dataclass

from bot.model.agent import AgentVersion
from bot.model.finding import Finding
from bot.model.memory import ORG
from bot.model.proposal import Change, Proposal, ProposalKind
from bot.model.words import one_line, without_context

UNMEASURED = "The effect is not measured yet."
"""What no card says any more once a trial has measured it."""

LONGEST = 500
"""Characters of a lesson or a fact: longer ones are cut, a playbook is read on every run."""

_SAID = re.compile(r"(?i)(fact|remember(?: that)?|lesson|rule)\s*:\s*")
_ASIDE = re.compile(
    r"(?i)(?:no|nope|wrong|actually|well|sorry|not (?:true|right|correct))[,;:.!]\s+"
)
_ORDER = re.compile(
    r"(?i)(?:please\s+)?(?:always|never|don'?t|do not|be|use|avoid|prefer|keep|make|stop|start|"
    r"answer|reply|respond|say|ask|give|include|write|show|cite|check|mention|remember to|"
    r"shorter|longer|more|less|fewer|too|next time|when|whenever|if|you|your|"
    r"it should|should|must|need to)\b"
)
_ABOUT_ANSWER = re.compile(
    r"(?i)(?:this|that|it|the (?:answer|reply|response|tone|format))\s+(?:is|was)\s+"
    r"(?:too|not|far|way|bad|wrong|incorrect|unclear|rude|long|short|useless|unhelpful)\b"
)
_POINTS = re.compile(r"(?i)(?:it|this|that|they|he|she|there|these|those)(?:'s|'re)?\b")
_STATES = re.compile(
    r"(?i)(?:it|that|there|here|he|she)'s\s+\S|they're\s+\S|"
    r"\S.{0,120}?\b(?:is|are|was|were|isn'?t|aren'?t|means?|costs?|has|have|lives? (?:in|at)|"
    r"opens?|closes?|starts?|ends?|belongs? to|equals?|called)\b\s*\S"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a proposal would change, before it has a number."""

    kind: ProposalKind
    change: Change
    title: str
    diff: str
    expected: str
    risk: str
    fingerprint: str
    base_version: int = 0


def from_words(words: str, agent: AgentVersion | None, asked: str = "") -> Draft | None:
    """A lesson for the agent that answered, or a fact for everyone; None for words that say
    nothing. "fact:" and "lesson:" in front decide it; otherwise the form of the sentence does.
    Words that point at what was `asked` ("it is 30 days") are kept together with it.
    """
    text, named = _stripped(words)
    if not text:
        return None
    if _POINTS.match(text) or not (named or _ORDER.match(text) or states_fact(text)):
        text = _in_context(text, asked)
    if agent is not None and (named == "lesson" or (not named and not states_fact(text))):
        return lesson(text, agent)
    return fact(text)


def from_finding(finding: Finding, agent: AgentVersion | None) -> Draft | None:
    """The lesson or the fact that a finding's words come to."""
    return from_words(finding.detail, agent)


def reworded(proposal: Proposal, words: str, agent: AgentVersion | None) -> Draft | None:
    """An edit: the same kind of change with other words; None for words that say nothing."""
    text, _ = _stripped(words)
    if not text:
        return None
    if agent is None or proposal.kind is ProposalKind.MEMORY_NEW:
        return fact(text)
    if proposal.change.instructions:
        return instructions(one_line(words, 10 * LONGEST), agent)
    return lesson(text, agent)


def states_fact(text: str) -> bool:
    """Whether it says how things are ("our refund period is 30 days") rather than how to answer
    ("be shorter", "the answer is too long")."""
    said = without_context(text)
    if _ORDER.match(said) or _ABOUT_ANSWER.match(said):
        return False
    return _STATES.match(said) is not None


def lesson(text: str, agent: AgentVersion) -> Draft:
    shown = f"{agent.name}'s playbook"
    return Draft(
        kind=ProposalKind.AGENT_CONFIG,
        change=Change(agent=agent.name, bullet=text),
        title=f"Teach {agent.name}: {one_line(without_context(text), 80)}",
        diff=_diff([b.text for b in agent.playbook], text),
        expected=f"It reads as a lesson about how to answer, so it goes into {shown}: {agent.name} "
        f"reads it before every answer. {UNMEASURED}",
        risk="approver",
        fingerprint=fingerprint("bullet", agent.name, text),
        base_version=agent.version,
    )


def fact(text: str) -> Draft:
    return Draft(
        kind=ProposalKind.MEMORY_NEW,
        change=Change(namespace=ORG, text=text),
        title=f"Remember: {one_line(without_context(text), 80)}",
        diff=f"+{text}",
        expected="It reads as a fact, so it goes into the memory that every agent can find. "
        f"{UNMEASURED}",
        risk="approver",
        fingerprint=fingerprint("memory", ORG, text),
    )


def instructions(text: str, agent: AgentVersion) -> Draft:
    """New wording of what the agent is told. Tools, limits and model are no words' to change."""
    lines = difflib.unified_diff([agent.instructions], [text], lineterm="", n=0)
    return Draft(
        kind=ProposalKind.AGENT_CONFIG,
        change=Change(agent=agent.name, instructions=text),
        title=f"Reword {agent.name}'s instructions",
        diff="\n".join(line for line in list(lines)[2:] if not line.startswith("@@")),
        expected=f"{agent.name} is told this in place of what it is told now. {UNMEASURED}",
        risk="owner",
        fingerprint=fingerprint("instructions", agent.name, text),
        base_version=agent.version,
    )


def fingerprint(*parts: str) -> str:
    """The same for words that differ in case, spacing and punctuation only."""
    plain = [" ".join(re.findall(r"\w+|[^\w\s]", p.casefold())).strip(" .!") for p in parts]
    return hashlib.sha256("\x1f".join(plain).encode()).hexdigest()


def again(earlier: Proposal) -> str:
    """The fingerprint of the same change, asked for anew after it had been undone."""
    return hashlib.sha256(f"{earlier.fingerprint}:{earlier.ref}".encode()).hexdigest()


def _in_context(text: str, asked: str) -> str:
    question = one_line(asked, 160).replace('"', "'")
    return one_line(f'Asked "{question}": {text}', LONGEST) if question else text


def _stripped(words: str) -> tuple[str, str]:
    """(the words that say it, "fact", "lesson" or "" for what they were called)."""
    text = one_line(words, 4 * LONGEST)
    named = ""
    if said := _SAID.match(text):
        named = "lesson" if said[1].lower() in ("lesson", "rule") else "fact"
        text = text[said.end() :]
    elif (aside := _ASIDE.match(text)) and text[aside.end() :]:
        text = text[aside.end() :]
    return one_line(text.lstrip("-•* ").strip(), LONGEST), named


def _diff(before: list[str], added: str) -> str:
    return "\n".join([*(f"  {line}" for line in before[-3:]), f"+ {added}"])
