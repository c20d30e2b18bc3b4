"""/findings, /errors: what the log shows, the largest first, with the runs that show it."""

import hashlib
from typing import Any

import pytest

from bot.errors import BadInput, Forbidden, NotFound
from bot.model.finding import Finding
from tests.commands.stage import WORKSPACE, Stage


async def known(on: Stage, kind: str, title: str, **changes: Any) -> str:
    """A finding; returns what people type for it."""
    mark = hashlib.sha256(title.encode()).hexdigest()
    given: dict[str, Any] = {
        "detail": f"{title}, in more words",
        "evidence": tuple(f"0190-run-{n:08}" for n in range(3)),
        "agent": "writer",
        "count": 3,
        "status": "open",
        "created_at": on.clock.now(),
        "updated_at": on.clock.now(),
        "people": 2,
        "confidence": 0.875,
        "workspace": WORKSPACE,
        **changes,
    }
    finding = Finding(id=mark[:20], kind=kind, fingerprint=mark, title=title, **given)
    await on.services.findings.raise_once(finding)
    return mark[:8]


async def test_the_largest_stand_first(on: Stage) -> None:
    await known(on, "error", "A small one", count=2, people=1)
    dear = await known(on, "cost", "A dear one", usd_week=12.5)
    back = await known(on, "error", "One that came back", reopened=1)
    await known(on, "error", "One that is answered", status="remedied", usd_week=99.0)
    await known(on, "error", "Someone else's", workspace="other")
    reply = await on.say("approver", "/findings")
    titles = [line.split("**")[2].split(" · ")[0].strip() for line in reply.text.splitlines()]
    assert titles == ["One that came back", "A dear one", "A small one", "One that is answered"]
    assert f"`{dear}` **cost** A dear one · writer · 3 runs, 2 people, $12.50 a week" in reply.text
    assert reply.buttons[0].command == f"/findings {back}"
    assert "dear" not in (await on.say("approver", "/findings error")).text
    assert "answered" in (await on.say("approver", "/findings remedied")).text


async def test_one_is_shown_with_its_runs(on: Stage) -> None:
    facts = {"remedies": ["P1", "P4"], "worked": "P4"}
    mark = await known(
        on, "error", "It fails", facts=facts, remedy="P4", status="remedied", reopened=1
    )
    for saying in (f"/findings {mark}", f"/errors {mark}"):
        reply = await on.say("approver", saying)
        assert reply.card
        assert {"Sure": "88%", "State": "remedied by P4, back 1 time"}.items() <= {
            field.label: field.value for field in reply.card.fields
        }.items()
        body = reply.card.body
        assert "Tried: P1, P4." in body and "P4 helped" in body
        assert "Runs: `00000002` `00000001` `00000000`" in body
        assert [button.command for button in reply.buttons] == ["/proposals P4"]


async def test_errors_are_those_findings_alone(on: Stage) -> None:
    assert "Nothing has failed" in (await on.say("owner", "/errors")).text
    assert "Nothing was found" in (await on.say("owner", "/findings")).text
    await known(on, "outage", "The model is down")
    await known(on, "praise", "Well done")
    text = (await on.say("owner", "/errors")).text
    assert "The model is down" in text and "Well done" not in text


async def test_wrong_words_and_wrong_people(on: Stage) -> None:
    with pytest.raises(BadInput) as wrong:
        await on.say("owner", "/findings eror")
    assert "Did you mean error?" in wrong.value.said
    with pytest.raises(BadInput):
        await on.say("owner", "/errors bogus")
    for unknown in ("ffffffff", "100%______", "' OR 1=1 --"):
        with pytest.raises(NotFound):
            await on.say("owner", f"/findings {unknown}")
    with pytest.raises(Forbidden):
        await on.say("member", "/findings")
