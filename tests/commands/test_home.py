"""A person's own page: what each role finds there, and that every button is a command."""

from dataclasses import replace

import pytest

from bot.command import CommandTable
from bot.errors import Forbidden
from bot.home import Section, page
from bot.model.person import Role
from bot.model.proposal import Change, ProposalKind, ProposalStatus
from commands import COMMANDS
from tests import samples
from tests.commands.stage import WORKSPACE, Stage


async def found(on: Stage, who: str, workspace: str = WORKSPACE) -> dict[str, Section]:
    person = await on.services.people.get(WORKSPACE, on.people[who].id)
    assert person is not None
    sections = await page(on.services, workspace, person)
    table = CommandTable(COMMANDS)
    for button in (b for section in sections for b in section.buttons):
        name, _ = table.parse(button.command) or ("", "")
        command = table.lookup(name)
        assert command and person.role.may(command.role), f"{who} is shown {button.command}"
        assert len(button.command.encode()) <= 64
    return {section.title or section.lines[0]: section for section in sections}


def titles(sections: dict[str, Section]) -> set[str]:
    return {title.partition(",")[0] for title in sections}


async def test_a_member_finds_agents_and_their_own_requests_only(on: Stage) -> None:
    own = await on.asked("What did we sell?", "Much")
    await on.asked("What is secret?", "This", by="other")
    sections = await found(on, "member")
    assert titles(sections) == {"Hello", "Your last requests", "Agents"}
    said = " ".join(sections["Your last requests"].lines)
    assert "What did we sell?" in said and "secret" not in said
    assert [b.command for b in sections["Your last requests"].buttons] == [f"/run {own.short}"]
    assert any("@generalist" in line for line in sections["Agents"].lines)


async def test_who_asked_for_a_change_sees_that_it_waits(on: Stage) -> None:
    await on.asked("What did we sell?", "Much")
    await on.say("member", "/better answer in euros")
    waiting = (await found(on, "member"))["What you asked for, waiting for an approver"]
    assert [b.command for b in waiting.buttons] == ["/proposals P1"]
    assert "Waiting for your decision" not in await found(on, "member")
    assert titles(await found(on, "other")) == {"Hello", "Your last requests", "Agents"}


async def test_an_approver_decides_from_the_page(on: Stage) -> None:
    await on.asked("What did we sell?", "Much")
    await on.say("member", "/better answer in euros")
    sections = await found(on, "approver")
    card = next(s for title, s in sections.items() if title.startswith("**P1**"))
    assert [b.command for b in card.buttons] == [
        "/approve P1",
        "/edit P1",
        "/decline P1",
        "/proposals P1",
    ]
    assert card.buttons[1].value == "answer in euros" and card.buttons[2].asks
    assert not {"Budget", "Jobs", "This week"} & titles(sections)
    await on.say("approver", "/approve P1")
    after = await found(on, "approver")
    assert after["Waiting for your decision"].lines == ("Nothing waits for you.",)


async def _merge(on: Stage) -> None:
    """P1, stored when it would have widened nothing."""
    agents = {a.name: a for a in await on.services.agents.current(WORKSPACE)}
    twin = replace(agents["writer"], name="poet")
    await on.services.agents.deploy(WORKSPACE, twin, base=0, source="by hand")
    made = samples.proposal(
        kind=ProposalKind.AGENT_MERGE,
        change=Change("writer", name="poet", text="Words."),
        status=ProposalStatus.OFFERED,
        base_version=1,
        workspace=WORKSPACE,
        risk="approver",
        expires_at=on.clock.now() + 86_400_000,
    )
    await on.services.proposals.add(made)


async def _pressed(on: Stage, who: str, ref: str = "P1") -> dict[str, str]:
    """The buttons that they are offered of it, by what each does."""
    sections = await found(on, who)
    card = next((s for title, s in sections.items() if title.startswith(f"**{ref}**")), None)
    return {b.command.split()[0]: b.command for b in card.buttons} if card else {}


async def test_a_button_follows_the_rights_as_they_are_now(on: Stage) -> None:
    await _merge(on)
    assert "/approve" in await _pressed(on, "approver")
    agents = {a.name: a for a in await on.services.agents.current(WORKSPACE)}
    more = replace(agents["poet"], tools=(*agents["poet"].tools, "http_fetch"))
    await on.services.agents.deploy(WORKSPACE, more, base=1, source="by hand")
    assert set(await _pressed(on, "approver")) == {"/edit", "/decline", "/proposals"}
    said = (await found(on, "approver"))["**P1** Teach writer: Cite."].lines[-1]
    assert "can be approved by an owner only" in said
    with pytest.raises(Forbidden):
        await on.say("approver", "/approve P1")
    pressed = await _pressed(on, "owner")
    assert "is approved" in (await on.say("owner", pressed["/approve"])).text


