"""/unprotect: ends /protect."""

from bot.command import Ask, Command
from bot.model.message import Reply
from bot.model.person import Role
from commands.protect import agent_named


async def unprotect(ask: Ask) -> Reply:
    agent, version, _ = await agent_named(ask, COMMAND)
    which = f"{agent} v{version}" if version else agent
    lifted = await ask.services.brake.unprotect(ask.run.workspace, agent, version)
    said = f"🔓 {which} may change again." if lifted else f"{which} isn't protected."
    data = {"agent": agent, "version": version or None, "protected": False}
    return Reply(said, data=data)


COMMAND = Command(
    "unprotect",
    "Let a protected agent be changed again",
    unprotect,
    usage="agent [v3]",
    examples=("/unprotect writer", "/unprotect writer v3"),
    more="Without a version it ends every protection of that agent.",
    role=Role.OWNER,
    in_order=False,
)
