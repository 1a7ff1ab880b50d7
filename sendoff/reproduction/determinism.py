"""What has to be set before a command starts for its frameworks to repeat themselves.

Each is read once, when a library is loaded, so a script can't set it for itself. What a script
alone can do, it still has to: seed its generators, and
`torch.use_deterministic_algorithms(True)`, which refuses what can't be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping

_FIXED = {
    # Order of sets and of dict keys that are strings (Python, "Command line and environment").
    "PYTHONHASHSEED": "0",
    # cuBLAS, "Results reproducibility": two workspaces of 4 MiB for each stream.
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    # TensorFlow, tf.config.experimental.enable_op_determinism, and cuDNN's algorithms before that.
    "TF_DETERMINISTIC_OPS": "1",
    "TF_CUDNN_DETERMINISTIC": "1",
    # MKL, "Conditional numerical reproducibility": the same code path on every x86-64 processor.
    "MKL_CBWR": "COMPATIBLE",
    # NCCL adds in the order of its algorithm, which it would choose by the size of a message.
    "NCCL_ALGO": "Ring",
}
_FLAGS = {"XLA_FLAGS": "--xla_gpu_deterministic_ops=true"}
"""Those that others add words to."""
_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def variables(asked: Mapping[str, str], cpus: float) -> dict[str, str]:
    """The variables of a command that is to repeat itself; what was asked for wins.

    How many threads add up decides in which order they do. So their number must not be that of
    whatever machine it is: it is the cores that were asked for, or one.
    """
    threads = dict.fromkeys(_THREADS, str(max(1, int(cpus))))
    flags = {
        name: f"{asked[name]} {text}" if asked.get(name) else text for name, text in _FLAGS.items()
    }
    return {**_FIXED, **threads, **asked, **flags}
