"""Printed lines tell how a training goes."""

import re


def test_verbose_prints_a_line_per_epoch(small, blobs, capsys):
    small(max_epochs=3, verbose=2, early_stopping=True).fit(*blobs)

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["epoch", f"{epoch}/3"] for epoch in (1, 2, 3)
    ]
    for part in (
        r"loss \d",
        r"valid \d\.\d+ \(\d+.*%\)",
        "prototypes in use",
        r"\d s$",
    ):
        assert re.search(part, lines[-1])


def test_little_verbosity_prints_every_tenth_epoch_and_the_last(small, blobs, capsys):
    small(max_epochs=23, verbose=1, readout="mean").fit(*blobs)

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["10/23", "20/23", "23/23"]
    assert "prototypes" not in lines[0]
    assert "valid" not in lines[0]


def test_no_verbosity_prints_nothing(small, blobs, capsys):
    small(early_stopping=True).fit(*blobs)

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_the_last_epoch_before_an_early_stop_is_printed(small, blobs, capsys):
    X, y = blobs
    params = {"max_epochs": 50, "n_iter_no_change": 1, "lr": 1.0, "verbose": 2}
    classifier = small(**params).fit(X, y, X_val=X, y_val=y)

    assert len(capsys.readouterr().out.splitlines()) == classifier.n_iter_
