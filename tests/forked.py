"""Processes forked from one that has imported what they need, which takes longer than most of them do."""

from __future__ import annotations

import multiprocessing

FORKED = multiprocessing.get_context("forkserver")
# One such process serves all tests of a worker, so that everything is named here.
FORKED.set_forkserver_preload(["tests.commands", "tests.integration.road.dying"])
