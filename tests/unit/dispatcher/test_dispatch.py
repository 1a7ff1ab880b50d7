from __future__ import annotations


def test_a_run_of_one_input_ends_with_its_manifest(bench):
    digest = bench.code(
        main="import inside, os; open('out.txt','w').write(str(inside.here)); print('hi')"
    )
    manifest = bench.end(["python", "main.py"], digest=digest)
    assert manifest.state == "succeeded", manifest
    assert manifest.exit_code == 0
    assert [file.path for file in manifest.files] == ["out.txt"]
    assert bench.output(manifest, "out.txt") == b"1"
    assert manifest.hardware["cpus"] > 0
