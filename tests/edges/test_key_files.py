"""Secrets on the disk: who may read them is checked when they are read, and nothing is written over."""

from __future__ import annotations

import os
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pg_bridge.cli.key_files import read_keys, read_passphrase, read_secret, replace_list, write_secret
from pg_bridge.cli.world import utc_now
from pg_bridge.errors import ConfigError
from pg_bridge.ocp.key_list import ListedKey, write_key_list


def secret(folder: Path, name: str = "company.pem", content: bytes = b"PEM", mode: int = 0o600) -> Path:
    path = folder / name
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_what_only_its_owner_may_read_is_read(tmp_path: Path, mode: int) -> None:
    content, who = read_secret(secret(tmp_path, mode=mode), "the key")

    assert (b"PEM", os.geteuid()) == (content, who.uid)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o602, 0o644])
def test_what_others_may_get_at_is_refused_by_name_with_what_to_do(tmp_path: Path, mode: int) -> None:
    path = secret(tmp_path, mode=mode)

    with pytest.raises(ConfigError, match=f"its mode is {mode:04o}") as caught:
        read_secret(path, "the key")

    (finding,) = caught.value.findings
    assert (str(path), f"chmod 600 {path}") == (finding.path, finding.remedy)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_another_user_is_refused(tmp_path: Path) -> None:
    path = secret(tmp_path)
    os.chown(path, 12345, -1)

    with pytest.raises(ConfigError, match="it belongs to 12345"):
        read_secret(path, "the key")


def test_a_link_is_as_good_as_the_file_it_leads_to(tmp_path: Path) -> None:
    link = tmp_path / "link.pem"
    link.symlink_to(secret(tmp_path, mode=0o644))

    with pytest.raises(ConfigError, match="0644"):
        read_secret(link, "the key")


def test_a_pipe_a_folder_and_a_huge_file_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(0o700)
    secret(tmp_path, "huge", b"x" * 70_000)

    for name, said in (("pipe", "no file"), ("folder", "no file"), ("huge", "larger than"), ("none", "No such file")):
        with pytest.raises(ConfigError, match=said):
            read_secret(tmp_path / name, "the key")


def test_a_secret_is_written_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_secret(tmp_path / "k.pem", b"one")
    finally:
        os.umask(before)

    assert 0o600 == stat.S_IMODE((tmp_path / "k.pem").stat().st_mode)
    with pytest.raises(ConfigError, match="there already"):
        write_secret(tmp_path / "k.pem", b"two")
    assert b"one" == (tmp_path / "k.pem").read_bytes()


def test_a_list_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "company.keys.toml"
    replace_list(path, "old")
    replace_list(path, "new")

    assert "new" == path.read_text("utf-8")
    assert ["company.keys.toml"] == [one.name for one in tmp_path.iterdir()]
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def listed(folder: Path, *keys: ListedKey) -> None:
    secret(folder, "company.keys.toml", write_key_list(keys).encode())


def test_without_a_list_the_file_is_the_key(tmp_path: Path) -> None:
    (text,) = read_keys(str(secret(tmp_path)), "company")

    assert (b"PEM", "company.pem", None) == (text.pem, text.listed.file, text.listed.ends_at)


def test_a_list_names_the_keys_and_who_listed_them(tmp_path: Path) -> None:
    secret(tmp_path)
    secret(tmp_path, "next.pem", b"NEXT")
    listed(tmp_path, ListedKey(file="company.pem"), ListedKey(file="next.pem", by="A. Chan", reason="yearly"))

    found = read_keys(str(tmp_path / "company.pem"), "company")

    assert [b"PEM", b"NEXT"] == [one.pem for one in found]
    assert ("A. Chan", "yearly", os.geteuid()) == (found[1].who.by, found[1].who.reason, found[1].who.uid)


@pytest.mark.parametrize(("days", "is_missed"), [(-1, False), (1, True), (None, True)])
def test_a_key_that_has_ended_may_be_gone(tmp_path: Path, days: int | None, is_missed: bool) -> None:
    ends: datetime | None = None if days is None else utc_now() + timedelta(days=days)
    secret(tmp_path, "next.pem")
    listed(tmp_path, ListedKey(file="company.pem", ends_at=ends), ListedKey(file="next.pem"))

    if is_missed:
        with pytest.raises(ConfigError, match=r"company\.pem: No such file"):
            read_keys(str(tmp_path / "company.pem"), "company")
    else:
        assert ["next.pem"] == [one.listed.file for one in read_keys(str(tmp_path / "company.pem"), "company")]


def test_the_passphrase_comes_from_a_variable_or_a_file(tmp_path: Path) -> None:
    held = str(secret(tmp_path, "phrase", b"hush hush \r\n"))

    assert b"hush" == read_passphrase("PHRASE", "", {"PHRASE": "hush"})
    assert b"hush hush " == read_passphrase("", held, {})
    assert read_passphrase("", "", {"PHRASE": "hush"}) is None
    for variable, file in (("PHRASE", ""), ("", str(secret(tmp_path, "empty", b"\n")))):
        with pytest.raises(ConfigError, match="holds none"):
            read_passphrase(variable, file, {})
    with pytest.raises(ConfigError, match="0640"):
        read_passphrase("", str(secret(tmp_path, "open", b"hush", 0o640)), {})
