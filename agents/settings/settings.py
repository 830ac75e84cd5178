"""Every setting: what it means, its unit, its default and what follows from it.

Read from variables `AFSPRAAKBERICHT_<NAME>`, below them from the TOML file that AFSPRAAKBERICHT_SETTINGS names (same names,
lower case, without the prefix), below that from the defaults here. `<NAME>_FILE` names a file that has the value, as
container platforms hand out secrets: the TOML file may name one, and has no secret
itself. An empty variable counts as not set. `AFSPRAAKBERICHT_TEST_*` is left to the tests.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self

from schemas.topics import AUDIT_DAYS, OPT_OUT_DAYS, TEXT_DAYS

from . import values
from .kafka import KafkaSettings
from .listening import ListenerSettings
from .sending import SenderSettings
from .values import setting as _setting

PREFIX = "AFSPRAAKBERICHT_"
FILE = f"{PREFIX}SETTINGS"
KUBERNETES = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_\w+)?)?)")
"""What Kubernetes adds for each Service whose name starts with `afspraakbericht`."""

NEEDS = (("smtp_user", "smtp_password"), ("unsubscribe_url", "unsubscribe_keys"), ("dkim_domain", "dkim_key"))
"""Settings that are worth nothing without another one."""

Source = Literal["default", "file", "environment"]


class SettingsError(Exception):
    """A setting cannot be; one line that names it, its value (not of a secret) and what is expected."""


@dataclass(frozen=True, kw_only=True)
class Settings(SenderSettings, ListenerSettings, KafkaSettings):
    """The settings in force. Frozen: what a worker started with is what it runs with."""

    skip_records: tuple[tuple[str, int, int], ...] = _setting((), values.places)
    """Records of input and internal topics that workers set aside in `dead-letters` unread, `topic/partition/offset` each: the
    way past one on which our code fails (RUNBOOK.md "Poison"). The same for all workers; take it away once that is mended."""

    producers: Path | None = _setting(None, values.folder)  # noqa: RUF009  # it is a field
    """The JSON file of what is agreed with those who write to `fhir` and `hl7v2`: organisation, time zone, whose identifiers name
    clients (schemas/README.md). The same for all workers. Without it all that comes there goes to `dead-letters`."""

    data: Path = _setting(Path("data"), values.folder)  # noqa: RUF009  # it is a field
    """The folder for what this machine keeps: the embedded broker's records, a worker's local state. Losing a worker's costs
    time, not data: it is rebuilt from the changelogs."""

    text_days: int = _setting(TEXT_DAYS, values.whole(1, 36_525))
    """For how many days texts and masked addresses of messages are kept: in `delivery-log`, which goes after that time, and in
    the web service's projection, which then keeps the facts alone. Months that are to be billed or charted must lie within it."""

    audit_days: int = _setting(AUDIT_DAYS, values.whole(1827, 36_525))
    """For how many days the audit facts are kept: who was told what kind of thing, when, how, with which outcome. NEN 7513 asks
    for five years, so less is refused. They go when `afspraakbericht retention` runs. `access-log` is kept as long."""

    opt_out_days: int = _setting(OPT_OUT_DAYS, values.whole(365, 36_525))
    """For how many days `opt-outs` is kept. A worker knows them for ever from its own rows; the topic is what it would learn them
    from if it began anew, under another `application` for one, so what is older would then be lost."""

    snapshot_patience_seconds: float = _setting(600.0, values.seconds(1, 86_400))
    """How long an appointment that a snapshot of an agenda misses is doubted: one of so much later that misses it too makes it
    cancelled. Longer than a source takes to recover, and than two answers of one failure are apart."""

    store: str = _setting("memory", values.one_of("memory", "rocksdb"))
    """Where a worker keeps its tables. `rocksdb`, on disk below `data`: for tables larger than memory, and a restart reads only
    what came since. It costs processor time on each event. Needs the extra `rocksdb`; no two workers may share `data`."""

    jars: Path | None = _setting(None, values.folder)  # noqa: RUF009  # it is a field
    """Where the embedded broker keeps Kafka's jars. Default: `afspraakbericht` in the user's cache folder (XDG_CACHE_HOME)."""

    unsubscribe_url: str | None = _setting(None, values.url)
    """The public base of the unsubscribe links, https://afspraakbericht.example/u/ for one; the token follows. Without it
    e-mails have no such link. Needs `unsubscribe_keys`."""

    unsubscribe_keys: tuple[str, ...] = _setting((), values.keys, secret=True)
    """Keys that sign the unsubscribe links, with commas between them: the first signs, all are accepted. To change keys, put the
    new one first and keep the old one as long as its e-mails may be read: its links work no longer without it."""

    reference_keys: tuple[str, ...] = _setting((), values.keys, secret=True)
    """Keys that seal the references by which SMS status reports find their message, with commas between them: the first seals,
    all are accepted, and the unsubscribe keys are, too. The web service and the workers need the same. Without any the
    unsubscribe keys seal them: a change of those must then keep the old one for three days, until the last report is in."""

    log_level: str = _setting("info", values.one_of("debug", "info", "warning", "error"))
    """Lines below this level are not written. The libraries below us are never more talkative than `warning`."""

    log_format: str = _setting("auto", values.one_of("auto", "json", "console"))
    """`json`: one object a line. `console`: for eyes. `auto`: console if stderr is a terminal, else JSON."""

    metrics_port: int | None = _setting(None, values.whole(1, 65535))
    """The port of `/metrics` (Prometheus), `/live` and `/ready`, of a worker and of the web; without it there are none."""

    metrics_host: str = _setting("127.0.0.1", values.host)
    """The address that port is opened on. The default is this machine only: nobody has to log in, so open it (0.0.0.0, or ::)
    only where a network policy or a firewall keeps others away, as in a container. No personal data is told there."""

    web_host: str = _setting("127.0.0.1", values.host)
    """Where `afspraakbericht web` listens. Loopback by default: TLS is a proxy's work, in front of it."""

    web_port: int = _setting(8080, values.whole(0, 65535))
    """Its port; 0 takes a free one, which the log names."""

    web_url: str | None = _setting(None, values.url)
    """The public base of the web service. Without it: the address on which it listens. Cookies are Secure where it is https."""

    web_publish_seconds: float = _setting(5.0, values.seconds(0.1, 60))
    """How long a page waits for Kafka's acknowledgement before it answers 503."""

    web_slow_seconds: float = _setting(10.0, values.seconds(0.1, 600))
    """How long a request may take to come in. A slower one gets 408, or, before its headers are there, a closed connection, as
    who takes nothing of an answer for so long."""

    web_database: str | None = _setting(None, secret=True)
    """The projection behind the overview, as an SQLAlchemy URL (it may hold a password). Default: SQLite in the `data` folder."""

    api_keys: Path | None = _setting(None, values.folder)  # noqa: RUF009  # it is a field
    """The TOML file of third parties' keys, as `afspraakbericht api-key` prints them. Without it every key is refused."""

    api_per_minute: int = _setting(600, values.whole(1, 1_000_000))
    """Requests a minute that one key may make on average, and at once after a quiet minute. More get 429."""

    session_keys: tuple[str, ...] = _setting((), values.keys, secret=True)
    """Keys that seal sessions of the overview, newest first. Without it one is made at start: a restart signs everybody out."""

    accounts: Path | None = _setting(None, values.folder)  # noqa: RUF009  # it is a field
    """The TOML file of local accounts, as `afspraakbericht web --account` prints them: for development, or where there is no
    OpenID Connect."""

    oidc_issuer: str | None = _setting(None, values.url)
    """The OpenID Connect provider. Needs `oidc_client`, `oidc_secret` and `web_url`; sign-in then goes by it."""

    oidc_client: str | None = _setting(None)
    """Who we are to that provider."""

    oidc_secret: str | None = _setting(None, secret=True)
    """The secret that goes with `oidc_client`."""

    oidc_claim: str = _setting("organisation")
    """The claim in the ID token that names the organisation of who signs in."""

    oidc_roles_claim: str | None = _setting(None)
    """The claim in the ID token with the roles of who signs in, a list or words with spaces: `inzage` (texts and clients),
    `kosten` (sums alone), `beheer` (settings, and who looked); with dots it is one inside another, as `realm_access.roles`.
    Who has none of them sees nothing. Without this setting everybody has all of them, and the log warns of it at start."""

    sources: Mapping[str, Source] = field(default_factory=dict, repr=False, compare=False)
    """Where each setting came from; not a setting itself."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str], file: Path | None = None) -> Self:
        """Read the settings from a mapping like `os.environ` over a TOML file.

        Raises SettingsError at the first that cannot be.
        """
        ours = {key: value for key, value in environ.items() if key.startswith(PREFIX) and value}
        named = ours.pop(FILE, None)
        path = file or (Path(named).expanduser() if named else None)
        layers: list[tuple[Source, str, dict[str, str]]] = [("environment", "", ours)]
        if path is not None:
            layers.append(("file", f" in {path}", _toml(path)))
        found: dict[str, Any] = {}
        sources: dict[str, Source] = {}
        for source, where, layer in layers:
            _refuse_unknown(layer, where)
            if source == "file":
                _refuse_secrets(layer, where)
            for setting in names():
                raw = _lookup(layer, setting, where)
                if raw is not None and setting not in found:
                    found[setting], sources[setting] = _read(setting, raw, where), source
        return cls(**found, sources=MappingProxyType({name: sources.get(name, "default") for name in names()}))

    def for_worker(self) -> Self:
        """Return these settings, if a worker can run on them. The other commands do not need what only a worker needs."""
        for setting, needs in NEEDS:
            if getattr(self, setting) and not getattr(self, needs):
                raise SettingsError(f"{variable(needs)} is not set: {variable(setting)} needs it")
        if not getattr(self, f"{self.sms_provider}_key"):
            raise SettingsError(f"{variable(f'{self.sms_provider}_key')} is not set: a worker sends SMS with it")
        return self

    def shown(self, name: str) -> str:
        """Return a setting's value to show: a secret is masked, an absent value is a dash."""
        value = getattr(self, name)
        if value is None or value in ((), ""):
            return "-"
        return "(secret)" if _METADATA[name]["secret"] else str(value)


