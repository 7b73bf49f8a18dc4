"""One module per kind of bottleneck; each a function from what was measured to findings."""
