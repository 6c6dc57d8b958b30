"""The program as it is started from a shell: codes, streams, what it loads."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import sklearn_ddcl
from sklearn_ddcl import DDCLClassifier

PACKAGE = Path(sklearn_ddcl.__file__).parent
COMMANDS = ["fit", "predict", "explain", "evaluate"]


def start(*argv, code="", **kwargs):
    """Run the program in a process of its own."""
    command = ["-c", code] if code else ["-m", "sklearn_ddcl"]
    return subprocess.run(
        [sys.executable, *command, *argv],
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        **kwargs,
    )


@pytest.mark.slow
def test_fit_then_predict_from_a_shell(animals, tmp_path):
    fit = start(
        *("fit", animals, "--target", "animal", "--out", "m", "--quiet"),
        *("--max-epochs", "1"),
        cwd=tmp_path,
    )
    predict = start("predict", "m", animals, cwd=tmp_path)

    assert (fit.returncode, predict.returncode) == (0, 0)
    assert fit.stdout.endswith("saved to m\n")
    assert len(predict.stdout.splitlines()) == 37
    assert predict.stderr == "note: not used by the model: animal\n"


def test_help_and_bad_usage_load_no_heavy_library():
    code = """
import sys
from sklearn_ddcl.cli import main
codes = [main(argv.split()) for argv in [
    "--help", "fit --help", "evaluate --help", "--version",
    "", "fly", "fit table.csv", "fit t --target y --out nowhere/m", "predict --proba",
    "explain m t --rows x",
]]
print(codes, sorted({"torch", "pandas", "sklearn", "numpy"} & set(sys.modules)))
"""
    finished = start(code=code)

    assert finished.stdout.splitlines()[-1] == "[0, 0, 0, 0, 2, 2, 2, 2, 2, 2] []"
    assert finished.stderr.count("error: ") == 6


@pytest.mark.slow
def test_the_reader_of_a_pipe_may_leave(model, animals, tmp_path):
    command = [sys.executable, "-m", "sklearn_ddcl", "predict", model, animals]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.close()
        said = process.stderr.read()

    assert process.returncode == 0
    assert said == "note: not used by the model: farm, animal\n"


def test_a_terminal_without_the_letter_shows_another(monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    finished = start("größe")

    assert finished.returncode == 2
    assert "invalid choice: 'gr??e'" in finished.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run, command):
    finished = run(command, "--help")

    assert finished.code == 0
    assert finished.out.startswith(f"usage: python -m sklearn_ddcl {command}")
    assert finished.err == ""


def test_the_overview_lists_commands_and_exit_codes(run):
    said = run("--help").out

    for word in [*COMMANDS, "exit codes", "130"]:
        assert word in said


def test_the_version_is_that_of_the_package(run):
    assert run("--version").out == f"{sklearn_ddcl.__version__}\n"


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["fit"], "the following arguments are required: TABLE, --target, --out"),
    ],
)
def test_bad_usage_is_one_line_with_a_way_out(run, argv, expected):
    finished = run(*argv)

    assert finished.code == 2
    assert finished.out == ""
    assert finished.err.startswith("error: ")
    assert expected in finished.err
    assert finished.err.endswith(" --help\n")
    assert finished.err.count("\n") == 1


FIT = ["fit", "animals.csv", "--target", "animal", "--out", "m"]


def fail_with(error, monkeypatch):
    def fit(self, X, y):
        raise error

    monkeypatch.setattr(DDCLClassifier, "fit", fit)


@pytest.mark.usefixtures("animals")
def test_an_interruption_has_its_own_code(run, monkeypatch):
    fail_with(KeyboardInterrupt(), monkeypatch)

    finished = run(*FIT)

    assert (finished.code, finished.err) == (130, "error: interrupted\n")
    assert not Path("m").exists()


@pytest.mark.usefixtures("animals")
def test_a_failure_of_ours_is_told_from_bad_input(run, monkeypatch):
    fail_with(RuntimeError("the network\n  fell over"), monkeypatch)

    finished = run(*FIT)

    assert finished.code == 1
    assert finished.err == (
        "error: unexpected failure, RuntimeError: the network fell over. "
        "Add --traceback and report it\n"
    )


@pytest.mark.usefixtures("animals")
def test_what_the_library_says_of_its_input_is_bad_input(run, monkeypatch):
    fail_with(ValueError("expected better rows"), monkeypatch)

    finished = run(*FIT)

    assert (finished.code, finished.err) == (2, "error: expected better rows\n")


@pytest.mark.usefixtures("animals")
def test_the_traceback_comes_when_asked_for(run, monkeypatch):
    fail_with(RuntimeError("fell over"), monkeypatch)

    finished = run(*FIT, "--traceback")

    assert finished.code == 1
    assert "Traceback (most recent call last)" in finished.err
    assert "RuntimeError: fell over" in finished.err
    assert finished.err.splitlines()[-1].startswith("error: unexpected failure")


@pytest.mark.usefixtures("animals")
def test_warnings_of_the_library_are_one_line_each(run, monkeypatch):
    fit = DDCLClassifier.fit

    def warn_and_fit(self, X, y):
        warnings.warn("prototypes\nfell together", UserWarning, stacklevel=2)
        return fit(self, X, y)

    monkeypatch.setattr(DDCLClassifier, "fit", warn_and_fit)
    finished = run(*FIT, "--max-epochs", "1")

    assert finished.code == 0
    assert "warning: prototypes fell together\n" in finished.err
