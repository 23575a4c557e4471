"""The image port: a model that turns photos and a prompt into pictures.

A synchronous model answers `Finished` from `submit`. A queue-based one answers `Accepted` with a handle, which the
kernel stores before it does anything else, so that after a crash the job is polled again and not paid twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from enum import StrEnum

import msgspec

from statuette.errors import StatuetteError
from statuette.ports.processor import Erased, Erasure, Processor
from statuette.values import CostMicros


class InputRole(StrEnum):
    """What an input picture is for."""

    subject = "subject"
    """A person, pet or thing to be turned into the figurine."""
    reference = "reference"
    """A picture to take a pose, outfit or object from."""
    previous = "previous"
    """An earlier figurine that is to be changed."""


class ImageInput(msgspec.Struct, frozen=True):
    """One input picture, already normalised by intake: sRGB, upright, no metadata, longest edge ≤ 2048 pixels."""

    role: InputRole
    media_type: str
    data: bytes
    width: int
    height: int

    def __repr__(self) -> str:  # bytes of a photo never reach a log or a traceback
        return f"ImageInput({self.role}, {self.media_type}, {len(self.data)} bytes)"


class ImageRequest(msgspec.Struct, frozen=True):
    """One call to a model.

    Attributes:
        attempt_id: unique for this call; a provider that supports idempotency keys sends it.
        model: an id out of `models()`.
        prompt: the finished prompt, in English. Never log it.
        inputs: at least one.
        style: the style's slug (`chibi`), for models that render by style instead of by prompt.
        variables: the validated style variables, for the same.
        aspect_ratio: `width:height`, one of the model's.
        count: how many pictures are wanted, 1 ≤ count ≤ the model's `max_images`. Fewer may come back.
        seed: makes offline providers repeatable; others may ignore it.
    """

    attempt_id: str
    model: str
    prompt: str
    inputs: tuple[ImageInput, ...]
    style: str
    variables: dict[str, str]
    aspect_ratio: str
    count: int = 1
    seed: int = 0

    def __repr__(self) -> str:
        return f"ImageRequest({self.attempt_id}, {self.model}, {self.style}, {len(self.inputs)} inputs)"


class GeneratedImage(msgspec.Struct, frozen=True):
    """One picture as the model made it: encoded, untrusted until the kernel has decoded it in a child process.

    Attributes:
        marked: True when the provider vouches for a machine-readable mark of AI origin in these very bytes.
    """

    media_type: str
    data: bytes
    marked: bool = False

    def __repr__(self) -> str:
        return f"GeneratedImage({self.media_type}, {len(self.data)} bytes)"


class Usage(msgspec.Struct, frozen=True):
    """What one call used.

    Attributes:
        cost: money owed for the call; None when the provider cannot tell (the kernel then books the model's worst case).
        input_tokens: None for models that do not count tokens.
        output_tokens: thinking included.
    """

    cost: CostMicros | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class Succeeded(msgspec.Struct, frozen=True, tag="succeeded"):
    """At least one picture. Final; charged."""

    images: tuple[GeneratedImage, ...]
    usage: Usage = Usage()


class BlockedInput(msgspec.Struct, frozen=True, tag="blocked_input"):
    """The provider's safety rules refused the photo or the prompt. Final; not charged to the user.

    Attributes:
        reason: the provider's own stable code, lower snake case; no free text.
    """

    reason: str
    usage: Usage = Usage()


class BlockedOutput(msgspec.Struct, frozen=True, tag="blocked_output"):
    """A picture was made and withheld by the provider's safety rules. Final; not charged to the user."""

    reason: str
    usage: Usage = Usage()


class NoImage(msgspec.Struct, frozen=True, tag="no_image"):
    """The model answered without a picture (only text, or nothing). Final for this job; not charged to the user."""

    reason: str
    usage: Usage = Usage()


class Rejected(msgspec.Struct, frozen=True, tag="rejected"):
    """The request itself is wrong for this provider (size, parameter, credentials). Trying again cannot help.

    Attributes:
        operator_fault: True for wrong credentials, a missing permission or an unpaid bill: the kernel raises a finding.
    """

    reason: str
    operator_fault: bool = False
    usage: Usage = Usage()


class ModelNotFound(msgspec.Struct, frozen=True, tag="model_not_found"):
    """The model is retired or unknown. The kernel falls through to the brand's next model and raises a finding."""

    model: str


class RateLimitedByProvider(msgspec.Struct, frozen=True, tag="rate_limited"):
    """Out of quota for now. The kernel tries again at the provider's own delay, a bounded number of times."""

    retry_after: timedelta | None = None
    usage: Usage = Usage()


class ProviderUnavailable(msgspec.Struct, frozen=True, tag="unavailable"):
    """Down, overloaded, timed out or unreachable; the call may or may not have been paid for.

    Attributes:
        possibly_charged: True when the request may have been executed (a timeout after sending, a broken answer).
    """

    reason: str
    retry_after: timedelta | None = None
    possibly_charged: bool = False
    usage: Usage = Usage()


Outcome = (
    Succeeded
    | BlockedInput
    | BlockedOutput
    | NoImage
    | Rejected
    | ModelNotFound
    | RateLimitedByProvider
    | ProviderUnavailable
)
"""Every way a call can end. A provider maps everything it knows of onto one of these and raises only for bugs."""


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The call is over."""

    outcome: Outcome


class Accepted(msgspec.Struct, frozen=True, tag="accepted"):
    """The job is queued at the provider.

    Attributes:
        handle: opaque, at most 500 characters, enough to poll, cancel and erase from another process; no personal data.
        poll_after: how long to wait before the next `poll`.
    """

    handle: str
    poll_after: timedelta


Submission = Finished | Accepted


class ModelInfo(msgspec.Struct, frozen=True):
    """What the kernel must know of a model. Data of the provider, since models are retired and repriced.

    Attributes:
        id: as the provider spells it.
        family: which prompt recipe fits (`gemini`, `sketch`, …); styles may differ by family.
        aspect_ratios: `width:height`, the preferred one first.
        max_inputs: pictures a call may carry.
        max_images: pictures a call may return.
        worst_case_cost: of one call with `max_images`; reserved against the brand's daily ceiling before egress.
        timeout: after which the kernel gives the call up.
        retires_on: announced date of retirement (ISO 8601), or None.
        repeatable: whether the provider charges a `submit` once that comes twice with the same `attempt_id`. When a process
            is killed in the middle of one, the kernel then repeats it; else it makes another attempt, which is charged again.
    """

    id: str
    family: str
    aspect_ratios: tuple[str, ...]
    max_inputs: int
    max_images: int
    worst_case_cost: CostMicros
    timeout: timedelta = timedelta(seconds=120)
    retires_on: str | None = None
    repeatable: bool = False


class UnknownHandle(StatuetteError):
    """`poll`, `cancel` or `erase` got a handle the provider does not know. Final."""

    code = "unknown_handle"
    summary = "The image provider does not know this job."


class ImageProvider(ABC):
    """A family of image models behind one set of credentials.

    Instances are created once a process and called concurrently on one event loop. Constructors do no I/O and do not
    import the vendor's SDK. The kernel owns retries, timeouts, concurrency and the daily budget: a provider makes
    exactly one paid call per `submit`.
    """

    name: str
    """Unique among image providers; brands name models as `provider/model`."""

    @property
    @abstractmethod
    def processor(self) -> Processor:
        """Who receives the data, for what, and what they keep. The notice and the egress are built from it."""

    @abstractmethod
    def models(self) -> tuple[ModelInfo, ...]:
        """The models on offer, preferred first. Called often; no I/O."""

    @abstractmethod
    async def submit(self, request: ImageRequest) -> Submission:
        """Make one call.

        Called once per attempt, after the attempt is recorded; of a `repeatable` model once more after a kill. Not
        idempotent unless the provider's API is (then keyed by `attempt_id`). May be cancelled at any await: release
        sockets and let `CancelledError` through. Returns an outcome for everything the provider can do to us, malformed
        answers included; raises nothing else on purpose.
        """

    async def poll(self, handle: str) -> Submission:
        """Ask for the job again; idempotent, free of charge. `Accepted` means not yet.

        Raises:
            UnknownHandle: final; the kernel books the attempt as failed.
        """
        raise UnknownHandle(handle_length=len(handle))

    async def cancel(self, handle: str) -> None:
        """Ask the provider to stop; idempotent, best effort; a finished job is left alone.

        Raises:
            UnknownHandle: final.
        """
        raise UnknownHandle(handle_length=len(handle))

    async def erase(self, handle: str | None) -> Erasure:
        """Make the provider forget inputs and outputs; idempotent. `None` stands for jobs that had no handle."""
        return Erased()

    async def aclose(self) -> None:
        """Release clients and sockets. Called once, at shutdown; idempotent."""
