"""Makes a file that comes with the answer."""

from typing import Annotated

from pydantic import Field

from bot.agents.tools.base import ToolContext, tool


@tool()
async def make_file(
    ctx: ToolContext,
    *,
    name: Annotated[str, Field(min_length=1, max_length=200), "As in report.csv."],
    content: Annotated[str, Field(min_length=1), "The whole text."],
) -> object:
    """Makes a text file (md, csv, json, txt …) that is sent with your answer."""
    made = await ctx.making.make(ctx.workspace, ctx.run_id, name, content)
    return f"{made.name} ({made.size} bytes) goes with your answer."
