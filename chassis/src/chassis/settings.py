"""A service's settings: environment variables, validated once at start."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import structlog
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from chassis.db.schema import AUDIT_DAYS, CAUSES_DAYS
from chassis.names import SERVICE

S = TypeVar("S", bound=BaseSettings)

EXIT_WRONG_SETTINGS = 2
PEPPER_LEAST = 32  # characters

_log = structlog.get_logger()


class WrongSettings(Exception):
    """Settings that are each well formed and together cannot work. The message says what is needed."""


def _is_long(value: SecretStr) -> SecretStr:
    if 0 < len(value.get_secret_value()) < PEPPER_LEAST:
        raise ValueError(f"must have {PEPPER_LEAST} characters or more")
    return value


Pepper = Annotated[SecretStr, AfterValidator(_is_long)]
"""A key for hashes of what is short enough to be guessed, of 32 characters or more; empty for none."""


def _decoded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


AS_JSON = (NoDecode, BeforeValidator(_decoded))
"""For `Annotated[..., *AS_JSON]`: a setting written as JSON. The library's own error is a traceback."""


class Files(PydanticBaseSettingsSource):
    """`RAPPORT_<NAME>_FILE` names a file that holds the setting, such as one of a mounted secret."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """What the file of one setting says; None without one. WrongSettings."""
        variable = _variable(field_name)
        file = os.environ.get(f"{variable}_FILE")
        if file is None:
            return None, field_name, False
        if variable in os.environ:
            raise WrongSettings(f"{variable} and {variable}_FILE are both given: one of them must go.")
        try:
            return Path(file).read_text().rstrip("\r\n"), field_name, self.field_is_complex(field)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise WrongSettings(f"{variable}_FILE: {file} cannot be read: {why}.") from None

    def __call__(self) -> dict[str, Any]:
        found = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, is_complex = self.get_field_value(field, name)
            if value is not None:
                found[key] = self.prepare_field_value(name, field, value, is_complex)
        return found


class Sources(BaseSettings):
    """Whom a service that listens to every other may hear."""

    model_config = SettingsConfigDict(env_prefix="RAPPORT_", extra="ignore", frozen=True)

    sources: Annotated[list[Annotated[str, Field(pattern=f"^{SERVICE}$")]], NoDecode] = Field(
        default_factory=list,
        description="names of services, with commas between: who listens to all hears these too, "
        "besides those whose contracts are installed",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **no_others: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, Files(settings_cls)

    @field_validator("sources", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return value.replace(" ", "").split(",") if value and isinstance(value, str) else value or []

    def heard(self) -> list[str]:
        """The services that it hears, in alphabetical order."""
        from chassis.events import registry

        return sorted({*registry.sources(), *self.sources})


class ServiceSettings(Sources):
    """What every service is told by its environment, as `RAPPORT_<NAME>`. A service inherits and adds."""

    database_url: str = Field(
        pattern=r"^postgres(ql)?://",
        description="`postgresql://user:password@host:port/database` of this service",
    )
    database_owner_url: str = Field(
        "",
        pattern=r"^(postgres(ql)?://.*)?$",
        description="as `database_url`, of the role that owns the tables; `migrate` alone reads it",
    )
    database_tls_dir: Path | None = Field(
        None,
        description="the folder with `ca.crt` that PostgreSQL is known by, and with `tls.crt` and `tls.key`"
        " when it wants to know who comes; none: what the URL says (`sslmode`)",
    )
    nats_url: str = Field(pattern=r"^(nats|tls)://", description="`nats://user:password@host:port`")
    nats_admin_url: str = Field(
        "", description="as `nats_url`, with the right to create streams; `provision` alone reads it"
    )
    nats_tls_dir: Path | None = Field(
        None,
        description="as `database_tls_dir`, of NATS, whose URL is `tls://` then; "
        "none: `tls://` trusts whom the system trusts",
    )
    jwks_url: str = Field(
        pattern=r"^(file|https)://",
        description="where the issuer publishes its keys: `https://` or `file://`",
    )
    issuer: str = Field(
        min_length=1, description="the `iss` of the issuer's tokens, exactly as its tokens have it"
    )
    cluster_issuer: str = Field(
        "", description="the `iss` of the tokens of a cluster's service accounts; empty: those are nobody"
    )
    cluster_jwks_url: str = Field(
        "", pattern=r"^((file|https)://.*)?$", description="as `jwks_url`, of the cluster's issuer"
    )
    cluster_accounts: Path | None = Field(
        None, description="JSON file: which service each of the cluster's service accounts is"
    )
    tls_dir: Path | None = Field(
        None,
        description="the folder with `tls.crt`, `tls.key` and `ca.crt`: other services are called with TLS, "
        "and only who shows a certificate of that authority is answered; none: no TLS",
    )
    token_file: Path | None = Field(
        None, description="this service's own token for calls to other services; re-read when it changes"
    )
    peers: Annotated[dict[str, str], *AS_JSON] = Field(
        default_factory=dict,
        description="JSON: the gRPC address of each service that this one calls, by name",
    )
    host: str = Field("0.0.0.0", description="the address to listen on")  # noqa: S104 - a pod's own address
    grpc_port: int = Field(0, ge=0, lt=32768, description="0 means the service's own port")
    http_port: int = Field(0, ge=0, lt=32768, description="health and metrics; 0 means the gRPC port + 100")
    web_port: int = Field(
        0, ge=0, lt=32768, description="pages and REST, of a service that has them; 0 means its own port"
    )
    pool_size: int = Field(12, ge=4, le=100, description="database connections of one process")
    replicas: int = Field(1, ge=1, le=5, description="copies of each JetStream stream; 3 in production")
    stream_gib: int = Field(1, ge=1, le=10_000, description="how large its stream may grow, in GiB")
    keep_causes_days: int = Field(
        CAUSES_DAYS, ge=31, description="how long Explain finds why something was; `migrate` alone reads it"
    )
    keep_audit_days: int = Field(
        AUDIT_DAYS, ge=31, description="how long the audit is kept; `migrate` alone reads it"
    )
    startup_timeout_s: float = Field(
        60, gt=0, description="how long to wait for database and broker at start"
    )
    drain_wait_s: float = Field(
        0,
        ge=0,
        le=30,
        description="pause between 'not ready' and closing, for load balancers; 5 in Kubernetes",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least severe line to write"
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="`auto` is console on a terminal, JSON elsewhere"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.nats_tls_dir and not self.nats_url.startswith("tls://"):
            raise ValueError("RAPPORT_NATS_TLS_DIR is for a RAPPORT_NATS_URL that begins with tls://")
        cluster = bool(self.cluster_issuer), bool(self.cluster_jwks_url), bool(self.cluster_accounts)
        if len(set(cluster)) > 1:
            names = "RAPPORT_CLUSTER_ISSUER, RAPPORT_CLUSTER_JWKS_URL and RAPPORT_CLUSTER_ACCOUNTS"
            raise ValueError(f"{names} go together: all of them, or none")
        if self.cluster_issuer == self.issuer:
            raise ValueError("RAPPORT_CLUSTER_ISSUER must be another than RAPPORT_ISSUER")
        return self

    def current(self, name: str) -> Any:
        """A setting that may change while the service runs: as its file has it now, if it has a file.

        While that cannot be, it is as it was at the start.
        """
        if f"{_variable(name)}_FILE" in os.environ:
            try:
                return getattr(type(self)(), name)
            except (WrongSettings, ValidationError, SettingsError) as error:
                _log.error("a setting's file cannot be used", setting=name, error=type(error).__name__)
        return getattr(self, name)

    @property
    def keeping(self) -> dict[str, int]:
        """For how many days what is kept, where that is for the installation to say."""
        return {"causes": self.keep_causes_days, "audit": self.keep_audit_days}


def load(settings: type[S]) -> S:
    """The settings from the environment. Exits with code 2 and one clear line for each wrong variable."""
    try:
        return settings()
    except WrongSettings as wrong:
        sys.stderr.write(f"{wrong}\n")
        sys.exit(EXIT_WRONG_SETTINGS)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            if not problem["loc"]:  # of several together
                sys.stderr.write(f"{problem['msg']}\n")
                continue
            field = str(problem["loc"][0])
            described = field in settings.model_fields and settings.model_fields[field].description
            what = f". It is: {described}" if described else ""
            sys.stderr.write(f"{_variable(field)}: {problem['msg']}{what}\n")
        sys.exit(EXIT_WRONG_SETTINGS)


def _variable(setting: str) -> str:
    return f"RAPPORT_{setting.upper()}"
