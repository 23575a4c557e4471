"""What cannot be measured on one machine: numbers of vendors, with their sources, and what people are assumed to do."""

from __future__ import annotations

import msgspec

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html: at least 3,500 PUT/COPY/POST/DELETE or
# 5,500 GET/HEAD requests a second for each partitioned prefix. Listing is counted with the latter.
S3_WRITES_PER_SECOND = 3500.0
S3_READS_PER_SECOND = 5500.0
# The same page: consistent latencies of small objects of roughly 100 to 200 milliseconds.
S3_LATENCY_SECONDS = (0.1, 0.2)
# https://aws.amazon.com/ebs/provisioned-iops/: io2 Block Express, on average below half a millisecond for 16 KiB.
CLOUD_FLUSH_SECONDS = 0.0005
# https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html: what every gp3 volume has, MiB/s.
VOLUME_BYTES_PER_SECOND = 125 * 2**20
# Nobody promises more than "single-digit milliseconds" between zones
# (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html); taken as half a millisecond.
NETWORK_ROUND_TRIP_SECONDS = 0.0005
# https://www.postgresql.org/docs/current/runtime-config-connection.html: 100 by default, 3 of them for superusers.
MAX_CONNECTIONS = 97
# One event loop of the platform keeps so many (`database_pool_size`).
POOL_SIZE = 10
# Behind PgBouncer, in transaction mode: enough for every core to have one that computes and some that wait for disk or network.
SERVER_CONNECTIONS_PER_CORE = 12

# No vendor states how long an image model takes. Ten seconds, give or take a quarter; at least a few.
PROVIDER_SECONDS = 10.0
PROVIDER_SPREAD = 0.25


class Mix(msgspec.Struct, frozen=True):
    """What comes with one job. Assumed, not measured: a site's own numbers are in its metrics.

    Attributes:
        uploads: new photos; other jobs are redos.
        reads: of jobs, figurines and credits, polls included.
        watched: jobs that a stream watches from order to end.
        images: pictures that are fetched.
        deletions: records whose deadline comes: of each photo one, and some figurines that somebody deletes.
        swept: rows of streams by age, such as keys of requests.
        brands: their sizes go by Zipf's law: the largest is twice as large as the second, and so on.
        largest: the share of the largest brand, if it is not that of Zipf's law.
        peak: the busiest hour against the mean of a day. Everything is simulated at the peak.
        seconds_between_orders: of one account, while its owner is there.
    """

    uploads: float = 0.7
    reads: float = 6.0
    watched: float = 0.8
    images: float = 8.0
    deletions: float = 0.8
    swept: float = 1.8
    brands: int = 50
    largest: float | None = None
    peak: float = 2.5
    seconds_between_orders: float = 60.0

    def shares(self) -> list[float]:
        """Of each brand, largest first; together 1."""
        weights = [1 / rank for rank in range(1, self.brands + 1)]
        if self.largest is None:
            return [weight / sum(weights) for weight in weights]
        rest = sum(weights[1:])
        return [self.largest, *((1 - self.largest) * weight / rest for weight in weights[1:])]


class StoreRequests(msgspec.Struct, frozen=True):
    """Requests of S3 that one thing makes, as `providers/s3` makes them, one after the other."""

    writes: int
    reads: int


# An object is put, then asked for: the answer to a PUT has no time of modification.
PUT = StoreRequests(1, 1)
GET = StoreRequests(0, 1)
# Listed, deleted, its versions listed and deleted, then listed and asked for once more.
DESTROY = StoreRequests(2, 4)
PICTURE_SIZES = 3
