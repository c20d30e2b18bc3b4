"""A proposal as people see it: what would change, why, and what to press; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.improve import effects, ranking
from bot.improve.drafting import UNMEASURED
from bot.model.message import Button, Card, Field, Reply
from bot.model.policy import Need, span
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.words import one_line, when

_SHOWN_RUNS = 5
_S = ProposalStatus
_STANDS = {
    _S.OFFERED: "shall I change this? Approve, edit or decline",
    _S.DRAFTED: "waits in the queue",
}


@dataclass(frozen=True, slots=True)
class Names:
    """People on a card: who decided, who approved so far, who edited it last, what it takes.
    `frozen` says that what is approved waits."""

    by: str = ""
    given: Sequence[str] = ()
    editor: str = ""
    need: Need | None = None
    frozen: bool = False
    widens: Sequence[str] = ()
    """What it would let an agent do beyond today: why it takes an owner."""


def offer(proposal: Proposal, names: Names | None = None) -> Reply:
    """The card in its present state."""
    names = names or Names()
    by = names.by
    state = status(proposal, by=by, frozen=names.frozen)
    return Reply(
        text=f"Proposal {proposal.ref}: {_STANDS.get(proposal.status, 'decided')}.",
        card=Card(
            title=f"{proposal.ref} · {proposal.title}",
            body=_expected(proposal),
            fields=_fields(proposal, names),
            diff=proposal.diff,
            ref=proposal.ref,
            status="" if proposal.status is _S.OFFERED else state,
        ),
        buttons=buttons(proposal) if proposal.status is _S.OFFERED else (),
    )


def _expected(proposal: Proposal) -> str:
    over = proposal.status in (_S.KEPT, _S.ROLLED_BACK)
    return proposal.expected.removesuffix(UNMEASURED).rstrip() if over else proposal.expected


def status(proposal: Proposal, *, by: str = "", frozen: bool = False) -> str:
    """One line: what became of it, by whom and when."""
    who = f" by {by}" if by else ""
    at = f", {when(proposal.decided_at)}" if proposal.decided_at else ""
    why = f": {one_line(proposal.reason, 200)}" if proposal.reason else ""
    match proposal.status:
        case _S.DRAFTED:
            return "Waits in the queue until there is room to ask"
        case _S.OFFERED:
            return f"Waits for a decision until {when(proposal.expires_at)}"
        case _S.KEPT:
            return f"Stays{at}{why}. {effect(proposal)}"
        case _S.APPROVED | _S.TRIALLED:
            return f"Approved{who}{at}. {effect(proposal, frozen)}"
        case _S.DECLINED:
            return f"Declined{who}{at}{why}"
        case _S.EXPIRED:
            return f"Expired{at}: nobody decided in time, so it is declined"
        case _S.ROLLED_BACK:
            return f"Rolled back{who}{at}{why}"
        case _S.SUPERSEDED:
            return f"Superseded{at}{why}"


def effect(proposal: Proposal, frozen: bool = False) -> str:
    """What approval made, once it has."""
    if not proposal.applied:
        return "It waits: the loop is frozen." if frozen else "Being deployed."
    if proposal.status is _S.TRIALLED:
        return f"It is tried beside what is in use, as {proposal.applied.get('trial', 'a trial')}."
    return effects.done(proposal)


def reminder(proposal: Proposal, now: int, said: str = "") -> Reply:
    """A short word about one that waits; `said` is what became of it meanwhile."""
    what = f"**{proposal.ref}** {one_line(proposal.title, 90)}"
    if proposal.status is not _S.OFFERED:
        return Reply(f"{what}: {said}")
    so_long = now - proposal.created_at
    unit = 3_600_000 if so_long >= 3_600_000 else 60_000
    waited = span(so_long // unit * unit)
    until = f" It expires {when(proposal.expires_at)}." if proposal.expires_at > now else ""
    show = Button(f"Show {proposal.ref}", f"/proposals {proposal.ref}")
    return Reply(
        f"⏳ {what} waits for a decision since {waited}.{until}",
        buttons=(*buttons(proposal), show),
    )


def _fields(proposal: Proposal, names: Names) -> tuple[Field, ...]:
    runs = ", ".join(run[-8:] for run in proposal.evidence[:_SHOWN_RUNS])
    more = len(proposal.evidence) - _SHOWN_RUNS
    fields = [
        Field("Changes", effects.target(proposal)),
        Field("Evidence", f"{runs} and {more} more" if more > 0 else runs or "none"),
        Field("May approve", _may_approve(proposal, names)),
        *_numbers(proposal),
    ]
    if names.given and names.need and proposal.status is _S.OFFERED:
        so_far = f"{len(names.given)} of {names.need.people}: {_and(names.given)}"
        fields.append(Field("Approved so far", so_far))
    if proposal.status is _S.OFFERED:
        fields.append(Field("Expires", when(proposal.expires_at)))
    if proposal.edited:
        fields.append(Field("Edited by", names.editor or "someone"))
    return tuple(fields)


def _numbers(proposal: Proposal) -> list[Field]:
    """What is expected of it, what replay showed, and why it comes now."""
    told = (
        ("Expected effect", effects.expected(proposal)),
        ("Replay", effects.replayed(proposal)),
        ("Rank", ranking.in_words(proposal) if proposal.finding else ""),
    )
    return [Field(label, words) for label, words in told if words]


def _may_approve(proposal: Proposal, names: Names) -> str:
    who = names.need.words if names.need else f"an {proposal.risk}"
    widens = proposal.status is _S.OFFERED and names.widens
    return f"{who} (because of {one_line(', '.join(names.widens), 160)})" if widens else who


def buttons(proposal: Proposal, *, approve: bool = True) -> tuple[Button, ...]:
    """What decides one that is offered; without `approve` what is left to who may not."""
    # The number of edits goes along: nobody approves words that they haven't seen.
    ref = proposal.ref if not proposal.revision else f"{proposal.ref}.{proposal.revision}"
    edit = Button("Edit", f"/edit {ref}", asks="What should it say instead?", value=proposal.words)
    return (
        *([Button("Approve", f"/approve {ref}", "primary")] if approve else []),
        *([edit] if proposal.words else []),
        Button("Decline", f"/decline {ref}", "danger", asks="Why not? It is not proposed again."),
    )


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
