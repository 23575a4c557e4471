"""A queue-based image service and its provider, to prove what synchronous models cannot: submit, poll, cancel, erase.

The service is an HTTP server with a memory of its own, so that a killed worker finds its jobs again and pays once:

    async with ImageQueueService() as service:
        provider = QueuedImageProvider(service.base_url, service.api_key)
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Self

import msgspec

from statuette.ports.image import (
    Accepted,
    BlockedInput,
    Finished,
    GeneratedImage,
    ImageProvider,
    ImageRequest,
    ModelInfo,
    ModelNotFound,
    NoImage,
    ProviderUnavailable,
    RateLimitedByProvider,
    Rejected,
    Submission,
    Succeeded,
    UnknownHandle,
    Usage,
)
from statuette.ports.processor import Erased, Erasure, Processor
from statuette.testing.pictures import is_picture, picture_png
from statuette.testing.wire import WireReply, WireRequest, WireServer
from statuette.values import CostMicros

if TYPE_CHECKING:
    import httpx

_MODEL = "queued-1"
_PRICE = CostMicros(currency="USD", micros=50_000)
_JOB_PATH = re.compile(r"/jobs/([0-9a-z_]{1,64})(/cancel)?")

JobState = Literal["queued", "running", "done", "blocked", "cancelled"]


class _Order(msgspec.Struct):
    """The body of `POST /jobs`."""

    model: str
    prompt: str
    photos: list[bytes]
    seed: int
    count: int


class _Progress(msgspec.Struct):
    """The body of every answer about a job."""

    id: str
    state: JobState
    pictures: list[bytes] = []


class _Job:
    def __init__(self, number: int, order: _Order) -> None:
        self.id = f"job_{number}"
        self.order: _Order | None = order
        self.state: JobState = "queued"
        self.pictures: list[bytes] = []
        self.work: asyncio.Task[None] | None = None

    def progress(self) -> _Progress:
        return _Progress(self.id, self.state, self.pictures)


class ImageQueueService:
    """The vendor: takes orders over HTTP, draws them one after the other, forgets them when told.

    Attributes:
        render_seconds: how long a job takes once its turn has come.
        block_next: how many of the next jobs end in `blocked`.
        fail_next: how many of the next requests are answered 503.
        paid_jobs: jobs that were charged for; an order repeated under one idempotency key is charged once.
        polls: times the state of a job was asked for.
    """

    def __init__(self, *, api_key: str = "queue-key", render_seconds: float = 0.05, port: int = 0) -> None:
        self.api_key = api_key
        self.render_seconds = render_seconds
        self.block_next = self.fail_next = self.paid_jobs = self.polls = 0
        self._wire = WireServer(self._handle, port=port)
        self._jobs: dict[str, _Job] = {}
        self._by_key: dict[str, str] = {}
        self._turn = asyncio.Lock()

    def __repr__(self) -> str:
        return f"ImageQueueService({self.base_url}, {len(self._jobs)} jobs)"

    @property
    def base_url(self) -> str:
        return self._wire.base_url

    @property
    def photos_held(self) -> int:
        """Input pictures in the vendor's memory now. Erasure is proved by this, not by its answer."""
        return sum(len(job.order.photos) for job in self._jobs.values() if job.order is not None)

    @property
    def pictures_held(self) -> int:
        return sum(len(job.pictures) for job in self._jobs.values())

    def state_of(self, handle: str) -> JobState | None:
        job = self._jobs.get(handle)
        return None if job is None else job.state

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        return self

    async def __aexit__(self, *exit_arguments: object) -> None:
        await self._wire.__aexit__(*exit_arguments)
        working = [job.work for job in self._jobs.values() if job.work is not None]
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    async def _handle(self, request: WireRequest, reply: WireReply) -> None:
        status, progress = self._respond(request)
        await reply.send(status, msgspec.json.encode(progress) if progress is not None else b"")

    def _respond(self, request: WireRequest) -> tuple[int, _Progress | None]:
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            return 401, None
        if self.fail_next:
            self.fail_next -= 1
            return 503, None
        if (request.method, request.path) == ("POST", "/jobs"):
            return self._order(request)
        addressed = _JOB_PATH.fullmatch(request.path)
        job = self._jobs.get(addressed[1]) if addressed else None
        if addressed is None or job is None:
            return 404, None
        if addressed[2] and request.method == "POST":
            self._stop(job)
        elif request.method == "DELETE":
            self._stop(job)
            del self._jobs[job.id]
            return 204, None
        else:
            self.polls += 1
        return 200, job.progress()

    def _order(self, request: WireRequest) -> tuple[int, _Progress | None]:
        key = request.headers.get("idempotency-key", "")
        if key in self._by_key and (known := self._jobs.get(self._by_key[key])) is not None:
            return 200, known.progress()
        try:
            order = msgspec.json.decode(request.body, type=_Order)
        except msgspec.MsgspecError:
            return 400, None
        if order.model != _MODEL:
            return 410, None
        if not order.photos or not all(is_picture(photo) for photo in order.photos):
            return 422, None
        self.paid_jobs += 1
        job = _Job(self.paid_jobs, order)
        self._jobs[job.id] = job
        self._by_key[key] = job.id
        job.work = asyncio.get_running_loop().create_task(self._draw(job, order))
        return 201, job.progress()

    async def _draw(self, job: _Job, order: _Order) -> None:
        async with self._turn:
            job.state = "running"
            await asyncio.sleep(self.render_seconds)
            if self.block_next:
                self.block_next -= 1
                job.state = "blocked"
                return
            job.pictures = [picture_png(seed=order.seed + place) for place in range(order.count)]
            job.state = "done"

    @staticmethod
    def _stop(job: _Job) -> None:
        if job.state in {"queued", "running"}:
            job.state = "cancelled"
            if job.work is not None:
                job.work.cancel()


