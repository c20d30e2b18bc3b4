"""The words of `ratchet`: what can be typed, what it means, what it answers with.

This module loads in an instant, so that help does; each command's work is in a module of its own,
loaded by name when the command is run.
"""

import importlib
import io
import os
import sys
from typing import Annotated, NoReturn

import typer

from bot.errors import BadInput, ConfigError, Held, RatchetError

_EPILOG = """Start here:  ratchet up  ·  then in another terminal:  ratchet ask "What can you do?"

Exit codes: 0 it worked, 1 the run failed, 2 wrong usage or settings."""

app = typer.Typer(
    name="ratchet",
    help="A team of AI agents in your team's chat that gets better every week, and can prove it.",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
database = typer.Typer(help="The database.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(database, name="db")

Json = Annotated[bool, typer.Option("--json", help="One line of JSON on stdout, nothing else.")]
Agent = Annotated[
    str | None, typer.Option("--agent", "-a", help="Which agent answers; default: the router's.")
]
Talk = Annotated[
    str,
    typer.Option("--conversation", "-c", help="The conversation it is said in.", metavar="NAME"),
]


def _version(wanted: bool) -> None:
    if wanted:
        _do("upkeep", "version")


@app.callback()
def ratchet(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """What may stand before a command."""


def _do(module: str, function: str, *args: object) -> NoReturn:
    work = getattr(importlib.import_module(f"bot.cli.{module}"), function)
    raise typer.Exit(work(*args))


@app.command()
def up() -> None:
    """Start Ratchet.

    That is the web chat, the channels whose tokens are set, and the jobs. In a terminal it is a chat as well. Ctrl-C stops it.

    Example:  RATCHET_PORT=8500 ratchet up
    """
    _do("up", "up")


@app.command()
def chat(conversation: Talk = "terminal") -> None:
    """Talk in the terminal, with the running server or without one.

    Example:  ratchet chat
    """
    _do("chat", "chat", conversation)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help='What you want; "-" reads it from stdin.')],
    as_json: Json = False,
    agent: Agent = None,
    conversation: Talk = "terminal",
) -> None:
    """Ask one thing and print the answer.

    Example:  ratchet ask "What is 17 * 23?" --json

    Example:  git log -20 | ratchet ask - --agent writer
    """
    _do("talk", "ask", question, as_json, agent, conversation)


@app.command()
def say(
    command: Annotated[str, typer.Argument(help='A chat command, such as "/approve P12".')],
    as_json: Json = False,
    conversation: Talk = "terminal",
) -> None:
    """Say a chat command, as you would in the chat.

    Example:  ratchet say "/better Answer in metric units."

    Example:  ratchet say "/help"
    """
    _do("talk", "say", command, as_json, conversation)


@app.command()
def runs(
    as_json: Json = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="How many.")] = 20,
) -> None:
    """List the last runs, newest first.

    Example:  ratchet runs -n 5
    """
    _do("talk", "runs", limit, as_json)


@app.command()
def run(
    run_id: Annotated[str, typer.Argument(help="Its id, or the last 8 characters.")],
    as_json: Json = False,
) -> None:
    """Show one run with its steps.

    Example:  ratchet run 5d8e21f0 --json
    """
    _do("talk", "run", run_id, as_json)


@app.command()
def job(name: Annotated[str, typer.Argument(help="Its name; `/jobs` lists them.")]) -> None:
    """Run a background job now.

    Example:  ratchet job analyze
    """
    _do("talk", "job", name)


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Another number is another team.")] = 1,
    weeks: Annotated[int, typer.Option(min=1, max=26, help="How many are played.")] = 8,
    seconds: Annotated[
        float, typer.Option(min=1, max=3600, help="About how long it takes; longer shows more.")
    ] = 75,
    requests: Annotated[
        int,
        typer.Option(
            min=0, max=20_000, help="So many, however long they take; 0: what fits the seconds."
        ),
    ] = 0,
    keep: Annotated[
        str, typer.Option(metavar="DIR", help="Keep all of it there, to open with `ratchet up`.")
    ] = "",
    picture: Annotated[
        str, typer.Option(metavar="FILE", help="Where the picture goes; default: a temporary file.")
    ] = "",
    plain: Annotated[bool, typer.Option("--plain", help="Lines only, nothing that moves.")] = False,
    as_json: Json = False,
) -> None:
    """Watch a simulated team get better in a minute.

    No key, no network. Eight weeks of requests, ratings, proposals and trials, beside the same weeks without the loop.

    Example:  ratchet demo --keep /tmp/team
    """
    _do("demo", "run", seed, weeks, seconds, requests, keep, picture, plain, as_json)


@app.command()
def manifest(
    http: Annotated[
        str | None,
        typer.Option("--http", metavar="URL", help="Signed HTTP to this address, no Socket Mode."),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option("--command-prefix", metavar="WORD", help="/WORD-better in place of /better."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON; default: YAML.")] = False,
) -> None:
    """Print the manifest to make the Slack app from.

    Example:  ratchet manifest --http https://ratchet.example.com --command-prefix rt
    """
    _do("manifest", "manifest", http, prefix, as_json)


@app.command()
def version() -> None:
    """Print the version."""
    _do("upkeep", "version")


@database.command()
def upgrade() -> None:
    """Bring the database to this version's form. `ratchet up` does it by itself.

    Example:  ratchet db upgrade
    """
    _do("upkeep", "upgrade")


def main() -> None:
    """Runs the command line. Exit codes: 0 ok, 1 the run failed, 2 usage or settings."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter shows "?"
    try:
        app()
    except RatchetError as error:
        print(error.said, file=sys.stderr)
        sys.exit(2 if isinstance(error, BadInput | ConfigError | Held) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has seen enough; say nothing when Python closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
