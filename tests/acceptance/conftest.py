"""One stack for a whole module: tests use references of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.doubles.stack import QUICK, Stack, stack


def configured(request: pytest.FixtureRequest) -> str:
    """The part of the configuration that a module wants: its `CONFIGURED`, else quick to try again."""
    return str(getattr(request.module, "CONFIGURED", QUICK))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """A pretend OCP and the bridge, both running."""
    async with stack(tmp_path_factory.mktemp("stack"), extra=configured(request)) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["shipped", "both_b"])
async def each_stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The same by the shipped mappings, and by both others."""
    folder = tmp_path_factory.mktemp("stack")
    async with stack(folder, set_name=request.param, extra=configured(request)) as made:
        yield made
