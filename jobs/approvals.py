"""Asks the next ones about what nobody has decided, reminds, and ends what is over."""

from bot.services import Services


async def work(services: Services, workspace: str, run_id: str) -> str:
    ended = await services.desk.expire(workspace)
    asked, reminded = await services.desk.follow_up(workspace)
    return f"{asked} asked further, {reminded} reminded, {ended} expired"
