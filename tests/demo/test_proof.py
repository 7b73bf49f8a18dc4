"""The proof of the rules about bottlenecks: real load on a real service, made ill on purpose."""

import pytest

from performance.findings import find_bottlenecks

pytestmark = pytest.mark.slow

BROWSE = [
    {"name": "catalog", "path": "/catalog", "weight": 4},
    {"name": "product", "path": "/product/7", "weight": 4},
    {"name": "cart", "method": "POST", "path": "/cart/{{n}}", "weight": 1},
    {"name": "checkout", "method": "POST", "path": "/checkout/{{n}}", "weight": 1},
]
CHECKOUT = BROWSE[3:]


def steps(requests=BROWSE, rates=(15, 30, 60)):
    arrival = {"kind": "steps", "rates": list(rates), "step_duration": 1.0, "spacing": "poisson"}
    return {"requests": requests, "arrival": arrival, "duration": len(rates), "warmup": 0.2, "timeout": 3}


def constant(rate=50):
    arrival = {"kind": "constant", "rate": rate}
    return {"requests": BROWSE, "arrival": arrival, "duration": 2.6, "warmup": 0.2, "timeout": 3}


ILL = {
    "a slow database": ({"database": 0.05}, steps(), ("component", "database")),
    "slow rendering": ({"rendering": 0.05}, steps(), ("component", "rendering")),
    "a slow bank": ({"payment": 0.15}, steps(CHECKOUT), ("component", "payment")),
    "a contended lock": ({"lock": 0.025}, steps(), ("component", "lock")),
    "much computing": ({"cpu": 0.03}, steps(rates=(8, 16, 50)), ("resource", "CPU of the target")),
    "few workers": ({"workers": 1}, steps(CHECKOUT, (15, 45, 150)), ("queueing", "waiting")),
    "errors": ({"errors": 0.1}, constant(), ("errors", "status 500")),
    "errors from a load on": (
        {"errors": 0.4, "errors_above": 45},
        steps(rates=(10, 20, 80)),
        ("errors", "status 500"),
    ),
    "latency that leaks": ({"leak_latency": 0.001}, constant(), ("leak", "latency")),
    "memory that leaks": ({"leak_memory": 500_000}, constant(), ("leak", "memory of the target")),
    "slow ones among many": ({"outliers": 0.15}, constant(70), ("outliers", "product")),
}
WELL = {
    "a mixture, more and more": steps(),
    "a mixture": constant(),
    "one page": steps(CHECKOUT, (20, 60, 120)),
}


def of_the_target(run):
    """What is said of the target; that this machine had no time for the generator is another matter."""
    return [finding for finding in find_bottlenecks(run) if finding.kind != "generator"]


@pytest.mark.parametrize("case", ILL)
def test_what_was_made_ill_is_named_first(shop, tmp_path, case):
    switches, spec, expected = ILL[case]
    with shop.switched(**switches):
        run = shop.load(spec, tmp_path)

    found = of_the_target(run)

    assert [(finding.kind, finding.name) for finding in found][:1] == [expected], [one.text for one in found]


@pytest.mark.parametrize("case", WELL)
def test_with_all_switches_off_nothing_is_named(shop, tmp_path, case):
    run = shop.load(WELL[case], tmp_path)

    assert [finding.text for finding in of_the_target(run)] == []
