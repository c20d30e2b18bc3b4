"""What a simulated team asks about, and how answers to it read when they are good and when not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """In requests {n} is the request's number. In answers {a}, {b} and {c} are facts that the
    right answer has; a wrong answer has others."""

    name: str
    requests: tuple[str, ...]
    good: tuple[str, ...]
    bad: tuple[str, ...]


TOPICS = (
    Topic(
        "refunds",
        (
            "May I refund order {n}, and until when?",
            "A customer wants money back for order {n}. What do we owe?",
            "Is order {n} still within the refund period?",
        ),
        (
            "Yes: order {n} can be refunded until day {a}, {b} euros in full. Support decides it.",
            "Order {n} is within its period until day {a}. We owe {b} euros; tell support.",
        ),
        (
            "Refunds are usually possible. Please look it up in the order, or ask somebody.",
            "Order {n} can be refunded for {c} days, I think, perhaps with a fee.",
        ),
    ),
    Topic(
        "reports",
        (
            "Where is the weekly report for project {n}?",
            "Summarise report {n} in one line for the board.",
            "Which figure changed most in report {n}?",
        ),
        (
            "Report {n}: revenue is up {a} percent, cost down {b}. It is in the shared folder.",
            "In {n} the largest change is +{a} percent; the summary is on page {b}.",
        ),
        (
            "Reports are in the shared folder, normally. I have no details on {n}.",
            "Report {n} says that things go well, by about {c} percent or so.",
        ),
    ),
    Topic(
        "meetings",
        (
            "Find a time for meeting {n} this week.",
            "Who still has to confirm meeting {n}?",
            "Move meeting {n} to where everyone can come.",
        ),
        (
            "Meeting {n} fits on Tuesday at {a}:00 in room {b}; everyone is free then.",
            "For {n}: Tuesday, {a}:00, room {b}. Two people have yet to confirm.",
        ),
        (
            "You could send a poll about meeting {n} and see who answers.",
            "Meeting {n} might fit at {c}:00, but some are busy then.",
        ),
    ),
    Topic(
        "conversions",
        (
            "What is invoice {n} in euros?",
            "Convert the total of {n} at yesterday's rate.",
            "How many hours is timesheet {n} in days?",
        ),
        (
            "{n} comes to {a}.{b} euros at yesterday's rate of 1.08.",
            "Converted: {a}.{b}, at 1.08, rounded to cents. The rate is of yesterday's close.",
        ),
        (
            "It is around {c}, depending on the rate. Any converter shows it.",
            "{n} comes to {c}.00, without the rate I can't be sure.",
        ),
    ),
    Topic(
        "contracts",
        (
            "When does contract {n} end, and what must we do before?",
            "Is there a notice period in contract {n}?",
            "Who signed contract {n}?",
        ),
        (
            "Contract {n} ends in {a} months; notice is {b} days, in writing.",
            "{n}: {b} days of notice, {a} months to run. Both sides have signed.",
        ),
        (
            "Contracts like {n} often have a notice period. Legal will know.",
            "Contract {n} runs for {c} more months, probably renewed by itself.",
        ),
    ),
    Topic(
        "access",
        (
            "Why can't I open folder {n}?",
            "Who may give me access to system {n}?",
            "My login for {n} was refused twice. What now?",
        ),
        (
            "Folder {n} belongs to group {a}; its owner adds you in {b} minutes on request.",
            "{n} needs role {a}. Ask its owner: that takes {b} minutes, your password is fine.",
        ),
        (
            "Try to log in again, and restart the computer if {n} stays closed.",
            "Access to {n} takes about {c} days. Somebody in IT does it.",
        ),
    ),
)
