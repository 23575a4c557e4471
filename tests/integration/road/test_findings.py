"""What an operator hears of."""

from __future__ import annotations

from pathlib import Path

from statuette.kernel.settings import FIRST_PARTY_PLUGINS
from tests.profiles import Profile
from tests.site import serving


async def test_a_plugin_that_is_kept_out_is_a_finding_and_the_rest_goes_on(tmp_path: Path, profile: Profile) -> None:
    # Given an allow-list with a plugin that nobody installed
    allowed = (*(name for name in FIRST_PARTY_PLUGINS if name not in ("smtp", "gemini")), "from_nowhere")

    # When the platform starts with it
    async with serving(tmp_path, profile, allowed_plugins=allowed) as site:
        # Then it serves, and says which plugin is missing and why
        assert (await site.visitor().http.get("/readyz")).status_code == 200
        async with site.platform.database.read() as reader:
            rows = await reader.rows("SELECT code, subject, detail FROM finding")
    assert rows == [{"code": "plugin_quarantined", "subject": "from_nowhere", "detail": "plugin_not_installed"}]
