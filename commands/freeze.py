"""/freeze: nothing is put into use and no trial goes on, until /unfreeze."""

from bot.command import Ask, Command
from bot.improve import brake
from bot.model.message import Button, Reply
from bot.model.person import Role
from commands.data import of_hold


async def freeze(ask: Ask) -> Reply:
    services, workspace = ask.services, ask.run.workspace
    new = await services.brake.freeze(workspace, ask.person.id, ask.args)
    await services.trying.go_on(workspace)
    hold = await services.brake.frozen(workspace)
    since = brake.frozen(hold) if hold else ""
    said = (
        "🧊 The loop is frozen. Nothing new is put into use and trials pause: everyone gets the "
        "version in use. What is approved meanwhile is noted, and goes on with `/unfreeze`."
    )
    return Reply(
        said if new else since,
        buttons=(Button("Unfreeze", "/unfreeze"),),
        data={"frozen": of_hold(hold)},
    )


COMMAND = Command(
    "freeze",
    "Stop the loop: nothing is put into use, trials pause",
    freeze,
    usage="[reason]",
    examples=("/freeze", "/freeze audit until Friday"),
    more="Answers go on, and so do findings and proposals. `/rollback` still takes things back.",
    role=Role.OWNER,
    in_order=False,
)
