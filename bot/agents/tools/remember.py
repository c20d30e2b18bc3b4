"""Keeps something for later."""

import hashlib
from typing import Annotated

from pydantic import Field

from bot.agents.tools.base import ToolContext, tool
from bot.memory import MAX_TEXT
from bot.model.memory import of_agent, of_user


@tool()
async def remember(
    ctx: ToolContext,
    *,
    text: Annotated[
        str, Field(min_length=1, max_length=MAX_TEXT), "One fact, understandable on its own."
    ],
) -> object:
    """Remembers a fact for the person you talk to. Only they will see it."""
    # Words in a conversation may come from anywhere: what a model keeps reaches nobody else. What
    # is for everybody, a person says with a command.
    namespace = of_user(ctx.person) if ctx.person else of_agent(ctx.agent)
    digest = hashlib.sha256(ctx.call_id.encode()).hexdigest()[:12]
    memory = await ctx.memory.remember(
        ctx.workspace,
        namespace,
        text,
        by=ctx.person or ctx.agent,
        source=ctx.run_id,
        id=f"{ctx.run_id}:{digest}",
    )
    return f"Remembered as {memory.ref}, for this person only; /remember is for everybody."
