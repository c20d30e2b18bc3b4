"""Has a model grade a share of the answers, where one is set for it."""

from bot.model.words import count
from bot.services import Services


async def work(services: Services, workspace: str, run_id: str) -> str:
    graded, why = await services.grading.work(workspace, run_id)
    return f"{count(graded, 'answer')} graded" + (f"; {why}" if why else "")
