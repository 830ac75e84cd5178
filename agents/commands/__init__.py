"""One module a subcommand: `arguments(parser)` and `run(args) -> exit code`. It is imported only when asked for."""
