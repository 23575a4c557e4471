"""A payment gateway on this machine that never takes real money: pages for paying, test cards, subscriptions, refunds, disputes.

`SandboxGateway` is the whole of it, for tests and demonstrations; `plugin` is the entry point.
"""

from statuette_sandbox_pay.plugin import SandboxPayConfig, SandboxPayPlugin, plugin

__all__ = ["SandboxPayConfig", "SandboxPayPlugin", "plugin"]
