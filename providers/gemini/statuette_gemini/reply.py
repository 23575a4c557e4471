"""The parts of a GenerateContentResponse that matter, and how one becomes an outcome.

Decoded here and not by the SDK: its models warn and guess on values of tomorrow and copy each picture once more.
"""

from __future__ import annotations

import re

import msgspec

from statuette.ports.image import (
    BlockedInput,
    BlockedOutput,
    GeneratedImage,
    NoImage,
    Outcome,
    ProviderUnavailable,
    Rejected,
    Succeeded,
    Usage,
)
from statuette_gemini.marks import carries_c2pa
from statuette_gemini.models import GeminiModel

_PICTURE_TYPES = {"image/png", "image/jpeg", "image/webp"}

_WITHHELD = {
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "ESCALATION",
    "MODEL_ARMOR",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
}
_ACCOUNT_LIMITED = "PUP_LIMITED_DISABLED"


class _InlineData(msgspec.Struct, rename="camel"):
    mime_type: str = ""
    data: bytes = b""  # msgspec decodes the base64


class _Part(msgspec.Struct, rename="camel"):
    inline_data: _InlineData | None = None
    text: str | None = None
    thought: bool = False


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str = ""


class _PromptFeedback(msgspec.Struct, rename="camel"):
    block_reason: str = ""


class _TokenCount(msgspec.Struct, rename="camel"):
    modality: str = ""
    token_count: int = 0


class _UsageMetadata(msgspec.Struct, rename="camel"):
    prompt_token_count: int = 0
    candidates_token_count: int = 0
    candidates_tokens_details: list[_TokenCount] = []
    thoughts_token_count: int = 0
    tool_use_prompt_token_count: int = 0


class _Reply(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _PromptFeedback | None = None
    usage_metadata: _UsageMetadata | None = None


_decoder = msgspec.json.Decoder(_Reply, strict=True)


def outcome_of(body: str, model: GeminiModel) -> Outcome:
    """What a 200 answer means. Never raises on anything a server can send."""
    if not body.strip():
        return ProviderUnavailable("empty_answer", possibly_charged=True)
    try:
        reply = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ProviderUnavailable("broken_answer", possibly_charged=True)
    usage = _usage(reply.usage_metadata, model)
    if reply.prompt_feedback is not None and reply.prompt_feedback.block_reason:
        return BlockedInput(_code(reply.prompt_feedback.block_reason), usage)
    if not reply.candidates:
        return NoImage("no_candidates", usage)
    return _of_candidate(reply.candidates[0], usage)


def _of_candidate(candidate: _Candidate, usage: Usage) -> Outcome:
    finish = candidate.finish_reason.upper()
    if finish == _ACCOUNT_LIMITED:
        return Rejected("account_limited", operator_fault=True, usage=usage)
    if finish in _WITHHELD:
        return BlockedOutput(_code(finish), usage)
    parts = (candidate.content.parts if candidate.content else None) or []
    # Drafts come as thoughts. A call makes one picture; should more come, the first is the one that was asked for.
    for part in parts:
        picture = part.inline_data
        if picture is not None and not part.thought and picture.data and picture.mime_type in _PICTURE_TYPES:
            made = GeneratedImage(picture.mime_type, picture.data, marked=carries_c2pa(picture.data))
            return Succeeded((made,), usage)
    if finish not in {"", "STOP"}:
        return NoImage(_code(finish), usage)
    return NoImage("text_only" if any(part.text for part in parts) else "empty", usage)


def _usage(counts: _UsageMetadata | None, model: GeminiModel) -> Usage:
    if counts is None:
        return Usage()
    made = counts.candidates_token_count
    spoken = sum(count.token_count for count in counts.candidates_tokens_details if count.modality.upper() == "TEXT")
    spoken = max(0, min(spoken, made))  # what is not said to be text is charged as pictures, the dearer of the two
    sent = counts.prompt_token_count + counts.tool_use_prompt_token_count
    if min(made, sent, counts.thoughts_token_count) < 0:
        return Usage()
    cost = model.cost(input_tokens=sent, image_tokens=made - spoken, text_tokens=spoken + counts.thoughts_token_count)
    return Usage(cost=cost, input_tokens=sent, output_tokens=made + counts.thoughts_token_count)


def _code(reason: str) -> str:
    """Their constant as our code. Anything that is not a constant could be free text, and is not passed on."""
    return reason.lower() if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,59}", reason) else "unknown"
