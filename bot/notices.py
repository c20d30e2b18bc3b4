"""What the owner is told unasked: money running out, replies that could not be delivered."""

from bot.budget import money, raising
from bot.model.budget import Budget
from bot.model.delivery import Delivery
from bot.model.message import Card, Reply
from bot.places import NAMES
from bot.ports.clock import Clock
from bot.ports.post import Post


class Notices:
    """Each notice has a key, so that the same news is told once."""

    def __init__(self, post: Post, clock: Clock) -> None:
        self._post, self._clock = post, clock

    async def undelivered(self, delivery: Delivery, cause: str) -> None:
        """A notice that can't be delivered itself is only logged; a card to decide on is not."""
        if delivery.id.startswith("post:") and not delivery.card:
            return
        text = f"A reply on {NAMES.get(delivery.channel, delivery.channel)} could not be delivered: {cause.rstrip('.')}. "
        if delivery.card:
            text += f"It is kept: /proposals {delivery.card.partition(':')[0]} shows it."
        elif delivery.run_id:
            text += f"It is kept: /run {delivery.run_id[-8:]} shows it."
        else:
            text += f"It was for {delivery.place.partition(':')[2]}; nobody had asked for it."
        reply = Reply("", card=Card("Reply not delivered", text))
        await self._post.to_admins(delivery.workspace, reply, key=f"undelivered:{delivery.id}")

    async def budget_warning(self, workspace: str, budget: Budget, spent: float) -> None:
        limit = budget.limit_usd
        text = (
            f"{money(spent)} of {money(limit)} are spent: {budget.label}. At the limit requests "
            f"are refused. /budget shows all; {raising(budget, limit * 2)} raises it."
        )
        reply = Reply("", card=Card("Budget at 80 %", text))
        key = f"budget:{budget.label}:{self._clock.now() // 86_400_000}"
        await self._post.to_admins(workspace, reply, key=key)
