"""Who should be there, and take what: specialists, other routes, merges, splits, retirements; pure."""

from bot.improve import facts
from bot.improve.drafting import Draft, fingerprint
from bot.improve.synthesis.form import Crew, added, listed, replaced, slug
from bot.model.agent import AgentVersion
from bot.model.finding import Finding
from bot.model.proposal import Change, ProposalKind
from bot.model.words import count, one_line, usd

_LEAST_RUNS, _LEAST_PEOPLE, _LEAST_TERMS = 5, 2, 2
_BUDGET_DAY = 0.5
_RETIRE_DAYS = 30
_LONGEST = 400


def serve(finding: Finding, crew: Crew) -> Draft | None:
    """Someone here who could, or a specialist for what nobody here does."""
    able = crew.get(facts.text(finding.facts, "able"))
    if able is not None and able.name != finding.agent:
        return _routed(finding, able)
    terms, asker = facts.texts(finding.facts, "terms"), crew.get(finding.agent)
    enough = finding.count >= _LEAST_RUNS and finding.people >= _LEAST_PEOPLE
    if asker is None or not enough or len(terms) < _LEAST_TERMS:
        return None
    if facts.text(finding.facts, "tool") or finding.facts.get("missing") is True:
        return None  # the means that nobody has are not made by an agent who lacks them
    called = facts.text(finding.facts, "called")
    name = slug([called.replace("-", "")] if called else terms, crew)
    return specialist(finding, asker, name, _specialty(terms), _instructions(terms), terms)


def specialist(
    finding: Finding,
    asker: AgentVersion,
    name: str,
    specialty: str,
    instructions: str,
    terms: list[str],
) -> Draft | None:
    """A new agent for a part of what `asker` gets: no more tools than that one has, a small budget
    of its own, and a rule for when it goes."""
    if not name:
        return None
    made = _made(asker, name, specialty, instructions)
    return Draft(
        kind=ProposalKind.AGENT_NEW,
        change=Change(agent=name, config=made.spec()),
        title=f"Take on {name}: {one_line(specialty, 70)}",
        diff=added(_described(made)),
        expected=f"{count(finding.count, 'request')} of {count(finding.people, 'person', 'people')} "
        f"found nobody who does this. {name} takes such requests from {asker.name}.",
        risk="owner",
        fingerprint=fingerprint("agent", *sorted(terms[:4])),
    )


def split_off(finding: Finding, crew: Crew) -> Draft | None:
    agent, terms = crew.get(finding.agent), facts.texts(finding.facts, "terms")
    name = slug(terms, crew)
    if agent is None or not name or len(terms) < _LEAST_TERMS:
        return None
    made = _made(agent, name, _specialty(terms), agent.instructions)
    return Draft(
        kind=ProposalKind.AGENT_SPLIT,
        change=Change(agent=agent.name, name=name, config=made.spec()),
        title=f"Split {name} off {agent.name}",
        diff=added(_described(made)),
        expected=f"{agent.name} does worse with these requests than with its others: they get an "
        "agent of their own, which can learn apart.",
        risk="owner",
        fingerprint=fingerprint("split", agent.name, *sorted(terms[:4])),
        base_version=agent.version,
    )


def reroute(finding: Finding, crew: Crew) -> Draft | None:
    better = crew.get(facts.text(finding.facts, "better"))
    return _routed(finding, better) if better is not None else None


def unite(finding: Finding, crew: Crew) -> Draft | None:
    stays, goes = (crew.get(facts.text(finding.facts, key)) for key in ("stays", "goes"))
    if stays is None or goes is None or stays.name == goes.name:
        return None
    joint = one_line(f"{stays.specialty.strip().rstrip('.')}; {goes.specialty.strip()}", _LONGEST)
    tools = [tool for tool in goes.tools if tool not in stays.tools]
    return Draft(
        kind=ProposalKind.AGENT_MERGE,
        change=Change(agent=stays.name, name=goes.name, text=joint),
        title=f"Merge {goes.name} into {stays.name}",
        diff="\n".join(
            [
                f"- agent {goes.name}",
                replaced(f"{stays.name}: {stays.specialty}", f"{stays.name}: {joint}"),
                *([added([f"tools: {', '.join(tools)}"])] if tools else []),
                *(added([f"lesson: {b.text}"]) for b in goes.playbook[:8]),
            ]
        ),
        expected=f"Both do much the same. {stays.name} takes what {goes.name} did, with its "
        "lessons, tools and runbooks.",
        risk="owner" if tools else "approver",
        fingerprint=fingerprint("merge", *sorted((stays.name, goes.name))),
        base_version=stays.version,
    )


def retire(finding: Finding, crew: Crew) -> Draft | None:
    agent, days = crew.get(finding.agent), facts.number(finding.facts, "days")
    if agent is None or days is None or len(crew) < 2:
        return None
    return Draft(
        kind=ProposalKind.AGENT_RETIRE,
        change=Change(agent=agent.name),
        title=f"Retire {agent.name}",
        diff=f"- agent {agent.name}: {one_line(agent.specialty, 300)}",
        expected=f"Nobody needed {agent.name} for {count(int(days), 'day')}. Its versions are kept, "
        "and it can come back.",
        risk="approver",
        fingerprint=fingerprint("retire", agent.name, str(agent.version)),
        base_version=agent.version,
    )


def _routed(finding: Finding, to: AgentVersion) -> Draft | None:
    words = [t for t in facts.texts(finding.facts, "terms") if t not in to.specialty.casefold()][:6]
    if not words:
        return None
    specialty = one_line(f"{to.specialty.strip().rstrip('.')}, {listed(words)}.", _LONGEST)
    return Draft(
        kind=ProposalKind.ROUTE_CHANGE,
        change=Change(agent=to.name, text=specialty),
        title=f"Send requests about {listed(words, 3)} to {to.name}",
        diff=replaced(to.specialty, specialty),
        expected=f"{finding.agent or 'Another agent'} gets them now; {to.name} is found by these "
        f"words too. It is about {count(finding.count, 'run')}.",
        risk="approver",
        fingerprint=fingerprint("route", to.name, *sorted(words)),
        base_version=to.version,
    )


def _made(like: AgentVersion, name: str, specialty: str, instructions: str) -> AgentVersion:
    return AgentVersion(
        name,
        0,
        specialty,
        instructions,
        model=like.model,
        temperature=like.temperature,
        tools=like.tools,
        limits=like.limits,
        guards=like.guards,
        budget_day=min(_BUDGET_DAY, like.budget_day or _BUDGET_DAY),
        retire_after_days=_RETIRE_DAYS,
    )


def _described(agent: AgentVersion) -> list[str]:
    return [
        f"agent {agent.name}",
        f"scope: {one_line(agent.specialty, 300)}",
        f"told: {one_line(agent.instructions, 500)}",
        f"tools: {', '.join(agent.tools) or 'none'}",
        f"budget: {usd(agent.budget_day)} a day",
        f"goes when nobody needed it for {count(agent.retire_after_days, 'day')}",
    ]


def _specialty(terms: list[str]) -> str:
    return f"Requests about {listed(terms)}."


def _instructions(terms: list[str]) -> str:
    return (
        f"You help with {listed(terms)}. Answer from what is remembered and from your tools. Say "
        "what you don't know or can't do, and who could."
    )
