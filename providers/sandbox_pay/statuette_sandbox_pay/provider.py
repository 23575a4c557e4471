"""The sandbox as a payment provider: every brand has an account."""

from __future__ import annotations

from statuette.ports.payment import PaymentProvider
from statuette.ports.processor import Processor
from statuette_sandbox_pay.gateway import SandboxGateway
from statuette_sandbox_pay.merchant import SandboxMerchant


class SandboxPay(PaymentProvider):
    """Takes no real money, and keeps what it is given on this machine."""

    name = "sandbox_pay"
    sandbox = True

    def __init__(self, gateway: SandboxGateway) -> None:
        self.gateway = gateway
        self._merchants: dict[str, SandboxMerchant] = {}

    @property
    def processor(self) -> Processor:
        return Processor(
            id="sandbox_pay",
            name="Sandbox for payments, on this machine",
            region="this deployment",
            purposes=("billing",),
            categories=("email", "ledger_record"),
            third_party=False,
        )

    def merchant(self, brand: str) -> SandboxMerchant:
        if brand not in self._merchants:
            self._merchants[brand] = SandboxMerchant(self.gateway, brand)
        return self._merchants[brand]

    async def aclose(self) -> None:
        await self.gateway.aclose()