class QueuedImageProvider(ImageProvider):
    """Client of an `ImageQueueService`. The handle is the vendor's job id.

    Args:
        base_url, api_key: the service's.
        poll_every: answered as `poll_after`.
    """

    name = "queued"

    def __init__(self, base_url: str, api_key: str, *, poll_every: timedelta = timedelta(milliseconds=20)) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._poll_every = poll_every
        self._client: httpx.AsyncClient | None = None

    def __repr__(self) -> str:
        return f"QueuedImageProvider({self._base_url})"

    @property
    def processor(self) -> Processor:
        return Processor(
            id="queued",
            name="A simulated image queue on this machine",
            region="this deployment",
            purposes=("generation",),
            categories=("photo", "figurine", "style_choices", "prompt_variables"),
            third_party=False,
        )

    def models(self) -> tuple[ModelInfo, ...]:
        return (
            ModelInfo(
                id=_MODEL,
                family="queued",
                aspect_ratios=("1:1", "3:4"),
                max_inputs=4,
                max_images=2,
                worst_case_cost=_PRICE,
                timeout=timedelta(seconds=30),
                repeatable=True,
            ),
        )

    async def submit(self, request: ImageRequest) -> Submission:
        order = {
            "model": request.model,
            "prompt": request.prompt,
            "photos": [b64encode(picture.data).decode() for picture in request.inputs],
            "seed": request.seed,
            "count": request.count,
        }
        response = await self._ask("POST", "/jobs", order, {"idempotency-key": request.attempt_id})
        if response is None:
            # The order may have arrived; repeated under the same attempt it is not paid again.
            return Finished(ProviderUnavailable("connection_lost", possibly_charged=True))
        match response.status_code:
            case 200 | 201:
                return self._submission(response)
            case 410:
                return Finished(ModelNotFound(request.model))
            case 401:
                return Finished(Rejected("unauthenticated", operator_fault=True))
            case 400 | 422:
                return Finished(Rejected("invalid_input"))
            case 429:
                return Finished(RateLimitedByProvider())
            case 503:
                return Finished(ProviderUnavailable("overloaded"))
        return Finished(ProviderUnavailable(f"http_{response.status_code}", possibly_charged=True))

    async def poll(self, handle: str) -> Submission:
        response = await self._ask_about("GET", handle)
        # The job goes on without us: an unreachable vendor only means asking later.
        return self._submission(response) if response is not None else Accepted(handle, self._poll_every)

    async def cancel(self, handle: str) -> None:
        await self._ask_about("POST", handle, "/cancel")

    async def erase(self, handle: str | None) -> Erasure:
        if handle is not None and _JOB_PATH.fullmatch(f"/jobs/{handle}"):
            response = await self._ask("DELETE", f"/jobs/{handle}")
            if response is None or response.status_code not in {204, 404}:
                raise ConnectionError("the image queue did not confirm the erasure")
        return Erased()

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _ask_about(self, method: str, handle: str, action: str = "") -> httpx.Response | None:
        """None when the vendor cannot be reached or is overloaded.

        Raises:
            UnknownHandle: the vendor does not know the job.
        """
        if not _JOB_PATH.fullmatch(f"/jobs/{handle}"):
            raise UnknownHandle(handle_length=len(handle))
        response = await self._ask(method, f"/jobs/{handle}{action}")
        if response is not None and response.status_code == 404:
            raise UnknownHandle(handle_length=len(handle))
        return response if response is not None and response.status_code == 200 else None

    async def _ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> httpx.Response | None:
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=self._base_url,
                headers={"authorization": f"Bearer {self._api_key}"},
                timeout=10,
                trust_env=False,
                limits=httpx.Limits(max_connections=None),
            )
        try:
            return await self._client.request(
                method, path, content=None if body is None else msgspec.json.encode(body), headers=headers
            )
        except httpx.TransportError:
            return None

    def _submission(self, response: httpx.Response) -> Submission:
        job = msgspec.json.decode(response.content, type=_Progress)
        match job.state:
            case "done":
                made = tuple(GeneratedImage("image/png", picture) for picture in job.pictures)
                return Finished(Succeeded(made, Usage(cost=_PRICE)))
            case "blocked":
                return Finished(BlockedInput("safety", Usage(cost=_PRICE)))
            case "cancelled":
                return Finished(NoImage("cancelled", Usage(cost=_PRICE)))
        return Accepted(job.id, self._poll_every)
