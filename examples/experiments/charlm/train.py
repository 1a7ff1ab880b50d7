"""Train a character-level language model on a few lines of text. No framework, just numpy.

Usage: python train.py --context 4 --hidden 64 --lr 0.2
"""

import argparse
import json
import os
import time

import numpy as np

TEXT = (
    """
the quick brown fox jumps over the lazy dog. how vexingly quick daft zebras jump!
sphinx of black quartz, judge my vow. pack my box with five dozen liquor jugs.
the five boxing wizards jump quickly. bright vixens jump; dozy fowl quack.
a wizard's job is to vex chumps quickly in fog. we promptly judged antique ivory buckles.
"""
    * 4
)


def get_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--context", type=int, default=3, help="characters to condition on")
    parser.add_argument("--embed", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.2)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--eval-every", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1337)
    parser.add_argument("--out", default="out")
    return parser.parse_args()


def get_dataset(context):
    chars = sorted(set(TEXT))
    ids = np.array([chars.index(c) for c in TEXT])
    x = np.stack([ids[i : i + context] for i in range(len(ids) - context)])
    y = ids[context:]
    n = int(0.9 * len(x))
    return len(chars), (x[:n], y[:n]), (x[n:], y[n:])


class MLP:
    def __init__(self, vocab, args, rng):
        self.p = {
            "emb": rng.normal(0, 0.5, (vocab, args.embed)),
            "w1": rng.normal(0, 1, (args.context * args.embed, args.hidden))
            / np.sqrt(args.context * args.embed),
            "b1": np.zeros(args.hidden),
            "w2": rng.normal(0, 1, (args.hidden, vocab)) / np.sqrt(args.hidden),
            "b2": np.zeros(vocab),
        }

    def forward(self, x, y):
        p = self.p
        e = p["emb"][x].reshape(len(x), -1)
        h = np.tanh(e @ p["w1"] + p["b1"])
        logits = h @ p["w2"] + p["b2"]
        logits -= logits.max(1, keepdims=True)
        probs = np.exp(logits)
        probs /= probs.sum(1, keepdims=True)
        loss = -np.log(probs[np.arange(len(y)), y]).mean()
        return loss, (x, y, e, h, probs)

    def backward(self, cache):
        x, y, e, h, probs = cache
        p, g = self.p, {}
        d = probs.copy()
        d[np.arange(len(y)), y] -= 1
        d /= len(y)
        g["w2"], g["b2"] = h.T @ d, d.sum(0)
        dh = (d @ p["w2"].T) * (1 - h**2)
        g["w1"], g["b1"] = e.T @ dh, dh.sum(0)
        de = (dh @ p["w1"].T).reshape(*x.shape, -1)
        g["emb"] = np.zeros_like(p["emb"])
        np.add.at(g["emb"], x, de)
        return g


def main():
    args = get_args()
    rng = np.random.default_rng(args.seed)
    os.makedirs(args.out, exist_ok=True)
    vocab, train, val = get_dataset(args.context)
    model = MLP(vocab, args, rng)
    print("params:", sum(v.size for v in model.p.values()))

    log = open(os.path.join(args.out, "log.jsonl"), "w")
    best = float("inf")
    t0 = time.time()
    for step in range(args.steps + 1):
        if step % args.eval_every == 0:
            train_loss, val_loss = model.forward(*train)[0], model.forward(*val)[0]
            if val_loss < best:
                best = val_loss
                np.savez(os.path.join(args.out, "ckpt.npz"), **model.p)
            record = {
                "step": step,
                "train/loss": round(float(train_loss), 6),
                "val/loss": round(float(val_loss), 6),
                "best": round(float(best), 6),
            }
            log.write(json.dumps(record) + "\n")
            log.flush()
            print(
                f"step {step} | train {train_loss:.4f} | val {val_loss:.4f} | {time.time() - t0:.1f}s"
            )
        i = rng.integers(0, len(train[0]), args.batch_size)
        _, cache = model.forward(train[0][i], train[1][i])
        for name, grad in model.backward(cache).items():
            model.p[name] -= args.lr * grad
    log.close()


if __name__ == "__main__":
    main()
