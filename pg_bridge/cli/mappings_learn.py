"""`pg-bridge mappings learn`: what a participant's own messages use, and what the set would refuse."""

from __future__ import annotations

import os
import sys
import tomllib
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from pg_bridge.cli.learn_view import print_lesson
from pg_bridge.cli.mappings_diff import set_line, set_told
from pg_bridge.cli.output import console, say_json
from pg_bridge.cli.samples import SentAt, read_samples, sample_files
from pg_bridge.cli.world import RandomIds, read_file, read_mappings, utc_now
from pg_bridge.config import ParticipantConfig, read_config
from pg_bridge.errors import ConfigError
from pg_bridge.exchange.terms import Options, Terms
from pg_bridge.link.framing import BadFrame, Framing
from pg_bridge.link.profile import LinkProfile, link_profile_of
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.learning.learner import Learner
from pg_bridge.mapping.learning.lesson import Lesson
from pg_bridge.mapping.learning.sample import Sample
from pg_bridge.mapping.learning.section import participant_section
from pg_bridge.profiles.legacy import TEMPLATE_FOLDER

_ID_SIZE = 6


def learn(
    files: Annotated[list[Path], typer.Argument(help="Frames, one or many a file; text blocks; folders of these.")],
    *,
    participant: Annotated[str, typer.Option(help="Whose messages; left out: the frames say it.")] = "",
    template: Annotated[str, typer.Option(help="The template of text blocks.")] = "",
    message_type: Annotated[str, typer.Option(help="The message type of text blocks.")] = "",
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Judge by the lenient profile: the exit code only.")
    ] = False,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="Judge as the participant is configured here: texts, lenient.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the participant's section of bridge.toml here.")] = None,
    show_values: Annotated[bool, typer.Option("--show-values", help="Show values as they are, not masked.")] = False,
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Learn from a participant's own messages what its system uses, and what would be refused and why.

    Values are masked (A, a, 9) unless asked for. A frame is judged as of the day in its header, a text block as of
    today. Nothing is sent. Exit code 0: nothing would be refused; 1: something would; 2: wrong use.

    Example: pg-bridge mappings learn recorded/ --participant B01234 --out participant.toml
    """
    if participant and len(participant) != _ID_SIZE:
        raise ConfigError(f"learning: a participant id has {_ID_SIZE} characters, not {len(participant)}")
    if out is not None and out.exists():
        raise ConfigError(f"writing the section: {out} is there already; name another file")
    set_files = read_mappings(mappings)
    book, link = load(set_files), link_profile_of(set_files)
    _known(book, template, message_type)
    configured = _configured(config)
    profiles = {name: entry.profile for name, entry in configured.items() if entry.profile}
    lesson = _lesson(
        _Reading(book, link, template, message_type, _template_files(set_files), profiles),
        sample_files(files),
        participant,
        shows_values=show_values,
        is_quiet=json,
    )
    told = set_told(mappings, set_files)
    section = participant_section(lesson, set_line(told)) if lesson.participant else ""
    if out is not None:
        _write(out, section)
    if json:
        say_json({"set": told, "lesson": lesson, "section": section})
    else:
        print_lesson(lesson, set_line(told))
        if section:
            print(
                f"The section for bridge.toml is in {out}." if out is not None else f"\nFor bridge.toml:\n\n{section}"
            )
    own = configured.get(lesson.participant)
    is_lenient = lenient or (own is not None and own.lenient)
    raise typer.Exit(1 if (lesson.refused_leniently if is_lenient else lesson.refused) else 0)


def _configured(config: Path | None) -> dict[str, ParticipantConfig]:
    """The participants of a bridge's configuration."""
    if config is None:
        return {}
    text = read_file(config, "the configuration").decode("utf-8", "replace")
    return read_config(text, os.environ).participants


class _Reading:
    """What all files are read by."""

    def __init__(
        self,
        book: MappingBook,
        link: LinkProfile,
        template: str,
        message_type: str,
        template_files: dict[str, str],
        profiles: dict[str, dict[str, str]],
    ) -> None:
        self.book, self.link = book, link
        self.template, self.message_type = template, message_type
        self.template_files = template_files
        self.framing = Framing(link)
        self.terms = Terms(book, RandomIds(), Options(profiles=profiles))
        self.sent_at = SentAt(link)

    def context(self, sample: Sample) -> tuple[dict[str, Any], bool]:
        """What rules may ask for when the message was sent, and whether that is known."""
        at = self.sent_at.of(sample.timestamp)
        now = utc_now() if at is None else at.astimezone(UTC)
        return self.terms.context(sample.participant, "", now), at is not None


def _lesson(reading: _Reading, files: list[Path], participant: str, *, shows_values: bool, is_quiet: bool) -> Lesson:
    """Learn from every file. Raises ConfigError where the frames are of several participants and none is named."""
    learner = Learner(reading.book, reading.link, participant, reading.template_files, shows_values=shows_values)
    out = console()
    out.stderr = True
    with Progress(disable=is_quiet or not sys.stderr.isatty(), console=out) as progress:
        task = progress.add_task("learning", total=sum(path.stat().st_size for path in files))

        def progressed(size: int) -> None:
            progress.advance(task, size)

        for path in files:
            found = read_samples(path, reading.framing, reading.template, reading.message_type, participant, progressed)
            for number, sample in enumerate(found, 1):
                if isinstance(sample, BadFrame):
                    learner.take_bad(sample, str(path), number)
                    continue
                context, is_dated = reading.context(sample)
                learner.take(sample, context, is_dated=is_dated)
                if not participant and sample.participant != learner.participant:
                    both = f"{learner.participant} and of {sample.participant}"
                    raise ConfigError(f"learning: the frames are of {both}: name the --participant")
    return learner.lesson()


def _known(book: MappingBook, template: str, message_type: str) -> None:
    """Raise ConfigError for a template or message type that no PSS may send."""
    known = book.legacy.request_templates
    if template and template not in {name for name, _ in known}:
        names = ", ".join(sorted({name for name, _ in known}))
        raise ConfigError(f"learning: a PSS sends no {template}; there are {names}")
    if template and message_type and (template, message_type) not in known:
        types = ", ".join(sorted(type_ for name, type_ in known if name == template))
        raise ConfigError(f"learning: {template} is none of MT{message_type}; it is of {types}")


def _template_files(files: dict[str, str]) -> dict[str, str]:
    """In which file each template stands. The set is loaded, so each can be read."""
    paths = [path for path in files if path.startswith(TEMPLATE_FOLDER) and path.endswith(".toml")]
    return {str(tomllib.loads(files[path])["template"]["name"]): path for path in paths}


def _write(out: Path, section: str) -> None:
    if not section:
        raise ConfigError("writing the section: the files hold no frame; name the --participant")
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(section)
    except OSError as error:
        raise ConfigError(f"writing the section: {error}") from error
