"""The sandbox keeps the port's contract."""

from __future__ import annotations

import pytest

from statuette.testing.payment_suite import PaymentProviderSuite

from .conftest import SandboxRig


class TestSandboxPay(PaymentProviderSuite):
    @pytest.fixture
    def rig(self, rig: SandboxRig) -> SandboxRig:
        return rig
