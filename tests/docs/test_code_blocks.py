"""What the README and the user guide show runs, and does what they say."""

import doctest
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import matplotlib.pyplot  # noqa: F401
import pytest

# Now, because libraries draw a random number when they are first imported.
import sklearn_ddcl.estimators.classifier  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs" / "user_guide").glob("*.rst"))
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def blocks(text, language):
    """Return the fenced blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def shape_of(output):
    """Return output without what other processors may round otherwise.

    That is numbers, and as different prototypes may then win, the classes and rows that
    they stand for.
    """
    output = re.sub(r"which is .* in (\S+)% of cases", r"which is CLASS in \1%", output)
    output = re.sub(r"\([^()]*\)", "(ROW)", output)
    return re.sub(r" *\d+(\.\d*)?", " #", output)


def test_the_readme_prints_what_it_shows():
    text = README.read_text(encoding="utf-8")
    shown = "".join(blocks(text, "text"))
    namespace, printed = {}, StringIO()

    with redirect_stdout(printed):
        for code in blocks(text, "python"):
            exec(compile(code, README.name, "exec"), namespace)

    assert "prototype" in shown
    assert shape_of(printed.getvalue()) == shape_of(shown)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_of_the_user_guide_hold(page):
    complaints = StringIO()

    with redirect_stdout(complaints):
        failed, _ = doctest.testfile(
            str(page), module_relative=False, optionflags=OPTIONS, encoding="utf-8"
        )

    assert not failed, complaints.getvalue()


def test_the_user_guide_has_examples():
    parser = doctest.DocTestParser()
    counts = [len(parser.get_examples(page.read_text("utf-8"))) for page in PAGES]

    assert sum(counts) > 50
