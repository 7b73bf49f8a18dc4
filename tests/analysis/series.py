"""Series whose truth is known, for the tests of the statistics: noise of several kinds, and queues."""

import numpy as np


def white(chance, n):
    return chance.normal(size=n)


def resembling(r):
    """Make a kind of noise whose neighbors correlate by r."""

    def noise(chance, n):
        e = chance.normal(size=n + 50)
        for place in range(1, n + 50):
            e[place] = r * e[place - 1] + np.sqrt(1 - r * r) * e[place]
        return e[50:]

    return noise


def lognormal(scores, cv):
    """Turn standard normal scores into positive values with the mean 1 and a coefficient of variation."""
    spread = np.sqrt(np.log1p(cv * cv))
    return np.exp(spread * scores - spread**2 / 2)


def responses(chance, n, arrivals, service, *, fixed=False, warm_up=2000):
    """Response times of one server (Lindley's recursion) in the order of arrival, seconds."""
    gaps = chance.exponential(1 / arrivals, n + warm_up)
    times = np.full(n + warm_up, service) if fixed else chance.exponential(service, n + warm_up)
    walk = np.cumsum(np.r_[0, times[:-1] - gaps[1:]])
    return (walk - np.minimum.accumulate(np.minimum(walk, 0)) + times)[warm_up:]
