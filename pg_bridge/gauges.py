"""The gauges that a running bridge shows: limits, circuit, lanes, exchanges, deliveries, feeds."""

from __future__ import annotations

from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.metrics import Metrics
from pg_bridge.ocp.circuit import Circuit
from pg_bridge.ocp.limits import CallLimits


def show_gauges(metrics: Metrics, dispatcher: Dispatcher, slots: CallLimits, circuit: Circuit) -> None:
    """Have `metrics` ask these parts at each scrape."""
    state = dispatcher.state
    metrics.gauge(
        "pg_bridge_ocp_call_slots",
        "Calls that may go to OCP at once now, by limit.",
        ("limit",),
        lambda: [((f"{limit.calls}_in_{limit.period_s:g}s",), left) for limit, left in slots.left()],
    )
    metrics.gauge(
        "pg_bridge_ocp_slots_waiting",
        "Who waits for a slot of OCP's limits, by turn.",
        ("turn",),
        lambda: [((turn.name.lower(),), float(count)) for turn, count in slots.waiting().items()],
    )
    metrics.gauge(
        "pg_bridge_ocp_circuit_open",
        "1 while no call goes to OCP because it failed too often.",
        (),
        lambda: [((), float(circuit.is_open))],
    )
    metrics.gauge(
        "pg_bridge_lane_waiting",
        "Instructions that wait for a call, by participant and operation.",
        ("participant", "operation"),
        lambda: [(key, float(len(lane.waiting))) for key, lane in state.lanes.items()],
    )
    metrics.gauge(
        "pg_bridge_calls_open",
        "Calls to OCP whose outcome is not known yet for all members; unknown: it is being asked for.",
        ("state",),
        lambda: [
            (("called",), float(sum(not batch.is_unknown for batch in state.batches.values()))),
            (("unknown",), float(sum(batch.is_unknown for batch in state.batches.values()))),
        ],
    )
    metrics.gauge(
        "pg_bridge_exchanges_open",
        "Exchanges that have no answer yet.",
        (),
        lambda: [((), float(sum(exchange.reply is None for exchange in state.exchanges.values())))],
    )
    metrics.gauge(
        "pg_bridge_exchanges_in_doubt",
        "Exchanges that wait for a person.",
        (),
        lambda: [((), float(len(state.in_doubt())))],
    )
    metrics.gauge(
        "pg_bridge_deliveries_waiting",
        "Messages that a PSS has not acknowledged yet, by participant.",
        ("participant",),
        lambda: [((name,), float(len(outbox.queue))) for name, outbox in state.outboxes.items()],
    )
    metrics.gauge(
        "pg_bridge_updates_next_sequence",
        "The next status event due, by participant and business date.",
        ("participant", "business_date"),
        lambda: [(key, float(feed.next_sequence)) for key, feed in state.feeds.items()],
    )
    metrics.gauge(
        "pg_bridge_updates_early",
        "Status events held back because one before them is missing.",
        ("participant", "business_date"),
        lambda: [(key, float(len(feed.early))) for key, feed in state.feeds.items()],
    )