_METADATA: dict[str, Mapping[str, Any]] = {one.name: one.metadata for one in fields(Settings) if one.metadata}


def names() -> list[str]:
    """Return the settings' names, in the order of the class."""
    return list(_METADATA)


def variable(name: str) -> str:
    """Return a setting's environment variable."""
    return PREFIX + name.upper()


def _toml(path: Path) -> dict[str, str]:
    """Return the file's settings as variables; a list is written with commas, as in a variable."""
    try:
        content = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"the settings file {path} cannot be read: {reason}") from error
    read = {}
    for key, value in content.items():
        parts = value if isinstance(value, list) else [value]
        if any(isinstance(part, bool) or not isinstance(part, str | int | float) for part in parts):
            raise SettingsError(f"{key} in {path} is a {type(value).__name__}: expected a text, a number or a list of texts")
        read[variable(key)] = ",".join(map(str, parts))
    return read


def _lookup(layer: Mapping[str, str], name: str, where: str) -> str | None:
    """Return the text of a setting in one layer: given, or in the file that `<NAME>_FILE` names, less the newline at its end."""
    key = variable(name)
    path = layer.get(f"{key}_FILE")
    if path is None:
        return layer.get(key)
    if key in layer:
        raise SettingsError(f"{key} and {key}_FILE{where} are both set: expected one of them")
    try:
        return Path(path).read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"{key}_FILE{where} is {path!r}, which cannot be read: {reason}") from error


