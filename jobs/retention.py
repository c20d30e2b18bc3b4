"""Forgets the texts of runs that are older than the retention setting; their numbers stay."""

from bot.services import Services

_DAY = 86_400_000
_CHUNK = 500  # runs a transaction: answers don't wait for a night's worth of them


async def work(services: Services, workspace: str, run_id: str) -> str:
    before = services.clock.now() - services.settings.retention_days * _DAY
    # A run that was still open when its time came is looked for again the next day.
    since = await services.job_states.watermark(workspace, "retention") - _DAY
    forgotten = 0
    while done := await services.upkeep.forget_texts(workspace, since, before, _CHUNK):
        forgotten += done
    await services.job_states.set_watermark(workspace, "retention", max(0, before))
    return f"{forgotten} runs forgotten"
