"""The engine overrides methods of exact versions. When the source of one has changed, read it again before you go on.

After a port: run this file as a program and put what it prints in the place of the table.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect

import pytest

FINGERPRINTS = {
    "faust.transport.consumer:Consumer._drain_messages": "44a2500309e83c63",
    "faust.transport.consumer:Consumer.perform_seek": "0e8c130ff4b0afd8",
    "faust.transport.consumer:Consumer.commit": "a354437baaa08bf8",
    "faust.transport.consumer:Consumer._commit_handler": "4e5da5df073082d6",
    "faust.transport.consumer:Consumer.wait_empty": "e4662fe24f094819",
    "faust.transport.consumer:Consumer.on_stop": "45b1d2210ce2b526",
    "faust.transport.consumer:Consumer.on_partitions_revoked": "d04b7ae72c6fc206",
    "faust.transport.consumer:ConsumerThread.on_partitions_assigned": "e59e8dda43724bd4",
    "faust.transport.drivers.aiokafka:Consumer._new_consumer_thread": "0870ec53dea75083",
    "faust.transport.drivers.aiokafka:Consumer.verify_event_path": "a17e8f0610e1abcb",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f6cad",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.assignment": "61f105132ae619f6",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._commit": "932852ce7a23f658",
    "faust.transport.drivers.aiokafka:Producer._settings_extra": "a4c7bc41b6382223",
    "faust.tables.recovery:Recovery._restart_recovery": "6bd8a8558a2dffe4",
    "faust.tables.recovery:Recovery._slurp_changelogs": "7825c7e50f766d5a",
    "faust.tables.recovery:Recovery.on_rebalance": "aa4d997a1795ceae",
    "faust.tables.recovery:Recovery.on_recovery_completed": "6ef567acf072e46d",
    "faust.tables.manager:TableManager.recovery": "f0bf5de78b4c3d23",
    "faust.tables.manager:TableManager.on_start": "365dd25fbc0e0684",
    "faust.tables.base:Collection._new_store": "914a2bda605d38f5",
    "faust.app.base:App.on_start": "480d70c6c72d042d",
    "faust.app.base:App.on_started": "c03627f2dc44a1dd",
    "faust.app.base:App.on_stop": "bfe5a933defb2324",
    "faust.app.base:App._stop_consumer": "55854a5de12c3f52",
    "faust.app.base:App._on_partitions_revoked": "d5c895bbe57dc73a",
    "faust.app.base:App._on_partitions_assigned": "de932b7927db85b3",
    "faust.app.base:App._new_transport": "42db531312dd776f",
    "faust.worker:Worker.on_execute": "9d12a78d4e76828c",
    "faust.worker:Worker.on_worker_shutdown": "41a905feb7ba25ff",
    "mode.worker:Worker._sentinel_task": "6e66058cf3e1b616",
    "mode.services:Service.crash": "14980000465df0af",
    "mode.services:Service._crash": "7bc0c709a151d556",
    "faust.transport.drivers.aiokafka:Producer._new_producer": "e72355c3430ed02f",
    "faust.transport.drivers.aiokafka:Producer._producer_type": "311dc214fc435d81",
    "mode.loop:use": "024b254e332da246",
    "mode.threads:ServiceThread.__init__": "82979878990cdff5",
    "aiokafka.conn:AIOKafkaConnection.send": "5909ea32f4efca49",
    "aiokafka.conn:AIOKafkaConnection._handle_frame": "46a7d9b8cf7ca222",
    "aiokafka.client:AIOKafkaClient.send": "246b277687d7b687",
    "aiokafka.client:AIOKafkaClient.bootstrap": "198943b004e55849",
    "aiokafka.protocol.api:Request.prepare": "3a65d9fdefe34d3f",
    "aiokafka.client:AIOKafkaClient._get_conn": "68ce5d8391719d33",
    "aiokafka.protocol.types:Schema.encode": "0cf5f9852ba23fc4",
    "aiokafka.protocol.types:Array.encode": "26bc52f6c02ab6c3",
    "aiokafka.protocol.types:Bytes.encode": "ca5c8b815204d333",
    "aiokafka.producer.producer:AIOKafkaProducer.send_batch": "bf42b0f0c5c0646d",
    "aiokafka.producer.message_accumulator:BatchBuilder.append": "657d76f55157d9ca",
    "aiokafka.producer.message_accumulator:MessageAccumulator._pop_batch": "41cc98a298ef2628",
    "aiokafka.producer.message_accumulator:BatchBuilder": "8050802ca7514186",
    "aiokafka.consumer.fetcher:Fetcher.fetched_records": "be4348896b9b66af",
    "aiokafka.consumer.fetcher:Fetcher._proc_fetch_request": "59bf948fff47eed5",
    "aiokafka.consumer.fetcher:PartitionRecords": "94aa0da0dbec8d1b",
    "aiokafka.consumer.fetcher:FetchResult": "d7db13f06de8248c",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1455a",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.on_thread_stop": "8dfc004e258b6c25",
    "aiokafka.consumer.fetcher:Fetcher.close": "1cd24bc1c442149e",
    "mode.threads:ServiceThread.stop": "32d026539c3665b2",
    "mode.worker:Worker._schedule_shutdown": "1a6a5dfc88c2298b",
}
"""What is overridden, and what the overrides rely on."""


def fingerprint(name: str) -> str:
    module, path = name.split(":")
    found = importlib.import_module(module)
    for part in path.split("."):
        found = inspect.getattr_static(found, part)
    found = getattr(found, "fget", None) or getattr(found, "fun", None) or getattr(found, "__wrapped__", None) or found
    return hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_what_is_overridden_is_what_was_read(name: str) -> None:
    assert fingerprint(name) == FINGERPRINTS[name], f"{name} has changed: port agents/engine"


if __name__ == "__main__":
    for each in FINGERPRINTS:
        print(f'    "{each}": "{fingerprint(each)}",')
