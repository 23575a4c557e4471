"""The simulated service: checks a call as Google does, then follows the script."""

from __future__ import annotations

import asyncio
import re
import zlib
from base64 import b64encode, urlsafe_b64decode
from collections import deque
from typing import Any, Self

import msgspec

from statuette.testing.gemini_simulator.cases import ERRORS, INVALID_KEY, NOT_FOUND, Case, answer, usage
from statuette.testing.gemini_simulator.studio import Studio, with_c2pa_box
from statuette.testing.wire import WireReply, WireRequest, WireServer

DEFAULT_MODELS = ("gemini-2.5-flash-image", "gemini-3.1-flash-image", "gemini-nano-banana-2.1")
HUGE_BYTES = 256 * 1024 * 1024

_CALL = re.compile(r"/v1(?:beta|alpha)?/models/([A-Za-z0-9._-]+):generateContent")
_RATIO = re.compile(r"\d{1,2}:\d{1,2}")
_BLOCK = b" " * 65536


class _InlineData(msgspec.Struct):
    data: str


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    inline_data: _InlineData | None = None


class _Content(msgspec.Struct, rename="camel"):
    parts: list[_Part]


class _ImageConfig(msgspec.Struct, rename="camel"):
    aspect_ratio: str = "1:1"


class _GenerationConfig(msgspec.Struct, rename="camel"):
    response_modalities: list[str] = []
    image_config: _ImageConfig = msgspec.field(default_factory=_ImageConfig)
    max_output_tokens: int | None = None


class _Call(msgspec.Struct, rename="camel"):
    contents: list[_Content]
    generation_config: _GenerationConfig = msgspec.field(default_factory=_GenerationConfig)


class GeminiSimulator:
    """Serves `models/{model}:generateContent` on loopback between entering and leaving the context.

    Attributes:
        default: what a call does when the script is empty.
        latency_seconds: how long each answer takes.
        calls: requests for a picture so far, refused ones included.
        pictures_read: inline photos that were decoded so far.
        answered: calls that were answered to the end.
        abandoned: calls whose client hung up first.
        in_flight, peak_in_flight: calls under way now, and at most so far.
        last_model, last_aspect_ratio: of the latest accepted call.
    """

    def __init__(
        self,
        *,
        api_key: str = "simulator-key",
        latency_seconds: float = 0.0,
        models: tuple[str, ...] = DEFAULT_MODELS,
        picture_edge: int = 256,
        port: int = 0,
    ) -> None:
        self.default = Case.success
        self.latency_seconds = latency_seconds
        self.calls = self.pictures_read = self.answered = self.abandoned = 0
        self.in_flight = self.peak_in_flight = 0
        self.last_model = self.last_aspect_ratio = ""
        self._api_key = api_key
        self._models = set(models)
        self._moved = asyncio.Event()
        self._script: deque[Case] = deque()
        self._studio = Studio(picture_edge)
        self._wire = WireServer(self._handle, port=port)
        self._decoder = msgspec.json.Decoder(_Call)

    def __repr__(self) -> str:
        return f"GeminiSimulator({self.base_url}, {self.calls} calls)"

    @property
    def base_url(self) -> str:
        return self._wire.base_url

    def script(self, *cases: Case) -> None:
        """Append what the next calls do, in order of arrival; afterwards `default` again."""
        self._script.extend(cases)

    def retire(self, model: str) -> None:
        """From now on the model does not exist."""
        self._models.discard(model)

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        return self

    async def __aexit__(self, *exit_arguments: object) -> None:
        await self._wire.__aexit__(*exit_arguments)

    async def _handle(self, request: WireRequest, reply: WireReply) -> None:
        if request.path == "/_simulator" and request.method == "GET":
            await reply.send(200, msgspec.json.encode(self.statistics()))
            return
        self.calls += 1
        self._count_in_flight(+1)
        try:
            await self._answer(request, reply)
            self.answered += 1
        except (asyncio.CancelledError, ConnectionError):
            self.abandoned += 1
            raise
        finally:
            self._count_in_flight(-1)

    async def wait_for_in_flight(self, count: int) -> None:
        """Return as soon as exactly `count` calls are under way."""
        while self.in_flight != count:
            await self._moved.wait()

    def _count_in_flight(self, change: int) -> None:
        self.in_flight += change
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def statistics(self) -> dict[str, int]:
        """What `GET /_simulator` answers."""
        names = ("calls", "pictures_read", "answered", "abandoned", "in_flight", "peak_in_flight")
        return {name: getattr(self, name) for name in names}

    async def _answer(self, request: WireRequest, reply: WireReply) -> None:
        called = _CALL.fullmatch(request.path.partition("?")[0])
        if request.headers.get("x-goog-api-key") != self._api_key:
            await _send_json(reply, *INVALID_KEY)
        elif called is None or request.method != "POST" or called[1] not in self._models:
            await _send_json(reply, *NOT_FOUND)
        else:
            case = self._script.popleft() if self._script else self.default
            await self._follow(case, called[1], request.body, reply)

    async def _follow(self, case: Case, model: str, body: bytes, reply: WireReply) -> None:
        try:
            call = self._decoder.decode(body)
            photos = [urlsafe_b64decode(part.inline_data.data) for part in _parts(call) if part.inline_data]
            ratio = call.generation_config.image_config.aspect_ratio
            if not photos or "IMAGE" not in call.generation_config.response_modalities or not _RATIO.fullmatch(ratio):
                raise ValueError("not a request for a picture")
            picture = await asyncio.to_thread(self._studio.draw, photos[0], ratio)
        except (ValueError, OSError):
            await _send_json(reply, *ERRORS[Case.bad_request])
            return
        self.pictures_read += len(photos)
        self.last_model, self.last_aspect_ratio = model, ratio
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)
        if case in ERRORS:
            await _send_json(reply, *ERRORS[case])
        elif case in _MISCHIEF:
            await _misbehave(case, _body(Case.success, len(photos), picture), reply)
        else:
            await reply.send(200, _body(case, len(photos), picture))


