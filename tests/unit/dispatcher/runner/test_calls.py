"""Calls that follow one another, started by a process of the test's own as a runner starts them."""

from __future__ import annotations


def test_only_the_first_call_loads_the_module(runner):
    found = runner("""
first, *others = [call("work:told") for _ in range(3)]
waiting = len(calls.spared())
calls.close()
print(json.dumps([first, others, waiting, len(calls.spared())]))
""")
    first, others, waiting, after = found
    assert first["out"].startswith("loaded\n")
    assert not any("loaded" in each["out"] for each in others)
    # Each is a process of its own, and the one whose exit status the runner gets.
    assert len({each["pid"] for each in (first, *others)}) == 3
    assert all(int(each["out"].split()[0]) == each["pid"] for each in others)
    assert (waiting, after) == (1, 0)


def test_a_fork_has_its_own_variables_and_directory(runner, tmp_path):
    found = runner("""
call("work:told", ME="first", GONE="x")
os.mkdir("elsewhere"); os.chdir("elsewhere")
second = call("work:told", ME="second")
third = call("work:told", '"GONE"')
calls.close()
print(json.dumps([second, third]))
""")
    second, third = (each["out"].split() for each in found)
    assert second[1:] == ["second", f"{tmp_path}/elsewhere"]
    assert third[1] == "-"


def test_statuses_and_errors_are_the_calls_own(runner):
    found = runner("""
call("work:told")
made = [call("work:ends", "7"), call("work:fails"), call("work:told")]
calls.close()
print(json.dumps(made))
""")
    assert [each["status"] for each in found] == [7, 1, 0]
    assert "ValueError: no" in found[1]["err"]


def test_other_functions_of_what_is_loaded_are_forked_too_other_paths_are_not(runner):
    found = runner("""
made = [call("work:told"), call("work:ends", "0"), call("--path=.", "work:told")]
calls.close()
print(json.dumps(made))
""")
    assert ["loaded" in each["out"] for each in found] == [True, False, True]


def test_a_process_that_is_gone_is_replaced(runner):
    found = runner("""
first = call("work:told")
(waiting,) = calls.spared()
os.kill(waiting, signal.SIGKILL)
os.waitpid(waiting, 0)
made = [call("work:told"), call("work:told")]
calls.close()
print(json.dumps(made))
""")
    assert ["loaded" in each["out"] for each in found] == [True, False]
    assert [each["status"] for each in found] == [0, 0]


def test_who_asks_for_a_fresh_interpreter_gets_one(runner):
    found = runner("""
made = [call("work:told", SENDOFF_FRESH="1") for _ in range(2)]
print(json.dumps([made, len(calls.spared())]))
""")
    made, waiting = found
    assert all("loaded" in each["out"] for each in made)
    assert waiting == 0
