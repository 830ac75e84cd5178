"""The topics at a real broker: made once, compared ever after."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import UnknownTopicOrPartitionError

from agents.broker.broker import EmbeddedKafka
from agents.kafka.topics import Report, TopicsError, ensure, settings_of, stores
from agents.main import main
from schemas.topics import TOPICS, changelog

pytestmark = pytest.mark.broker

IN_TIME = 60.0
"""Seconds after which something never ends: many times what it may take."""
COUNT = len(TOPICS) + len(stores())


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker that nobody else uses: the catalogue's topics cannot have other names, and here they are deleted."""
    with EmbeddedKafka(tmp_path_factory.mktemp("topics"), None) as broker:
        yield broker.bootstrap


@pytest.fixture
async def bootstrap(own: str) -> AsyncIterator[str]:
    """A broker without topics."""
    yield own
    async with administrator(own) as admin:
        names = await admin.list_topics()
        await admin.delete_topics(names)
        while await admin.list_topics():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def administrator(bootstrap: str) -> AsyncIterator[Any]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def setting(admin: Any, topic: str, name: str) -> str:
    answer = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {name: ""})])
    return str(answer[0].resources[0][4][0][1])


async def topics(bootstrap: str, partitions: int = 3, *, check_only: bool = False, shorten: bool = False) -> Report:
    return await ensure(bootstrap, partitions, 1, "a", stores(), check_only=check_only, shorten=shorten)


def states(report: Report) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in report.lines:
        found[line.state] = found.get(line.state, 0) + 1
    return found


async def configure(bootstrap: str, topic: str, **settings: str) -> None:
    """Give a topic these settings of its own, and return when the broker tells them."""
    values = {name.replace("_", "."): value for name, value in settings.items()}
    async with administrator(bootstrap) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, values)])
        for name, value in values.items():
            while await setting(admin, topic, name) != value:
                await asyncio.sleep(0.05)


async def test_creates_all_once_and_leaves_them_alone_after_that(bootstrap: str) -> None:
    looked = await topics(bootstrap, check_only=True)
    made = await topics(bootstrap)
    again = await topics(bootstrap)
    checked = await topics(bootstrap, check_only=True)

    assert states(looked) == {"missing": COUNT}
    assert states(made) == {"created": COUNT}
    assert states(again) == states(checked) == {"unchanged": COUNT}
    assert (made.problems, checked.problems) == ([], [])
    assert {line.partitions for line in made.lines} == {3}


async def test_another_partition_count_is_named_and_left(bootstrap: str) -> None:
    async with administrator(bootstrap) as admin:
        await admin.create_topics([NewTopic("consents", 5, 1)])

    report = await topics(bootstrap)

    assert states(report) == {"created": COUNT - 1, "wrong": 1}
    assert report.problems[0].startswith("consents: it has 5 partitions, wanted 3: the count is fixed for life")
    assert states(await topics(bootstrap)) == {"unchanged": COUNT - 1, "wrong": 1}


async def test_a_changed_setting_is_found_and_put_right_and_others_own_settings_stay(bootstrap: str) -> None:
    await topics(bootstrap)
    await configure(bootstrap, "requests", retention_ms="1000", max_message_bytes="5000", segment_bytes="20000000")

    checked = await topics(bootstrap, check_only=True)
    corrected = await topics(bootstrap)
    again = await topics(bootstrap)

    assert [problem for problem in checked.problems if "retention.ms is 1000, wanted 2592000000" in problem]
    assert states(corrected) == {"unchanged": COUNT - 1, "corrected": 1}
    notes = next(line.notes for line in corrected.lines if line.state == "corrected")
    assert "max.message.bytes was 5000, now 1048588" in notes
    assert states(again) == {"unchanged": COUNT}
    async with administrator(bootstrap) as admin:
        assert await setting(admin, "requests", "segment.bytes") == "20000000"


@pytest.mark.parametrize(
    ("name", "made", "wanted"),
    [("compression.type", "producer", "uncompressed"), ("message.timestamp.type", "CreateTime", "LogAppendTime")],
)
async def test_topics_as_they_were_made_before_keep_no_producers_compression_and_times_any_more(
    bootstrap: str, name: str, made: str, wanted: str
) -> None:
    """Input, internal and output topics and changelogs alike: we read all of them."""
    await topics(bootstrap)
    names = ("appointments", "client-events", "delivery-log", "a-notices-changelog")
    every = [*TOPICS, *(changelog("a", store) for store in stores())]
    for topic in every:
        if topic.name in names:
            ours = {key.replace(".", "_"): value for key, value in {**settings_of(topic, 1), name: made}.items()}
            await configure(bootstrap, topic.name, **ours)

    checked = await topics(bootstrap, check_only=True)
    corrected = await topics(bootstrap)

    assert checked.problems == [
        f"{topic}: {name} is {made}, wanted {wanted}: correct it with `afspraakbericht topics`" for topic in names
    ]
    notes = {line.topic: line.notes for line in corrected.lines if line.state == "corrected"}
    assert notes == dict.fromkeys(names, (f"{name} was {made}, now {wanted}",))
    assert states(await topics(bootstrap, check_only=True)) == {"unchanged": COUNT}


