-- The delivery log in ClickHouse (24.8 or newer), without texts and addresses: clickhouse-client --multiquery < clickhouse.sql
-- A record counts once: a second one with the same organisation, message, attempt and status takes the first one's place. Until parts are
-- merged both are there, so queries say FINAL.

CREATE TABLE delivery_log
(
    message String,
    organisation LowCardinality(String),
    client String,
    channel LowCardinality(Nullable(String)),
    reason LowCardinality(String),
    status LowCardinality(String),
    detail Nullable(String),
    at DateTime64(6, 'UTC'),
    notices Array(Tuple(id String, kind LowCardinality(String), appointment Nullable(String), others Array(String))),
    parts Nullable(Int64),
    cost Tuple(amount Nullable(Decimal(38, 18)), currency Nullable(String)),
    attempt Int64,
    template Nullable(String),
    decided Nullable(DateTime64(6, 'UTC')),
    due Nullable(DateTime64(6, 'UTC')),
    start Nullable(DateTime64(6, 'UTC')),
    schema Int64, -- 0: a record without it, of version 1
    recipient String, -- empty: the client
    CONSTRAINT known CHECK schema <= 2 -- a newer one would be misread: the insert is refused, and Kafka keeps it until this is mended
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (organisation, message, attempt, status)
TTL toDateTime(at) + INTERVAL 400 DAY; -- as long as AFSPRAAKBERICHT_TEXT_DAYS

-- How many messages went out, by local day and channel?
SELECT toDate(at, 'Europe/Amsterdam') AS day, channel, uniqExact(message) AS messages
FROM delivery_log FINAL WHERE status = 'sent' GROUP BY day, channel ORDER BY day, channel;

-- What did a month cost?
SELECT formatDateTime(at, '%Y-%m', 'Europe/Amsterdam') AS month, organisation, cost.currency AS currency, sum(parts) AS parts, sum(cost.amount) AS amount
FROM delivery_log FINAL WHERE status = 'sent' AND cost.amount IS NOT NULL GROUP BY month, organisation, currency ORDER BY month, organisation;

-- Was the promise kept: 95 % with the provider within 10 s?
SELECT reason, count() AS messages, round(avg(at - due <= 10), 3) AS within_10_s
FROM delivery_log FINAL WHERE status = 'sent' AND attempt = 1 AND due IS NOT NULL GROUP BY reason ORDER BY reason;

-- Why was somebody not told?
SELECT detail, count() AS notices, uniqExact(organisation, client) AS clients
FROM delivery_log FINAL WHERE status = 'suppressed' GROUP BY detail ORDER BY notices DESC, detail;

-- From Kafka, as a user with the rights of `reader` (RUNBOOK.md "First start" 4).
CREATE TABLE delivery_log_queue AS delivery_log
ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka-1:9093', kafka_topic_list = 'delivery-log', kafka_group_name = 'clickhouse-delivery-log',
    kafka_format = 'JSONEachRow', date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1,
    input_format_null_as_default = 1, kafka_skip_broken_messages = 0;

CREATE MATERIALIZED VIEW delivery_log_reader TO delivery_log AS SELECT * FROM delivery_log_queue;
