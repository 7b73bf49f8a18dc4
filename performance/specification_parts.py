"""The parts of a specification, each read from its table."""

from __future__ import annotations

import re

from performance import specified as spec
from performance.placeholders import names_in
from performance.reading import Table
from performance.specification_requests import check_headers, read_requests


def read_table(table: Table, *, own_locustfile: bool) -> spec.LoadSpec:
    """Return the load; what stands against it is told in the table's faults."""
    arrival = _arrival(table)
    users = table.whole("users", 0, 0, 100_000) or 0
    requests = read_requests(table, own_locustfile)
    made = spec.LoadSpec(
        requests=requests,
        scenario=table.flag("scenario", False),
        arrival=arrival,
        users=users,
        think_time=_think_time(table),
        duration=_duration(table, arrival),
        max_requests=table.whole("max_requests", None, 1, spec.MOST_REQUESTS),
        warmup=table.number("warmup", 0.0, 0, spec.LONGEST) or 0.0,
        timeout=table.number("timeout", 10.0, 0.001, 3600) or 10.0,
        connections=table.whole("connections", 64, 1, 20_000) or 64,
        verify_tls=table.flag("verify_tls", True),
        auth=_auth(table),
        data=_data(table),
        abort=_abort(table),
        limits=_limits(table),
        processes=table.whole("processes", 1, 1, 64) or 1,
        workers=_workers(table),
    )
    _hold_together(table, made, has_own=own_locustfile)
    table.end()
    return made


def _hold_together(table: Table, made: spec.LoadSpec, *, has_own: bool) -> None:
    if made.arrival is None and not made.users:
        table.fault("", "say `arrival` (when requests are sent) or `users` (how many send one after another)")
    planned = made.arrival is not None and made.arrival.kind == "steps"
    if not made.duration and not made.max_requests and not planned:
        table.fault("duration", "say how long the load lasts, or how many requests with `max_requests`")
    fastest = _fastest(made.arrival) if made.arrival else 0.0
    if fastest * made.total_seconds > spec.MOST_REQUESTS:
        table.fault("duration", f"plans more than {spec.MOST_REQUESTS:,} requests; take fewer")
    if made.data.files and made.data.rows:
        table.fault("data", "has either files or rows")
    known = {*spec.BUILT_IN_NAMES, *(made.data.rows[0] if made.data.rows else ())}
    if not made.data.files:
        known -= {"file", "file_content"}
    for number, request in enumerate(made.requests):
        for name in names_in(request.path, request.body) & {"file", "file_content"} - known:
            table.fault(f"requests[{number}]", f"uses {{{{{name}}}}}, but `data.files` makes no files")
    if has_own and made.requests:
        table.fault("requests", "must be left out: the Locust file says what is sent")
    if has_own and made.arrival is not None:
        table.fault("arrival", "must be left out: the Locust file says when; give `users`")


def _arrival(table: Table) -> spec.Arrival | None:
    part = table.table("arrival")
    if part is None:
        return None
    kind = part.choice("kind", "constant", spec.ARRIVALS)
    made = spec.Arrival(
        kind=kind,
        rate=part.number("rate", 0.0, 0, spec.FASTEST) or 0.0,
        to_rate=part.number("to_rate", 0.0, 0, spec.FASTEST) or 0.0,
        rates=tuple(part.numbers("rates", least=0.001, most=spec.FASTEST, at_most=1000)),
        step_duration=part.number("step_duration", 0.0, 0.01, spec.LONGEST) or 0.0,
        spike_rate=part.number("spike_rate", 0.0, 0.001, spec.FASTEST) or 0.0,
        spike_every=part.number("spike_every", 0.0, 0.01, spec.LONGEST) or 0.0,
        spike_duration=part.number("spike_duration", 0.0, 0.01, spec.LONGEST) or 0.0,
        spacing=part.choice("spacing", "even", spec.SPACINGS),
    )
    _demand(part, made)
    part.end()
    return made


_NEEDED = {
    "constant": ("rate",),
    "ramp": ("to_rate",),
    "steps": ("rates",),
    "spikes": ("rate", "spike_rate", "spike_every", "spike_duration"),
}


