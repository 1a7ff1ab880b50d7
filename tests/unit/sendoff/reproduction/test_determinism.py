from __future__ import annotations

from sendoff.reproduction.determinism import variables


def test_what_was_asked_for_wins_and_threads_are_those_of_the_cores() -> None:
    found = variables({"MKL_CBWR": "AVX2", "XLA_FLAGS": "--a"}, 4)
    assert found["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert found["MKL_CBWR"] == "AVX2"
    assert found["XLA_FLAGS"] == "--a --xla_gpu_deterministic_ops=true"
    assert found["OMP_NUM_THREADS"] == "4"
    assert variables({}, 0)["OMP_NUM_THREADS"] == "1"
