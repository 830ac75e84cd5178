"""Settings: the environment over a file over the defaults, and one line about what cannot be."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import FrozenInstanceError, fields
from itertools import pairwise
from pathlib import Path

import pytest

from agents.main import main
from agents.settings import kafka as settings_kafka
from agents.settings import listening as settings_listening
from agents.settings import sending as settings_senders
from agents.settings import settings as module
from agents.settings.settings import Settings, SettingsError, names
from streams.sending.outcomes import FIRST_RETRY, REPORT_WAIT

KEY = "k" * 32


def read(**environ: str) -> Settings:
    return Settings.from_env({f"AFSPRAAKBERICHT_{name}": value for name, value in environ.items()})


def test_nothing_set_gives_the_defaults() -> None:
    settings = Settings.from_env({"PATH": "/bin"})

    assert settings == Settings()
    assert set(settings.sources.values()) == {"default"}


def test_the_environment_lies_over_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    (tmp_path / "keys").write_text(f"{KEY},{KEY}2\n")
    file.write_text(
        f'partitions = 12\nsms_slots = 3\nunsubscribe_keys_file = "{tmp_path / "keys"}"\nsmtp_timeout_seconds = 2.5\n'
    )

    settings = read(SETTINGS=str(file), PARTITIONS="16")

    assert (settings.partitions, settings.sms_slots, settings.email_slots) == (16, 3, 4)
    assert settings.unsubscribe_keys == (KEY, f"{KEY}2")
    assert settings.smtp_timeout_seconds == 2.5
    assert [settings.sources[name] for name in ("partitions", "sms_slots", "email_slots")] == ["environment", "file", "default"]
    assert Settings.from_env({}, file).sms_slots == 3


def test_a_secret_comes_from_a_file_without_its_newline(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret \n")

    assert read(SMTP_PASSWORD_FILE=str(tmp_path / "password")).smtp_password == "secret "


def test_an_empty_variable_is_not_set() -> None:
    assert read(INSTANCE="", PARTITIONS="") == Settings()


def test_what_tests_and_kubernetes_add_is_no_setting() -> None:
    added = {"SERVICE_HOST": "10.0.0.1", "SERVICE_PORT_HTTP": "80", "PORT": "tcp://10.0.0.1:80", "PORT_80_TCP_ADDR": "10.0.0.1"}

    assert read(**added, SMS_SERVICE_HOST="10.0.0.1", TEST_BOOTSTRAP="x:1") == Settings()


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("bootstrap", "a:1, b:2", "a:1,b:2"),
        ("bootstrap", "[::1]:9092", "[::1]:9092"),
        ("messagebird_url", "http://fake-sms:8080", "http://fake-sms:8080/"),
        ("messagebird_url", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
        ("unsubscribe_url", "https://afspraakbericht.example/u", "https://afspraakbericht.example/u/"),
        ("smtp_tls", "Implicit", "implicit"),
        ("data", "/srv/data", Path("/srv/data")),
        ("session_timeout_seconds", "6", 6.0),
        ("metrics_port", "9100", 9100),
        ("topic_prefix", "test.", "test."),
        ("skip_records", "client-events/3/512, consents/0/7", (("client-events", 3, 512), ("consents", 0, 7))),
    ],
)
def test_a_good_value_is_taken(name: str, value: str, kept: object) -> None:
    assert getattr(read(**{name.upper(): value}), name) == kept


BAD: list[tuple[str, str, str]] = [
        ("PARTITIONS", "many", "A_PARTITIONS is 'many': expected a whole number from 1 to 1000"),
        ("PARTITIONS", "0", "A_PARTITIONS is '0': expected a whole number from 1 to 1000"),
        ("PARTITIONS", "٣", "A_PARTITIONS is '٣': expected a whole number from 1 to 1000"),
        ("SMS_TIMEOUT_SECONDS", "nan", "A_SMS_TIMEOUT_SECONDS is 'nan': expected a number of seconds from 0.1 to 18"),
        ("BOOTSTRAP", "kafka", "A_BOOTSTRAP is 'kafka': expected host:port, or several with commas between them"),
        ("BOOTSTRAP", "kafka:0", "A_BOOTSTRAP is 'kafka:0': expected host:port, or several with commas between them"),
        ("SKIP_RECORDS", "client-events/3", "A_SKIP_RECORDS is 'client-events/3': expected topic/partition/offset, or several "
         "with commas between them"),
        ("SMTP_TLS", "yes", "A_SMTP_TLS is 'yes': expected one of starttls, implicit, none"),
        ("SMTP_HOST", "mail:25", "A_SMTP_HOST is 'mail:25': expected a host name or an IP address, without a port"),
        ("UNSUBSCRIBE_KEYS", "short", "A_UNSUBSCRIBE_KEYS is (secret): expected different keys of 32 characters or "
         "more, with commas between them"),
        ("METRICS_PORT", "tcp://10.0.0.1:80", "A_METRICS_PORT is 'tcp://10.0.0.1:80': expected a whole number from 1 to "
         "65535; Kubernetes sets it for a Service of that name (enableServiceLinks: false)"),
        ("SMTP_PASWORD", "x", "A_SMTP_PASWORD is not a setting; the nearest is A_SMTP_PASSWORD"),
        ("INSTANCE", "a b", "A_INSTANCE is 'a b': expected a name of letters, digits, '.', '_' and '-', 200 at most"),
        ("TOPIC_PREFIX", "test", "A_TOPIC_PREFIX is 'test': expected letters, digits, '.', '_' and '-', 100 at most, of "
         "which '.', '_' or '-' comes last, as in test."),
        ("SMS_RATE", "0", "A_SMS_RATE is '0': expected a number a second, from 0.01 to 100000"),
        ("BIRD_WEBHOOK_SECRETS", "whsec_c2hvcnQ=", "A_BIRD_WEBHOOK_SECRETS is (secret): expected whsec_ and 24 bytes or more in "
         "Base64, with commas between them"),
        ("UNSUBSCRIBE_URL", "http://a.example", "A_UNSUBSCRIBE_URL is 'http://a.example': expected an https:// URL without query "
         "(http:// only for a host without a dot, or 127.0.0.1)"),
        ("SETTINGS", "/no/such", "the settings file /no/such cannot be read: No such file or directory"),
        ("MESSAGEBIRD_KEY_FILE", "/no/such", "A_MESSAGEBIRD_KEY_FILE is '/no/such', which cannot be read: "
         "No such file or directory"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "message"), BAD)
def test_a_bad_value_is_one_line(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(**{name: value})

    assert str(caught.value).replace("AFSPRAAKBERICHT_", "A_") == message


def test_what_each_reader_refuses_has_a_row_above() -> None:
    """Of a setting with a reader of its own; `text` and `folder` take anything."""
    read_by = {one.name: one.metadata["read"] for one in fields(Settings) if one.metadata}
    refusing = {reader.__qualname__ for reader in read_by.values()} - {"text", "folder"}
    assert {read_by[name.lower()].__qualname__ for name, *_ in BAD if name.lower() in read_by} == refusing


def test_each_setting_is_read_somewhere() -> None:
    """One that no code looks at does nothing, whatever it is set to."""
    agents = Path(module.__file__).parents[1]
    sources = [path for path in agents.rglob("*.py") if path.parent != Path(module.__file__).parent]
    nodes = [node for path in sources for node in ast.walk(ast.parse(path.read_text()))]
    by_name = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    of_each_channel = tuple(re.findall(r"getattr\(settings, f'{\S+}(_\w+)'\)", "\n".join(map(ast.unparse, calls(nodes)))))
    assert {name for name in names() if name not in by_name and not name.endswith(of_each_channel)} == set()


def calls(nodes: list[ast.AST]) -> list[ast.Call]:
    return [node for node in nodes if isinstance(node, ast.Call)]


@pytest.mark.parametrize(
    "url", ["http://rest.example.com/", "ftp://a", "https://", "https://u:p@a.example/", "https://a/?q", "a b"]
)
def test_a_url_over_which_keys_would_be_read_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="expected an https:// URL"):
        read(MESSAGEBIRD_URL=url)


def test_a_value_twice_is_refused() -> None:
    with pytest.raises(SettingsError, match="are both set"):
        read(SMTP_PASSWORD="a", SMTP_PASSWORD_FILE="/b")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("partitions = true", "partitions in {} is a bool: expected a text, a number or a list of texts"),
        ("partition = 1", "AFSPRAAKBERICHT_PARTITION in {} is not a setting; the nearest is AFSPRAAKBERICHT_PARTITIONS"),
        ("partitions = 0", "AFSPRAAKBERICHT_PARTITIONS in {} is '0': expected a whole number from 1 to 1000"),
        ('smtp_password = "hush"', "smtp_password in {} is a secret: set AFSPRAAKBERICHT_SMTP_PASSWORD, or smtp_password_file "
         "to a file that has it alone"),
        ("= 3", "the settings file {} cannot be read: Invalid statement (at line 1, column 1)"),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_line_that_names_it(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(content)

    with pytest.raises(SettingsError) as caught:
        Settings.from_env({}, file)

    assert str(caught.value) == message.format(file)


def test_a_worker_needs_more_than_other_commands() -> None:
    with pytest.raises(SettingsError, match="AFSPRAAKBERICHT_MESSAGEBIRD_KEY is not set"):
        Settings().for_worker()
    with pytest.raises(SettingsError, match="AFSPRAAKBERICHT_UNSUBSCRIBE_KEYS is not set"):
        read(MESSAGEBIRD_KEY="x", UNSUBSCRIBE_URL="https://a.example").for_worker()

    assert read(MESSAGEBIRD_KEY="x").for_worker() == read(MESSAGEBIRD_KEY="x")


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    values = {"SMTP_PASSWORD": "hush-1", "MESSAGEBIRD_KEY": "hush-2", "UNSUBSCRIBE_KEYS": f"hush-3{KEY}", "SMTP_USER": "us"}
    for name, value in values.items():
        monkeypatch.setenv(f"AFSPRAAKBERICHT_{name}", value)

    code = main(["settings"])
    out = capsys.readouterr().out

    assert code == 0
    assert "hush" not in out + repr(read(**values))
    assert ["AFSPRAAKBERICHT_SMTP_PASSWORD", "(secret)", "environment"] in [line.split() for line in out.splitlines()]
    assert ["AFSPRAAKBERICHT_SMTP_USER", "us", "environment"] in [line.split() for line in out.splitlines()]
    assert len(out.splitlines()) == len(names())


def test_the_command_refuses_a_bad_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AFSPRAAKBERICHT_PARTITIONS", "x")

    assert main(["settings"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_each_setting_has_its_docstring_below_it_and_takes_its_own_default() -> None:
    bodies = [
        node.body
        for source in (settings_kafka, settings_listening, settings_senders, module)
        for node in ast.parse(inspect.getsource(source)).body
        if isinstance(node, ast.ClassDef) and node.name in ("KafkaSettings", "ListenerSettings", "SenderSettings", "Settings")
    ]
    below = {
        one.target.id: isinstance(two, ast.Expr) and isinstance(two.value, ast.Constant)
        for body in bodies
        for one, two in pairwise([*body, None])
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    }

    assert below == dict.fromkeys([one.name for one in fields(Settings)], True)
    for name in names():
        default = getattr(Settings(), name)
        if default not in (None, ()):
            assert getattr(read(**{name.upper(): str(default)}), name) == default


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().partitions = 3  # type: ignore[misc]


@pytest.mark.parametrize(("name", "waits"), [("smtp_timeout_seconds", {15}), ("sms_timeout_seconds", {10 * 60, 15})])
def test_what_is_said_of_a_time_out_is_what_the_senders_do(name: str, waits: set[int]) -> None:
    """Found: both said that nothing is sent again."""
    source = inspect.getsource(settings_senders)
    said = " ".join(source.partition(f"    {name}:")[2].split('"""')[1].split())
    assert "not sent again" not in said
    assert waits <= {FIRST_RETRY.total_seconds(), REPORT_WAIT.total_seconds()}
    assert all(f"{wait // 60} minutes" in said if wait > 60 else f"{wait} s" in said for wait in waits)
