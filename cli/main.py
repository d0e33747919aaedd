"""The `stenocast` command: what it can do, and how errors reach a person.

Exit status 0, 1 (failed), 2 (usage). Results go to standard output, progress and messages to standard error.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from cli import (
    api,
    doctor,
    evaluate,
    intake,
    migrate,
    models,
    name,
    pages,
    publish,
    service,
    topics,
    transcribe,
    voices,
    webhooks,
    worker,
)
from cli.help_text import let_help_flow
from schemas.errors import InputError, OptionError, StenocastError

#: Names on the command line that nothing has: usage, like an option with an impossible value.
USAGE_CODES = frozenset({"style_unknown", "format_unknown", "model_set_unknown"})

STOPPED = 130  #: exit status after Ctrl-C, as shells have it: 128 and the signal's number

app = typer.Typer(
    name="stenocast",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command(rich_help_panel="Transcripts")(transcribe.transcribe)
app.command(rich_help_panel="Transcripts")(pages.render)
app.command(rich_help_panel="Transcripts")(pages.read)
app.command(rich_help_panel="Transcripts")(name.name)
app.command(rich_help_panel="Transcripts")(evaluate.evaluate)
app.command(rich_help_panel="Transcripts")(pages.styles)
app.command(rich_help_panel="Service")(service.serve)
app.command(rich_help_panel="Service")(api.api)
app.command(rich_help_panel="Service")(worker.worker)
app.command(rich_help_panel="Service")(intake.intake)
app.command(rich_help_panel="Service")(intake.reconcile)
app.command(rich_help_panel="Service")(publish.publish)
app.add_typer(topics.app, name="topics", rich_help_panel="Service")
app.command(rich_help_panel="Jobs")(service.submit)
app.command(rich_help_panel="Jobs")(service.jobs)
app.command(rich_help_panel="Jobs")(service.watch)
app.command(rich_help_panel="Jobs")(service.retry)
app.command(rich_help_panel="Jobs")(service.cancel)
app.command(rich_help_panel="Jobs")(service.delete)
app.command(rich_help_panel="Jobs")(service.events)
app.add_typer(webhooks.app, name="webhooks", rich_help_panel="Jobs")
app.add_typer(voices.app, name="voices", rich_help_panel="Transcripts")
app.add_typer(models.app, name="models", rich_help_panel="Installation")
app.command(rich_help_panel="Installation")(migrate.migrate)
app.command(rich_help_panel="Installation")(doctor.doctor)
let_help_flow(app)


def _version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        print(f"stenocast {version('stenocast')}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Turn podcast episodes into transcripts that can be published as they are."""


def main() -> None:
    """Run the command line; an error of ours becomes one sentence, its code and an exit status."""
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed by whoever started us (`>&-`)
            setattr(sys, stream, open(os.devnull, "w"))  # noqa: SIM115 it stays open to the end
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 has no “ and no •
    try:
        status = app(standalone_mode=False) or 0
        if status == STOPPED:  # Typer's word for Ctrl-C
            raise KeyboardInterrupt
        sys.exit(status)
    except TyperException as error:
        _end_with_usage(error)
    except typer.Abort:
        print("nothing was done", file=sys.stderr)  # a question was answered with no, or could not be asked
        sys.exit(1)
    except StenocastError as error:
        _end_with(error)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(STOPPED)
    except BrokenPipeError:
        # The reader of our output went away (`stenocast jobs | head`); Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        # A name that is too long, a disk that fills up: what no command foresaw, and a traceback would not explain.
        where = f"{error.filename}: " if error.filename else ""
        _end_with(InputError(f"{where}{error.strerror or error}", code="system_refused"))


def _end_with_usage(error: TyperException) -> NoReturn:
    """What Typer says of the words on the command line, as an error of ours."""
    from pydantic import ValidationError

    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # Typer has shown the help
        sys.exit(error.exit_code)
    if context is not None:
        print(f"{context.get_usage()}\nTry '{context.command_path} -h' for help.", file=sys.stderr)
    invalid = error.__cause__
    value = f" (given: {invalid.errors()[0]['input']!r:.80})" if isinstance(invalid, ValidationError) else ""
    _end_with(OptionError(error.format_message().rstrip(".") + value))


def _end_with(error: StenocastError) -> NoReturn:
    print(f"error: {error.message} [{error.code}]", file=sys.stderr)
    sys.exit(2 if isinstance(error, OptionError) or error.code in USAGE_CODES else 1)


if __name__ == "__main__":
    main()
