"""Every row of RUNBOOK.md "Keys", in the order that it asks for, with what each key opens tried before and after."""

from __future__ import annotations

import asyncio
import re
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from agents.web.sign_in import accounts
from tests.broker.console import configs
from tests.broker.harness import plain_text

from .installation import PEM
from .scene import Scene
from .units import settings_file
from .works import give, roll

PASSWORD = "een-lang-wachtwoord"
OFFICE = ("jan", "linde")
PARTY = "vragenlijst"


@asynccontextmanager
async def browser(scene: Scene) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody out there, on the other side of the proxy."""
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(PEM)))
    async with aiohttp.ClientSession(scene.site.url, connector=connector) as session:
        yield session


async def sign_in(session: aiohttp.ClientSession) -> int:
    """Sign in as the office's user; gives the status of the page behind it."""
    async with session.get("/aanmelden") as response:
        found = re.findall(r'name="formulier" value="([^"]+)"', await response.text())
    said = {"formulier": found[0] if found else "", "gebruiker": OFFICE[0], "wachtwoord": PASSWORD}
    async with session.post("/aanmelden", data=said) as response:
        await response.read()
    return await status(session, "/berichten")


def open_account(scene: Scene) -> None:
    """As *First start* 2; the command asks for the password at a terminal."""
    scene.did("afspraakbericht web --account jan linde --roles inzage,kosten >> accounts")
    (scene.site.machine.etc / "accounts").write_text(accounts.entry(*OFFICE, PASSWORD, ("inzage", "kosten")))


async def status(session: aiohttp.ClientSession, path: str) -> int:
    """What a page answers, without going where it leads."""
    async with session.get(path, allow_redirects=False) as response:
        return response.status


def newest_link(scene: Scene) -> str:
    """The unsubscribe link of the last e-mail to a client."""
    texts = [plain_text(one["data"]) for one in scene.site.relay.received.messages if "eik.example" in one["recipients"][0]]
    found = [link for text in texts for link in re.findall(r"https://\S+?(/u/[^\s>]+)", text)]
    return found[-1] if found else ""


async def restart_web(scene: Scene) -> None:
    """Restart it, and wait until it answers."""
    scene.did("systemctl restart afspraakbericht-web")
    await scene.site.web.stop()
    scene.site.web.start()
    await scene.until(scene.site.web_is_ready, "the web is back")


def newer(old: str) -> str:
    """A new key before the one that there is."""
    return f"{secrets.token_urlsafe(32)},{old.split(',')[0]}"


async def web_keys(scene: Scene) -> None:
    """Keys of links, of references, of the provider's signature and of sessions: the web first, then the workers."""
    site = scene.site
    open_account(scene)
    await asyncio.sleep(scene.calm / 2)
    async with browser(scene) as session:
        scene.check(await sign_in(session) == 200, "nobody can sign in")
        old_link = newest_link(scene)
        signing = secrets.token_urlsafe(32)
        scene.did("web: new,old of unsubscribe_keys, REFERENCE_KEYS, messagebird_signing_keys, session_keys")
        site.secret("unsubscribe_keys", newer(site.read("unsubscribe_keys")))
        site.secret("session_keys", newer(site.read("session_keys")))
        site.secret("messagebird_signing_keys", f"{signing},{site.secrets['signing']}")
        site.set(reference_keys=f"{secrets.token_urlsafe(32)},{secrets.token_urlsafe(32)}")
        await restart_web(scene)
        scene.did("workers: new,old of unsubscribe_keys, REFERENCE_KEYS")
        await roll(scene)
        scene.did("the provider signs with the new key; web: the old one goes")
        site.gateway.sign_with(signing)
        await asyncio.sleep(scene.calm / 2)
        site.secrets["signing"] = signing
        site.secret("messagebird_signing_keys", signing)
        await restart_web(scene)
        await scene.told()
        new_link = newest_link(scene)
        answers = [await status(session, link) for link in (old_link, new_link, f"{new_link}x")]
        scene.check(answers == [200, 200, 404], f"links of before, of now, and a wrong one answer {answers}")
        scene.check(old_link.split("/u/")[-1] != new_link.split("/u/")[-1], "no e-mail came with a new link")
        scene.check(await status(session, "/berichten") == 200, "the session of before has ended")


