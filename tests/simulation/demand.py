"""What one order takes, with everything that comes with it, added up: no queues, no chance."""

from __future__ import annotations

import msgspec

from tests.simulation.assumed import DESTROY, GET, PICTURE_SIZES, PUT, Mix
from tests.simulation.measured import Measured, Operation

# One when it is ordered, one when it is under way, one when it has ended: events that belong together are one message.
MESSAGES = 3


class Demand(msgspec.Struct, frozen=True):
    """CPU milliseconds for each order, by who computes; bytes and requests.

    Attributes:
        decoding_ms, rendering_ms: of pixel children, at the API and at the workers.
        api_ms, worker_ms: everything else there, speaking with the store included, hearing signals not.
        redis_ms: without delivering signals to more processes than two.
        hearing_ms, delivering_ms: for each process that hears.
    """

    decoding_ms: float
    api_ms: float
    rendering_ms: float
    worker_ms: float
    database_ms: float
    database_reads_ms: float
    redis_ms: float
    scheduler_ms: float
    hearing_ms: float
    delivering_ms: float
    wal_bytes: float
    store_writes: float
    store_reads: float

    def machine_ms(self, processes: int) -> float:
        """All of it on one machine."""
        alone = self.decoding_ms + self.api_ms + self.rendering_ms + self.worker_ms + self.database_ms
        return alone + self.redis_ms + self.scheduler_ms + processes * (self.hearing_ms + self.delivering_ms)


def demand(measured: Measured, mix: Mix) -> Demand:
    at_api: list[tuple[float, Operation]] = [
        (1.0, measured.order),
        (mix.uploads, measured.upload),
        (mix.reads, measured.read),
        (mix.watched, measured.stream),
        (mix.watched * MESSAGES, measured.wake),
        (mix.images, measured.image),
    ]
    at_workers: list[tuple[float, Operation]] = [(1.0, measured.work), (mix.deletions, measured.enforce)]
    everything = at_api + at_workers
    store = measured.store
    requests = [(mix.uploads + PICTURE_SIZES, PUT), (1 + mix.images, GET), (mix.deletions, DESTROY)]
    return Demand(
        decoding_ms=mix.uploads * measured.pixels.normalise_ms,
        api_ms=sum(many * each.process_ms for many, each in at_api)
        + mix.uploads * store.put_ms
        + mix.images * store.read_ms,
        rendering_ms=measured.pixels.render_ms,
        worker_ms=sum(many * each.process_ms for many, each in at_workers)
        + store.read_ms
        + PICTURE_SIZES * store.put_ms
        + mix.deletions * store.destroy_ms,
        database_ms=sum(many * each.database_ms for many, each in everything) + mix.swept * measured.duties.sweep_ms,
        database_reads_ms=mix.reads * measured.read.database_ms + mix.images * measured.image.database_ms,
        redis_ms=measured.order.redis_ms + measured.work.redis_ms + mix.deletions * measured.enforce.redis_ms,
        scheduler_ms=mix.deletions * measured.duties.hand_out_process_ms,
        hearing_ms=MESSAGES * measured.signals.heard_ms,
        delivering_ms=MESSAGES * measured.signals.delivered_ms,
        wal_bytes=sum(many * each.wal_bytes for many, each in everything),
        store_writes=sum(many * each.writes for many, each in requests),
        store_reads=sum(many * each.reads for many, each in requests),
    )
