"""Tries proposals on recorded requests, before anyone decides on them."""

from collections.abc import Awaitable, Callable

from bot.model.words import count
from bot.ports.stores import State
from bot.services import Services

_SECONDS = 45.0  # a turn: the next tick goes on where this one stopped
_LEASE_MS = 15 * 60_000  # no pair takes longer than two thirds of that
_RENEWED_MS = 10 * 60_000
_NAME = "replay"


async def work(services: Services, workspace: str, run_id: str) -> str:
    if not services.settings.replay_pairs:
        return "replays are switched off"
    mine = _lease(services, workspace, run_id)
    if not await mine():
        return "another run is at it"
    try:
        pairs, ended = await services.replayer.work(workspace, _SECONDS, mine)
    finally:
        await _let_go(services, workspace, run_id)
    return f"{count(pairs, 'pair')} replayed, {count(ended, 'replay')} ended"


def _lease(services: Services, workspace: str, run_id: str) -> Callable[[], Awaitable[bool]]:
    """Takes the work or keeps it: False while another run has it. A tick that is cut off and
    resumed has the same run, and finds it its own."""

    async def take() -> bool:
        now, held = services.clock.now(), await services.states.get(workspace, _NAME)
        by, until = held.state.get("by", ""), int(str(held.state.get("until", 0)))
        if by not in ("", run_id) and now < until:
            return False
        if by == run_id and until - now > _RENEWED_MS:
            return True
        taken = State(state={"by": run_id, "until": now + _LEASE_MS})
        return await services.states.move(workspace, _NAME, held, taken, now)

    return take


async def _let_go(services: Services, workspace: str, run_id: str) -> None:
    held = await services.states.get(workspace, _NAME)
    if held.state.get("by") == run_id:
        await services.states.move(workspace, _NAME, held, State(), services.clock.now())
