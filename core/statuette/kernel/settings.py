"""The settings of a deployment, each described beside its field.

They come from the defaults here, then from `statuette.toml`, then from the environment (`STATUETTE_PORT`); the later
wins. A variable with `_FILE` at its end names a file that holds the value, for secrets. What reads all this is
`statuette.kernel.settings_loading`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta
from msgspec.structs import force_setattr

from statuette.kernel.toml_source import TomlSource

FIRST_PARTY_PLUGINS = (
    "sketch",
    "gemini",
    "local",
    "local_keys",
    "s3",
    "s3_keys",
    "smtp",
    "console",
    "classic_styles",
    "policies",
)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SECRET = {"secret": True}


class PluginTable(msgspec.Struct, frozen=True):
    """A raw `[plugins.<name>]` table and the file it stands in. May hold secrets."""

    name: str
    source: TomlSource

    @property
    def path(self) -> tuple[str, str]:
        return ("plugins", self.name)

    @property
    def data(self) -> dict[str, Any]:
        table: dict[str, Any] = self.source.value(self.path)
        return table


class Settings(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """All settings. Tests may construct it; everything else calls `load_settings`.

    `sources` says where each value was written, by field; `plugin_tables` are the raw tables of plugins by name.
    """

    profile: Annotated[
        Literal["embedded", "cluster"],
        Meta(
            description="`embedded`: one process does everything. `cluster`: several, on PostgreSQL.",
            examples=["embedded"],
        ),
    ] = "embedded"
    data_dir: Annotated[
        Path, Meta(description="Folder of everything the platform writes by itself.", examples=["/var/lib/statuette"])
    ] = Path("var")
    database_url: Annotated[
        str,
        Meta(
            description="`sqlite:///path` or `postgresql://user:password@host/name`; `DATABASE_URL` is read too."
            " Unless set, `statuette.db` in the data folder.",
            examples=["postgresql://statuette@db.internal/statuette"],
            extra=_SECRET,
        ),
    ] = ""
    database_pool_size: Annotated[
        int,
        Meta(
            description="Most connections to PostgreSQL that one process keeps. All processes together stay below the"
            " server's `max_connections`.",
            examples=[10],
            ge=2,
            le=200,
        ),
    ] = 10
    host: Annotated[str, Meta(description="Address to listen at.", examples=["0.0.0.0"])] = "127.0.0.1"  # noqa: S104
    port: Annotated[
        int, Meta(description="Port to listen at; 0 takes any free one.", examples=[8000], ge=0, le=65535)
    ] = 8000
    public_url: Annotated[
        str,
        Meta(
            description="Where people reach the platform, no slash at the end. Unless set, made of host and port.",
            examples=["https://api.example.com"],
        ),
    ] = ""
    allow_plain_http: Annotated[
        bool,
        Meta(
            description="Let `public_url` be `http://` on another host than this one: cookies travel in the clear.",
            examples=[False],
        ),
    ] = False
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks whose `X-Forwarded-For` is believed.",
            examples=[["10.0.0.0/8"]],
        ),
    ] = ()
    brands_dir: Annotated[
        Path, Meta(description="Folder of the brand files that `statuette brand apply` reads.", examples=["brands"])
    ] = Path("brands")
    allowed_plugins: Annotated[
        tuple[str, ...],
        Meta(
            description="Names of the plugins that may be loaded; any other that is installed is left alone.",
            examples=[["sketch", "local", "local_keys", "console", "classic_styles", "policies"]],
        ),
    ] = FIRST_PARTY_PLUGINS
    redis_url: Annotated[
        str | None,
        Meta(
            description="The Redis that carries hints of work, wake-ups and shared rate limits. `cluster` needs one; whatever it"
            " holds may be lost at any time.",
            examples=["redis://redis.internal:6379/0"],
            extra=_SECRET,
        ),
    ] = None
    redis_namespace: Annotated[
        str,
        Meta(
            description="What every key in Redis begins with, so that deployments can share one.",
            examples=["statuette"],
            pattern="^[a-z0-9_-]{1,60}$",
        ),
    ] = "statuette"
    shared_data_dir: Annotated[
        bool,
        Meta(
            description="The data folder is on a volume that every process reaches, so `cluster` may keep objects and data keys"
            " there.",
            examples=[False],
        ),
    ] = False
    drain_seconds: Annotated[
        float,
        Meta(
            description="How long a stopping API process goes on answering while `/readyz` says that it leaves, so that load"
            " balancers notice. `cluster` only.",
            examples=[5],
            ge=0,
            le=300,
        ),
    ] = 5.0
    stop_seconds: Annotated[
        float,
        Meta(
            description="How long a stopping process waits for the requests and jobs that it has in hand. A job that takes longer"
            " goes on in another process, which calls the model again and pays again: give workers as long as their slowest"
            " model may take, and supervisors a little longer.",
            examples=[30],
            ge=0,
            le=3600,
        ),
    ] = 20.0
    policy_packs: Annotated[
        tuple[str, ...],
        Meta(description="Policy packs in force for every brand.", examples=[["baseline"]], min_length=1),
    ] = ("baseline",)
    storage: Annotated[str, Meta(description="Name of the object store in use.", examples=["local"])] = "local"
    mailer: Annotated[
        str,
        Meta(
            description="Name of the mailer in use; `auto`: `smtp` if it is configured, else `console`.",
            examples=["smtp"],
        ),
    ] = "auto"
    key_store: Annotated[str, Meta(description="Name of the store of data keys in use.", examples=["local_keys"])] = (
        "local_keys"
    )
    master_key: Annotated[
        str | None,
        Meta(
            description="32 bytes in base64 that every other secret of the platform is derived from."
            " `embedded` makes one on first start, in the data folder; `cluster` needs it here or in a file.",
            examples=["<output of: openssl rand -base64 32>"],
            extra=_SECRET,
        ),
    ] = None
    master_key_file: Annotated[
        Path | None,
        Meta(
            description="File that holds the master key, instead of `master_key`.", examples=["/run/secrets/master_key"]
        ),
    ] = None
    journal_storage: Annotated[
        str | None,
        Meta(
            description="Name of the object store that the erasure journal is in, better off this host and apart from the pictures:"
            " `s3_journal` (see `journal_bucket` of the plugin `s3`), `local_journal` (see `journal_root` of the plugin `local`)."
            " Unless set, the store of `storage`.",
            examples=["s3_journal"],
        ),
    ] = None
    audit_report_days: Annotated[
        int,
        Meta(
            description="How long daily audit reports are kept, in days.",
            examples=[800],
            ge=30,
            le=3650,
        ),
    ] = 400
    backup_days: Annotated[
        int,
        Meta(
            description="Longest that you keep any backup of the database, in days. The erasure journal reaches back as far, so"
            " that nothing erased returns with a restore; an older backup is not restored.",
            examples=[30],
            ge=1,
            le=3650,
        ),
    ] = 30
    key_backup_days: Annotated[
        int,
        Meta(
            description="Longest that you keep any backup of the data keys, in days: for so long a destroyed key might still be"
            " found in one. `statuette backup` removes older ones. 0: there is none.",
            examples=[7],
            ge=0,
            le=3650,
        ),
    ] = 7
    longest_job_minutes: Annotated[
        int,
        Meta(
            description="A generation that is not over by then is ended and its credits released.",
            examples=[15],
            ge=1,
            le=1440,
        ),
    ] = 15
    worker_concurrency: Annotated[
        int, Meta(description="Jobs in flight in one process.", examples=[16], ge=1, le=2000)
    ] = 16
    worker_photo_bytes: Annotated[
        int,
        Meta(
            description="Bytes of photos that the calls of one process may carry at once; further ones wait. An SDK that encodes"
            " them may need five times as much memory.",
            examples=[268_435_456],
            ge=1_048_576,
        ),
    ] = 256 * 1024 * 1024
    pixel_workers: Annotated[
        int, Meta(description="Child processes that decode photos and pictures.", examples=[2], ge=1, le=64)
    ] = 2
    max_upload_bytes: Annotated[
        int, Meta(description="Largest photo taken in, in bytes.", examples=[20_971_520], ge=1024, le=104_857_600)
    ] = 20 * 1024 * 1024
    request_body_bytes: Annotated[
        int, Meta(description="Largest other request body, in bytes.", examples=[262_144], ge=1024, le=16_777_216)
    ] = 256 * 1024
    request_body_seconds: Annotated[
        float,
        Meta(description="Longest that a request body, photos included, may take to arrive.", examples=[60], gt=0),
    ] = 60.0
    requests_per_minute_per_principal: Annotated[
        int, Meta(description="Requests a minute that one account or key may send.", examples=[600], ge=1)
    ] = 600
    requests_per_minute_per_address: Annotated[
        int, Meta(description="Requests a minute from one network address without credentials.", examples=[120], ge=1)
    ] = 120
    signins_per_minute_per_address: Annotated[
        int,
        Meta(
            description="Codes asked for and tried, a minute, from one network address. More where many share one.",
            examples=[10],
            ge=1,
        ),
    ] = 10
    max_connections: Annotated[
        int,
        Meta(
            description="Connections that an API process serves at once; further ones wait. Nine tenths of them may watch jobs."
            " `cluster` only: there the limit of open files is raised to fit, as far as the system allows.",
            examples=[10_000],
            ge=100,
            le=1_000_000,
        ),
    ] = 10_000
    watched_jobs_per_account: Annotated[
        int,
        Meta(description="Jobs that one account may watch at once at one API process.", examples=[32], ge=1),
    ] = 32
    images_delivery: Annotated[
        Literal["stream", "redirect"],
        Meta(
            description="`stream` sends pictures through the platform; `redirect` points to signed addresses.",
            examples=["stream"],
        ),
    ] = "stream"
    session_days: Annotated[
        int, Meta(description="How long a sign-in on one device lasts.", examples=[30], ge=1, le=30)
    ] = 30
    docs_enabled: Annotated[bool, Meta(description="Serve the OpenAPI document and its pages.", examples=[True])] = True
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="Least severity that is logged.", examples=["info"]),
    ] = "info"
    otlp_endpoint: Annotated[
        str | None,
        Meta(
            description="Where traces and metrics are sent (OTLP over HTTP); nothing is sent unless this or"
            " `OTEL_EXPORTER_OTLP_ENDPOINT` is set.",
            examples=["http://collector:4318"],
        ),
    ] = None
    otlp_headers: Annotated[
        str | None,
        Meta(
            description="Headers that the receiver of traces and metrics wants, such as a key: `name=value`, separated by commas."
            " `OTEL_EXPORTER_OTLP_HEADERS` does the same.",
            examples=["authorization=Bearer <key>"],
            extra=_SECRET,
        ),
    ] = None
    trace_sampling: Annotated[
        float, Meta(description="Part of the requests that is traced, 0 to 1.", examples=[0.05], ge=0, le=1)
    ] = 0.05
    trust_incoming_traces: Annotated[
        bool,
        Meta(
            description="Go on in the trace that a request names (`traceparent`), recorded if it says so. Only where every caller"
            " is yours, or a proxy before the platform replaces the header; otherwise a trace only points at the caller's.",
            examples=[False],
        ),
    ] = False
    sources: dict[str, str] = {}
    plugin_tables: dict[str, PluginTable] = {}

    def __post_init__(self) -> None:
        if not self.database_url:
            force_setattr(self, "database_url", f"sqlite:///{self.data_dir / 'statuette.db'}")
        if not self.public_url:
            host = f"[{self.host}]" if ":" in self.host else self.host
            force_setattr(self, "public_url", f"http://{host}:{self.port}")

    def __repr__(self) -> str:  # a secret or an address with a password never reaches a log
        return f"Settings({self.profile}, {self.data_dir})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("profile", self.profile), ("data_dir", self.data_dir)]

    @property
    def secure_cookies(self) -> bool:
        """Whether people reach the platform over TLS."""
        return urlsplit(self.public_url).scheme == "https"

    def source(self, field: str) -> str:
        """Where the value was written: `statuette.toml:3`, the name of a variable, or `default`."""
        return self.sources.get(field, "default")


def is_loopback(host: str | None) -> bool:
    return host in _LOOPBACK


class SettingInfo(msgspec.Struct, frozen=True):
    """What a reference page says of one setting."""

    name: str
    variable: str
    form: Any
    default: Any
    description: str
    example: Any
    secret: bool


def reference() -> list[SettingInfo]:
    """Every setting in the order of the struct, for the loader and for the docs."""
    described = []
    for field in msgspec.structs.fields(Settings):
        meta = next((part for part in getattr(field.type, "__metadata__", ()) if isinstance(part, Meta)), None)
        if meta is not None:
            described.append(
                SettingInfo(
                    name=field.name,
                    variable=f"STATUETTE_{field.name.upper()}",
                    form=field.type,
                    default=field.default,
                    description=meta.description or "",
                    example=(meta.examples or [None])[0],
                    secret=bool((meta.extra or {}).get("secret")),
                )
            )
    return described
