"""The machine-readable mark of AI origin: an XMP packet with IPTC's digital source type.

Writing makes the packet; reading finds it in a PNG, JPEG or WebP by walking the container, without decoding a pixel, so
that the parent may verify what it is about to serve.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

DIGITAL_SOURCE_TYPE = "trainedAlgorithmicMedia"
SOURCE_TYPE = f"http://cv.iptc.org/newscodes/digitalsourcetype/{DIGITAL_SOURCE_TYPE}"
PNG_KEYWORD = "XML:com.adobe.xmp"

_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_MAX_PACKET_BYTES = 65_536
_PROPERTY = f"{{{_IPTC}}}DigitalSourceType"
_RESOURCE = f"{{{_RDF}}}resource"


def mark_packet(provenance: str | None) -> bytes:
    """The XMP packet (ISO 16684-1) that says: made by a trained algorithm.

    Args:
        provenance: what made the picture (`provider/model`), at most 200 printable characters; no personal data.
    """
    tool = "" if provenance is None else f" xmp:CreatorTool={quoteattr(provenance)}"
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
        f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{_IPTC}" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"{tool}/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def read_mark(data: bytes) -> bool:
    """Whether these bytes carry the mark where readers look for it; a mere mention does not count. Never raises."""
    try:
        return any(_says_generated(packet) for packet in _packets(data) if len(packet) <= _MAX_PACKET_BYTES)
    except (struct.error, zlib.error):
        return False


def _packets(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png_packets(data)
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg_packets(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp_packets(data)
    return iter(())


def _png_packets(data: bytes) -> Iterator[bytes]:
    at = 8
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body, check = data[at + 8 : at + 8 + size], data[at + 8 + size : at + 12 + size]
        if kind == b"iTXt" and check == struct.pack(">I", zlib.crc32(kind + body)):
            keyword, _, rest = body.partition(b"\x00")
            if keyword == PNG_KEYWORD.encode() and len(rest) > 2:
                yield _itxt_text(rest)
        at += 12 + size


def _itxt_text(rest: bytes) -> bytes:
    """The text of an iTXt chunk after its keyword: flag, method, language, translated keyword, text."""
    compressed = rest[0] == 1
    text = rest[2:].split(b"\x00", 2)[-1]
    return zlib.decompressobj().decompress(text, _MAX_PACKET_BYTES) if compressed else text


def _jpeg_packets(data: bytes) -> Iterator[bytes]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, size = struct.unpack_from(">xBH", data, at)
        if marker == 0xDA:  # the picture itself begins; what follows is no segment
            return
        body = data[at + 4 : at + 2 + size]
        if marker == 0xE1 and body.startswith(_JPEG_XMP):
            yield body[len(_JPEG_XMP) :]
        at += 2 + size


def _webp_packets(data: bytes) -> Iterator[bytes]:
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        if kind == b"XMP ":
            yield data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _says_generated(packet: bytes) -> bool:
    if b"<!" in packet:  # a document type could define entities; no XMP packet needs one
        return False
    try:
        root = ElementTree.fromstring(packet.strip(b"\x00 \r\n\t"))  # noqa: S314 - bounded, and without entities
    except (ElementTree.ParseError, ValueError, LookupError):
        return False
    for description in root.iter(f"{{{_RDF}}}Description"):
        values = [description.get(_PROPERTY)]
        for element in description.findall(_PROPERTY):
            values += [element.get(_RESOURCE), (element.text or "").strip()]
        if SOURCE_TYPE in values:
            return True
    return False
