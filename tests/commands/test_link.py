"""One person on several platforms: the code, the merge, and the way back."""

import asyncio
import re
from typing import Any

import pytest

from bot.errors import BadInput, Conflict, Forbidden, NotFound, RatchetError
from bot.model.budget import Budget, Period, Scope
from bot.model.memory import ORG, of_user
from bot.model.person import Role
from storage.tables import runs
from tests.commands.stage import WORKSPACE, Stage

_CODE = re.compile(r"\*\*([A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4})\*\*")


@pytest.fixture
async def on(on_each: Stage) -> Stage:
    """The cast has met us on the web; here they also have phones and a Slack account."""
    people = on_each.services.people
    for name, channel, id, role in (
        ("phone", "telegram", "7", Role.MEMBER),
        ("desk", "slack", "U1", Role.APPROVER),
        ("visitor", "slack", "U9", Role.GUEST),
        ("business", "whatsapp", "49123", Role.MEMBER),
    ):
        on_each.people[name] = await people.resolve(WORKSPACE, channel, id, name.title(), role)
    return on_each


async def _code(on: Stage, who: str, channel: str) -> str:
    reply = await on.say(who, "/link", channel=channel)
    assert reply.private
    found = _CODE.search(reply.text)
    assert found
    return found[1]


async def _refused(on: Stage, who: str, code: str, **changes: Any) -> str:
    with pytest.raises(RatchetError) as error:
        await on.say(who, f"/link {code}", **changes)
    return error.value.said


async def test_a_code_makes_one_person_of_two(on: Stage) -> None:
    code = await _code(on, "desk", "slack")
    reply = await on.say("phone", f"/link {code.lower()}", channel="telegram")
    assert reply.private
    assert "`slack:U1`, `telegram:7`" in reply.text
    met = await on.services.people.resolve(WORKSPACE, "telegram", "7", "", Role.MEMBER)
    assert (met.id, met.role) == (on.people["desk"].id, Role.APPROVER)
    [told] = [r for k, r in on.post.posted.items() if k.startswith("local/link:")]
    assert told.card and "`telegram:7`" in told.card.body and not told.text
    everyone = await on.services.people.with_role(WORKSPACE, Role.MEMBER)
    assert on.people["phone"].id not in {person.id for person in everyone}
    old = await on.services.people.get(WORKSPACE, on.people["phone"].id)
    assert old == met


async def test_a_code_gives_nobody_the_role_of_who_enters_it(on: Stage) -> None:
    code = await _code(on, "phone", "telegram")
    for _ in range(2):
        assert "ask for the code here" in await _refused(on, "desk", code, channel="slack")
    met = await on.services.people.resolve(WORKSPACE, "telegram", "7", "", Role.MEMBER)
    assert (met.id, met.role) == (on.people["phone"].id, Role.MEMBER)
    there = await _code(on, "desk", "slack")
    await on.say("phone", f"/link {there}", channel="telegram")
    third = await _code(on, "phone", "telegram")
    await on.say("business", f"/link {third}", channel="whatsapp")
    now = await on.services.people.resolve(WORKSPACE, "whatsapp", "49123", "", Role.MEMBER)
    assert (now.id, now.role) == (on.people["desk"].id, Role.APPROVER)
    assert len(await on.services.people.identities(WORKSPACE, now.id)) == 3


async def test_a_code_works_once_in_time_and_elsewhere(on: Stage) -> None:
    code = await _code(on, "desk", "slack")
    assert "your own code" in await _refused(on, "desk", code, channel="slack")
    await on.say("phone", f"/link {code}", channel="telegram")
    assert "was used" in await _refused(on, "business", code, channel="whatsapp")
    again = await on.say("phone", f"/link {code}", channel="telegram")
    assert "`telegram:7`" in again.text
    late = await _code(on, "desk", "slack")
    on.clock.advance(601)
    assert "ran out" in await _refused(on, "business", late, channel="whatsapp")
    assert "no code" in await _refused(on, "business", "hello", channel="whatsapp")