_MISCHIEF = frozenset(
    {
        Case.error_page,
        Case.redirect,
        Case.gzip_bomb,
        Case.hang,
        Case.drip,
        Case.reset,
        Case.truncated,
        Case.huge,
        Case.huge_declared,
    }
)


def _parts(call: _Call) -> list[_Part]:
    return [part for content in call.contents for part in content.parts]


async def _send_json(reply: WireReply, status: int, body: dict[str, Any]) -> None:
    await reply.send(status, msgspec.json.encode(body))


def _picture_part(png: bytes, **extra: Any) -> dict[str, Any]:
    return {"inlineData": {"mimeType": "image/png", "data": b64encode(png).decode()}, **extra}


def _body(case: Case, photo_count: int, png: bytes) -> bytes:
    """The body of a 200 answer."""
    made = usage(photo_count, image_tokens=1290)
    nothing_made = usage(photo_count, image_tokens=0)
    spoken = usage(photo_count, image_tokens=0, text_tokens=31)
    apology = {"text": "I can only describe the picture."}
    page = {"inlineData": {"mimeType": "text/html", "data": b64encode(b"<script>1</script>").decode()}}
    not_base64 = {"inlineData": {"mimeType": "image/png", "data": "***"}}
    match case:
        case Case.empty_body:
            return b""
        case Case.empty_object:
            return b"{}"
        case Case.broken_json:
            return b'{"candidates": [{"content": {"par'
        case Case.wrong_shape:
            return b'{"candidates": "several", "usageMetadata": []}'
        case Case.deep_json:
            return b'{"candidates": ' + b"[" * 100_000
    bodies: dict[Case, dict[str, Any]] = {
        Case.success: answer([_picture_part(png)], "STOP", made),
        Case.success_marked: answer([_picture_part(with_c2pa_box(png))], "STOP", made),
        Case.multiple_images: answer([_picture_part(png)] * 3, "STOP", usage(photo_count, image_tokens=3 * 1290)),
        Case.thought_image: answer(
            [{"text": "…", "thought": True}, _picture_part(b"draft", thought=True), _picture_part(png)], "STOP", made
        ),
        Case.unknown_finish: answer([], "CARGO_CULT\n<b>", nothing_made),
        Case.blocked_prompt: {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": nothing_made,
            "modelVersion": "simulated",
        },
        Case.blocked_output: answer([], "IMAGE_SAFETY", made),
        Case.no_image: answer([], "NO_IMAGE", nothing_made),
        Case.text_only: answer([apology], "STOP", spoken),
        Case.account_limited: answer([], "PUP_LIMITED_DISABLED", nothing_made),
        Case.not_base64: answer([not_base64], "STOP", made),
        Case.not_a_picture: answer([page], "STOP", made),
        Case.continuation: answer([apology], "CONTINUATION", spoken, continuationToken=b64encode(b"more").decode()),
    }
    return msgspec.json.encode(bodies[case])


async def _misbehave(case: Case, body: bytes, reply: WireReply) -> None:
    """The answers no well-behaved server gives."""
    match case:
        case Case.error_page:
            await reply.send(502, b"<html><body>Bad Gateway</body></html>", {"content-type": "text/html"})
        case Case.redirect:
            await reply.send(307, b"", {"location": "http://127.0.0.1:9/elsewhere"})
        case Case.gzip_bomb:
            await reply.send(200, _bomb(), {"content-encoding": "gzip"})
        case Case.hang:
            await asyncio.Event().wait()
        case Case.drip:
            await reply.send_head(200, len(body))
            for place in range(len(body)):
                await reply.write(body[place : place + 1])
                await asyncio.sleep(0.02)
        case Case.reset:
            reply.reset()
        case Case.truncated:
            await reply.send_head(200, len(body))
            await reply.write(body[: len(body) // 2])
            reply.close()
        case Case.huge | Case.huge_declared:
            await reply.send_head(200, HUGE_BYTES if case is Case.huge_declared else None)
            for _ in range(HUGE_BYTES // len(_BLOCK)):
                await reply.write(_BLOCK)


def _bomb() -> bytes:
    squeezer = zlib.compressobj(wbits=31)
    return b"".join([*(squeezer.compress(_BLOCK) for _ in range(HUGE_BYTES // len(_BLOCK))), squeezer.flush()])
