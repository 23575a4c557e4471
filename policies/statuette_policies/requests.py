"""What laws let people ask for, named once, since packs that name the same right name it in the same words."""

from __future__ import annotations

from statuette.policy import PersonalRight

ACCESS = PersonalRight("access", "Seeing what is held about you", {"de": "Sehen, was über dich gespeichert ist"})
PORTABILITY = PersonalRight("portability", "Taking your data elsewhere", {"de": "Deine Daten mitnehmen"})
CORRECTION = PersonalRight("correction", "Correcting what is wrong", {"de": "Berichtigen, was falsch ist"})
ERASURE = PersonalRight("erasure", "Having things erased", {"de": "Löschen lassen"})
RESTRICTION = PersonalRight("restriction", "Having a use stopped", {"de": "Eine Verwendung anhalten lassen"})
OBJECTION = PersonalRight("objection", "Objecting to a use", {"de": "Einer Verwendung widersprechen"})
