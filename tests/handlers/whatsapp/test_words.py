"""Fixed commands and consent get through; every other word is nobody's business."""

import pytest

from commands import COMMANDS
from handlers.whatsapp.words import FREE, START, STOP, meant


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("/approve P1", "/approve P1"),
        ("approve p12", "/approve p12"),
        ("Approve P12.", "/approve P12"),
        ("/approve P12 looks good to me", "/approve P12"),
        ("/approve P12.1", "/approve P12.1"),
        ("approve P12.1.", "/approve P12.1"),
        ("/decline P12.1", "/decline P12.1"),
        ("/approve", "/approve"),
        ("!decline P1 too vague", "/decline P1 too vague"),
        ("decline P1 too vague", "/decline P1 too vague"),
        ("Metrics", "/metrics"),
        ("/metrics writer 30", "/metrics writer 30"),
        ("/metrics how much do we earn?", "/metrics"),
        ("STATUS!", "/status"),
        ("/status of our secret plan", "/status"),
        ("digest daily at 9 zone Europe/Berlin", "/digest daily at 9 zone Europe/Berlin"),
        ("digest off", "/digest off"),
        ("/digest off weekly me", "/digest off weekly me"),
        ("digest now daily", "/digest now daily"),
        ("digest daily at 9 zone berlin always", "/digest daily at 9 zone berlin always"),
        ("digest weekly on friday at 16", "/digest weekly on friday at 16"),
        ("pause", "/pause"),
        ("resume", "/resume"),
        ("HELP", "/help"),
        ("/help approve", "/help approve"),
        ("link ABCD-2345", "/link ABCD-2345"),
        ("claim 4f9a", "/claim 4f9a"),
        ("/rollback P3", "/rollback P3"),
        ("/budget set workspace day 20", "/budget set workspace day 20"),
    ],
)
def test_commands(said: str, heard: str) -> None:
    assert meant(said).command == heard


@pytest.mark.parametrize(
    "said",
    [
        "what did we sell last week?",
        "approve P12? no way",
        "status please tell me everything",
        "stop asking me",
        "start with the invoice",
        "metrics are bad this week",
        "claim victory",
        "digest this",
        "/better be brief",
        "/remember our secret",
        "/edit P1 say this",
        "/run 1a2b3c4d",
        "/unknown",
        "",
        "\x00\ud800",
        "/",
    ],
)
def test_free_words(said: str) -> None:
    assert meant(said) == FREE


@pytest.mark.parametrize(
    "said",
    ["stop", "STOP", " Stop. ", "/stop", "*unsubscribe*", "abmelden", "ARRÊT", "Dar  de baja"],
)
def test_a_no_is_understood(said: str) -> None:
    assert (meant(said).consent, meant(said).command) == ("out", "/unsubscribe")


@pytest.mark.parametrize("said", ["start", "START!", "/subscribe", "s'abonner", "opt in"])
def test_a_yes_is_understood(said: str) -> None:
    assert (meant(said).consent, meant(said).command) == ("in", "/subscribe")


def test_no_word_says_two_things() -> None:
    assert not START & STOP
    names = {name for command in COMMANDS for name in (command.name, *command.aliases)}
    assert not (START | STOP) & (names - {"stop", "subscribe", "unsubscribe"})
