"""Who is asked for a decision, and when: the first card, the next place, the reminder."""

from dataclasses import replace

from bot.improve import cards
from bot.improve.policies import PolicyBook
from bot.model.delivery import place_of
from bot.model.message import Reply
from bot.model.policy import Policy
from bot.model.proposal import Asked, Proposal
from bot.places import Place, Reached, spoken_in
from bot.ports.clock import Clock
from bot.ports.post import Post
from bot.ports.stores import Asks, Runs


class Asking:
    """Safe to do again at any time: a card is one message in a place, however often it is sent."""

    def __init__(self, book: PolicyBook, asks: Asks, runs: Runs, post: Post, clock: Clock) -> None:
        self._book, self._asks, self._runs = book, asks, runs
        self._post, self._clock = post, clock

    async def begin(self, proposal: Proposal, card: Reply, besides: str = "") -> None:
        """The first card. `besides` is the place (`Delivery.place`) where it is shown anyway."""
        self._post.to_watchers(proposal.workspace, card, key=_key(proposal))
        await self.go_on(proposal, card, besides)

    async def go_on(self, proposal: Proposal, card: Reply, besides: str = "") -> bool:
        """Takes the steps that are due; whether anyone else was asked.

        A step whose people all refuse us is as good as over, and so is one that leads nowhere,
        unless the card is seen in the room where it was asked for.
        """
        workspace, now = proposal.workspace, self._clock.now()
        policy = await self._book.current(workspace)
        before = await self._asks.get(workspace, proposal.id)
        near, quiet = await self._near(proposal), policy.quiet(now)
        room = near is not None and not near.own
        asked = await self._asked(policy, before, workspace, near)
        steps = before.steps
        for step in policy.ask[steps:]:
            waits = now < proposal.created_at + step.after
            seen = bool(asked.open) or (not asked.shut and room)
            if waits and (seen or steps == 0):
                break
            if quiet and step.after:
                break
            found = await self._post.places(workspace, step.where, near)
            due = [p for p in found.open if not (quiet and p.own)]
            await self._send(proposal, card, due, near, besides)
            if len(due) < len(found.open):
                break
            asked = _both(asked, found)
            steps += 1
        if steps == before.steps or not (asked.open or room):
            return False
        return await self._asks.move(
            workspace, proposal.id, before, replace(before, steps=steps), now
        )

    async def remind(self, proposal: Proposal) -> bool:
        """Whether those asked so far were reminded now."""
        workspace, now = proposal.workspace, self._clock.now()
        policy = await self._book.current(workspace)
        before = await self._asks.get(workspace, proposal.id)
        last = max(proposal.created_at, before.reminded_at)
        if not policy.remind_after or now < last + policy.remind_after or policy.quiet(now):
            return False
        asked = await self._asked(policy, before, workspace, None)
        if not asked.open:
            return False
        await self._post.to_places(
            workspace,
            asked.open,
            cards.reminder(proposal, now),
            key=f"reminder:{proposal.id}:{before.reminded_at}",
            card=_reminder(proposal),
        )
        after = replace(before, reminded_at=now)
        return await self._asks.move(workspace, proposal.id, before, after, now)

    async def show(self, proposal: Proposal, card: Reply) -> None:
        """Every copy and every reminder as the proposal stands now."""
        await self._post.update_card(proposal.workspace, proposal.ref, card)
        asked = await self._asks.get(proposal.workspace, proposal.id)
        if asked.reminded_at:
            now = self._clock.now()
            reply = cards.reminder(proposal, now, said=card.card.status if card.card else "")
            await self._post.update_card(proposal.workspace, _reminder(proposal), reply)

    async def _send(
        self,
        proposal: Proposal,
        card: Reply,
        places: list[Place],
        near: Place | None,
        besides: str,
    ) -> None:
        shown = {(near.channel, near.name)} if near else set()
        new = [
            place
            for place in places
            if (place.channel, place.name) not in shown
            and place_of(place.channel, place.address) != besides
        ]
        if new:
            await self._post.to_places(proposal.workspace, new, card, key=_key(proposal))

    async def _asked(
        self, policy: Policy, asked: Asked, workspace: str, near: Place | None
    ) -> Reached:
        """Who could be asked by the steps taken so far, as things are now."""
        total = Reached()
        for step in policy.ask[: asked.steps]:
            total = _both(total, await self._post.places(workspace, step.where, near))
        return total

    async def _near(self, proposal: Proposal) -> Place | None:
        """Where it was asked for: there the answer to the asking is the card."""
        run = await self._runs.get(proposal.workspace, proposal.id)
        if run is None:
            return None
        person = str(run.address.get("user") or run.address.get("chat_id") or "")
        return spoken_in(run.channel, run.address, person)


def _both(one: Reached, other: Reached) -> Reached:
    places = {(p.channel, p.name): p for p in (*one.open, *other.open)}
    return Reached(tuple(places.values()), one.shut + other.shut)


def _key(proposal: Proposal) -> str:
    return f"proposal:{proposal.id}"


def _reminder(proposal: Proposal) -> str:
    return f"{proposal.ref}:reminder"
