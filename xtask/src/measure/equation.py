"""The transition equation in plain Python and in NumPy, timed: printed as one JSON object.

The same as src/learning/equation.rs: ten steps of 5 s from nothing known must end in the same numbers.
"""

import json
import math
import statistics
import time

ALPHA, BETA, LIMIT, KAPPA = 0.7, 0.15, 0.3, 0.05
PRACTICE = (0.27, 0.32, 0.18, 0.23)


def unit(x):
    return min(max(x, 0.0), 1.0)


def step(weights, index, signals, epsilon):
    value, lower, upper = index
    seen = [(w, x) for w, x in zip(weights, signals) if x is not None]
    if not seen:
        return value, lower + ALPHA * (0.0 - lower), upper + ALPHA * (1.0 - upper)
    evidence = unit(sum(w * unit(x) for w, x in seen) / sum(w for w, _ in seen))
    total = sum(weights)
    engagement_knowledge = min(KAPPA, 0.5 * min(weights[2], weights[1]) / total)
    assessment_learner = min(KAPPA, 0.5 * min(weights[3], weights[0]) / total)

    def target(missing):
        y = [missing if x is None else unit(x) for x in signals]
        mean = sum(w * x for w, x in zip(weights, y)) / total
        interaction = engagement_knowledge * (4.0 * (y[2] - 0.5) * (y[1] - 0.5))
        interaction += assessment_learner * (4.0 * (y[3] - 0.5) * (y[0] - 0.5))
        return mean, interaction

    push = BETA * min(max(epsilon, -LIMIT), LIMIT)
    to = (
        unit(evidence + target(evidence)[1]),
        unit(sum(target(0.0))),
        unit(sum(target(1.0))),
    )
    value, lower, upper = (unit(x + ALPHA * (t - x) + push) for x, t in zip(index, to))
    return value, min(lower, value), max(upper, value)


def step_numpy(np, weights, index, signals, epsilon):
    """Columns: weights and signals are 4 × n, NaN is missing."""
    value, lower, upper = index
    there = ~np.isnan(signals)
    x = np.clip(np.where(there, signals, 0.0), 0.0, 1.0)
    weight = (weights * there).sum(axis=0)
    some = weight > 0.0
    evidence = np.clip((weights * x).sum(axis=0) / np.where(some, weight, 1.0), 0.0, 1.0)
    total = weights.sum(axis=0)
    engagement_knowledge = np.minimum(KAPPA, 0.5 * np.minimum(weights[2], weights[1]) / total)
    assessment_learner = np.minimum(KAPPA, 0.5 * np.minimum(weights[3], weights[0]) / total)

    def target(missing):
        y = np.where(there, x, missing)
        mean = (weights * y).sum(axis=0) / total
        interaction = engagement_knowledge * (4.0 * (y[2] - 0.5) * (y[1] - 0.5))
        interaction = interaction + assessment_learner * (4.0 * (y[3] - 0.5) * (y[0] - 0.5))
        return mean, interaction

    push = np.where(some, BETA * np.clip(epsilon, -LIMIT, LIMIT), 0.0)

    def towards(start, end, otherwise):
        end = np.where(some, np.clip(end, 0.0, 1.0), otherwise)
        return np.clip(start + ALPHA * (end - start) + push, 0.0, 1.0)

    after = towards(value, evidence + target(evidence)[1], value)
    lower = np.minimum(towards(lower, sum(target(0.0)), 0.0), after)
    upper = np.maximum(towards(upper, sum(target(1.0)), 1.0), after)
    return after, lower, upper


def timed(call, repetitions):
    times = []
    for _ in range(repetitions):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times)


def main():
    index = (0.5, 0.0, 1.0)
    for _ in range(10):
        index = step(PRACTICE, index, (0.8, 0.6, None, 0.9), 0.1)
    signals = [[math.sin(1.0 + i + 7 * k) ** 2 for k in range(4)] for i in range(64)]
    states = [(0.5, 0.0, 1.0)] * 64

    def everybody():
        for i, x in enumerate(signals):
            states[i] = step(PRACTICE, states[i], x, 0.0)

    out = {"check": index, "python_ns": timed(everybody, 200) / 64}
    try:
        import numpy as np
    except ImportError as error:
        out["no_numpy"] = f"{error}; apt install python3-numpy"
        print(json.dumps(out))
        return
    n = 1024
    weights = np.array(PRACTICE)[:, None] * np.ones(n)

    def start():
        return np.full(n, 0.5), np.zeros(n), np.ones(n)

    index = start()
    signals = np.array([0.8, 0.6, np.nan, 0.9])[:, None] * np.ones(n)
    for _ in range(10):
        index = step_numpy(np, weights, index, signals, np.full(n, 0.1))
    out["numpy_check"] = [float(column[0]) for column in index]
    signals = np.sin(np.arange(4 * n).reshape(4, n)) ** 2
    state = [start()]
    nothing = np.zeros(n)

    def all_at_once():
        state[0] = step_numpy(np, weights, state[0], signals, nothing)

    out["numpy_ns"] = timed(all_at_once, 500) / n
    print(json.dumps(out))


main()
