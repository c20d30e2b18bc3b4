"""How the bot is run: back to a better version, cheaper models, other budgets; pure."""

from bot.improve import facts
from bot.improve.drafting import Draft, fingerprint
from bot.improve.synthesis.form import Crew
from bot.model.budget import Scope
from bot.model.finding import Finding
from bot.model.proposal import Change, ProposalKind
from bot.model.words import count, usd

_ROOM = 1.2
"""Over what is needed at this pace."""


def go_back(finding: Finding, crew: Crew) -> Draft | None:
    """To the version before, where there is one and the worse one is still in use."""
    agent, known = crew.get(finding.agent), finding.facts
    version, previous = facts.number(known, "version"), facts.number(known, "previous")
    if agent is None or not previous or version != agent.version:
        return None
    config = {"do": "point", "version": int(previous), "from": agent.version}
    return Draft(
        kind=ProposalKind.OPS_ACTION,
        change=Change(agent=agent.name, config=config),
        title=f"Put {agent.name} back to v{int(previous)}",
        diff=f"- {agent.name} v{agent.version}\n+ {agent.name} v{int(previous)}",
        expected=f"{agent.name} v{agent.version} does worse than before: {finding.title}. The "
        "version before is in use again at once; nothing is measured.",
        risk="approver",
        fingerprint=fingerprint("back", agent.name, str(agent.version)),
        base_version=agent.version,
    )


def save(finding: Finding, crew: Crew) -> Draft | None:
    agent, cheaper = crew.get(finding.agent), facts.text(finding.facts, "cheaper")
    if agent is None or not cheaper or cheaper == agent.model:
        return None
    saves = facts.number(finding.facts, "saves")
    less = f"about {saves:.0%} less" if saves else "less"
    return Draft(
        kind=ProposalKind.MODEL_CHEAPER,
        change=Change(agent=agent.name, config={"model": cheaper}),
        title=f"Try {cheaper} for {agent.name}",
        diff=f"- model: {agent.model or 'the default'}\n+ model: {cheaper}",
        expected=f"{agent.name} costs {usd(finding.usd_week)} a week; {cheaper} costs {less}. It "
        "stays only if answers are not worse.",
        risk="approver",
        fingerprint=fingerprint("model", agent.name, cheaper),
        base_version=agent.version,
    )


def budget(finding: Finding, crew: Crew) -> Draft | None:
    """What is spent at this pace, and a little room; a person decides what money may go. That
    someone has used up what each may is no reason to ask for more."""
    known = finding.facts
    limit, spent = facts.number(known, "limit_usd"), facts.number(known, "spent_usd")
    scope, key, period = (facts.text(known, name) for name in ("scope", "key", "period"))
    if limit is None or spent is None or scope in ("", Scope.PERSON) or not period:
        return None
    needed = max(facts.number(known, "needed_usd") or 0.0, spent) * _ROOM
    wanted = round(max(needed, limit * _ROOM), 2)
    name = f"{scope} {key} per {period}" if key not in ("", "*") else f"{scope} per {period}"
    config = {
        **{"do": "budget", "scope": scope, "key": key, "period": period},
        **{"limit_usd": wanted, "before": limit},
    }
    return Draft(
        kind=ProposalKind.OPS_ACTION,
        change=Change(config=config),
        title=f"Raise the budget “{name}” to {usd(wanted)}",
        diff=f"- {name}: {usd(limit)}\n+ {name}: {usd(wanted)}",
        expected=f"{usd(spent)} of {usd(limit)} is spent; {count(finding.count, 'run')} used it. "
        "Once it is spent, requests are refused. Only an owner can allow more.",
        risk="owner",
        fingerprint=fingerprint("budget", scope, key, period, f"{limit:.2f}"),
    )
