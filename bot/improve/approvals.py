"""Who may approve a proposal, by the policy and by what they had to do with it."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from bot.errors import Conflict, Forbidden
from bot.improve.policies import PolicyBook
from bot.improve.rights import Rights
from bot.model.person import Person, Role
from bot.model.policy import Author, Need
from bot.model.proposal import Proposal
from bot.model.words import one_line
from bot.ports import stores
from bot.ports.clock import Clock

_NAMED = 3


class Approvals:
    """Asked by the desk alone, so that every door has the same rules."""

    def __init__(
        self,
        book: PolicyBook,
        given: stores.Approvals,
        people: stores.People,
        feedback: stores.Feedbacks,
        clock: Clock,
        rights: Rights,
    ) -> None:
        self._book, self._given, self._clock = book, given, clock
        self._rights = rights
        self._people, self._feedback = people, feedback

    async def need(self, proposal: Proposal) -> Need:
        """What it takes as things are now: what would widen rights takes an owner, whatever the
        proposal or the policy says."""
        policy = await self._book.current(proposal.workspace)
        return policy.need(await self._rights.risk(proposal), proposal.kind.value)

    async def risk(self, proposal: Proposal) -> str:
        """The least role that it takes, whatever the policy says."""
        return await self._rights.risk(proposal)

    async def widens(self, proposal: Proposal) -> Sequence[str]:
        """What it would let an agent do beyond today, in words."""
        return await self._rights.reasons(proposal) if proposal.undecided else ()

    async def unseen(self, proposal: Proposal) -> Sequence[str]:
        """What an approved one would let an agent do beyond today, where none of those who
        approved it is an owner: it may have widened while it waited."""
        reasons = await self._rights.reasons(proposal)
        if not reasons:
            return ()
        names = await self._given.of(proposal.workspace, proposal.id, proposal.mark)
        by = [await self._people.get(proposal.workspace, n) for n in {*names, proposal.decided_by}]
        return () if any(one and one.role is Role.OWNER for one in by) else reasons

    async def given(self, proposal: Proposal, need: Need) -> list[Person]:
        """Whose approvals of these words count now: roles may have changed meanwhile."""
        if need.people < 2:
            return []
        names = await self._given.of(proposal.workspace, proposal.id, proposal.mark)
        found = [await self._people.get(proposal.workspace, name) for name in names]
        people = {person.id: person for person in found if person}
        barred = await self._authors(proposal, need)
        return [p for p in people.values() if p.role.may(Role.APPROVER) and p.id not in barred]

    async def must_be_allowed(self, proposal: Proposal, person: Person, need: Need) -> None:
        """Raises Forbidden for whoever asked for the change themselves, unless the policy lets
        them, or nobody else there may."""
        if person.id not in await self._authors(proposal, need):
            return
        others = await self._others(proposal, need)
        if need.author is Author.WHEN_ALONE and need.people < 2 and not others:
            return
        names = " or ".join(one_line(p.name, 40) for p in others[:_NAMED])
        who = f"Ask {names}." if names else "Nobody else here may yet: /role names an approver."
        did = "changed" if person.id == proposal.edited_by else "asked for"
        raise Forbidden(
            f"{person.id} is an author of {proposal.ref}",
            said=f"You {did} {proposal.ref} yourself, so someone else has to approve it. {who}",
        )

    async def would_count(self, proposal: Proposal, person: Person, need: Need) -> bool:
        """Whether an approval of theirs would change something: whoever is one of two needed, and
        has said so, waits for the other."""
        given = await self.given(proposal, need)
        return person.id not in {one.id for one in given} or _enough(given, need)

    async def add(self, proposal: Proposal, person: Person, need: Need) -> bool:
        """Notes an approval; True once no more are needed. Raises Conflict for a second one."""
        if need.people < 2:
            return True
        new = await self._given.put(
            proposal.workspace, proposal.id, person.id, proposal.mark, self._clock.now()
        )
        given = await self.given(proposal, need)
        if _enough(given, need):
            return True
        if not new:
            wants = "an owner" if len(given) >= need.people else "a second person"
            raise Conflict(
                f"{person.id} approved {proposal.ref} before",
                said=f"You approved {proposal.ref} already; it still takes {wants}.",
            )
        return False

    async def _authors(self, proposal: Proposal, need: Need) -> Collection[str]:
        """Who may not be the only one to approve it: whoever asked for it, or whose feedback alone
        it was found in. Where the policy says never, whoever edited it too."""
        if need.author is Author.YES or not proposal.shared:
            return ()
        asked = {proposal.created_by} if proposal.created_by else await self._raters(proposal)
        edited = need.author is Author.NEVER and need.people < 2
        return {*asked, proposal.edited_by} - {""} if edited else asked

    async def _raters(self, proposal: Proposal) -> Collection[str]:
        people = set()
        for run in proposal.evidence:
            feedback = await self._feedback.of_run(proposal.workspace, run)
            people |= {one.person for one in feedback if one.rating < 0 or one.text}
        return people if len(people) == 1 else set()

    async def _others(self, proposal: Proposal, need: Need) -> list[Person]:
        """Everyone else who may, and can be asked: whoever sits at this machine is not asked."""
        roles = (Role.OWNER,) if need.owner else (Role.OWNER, Role.APPROVER)
        barred, found = await self._authors(proposal, need), list[Person]()
        for role in roles:
            for person in await self._people.with_role(proposal.workspace, role):
                if person.id in barred:
                    continue
                known = await self._people.identities(proposal.workspace, person.id)
                asked = [i.label for i in known if i.channel != "local"]
                if asked:  # whoever was only named in the settings has no name yet
                    found.append(replace(person, name=person.name or asked[0]))
        return found


def _enough(given: Sequence[Person], need: Need) -> bool:
    owners = any(person.role is Role.OWNER for person in given)
    return len(given) >= need.people and (owners or not need.owner)


def must_have_role(proposal: Proposal, person: Person, need: Need) -> None:
    if not person.role.may(need.role):
        raise forbidden(proposal, person, "approved", need.role)


def forbidden(proposal: Proposal, person: Person, what: str, needed: Role) -> Forbidden:
    return Forbidden(
        f"{person.role} {person.id} may not: {proposal.ref} {what}",
        said=f"{proposal.ref} can be {what} by an {needed.value} only; you are a "
        f"{person.role.value}.",
    )
