"""For the tests of plugin authors and our own: a frozen clock, fakes, and a conformance suite a port.

A provider's tests subclass a suite in a few lines; first-party providers run the same suites.
"""

from statuette.testing.clock import FrozenClock

__all__ = ["FrozenClock"]
