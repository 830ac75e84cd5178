"""The kinds of faults. Each is a coroutine over a `Chaos`; a step of it is measured until the messages flow again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from agents.fakes.smtp import ScriptedAnswer
from agents.kafka.publisher import KafkaPublisher
from agents.kafka.topics import settings_of, stores
from agents.kafka.writer import Event
from schemas.topics import changelog

from . import leaders

if TYPE_CHECKING:
    from agents.broker.broker import EmbeddedKafka

    from .play import Chaos

HANG_SECONDS = 4.0
SMS_SECONDS = 0.03
"""What the SMS provider takes for an answer."""
MOST_DEAD = 20
"""Of so many clients a fault says that their numbers take no SMS."""
CLEANING = {
    "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.001", "min.compaction.lag.ms": "10000", "delete.retention.ms": "60000",
}  # fmt: skip


async def kill(chaos: Chaos) -> None:
    """kill -9; the supervisor starts it again at once."""
    place = chaos.rng.choice(chaos.fleet.awake)
    async with chaos.step(f"kill -9, {'fixed name' if place.named else 'no name'}"):
        chaos.hit(place).kill()


async def stop(chaos: Chaos) -> None:
    """SIGTERM, and started again: an update."""
    place = chaos.rng.choice(chaos.fleet.awake)
    async with chaos.step("SIGTERM and start"):
        await chaos.hit(place).stop()


async def freeze(chaos: Chaos) -> None:
    """SIGSTOP for longer than the session, then back: a zombie with records to write."""
    place = chaos.rng.choice(chaos.fleet.awake)
    frozen = chaos.hit(place)
    began = time.monotonic()
    async with chaos.step("SIGSTOP"):
        frozen.freeze()
    await asyncio.sleep(max(0.0, began + chaos.stand.session + 2 - time.monotonic()))
    async with chaos.step("SIGCONT, a zombie"):
        frozen.thaw()


async def more(chaos: Chaos) -> None:
    """One worker more."""
    async with chaos.step("one worker more"):
        chaos.fleet.add(store=chaos.rng.choice(("memory", "rocksdb")))
        await asyncio.sleep(4)  # it is there when it has joined


async def fewer(chaos: Chaos) -> None:
    """One worker fewer; if there are but three, one more first."""
    if len(chaos.fleet.places) < 4:
        await more(chaos)
    async with chaos.step("one worker fewer"):
        await chaos.fleet.remove(next(place for place in reversed(chaos.fleet.places) if not place.named))


async def kill_broker(chaos: Chaos) -> None:
    """kill -9 of a broker; it comes back when the others have taken over."""
    node = chaos.rng.choice(chaos.cluster.nodes)
    async with chaos.step("broker kill -9"):
        await asyncio.to_thread(node.kill)
    await restart(chaos, node)


async def bounce_broker(chaos: Chaos) -> None:
    """A broker is stopped in order and started again."""
    node = chaos.rng.choice(chaos.cluster.nodes)
    async with chaos.step("broker stop"):
        await asyncio.to_thread(node.stop)
    await restart(chaos, node)


async def restart(chaos: Chaos, node: EmbeddedKafka) -> None:
    """It comes back, and catches up: until then no other may go."""
    async with chaos.step("broker start"):
        await asyncio.to_thread(node.start)
        await asyncio.to_thread(chaos.cluster.wait_ready)
    await asked(lambda: leaders.wait_in_sync(chaos.stand.admin, 3))


async def move_leaders(chaos: Chaos) -> None:
    """Every partition gets another leader, the group another coordinator."""
    async with chaos.step("all leaders move"):
        if not await asked(lambda: leaders.move(chaos.stand.admin)):
            chaos.fleet.problems.append("no leader was moved")
    await asked(lambda: leaders.wait_in_sync(chaos.stand.admin, 3))


async def hang(chaos: Chaos) -> None:
    """A provider takes calls, or messages, and never answers; then it does again."""
    keep = chaos.rng.random() < 0.5
    if chaos.rng.random() < 0.6:
        chaos.stand.sms.program(hang_every=1, accept_then_hang=keep)
    else:
        chaos.stand.smtp.program(ScriptedAnswer(at="payload", do="hang", keep=keep))
    await asyncio.sleep(HANG_SECONDS)
    async with chaos.step("a provider hung"):
        chaos.stand.sms.program(delay_seconds=SMS_SECONDS)
        chaos.stand.smtp.program()


async def dead_numbers(chaos: Chaos) -> None:
    """The SMS gateway reports of messages that it took lately that their numbers take none; their clients have e-mail too."""
    consents = {record.key.decode(): orjson.loads(record.value) for record in await chaos.stand.records("consents")}
    last = {f"{one['organisation']}/{one['client']}": one for one in await chaos.stand.log() if one["channel"] == "sms"}
    sent = [
        (key, one) for key, one in last.items() if one["status"] == "sent" and consents[key]["channels"] == ["sms", "email"]
    ]  # fmt: skip
    publisher = KafkaPublisher(chaos.stand.kafka.bootstrap, 20.0)  # as the web service: to the partition of the ledger
    async with chaos.step("late reports"):
        for key, one in sent[-MOST_DEAD:]:
            said = {name: one[name] for name in ("organisation", "client", "message", "attempt")}
            said |= {"piece": 0, "status": "delivery_failed", "error": 1, "at": datetime.now(UTC).isoformat()}
            await publisher.publish(Event("delivery-reports", key, said))
    await publisher.close()


async def compact(chaos: Chaos) -> None:
    """Kafka's cleaner goes over every changelog, on every broker."""
    before = {node: cleaned(chaos, node) for node in range(3)}
    async with chaos.step("compaction"):
        await asked(lambda: configure(chaos, CLEANING))
        limit = time.monotonic() + 60
        while any(cleaned(chaos, node) <= before[node] for node in range(3)):
            if time.monotonic() > limit:
                chaos.fleet.problems.append("the log cleaner did not run")
                break
            await asyncio.sleep(0.5)
    await asked(lambda: configure(chaos, {}))


