"""Reference data of the state, beside the translation of a request."""

from __future__ import annotations

import msgspec

from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Terms
from pg_bridge.mapping.reference import NO_TABLES, ReferenceTables, read_tables
from pg_bridge.mapping.translated import Request


def tables_of(state: State, terms: Terms) -> ReferenceTables:
    """The tables of what was taken in the shape of the profile; made once for each taking."""
    market = state.market
    fitting = {
        topic: taken
        for topic, taken in market.reference.items()
        if taken.ocp_hash == state.ocp_hash or not state.ocp_hash
    }
    if not fitting:
        return NO_TABLES
    key = (id(terms.book), *(taken.hash for taken in fitting.values()))
    if market.tables_key != key:
        market.tables = read_tables(terms.ocp, {topic: bytes(taken.entries) for topic, taken in fitting.items()})
        market.tables_key = key
    return market.tables


def beside_reference(request: Request, state: State, terms: Terms) -> Request:
    """The request with what reference data fills in, and findings where it is at odds with it."""
    use = terms.book.reference_use(request.template)
    if use is None or any(finding.severity == "error" for finding in request.findings):
        return request
    tables = tables_of(state, terms)
    if tables is NO_TABLES:
        return request
    first, *more = [
        use.apply(part, tables, terms.options.reference_faults, terms.book.refusal_reason) for part in request.parts
    ]
    return msgspec.structs.replace(first, more=tuple(more)) if more else first
