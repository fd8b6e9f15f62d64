"""The ``labkit`` command. Heavy modules are imported where a subcommand needs them, so that ``--help`` is quick."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from labkit import __version__
from labkit.common import LANGUAGES, MODES, LabkitError, check_device, course_dir, without_iri_grammar

DEBUG_VARIABLE = "LABKIT_DEBUG"
GOOD, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def _calls(place: str, *before: str, on_device: bool = True) -> Callable[[int, str], Path]:
    """``module.function(*before, seed, device)`` of the package, imported when it is called.

    Without ``on_device`` the function is told no device: what it trains is small enough for any processor.
    """

    def train(seed: int, device: str) -> Path:
        module, _, function = place.rpartition(".")
        return getattr(import_module(f"labkit.{module}"), function)(*before, seed, *([device] * on_device))

    return train


# What `labkit train NAME` makes: a name -> a function that trains with a seed on a device and writes the weights
# with their card, and one line that says what they are. Each imports what it needs only when it is called.
TRAINABLE: dict[str, tuple[Callable[[int, str], Path], str]] = {
    "town-tokenizer": (
        _calls("text.shipped.make_town_tokenizer", on_device=False),
        "byte-level BPE of the town models, 4,096 tokens; seconds",
    ),
    "town-gpt": (
        _calls("text.shipped.train_town_gpt"),
        "GPT on the town in English and Chinese, 4.0 M parameters; hours",
    ),
    "town-lstm": (
        _calls("text.shipped.train_town_lstm"),
        "LSTM on the same texts, 4.0 M parameters; 12 minutes",
    ),
    "town-instruct": (
        _calls("prompts.instruct.train_town_instruct"),
        "GPT that follows instructions about the town; two hours",
    ),
    "scenes-flow": (
        _calls("image.shipped.train_scenes_flow"),
        "text to image, scenes, flow matching; 50 minutes",
    ),
    "digits-gan": (
        _calls("image.shipped.train_digits_gan"),
        "text to image, handwritten digits, GAN; a minute",
    ),
    "digits-flow": (
        _calls("image.shipped.train_digits_flow"),
        "text to image, handwritten digits, flow matching; a minute",
    ),
    "scene-judge": (
        _calls("image.judge_training.ship_scene_judge", on_device=False),
        "judge of drawn scenes; 2 minutes",
    ),
    "digit-judge": (
        _calls("image.judge_training.ship_digit_judge", on_device=False),
        "judge of handwritten digits; a minute",
    ),
    **{
        name: (_calls("speech.shipped.train", name, on_device=False), about)
        for name, about in {
            "speech-en": "English voice: phones to mel; minutes",
            "speech-zh": "Mandarin voice: phones to mel; minutes",
            "speech-vocoder": "mel to sound, both languages; minutes",
            "speech-judge-en": "recognizer of English phones, the judge; minutes",
            "speech-judge-zh": "recognizer of Mandarin phones with tones, the judge; minutes",
            "speech-digits": "ten digits in five real voices (needs the data set fsdd); minutes",
            "speech-digits-judge": "recognizer of real spoken digits (needs the data set fsdd); minutes",
        }.items()
    },
    **{
        f"{name}-{language}": (_calls(place, language), f"{about} ({language})")
        for name, (place, about) in {
            "news-extractive": (
                "summaries.shipped.train_news_extractive",
                "summaries by choosing sentences; minutes",
            ),
            "news-abstractive": (
                "summaries.shipped.train_news_abstractive",
                "summaries that write and copy; 40 minutes",
            ),
            "town-chat": ("dialogue.shipped.train_town_chat", "chatbot, Seq2Seq with attention; 50 minutes"),
        }.items()
        for language in LANGUAGES
    },
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0 good, 1 failed, 2 asked for what is not there, 130 after Ctrl-C."""
    _speak_utf8()
    if arguments is None:  # the command itself
        without_iri_grammar()
    options = _parser().parse_args(_shield_minus(sys.argv[1:] if arguments is None else arguments))
    try:
        return options.function(options)
    except LabkitError as error:
        print(f"labkit: {error}", file=sys.stderr)
        return USAGE if type(error).__name__ == "UsageError" else FAILED
    except KeyboardInterrupt:
        print("labkit: stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # as in: labkit list | head
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        text = " ".join(str(error).split())
        print(
            f"labkit: unexpected {type(error).__name__}: {text} (set {DEBUG_VARIABLE}=1 and run again "
            "to see where; please report it)",
            file=sys.stderr,
        )
        return FAILED


def _speak_utf8() -> None:
    """A Windows console may be set to a code page without Chinese."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and (stream.encoding or "").lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding="utf-8", errors="replace")


def _shield_minus(arguments: Sequence[str]) -> list[str]:
    """argparse takes the value in ``-p RATE -0.1,0.1`` for an option; a space before it, which we strip, does not."""
    return [
        f" {word}" if place >= 2 and arguments[place - 2] == "-p" and word[:1] == "-" else word
        for place, word in enumerate(arguments)
    ]


# --- The subcommands -------------------------------------------------------------------------------------


def _doctor(options: argparse.Namespace) -> int:
    from labkit import doctor

    findings = doctor.report()
    print(findings)
    return FAILED if findings.wrong else GOOD


def _list(options: argparse.Namespace) -> int:
    from labkit.lessons import find_lessons
    from labkit.report import text_table

    lessons = find_lessons(options.lesson)
    if not lessons:
        print("The course holds no lessons yet: notebooks/src is empty.")
        return GOOD
    rows = [
        (
            lesson.number,
            lesson.name,
            str(lesson.minutes),
            "yes" if lesson.notebook(options.language).exists() else "no",
            lesson.title(options.language),
        )
        for lesson in lessons
    ]
    print(text_table(("no.", "lesson", "minutes", "built", "title"), rows))
    return GOOD


def _run(options: argparse.Namespace) -> int:
    from labkit import batch, live, report

    asked = batch.Options(
        patterns=options.lesson,
        out=options.out,
        mode=options.mode,
        workers=options.workers,
        parameters=[tuple(pair) for pair in options.parameter],
        resume=options.resume,
        language=options.language,
        timeout=options.timeout,
        dask=options.dask,
        solutions=options.solutions,
    )
    done = batch.run(asked, live.Display())
    print()
    print(report.summary_table(done.records))
    if sweeps := report.sweep_tables(done.records):
        print(f"\n{sweeps}")
    if (done.out / "index.html").exists():
        print(f"\nReport: {done.out / 'index.html'}")
    if done.problem:
        print(f"labkit: {done.problem}", file=sys.stderr)
    if done.interrupted:
        print("labkit: stopped; what finished is kept, and --resume goes on from there", file=sys.stderr)
    return done.exit_code


def _build(options: argparse.Namespace) -> int:
    from labkit import lessons

    written = lessons.build(
        options.lesson,
        check=options.check,
        force=options.force,
        solutions=options.solutions,
        out=options.out,
        announce=lambda text: print(text, flush=True),
    )
    for path in written:
        print(f"written: {path}")
    if options.check:
        print("Every built notebook belongs to its source.")
    elif not written:
        print("Nothing to build: every notebook belongs to its source.")
    return GOOD


def _train(options: argparse.Namespace) -> int:
    if options.list or options.name is None:
        for name, (_, about) in TRAINABLE.items():
            print(f"{name}  {about}")
        return GOOD
    if options.name not in TRAINABLE:
        raise LabkitError(f"No weights are named {options.name!r}. There are: {', '.join(TRAINABLE)}.")
    function, _ = TRAINABLE[options.name]
    print(f"written: {function(options.seed, check_device(options.device))}")
    return GOOD


def _data(options: argparse.Namespace) -> int:
    from labkit import data

    if options.action == "get":
        print(f"{options.name}: {data.get(options.name)}")
        return GOOD
    from labkit.report import text_table

    rows = []
    for dataset in data.catalog():
        place = data.find(dataset.name)
        rows.append(
            (
                dataset.name,
                f"{dataset.megabytes:g} MB",
                dataset.licence,
                str(place or "not here"),
                dataset.title,
            )
        )
    print(text_table(("name", "size", "licence", "where", "what"), rows))
    return GOOD


def _bench(options: argparse.Namespace) -> int:
    folder = course_dir()
    if not (folder / "tests" / "benchmarks").is_dir():
        raise LabkitError(
            f"The benchmarks are not in {folder / 'tests'}: they come with a clone of the repository."
        )
    command = [sys.executable, "-m", "tests.benchmarks", *options.argument]
    return subprocess.run(command, cwd=folder, check=False).returncode


# --- What it understands ---------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="labkit",
        description="The course on programming large models: check this machine, build and run the lessons.",
        epilog="labkit COMMAND --help tells more. Exit code: 0 good, 1 something failed, "
        "2 asked for what is not there, 130 stopped by Ctrl-C.",
    )
    parser.add_argument("--version", action="version", version=f"labkit {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    _command(commands, "doctor", _doctor, "see whether this machine can run the course", "labkit doctor")
    _list_options(commands)
    _run_options(commands)
    _build_options(commands)
    _train_options(commands)
    _data_options(commands)
    _bench_options(commands)
    return parser


def _command(
    commands, name: str, function, about: str, example: str, more: str = ""
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.{more and ' ' + more}",
        epilog=f"examples:\n{example}" if "\n" in example else f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(function=function)
    return command


def _list_options(commands) -> None:
    command = _command(commands, "list", _list, "list the lessons", "labkit list --language zh")
    _lesson_argument(command, "lessons, as in: 02 '0[34]*'")
    _language_option(command, "of the titles")


def _run_options(commands) -> None:
    example = """\
  labkit run                                   all lessons into reports/latest/index.html
  labkit run 02 '0[34]*' --mode smoke          some lessons, quickly
  labkit run 04 -p SEED 0,1,2                  a run for each seed, and a table over them
  labkit run handed_in/*.ipynb --out grades    files that students handed in: grades/grades.csv
  labkit run --resume                          go on after Ctrl-C: what finished is skipped"""
    command = _command(
        commands,
        "run",
        _run,
        "execute lessons through papermill into one report",
        example,
        "\nEach notebook runs in a process of its own, with your rights: run what others handed in\n"
        "only where it can do no harm. Its grades are what the notebook says of itself.",
    )
    _lesson_argument(
        command, "lessons (02 '0[34]*' '*loss*'), notebooks, or folders of notebooks; all lessons"
    )
    command.add_argument(
        "--mode",
        choices=MODES,
        default="class",
        help="smoke: seconds; class: the default; full: trains everything",
    )
    command.add_argument(
        "--workers", type=int, metavar="N", help="notebooks at a time (2; on a Dask cluster: its threads)"
    )
    command.add_argument(
        "-p",
        dest="parameter",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a parameter; several values with commas make a run for each (\\, is a comma of the value)",
    )
    command.add_argument(
        "--out",
        type=Path,
        default=Path("reports/latest"),
        metavar="DIR",
        help="folder of the report (%(default)s)",
    )
    command.add_argument(
        "--resume",
        action="store_true",
        help="skip what finished with the same notebook, parameters, language and labkit",
    )
    _language_option(command, "of the edition to run")
    command.add_argument(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="wall-clock limit of a whole notebook (120; in full mode 14400)",
    )
    command.add_argument(
        "--dask", metavar="ADDRESS", help="run on a Dask cluster, as in tcp://127.0.0.1:8786"
    )
    command.add_argument(
        "--solutions", action="store_true", help="run the solution edition, where every check passes"
    )


def _build_options(commands) -> None:
    example = """\
  labkit build                        the lessons whose source changed
  labkit build 02 --force             execute again
  labkit build --check                fail when a notebook does not belong to its source
  labkit build --solutions --out key  the solution edition, for teachers"""
    command = _command(commands, "build", _build, "build the notebooks from notebooks/src", example)
    _lesson_argument(command, "lessons, as in: 02 '0[34]*'; all")
    command.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 when one is out of date"
    )
    command.add_argument("--force", action="store_true", help="execute also what did not change")
    command.add_argument(
        "--solutions", action="store_true", help="the edition with the solutions, into --out"
    )
    command.add_argument("--out", type=Path, metavar="DIR", help="another folder than notebooks/")


def _train_options(commands) -> None:
    command = _command(commands, "train", _train, "train shipped weights anew", "labkit train --list")
    command.add_argument("name", nargs="?", metavar="NAME", help="which weights")
    command.add_argument("--list", action="store_true", help="list the names")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="%(default)s")
    command.add_argument("--device", default="cpu", help="cpu, cuda or mps; %(default)s")


def _data_options(commands) -> None:
    example = "  labkit data list\n  labkit data get tinyshakespeare"
    command = _command(
        commands,
        "data",
        _data,
        "list data sets, or fetch one",
        example,
        "\nA copy in the folder LABKIT_DATA is taken first; else it comes from its public origin, "
        "with its checksum.",
    )
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="names, sizes, licences, and where they are")
    get = actions.add_parser("get", help="find or download one", epilog="example: labkit data get digits")
    get.add_argument("name", metavar="NAME")


def _bench_options(commands) -> None:
    command = _command(commands, "bench", _bench, "measure, and write benchmarks.json", "labkit bench")
    command.add_argument(
        "argument", nargs="*", metavar="ARGUMENT", help="handed on to python -m tests.benchmarks"
    )


def _lesson_argument(command: argparse.ArgumentParser, about: str) -> None:
    command.add_argument("lesson", nargs="*", metavar="LESSON", help=about)


def _language_option(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--language", choices=LANGUAGES, default="en", help=f"{what} (%(default)s)")


if __name__ == "__main__":
    sys.exit(main())
