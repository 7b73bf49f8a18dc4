"""What `workload` can do, a module each: `add(parser)` tells its arguments, `run(command, options)` acts."""
