"""The way in for HL7 v2 over MLLP: a process of its own, which writes the bytes to Kafka and answers once they are there."""
