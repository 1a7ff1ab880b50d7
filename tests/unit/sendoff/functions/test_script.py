from __future__ import annotations

from pathlib import Path

import pytest

from sendoff.functions.script import importable

DEFINED = "import sendoff\nx = 1\n@sendoff.remote(gpu='a')\ndef f(): return f.remote()\n"
MAIN = "def main():\n    return f.remote()\n"
GUARD = "if __name__ == '__main__':\n    main()\n"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (DEFINED, True),
        ('"""Words."""\n' + DEFINED + "if __name__ == '__main__':\n    f.remote()\n", True),
        (DEFINED + "print(1)\nif '__main__' == __name__:\n    f.remote()\n", True),
        (DEFINED + "f.remote()\n", False),
        (DEFINED + "y = f.remote()\n", False),
        (DEFINED + "y = [f.map([z]) for z in range(2)]\nif __name__ == '__main__': pass\n", False),
        (DEFINED + "for z in range(2): print(z)\n", False),
        (DEFINED + "print('working')\n", False),
        ("def f(:\n", False),
        (DEFINED + MAIN + "answer = main()\n", False),
        (DEFINED + MAIN + "answer = asyncio.run(main())\n", False),
        (DEFINED + "class Main:\n    def go(self): f.spawn()\nMain().go()\n" + GUARD, False),
        (DEFINED + MAIN + "def all(): return [main()]\nif x: y = all()\n" + GUARD, False),
        (DEFINED + MAIN + "def other(): return 1\ny = other()\n", True),
        (DEFINED + MAIN + "if x:\n    def other(): return f.remote()\n" + GUARD, True),
        (DEFINED + "class Main:\n    y = f.remote()\n", False),
    ],
)
def test_whether_a_script_starts_something(source: str, found: bool, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(source)
    assert importable(path) is found


def test_a_script_that_is_gone_is_none(tmp_path: Path) -> None:
    assert not importable(tmp_path / "gone.py")
