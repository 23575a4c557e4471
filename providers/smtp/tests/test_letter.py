"""What is written into a letter, and what can never be."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuette.ports.mail import MailRefused, Message
from statuette_smtp.letter import compose

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def message(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "idempotency_key": "mail_01jd",
        "recipient": "ann@example.com",
        "sender": "Tiny You <hello@tiny.example>",
        "subject": "Your code",
        "text": "Your code is 123 456.\n",
    }
    return Message(**{**fields, **changes})


def read(data: bytes) -> EmailMessage:
    parsed = email.message_from_bytes(data, policy=email.policy.SMTP)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_a_letter_has_the_fields_a_letter_needs() -> None:
    letter = compose(message(), NOW)

    parsed = read(letter.data)
    assert (letter.sender, letter.recipient) == ("hello@tiny.example", "ann@example.com")
    assert parsed["From"] == "Tiny You <hello@tiny.example>"
    assert parsed["To"] == "ann@example.com"
    assert parsed["Subject"] == "Your code"
    assert parsed["Date"] == "Thu, 15 Jan 2026 12:00:00 +0000"
    assert parsed["Message-ID"] == "<mail_01jd@tiny.example>"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed.get_content() == "Your code is 123 456.\r\n"


def test_both_forms_travel_together_with_the_richer_one_last() -> None:
    parsed = read(compose(message(text="Grüße ½ 王", html="<p>Grüße ½ 王</p>"), NOW).data)

    assert parsed.get_content_type() == "multipart/alternative"
    plain, html = parsed.iter_parts()
    assert (plain.get_content_type(), plain.get_content().strip()) == ("text/plain", "Grüße ½ 王")
    assert (html.get_content_type(), html.get_content().strip()) == ("text/html", "<p>Grüße ½ 王</p>")


def test_letters_beyond_ascii_survive_and_the_wire_stays_seven_bit() -> None:
    letter = compose(
        message(sender="Kleine Größe <hello@tiny.example>", subject="Dein Code: ½ Minute", text="ü" * 500), NOW
    )

    assert letter.data.isascii() and not letter.international
    assert read(letter.data)["Subject"] == "Dein Code: ½ Minute"
    assert read(letter.data)["From"].addresses[0].display_name == "Kleine Größe"


def test_a_long_address_in_a_header_is_kept_in_one_piece() -> None:
    link = f"<https://tiny.example/unsubscribe/{'k' * 300}>"

    data = compose(message(headers={"List-Unsubscribe": link}), NOW).data

    assert f"List-Unsubscribe: {link}\r\n".encode() in data


def test_host_names_beyond_ascii_are_written_in_ascii() -> None:
    letter = compose(message(recipient="ann@bücher.example"), NOW)

    assert letter.recipient == "ann@xn--bcher-kva.example" and not letter.international


def test_names_beyond_ascii_before_the_at_need_an_international_server() -> None:
    letter = compose(message(recipient="jörg@example.com"), NOW)

    assert letter.international and letter.recipient == "jörg@example.com"


@pytest.mark.parametrize("key", ["a b", "a>\r\nBcc: x@y.example", "", ".a", "a..b", "ключ", "k" * 200, "a@b"])
def test_an_odd_key_becomes_a_plain_message_id(key: str) -> None:
    one, same = (read(compose(message(idempotency_key=key), NOW).data)["Message-ID"] for _ in range(2))

    assert one == same
    assert one.removeprefix("<").removesuffix("@tiny.example>").isalnum()


def test_different_keys_have_different_message_ids() -> None:
    ids = {read(compose(message(idempotency_key=key), NOW).data)["Message-ID"] for key in ("a b", "a  b", "a", "b")}

    assert len(ids) == 4


BREAKS = ["\n", "\r", "\r\n", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("field", ["recipient", "sender", "subject"])
def test_a_line_break_in_a_field_is_refused_and_not_repeated(field: str, line_break: str) -> None:
    with pytest.raises(MailRefused) as caught:
        compose(message(**{field: f"ann@example.com{line_break}Bcc: eve@example.com"}), NOW)

    assert field in str(caught.value) and "eve" not in str(caught.value)


@pytest.mark.parametrize("line_break", BREAKS)
def test_a_line_break_in_an_extra_header_is_refused(line_break: str) -> None:
    for headers in ({"X-Note": f"a{line_break}Bcc: eve@example.com"}, {f"X-Note{line_break}Bcc": "eve@example.com"}):
        with pytest.raises(MailRefused):
            compose(message(headers=headers), NOW)


@pytest.mark.parametrize(
    "name", ["Bcc", "cc", "TO", "From", "Subject", "Message-ID", "Content-Type", "Resent-To", "X Y", "X:", "", "Ä"]
)
def test_an_extra_header_cannot_take_the_place_of_ours(name: str) -> None:
    with pytest.raises(MailRefused):
        compose(message(headers={name: "eve@example.com"}), NOW)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@example.com, eve@example.com",
        "ann@example.com eve@example.com",
        "Friends: ann@example.com, eve@example.com;",
        "<ann@example.com",
        "ann@ex ample.com",
        "ann@example.com>",
    ],
)
def test_what_is_not_one_address_is_refused(address: str) -> None:
    for field in ("recipient", "sender"):
        with pytest.raises(MailRefused) as caught:
            compose(message(**{field: address}), NOW)
        assert not address or address not in str(caught.value)


@given(st.text(max_size=80), st.text(max_size=40), st.text(max_size=120))
def test_whatever_is_written_a_letter_goes_to_one_person_with_our_headers(subject: str, name: str, text: str) -> None:
    try:
        letter = compose(message(subject=subject, headers={"X-Note": name}, text=text), NOW)
    except MailRefused:
        return

    parsed = read(letter.data)
    assert letter.recipient == "ann@example.com"
    assert parsed["Bcc"] is None and parsed["Cc"] is None
    assert sorted(key.lower() for key in parsed.keys()) == [  # noqa: SIM118 - headers may repeat
        "auto-submitted",
        "content-transfer-encoding",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "subject",
        "to",
        "x-note",
    ]
