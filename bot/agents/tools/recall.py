"""Looks something up in what was remembered."""

from typing import Annotated

from pydantic import Field

from bot.agents.tools.base import ToolContext, tool
from bot.model.memory import ORG, of_agent, of_user


@tool()
async def recall(
    ctx: ToolContext,
    *,
    question: Annotated[str, Field(min_length=1, max_length=1000), "What to look for."],
    limit: Annotated[int, Field(ge=1, le=20), "At most this many."] = 5,
) -> object:
    """Searches what the team, you and this person asked to be remembered."""
    namespaces = (ORG, of_agent(ctx.agent), of_user(ctx.person))
    found = await ctx.memory.recall(ctx.workspace, namespaces, question, limit)
    if not found:
        return "Nothing about that is remembered."
    return [{"ref": r.memory.ref, "text": r.memory.text, "score": round(r.score, 2)} for r in found]