async def senders_keys(scene: Scene) -> None:
    """The provider's access key, the relay's password and DKIM: both are good until the last worker has the new one."""
    site = scene.site
    key, password = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )  # fmt: skip
    scene.did("new access key at the provider, new password at the relay, record of the new DKIM selector; workers one by one")
    site.gateway.keys.add(key)
    site.relay.passwords["afspraakbericht"].add(password)
    site.secret("messagebird_key", key)
    site.secret("smtp_password", password)
    site.secret("dkim_key", pem.decode())
    site.set(dkim_domain="eik.example", dkim_selector="tweede")
    await roll(scene)
    scene.did("the old key and the old password are deleted there")
    site.gateway.keys = {key}
    site.relay.passwords["afspraakbericht"] = {password}
    before = len(site.relay.received.messages)
    await asyncio.sleep(scene.calm)
    await scene.told()
    mails = [one["data"] for one in site.relay.received.messages[before:] if "eik.example" in one["recipients"][0]]
    signed = [mail for mail in mails if re.search(r"DKIM-Signature:[^:]*s=tweede", re.sub(r"\s+", " ", mail))]
    scene.check(bool(mails) and len(signed) == len(mails), f"{len(signed)} of {len(mails)} e-mails are signed by the new key")


async def api_keys(scene: Scene) -> None:
    """A party's second key is made, used, and the first one deleted: the file is read again by itself."""
    site = scene.site
    file = site.machine.etc / "api_keys"
    path = (f"{PARTY}", "linde", "--file", str(file))
    first = (await scene.run("web", "api-key", *path)).split()[0]
    lines = file.read_text()
    second = (await scene.run("web", "api-key", *path)).split()[0]
    async with browser(scene) as session:

        async def answers(key: str) -> int:
            async with session.get("/v1/requests/none", headers={"Authorization": f"Bearer {key}"}) as response:
                return response.status

        async def both_open() -> bool:
            return [await answers(first), await answers(second)] == [404, 404]

        await scene.until(both_open, "both keys are good")
        scene.did("the old lines are deleted from the file")
        file.write_text(file.read_text()[len(lines) :])

        async def one_opens() -> bool:
            return [await answers(first), await answers(second)] == [401, 404]

        await scene.until(one_opens, "the old key is refused")


async def kafka_users(scene: Scene) -> None:
    """A second user for web and workers with the same rights; when the last process has it the old one is deleted."""
    site = scene.site
    plain = ("--bootstrap-server", site.brokers.plain)
    for role in ("web", "worker"):
        name, password = f"{role}-{datetime.now(UTC):%H%M}", secrets.token_urlsafe(16)
        scene.did(f"kafka-configs.sh --alter --entity-type users --entity-name {name} --add-config SCRAM-SHA-512=[password=…]")
        user = ("--alter", "--entity-type", "users", "--entity-name")
        await asyncio.to_thread(configs, *plain, *user, name, "--add-config", f"SCRAM-SHA-512=[password={password}]")
        printed = await scene.run("setup", "rights", "--role", role, "--principal", f"{role}=User:{name}")
        await give(scene, printed, site.brokers.plain)
        site.secret(f"kafka_password.{role}", password)
        files = ["env.web"] if role == "web" else [f"env.{number}" for number in site.ports if number]
        for file in files:
            site.set(file, kafka_user=name)
        if role == "web":
            await restart_web(scene)
        else:
            await roll(scene)
        old = site.names.get(role, role)
        scene.did(f"kafka-configs.sh --alter --entity-type users --entity-name {old} --delete-config SCRAM-SHA-512")
        await asyncio.to_thread(configs, *plain, *user, old, "--delete-config", "SCRAM-SHA-512")
        site.names[role] = name
        site.users[name] = password
        del site.users[old]
    scene.check(settings_file(site.machine.etc / "env.web")["AFSPRAAKBERICHT_KAFKA_USER"] != "web", "the web has the old user")
    await asyncio.sleep(scene.calm)
