"""What a person orders, checked against the brand, the style and the models on offer."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from statuette.errors import Conflict, InvalidInput
from statuette.kernel.domain.brands.directory import LoadedBrand
from statuette.kernel.domain.styles import prompt
from statuette.kernel.plugins import PluginRegistry
from statuette.ports.image import InputRole, ModelInfo
from statuette.styles import Style


class OrderInput(msgspec.Struct, frozen=True):
    """One input picture: exactly one of the two ids."""

    role: InputRole
    upload_id: str | None = None
    figurine_id: str | None = None


class Order(msgspec.Struct, frozen=True):
    """A complete order: nothing left to a parent or to defaults but the style's own."""

    inputs: tuple[OrderInput, ...]
    style: str
    variables: Mapping[str, str]
    aspect_ratio: str | None
    count: int
    subjects: int
    parent_id: str | None
    notify: bool


class UnknownStyle(InvalidInput):
    code = "unknown_style"
    summary = "This site has no such style."


class InvalidInputs(InvalidInput):
    code = "invalid_inputs"
    summary = "The inputs are not valid."


class TooManyPictures(InvalidInput):
    code = "count_too_large"
    summary = "More pictures are asked for than this site makes in one job."


class NoModelAvailable(Conflict):
    """None of the brand's models is on offer, or none can do what is ordered."""

    code = "no_model_available"
    summary = "No image model of this site can make this."


class Plan(msgspec.Struct, frozen=True):
    """A checked order: what will be done, with which models, at what price."""

    style: Style
    variables: dict[str, str]
    aspect_ratio: str
    models: tuple[str, ...]
    credits_each: int
    worst_case_micros: int
    currency: str


def plan(order: Order, brand: LoadedBrand, plugins: PluginRegistry) -> Plan:
    """Check an order. Raises errors with codes of their own, all final."""
    credits_each = brand.style_price(order.style)
    style = plugins.latest_style(order.style)
    if credits_each is None or style is None:
        raise UnknownStyle(style=order.style[:60], cure="GET /v1/styles lists them.")
    if not 1 <= order.count <= brand.config.limits.count_max:
        raise TooManyPictures(count_max=brand.config.limits.count_max)
    _check_inputs(order.inputs)
    variables = prompt.resolve_variables(style, order.variables)
    aspect_ratio = prompt.check_aspect_ratio(style, order.aspect_ratio)
    usable = [
        (name, model)
        for name, model in ((name, plugins.model(name)) for name in brand.config.models)
        if model is not None and aspect_ratio in model.aspect_ratios and len(order.inputs) <= model.max_inputs
    ]
    if not usable:
        raise NoModelAvailable()
    return Plan(
        style=style,
        variables=variables,
        aspect_ratio=aspect_ratio,
        models=tuple(name for name, _ in usable),
        credits_each=credits_each,
        worst_case_micros=max(worst_case(model, order.count) for _, model in usable),
        currency=brand.config.daily_cost_ceiling.currency,
    )


def worst_case(model: ModelInfo, count: int) -> int:
    """Micros that `count` pictures may cost at worst."""
    calls = -(-count // model.max_images)
    return calls * model.worst_case_cost.micros


def _check_inputs(inputs: tuple[OrderInput, ...]) -> None:
    if not inputs:
        raise InvalidInputs("A job needs at least one input.", cure="Name an upload, or a parent to redo.")
    if any((item.upload_id is None) == (item.figurine_id is None) for item in inputs):
        raise InvalidInputs("An input names either an upload or a figurine.")
    if not any(item.role in (InputRole.subject, InputRole.previous) for item in inputs):
        raise InvalidInputs("At least one input must be the subject or an earlier figurine.")
    ids = [item.upload_id or item.figurine_id for item in inputs]
    if len(set(ids)) != len(ids):
        raise InvalidInputs("An input is named twice.")
