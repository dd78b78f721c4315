"""The service's settings."""

from typing import Literal

from pydantic import Field, SecretStr

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the notifications service is told beyond what every service is."""

    smtp_host: str = Field(min_length=1, description="the mail server that takes our mail")
    smtp_port: int = Field(587, gt=0, lt=65536, description="its port")
    smtp_security: Literal["none", "starttls", "tls"] = Field("starttls", description="how to connect")
    smtp_username: str = Field("", description="for logging in; empty means without login")
    smtp_password: SecretStr = Field(SecretStr(""), description="for logging in")
    mail_from: str = Field(
        "Rapport <notices@rapport.local>",
        pattern=r"^([^<>@\r\n]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$",
        description="who mail is from; its domain is that of our Message-IDs",
    )
    front_desk: str = Field(
        "agents/front-desk",
        pattern=r"^agents/",
        description="who is named for a customer without a manager",
    )
    send_timeout_s: float = Field(
        30, ge=1, le=600, description="after which an attempt whose outcome is unknown is made again"
    )
    retry_first_s: float = Field(5, gt=0, le=600, description="pause after the first failure; it doubles")
    retry_longest_s: float = Field(300, gt=0, le=86400, description="the longest pause between attempts")