def _demand(part: Table, made: spec.Arrival) -> None:
    faulty = {line.split(":")[0] for line in part.faults}
    for key in _NEEDED[made.kind]:
        if not getattr(made, key) and f"arrival.{key}" not in faulty:
            part.fault(key, f"is needed for {made.kind} and must be above 0")
    if made.kind == "spikes" and made.spike_duration >= made.spike_every > 0:
        part.fault("spike_duration", "must be shorter than spike_every")


def _fastest(arrival: spec.Arrival) -> float:
    return max(arrival.rate, arrival.to_rate, arrival.spike_rate, *arrival.rates, 0.0)


def _duration(table: Table, arrival: spec.Arrival | None) -> float:
    told = table.number("duration", 0.0, 0.1, spec.LONGEST) or 0.0
    if arrival is None or arrival.kind != "steps" or not arrival.rates:
        return told
    if not arrival.step_duration:
        if not told:
            table.fault("arrival.step_duration", "is needed, or `duration` for all steps together")
        return told
    by_steps = arrival.step_duration * len(arrival.rates)
    if told and abs(told - by_steps) > 1e-6:
        table.fault("duration", f"is {told:g}, but the steps last {by_steps:g} s; leave it out")
    return by_steps


def _think_time(table: Table) -> tuple[float, float]:
    found = table.raw("think_time")
    if found is None:
        return (0.0, 0.0)
    if isinstance(found, int | float) and not isinstance(found, bool):
        found = [found, found]
        table.data = {**table.data, "think_time": found}
    pair = table.numbers("think_time", least=0, most=3600, at_most=2)
    if isinstance(found, list) and (len(pair) != 2 or pair[0] > pair[1]):
        table.fault("think_time", "must be two numbers of seconds, the lower first, as in [0.5, 2]")
    return (pair[0], pair[1]) if len(pair) == 2 else (0.0, 0.0)


def _auth(table: Table) -> spec.Auth:
    part = table.table("auth")
    if part is None:
        return spec.Auth()
    made = spec.Auth(
        kind=part.choice("kind", "none", spec.AUTH_KINDS),
        header=part.text("header", "", most=100),
        secret=part.text("secret", "", most=100),
    )
    if made.kind != "none" and not made.secret:
        part.fault("secret", "is needed: the name of one of the workload's secrets")
    if made.kind == "header":
        check_headers({made.header: ""}, part, "header")
    part.end()
    return made


def _data(table: Table) -> spec.Data:
    part = table.table("data")
    if part is None:
        return spec.Data()
    rows = part.items("rows", most=100_000)
    if not all(isinstance(row, dict) and row.keys() == rows[0].keys() for row in rows):
        part.fault("rows", "must be tables that all have the same keys")
        rows = []
    made = spec.Data(
        files=part.whole("files", 0, 1, 10_000) or 0,
        size=part.whole("size", 1024, 0, 1 << 30) or 0,
        unique_names=part.flag("unique_names", True),
        rows=tuple({str(key): str(value) for key, value in row.items()} for row in rows),
    )
    if not made.files and not made.rows and not part.faults:
        part.fault("", "says neither `files` nor `rows`")
    if made.files * made.size > 1 << 30:
        part.fault("size", "makes more than 1 GB of files; take fewer or smaller ones")
    part.end()
    return made


def _abort(table: Table) -> spec.Abort:
    part = table.table("abort")
    if part is None:
        return spec.Abort()
    made = spec.Abort(
        error_share=part.number("error_share", None, 0.0001, 1),
        p95=part.number("p95", None, 0.0001, 3600),
        after=part.number("after", 5.0, 0, spec.LONGEST) or 0.0,
    )
    part.end()
    return made


def _limits(table: Table) -> spec.Limits:
    part = table.table("limits")
    if part is None:
        return spec.Limits()
    made = spec.Limits(
        error_share=part.number("error_share", 0.01, 0, 1),
        p50=part.number("p50", None, 0.000001, 3600),
        p95=part.number("p95", None, 0.000001, 3600),
        p99=part.number("p99", None, 0.000001, 3600),
        throughput=part.number("throughput", None, 0.001, spec.FASTEST),
    )
    part.end()
    return made


def _workers(table: Table) -> tuple[str, ...]:
    found = table.items("workers", most=100)
    if not all(isinstance(one, str) and re.fullmatch(r"[A-Za-z0-9.-]{1,100}", one) for one in found):
        table.fault("workers", 'must be names of machines, as in ["load-2", "load-3"]')
        return ()
    return tuple(found)
