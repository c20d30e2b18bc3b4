"""What a platform's own terms allow: which commands may be said there, whether anything teaches."""

from collections.abc import Mapping

FIXED: Mapping[str, tuple[str, ...]] = {
    "whatsapp": (
        "help",
        "status",
        "proposals",
        "approve",
        "decline",
        "rollback",
        "trials",
        "trial",
        "metrics",
        "runs",
        "budget",
        "jobs",
        "digest",
        "pause",
        "resume",
        "subscribe",
        "unsubscribe",
        "link",
        "unlink",
        "claim",
        "retry",
        "resend",
    ),
}
"""Channels that carry fixed commands only, and which: none asks an agent, and none teaches.

WhatsApp's terms forbid assistants there, and learning from what is said there.
"""

SILENT = frozenset(FIXED)
"""Channels that nothing is learned from: no outcome, no finding, no pattern, no memory."""


def teaches(channel: str) -> bool:
    """Whether runs of this channel may be learned from."""
    return channel not in SILENT


def may_be_said(channel: str, command: str | None) -> bool:
    """`command` is its name, None for free words."""
    fixed = FIXED.get(channel)
    return fixed is None or (command is not None and command in fixed)
