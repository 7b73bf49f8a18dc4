"""Numbers in, numbers out: thin, named doors to NumPy and its like; no Django, no I/O."""