async def test_a_code_of_the_same_platform_or_another_workspace_is_refused(on: Stage) -> None:
    people = on.services.people
    on.people["colleague"] = await people.resolve(WORKSPACE, "slack", "U2", "", Role.MEMBER)
    code = await _code(on, "desk", "slack")
    assert "on this platform" in await _refused(on, "colleague", code, channel="slack")
    await on.services.codes.issue("slack:T2", "link", "ABCDEFGH", {"person": "x"}, 2**50)
    assert "another workspace" in await _refused(on, "phone", "ABCD-EFGH", channel="telegram")


async def test_guests_get_no_code_and_use_none(on: Stage) -> None:
    code = await _code(on, "desk", "slack")
    for text in ("/link", f"/link {code}"):
        with pytest.raises(Forbidden):
            await on.say("visitor", text, channel="slack")


async def test_who_begins_as_a_guest_enters_a_code_and_is_one_no_more(on: Stage) -> None:
    met = await on.services.people.resolve(WORKSPACE, "whatsapp", "US.9", "", Role.GUEST)
    on.people["caller"] = met
    for text in ("/link", "/link list"):
        with pytest.raises(Forbidden):
            await on.say("caller", text, channel="whatsapp")
    code = await _code(on, "desk", "slack")
    await on.say("caller", f"/link {code}", channel="whatsapp")
    now = await on.services.people.resolve(WORKSPACE, "whatsapp", "US.9", "", Role.GUEST)
    assert now.id == on.people["desk"].id


async def test_a_number_that_is_cut_off_begins_as_a_guest_again(on: Stage) -> None:
    code = await _code(on, "desk", "slack")
    await on.say("business", f"/link {code}", channel="whatsapp")
    said = await on.say("desk", "/unlink whatsapp:49123", channel="slack")
    assert "a guest" in said.text
    now = await on.services.people.resolve(WORKSPACE, "whatsapp", "49123", "", Role.GUEST)
    assert now.role is Role.GUEST


async def test_guessing_is_stopped_for_a_while(on: Stage) -> None:
    code = await _code(on, "desk", "slack")
    for number in range(5):
        said = await _refused(on, "phone", f"ABCD-EFG{number + 2}", channel="telegram")
        assert "no such code" in said
    assert "too many" in await _refused(on, "phone", code, channel="telegram")
    met = await on.services.people.resolve(WORKSPACE, "telegram", "7", "", Role.MEMBER)
    assert met.role is Role.MEMBER
    on.clock.advance(660)
    await on.say("phone", f"/link {await _code(on, 'desk', 'slack')}", channel="telegram")


async def test_everything_of_the_person_follows(on: Stage) -> None:
    phone, desk = on.people["phone"], on.people["desk"]
    services = on.services
    run = await on.asked("Hello", "Hi", by="phone")
    await on.say("phone", f"/rate {run.short} up", channel="telegram")
    await on.say("desk", f"/rate {run.short} down", channel="slack")
    await on.say("phone", f"/better {run.short} always be brief", channel="telegram")
    await on.say("phone", "/remember I like tea", channel="telegram")
    assert await services.memory.recall(WORKSPACE, [of_user(phone.id)], "tea")
    await services.budgets.set(WORKSPACE, Budget(Scope.PERSON, phone.id, Period.DAY, 1.5))

    code = await _code(on, "desk", "slack")
    await on.say("phone", f"/link {code}", channel="telegram")

    votes = await services.feedback.of_run(WORKSPACE, run.id)
    assert {vote.person for vote in votes} == {desk.id}
    rated = await services.runs.get(WORKSPACE, run.id)
    assert rated is not None
    assert (rated.person, rated.outcome.y) == (desk.id, 0.0)
    proposal = await services.proposals.get(WORKSPACE, "P1")
    assert proposal is not None and proposal.created_by == desk.id
    found = await services.memory.recall(WORKSPACE, [of_user(desk.id)], "tea")
    assert [r.memory.text for r in found] == ["I like tea"]
    await services.memory.settled()
    found = await services.memory.recall(WORKSPACE, [of_user(desk.id)], "tea")
    assert [r.memory.text for r in found] == ["I like tea"]
    assert not await services.memory.recall(WORKSPACE, [of_user(phone.id)], "tea")
    [budget] = await services.budgets.all(WORKSPACE)
    assert (budget.key, budget.limit_usd) == (desk.id, 1.5)
    assert not await services.memory.recall(WORKSPACE, [ORG], "tea")


