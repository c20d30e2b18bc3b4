"""The ways a run ends, in words for the person and columns for the log; pure."""

from bot.errors import BadInput, Conflict, Forbidden, NotFound, OverBudget, RatchetError
from bot.model.message import Button, Reply
from bot.model.run import Outcome, Run, RunStatus
from bot.ports.stores import Closing

_REFUSALS = (BadInput, Forbidden, NotFound, OverBudget, Conflict)


class TooLong(BadInput):
    """A message over the limit; only its beginning is kept."""

    kind = "too_long"

    def __init__(self, limit: int) -> None:
        said = (
            f"That message is too long for me: I take up to {limit:,} characters. "
            "Send the part that matters, or send it in pieces."
        )
        super().__init__(f"message over {limit} characters", said=said)


def succeeded(reply: Reply, outcome: Outcome | None = None) -> tuple[Reply, Closing]:
    """An answer says nothing yet about how good it was: the outcome stays open, unless a program
    can tell."""
    return reply, Closing(RunStatus.SUCCEEDED, 0, reply.text, outcome=outcome or Outcome())


def late(run: Run) -> tuple[Reply, Closing]:
    """The message's time was over before its turn came."""
    asked = " ".join(run.message.split())
    asked = asked if len(asked) <= 120 else f"{asked[:119]}…"
    text = f"Sorry, this reached me too late to answer without asking you first: “{asked}”"
    button = Button("Run it now", f"/retry {run.short}", "primary")
    closing = Closing(RunStatus.EXPIRED, 0, error_type="expired")
    return Reply(text, run.id, buttons=(button,)), closing


def stopped(run: Run, said: str) -> tuple[Reply, Closing]:
    """Someone stopped it: what was said stays."""
    text = f"{said}\n\n_Stopped._" if said else "Stopped."
    return Reply(text, run.id), Closing(RunStatus.CANCELLED, 0, said, error_type="cancelled")


def failed(run: Run, error: RatchetError) -> tuple[Reply, Closing]:
    """A refusal is nobody's failure and has no outcome; a failure counts as one."""
    refused = isinstance(error, _REFUSALS)
    buttons = (Button("Try again", f"/retry {run.short}"),) if error.retry else ()
    closing = Closing(
        RunStatus.REFUSED if refused else RunStatus.FAILED,
        0,
        outcome=Outcome() if refused else Outcome(0.0, "error"),
        error_type=error.kind,
        error_message=str(error),
    )
    return Reply(error.said, run.id, buttons=buttons), closing
