"""/rate: thumbs; every button and reaction says it."""

from bot.command import Ask, Command
from bot.errors import NotFound
from bot.model.message import Button, Reply
from commands.parsing import closest, find_run, last_run, wrong
from commands.recording import record

_RATINGS = {
    "up": 1,
    "good": 1,
    "+1": 1,
    "👍": 1,
    "down": -1,
    "bad": -1,
    "-1": -1,
    "👎": -1,
    "none": 0,
    "off": 0,
}


async def rate(ask: Ask) -> Reply:
    words = ask.args.split(maxsplit=2)
    if words and words[0].lower() in _RATINGS:
        run, said = await last_run(ask), " ".join(words)
    elif len(words) < 2:
        raise wrong(ask, COMMAND, "Say which answer, and up or down.")
    else:
        run, said = await find_run(ask, words[0]), " ".join(words[1:])
    word, _, text = said.partition(" ")
    if word.lower() not in _RATINGS:
        raise wrong(ask, COMMAND, f"{word} is no rating.{closest(word, _RATINGS)}")
    if run.kind != "request":
        raise NotFound(f"run {run.id} is a {run.kind}", said="Only answers can be rated.")
    rating = _RATINGS[word.lower()]
    await record(ask, run, rating, text, "thumbs")
    if rating > 0:
        return Reply(f"Thank you. {run.short} is rated 👍.", private=True)
    if rating == 0:
        return Reply(f"The rating of {run.short} is taken back.", private=True)
    better = Button("Say what is wrong", f"/better {run.short}", asks="What should be better?")
    return Reply(
        f"Thank you. {run.short} is rated 👎. `/better {run.short} …` with a few words gets a "
        "proposal.",
        buttons=(better,),
        private=True,
    )


COMMAND = Command(
    "rate",
    "Rate an answer",
    rate,
    usage="[run] up | down | none [words]",
    examples=("/rate 1a2b3c4d up", "/rate down too long"),
    in_order=False,
    slash=False,
    hidden=True,
)
