"""Looks for versions that do worse than before, and takes back the change that did it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import structlog

from bot.errors import Conflict, NotFound
from bot.improve.detect import drift, success
from bot.improve.detect.seen import Seen
from bot.improve.facts import REGRESSION, number, text
from bot.model.finding import Finding
from bot.model.message import Button, Reply
from bot.model.proposal import Proposal
from bot.model.words import count
from bot.services import Services
from jobs.follow import Known, by, follow

log = structlog.get_logger()

_DAY = 86_400_000
_SOON = 50
"""A fall that began within so many runs of a version, or within a day, came with it."""
_SMALL = {"latency": 1000.0, "cost": 0.001}
"""Of less (ms and US dollars a run) more is told and not taken back: as in a trial."""
_TWICE = 2.0
"""How much longer or dearer a run must be before a change is taken back by itself for it: trials
keep what costs a little more and is worth it."""
_PROPOSAL = re.compile(r"P\d+\Z", re.ASCII)


async def work(services: Services, workspace: str, run_id: str) -> str:
    async def on_success(known: Known, page: Sequence[success.Judged]) -> Sequence[Seen]:
        return await _with_origin(services, workspace, await by(success.fold)(known, page))

    async def on_drift(known: Known, page: Sequence[drift.Took]) -> Sequence[Seen]:
        return await _with_origin(services, workspace, await by(drift.fold)(known, page))

    scored = await follow(
        services, workspace, "regression.success", success.Judged, on_success, scored=True
    )
    closed = await follow(services, workspace, "regression.drift", drift.Took, on_drift)
    worse, undone = await _act(services, workspace)
    return f"{closed} runs and {scored} outcomes read, {worse} worse, {undone} taken back"


async def _with_origin(services: Services, workspace: str, seen: Iterable[Seen]) -> Sequence[Seen]:
    """With the version before and the proposal that made this one."""
    found: list[Seen] = []
    for one in seen:
        history = await services.agents.history(workspace, one.agent)
        made = next((m for m in history if m.version.version == one.facts["version"]), None)
        source = made.source if made and _PROPOSAL.match(made.source) else ""
        origin = {"previous": made.base if made else 0, "deployed": source}
        found.append(replace(one, facts={**one.facts, **origin}))
    return found


async def _act(services: Services, workspace: str) -> tuple[int, int]:
    """What was found is read back: whoever is killed before this acts the next time."""
    statuses = ["open", "proposed", "known"]
    found = await services.findings.list(workspace, kinds=[REGRESSION], statuses=statuses)
    worse = undone = 0
    used = await _in_use(services, workspace) if found else set()
    for finding in found:
        if (finding.agent, number(finding.facts, "version")) not in used:
            if finding.status == "open":  # what is no longer in use needs no answer
                await services.findings.set_status(workspace, finding.id, "known")
            continue
        worse += 1
        if came_with_it(finding):
            undone += await _take_back(services, finding)
    return worse, undone


async def _in_use(services: Services, workspace: str) -> set[tuple[str, float]]:
    """What answers now: the roster, and the candidates of trials."""
    current = {(a.name, float(a.version)) for a in await services.agents.current(workspace)}
    for trial in await services.trials.running(workspace):
        current |= {(name, float(version)) for name, version in trial.overlay.items()}
    return current


def came_with_it(finding: Finding) -> bool:
    """Whether it is a proposal's version that has done worse from about its first runs on, by
    enough to take it back unasked."""
    facts = finding.facts
    if not text(facts, "deployed") or not number(facts, "previous"):
        return False
    waited = (number(facts, "since") or 0) - (number(facts, "first") or 0)
    soon = (number(facts, "earlier") or 0) <= _SOON or waited <= _DAY
    before, after = number(facts, "before") or 0, number(facts, "after") or 0
    measure = text(facts, "measure")
    return soon and (
        measure == "success" or (after >= _TWICE * before and after >= _SMALL.get(measure, 0.0))
    )


async def _take_back(services: Services, finding: Finding) -> bool:
    ref, workspace = text(finding.facts, "deployed"), finding.workspace
    try:
        proposal = await services.desk.roll_back_on_harm(workspace, ref, finding.title)
    except (Conflict, NotFound) as error:
        log.info("not_taken_back", proposal=ref, finding=finding.id, cause=str(error))
        said = f"📉 {finding.title}. {ref} made that version. {error.said}"
        reply = Reply(said, buttons=(Button(f"Show {ref}", f"/proposals {ref}"),))
        await services.post.to_admins(workspace, reply, key=f"harm:{finding.id}:held")
        return False
    if proposal is None:
        return False
    await _tell(services, finding, proposal)
    now = services.clock.now()
    await services.findings.remedied(workspace, finding.id, ref, now, {"undone": True})
    return True


async def _tell(services: Services, finding: Finding, proposal: Proposal) -> None:
    """Where it was approved, and the admins."""
    runs = count(finding.count, "run")
    reply = Reply(
        f"📉 {proposal.ref} was rolled back by itself: {proposal.reason} The evidence is {runs}.",
        buttons=(Button(f"Show {proposal.ref}", f"/proposals {proposal.ref}"),),
    )
    key, workspace = f"harm:{proposal.id}", finding.workspace
    run = await services.runs.get(workspace, proposal.decided_run) if proposal.decided_run else None
    if run is not None:
        await services.post.to_place(workspace, run.channel, run.address, reply, key=key)
    await services.post.to_admins(workspace, reply, key=key)
