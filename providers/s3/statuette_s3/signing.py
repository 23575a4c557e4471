"""Addresses that open one object for a while: AWS Signature Version 4 in the query.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html. Of our own, because obstore's signer takes
neither the content type of the answer nor a time; botocore's takes the first and not the second.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote, urlsplit

import msgspec

LONGEST = timedelta(days=7)  # what Signature Version 4 allows
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")


class Signer(msgspec.Struct, frozen=True):
    """Signs for one bucket.

    Attributes:
        bucket_url: what comes before a key, without a slash at the end.
    """

    bucket_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:  # no key reaches a log
        return f"Signer({self.bucket_url})"

    def url(self, key: str, *, media_type: str, now: datetime, expires_at: datetime) -> str:
        """Opens the object until `expires_at`, rounded down to a second, and no longer than a week.

        Within that week the same key, type and expiry give the same address, so that caches hold: the signature is dated
        a week before its end. Raises `ValueError` for a naive time or a media type with parameters: bugs of the caller.
        """
        if expires_at.tzinfo is None:
            raise ValueError("The expiry needs a time zone.")
        if not _MEDIA_TYPE.fullmatch(media_type):
            raise ValueError("A media type is type/subtype, in lower case, without parameters.")
        latest = now.replace(minute=0, second=0, microsecond=0) + LONGEST
        end = min(expires_at.replace(microsecond=0), latest).astimezone(UTC)
        # A browser that were told nothing would guess how long it may keep the picture, and might guess beyond its end.
        told = {"content-type": media_type, "cache-control": "private", "expires": format_datetime(end, usegmt=True)}
        return self.presigned(key, signed_at=end - LONGEST, lasting=LONGEST, response=told)

    def presigned(self, key: str, *, signed_at: datetime, lasting: timedelta, response: dict[str, str]) -> str:
        """A GET of `key`, valid from `signed_at` (UTC); `response` are headers that the answer is to have."""
        address = urlsplit(f"{self.bucket_url}/{key}")
        moment = signed_at.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        parameters = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self.access_key_id}/{scope}",
            "X-Amz-Date": moment,
            "X-Amz-Expires": str(int(lasting.total_seconds())),
            "X-Amz-SignedHeaders": "host",
        }
        if self.session_token:
            parameters["X-Amz-Security-Token"] = self.session_token
        parameters |= {f"response-{name}": value for name, value in response.items()}
        query = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(parameters.items()))
        path = quote(address.path, safe="/-_.~")
        request = f"GET\n{path}\n{query}\nhost:{address.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
        message = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.new(self._signing_key(scope), message.encode(), hashlib.sha256).hexdigest()
        return f"{address.scheme}://{address.netloc}{path}?{query}&X-Amz-Signature={signature}"

    def _signing_key(self, scope: str) -> bytes:
        key = f"AWS4{self.secret_access_key}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key
