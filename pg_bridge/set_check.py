"""The whole check of a mapping set, and the set in use once it is faultless."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.link.profile import LINK_FILE, LinkProfile, read_link_profile
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.check import check


@dataclass(frozen=True, slots=True)
class LoadedSet:
    """A mapping set ready to use: its book and its framing."""

    book: MappingBook
    link: LinkProfile


def check_set(files: Mapping[str, str]) -> list[Finding]:
    """All findings of profiles, framing, rules and cases, as `pg-bridge mappings check` tells them.

    It runs cases, so it reads messages, and what is remembered of those is for one thread: never beside live traffic.
    """
    findings = check(files)
    try:
        read_link_profile(files[LINK_FILE])
    except MappingInvalid as error:
        findings += error.findings
    except KeyError:
        if not any(finding.path == LINK_FILE for finding in findings):
            text = "the file is missing: it says how a frame looks"
            findings.append(Finding("PGB-PRF-022", "error", LINK_FILE, text))
    return findings


def load_set(files: Mapping[str, str]) -> LoadedSet:
    """The set of files that check. It reads no message. Raises MappingInvalid."""
    book = load(files)
    return LoadedSet(book, read_link_profile(files.get(LINK_FILE, "")))
