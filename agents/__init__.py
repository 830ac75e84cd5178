"""The shell: Faust, Kafka, SMTP, SMS, HTTP, clock, settings. It does what `streams` decides and `renderers` word."""
