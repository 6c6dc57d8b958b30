"""scikit-learn's callbacks follow a training, and may end it."""

import pytest
from sklearn.model_selection import GridSearchCV

from sklearn_ddcl.training import DDCLNet

callback = pytest.importorskip(
    "sklearn.callback", reason="needs the callbacks of scikit-learn 1.9"
)


class Recorder:
    """Note every call, and stop after some epochs."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.calls = []
        self.accuracies = []

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(f"begin {context.task_name}")

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, fitted_estimator=None
    ):
        self.calls.append(f"end {context.task_name}")
        self.accuracies.append(fitted_estimator.score(X, y))
        return len(self.accuracies) == self.stop_after


def calls(n_epochs):
    """Return the calls of a fit of some epochs."""
    epochs = ["begin epoch", "end epoch"] * n_epochs
    return ["setup", "begin fit", *epochs, "end fit", "teardown"]


def test_a_callback_hears_of_every_epoch(small, blobs):
    recorder = Recorder()
    classifier = small(max_epochs=3).set_callbacks(recorder).fit(*blobs)

    assert recorder.calls == calls(3)
    assert "epoch_tasks" not in dict(classifier.net_.callbacks_)


def test_a_callback_scores_the_model_as_it_stands(small, blobs):
    recorder = Recorder()
    params = {"max_epochs": 4, "early_stopping": False}
    classifier = small(**params).set_callbacks(recorder).fit(*blobs)

    assert len(recorder.accuracies) == 5
    assert recorder.accuracies[-1] == classifier.score(*blobs)
    assert recorder.accuracies[-2] == recorder.accuracies[-1]


def test_at_the_end_a_callback_scores_the_model_that_is_kept(small, blobs):
    recorder = Recorder()
    X, y = blobs
    params = {"max_epochs": 9, "n_iter_no_change": None, "temperature": 0.5}
    classifier = small(**params).set_callbacks(recorder)
    # Validated by wrong labels, so that the more is learned the worse.
    classifier.fit(X, y, X_val=X, y_val=y[::-1])

    assert recorder.accuracies[-1] == classifier.score(X, y)
    assert recorder.accuracies[-1] == recorder.accuracies[classifier.best_epoch_ - 1]
    assert recorder.accuracies[-1] < recorder.accuracies[-2]


def test_watching_changes_no_bit(small, blobs):
    expected = small().fit(*blobs).predict_proba(blobs[0])
    watched = small().set_callbacks(Recorder()).fit(*blobs)

    assert (watched.predict_proba(blobs[0]) == expected).all()


def test_a_callback_that_answers_true_ends_training(small, blobs):
    recorder = Recorder(stop_after=2)
    classifier = small(max_epochs=50).set_callbacks(recorder).fit(*blobs)

    assert classifier.n_iter_ == len(classifier.history_) == 2
    assert recorder.calls == calls(2)
    assert len(classifier.predict(blobs[0])) == 120


def test_early_stopping_is_heard_of_like_any_epoch(small, blobs):
    recorder = Recorder()
    X, y = blobs
    params = {"max_epochs": 50, "n_iter_no_change": 1, "lr": 1.0}
    classifier = small(**params).set_callbacks(recorder).fit(X, y, X_val=X, y_val=y)

    assert 1 < classifier.n_iter_ < 50
    assert recorder.calls == calls(classifier.n_iter_)


def test_callbacks_are_torn_down_when_training_breaks_off(small, blobs, monkeypatch):
    def fail(*args, **kwargs):
        raise MemoryError("no room")

    recorder = Recorder()
    classifier = small().set_callbacks(recorder)
    monkeypatch.setattr(DDCLNet, "train_step_single", fail)
    with pytest.raises(MemoryError, match="no room"):
        classifier.fit(*blobs)

    assert recorder.calls == ["setup", "begin fit", "begin epoch", "teardown"]
    assert sorted(vars(classifier)) == sorted([*vars(small()), "_skl_callbacks"])


def test_a_callback_that_fails_is_torn_down_and_undoes_the_fit(small, blobs):
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("cannot write the log")

    recorder = Failing()
    classifier = small().set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="cannot write"):
        classifier.fit(*blobs)

    assert recorder.calls[-1] == "teardown"
    assert not hasattr(classifier, "classes_")


def test_a_progress_bar_and_scores_follow_a_grid_search(small, blobs, capsys):
    pytest.importorskip("rich")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    classifier = small(max_epochs=2).set_callbacks(monitor)
    search = GridSearchCV(classifier, {"n_prototypes": [3, 4]}, cv=2)
    search.set_callbacks(callback.ProgressBar()).fit(*blobs)

    # Of four candidate fits and the last one, two epochs and the end of each.
    logs = monitor.get_logs(select="all")
    assert sum(len(log.data) for log in logs) == 15
    assert search.best_estimator_.n_iter_ == 2
