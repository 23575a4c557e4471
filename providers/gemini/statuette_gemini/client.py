"""The one place that touches Google's SDK. Imported with the first call: it takes a second and 80 MB."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
from google import genai
from google.genai import errors, types

from statuette.ports.image import ImageInput, ImageRequest, InputRole, Outcome, ProviderUnavailable
from statuette_gemini.config import GeminiConfig
from statuette_gemini.failures import outcome_of_error
from statuette_gemini.models import GeminiModel
from statuette_gemini.reply import outcome_of

_CONNECT_TIMEOUT_SECONDS = 10.0

_LABELS = {
    InputRole.subject: "Picture of a subject:",
    InputRole.reference: "Reference picture, not a subject:",
    InputRole.previous: "The earlier result, to be changed:",
}


class _RefusedAnswerError(Exception):
    """An answer that is not read to its end. The argument is the outcome's reason."""


class _CutOff(httpx2.AsyncByteStream):
    """A response body that breaks after `limit_bytes` instead of filling the memory."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit_bytes: int) -> None:
        self._stream = stream
        self._left = limit_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise _RefusedAnswerError("response_too_large")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class GeminiClient:
    """One SDK client for one credential. Construction opens no connection.

    The HTTP client is ours, for what the SDK does not offer: a bound on the answer, no redirects (they would carry the
    key and the photo elsewhere), no compression (the bound counts bytes on the wire), and httpx2 in any case (with
    aiohttp installed the SDK would retry a lost connection on its own, and pay twice).
    """

    def __init__(self, config: GeminiConfig) -> None:
        self._config = config
        tls = httpx2.create_ssl_context()
        self._http = httpx2.AsyncClient(
            verify=tls,
            follow_redirects=False,
            headers={"accept-encoding": "identity"},
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=30),
            event_hooks={"request": [self._before], "response": [self._after]},
        )
        # The SDK also makes a synchronous client; giving it one saves reading all root certificates again.
        self._unused = httpx2.Client(verify=tls)
        self._genai = genai.Client(
            vertexai=False,
            api_key=config.api_key,
            http_options=types.HttpOptions(
                base_url=config.base_url,
                api_version=config.api_version,
                timeout=int(config.timeout_seconds * 1000),
                retry_options=types.HttpRetryOptions(attempts=1),
                httpx_client=self._unused,
                httpx_async_client=self._http,
            ),
        )

    async def generate(self, request: ImageRequest, model: GeminiModel) -> Outcome:
        """Exactly one HTTP request. Raises only what is a bug, and `CancelledError`."""
        try:
            answer = await self._genai.aio.models.generate_content(
                model=model.id, contents=_contents(request), config=_options(request, model)
            )
        except errors.APIError as error:
            headers = error.response.headers if isinstance(error.response, httpx2.Response) else {}
            return outcome_of_error(error.code, error.details, headers, model.id)
        except _RefusedAnswerError as refused:
            return ProviderUnavailable(str(refused), possibly_charged=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            return ProviderUnavailable("unreachable")
        except httpx2.TimeoutException:
            return ProviderUnavailable("timeout", possibly_charged=True)
        except httpx2.HTTPError:
            return ProviderUnavailable("connection_lost", possibly_charged=True)
        except (ValueError, RecursionError):  # bytes that are no text, JSON that is no JSON
            return ProviderUnavailable("broken_answer", possibly_charged=True)
        body = answer.sdk_http_response.body if answer.sdk_http_response else None
        return outcome_of(body or "", model)

    async def aclose(self) -> None:
        self._unused.close()
        await self._http.aclose()

    async def _before(self, request: httpx2.Request) -> None:
        request.extensions["timeout"]["connect"] = min(_CONNECT_TIMEOUT_SECONDS, self._config.timeout_seconds)

    async def _after(self, response: httpx2.Response) -> None:
        """Runs when the head has come and nothing of the body has been read."""
        limit = self._config.max_response_bytes
        length = response.headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            raise _RefusedAnswerError("response_too_large")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _RefusedAnswerError("compressed_answer")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _CutOff(response.stream, limit)


def _contents(request: ImageRequest) -> types.Content:
    parts: list[types.Part] = []
    for picture in request.inputs:
        if len(request.inputs) > 1 or picture.role is not InputRole.subject:
            parts.append(types.Part(text=_LABELS[picture.role]))
        parts.append(_photo(picture))
    parts.append(types.Part(text=request.prompt))
    return types.Content(role="user", parts=parts)


def _photo(picture: ImageInput) -> types.Part:
    return types.Part(inline_data=types.Blob(data=picture.data, mime_type=picture.media_type))


def _options(request: ImageRequest, model: GeminiModel) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(
        response_modalities=["IMAGE"],
        image_config=types.ImageConfig(aspect_ratio=request.aspect_ratio),
        candidate_count=1,
        max_output_tokens=model.max_output_tokens,
        # Both would answer one call of ours with several paid ones.
        automatic_continuation=False,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        should_return_http_response=True,
    )
