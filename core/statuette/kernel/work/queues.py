"""The queues of work, kept apart so that none waits behind another."""

from __future__ import annotations

INTERACTIVE = "interactive"
"""Somebody watches and waits: jobs."""
BACKGROUND = "background"
"""Nobody waits: telling a provider to drop what is no longer wanted."""
ENFORCEMENT = "enforcement"
"""Promises: what is due to be deleted."""
MAIL = "mail"
"""Letters."""

QUEUES = (INTERACTIVE, BACKGROUND, ENFORCEMENT, MAIL)
