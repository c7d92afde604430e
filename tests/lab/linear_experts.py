#!/usr/bin/env python3
"""An independent computation of what src/ebt/lab/linear_experts.h measures.

It shares nothing with the engine but the setting: other random numbers, other code, another way
down to the minimum (gradient descent with Nesterov's momentum). Over many seeds it writes the mean
of every accuracy and half of its 95 % confidence interval, which is Student's t over the seeds.

    nice python3 tests/lab/linear_experts.py > tests/golden/linear_experts.json

Needs numpy; takes some minutes.
"""

import json
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402: the number of threads must be set before

INPUTS, CLASSES, EXPERTS, POINTS, TEST_POINTS, L2 = 100, 10, 5, 10_000, 10_000, 1e-3
SIGMAS = [0.03, 1.0, 2.0]
TEMPERATURES = [0.0, 0.5, 1.0]
SEEDS = 20
STUDENT_95 = 2.0930  # two-sided, for SEEDS - 1 = 19 degrees of freedom


def softmax(logits):
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def fit(points, labels):
    """Weights and biases that minimise mean cross-entropy + L2 / 2 |weights|^2."""
    count = len(points)
    inputs = np.hstack([points, np.ones((count, 1))])
    wanted = np.eye(CLASSES)[labels]
    penalty = np.full((INPUTS + 1, 1), L2)
    penalty[-1] = 0  # biases are free
    # The second derivative of a softmax is at most 1/2.
    rate = 1 / (0.5 * np.linalg.eigvalsh(inputs.T @ inputs / count)[-1] + L2)
    weights = ahead = np.zeros((INPUTS + 1, CLASSES))
    momentum, first = 1.0, None
    for _ in range(3000):
        slope = inputs.T @ (softmax(inputs @ ahead) - wanted) / count + penalty * ahead
        size = np.linalg.norm(slope)
        first = first or size
        if size < 1e-4 * first:
            break
        after = ahead - rate * slope
        if np.sum(slope * (after - weights)) > 0:
            momentum = 1.0  # it goes uphill: start again without (O'Donoghue and Candes)
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = after + (momentum - 1) / following * (after - weights)
        weights, momentum = after, following
    return weights


def measure(sigma, seed):
    random = np.random.default_rng([seed, int(1000 * sigma)])
    truth = random.standard_normal((INPUTS, CLASSES))
    experts = truth + sigma * random.standard_normal((EXPERTS, INPUTS, CLASSES))
    points = random.standard_normal((POINTS, INPUTS))
    said = np.array([(points @ expert).argmax(axis=1) for expert in experts])
    labels = said[random.integers(EXPERTS, size=POINTS), np.arange(POINTS)]
    test = random.standard_normal((TEST_POINTS, INPUTS))
    classes = (test @ truth).argmax(axis=1)
    accuracies = [np.mean((test @ expert).argmax(axis=1) == classes) for expert in experts]
    weights = fit(points, labels)
    logits = test @ weights[:-1] + weights[-1]
    model = []
    for temperature in TEMPERATURES:
        if temperature == 0:
            model.append(np.mean(logits.argmax(axis=1) == classes))
        else:
            model.append(softmax(logits / temperature)[np.arange(TEST_POINTS), classes].mean())
    return [max(accuracies), np.mean(accuracies)] + model


def summary(values):
    half_width = STUDENT_95 * values.std(ddof=1) / np.sqrt(len(values))
    return {"mean": round(float(values.mean()), 5), "half_width": round(float(half_width), 5)}


def main():
    rows = []
    for sigma in SIGMAS:
        table = np.array([measure(sigma, seed) for seed in range(SEEDS)])
        rows.append({
            "sigma": sigma,
            "best_expert": summary(table[:, 0]),
            "mean_expert": summary(table[:, 1]),
            "model": [{"temperature": temperature, **summary(table[:, 2 + i])}
                      for i, temperature in enumerate(TEMPERATURES)],
        })
    head = {
        "comment": "Made by tests/lab/linear_experts.py: accuracies of linear experts and of the "
                   "model that they teach, means over seeds with half of their 95 % confidence "
                   "interval (Student's t).",
        "inputs": INPUTS, "classes": CLASSES, "experts": EXPERTS, "points": POINTS,
        "test_points": TEST_POINTS, "l2": L2, "seeds": SEEDS,
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    sigmas = ",\n".join("  " + json.dumps(row) for row in rows)
    print("{\n" + ",\n".join(lines) + ',\n "sigmas": [\n' + sigmas + "\n ]\n}")


if __name__ == "__main__":
    main()
