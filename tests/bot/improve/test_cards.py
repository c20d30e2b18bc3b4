"""Cards: what would change, what to press, and what became of it."""

from dataclasses import replace

import pytest

from bot.improve import cards, drafting
from bot.model.agent import AgentVersion
from bot.model.codec import reply_from_json, reply_to_json
from bot.model.proposal import Proposal, ProposalStatus

AGENT = AgentVersion("writer", 3, "words", "Write.")
DRAFT = drafting.lesson("Be short.", AGENT)
OFFERED = Proposal(
    id="r1",
    workspace="w",
    number=12,
    kind=DRAFT.kind,
    status=ProposalStatus.OFFERED,
    title=DRAFT.title,
    change=DRAFT.change,
    base_version=3,
    diff=DRAFT.diff,
    evidence=tuple(f"0000-{n:08d}" for n in range(7)),
    expected=DRAFT.expected,
    risk="approver",
    fingerprint=DRAFT.fingerprint,
    created_at=1,
    expires_at=1_780_000_000_000,
)


def test_an_offer_shows_everything_a_decision_needs() -> None:
    reply = cards.offer(OFFERED)
    assert reply.card is not None
    assert reply.card.ref == "P12"
    assert reply.card.diff == "+ Be short."
    assert reply.card.status == ""
    fields = {f.label: f.value for f in reply.card.fields}
    assert fields["Changes"] == "writer v3"
    assert fields["Evidence"].endswith("and 2 more")
    assert fields["Expires"] == "2026-05-28 20:26 UTC"


def test_its_buttons_are_short_commands_and_two_of_them_ask() -> None:
    buttons = cards.offer(replace(OFFERED, number=999_999_999)).buttons
    assert [b.command.split()[0] for b in buttons] == ["/approve", "/edit", "/decline"]
    assert all(len(b.command.encode()) <= 64 for b in buttons)
    assert [bool(b.asks) for b in buttons] == [False, True, True]
    assert [b.value for b in buttons] == ["", "Be short.", ""]


def test_its_buttons_survive_the_outbox() -> None:
    offered = cards.offer(OFFERED)
    assert reply_from_json(reply_to_json(offered)) == offered


@pytest.mark.parametrize(
    ("status", "applied", "line"),
    [
        (ProposalStatus.APPROVED, None, "Approved by Owner, 2026-05-28 20:26 UTC. Being deployed."),
        (
            ProposalStatus.APPROVED,
            {"version": 4},
            "Approved by Owner, 2026-05-28 20:26 UTC. writer v4 is in use.",
        ),
        (ProposalStatus.DECLINED, None, "Declined by Owner, 2026-05-28 20:26 UTC: no"),
        (
            ProposalStatus.ROLLED_BACK,
            {"version": 4},
            "Rolled back by Owner, 2026-05-28 20:26 UTC: no",
        ),
    ],
)
def test_a_decided_card_says_who_and_when_and_has_no_buttons(
    status: ProposalStatus, applied: dict[str, object] | None, line: str
) -> None:
    decided = replace(
        OFFERED, status=status, applied=applied, decided_at=1_780_000_000_000, reason="no"
    )
    reply = cards.offer(decided, cards.Names(by="Owner"))
    assert reply.buttons == ()
    assert reply.card is not None
    assert reply.card.status == line


def test_after_an_edit_its_buttons_say_which_words_are_meant() -> None:
    edited = replace(OFFERED, revision=2, edited=True, edited_by="p1")
    shown = cards.offer(edited, cards.Names(editor="Owner"))
    assert [b.command for b in shown.buttons] == ["/approve P12.2", "/edit P12.2", "/decline P12.2"]
    waiting = cards.reminder(edited, 7_200_001)
    assert waiting.buttons[:3] == shown.buttons and "2 hours" in waiting.text
    assert shown.card and shown.card.ref == "P12"


@pytest.mark.parametrize(
    ("ms", "words"), [(61_000, "1 minute"), (59 * 60_000, "59 minutes"), (3_700_000, "1 hour")]
)
def test_a_reminder_says_how_long_nobody_has_decided(ms: int, words: str) -> None:
    said = cards.reminder(OFFERED, OFFERED.created_at + ms).text
    assert f"waits for a decision since {words}." in said
