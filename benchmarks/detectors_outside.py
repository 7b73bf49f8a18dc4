"""Asked in another interpreter: PROGRAM SERIES.json FOUND.json, with otava or ruptures installed there."""

import json
import math
import sys
from pathlib import Path


def otava(series):
    from otava.analysis import compute_change_points

    found = []
    for one in series:
        points, _ = compute_change_points(one, window_len=50, max_pvalue=0.001, min_magnitude=0.05)
        found.append([int(point.index) for point in points])
    return found


def ruptures(series):
    import numpy
    import ruptures as rpt

    found = []
    for one in series:
        values = numpy.asarray(one, dtype=float)
        spread = 1.4826 * numpy.median(numpy.abs(numpy.diff(values))) / math.sqrt(2) or 1e-9
        penalty = 3 * math.log(len(values)) * spread**2  # the usual guess: three parameters a step
        steps = rpt.Pelt(model="l2", min_size=5, jump=1).fit(values).predict(pen=penalty)
        found.append([int(step) for step in steps[:-1]])
    return found


if __name__ == "__main__":
    program, asked, answered = sys.argv[1:]
    result = {"otava": otava, "ruptures": ruptures}[program](json.loads(Path(asked).read_text()))
    Path(answered).write_text(json.dumps(result))
