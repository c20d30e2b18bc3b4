"""Looks at the trials: which go on, which end, which begin."""

from bot.services import Services


async def work(services: Services, workspace: str, run_id: str) -> str:
    return await services.trying.go_on(workspace)
