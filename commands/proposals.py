"""/proposals: what waits for a decision, and what became of the rest."""

from collections.abc import Sequence

from bot.command import Ask, Command
from bot.errors import NotFound
from bot.improve import cards
from bot.model.message import Button, Reply
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.words import count, one_line
from commands.parsing import closest, wrong
from commands.refs import proposal_ref

_STATUSES = {status.value.replace("_", "-"): status for status in ProposalStatus}
_STATUSES["waiting"] = ProposalStatus.DRAFTED
_SHOWN, _MOST = 20, 500


async def proposals(ask: Ask) -> Reply:
    store, workspace = ask.services.proposals, ask.run.workspace
    word = ask.args.lower().replace("_", "-")
    if not word:
        found = await store.list(workspace, limit=_SHOWN)
        waiting = await store.list(workspace, [ProposalStatus.DRAFTED], _MOST)
        return _listed(found, "There are no proposals yet.", _waiting(len(waiting)))
    if word in _STATUSES:
        found = await store.list(workspace, [_STATUSES[word]], _SHOWN)
        if _STATUSES[word] is ProposalStatus.DRAFTED:
            found = sorted(found, key=lambda p: (-p.rank, p.number))
        return _listed(found, f"No proposal is {word}.")
    if not any(letter.isdigit() for letter in word):
        why = f"{one_line(ask.args, 20)} is no status.{closest(word, _STATUSES)}"
        raise wrong(ask, COMMAND, f"{why} There are: {', '.join(_STATUSES)}.")
    ref, _ = await proposal_ref(ask, COMMAND)
    proposal = await store.get(workspace, ref)
    if proposal is None:
        raise NotFound(f"no proposal {ref}", said=f"I know no proposal {ref}.")
    return await ask.services.desk.card(proposal)


def _waiting(number: int) -> str:
    if not number:
        return ""
    return f"{count(number, 'proposal')} in the queue, best first: `/proposals waiting`"


def _listed(found: Sequence[Proposal], none: str, more: str = "") -> Reply:
    if not found:
        return Reply(f"{none} `/better …` about an answer makes one.")
    lines = [f"- **{p.ref}** {one_line(p.title, 90)} · {cards.status(p)}" for p in found]
    lines += [more] if more else []
    offered = [p for p in found if p.status is ProposalStatus.OFFERED][:5]
    buttons = tuple(Button(f"Show {p.ref}", f"/proposals {p.ref}") for p in offered)
    return Reply("\n".join(lines), buttons=buttons)


COMMAND = Command(
    "proposals",
    "List proposals, or show one",
    proposals,
    usage="[P12 | offered | waiting | approved | declined | expired | rolled-back]",
    examples=("/proposals", "/proposals P12", "/proposals waiting", "/proposals declined"),
    more="So many are asked about at a time in one place (RATCHET_OPEN_PROPOSALS); the others wait "
    "in the queue, and come by rank: expected benefit times confidence, over risk and cost of "
    "trying.",
)
