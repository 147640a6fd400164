"""Fits the flood model's logistic regression by gradient descent and prints its weights as JSON."""
import csv
import json
import math
import sys

CENTRE = (-15.0, -21.0)
SCALE = (5.0, 6.0)


def samples(path):
    with open(path, newline="") as handle:
        for row in csv.DictReader(handle):
            vv = (float(row["vv_db"]) - CENTRE[0]) / SCALE[0]
            vh = (float(row["vh_db"]) - CENTRE[1]) / SCALE[1]
            yield (1.0, vv, vh), int(row["water"])


def fit(rows, rate=0.3, steps=3000):
    weights = [0.0, 0.0, 0.0]
    for _ in range(steps):
        gradient = [0.0, 0.0, 0.0]
        for x, label in rows:
            z = sum(w * v for w, v in zip(weights, x))
            error = 1.0 / (1.0 + math.exp(-z)) - label
            for k in range(3):
                gradient[k] += error * x[k] / len(rows)
        weights = [w - rate * g for w, g in zip(weights, gradient)]
    return weights


if __name__ == "__main__":
    bias, vv, vh = fit(list(samples(sys.argv[1])))
    print(json.dumps({"bias": round(bias, 4), "weights": [round(vv, 4), round(vh, 4)]}))
