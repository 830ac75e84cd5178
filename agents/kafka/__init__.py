"""Talk to Kafka outside the engine: security, topics, readers and writers without a consumer group."""
