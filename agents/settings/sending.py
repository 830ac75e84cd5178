"""The settings of what sends: mail server, SMS provider, limits. Part of `agents.settings.settings.Settings`."""

from __future__ import annotations

from dataclasses import dataclass

from . import values
from .values import setting


@dataclass(frozen=True, kw_only=True)
class SenderSettings:
    """How messages go out."""

    smtp_host: str = setting("127.0.0.1", values.host)
    """The mail server that takes our e-mails."""

    smtp_port: int = setting(587, values.whole(1, 65535))
    """Its port: 587 with `starttls`, mostly 465 with `implicit`, 25 with `none`."""

    smtp_tls: str = setting("starttls", values.one_of("starttls", "implicit", "none"))
    """`starttls`: encryption is asked for and required, never silently left out. `implicit`: encrypted from the first byte.
    `none`: plain text, for a server on this machine or in tests; names and appointments are readable on the way."""

    smtp_user: str | None = setting(None)
    """Who we are to the mail server; without it we do not log in. Needs `smtp_password`."""

    smtp_password: str | None = setting(None, secret=True)
    """The password that goes with `smtp_user`."""

    smtp_timeout_seconds: float = setting(15.0, values.seconds(0.1, 18))
    """How long one e-mail may take in all, seconds. Over it it goes again after some 15 s. If the server had it whole by then,
    nobody knows what became of it: it goes again with the same Message-ID, and may arrive twice."""

    email_slots: int = setting(4, values.whole(1, 100))
    """Connections to the mail server that one worker has open at most, each with one e-mail at a time."""

    message_domain: str = setting("localhost", values.host)
    """The domain in our e-mails' Message-ID. Spam filters want one that is ours; the default is for one machine."""

    email_rate: float | None = setting(None, values.rate)
    """E-mails a second that one worker sends at most. Without it: as many as its connections take."""

    dkim_domain: str | None = setting(None, values.host)
    """The domain that signs our e-mails (DKIM, RFC 6376), of the senders' addresses if DMARC is to pass. Without it they go
    unsigned: right only where the mail server signs them, with both List-Unsubscribe headers (RFC 8058). Needs `dkim_key`."""

    dkim_selector: str = setting("afspraakbericht", values.name)
    """Where the public key is: a TXT record of `<dkim_selector>._domainkey.<dkim_domain>`."""

    dkim_key: str | None = setting(None, secret=True)
    """The private key that goes with it, PEM (RSA, 2048 bits or more). It has lines: best given by `…_FILE`."""

    sms_provider: str = setting("messagebird", values.one_of("messagebird", "bird"))
    """`messagebird`: its classic API, which it retires after 2026. `bird`: the new one of the same company."""

    messagebird_url: str = setting("https://rest.messagebird.com/", values.url)
    """The address of MessageBird's classic API, or of a gateway that answers like it."""

    messagebird_key: str | None = setting(None, secret=True)
    """The access key of that API. A `test_` key sends nothing. A worker that sends by it does not start without."""

    bird_url: str | None = setting(None, values.url)
    """The address of the new API. Default: the one that belongs to the region in its key."""

    bird_key: str | None = setting(None, secret=True)
    """The access key of the new API. A worker that sends by it does not start without."""

    sms_timeout_seconds: float = setting(10.0, values.seconds(0.1, 18))
    """How long one request to the SMS provider may take, seconds. Over it nobody knows whether the SMS was sent: without a status
    report within 10 minutes it goes once more, and may arrive twice. To `bird`, which knows a repetition, it goes again after
    some 15 s."""

    sms_slots: int = setting(128, values.whole(1, 500))
    """SMS that one worker has under way at most, from its claim in the ledger to the provider's answer: messages a second times
    the seconds that both take, and some to spare. The default bears 350 a second at a provider that takes 0.1 s to answer."""

    sms_rate: float | None = setting(450.0, values.rate)
    """Messages a second that one worker gives the SMS provider at most. It takes 500 requests a second of an account."""

    organisation_rate: float | None = setting(20.0, values.rate)
    """Messages a second of one organisation and channel that one worker sends at most: a flood of one takes long enough to be
    stopped (`afspraakbericht hold`). Organisations take turns in any case."""

    report_url: str | None = setting(None, values.url)
    """The public base of the webhook that takes the SMS provider's status reports. Without it nobody learns `delivered`."""

    messagebird_signing_keys: tuple[str, ...] = setting((), values.keys, secret=True)
    """Keys with which the SMS provider signs its status reports (not the access key). Without one every report is refused."""

    bird_webhook_secrets: tuple[bytes, ...] = setting((), values.webhook_secrets, secret=True)
    """Secrets with which the new API signs its status reports, `whsec_…`, which it shows when `<web>/webhooks/bird` is told to it
    (`webhooks.create`, with the events `sms.*`). Without one every report is refused."""
