"""Calculates what the model shouldn't guess."""

from typing import Annotated

from pydantic import Field

from bot.agents.tools.arithmetic import evaluate, show
from bot.agents.tools.base import ToolContext, tool


@tool(seconds=5.0)
async def calculator(
    ctx: ToolContext,
    *,
    expression: Annotated[
        str,
        Field(min_length=1, max_length=500),
        "For example (3 + 4) * 2, 15% of 80, 200 + 10%, 2^32, sqrt(2), round(10/3, 2).",
    ],
) -> str:
    """Calculates. Knows + - * / // % ^, percentages, pi, e, and sqrt, abs, round, floor, ceil,
    min, max, sum, ln, log10, log2, exp, sin, cos, tan, factorial."""
    return f"{expression.strip()} = {show(evaluate(expression))}"
