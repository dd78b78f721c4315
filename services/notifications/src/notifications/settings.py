"""The service's settings."""

from email.utils import parseaddr
from typing import Annotated, Literal, Self

import jwt
from pydantic import Field, SecretStr, field_validator, model_validator

from chassis.api.addresses import address_of
from chassis.api.webhooks import SECRET_MIN_BYTES, require_key
from chassis.settings import AS_JSON, ServiceSettings
from chassis.urls import is_safe
from notifications.channels.message import Mailbox
from notifications.channels.signing import Signer
from notifications.domain.pressure import Budget
from notifications.names import FRONT_DESK

_HOST = r"^[a-z0-9-]+(\.[a-z0-9-]+)+$"


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
    dkim_domain: str = Field(
        "", pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)+)?$", description="which domain vouches for our mail"
    )
    dkim_selector: str = Field(
        "", pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)*)?$", description="under which name DNS has the public key"
    )
    dkim_key: SecretStr = Field(SecretStr(""), description="the RSA key to sign with, PEM")
    customer_pages_url: str = Field(
        "",
        pattern=r"^(https?://[^/?#]+)?$",
        description="where customers reach their own pages, `https://...`; empty: messages carry no way out",
    )
    company: str = Field(
        "", max_length=100, description="who we are to customers, `company_name`; empty: as mail_from says"
    )
    sms_gateway_url: str = Field(
        "", pattern=r"^(https?://[^\s]+)?$", description="the gateway of text messages; empty: none are sent"
    )
    sms_gateway_secret: SecretStr = Field(
        SecretStr(""), description="what it knows us by: `whsec_` and base64, or text"
    )
    vonage_application: str = Field(
        "",
        pattern=r"^([0-9a-f-]{36})?$",
        description="the id of an application at Vonage, which takes text messages in place of a gateway",
    )
    vonage_key: SecretStr = Field(SecretStr(""), description="that application's private key, PEM")
    vonage_url: str = Field(
        "https://api.nexmo.com/v1/messages", pattern=r"^https?://[^\s]+$", description="its Messages API"
    )
    sms_sender: str = Field(
        "",
        pattern=r"^([A-Za-z0-9 ]{1,11}|[0-9]{4,15})?$",
        description="whom text messages by Vonage are from: a number of ours without +, or a name",
    )
    sms_segments: int = Field(6, ge=1, le=20, description="how many segments a text message may take")
    front_desk: str = Field(
        FRONT_DESK,
        pattern=r"^agents/",
        description="who signs for customers whom nobody in person looks after; a person, better than a desk",
    )
    notices_per_customer: int = Field(
        20,
        ge=1,
        description="notices of one purpose that departments may send a customer within 24 hours; what"
        " policies tell of promises is neither counted nor refused",
    )
    contacts_per_week: int = Field(
        5,
        ge=1,
        description="messages that a customer is sent in 7 days before what can wait is deferred, whichever"
        " departments they are of; what is essential, or urgent, is counted and never kept back",
    )
    category_contacts_per_week: Annotated[dict[str, Annotated[int, Field(ge=1)]], *AS_JSON] = Field(
        {"marketing": 3, "survey": 1},
        description="JSON: of how many of them at most may be for purposes of a category, by its code",
    )
    call_first_hours: int = Field(
        24,
        ge=1,
        le=240,
        description="in which a person is to tell who is fragile, or of the highest value, of a delay; then,"
        " or an hour before the promise is due, the message is sent all the same",
    )
    review_texts: bool = Field(
        False, description="a second person approves every text, also of templates that do not ask for it"
    )
    link_hosts: Annotated[list[Annotated[str, Field(pattern=_HOST)]], *AS_JSON] = Field(
        [],
        description="JSON: the hosts to which and under which texts may have links; empty: any that does not"
        " hide where it leads",
    )
    inbox_days: int = Field(
        90, ge=1, le=3650, description="for how long a message is kept in the inbox that its customer reads"
    )
    send_at_once: int = Field(8, ge=1, le=100, description="messages that one process hands over at a time")
    smtp_per_minute: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="mail a minute that the mail server gets, of all replicas; 0: no limit",
    )
    sms_per_minute: int = Field(
        0, ge=0, le=1_000_000, description="text messages a minute, of all replicas; 0: no limit"
    )
    send_prepare_timeout_s: float = Field(
        30, gt=0, le=600, description="how long asking whom to reach and connecting may take"
    )
    send_answer_timeout_s: float = Field(
        600,
        gt=0,
        le=3600,
        description="how long the mail server may take to answer to a message; then the outcome is unknown",
    )
    retry_first_s: float = Field(5, gt=0, le=600, description="pause after the first failure; it doubles")
    retry_longest_s: float = Field(300, gt=0, le=86400, description="the longest pause between attempts")

    @field_validator("mail_from")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        address = address_of(parseaddr(value)[1])
        if address is None or address.needs_utf8:
            raise ValueError("the part before the @ must be ASCII, and the whole an e-mail address")
        return value

    @field_validator("customer_pages_url")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        """Who sees a link of a customer's has their pages; nor has a message a link that is not safe."""
        if value and not is_safe(value):
            raise ValueError(f"must begin with https://, or be of this machine, not {value}")
        return value

    @model_validator(mode="after")
    def _texts(self) -> Self:
        try:
            if self.sms_gateway_url:
                require_key(self.sms_gateway_secret.get_secret_value())
        except ValueError:
            told = f"must be of at least {SECRET_MIN_BYTES} bytes, as text or `whsec_` and base64"
            raise ValueError(f"sms_gateway_secret: {told}") from None
        return self

    @model_validator(mode="after")
    def _by_vonage(self) -> Self:
        if not self.vonage_application:
            return self
        if self.sms_gateway_url:
            raise ValueError("sms_gateway_url and vonage_application: one of them takes text messages")
        if not self.sms_sender:
            raise ValueError("sms_sender: must be given with vonage_application")
        try:
            jwt.encode({}, self.vonage_key.get_secret_value(), "RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise ValueError("vonage_key: must be an RSA key, PEM") from None
        return self

    @model_validator(mode="after")
    def _signs(self) -> Self:
        given = [self.dkim_domain, self.dkim_selector, self.dkim_key.get_secret_value()]
        if any(given) and not all(given):
            raise ValueError(
                "dkim_domain, dkim_selector and dkim_key: must be given together, or none of them"
            )
        if self.signer is None:
            return self
        if not f".{self.sender.address.domain}".endswith(f".{self.dkim_domain}"):
            raise ValueError("dkim_domain: must be that of mail_from, or one above it")
        return self

    @property
    def company_name(self) -> str:
        """Who we are to customers; empty where nobody says it."""
        return self.company or self.sender.name

    @property
    def budget(self) -> Budget:
        """How many messages a customer is sent at most within a week."""
        return Budget(self.contacts_per_week, self.category_contacts_per_week)

    @property
    def signer(self) -> Signer | None:
        """What signs our mail; None when nothing does."""
        key = self.dkim_key.get_secret_value().encode()
        return Signer(self.dkim_domain, self.dkim_selector, key) if key else None

    @property
    def sender(self) -> Mailbox:
        """`mail_from`, read."""
        name, text = parseaddr(self.mail_from)
        address = address_of(text)
        assert address is not None, "checked above"
        return Mailbox(name, address)
