"""The whole timetable of an open load at once, which generators only ever read in pieces."""

import numpy as np

from performance.arrivals import in_chunks


def intended_times(spec, seed):
    """Return when each request is meant to be sent: (n,) seconds since the load's start, ascending."""
    pieces = list(in_chunks(spec, seed))
    return np.concatenate(pieces) if pieces else np.empty(0)
