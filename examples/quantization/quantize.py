"""What weight quantization does to each layer of a small network.

Trains a multi-layer perceptron on scikit-learn's handwritten digits, rounds the weights of one
layer at a time (then of all) to a given number of bits, and measures the accuracy that is left.
Writes metrics.json and plot.png into the working directory.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


def train(hidden, seed):
    """A trained network and the digits it has not seen: 1,257 to learn from, 540 to test."""
    images, digits = load_digits(return_X_y=True)
    seen, unseen, seen_digits, unseen_digits = train_test_split(
        images / 16.0, digits, test_size=0.3, random_state=seed, stratify=digits
    )
    network = MLPClassifier(hidden_layer_sizes=hidden, max_iter=400, random_state=seed)
    return network.fit(seen, seen_digits), unseen, unseen_digits


def quantize(weights, bits):
    """Weights rounded to 2**bits - 1 evenly spaced levels, symmetric around zero."""
    levels = 2 ** (bits - 1) - 1
    step = np.abs(weights).max() / levels
    return np.round(weights / step) * step


def accuracy_with(network, layers, bits, images, digits):
    """Accuracy with only these layers quantized."""
    original = network.coefs_
    network.coefs_ = [
        quantize(weights, bits) if layer in layers else weights
        for layer, weights in enumerate(original)
    ]
    try:
        return round(network.score(images, digits), 4)
    finally:
        network.coefs_ = original


def plot(accuracy, bits, path):
    """A bar for each layer, against the accuracy of the network as trained."""
    from matplotlib.figure import Figure

    names = [name for name in accuracy if name != "original"]
    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.bar(names, [accuracy[name] for name in names], color="#2563eb", width=0.6)
    axes.axhline(accuracy["original"], color="#ea580c", linestyle="--", label="as trained")
    axes.set(ylim=(0, 1), ylabel="accuracy", xlabel="quantized")
    axes.set_title(f"weights of {bits} bits", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, dpi=140)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bits", type=int, default=4, help="bits of a weight, 2 or more")
    parser.add_argument("--hidden", type=int, nargs="+", default=[48, 32], help="hidden layers")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    started = time.perf_counter()
    network, images, digits = train(tuple(arguments.hidden), arguments.seed)
    layers = range(len(network.coefs_))
    accuracy = {"original": accuracy_with(network, (), arguments.bits, images, digits)}
    for layer in layers:
        left = accuracy_with(network, {layer}, arguments.bits, images, digits)
        accuracy[f"layer{layer + 1}"] = left
        shape = "x".join(map(str, network.coefs_[layer].shape))
        print(f"layer {layer + 1}, {shape}, at {arguments.bits} bits: {left:.1%} correct")
    accuracy["all"] = accuracy_with(network, set(layers), arguments.bits, images, digits)
    print(f"trained and measured in {time.perf_counter() - started:.2f} s")

    Path("metrics.json").write_text(json.dumps({"accuracy": accuracy}, indent=2))
    plot(accuracy, arguments.bits, "plot.png")


if __name__ == "__main__":
    main()
