"""/better: says what was wrong with an answer, and gets the change that would mend it."""

from bot.command import Ask, Command
from bot.improve import cards
from bot.model.delivery import place_of
from bot.model.message import Button, Reply
from bot.model.policy import POLICY
from bot.model.proposal import ProposalStatus
from bot.model.words import one_line, when
from commands.parsing import run_and_words
from commands.recording import record


async def better(ask: Ask) -> Reply:
    run, words = await run_and_words(ask)
    if not words:
        asked = one_line(run.message, 80)
        question = "What should be better about it?"
        return Reply(
            f"About “{asked}” ({run.short}): {question[0].lower()}{question[1:]}\n"
            f"Say `/better {run.short}` and then your words, for example "
            f"`/better {run.short} answer in two sentences`.",
            buttons=(Button("Say it", f"/better {run.short}", asks=question),),
        )
    await record(ask, run, -1, words, "better")
    services = ask.services
    place = place_of(ask.run.channel, ask.run.address)
    proposal = await services.desk.from_words(run, words, ask.person, ask.run.id, place)
    by_itself = proposal.id == ask.run.id and proposal.decided_by == POLICY
    if proposal.status is ProposalStatus.OFFERED or by_itself:
        return await services.desk.card(proposal)
    if proposal.status is ProposalStatus.DRAFTED:
        return Reply(
            f"Noted as {proposal.ref}. Enough proposals wait for a decision here already: it comes "
            "when there is room. `/proposals waiting` lists the queue."
        )
    if proposal.status in (ProposalStatus.DECLINED, ProposalStatus.EXPIRED):
        return Reply(
            f"Noted. The same change was proposed before as {proposal.ref}: "
            f"{cards.status(proposal, by=await _name(ask, proposal.decided_by))}.\n"
            "It is not proposed again; say it differently if things have changed."
        )
    return Reply(
        f"Noted. {proposal.ref} says that already and was approved "
        f"{when(proposal.decided_at)}. {cards.effect(proposal)} "
        "If it doesn't help, say what is still wrong."
    )


async def _name(ask: Ask, person: str) -> str:
    found = await ask.services.people.get(ask.run.workspace, person) if person else None
    return found.name if found else ""


COMMAND = Command(
    "better",
    "Say what should be better about an answer; you get a proposal for it",
    better,
    usage="[run] what should be better",
    examples=(
        "/better always name the source",
        "/better our refund period is 30 days",
        "/better 1a2b3c4d answer in two sentences",
    ),
)
