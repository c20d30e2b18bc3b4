"""A digest with its picture, for whoever sends or shows it."""

from collections.abc import Mapping
from dataclasses import replace

import structlog

from bot.digest.facts import Facts, Window, gather
from bot.digest.telling import digest
from bot.model.message import Picture, Reply
from bot.model.subscription import Cadence, local
from bot.pictures import of_days
from bot.services import Services

log = structlog.get_logger()

_SPANS: Mapping[Cadence, str] = {"daily": "14 days", "weekly": "4 weeks"}


async def make(services: Services, workspace: str, window: Window) -> tuple[Reply, bool]:
    """The digest, and whether anything happened that is worth one."""
    facts = await gather(services, workspace, window)
    return await _illustrated(digest(facts, services.clock.now()), facts), facts.happened


async def _illustrated(reply: Reply, facts: Facts) -> Reply:
    if not (facts.happened and any(span.runs for span in facts.spans)):
        return reply
    window = facts.window
    title = f"{_SPANS[window.cadence]} to {local(window.zone, window.until):%a %-d %b}"
    try:
        png = await of_days(title, facts.spans, facts.marks, window.zone)
    except Exception:
        # The picture is an extra: whatever keeps it from being drawn, the numbers are told.
        log.exception("picture_not_drawn")
        return reply
    return replace(reply, picture=Picture(png, f"Success, requests and cost by day, {title}"))
