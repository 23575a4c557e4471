"""The model agrees with what was measured and with itself, names what is too busy, and more of that helps."""

from __future__ import annotations

import random

import msgspec
import pytest
import simpy

from tests.simulation.assumed import Mix
from tests.simulation.demand import demand
from tests.simulation.deployment import Deployment
from tests.simulation.growth import grown
from tests.simulation.measured import load
from tests.simulation.model import simulate
from tests.simulation.remedies import ENOUGH, bottleneck
from tests.simulation.roads import Person, Roads
from tests.simulation.site import Site, divided
from tests.simulation.stations import Steps

MEASURED = load()
ROLES = Deployment(separate=True, api=2, workers=2)


def test_the_same_seed_gives_the_same_outcome_and_another_seed_another() -> None:
    one, again, other = (simulate(ROLES, MEASURED, 8.0, seed=seed, jobs=100) for seed in (5, 5, 6))

    assert one == again
    assert one != other


def test_what_computes_is_as_busy_as_adding_up_says() -> None:
    # Given a load that everything can bear
    rate, took = 10.0, demand(MEASURED, Mix())
    roles = msgspec.structs.replace(ROLES, api=3, workers=3)

    # When it is simulated
    loads = simulate(roles, MEASURED, rate, jobs=700).loads

    # Then queues change nothing in what is computed, within the chance of so many orders
    of_api, of_workers = took.decoding_ms + took.api_ms, took.rendering_ms + took.worker_ms
    assert loads["cores of API machines"] == pytest.approx(rate * of_api / 1000 / 6, rel=0.12)
    assert loads["cores of worker machines"] == pytest.approx(rate * of_workers / 1000 / 6, rel=0.12)
    assert loads["cores of the primary"] == pytest.approx(rate * took.database_ms / 1000 / 2, rel=0.12)


def test_what_is_overloaded_is_named_and_more_of_it_serves_more() -> None:
    # Given workers that render less than is ordered, with enough of everything else
    few = msgspec.structs.replace(ROLES, api=6, worker_concurrency=256, pooler=True)
    rate = 22.0

    # When it is simulated with them, and with more of them
    outcome = simulate(few, MEASURED, rate, jobs=300)
    more = msgspec.structs.replace(few, workers=8)
    better = simulate(more, MEASURED, rate, jobs=300)

    # Then they are what is too busy, and then nothing is
    found = bottleneck(few, outcome)
    assert found is not None
    assert found.resource == "cores of worker machines"
    assert bottleneck(more, better) is None
    assert better.ended_per_second > 1.15 * outcome.ended_per_second


def test_a_brand_that_orders_nearly_everything_wears_out_the_row_of_its_day() -> None:
    # Given pixels that cost nothing, so that the database is what is asked much of
    quick = msgspec.structs.replace(
        MEASURED, pixels=msgspec.structs.replace(MEASURED.pixels, normalise_ms=0.1, render_ms=0.1)
    )
    ample = Deployment(
        separate=True, api=12, workers=12, worker_concurrency=512, database_cores=8, pooler=True, store_partitions=4
    )
    mix = Mix(largest=0.95, uploads=0.0, reads=0.0, images=0.0, watched=0.0, deletions=0.0, swept=0.0)

    # When its orders come faster than transactions can follow each other
    one = simulate(ample, quick, 190.0, mix=mix, jobs=500)
    parts = simulate(msgspec.structs.replace(ample, ceiling_parts=8), quick, 190.0, mix=mix, jobs=500)

    # Then its row is too busy, which parts of it are not
    found = bottleneck(ample, one)
    assert found is not None
    assert found.resource == "row of a brand's day"
    assert parts.loads["row of a brand's day"] < ENOUGH
    assert parts.accept.p99_ms < one.accept.p99_ms


def test_what_gives_way_gets_a_remedy_until_the_load_is_served() -> None:
    # When three times as much comes as one machine serves
    growth = grown(Deployment(), MEASURED, Mix(), 1, factor=3, one=3.0, jobs=120)

    # Then the machine gave way first, and now nothing does
    assert growth.steps[0].bottleneck.resource == "cores of the machine"
    assert growth.deployment.separate
    assert bottleneck(growth.deployment, growth.outcome) is None


@pytest.mark.parametrize(
    ("request_name", "observed_per_second"),
    [("order", MEASURED.observed.orders_per_second), ("read", MEASURED.observed.reads_per_second)],
)
def test_one_process_answers_as_many_as_the_real_one_was_observed_to(
    request_name: str, observed_per_second: float
) -> None:
    # Given one machine, and as many clients as then, each of which asks again as soon as it is answered
    env, rng, mix, answered = simpy.Environment(), random.Random(1), Mix(), list[str]()
    site = Site(env, Deployment(), MEASURED, mix.shares(), rng)
    roads = Roads(site, mix, MEASURED, rng)

    def client(number: int) -> Steps:
        while True:
            yield from roads.asked(request_name, site.api[0], Person(0, number))
            answered.append(request_name)

    for number in range(MEASURED.observed.order_clients):
        env.process(client(number))

    # When a second has passed
    env.run(until=1.0)

    # Then about as many have been answered
    assert len(answered) == pytest.approx(observed_per_second, rel=0.2)


def test_brands_are_divided_so_that_no_part_has_much_more_than_another() -> None:
    shares = Mix().shares()

    parts = divided(shares, 4)

    filled = [sum(share for share, part in zip(shares, parts, strict=True) if part == number) for number in range(4)]
    assert max(filled) - min(filled) < 0.03
