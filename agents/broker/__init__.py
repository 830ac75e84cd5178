"""Run Apache Kafka for development, tests and the demo, from its jars and the JRE of a wheel."""
