"""One stack for a whole module: tests use references of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.doubles.stack import Stack, stack


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A pretend OCP and the bridge, both running, quick to try again."""
    extra = "[exchange]\nretry_first_s = 0.2\nretry_most_s = 0.5\n"
    async with stack(tmp_path_factory.mktemp("stack"), extra=extra) as made:
        yield made