async def test_what_would_delete_records_is_only_done_when_asked_for(bootstrap: str) -> None:
    await topics(bootstrap)
    await configure(bootstrap, "requests", retention_ms="-1")

    report = await topics(bootstrap)
    asked = await topics(bootstrap, shorten=True)

    (problem,) = report.problems
    assert problem.startswith("requests: retention.ms is -1, wanted 2592000000: Kafka would delete records that it keeps now")
    assert states(asked) == {"unchanged": COUNT - 1, "corrected": 1}


async def test_two_at_once_do_not_disturb_each_other(bootstrap: str) -> None:
    reports = await asyncio.gather(topics(bootstrap), topics(bootstrap))

    assert [report.problems for report in reports] == [[], []]


async def test_a_broker_that_has_not_heard_of_a_new_topic_yet_is_asked_again(
    bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three brokers the one that tells the settings may be behind the one that listed the topics."""
    real, behind = AIOKafkaAdminClient.describe_configs, [UnknownTopicOrPartitionError.errno] * 2

    async def describe(self: AIOKafkaAdminClient, resources: list[ConfigResource]) -> list[Any]:
        answers: list[Any] = await real(self, resources)
        if behind:
            answers[0].resources[0] = (behind.pop(), "this server does not host it", *answers[0].resources[0][2:])
        return answers

    monkeypatch.setattr(AIOKafkaAdminClient, "describe_configs", describe)

    assert states(await topics(bootstrap)) == {"created": COUNT}
    assert not behind


async def test_more_copies_than_brokers_is_a_problem_in_words(bootstrap: str) -> None:
    report = await ensure(bootstrap, 3, 3, "a", stores())

    assert states(report) == {"missing": COUNT}
    assert "the broker did not create it: " in report.problems[0]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its patience is a second here."""
    monkeypatch.setattr("agents.kafka.topics.ANSWER_SECONDS", 1)


async def test_no_broker_is_one_line_in_time(hasty: None) -> None:
    with socket.socket() as silent:  # bound and never listening, so refused
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(TopicsError, match=r"^no Kafka answers at 127.0.0.1:\d+: start one, or set [^\n]*$"):
            await asyncio.wait_for(topics(f"127.0.0.1:{silent.getsockname()[1]}"), IN_TIME)


async def test_something_else_than_kafka_is_one_line_in_time(hasty: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TopicsError):  # takes connections, says nothing
        await asyncio.wait_for(topics(f"127.0.0.1:{silent.getsockname()[1]}"), IN_TIME)


async def test_the_command_prints_a_table(
    bootstrap: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFSPRAAKBERICHT_BOOTSTRAP", bootstrap)

    checked = await asyncio.to_thread(main, ["topics", "--check"])
    made = await asyncio.to_thread(main, ["topics"])
    out = capsys.readouterr().out

    assert (checked, made) == (2, 0)
    assert ["delivery-log", "64", "400", "days", "created"] in [line.split() for line in out.splitlines()]


async def test_texts_are_kept_as_long_as_the_setting_says_and_shortened_only_when_asked_for(
    bootstrap: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFSPRAAKBERICHT_BOOTSTRAP", bootstrap)
    await asyncio.to_thread(main, ["topics"])
    monkeypatch.setenv("AFSPRAAKBERICHT_TEXT_DAYS", "90")

    refused = await asyncio.to_thread(main, ["topics"])
    problems = capsys.readouterr().err
    done = await asyncio.to_thread(main, ["topics", "--shorten"])
    out = capsys.readouterr().out

    assert (refused, done) == (2, 0)
    assert "delivery-log: retention.ms is 34560000000, wanted 7776000000: Kafka would delete records" in problems
    lines = [line.split() for line in out.splitlines()]
    assert ["delivery-log", "64", "90", "days", "corrected"] in lines
    assert ["audit-log", "64", "last", "of", "each", "key", "unchanged"] in lines
