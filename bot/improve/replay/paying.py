"""A replay's own limits, asked before the budgets that hold for everyone."""

from dataclasses import dataclass

from bot.budget import Holding, money
from bot.errors import OverBudget
from bot.model.run import Usage

_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one replay: US dollars, and tokens in and out, which bound it where no price is known."""

    usd: float
    tokens: int

    @property
    def in_words(self) -> tuple[str, str]:
        """What is said once one of them is reached."""
        of = "The replay has reached its limit of"
        return (
            f"{of} {money(self.usd)} (RATCHET_REPLAY_BUDGET).",
            f"{of} {self.tokens:,} tokens (RATCHET_REPLAY_TOKENS).",
        )


class ReplayPurse:
    """Implements `bot.budget.Holding`. `spent` is what the replay has cost before."""

    def __init__(self, purse: Holding, limits: Limits, spent: Usage) -> None:
        self._purse, self._limits, self.spent = purse, limits, spent

    async def hold(
        self,
        workspace: str,
        *,
        run_id: str,
        agent: str,
        person: str,
        spent: Usage,
        most: Usage,
        own_day: float | None = None,
    ) -> str:
        """Raises OverBudget."""
        self._must_fit(most)
        return await self._purse.hold(
            workspace,
            run_id=run_id,
            agent=agent,
            person=person,
            spent=spent,
            most=most,
            own_day=own_day,
        )

    def release(self, hold: str, usage: Usage | None = None) -> None:
        if usage is not None:
            self.spent += usage
        self._purse.release(hold, usage)

    def _must_fit(self, most: Usage) -> None:
        usd = (self.spent.cost_usd or 0.0) + (most.cost_usd or 0.0)
        tokens = sum((self.spent.tokens_in, self.spent.tokens_out, most.tokens_in, most.tokens_out))
        of_usd, of_tokens = self._limits.in_words
        over = usd > self._limits.usd + _TINY
        if over or tokens > self._limits.tokens:
            said = of_usd if over else of_tokens
            raise OverBudget(f"replay limit: {usd:.6f} US dollars, {tokens} tokens", said=said)
