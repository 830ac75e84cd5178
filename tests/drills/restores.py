"""RUNBOOK.md "Restore" of all brokers, from a mirror and from a copy, and "Another prefix": all that Kafka has moves."""

from __future__ import annotations

import asyncio
import shutil
import time

from aiokafka.admin import AIOKafkaAdminClient

from .copies import Mirror, copy_disks, keep_times, put_back, topics_of
from .installation import PARTITIONS
from .scene import Scene
from .works import in_sync, set_rights

MARGIN_SECONDS = 60.0
"""What upstream sends anew begins so long before the copy: twice does no harm."""


async def everything_stops(scene: Scene) -> None:
    """Workers and web are stopped; upstream keeps what it sends."""
    scene.upstream.keeps = True
    scene.did("systemctl stop of every worker and the web; upstream keeps what it sends")
    await asyncio.gather(*(unit.stop() for unit in (*scene.site.workers.values(), scene.site.web)))


async def everything_starts(scene: Scene) -> None:
    """Workers, then the web."""
    scene.did("systemctl start of every worker, then the web")
    for number in list(scene.site.workers):
        scene.site.worker(number)
    scene.site.web.start()
    await scene.ready()
    await scene.read_in()


async def resume(scene: Scene, since: float | None) -> None:
    """As *Restore* asks: organisations off, workers on; then what changed since the copy sent anew; then organisations on."""
    upstream = scene.upstream
    await upstream.connect(scene.site.brokers.login, scene.site.security("upstream"))
    scene.did("upstream writes organisations with `notifications` false")
    await upstream.write(upstream.organisations(on=False))
    await everything_starts(scene)
    if since is not None:
        again = [event for event in upstream.since(since) if event.topic != "organisations"]  # or one may be on for a moment
        scene.did(f"upstream sends {len(again)} events anew; organisations stay off")
        await upstream.write(again)
        upstream.restored(again)
        await scene.read_in()
    if named := await scene.name_suppressed():
        scene.note(f"{named} were in Kafka and not told yet when it was lost: `log --status suppressed` has them")
    scene.did("organisations on; upstream writes what it kept")
    await upstream.write(upstream.organisations(on=True))
    await scene.read_in()
    upstream.keeps = False
    await asyncio.sleep(scene.calm)


async def from_mirror(scene: Scene) -> None:
    """MirrorMaker 2 copies to three other brokers; then the first three, and their disks, are gone for good."""
    site = scene.site
    lost, other = site.brokers, site.new_brokers()
    await asyncio.to_thread(other.start)
    names = await topics_of(lost.plain)
    scene.did("topics and rights on the other Kafka; CreateTime while it is filled; connect-mirror-maker.sh mm2.properties")
    await set_rights(scene, other.plain)
    await scene.run("setup", "topics", bootstrap=other.login)
    await keep_times(other.plain, names)
    mirror = Mirror(site.folder / "mirror", lost.plain, other.plain, names, PARTITIONS)
    try:
        await asyncio.to_thread(mirror.start)
        await scene.until(mirror.has_all, "the mirror has all", 600.0)
        await asyncio.sleep(scene.calm)
        scene.did("kill -9 of all brokers, their disks destroyed")
        moment = time.time()
        await asyncio.to_thread(lost.kill)
        shutil.rmtree(lost.folder)
    finally:
        await asyncio.to_thread(mirror.stop)
    await everything_stops(scene)
    site.brokers = other
    site.set(bootstrap=other.login)
    await scene.run("setup", "topics")
    await resume(scene, moment - MARGIN_SECONDS)


async def from_copy(scene: Scene) -> None:
    """Workers and brokers are stopped, the disks copied; all goes on for a while, then the disks are lost."""
    site = scene.site
    moment = time.time()
    scene.upstream.keeps = True
    scene.did("upstream keeps what it sends; topic_lag_records 0")
    await scene.told()
    await scene.read_in()
    await everything_stops(scene)
    scene.did("brokers stopped in order, their disks copied, started again")
    await asyncio.to_thread(site.brokers.stop)
    await asyncio.to_thread(copy_disks, site.brokers, site.folder / "copy")
    await asyncio.to_thread(site.brokers.start)
    await everything_starts(scene)
    scene.upstream.keeps = False
    await asyncio.sleep(2 * scene.calm)
    scene.did("kill -9 of all brokers, their disks destroyed; the copy in their place")
    await asyncio.to_thread(site.brokers.kill)
    await everything_stops(scene)
    await asyncio.to_thread(put_back, site.brokers, site.folder / "copy")
    await asyncio.to_thread(site.brokers.start)
    await in_sync(scene)
    await resume(scene, moment - MARGIN_SECONDS)


async def another_prefix(scene: Scene) -> None:
    """All names get a prefix, on the same Kafka, by MirrorMaker 2 from the cluster to itself."""
    site, upstream = scene.site, scene.upstream
    names = await topics_of(site.brokers.plain)
    upstream.keeps = True
    await scene.told()
    scene.did("upstream keeps what it sends; organisations off")
    await upstream.write(upstream.organisations(on=False))
    await scene.read_in()
    await everything_stops(scene)
    site.set(topic_prefix="west.")
    await set_rights(scene)
    await scene.run("setup", "topics")
    await keep_times(site.brokers.plain, [f"west.{name}" for name in names])
    scene.did("connect-mirror-maker.sh mm2.properties, from the cluster to itself")
    mirror = Mirror(site.folder / "prefix", site.brokers.plain, site.brokers.plain, names, PARTITIONS, "west.")
    try:
        await asyncio.to_thread(mirror.start)
        await scene.until(mirror.has_all, "all is copied", 600.0)
    finally:
        await asyncio.to_thread(mirror.stop)
    await scene.run("setup", "topics")
    await resume(scene, None)
    scene.did("the old topics and group deleted")
    admin = AIOKafkaAdminClient(bootstrap_servers=site.brokers.plain)
    await admin.start()
    try:
        await admin.delete_topics(names)
    finally:
        await admin.close()
