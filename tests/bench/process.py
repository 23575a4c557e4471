"""A process of the cluster for a measurement: `python -m tests.bench.process api|worker|scheduler [PROVIDER_SECONDS]`.

It takes its settings from the environment and starts as `statuette serve`, `worker` and `scheduler` do; but beside the models of
its plugins it has `scripted/scripted-1`, which takes its time and then answers with a small picture.
"""

from __future__ import annotations

import hashlib
import sys
from datetime import timedelta
from functools import partial

from statuette.kernel.cli import serving
from statuette.kernel.cli.process import of_cluster, ready, run
from statuette.kernel.cli.stopping import Stop
from statuette.kernel.platform import Platform
from statuette.kernel.plugins import PluginRegistry
from statuette.kernel.running import Role, running
from statuette.ports.image import GeneratedImage, ImageRequest, Submission, Succeeded, Usage
from statuette.testing.pictures import picture_png
from statuette.testing.scripted_image import Answer, ScriptedImageProvider
from statuette.values import CostMicros, SystemClock


class StreamingModel(ScriptedImageProvider):
    """Reads every byte of the photos, as sending them would, waits, and answers; decodes and paints nothing."""

    def __init__(self, seconds: float) -> None:
        answer = Succeeded((GeneratedImage("image/png", picture_png()),), Usage(cost=CostMicros("USD", 40_000)))
        super().__init__(default=Answer(answer, timedelta(seconds=seconds)))

    async def submit(self, request: ImageRequest) -> Submission:
        for photo in request.inputs:
            hashlib.sha256(photo.data).digest()
        return await super().submit(request)


async def _work(platform: Platform, role: Role) -> None:
    stop = Stop()
    async with running(platform, frozenset({role})):
        ready(platform, role)
        await stop.wait()


def main(role: Role, provider_seconds: float) -> None:
    settings = of_cluster(role)
    plugins = PluginRegistry.survey(settings, SystemClock())
    model = StreamingModel(provider_seconds)
    plugins.image_providers[model.name] = model
    run(settings, role, serving.serve if role is Role.api else partial(_work, role=role), plugins)


if __name__ == "__main__":
    main(Role(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