def _read(name: str, raw: str, where: str) -> object:
    try:
        return _METADATA[name]["read"](raw)
    except ValueError as error:
        told = "(secret)" if _METADATA[name]["secret"] else repr(raw)
        hint = (
            "; Kubernetes sets it for a Service of that name (enableServiceLinks: false)"
            if "://" in raw and "port" in name
            else ""
        )
        raise SettingsError(f"{variable(name)}{where} is {told}: expected {error}{hint}") from None


def _refuse_secrets(layer: Mapping[str, str], where: str) -> None:
    """Refuse secrets in a settings file, which is copied and reviewed; a secret is in a variable, or in a file of its own."""
    for name in names():
        if _METADATA[name]["secret"] and variable(name) in layer:
            raise SettingsError(f"{name}{where} is a secret: set {variable(name)}, or {name}_file to a file that has it alone")


def _refuse_unknown(layer: Mapping[str, str], where: str) -> None:
    """Refuse a misspelt setting, which would silently be its default."""
    known = {variable(name) for name in names()}
    for key in layer:
        base = key.removesuffix("_FILE")
        rest = key.removeprefix(PREFIX)
        if key in known or base in known or (not where and (rest.startswith("TEST_") or KUBERNETES.fullmatch(rest))):
            continue
        near = difflib.get_close_matches(base, [*known, FILE], n=1, cutoff=0)
        raise SettingsError(f"{key}{where} is not a setting; the nearest is {near[0]}")
