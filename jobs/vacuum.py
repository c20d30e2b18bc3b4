"""Nightly upkeep of the database and of the memory index."""

from bot.services import Services

_DAY = 86_400_000
_TICKS_DAYS, _NOTICES_DAYS = 30, 400  # a notice may be keyed by its month


async def work(services: Services, workspace: str, run_id: str) -> str:
    now = services.clock.now()
    tidied = await services.upkeep.tidy(
        workspace, now - _TICKS_DAYS * _DAY, now - _NOTICES_DAYS * _DAY
    )
    tidied += await services.durable.forget(now - _TICKS_DAYS * _DAY)
    await services.upkeep.optimize()
    await services.memory.vacuum()
    return f"{tidied} old rows removed"