def cleaned(chaos: Chaos, node: int) -> int:
    """How far a broker's cleaner has come in the changelogs, all together."""
    checkpoint = chaos.cluster.nodes[node].data / "log" / "cleaner-offset-checkpoint"
    lines = checkpoint.read_text().splitlines() if checkpoint.exists() else []
    return sum(int(line.split()[2]) for line in lines if "-changelog " in line)


async def configure(chaos: Chaos, settings: dict[str, str]) -> bool:
    """Give the changelogs their settings with these on top."""
    topics = [changelog(chaos.stand.application, store) for store in stores()]
    resources = [ConfigResource(ConfigResourceType.TOPIC, t.name, {**settings_of(t, 3), **settings}) for t in topics]
    await chaos.stand.admin.alter_configs(resources)
    return True


async def at_once(chaos: Chaos) -> None:
    """Several things together: all workers, or a worker and a broker."""
    node = None
    which = chaos.rng.choice(("all workers", "a worker and a broker", "two workers and all leaders"))
    async with chaos.step(f"{which} at once"):
        awake = chaos.fleet.awake
        hit = awake if which == "all workers" else chaos.rng.sample(awake, 1 if "broker" in which else 2)
        for place in hit:
            chaos.hit(place).kill()
        if "broker" in which:
            node = chaos.rng.choice(chaos.cluster.nodes)
            await asyncio.to_thread(node.kill)
        if "leaders" in which:
            await asked(lambda: leaders.move(chaos.stand.admin))
    if node is not None:
        await restart(chaos, node)


async def asked(question: Callable[[], Awaitable[Any]]) -> Any:
    """Ask a cluster of which a part may be away, again where the one that was asked is."""
    for _ in range(20):
        try:
            return await question()
        except (KafkaError, OSError, TimeoutError, AttributeError):  # AttributeError: the client knows no controller
            await asyncio.sleep(1.0)
    return await question()


Fault = Callable[["Chaos"], Awaitable[None]]
KINDS: dict[Fault, int] = {
    kill: 30, stop: 20, freeze: 22, more: 8, fewer: 12, kill_broker: 22, bounce_broker: 16, move_leaders: 18, hang: 18,
    compact: 8, at_once: 18, dead_numbers: 8,
}  # fmt: skip
"""All kinds, with how often each comes among 200."""
