"""The pack `bipa`: what the Illinois Biometric Information Privacy Act (740 ILCS 14) adds for whoever takes photos of people there.

Photographs are no biometric identifiers (740 ILCS 14/10), and the platform makes no scan of a face's geometry out of them. A brand
names this pack so as not to depend on how far a court or a provider stretches either of the two.

Sources:

- `upload.longest`: 740 ILCS 14/15(a), destroyed when the purpose is satisfied, or within 3 years of the last interaction with the
  person, whichever is first. The years are counted from the upload, which is no later than any interaction about it, and saving
  stops nothing.
- the schedule that 15(a) demands in public: `statuette policy render --paper retention`
- the written release of 15(b) is the statement that is recorded with each upload; 15(c) and (d), no sale and no disclosure without
  consent, are what the egress does for every brand
"""

from __future__ import annotations

from datetime import date

from statuette.policy import Action, Period, PolicyPack, Retain, Store, Trigger

BIPA = PolicyPack(
    name="bipa",
    version="1",
    source="statuette_policies.bipa",
    since=date(2008, 10, 3),
    rules=(
        Retain(
            id="upload.longest",
            dataset="uploads",
            triggers=(Trigger.created,),
            after=Period(years=3),
            maximum=Period(years=3),
            action=Action.delete,
            stores=(Store.database, Store.objects),
            sentence="Saved or not, no photo is kept longer than {after} after it was uploaded.",
            sentence_in={"de": "Gespeichert oder nicht: Kein Foto bleibt länger als {after} nach dem Hochladen."},
        ),
    ),
)
