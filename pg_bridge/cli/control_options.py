"""The options that every command to the running bridge takes: which door, and who commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None, typer.Option("-c", "--config", help="The bridge's configuration, which names its control socket.")
]
ControlOption = Annotated[str, typer.Option(help="The control socket itself, in place of the configuration.")]
ByOption = Annotated[str, typer.Option(help="Who you are, for the journal; beside the user that the kernel tells.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the journal.")]