async def test_who_asked_for_it_alone_is_not_offered_to_approve_it(on: Stage) -> None:
    await on.asked("What did we sell?", "Much", by="approver")
    await on.say("approver", "/better answer in euros")
    await on.services.people.resolve(WORKSPACE, "slack", "U9", "Second", Role.APPROVER)
    assert set(await _pressed(on, "approver")) == {"/edit", "/decline", "/proposals"}
    with pytest.raises(Forbidden):
        await on.say("approver", "/approve P1")
    pressed = await _pressed(on, "approver")
    assert "is declined" in (await on.say("approver", f"{pressed['/decline']} no")).text


async def test_what_is_protected_is_neither_approved_nor_taken_back_here(on: Stage) -> None:
    await on.asked("What did we sell?", "Much")
    await on.say("member", "/better answer in euros")
    await on.say("owner", "/protect generalist")
    assert set(await _pressed(on, "owner")) == {"/edit", "/decline", "/proposals"}
    await on.say("owner", "/unprotect generalist")
    await on.say("owner", (await _pressed(on, "owner"))["/approve"])
    await on.say("owner", "/protect generalist")
    in_use = (await found(on, "owner"))["Improvements in use and on trial"]
    assert [b.command for b in in_use.buttons] == ["/progress"]


async def test_one_of_two_waits_for_the_other(on: Stage) -> None:
    await on.say("owner", "/policy set\napprovals:\n- {kind: '*', needs: two}")
    await on.asked("What did we sell?", "Much")
    await on.say("member", "/better answer in euros")
    await on.say("approver", (await _pressed(on, "approver"))["/approve"])
    assert "/approve" not in await _pressed(on, "approver")
    assert "is approved" in (await on.say("owner", (await _pressed(on, "owner"))["/approve"])).text


@pytest.mark.parametrize("at_expiry", ["decline", "wait"])
async def test_what_is_over_is_not_offered_unless_it_waits(on: Stage, at_expiry: str) -> None:
    await on.say("owner", f"/policy set\nat_expiry: {at_expiry}")
    await on.asked("What did we sell?", "Much")
    await on.say("member", "/better answer in euros")
    on.clock.advance(15 * 86_400)
    pressed = await _pressed(on, "approver")
    assert ("/approve" in pressed) == (at_expiry == "wait")
    if pressed:
        assert "is approved" in (await on.say("approver", pressed["/approve"])).text


async def test_an_owner_finds_the_numbers_as_well(on: Stage) -> None:
    await on.asked("What did we sell?", "Much")
    await on.say("member", "/better answer in euros")
    await on.say("approver", "/approve P1")
    await on.say("owner", "/jobs pause analyze")
    sections = await found(on, "owner")
    assert {"This week", "Improvements in use and on trial", "Budget", "Jobs"} <= titles(sections)
    assert "1 request" in sections["This week"].lines[0]
    in_use = sections["Improvements in use and on trial"]
    assert [b.command for b in in_use.buttons] == ["/rollback P1", "/progress"]
    assert "/jobs resume analyze" in [b.command for b in sections["Jobs"].buttons]
    assert any("$20.00 today" in line for line in sections["Budget"].lines)


async def test_a_guest_finds_a_greeting_and_nothing_else(on: Stage) -> None:
    await on.asked("What did we sell?", "Much")
    assert titles(await found(on, "guest")) == {"Hello"}
    owner = replace(on.people["owner"], role=Role.GUEST)  # known to the platform as a guest
    assert [s.title for s in await page(on.services, WORKSPACE, owner)] == ["Hello, Owner"]


async def test_another_workspaces_owner_finds_nothing_of_ours(on: Stage) -> None:
    await on.asked("What did we sell?", "Much")
    await on.say("member", "/better answer in euros")
    sections = await found(on, "owner", "slack:T0OTHER")
    everything = repr(sections.values())
    assert "sell" not in everything and "P1" not in everything and "Jobs" not in sections


async def test_another_workspaces_owner_neither_pauses_our_jobs_nor_spends_more(on: Stage) -> None:
    other = "slack:T0OTHER"
    for said in ("/jobs pause analyze", "/budget set workspace day 1000"):
        with pytest.raises(Forbidden):
            await on.say("owner", said, workspace=other)
    assert on.jobs.paused == set()
    assert "$1.00" in (await on.say("owner", "/budget set workspace day 1", workspace=other)).text
