"""Who decides what, who is asked when, and when nobody is disturbed; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from bot.model.person import Role

POLICY = "policy"
"""Stands where a person's id does when the policy decided."""


class Needs(StrEnum):
    AUTOMATIC = "automatic"
    ONE = "one"
    TWO = "two"
    OWNER = "owner"


class Author(StrEnum):
    """Whether who asked for a change may be the one who approves it."""

    NEVER = "never"
    WHEN_ALONE = "when_alone"
    YES = "yes"


class AtExpiry(StrEnum):
    DECLINE = "decline"
    WAIT = "wait"
    APPROVE = "approve"


class Guests(StrEnum):
    CHAT = "chat"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Need:
    """What it takes to approve one proposal: so many people, an owner among them or not."""

    people: int
    owner: bool
    author: Author

    @property
    def role(self) -> Role:
        """The least that each of them needs."""
        return Role.OWNER if self.owner and self.people < 2 else Role.APPROVER

    @property
    def words(self) -> str:
        if self.people == 0:
            return "nobody: it is automatic"
        if self.people == 1:
            return "an owner" if self.owner else "an approver"
        return "two approvers, one of them an owner" if self.owner else "two approvers"


@dataclass(frozen=True, slots=True)
class Rule:
    """`risk` and `kind` are globs over those of a proposal."""

    needs: Needs
    risk: str = "*"
    kind: str = "*"
    author: Author = Author.WHEN_ALONE


@dataclass(frozen=True, slots=True)
class AskStep:
    """`where` is asked once so many ms have passed without a decision."""

    where: str
    after: int = 0


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Minutes of the day in `zone`: from `start` up to, not including, `end`."""

    start: int
    end: int
    zone: str

    def at(self, ms: int) -> bool:
        local = datetime.fromtimestamp(ms / 1000, ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


_CAREFUL = Rule(Needs.ONE)


@dataclass(frozen=True, slots=True)
class Policy:
    """The first rule that matches counts. Durations are ms; `expire_after` 0 leaves it to the
    setting, `remind_after` 0 reminds nobody."""

    approvals: tuple[Rule, ...] = ()
    ask: tuple[AskStep, ...] = ()
    remind_after: int = 0
    expire_after: int = 0
    at_expiry: AtExpiry = AtExpiry.DECLINE
    quiet_hours: QuietHours | None = None
    guests: Guests = Guests.REFUSE

    def need(self, risk: str, kind: str) -> Need:
        """What widens permissions takes an owner, whatever the rules say."""
        rule = next((r for r in self.approvals if _matches(r, risk, kind)), _CAREFUL)
        owner = rule.needs is Needs.OWNER or risk != "approver"
        people = {Needs.AUTOMATIC: 0, Needs.TWO: 2}.get(rule.needs, 1)
        return Need(max(people, 1) if owner else people, owner, rule.author)

    def quiet(self, ms: int) -> bool:
        return self.quiet_hours is not None and self.quiet_hours.at(ms)


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """`version` 0 is what a workspace begins with. `created_at` is ms, UTC."""

    version: int
    text: str
    created_by: str = ""
    created_at: int = 0


def in_words(policy: Policy) -> Sequence[str]:
    """The policy as sentences, one a line."""
    lines = [_rule(rule, first=not number) for number, rule in enumerate(policy.approvals)]
    if not any((rule.risk, rule.kind) == ("*", "*") for rule in policy.approvals):
        lines.append(f"Any other change: {_NEEDS[Needs.ONE]}{_AUTHOR[_CAREFUL.author]}.")
    if not any((r.risk, r.kind, r.needs) == (*_RISKS, Needs.OWNER) for r in policy.approvals):
        lines.append(f"{_RISKY} always takes an owner.")
    for step in policy.ask:
        when = f"after {span(step.after)} without a decision" if step.after else "at once"
        lines.append(f"Asked {when}: {_where(step.where)}.")
    if policy.remind_after:
        lines.append(f"Reminded every {span(policy.remind_after)}.")
    if policy.expire_after:
        lines.append(f"Expires after {span(policy.expire_after)}.")
    lines.append(_AT_EXPIRY[policy.at_expiry])
    if quiet := policy.quiet_hours:
        hours = f"{_clock(quiet.start)} to {_clock(quiet.end)} ({quiet.zone})"
        lines.append(f"Nothing is sent unasked from {hours}; decisions work always.")
    allowed = "may ask agents" if policy.guests is Guests.CHAT else "get no answers"
    lines.append(f"Guests {allowed}, and never decide.")
    return lines


def span(ms: int) -> str:
    """ "4 hours", "1 day", "30 minutes"."""
    for size, unit in ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute")):
        if (ms >= size and ms % size == 0) or unit == "minute":
            count = ms // size
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return "0 minutes"


_RISKS = ("owner", "*")
_RISKY = "What gives an agent new wording or more rights"
_PLATFORMS = {"slack": "Slack", "telegram": "Telegram", "whatsapp": "WhatsApp"}
_NEEDS = {
    Needs.AUTOMATIC: "approved by itself",
    Needs.ONE: "one approver",
    Needs.TWO: "two approvers, neither of them who asked for it",
    Needs.OWNER: "an owner",
}
_AUTHOR = {
    Author.NEVER: ", never who asked for it",
    Author.WHEN_ALONE: ", not who asked for it unless nobody else may",
    Author.YES: ", also who asked for it",
}
_AT_EXPIRY = {
    AtExpiry.DECLINE: "What nobody decides in time is declined.",
    AtExpiry.WAIT: "What nobody decides in time goes on waiting.",
    AtExpiry.APPROVE: "What nobody decides in time is approved, unless it takes an owner or two.",
}


def _rule(rule: Rule, *, first: bool) -> str:
    every = "Every change" if first else "Every other change"
    what = every if rule.kind == "*" else f"Changes of the kind {rule.kind}"
    risk = "" if rule.risk == "*" else f" of risk {rule.risk}"
    if (rule.risk, rule.kind) == _RISKS:
        what, risk = _RISKY, ""
    author = "" if rule.needs in (Needs.AUTOMATIC, Needs.TWO) else _AUTHOR[rule.author]
    return f"{what}{risk}: {_NEEDS[rule.needs]}{author}."


def _where(where: str) -> str:
    role, _, platform = where.partition("@")
    if role in ("approvers", "owners"):
        return f"all {role} on {_PLATFORMS[platform]}" if platform else f"all {role}"
    names = {"admin": "the admin channel", "thread": "the thread in which it was asked for"}
    return names.get(where, where)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _matches(rule: Rule, risk: str, kind: str) -> bool:
    return fnmatchcase(risk, rule.risk) and fnmatchcase(kind, rule.kind)
