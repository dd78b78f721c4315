"""What the desk is told by its environment."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from chassis.settings import AS_JSON, ServiceSettings
from chassis.urls import is_safe

FRONT_DESK = "agents/front-desk"  # who is always in the directory, and nobody in particular


class Settings(ServiceSettings):
    """The service's settings."""

    rest_timeout_s: float = Field(
        5.0, gt=0, le=30, description="how long a call over REST may take that does not say"
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://[^/?#@\s]+)?$",
        description="where browsers reach the desk, such as `https://desk.example.org`; `https://`, or "
        "`http://` on this machine alone; empty means this machine",
    )
    oidc_client_id: str = Field(
        "", description="the desk's name at the identity provider; without it nobody signs in to pages"
    )
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="goes with it; empty for a public client"
    )
    oidc_issuer: str = Field(
        "",
        pattern=r"^(https?://[^?#@\s]+)?$",
        description="where the provider is discovered: its issuer URL, when RAPPORT_ISSUER is not that",
    )
    oidc_scope: str = Field(
        "openid profile", pattern=r"(^| )openid( |$)", description="what is asked for, with blanks between"
    )
    oidc_audience: str = Field(
        "", description="sent as `audience`, to providers that make access tokens for an API only so"
    )
    session_idle_minutes: int = Field(
        60, ge=5, le=24 * 60, description="after how long without a request a session ends"
    )
    session_hours: int = Field(12, ge=1, le=24, description="after how long a session ends in any case")
    traces_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="where the trace store answers Jaeger's query API, before its /api/v3; "
        "empty for none: then the desk shows no traces",
    )
    trace_link: str = Field(
        "",
        pattern=r"^(https?://\S*\{trace_id\}\S*)?$",
        description="where the installation's trace UI shows a trace, with {trace_id} in it; empty for none",
    )

    company: str = Field(
        "",
        max_length=100,
        description="who we are to customers: stands on their own pages, and in the titles of these",
    )
    front_desk: str = Field(
        FRONT_DESK,
        pattern=r"^agents/",
        description="whom customers' own pages name where nobody in person looks after them: as the "
        "notifications service is told",
    )
    customer_channels: Annotated[list[Literal["voice", "letter", "sms", "app"]], *AS_JSON] = Field(
        ["voice"],
        description="JSON: by which channels customers are reached here beside those that the notifications "
        "service has providers of, so that their own pages offer them: `app` where an app shows the inbox, "
        "`letter` and `sms` where something else sends them",
    )
    customer_proxies: int = Field(
        0,
        ge=0,
        le=8,
        description="how many proxies of ours stand before customers' own pages, each of which adds whom it "
        "saw to X-Forwarded-For; 0: nobody's word is taken for an address",
    )
    file_mib: int = Field(
        20, ge=1, le=100, description="how large a file may be that somebody imports at the desk, in MiB"
    )
    file_days: int = Field(
        7, ge=1, le=30, description="how long files are kept that were imported or exported at the desk"
    )
    webhooks_dir: Path | None = Field(
        None, description="the folder with a file `<name>.json` for each source of webhooks; none: no source"
    )
    webhooks_keep_days: int = Field(
        30, ge=1, le=400, description="how long payloads of webhooks are kept that were recorded or dropped"
    )
    webhooks_wait_days: int = Field(
        90, ge=1, le=365, description="for how long a person may decide; then a webhook is dropped"
    )
    webhooks_call_limit_s: int = Field(
        7200,
        ge=60,
        le=86_400,
        description="after how long of silence a call is recorded whose end is not told",
    )
    mail_port: int = Field(
        0, ge=0, lt=32768, description="where mail is taken by SMTP, from mail servers of ours; 0 for nowhere"
    )
    mail_source: str = Field("mail", description="the source that mail by SMTP is of, of the kind `email`")

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        """Tokens and cookies do not travel in the clear, but within one machine."""
        for name, url in (("public_url", self.public_url), ("oidc_issuer", self.provider_url)):
            if (self.oidc_client_id or name == "public_url") and url and not is_safe(url):
                raise ValueError(f"{name} must begin with https://, or be of this machine, not {url}")
        return self

    @property
    def site_url(self) -> str:
        """Where browsers reach the desk."""
        return self.public_url or f"http://127.0.0.1:{self.web_port or 8080}"

    @property
    def provider_url(self) -> str:
        return self.oidc_issuer or self.issuer
