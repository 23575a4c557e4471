"""The pack `ai_act`: what the Artificial Intelligence Act, (EU) 2024/1689, adds for whoever shows AI pictures to people in the EU.

Sources:

- `ai.mark`: Art. 50(2), output marked in a machine-readable way; the baseline does that for every brand
- `notify.ai_made`: Art. 50(4) and (5), whoever is shown a picture is told in a clear way, at the latest when they first see it.
  The API says of each picture what made it; a front end that shows one shows that too.

Art. 50 applies from 2 August 2026 (Art. 113).
"""

from __future__ import annotations

from datetime import date

from statuette.policy import Channel, Event, Moment, Notify, PolicyPack

AI_ACT = PolicyPack(
    name="ai_act",
    version="1",
    source="statuette_policies.ai_act",
    since=date(2026, 8, 2),
    rules=(
        Notify(
            id="notify.ai_made",
            event=Event.picture_made,
            channel=Channel.picture,
            moment=Moment.before,
            sentence="Wherever a picture is shown, it is said that AI made it.",
            sentence_in={"de": "Wo ein Bild gezeigt wird, steht dabei, dass eine KI es gemacht hat."},
        ),
    ),
)
