import logging
import os

import hydra
import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from tensorboardX import SummaryWriter

log = logging.getLogger(__name__)


def make_blobs(cfg, rng):
    centers = rng.uniform(-3, 3, (cfg.classes, 2))
    labels = rng.integers(0, cfg.classes, cfg.points)
    points = centers[labels] + rng.normal(0, cfg.spread, (cfg.points, 2))
    n = int(0.8 * cfg.points)
    return (points[:n], labels[:n]), (points[n:], labels[n:])


def softmax(z):
    z = np.exp(z - z.max(1, keepdims=True))
    return z / z.sum(1, keepdims=True)


class Net:
    def __init__(self, hidden, classes, rng):
        self.w1 = rng.normal(0, 1, (2, hidden))
        self.b1 = np.zeros(hidden)
        self.w2 = rng.normal(0, 0.1, (hidden, classes))

    def __call__(self, x):
        self.x, self.h = x, np.maximum(x @ self.w1 + self.b1, 0)
        return softmax(self.h @ self.w2)

    def step(self, probs, y, lr):
        d = probs.copy()
        d[np.arange(len(y)), y] -= 1
        d /= len(y)
        dh = (d @ self.w2.T) * (self.h > 0)
        self.w2 -= lr * self.h.T @ d
        self.w1 -= lr * self.x.T @ dh
        self.b1 -= lr * dh.sum(0)


def evaluate(net, x, y):
    probs = net(x)
    loss = -np.log(probs[np.arange(len(y)), y] + 1e-9).mean()
    return float(loss), float((probs.argmax(1) == y).mean())


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg: DictConfig) -> float:
    out = HydraConfig.get().runtime.output_dir
    log.info("config:\n%s", OmegaConf.to_yaml(cfg))
    rng = np.random.default_rng(cfg.seed)
    train, test = make_blobs(cfg.data, rng)
    net = Net(cfg.model.hidden, cfg.data.classes, rng)
    writer = SummaryWriter(os.path.join(out, "tb"))
    for epoch in range(1, cfg.epochs + 1):
        order = rng.permutation(len(train[0]))
        for i in range(0, len(order), cfg.batch_size):
            batch = order[i : i + cfg.batch_size]
            net.step(net(train[0][batch]), train[1][batch], cfg.lr)
        for split, data in (("train", train), ("test", test)):
            loss, accuracy = evaluate(net, *data)
            writer.add_scalar(f"loss/{split}", loss, epoch)
            writer.add_scalar(f"accuracy/{split}", accuracy, epoch)
        log.info("epoch %d: loss %.4f", epoch, loss)
    writer.close()
    np.save(os.path.join(out, "w1.npy"), net.w1)
    np.save(os.path.join(out, "w2.npy"), net.w2)
    return accuracy


if __name__ == "__main__":
    main()