async def test_an_identity_is_cut_without_the_role(on: Stage) -> None:
    await on.say("phone", f"/link {await _code(on, 'desk', 'slack')}", channel="telegram")
    on.people["phone"] = on.people["desk"]
    shown = await on.say("phone", "/unlink", channel="telegram")
    assert [b.command for b in shown.buttons] == ["/unlink slack:U1", "/unlink telegram:7"]
    said = await on.say("phone", "/unlink telegram:7", channel="telegram")
    assert "a person of its own" in said.text and said.private
    met = await on.services.people.resolve(WORKSPACE, "telegram", "7", "", Role.GUEST)
    assert met.id != on.people["desk"].id and met.role is Role.MEMBER
    with pytest.raises(Conflict):
        await on.services.people.cut(WORKSPACE, "slack", "U1", Role.MEMBER)
    assert "only" in (await on.say("desk", "/unlink", channel="slack")).text
    with pytest.raises(NotFound):
        await on.services.people.cut(WORKSPACE, "slack", "nobody", Role.MEMBER)


async def test_an_owner_sees_all_links_and_cuts_them(on: Stage) -> None:
    assert "Nobody" in (await on.say("owner", "/link list")).text
    await on.say("phone", f"/link {await _code(on, 'desk', 'slack')}", channel="telegram")
    listed = await on.say("owner", "/link list")
    assert "Desk" in listed.text and "`slack:U1`, `telegram:7`" in listed.text
    assert "telegram" not in (await on.say("member", "/link list")).text
    with pytest.raises(Forbidden) as other:
        await on.say("member", "/unlink telegram:7")
    assert "owner" in other.value.said
    await on.say("owner", "/unlink telegram:7")
    assert "Nobody" in (await on.say("owner", "/link list")).text
    with pytest.raises(NotFound):
        await on.say("owner", "/unlink telegram:8")


async def test_the_owner_of_the_machine_links_too(on: Stage) -> None:
    people = on.services.people
    on.people["here"] = await people.resolve(WORKSPACE, "local", "owner", "owner", Role.OWNER)
    code = await _code(on, "here", "console")
    assert "your own code" in await _refused(on, "here", code, channel="web")
    await on.say("phone", f"/link {code}", channel="telegram")
    met = await people.resolve(WORKSPACE, "telegram", "7", "", Role.MEMBER)
    assert (met.id, met.role) == (on.people["here"].id, Role.OWNER)


async def test_a_code_in_a_group_is_seen_by_its_owner_only(on: Stage) -> None:
    on.clock.advance(1)
    run = await on.asked("/link", "Your code is ABCD-EFGH", by="desk")
    async with on.db.write() as conn:
        await conn.execute(runs.update().values(reply={"text": "x", "private": True}))
    assert "ABCD" in (await on.say("desk", f"/run {run.short}")).text
    for who in ("member", "owner"):
        assert "ABCD" not in (await on.say(who, f"/run {run.short}")).text


async def test_two_who_link_each_other_at_once_are_one(on: Stage) -> None:
    await on.services.people.set_role(WORKSPACE, on.people["phone"].id, Role.APPROVER)
    first, second = await _code(on, "desk", "slack"), await _code(on, "phone", "telegram")
    await asyncio.gather(
        on.say("phone", f"/link {first}", channel="telegram"),
        on.say("desk", f"/link {second}", channel="slack"),
    )
    people = on.services.people
    met = [
        await people.resolve(WORKSPACE, c, i, "", Role.GUEST)
        for c, i in (("slack", "U1"), ("telegram", "7"))
    ]
    assert met[0] == met[1] and met[0].role is Role.APPROVER
    with pytest.raises(BadInput):
        await on.say("desk", "/link !!")


async def test_of_several_who_enter_a_code_at_once_one_is_linked(on: Stage) -> None:
    code = await _code(on, "desk", "slack")
    said = await asyncio.gather(
        *(_said(on, who, code) for who in ("phone", "business")), return_exceptions=True
    )
    refused = [e.said for e in said if isinstance(e, RatchetError)]
    assert len(refused) == 1 and "ran out" not in refused[0]


async def _said(on: Stage, who: str, code: str) -> str:
    channel = "telegram" if who == "phone" else "whatsapp"
    return (await on.say(who, f"/link {code}", channel=channel)).text
