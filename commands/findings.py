"""/findings: what the log shows that is worth a change, the largest first."""

from collections.abc import Sequence

from bot.command import Ask, Command
from bot.errors import NotFound
from bot.model.finding import Finding
from bot.model.message import Button, Card, Field, Reply
from bot.model.person import Role
from bot.model.words import ago, count, one_line, usd, when
from commands import data
from commands.parsing import closest, wrong

_KINDS = (
    "error",
    "outage",
    "feedback",
    "disliked",
    "regression",
    "pattern",
    "gap",
    "cost",
    "budget",
    "route",
    "duplicate",
    "split",
    "unused",
    "lesson",
    "praise",
)
_STATUSES = ("open", "proposed", "known", "remedied")
REF = 8
_SHOWN, _EVIDENCE, _READ = 20, 10, 500


async def findings(ask: Ask) -> Reply:
    word = ask.args.lower().strip("#` ")
    if word in ("", *_KINDS, *_STATUSES):
        return await listed(ask, word, "Nothing was found yet.")
    if len(word) < REF:
        why = f"{one_line(ask.args, 20)} is no kind.{closest(word, (*_KINDS, *_STATUSES))}"
        raise wrong(ask, COMMAND, f"{why} There are: {', '.join((*_KINDS, *_STATUSES))}.")
    finding = await ask.services.findings.find(ask.run.workspace, word)
    if finding is None:
        raise NotFound(f"no finding {word!r}", said=f"I know no finding {one_line(word, 20)}.")
    return one(finding, ask.services.clock.now())


async def listed(ask: Ask, word: str, none: str, kinds: Sequence[str] = ()) -> Reply:
    """Those of a kind or a status; the open and answered ones where none is said."""
    found = await ask.services.findings.list(
        ask.run.workspace,
        kinds=[word] if word in _KINDS else kinds,
        statuses=[word] if word in _STATUSES else (),
        limit=_READ,
    )
    if not found:
        return Reply(none, data=data.listed("findings", ()))
    now = ask.services.clock.now()
    largest = sorted(found, key=_size, reverse=True)[:_SHOWN]
    lines = [line(finding, now) for finding in largest]
    if len(found) > _SHOWN:
        lines.append(f"… and {len(found) - _SHOWN:,} smaller ones.")
    buttons = tuple(
        Button(f"Show {ref(finding)}", f"/findings {ref(finding)}") for finding in largest[:3]
    )
    told = data.listed("findings", [data.of_finding(finding) for finding in largest])
    return Reply("\n".join(lines), buttons=buttons, data=told)


def _size(finding: Finding) -> tuple[bool, int, float, int, int]:
    """What came back after a remedy first, then by money, people and runs."""
    waiting = finding.status in ("open", "proposed")
    return waiting, finding.reopened, finding.usd_week, finding.people, finding.count


def ref(finding: Finding) -> str:
    return finding.fingerprint[:REF]


def line(finding: Finding, now: int) -> str:
    where = f" · {finding.agent}" if finding.agent else ""
    return (
        f"- `{ref(finding)}` **{finding.kind}** {one_line(finding.title, 90)}{where} · "
        f"{_extent(finding)} · {ago(finding.updated_at, now)} · {state(finding)}"
    )


def state(finding: Finding) -> str:
    said = f"{finding.status} by {finding.remedy}" if finding.status == "remedied" else ""
    if said and finding.facts.get("undone"):
        said = f"{finding.remedy} was taken back"
    back = f", back {count(finding.reopened, 'time')}" if finding.reopened else ""
    return f"{said or finding.status}{back}"


def _extent(finding: Finding) -> str:
    parts = [count(finding.count, "run")]
    if finding.people:
        parts.append(count(finding.people, "person", "people"))
    if finding.usd_week:
        parts.append(f"{usd(finding.usd_week)} a week")
    return ", ".join(parts)


def one(finding: Finding, now: int) -> Reply:
    """With the runs that show it, newest first."""
    fields = [
        Field("Kind", finding.kind),
        Field("Extent", _extent(finding)),
        Field("Seen", f"{when(finding.created_at)}, last {ago(finding.updated_at, now)}"),
        Field("State", state(finding)),
    ]
    if finding.agent:
        fields.append(Field("Agent", finding.agent))
    if finding.confidence:
        fields.append(Field("Sure", f"{finding.confidence:.0%}"))
    runs = [f"`{id[-8:]}`" for id in finding.evidence[: -_EVIDENCE - 1 : -1]]
    body = [one_line(finding.detail, 600)]
    if tried := finding.facts.get("remedies"):
        body.append(f"Tried: {', '.join(map(str, tried))}.")  # type: ignore[call-overload]
    if helped := finding.facts.get("worked"):
        body.append(f"{helped} helped: it has not come back since.")
    if runs:
        body.append(f"Runs: {' '.join(runs)}. `/run` with an id shows one.")
    card = Card(finding.title, fields=tuple(fields), body="\n".join(filter(None, body)))
    buttons = (Button(f"Show {finding.remedy}", f"/proposals {finding.remedy}"),)
    text = f"**{finding.title}**\n{_extent(finding)} · {state(finding)}"
    told = {"finding": data.of_finding(finding)}
    return Reply(text, card=card, buttons=buttons if finding.remedy else (), data=told)


COMMAND = Command(
    "findings",
    "List what the log shows that is worth a change, or show one",
    findings,
    usage="[kind | open | proposed | known | remedied | id]",
    examples=("/findings", "/findings error", "/findings 3f9c01ab"),
    more="What came back after a remedy stands first, then what costs most, then by people and "
    f"runs. Kinds: {', '.join(_KINDS)}.",
    role=Role.APPROVER,
)
