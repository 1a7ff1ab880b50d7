#!/usr/bin/env python
"""Two moons with a one-hidden-layer net.    python train.py [epochs] [hidden] [seed]"""

import sys
import time

import numpy as np

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else 10
HIDDEN = int(sys.argv[2]) if len(sys.argv) > 2 else 32
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 0
BATCH = 20


def moons(n, rng):
    t = rng.uniform(0, np.pi, n)
    y = rng.integers(0, 2, n)
    x = np.where(y[:, None], np.c_[1 - np.cos(t), 0.5 - np.sin(t)], np.c_[np.cos(t), np.sin(t)])
    return x + rng.normal(0, 0.15, x.shape), y


def bar(done, total, width=24):
    filled = width * done // total
    return "=" * filled + ">" * (filled < width) + "." * (width - filled - 1)


np.random.seed(SEED)
rng = np.random.default_rng(SEED)
x_train, y_train = moons(600, rng)
x_test, y_test = moons(300, rng)
w1, b1 = rng.normal(0, 1, (2, HIDDEN)), np.zeros(HIDDEN)
w2, b2 = rng.normal(0, 0.1, HIDDEN), 0.0


def predict(x):
    h = np.tanh(x @ w1 + b1)
    return h, 1 / (1 + np.exp(-(h @ w2 + b2)))


print("train samples:", len(x_train))
start = time.time()
for epoch in range(1, EPOCHS + 1):
    order, losses, hits = rng.permutation(len(x_train)), [], []
    for i in range(0, len(order), BATCH):
        x, y = x_train[order[i : i + BATCH]], y_train[order[i : i + BATCH]]
        h, p = predict(x)
        losses.append(-np.mean(y * np.log(p + 1e-9) + (1 - y) * np.log(1 - p + 1e-9)))
        hits.append(np.mean((p > 0.5) == y))
        d = (p - y) / len(y)
        dh = np.outer(d, w2) * (1 - h**2)
        w2 -= 1.0 * h.T @ d
        b2 -= 1.0 * d.sum()
        w1 -= 1.0 * x.T @ dh
        b1 -= 1.0 * dh.sum(0)
        sys.stdout.write(
            f"\rEpoch {epoch}/{EPOCHS} [{bar(i + BATCH, len(order))}] "
            f"loss: {np.mean(losses):.4f} - acc: {np.mean(hits):.4f}"
        )
        sys.stdout.flush()
    sys.stdout.write("\n")

test_acc = np.mean((predict(x_test)[1] > 0.5) == y_test)
print(f"Test accuracy: {test_acc:.4f}")
print(f"elapsed: {time.time() - start:.2f}s")
np.savetxt("weights.txt", np.c_[w1.T, b1, w2], fmt="%.10f")
