"""A simulator of the Gemini REST API: real sockets, realistic bodies, and every way of failing we know of.

    async with GeminiSimulator(api_key="test-key") as simulator:
        simulator.script(Case.rate_limited, Case.success)
        ...                                    # point the provider's `base_url` at simulator.base_url
        assert simulator.calls == 2

By itself: `python -m statuette.testing.gemini_simulator --port 8090 --latency 2`.
"""

from statuette.testing.gemini_simulator.cases import Case
from statuette.testing.gemini_simulator.server import GeminiSimulator

__all__ = ["Case", "GeminiSimulator"]
