"""One module a subcommand: `HELP`, `arguments(parser)` and `run(args) -> exit code`. Imported only when it is asked for."""
