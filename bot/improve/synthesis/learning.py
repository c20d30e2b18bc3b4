"""What one agent learns: lessons, guards, runbooks, answers worth keeping; pure."""

from bot.improve import drafting, facts
from bot.improve.drafting import Draft, fingerprint
from bot.improve.synthesis.form import Crew, added, quotable, slug
from bot.model.finding import Finding
from bot.model.memory import of_agent
from bot.model.proposal import Change, ProposalKind
from bot.model.words import count, one_line

_STRONG = (facts.STRONG, facts.VERY_STRONG)


def say(finding: Finding, crew: Crew) -> Draft | None:
    """The lesson or the fact that its words come to."""
    return drafting.from_words(finding.detail, crew.get(finding.agent))


def reconsider(finding: Finding, crew: Crew) -> Draft | None:
    """One lesson for all that a version was rated badly for without a word, as long as it is the
    one in use: another one has its own ratings."""
    agent = crew.get(finding.agent)
    if agent is None or facts.number(finding.facts, "version") != agent.version:
        return None
    asked = [f'"{one_line(one, 100)}"' for one in quotable(facts.texts(finding.facts, "examples"))]
    about = f"Answers to requests like {', '.join(asked)} were" if asked else "Answers were"
    return drafting.lesson(
        one_line(
            f"{about} rated as bad. Look the facts up before answering, and say what is not "
            "certain.",
            drafting.LONGEST,
        ),
        agent,
    )


def prevent(finding: Finding, crew: Crew) -> Draft | None:
    """A guard where a tool of the agent's failed, otherwise a lesson."""
    agent, known = crew.get(finding.agent), finding.facts
    tool, error = facts.text(known, "step"), facts.text(known, "error_type")
    if agent is None or tool not in agent.tools or not error:
        return say(finding, crew)
    signature = facts.text(known, "signature")
    advice = one_line(facts.text(known, "advice"), 300) or (
        f"{tool} failed like this before: change the arguments or go on without it, and say so."
    )
    guard = {"tool": tool, "error": error, "signature": signature, "advice": advice}
    tried = ",".join(facts.texts(known, "remedies"))
    return Draft(
        kind=ProposalKind.GUARD_NEW,
        change=Change(agent=agent.name, guard=guard),
        title=f"Guard {agent.name} against {one_line(finding.title, 80)}",
        diff=added(
            [
                f"when {tool} fails with “{one_line(signature or error, 160)}”:",
                f"  advise: {advice}",
                "  refuse the same call again in the same run",
            ]
        ),
        expected=f"It happened in {count(finding.count, 'run')}. {agent.name} is told what to do "
        "with the error, and doesn't make the same call twice.",
        risk="approver",
        fingerprint=fingerprint("guard", agent.name, tool, error, signature, tried),
        base_version=agent.version,
    )


def write_down(finding: Finding, crew: Crew) -> Draft | None:
    """A runbook of steps that went well, once that is well founded."""
    known = finding.facts
    steps = facts.texts(known, "steps")
    agent = crew.get(finding.agent)
    if agent is None or facts.text(known, "strength") not in _STRONG or len(steps) < 2:
        return None
    names = [step.partition(":")[2] for step in steps]
    terms = facts.texts(known, "terms")
    called = facts.text(known, "name").split("-")
    name = slug([part for part in called if part] or terms or names)
    if not name:
        return None
    examples = quotable(facts.texts(known, "examples"))
    return runbook(
        agent_name=agent.name,
        version=agent.version,
        name=name,
        text=_markdown(name, steps, examples, terms, finding),
        expected=f"The same steps went well in {count(finding.count, 'run')} of "
        f"{count(finding.people, 'person', 'people')}. {agent.name} follows them by itself where "
        "a request is like these.",
        known=fingerprint("runbook", agent.name, *steps),
    )


def runbook(
    *, agent_name: str, version: int, name: str, text: str, expected: str, known: str = ""
) -> Draft:
    """The runbook for one agent; its text is data, and grants nothing."""
    return Draft(
        kind=ProposalKind.WORKFLOW_NEW,
        change=Change(agent=agent_name, workflow=name, text=text),
        title=f"Teach {agent_name} the runbook {name}",
        diff=added(text.splitlines()),
        expected=expected,
        risk="approver",
        fingerprint=known or fingerprint("runbook", agent_name, name, text),
        base_version=version,
    )


def forget(finding: Finding, crew: Crew) -> Draft | None:
    """A lesson that does harm goes, where it is still there."""
    agent, id = crew.get(finding.agent), facts.text(finding.facts, "bullet")
    said = facts.text(finding.facts, "lesson")
    kept = (
        next((b for b in agent.playbook if (b.id, b.text) == (id, said)), None) if agent else None
    )
    if agent is None or kept is None:
        return None
    return Draft(
        kind=ProposalKind.AGENT_CONFIG,
        change=Change(agent=agent.name, retire=id),
        title=f"Have {agent.name} forget: {one_line(said, 80)}",
        diff=f"- {one_line(said, 600)}",
        expected=f"{finding.detail} {agent.name} is without it where that is tried.",
        risk="approver",
        fingerprint=fingerprint("forget", agent.name, id, kept.source, said),
        base_version=agent.version,
    )


def keep(finding: Finding, crew: Crew) -> Draft | None:
    """An answer that people liked, for the agent to find when the same is asked again."""
    agent = crew.get(finding.agent)
    asked = one_line(facts.text(finding.facts, "asked"), 160).replace('"', "'")
    answer = one_line(facts.text(finding.facts, "answer"), 320)
    if agent is None or len(quotable([asked, answer])) < 2:
        return None
    text = f'Asked "{asked}", this answer was liked: {answer}'
    return Draft(
        kind=ProposalKind.MEMORY_NEW,
        change=Change(agent=agent.name, namespace=of_agent(agent.name), text=text),
        title=f"Remember an answer of {agent.name}'s that was liked",
        diff=f"+ {text}",
        expected=f"{agent.name} finds it when something like it is asked again. Nothing is "
        "measured: it is looked up like every memory.",
        risk="approver",
        fingerprint=fingerprint("liked", agent.name, asked),
        base_version=agent.version,
    )


def _markdown(
    name: str, steps: list[str], examples: list[str], terms: list[str], finding: Finding
) -> str:
    asked = [f"> {example}" for example in examples] or [f"> {', '.join(terms[:6]) or name}"]
    numbered = [f"{n}. {_step(step)}" for n, step in enumerate(steps, 1)]
    return "\n".join(
        [
            f"# {name}",
            f"Drafted from {count(finding.count, 'run')} that went well.",
            "## For requests like",
            *asked,
            "## Steps",
            *numbered,
            f"{len(steps) + 1}. Answer from what was found, and say what was not.",
        ]
    )


def _step(step: str) -> str:
    kind, _, name = step.partition(":")
    if kind == "agent":
        return f"Let {name} take it."
    if kind == "recall":
        return "Recall what is remembered about it."
    return f"Use `{name}`." if kind == "tool" else f"{kind.capitalize()}: {name}."
