"""Where in the object store what is attached lies. Pure."""

from __future__ import annotations


def object_prefix(brand_id: str, question_id: str) -> str:
    return f"support/{brand_id}/{question_id}/"


def object_key(brand_id: str, question_id: str, attachment_id: str, media_type: str) -> str:
    return f"{object_prefix(brand_id, question_id)}{file_name(attachment_id, media_type)}"


def file_name(attachment_id: str, media_type: str) -> str:
    return f"{attachment_id}.{'txt' if media_type.startswith('text/') else 'jpg'}"
