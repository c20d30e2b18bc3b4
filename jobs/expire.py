"""Ends proposals that nobody decided in time, and finishes decisions that a crash cut off."""

from bot.services import Services


async def work(services: Services, workspace: str, run_id: str) -> str:
    ended = await services.desk.expire(workspace)
    settled = await services.desk.settle(workspace)
    return f"{ended} expired, {settled} finished"
