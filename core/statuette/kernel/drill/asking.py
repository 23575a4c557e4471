"""Requests to the platform's own HTTP application, in this process: what a person's browser would ask, without a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar.types import ASGIApp

from statuette.errors import StatuetteError

_BOUNDARY = "drill-boundary"
_FORM = f"multipart/form-data; boundary={_BOUNDARY}"


class RoadBroken(StatuetteError):
    """A step of the drill was not answered as it should be. The message names the step, the status and the code, no content."""

    code = "drill_road_broken"
    summary = "The synthetic account could not go down the road."


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str:
        """Of a problem; empty where there is none."""
        try:
            return str(self.json()["code"])
        except (msgspec.DecodeError, KeyError, TypeError):
            return ""


class Browser:
    """Somebody who asks.

    Args:
        host: of the brand.
        address: the network address that the requests come from.
        headers: sent with every request.
    """

    def __init__(self, app: ASGIApp, *, host: str, address: str, headers: Mapping[str, str]) -> None:
        self._app = app
        self._address = address
        self.headers = {"host": host, **headers}

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        photo: tuple[str, bytes, Mapping[str, str]] | None = None,
        attachment: tuple[str, bytes, Mapping[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request; whatever is answered is returned.

        Args:
            photo: name of the file, bytes, and the other fields of the form.
            attachment: the same, of a text.
        """
        body, kind = b"", None
        if json is not None:
            body, kind = msgspec.json.encode(json), "application/json"
        elif photo is not None:
            body, kind = _form("photo", "image/jpeg", *photo), _FORM
        elif attachment is not None:
            body, kind = _form("attachment", "text/plain", *attachment), _FORM
        told = {**self.headers, **(headers or {}), "content-length": str(len(body))}
        if kind is not None:
            told["content-type"] = kind
        address = urlsplit(path)
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": address.path,
            "raw_path": address.path.encode(),
            "query_string": address.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in told.items()],
            "client": (self._address, 49152),
            "server": (self.headers["host"], 443),
            "state": {},
        }
        return await self._answered(scope, body)

    async def must(self, step: str, method: str, path: str, *, status: int = 200, **more: Any) -> Answer:
        """The same, where one answer alone will do. Raises `RoadBroken`."""
        answer = await self.ask(method, path, **more)
        if answer.status != status:
            raise RoadBroken(f"{step}: answered with {answer.status} {answer.code}, not with {status}.")
        return answer

    async def _answered(self, scope: dict[str, Any], body: bytes) -> Answer:
        sent = [{"type": "http.request", "body": body, "more_body": False}]
        status, headers, parts = 0, {}, []

        async def receive() -> Any:
            return sent.pop() if sent else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers.update({name.decode(): value.decode("latin-1") for name, value in message["headers"]})
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self._app(scope, receive, send)  # type: ignore[arg-type]
        return Answer(status, headers, b"".join(parts))


def _form(part: str, kind: str, name: str, data: bytes, fields: Mapping[str, str]) -> bytes:
    head = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    )
    head += (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return head.encode() + data + f"\r\n--{_BOUNDARY}--\r\n".encode()
