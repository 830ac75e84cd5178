"""Read from and write to Kafka on Faust's threads: consumer, producer, offsets and membership."""
