"""One module a subcommand: `HELP`, `arguments(parser)` and `run(args) -> exit code`. It is imported only when asked for."""
