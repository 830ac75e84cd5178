"""Run the topology: the application, its senders, metrics and health."""
