"""Facts → Reply: one line that says it all, then a card that a phone shows readably; pure."""

from collections.abc import Mapping, Sequence

from bot.digest.facts import Facts, Improvement, Window
from bot.improve.trials.ratchet import gained
from bot.improve.trials.telling import ended, standing, why
from bot.model.budget import Period
from bot.model.message import Button, Card, Field, Reply
from bot.model.proposal import Proposal
from bot.model.subscription import Cadence, local
from bot.model.trial import Trial, TrialStatus
from bot.model.words import ago, count, one_line, usd, without_context
from bot.numbers import changed, coverage, success

_TITLES: Mapping[Cadence, str] = {"daily": "the last day", "weekly": "this week"}
_FIELD = 240
"""Characters of a field's value: with its label and what escaping adds it fits everywhere."""
_SHOWN, _BUTTONS = 5, 3
_HEADLINE = 300


def digest(facts: Facts, now: int) -> Reply:
    """`text` is one line without a break, which is all that a message template can carry."""
    if not facts.happened:
        return _nothing(facts.window)
    blocks = (
        _verdicts(facts),
        _trials(facts, now),
        _improved(facts.improved),
        _learned(facts),
        _undone(facts),
    )
    return Reply(
        _headline(facts),
        card=Card(
            f"Ratchet · {_TITLES[facts.window.cadence]}",
            "\n\n".join(filter(None, blocks)),
            tuple(_fields(facts, now)),
        ),
        buttons=tuple(Button(f"Show {p.ref}", f"/proposals {p.ref}") for p in facts.waiting)[
            :_BUTTONS
        ],
        footer=_footer(facts.window),
    )


def _nothing(window: Window) -> Reply:
    title = _TITLES[window.cadence]
    said = f"Nothing happened {'this week' if window.cadence == 'weekly' else 'in the last day'}."
    return Reply(said, card=Card(f"Ratchet · {title}"), footer=_footer(window))


def _headline(facts: Facts) -> str:
    all_runs = facts.totals
    parts = [count(all_runs.runs, "run")]
    if all_runs.scored:
        parts.append(f"success {success(all_runs.good, all_runs.scored)}")
    new = sum(facts.window.holds(i.proposal.decided_at) for i in facts.improved)
    new += sum(trial.status is TrialStatus.KEPT for trial in facts.verdicts)
    if new:
        parts.append(f"{count(new, 'change')} came into use")
    if facts.waiting:
        waits = "waits" if len(facts.waiting) == 1 else "wait"
        parts.append(f"{count(len(facts.waiting), 'proposal')} {waits} for approval")
    if failures := _failures(facts):
        parts.append(f"failures: {failures}")
    return one_line("; ".join(parts), _HEADLINE - 1).rstrip(".") + "."


def _verdicts(facts: Facts) -> str:
    """What trials showed, side by side."""
    said = [f"{t.proposal} {_plain(t.title)}: {_verdict(t)}" for t in facts.verdicts]
    return _listed("Tried, side by side", said)


def _verdict(trial: Trial) -> str:
    gain = f", {gained(trial)}" if trial.status is TrialStatus.KEPT else ""
    return f"{ended(trial)}, {why(trial).lower()}{gain} ({trial.ref})"


def _trials(facts: Facts, now: int) -> str:
    return _listed("On trial", [standing(t, now) for t in facts.trials])


def _improved(improved: Sequence[Improvement]) -> str:
    if not improved:
        return ""
    lines = [_improvement(one) for one in improved]
    return "\n".join(["**In use, before and after** (no control group)", *lines])


def _improvement(one: Improvement) -> str:
    before, after = one.versions
    agent = one.proposal.change.agent
    return f"- {one.proposal.ref} {agent} v{before} → v{after}: {changed(one.before, one.after)}"


def _learned(facts: Facts) -> str:
    """What is for everyone: lessons of agents, the organisation's memories, workflows."""
    said = [f"{p.ref} {_plain(p.title)}" for p in facts.learned]
    said += [f"{m.ref} {_plain(m.text)}" for m in facts.memories]
    said += [f"workflow {one_line(w.name, 60)} v{w.version}" for w in facts.workflows]
    return _listed("Learned", said)


def _undone(facts: Facts) -> str:
    said = [f"{p.ref} rolled back" for p in facts.undone]
    if facts.declined:
        said.append(f"{count(facts.declined, 'proposal')} declined")
    return _listed("Turned down", said)


def _listed(title: str, said: Sequence[str]) -> str:
    if not said:
        return ""
    more = [f"- and {len(said) - _SHOWN} more"] if len(said) > _SHOWN else []
    return "\n".join([f"**{title}**", *(f"- {one}" for one in said[:_SHOWN]), *more])


def _fields(facts: Facts, now: int) -> list[Field]:
    all_runs = facts.totals
    made = [
        ("Runs", f"{all_runs.runs:,} ({coverage(all_runs)})" if all_runs.runs else "none"),
        ("Success", success(all_runs.good, all_runs.scored)),
        ("Cost", _cost(facts)),
        ("Waits for approval", _waiting(facts.waiting, now)),
        ("Failures", _failures(facts) or "none"),
    ]
    return [Field(label, one_line(value, _FIELD)) for label, value in made]


def _cost(facts: Facts) -> str:
    unknown = facts.totals.cost_unknown
    parts = [
        usd(facts.cost_usd) + (f" and {count(unknown, 'run')} of unknown cost" * bool(unknown))
    ]
    names = {Period.DAY: "today", Period.MONTH: "this month"}
    parts += [f"{names[b.period]} {usd(s)} of {usd(b.limit_usd)}" for b, s in facts.spent]
    return ", ".join(parts)


def _waiting(waiting: Sequence[Proposal], now: int) -> str:
    if not waiting:
        return "nothing"
    shown = [f"{p.ref} ({ago(p.created_at, now).removesuffix(' ago')})" for p in waiting[:_SHOWN]]
    more = f" and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""
    return ", ".join(shown) + more


def _failures(facts: Facts) -> str:
    errors = facts.totals.errors
    parts = []
    if errors:
        by_type = sorted(errors.items(), key=lambda item: (-item[1], item[0]))
        shown = ", ".join(f"{one_line(name, 40)} {number}" for name, number in by_type[:4])
        parts.append(f"{count(sum(errors.values()), 'run')} ({shown})")
    parts += [f"job {name} {number} times" for name, number in facts.failed_jobs.items()][:4]
    if facts.undelivered:
        parts.append(f"{count(facts.undelivered, 'reply', 'replies')} not delivered")
    return ", ".join(parts)


def _footer(window: Window) -> str:
    start, end = local(window.zone, window.since), local(window.zone, window.until)
    return f"{start:%d %b %H:%M} to {end:%d %b %H:%M} {window.zone} · /digest changes this"


def _plain(text: str) -> str:
    """Without the question that a text may be kept together with: someone asked it."""
    return one_line(without_context(text), 100)
