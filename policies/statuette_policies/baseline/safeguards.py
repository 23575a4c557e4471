"""What must hold all the time, and is tried out."""

from __future__ import annotations

from statuette.policy import Option, Safeguard

SAFEGUARDS = (
    Safeguard(
        id="depicted.statement",
        probe="photo_statements",
        sentence=(
            "A photo is taken in only with the word of whoever uploads it that everybody in it is themselves or agreed to this"
            " use. What was said is kept with the photo."
        ),
        sentence_in={
            "de": (
                "Ein Foto wird nur angenommen, wenn die Person, die es hochlädt, erklärt, dass alle darauf sie selbst sind oder"
                " dieser Verwendung zugestimmt haben. Was erklärt wurde, wird beim Foto festgehalten."
            )
        },
    ),
    Safeguard(
        id="minor.account",
        probe="account_statements",
        option=Option.adults_only,
        sentence="This site is for adults: nobody gets an account, or uploads anything, without stating that they are one.",
        sentence_in={
            "de": (
                "Diese Seite ist für Erwachsene: Niemand bekommt ein Konto oder lädt etwas hoch, ohne zu erklären, erwachsen zu"
                " sein."
            )
        },
    ),
    Safeguard(
        id="minor.depicted",
        probe="photo_statements",
        option=Option.guardians_asked,
        sentence="A photo with a child in it is taken in only with the word that a parent or guardian agreed.",
        sentence_in={
            "de": "Ein Foto mit einem Kind darauf wird nur mit der Erklärung angenommen, dass jemand mit Sorgerecht zugestimmt hat."
        },
    ),
    Safeguard(
        id="minor.refused",
        probe="photo_statements",
        option=Option.children_refused,
        sentence="No photo of a child is taken in: whoever uploads one states that nobody in it is under 18.",
        sentence_in={
            "de": "Fotos von Kindern werden nicht angenommen: Wer eines hochlädt, erklärt, dass niemand darauf unter 18 ist."
        },
    ),
    Safeguard(
        id="upload.derived",
        probe="derivatives",
        sentence=(
            "What is made out of a photo on the way, such as smaller copies, lies with it and goes with it, older versions"
            " included. What is measured in a face is not kept."
        ),
        sentence_in={
            "de": (
                "Was unterwegs aus einem Foto gemacht wird, etwa kleinere Fassungen, liegt bei ihm und geht mit ihm, samt älteren"
                " Fassungen. Was an einem Gesicht gemessen wird, wird nicht aufgehoben."
            )
        },
    ),
    Safeguard(
        id="processor.egress",
        probe="processors",
        sentence=(
            "Whoever works for us gets your data only for what they are named for here. A live site gives nothing to anybody"
            " who may use it for purposes of their own."
        ),
        sentence_in={
            "de": (
                "Wer für uns arbeitet, bekommt deine Daten nur für das, wofür er hier genannt ist. Eine Seite im Betrieb gibt"
                " niemandem etwas, der es für eigene Zwecke verwenden darf."
            )
        },
    ),
    Safeguard(
        id="controller.named",
        probe="controllers",
        sentence="This notice names who answers for your data and the authority you can complain to.",
        sentence_in={
            "de": "Diese Erklärung nennt, wer für deine Daten verantwortlich ist und bei welcher Behörde du dich beschweren kannst."
        },
    ),
    Safeguard(
        id="usage.collect",
        probe="usage_choices",
        sentence=(
            "Which styles you choose, how often, how long pages are open and how you rate figurines is noted by ourselves, in words"
            " of a fixed list, and only as long as you do not object to being counted."
        ),
        sentence_in={
            "de": (
                "Welche Stile du wählst, wie oft, wie lange Seiten offen sind und wie du Figuren bewertest, notieren wir selbst, in"
                " Wörtern einer festen Liste, und nur solange du dem Mitzählen nicht widersprichst."
            )
        },
    ),
    Safeguard(
        id="device.collect",
        probe="usage_devices",
        sentence=(
            "Of your device only the kinds of browser and system are noted, and the first part of its network address. The whole"
            " address serves to stop misuse: it is kept in memory, and forgotten an hour after it was last seen."
        ),
        sentence_in={
            "de": (
                "Von deinem Gerät werden nur die Art des Browsers und des Betriebssystems notiert sowie der erste Teil seiner"
                " Netzadresse. Die ganze Adresse dient dazu, Missbrauch zu unterbinden: Sie bleibt im Arbeitsspeicher und ist eine"
                " Stunde, nachdem sie zuletzt zu sehen war, vergessen."
            )
        },
    ),
    Safeguard(
        id="safeguard.tls",
        probe="tls",
        sentence="What you send us and what we send you travels encrypted.",
        sentence_in={"de": "Was du uns schickst und was wir dir schicken, ist auf dem Weg verschlüsselt."},
    ),
    Safeguard(
        id="safeguard.encryption",
        probe="personal_columns",
        sentence=(
            "Your e-mail address and your name are encrypted in our database with a key that is yours alone and is destroyed with"
            " your account."
        ),
        sentence_in={
            "de": (
                "Deine E-Mail-Adresse und dein Name sind in unserer Datenbank mit einem Schlüssel verschlüsselt, der nur für dich"
                " da ist und mit deinem Konto vernichtet wird."
            )
        },
    ),
    Safeguard(
        id="safeguard.access",
        probe="operators_access",
        sentence=(
            "Whoever works here does not see your address, your name or what you wrote, unless their work needs it and they say"
            " why. Who looked, when and why is written down before anything is shown; when and why is in the copy of your data."
        ),
        sentence_in={
            "de": (
                "Wer hier arbeitet, sieht weder deine Adresse noch deinen Namen noch was du geschrieben hast, es sei denn, die"
                " Arbeit verlangt es und es wird ein Grund genannt. Wer wann warum hingesehen hat, wird vermerkt, bevor etwas zu"
                " sehen ist; wann und warum, steht in der Kopie deiner Daten."
            )
        },
    ),
    Safeguard(
        id="safeguard.audit",
        probe="audit_report",
        sentence=(
            "Once a day we check ourselves: that the record of what was deleted has not been altered, that these safeguards hold,"
            " that nothing is overdue and that nothing is stored which belongs to nobody. What was found is signed and kept."
        ),
        sentence_in={
            "de": (
                "Einmal am Tag prüfen wir uns selbst: dass die Aufzeichnung über Gelöschtes nicht verändert wurde, dass diese"
                " Schutzmaßnahmen halten, dass nichts überfällig ist und dass nichts gespeichert ist, was zu niemandem gehört. Was"
                " sich dabei zeigt, wird unterschrieben und aufbewahrt."
            )
        },
    ),
    Safeguard(
        id="object.encrypted",
        probe="object_store",
        sentence="Photos and pictures are stored encrypted.",
        sentence_in={"de": "Fotos und Bilder werden verschlüsselt gespeichert."},
    ),
    Safeguard(
        id="backup.erase",
        probe="erasure_journal",
        sentence=(
            "Should a backup ever have to be restored, then whatever was erased, withdrawn or no longer saved since it was made is"
            " erased, withdrawn and no longer saved again before anybody is served."
        ),
        sentence_in={
            "de": (
                "Muss je eine Sicherungskopie eingespielt werden, so wird alles, was seither gelöscht, widerrufen oder nicht mehr"
                " gespeichert wurde, von neuem gelöscht, widerrufen und nicht mehr gespeichert, bevor irgendwer bedient wird."
            )
        },
    ),
    Safeguard(
        id="ai.mark",
        probe="ai_mark",
        sentence="Every picture made here, in each of its sizes, says in a way machines can read that AI made it.",
        sentence_in={
            "de": "Jedes hier gemachte Bild sagt in jeder seiner Größen, für Maschinen lesbar, dass eine KI es gemacht hat."
        },
    ),
    Safeguard(
        id="queue.payload",
        probe="queues",
        sentence="Work that waits to be done names your photo or your order by a number, and holds nothing of it.",
        sentence_in={
            "de": "Arbeit, die noch aussteht, nennt dein Foto oder deine Bestellung mit einer Nummer und enthält nichts davon."
        },
    ),
    Safeguard(
        id="logs.content",
        probe="log_lines",
        sentence="Our logs name what happened and to which number, without your photos, your words or your address.",
        sentence_in={
            "de": "Unsere Protokolle nennen, was geschah und mit welcher Nummer, ohne deine Fotos, deine Worte oder deine Adresse."
        },
    ),
)
