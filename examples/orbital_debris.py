"""Payload, rocket body or debris? Telling objects in orbit apart by their orbits.

Run it from the root of the repository:

    python examples/orbital_debris.py                     # on a synthetic catalog
    python examples/orbital_debris.py --data satcat.csv   # on a real one

A fifth of the launches only serves to choose parameters of DDCLClassifier. On the rest
it is compared with gradient boosting and a random forest, on two kinds of splits:

- *new launches*: all objects of a launch are on the same side. Fragments of one
  break-up share an orbit, so only this tells how a model does on unknown launches.
- *random rows*: fragments of one break-up are on both sides. Everybody looks better.

Rocket bodies are few, hence the balanced accuracy: the mean hit rate of the classes.
ECE, the expected calibration error, is how far confidence is from accuracy. All models
are fitted on one core.

Four pictures go to --out, all but the second of objects that the model has not seen:

confusion_matrix.png
    Each line is a true class; its percentages add up to 100. Splits by launch.
training_history.png
    A healthy training ends with the temperature well below the critical one, at least
    as many prototypes in use as there are classes, and tracking below 0.5.
prototype_map.png
    Small dots are objects, in the color of their true class; large ones are prototypes
    amid the objects that they answer for, in the color of the class that they vote for.
    Objects between prototypes are decided by several, and those of another color than
    the prototypes around them are mistakes.
explanation.png
    Why one object was classified as it was. Each bar is what one prototype gave; the
    pieces of one color add up to the probability of that class, with nothing left over.
"""

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    accuracy_score,
    balanced_accuracy_score,
    log_loss,
)
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from threadpoolctl import threadpool_limits

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.datasets import make_orbital_debris, read_satcat
from sklearn_ddcl.inspection import (
    ExplanationDisplay,
    PrototypeMapDisplay,
    TrainingHistoryDisplay,
)
from sklearn_ddcl.networks import MLPEncoder

GRID = {"model__n_prototypes": [12, 32], "model__encoder__dropout": [0.1, 0.3]}
OURS = "DDCLClassifier"


def prepare(frame):
    """Turn angles into points on a circle and text into categories."""
    frame = frame.copy()
    for name in ("raan_deg", "argp_deg"):
        if name in frame:
            angle = np.deg2rad(frame.pop(name))
            frame[f"{name}_sin"], frame[f"{name}_cos"] = np.sin(angle), np.cos(angle)
    text = frame.select_dtypes(exclude="number").columns
    return frame.astype(dict.fromkeys(text, "category"))


def make_models():
    """Return the pipelines to compare, by name."""
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10)
    dummies = make_column_transformer(
        (one_hot, make_column_selector(dtype_include="category")),
        remainder="passthrough",
        sparse_threshold=0,
    )
    boosting = HistGradientBoostingClassifier(
        categorical_features="from_dtype", early_stopping=True, random_state=0
    )
    forest = RandomForestClassifier(300, random_state=0)
    ddcl = DDCLClassifier(encoder=MLPEncoder(), max_epochs=30, random_state=0)
    first = ("prepare", FunctionTransformer(prepare))
    return {
        "gradient boosting": Pipeline([first, ("model", boosting)]),
        "random forest": Pipeline([first, ("dummies", dummies), ("model", forest)]),
        OURS: Pipeline([first, ("model", ddcl)]),
    }


def tune(pipeline, catalog, rows):
    """Return the pipeline with the parameters that do best on some launches."""
    search = GridSearchCV(
        clone(pipeline),
        GRID,
        scoring="neg_log_loss",
        cv=StratifiedGroupKFold(3, shuffle=True, random_state=0),
        refit=False,
    )
    print(f"\nGrid search on {len(rows)} objects ...", flush=True)
    search.fit(
        catalog.data.iloc[rows],
        catalog.target.iloc[rows],
        groups=catalog.groups.iloc[rows],
    )
    results = pd.DataFrame(search.cv_results_["params"])
    results.columns = [name.removeprefix("model__") for name in results]
    results["log-loss"] = -search.cv_results_["mean_test_score"]
    print(results.to_string(index=False, float_format="{:.3g}".format), flush=True)
    return clone(pipeline).set_params(**search.best_params_)


def calibration_error(confidence, correct, n_bins=10):
    """Return the mean gap of confidence and accuracy over bins of confidence."""
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, weights=confidence - correct, minlength=n_bins)
    return np.abs(gaps).sum() / len(confidence)


def measure(model, X, y):
    """Return how good a fitted model is on rows, and what it predicts."""
    proba = model.predict_proba(X)
    predicted = model.classes_[proba.argmax(axis=1)]
    return {
        "accuracy": accuracy_score(y, predicted),
        "balanced accuracy": balanced_accuracy_score(y, predicted),
        "log-loss": log_loss(y, proba, labels=model.classes_),
        "ECE": calibration_error(proba.max(axis=1), predicted == y.to_numpy()),
    }, predicted


def compare(title, models, catalog, splits):
    """Print how good the models are; return what they predict and our first fit."""
    print(f"\nSplit: {title}", flush=True)
    X, y = catalog.data, catalog.target
    table, predictions, ours = {}, {}, []
    for name, model in models.items():
        folds, predicted = [], pd.Series(index=y.index, dtype=object)
        for train, test in splits:
            start = time.perf_counter()
            with threadpool_limits(1):
                fitted = clone(model).fit(X.iloc[train], y.iloc[train])
            seconds = time.perf_counter() - start
            ours += [fitted] if name == OURS else []
            scores, predicted.iloc[test] = measure(fitted, X.iloc[test], y.iloc[test])
            folds.append({**scores, "fit seconds": seconds})
            print(
                f"  {name}, fold {len(folds)} of {len(splits)}: balanced accuracy "
                f"{scores['balanced accuracy']:.3f}, fitted in {seconds:.1f} s",
                flush=True,
            )
        table[name], predictions[name] = pd.DataFrame(folds).mean(), predicted.dropna()
    print(pd.DataFrame(table).T.to_string(float_format="{:.3f}".format), flush=True)
    return predictions, ours[0]


def choose_objects(proba, classes, y):
    """Return a typical hit of every class, for one class a typical mistake instead."""
    predicted, sure = classes[proba.argmax(axis=1)], proba.max(axis=1)
    by_sureness = np.argsort(sure)
    hits = by_sureness[(predicted == y)[by_sureness]]
    mistakes = by_sureness[(predicted != y)[by_sureness]]
    chosen = {}
    for label in classes:
        rows = hits[y[hits] == label]
        rows = rows if len(rows) else mistakes[y[mistakes] == label]
        if len(rows):
            chosen[label] = rows[len(rows) // 2]
    if len(mistakes):
        chosen[y[mistakes[len(mistakes) // 2]]] = mistakes[len(mistakes) // 2]
    return chosen


def explain(pipeline, catalog, train, test):
    """Explain three held-out objects in words; return the last that is a mistake."""
    X, y = catalog.data.iloc[test], catalog.target.iloc[test].to_numpy()
    chosen = choose_objects(pipeline.predict_proba(X), pipeline.classes_, y)
    pictured = next(iter(chosen.values()))
    for label, row in chosen.items():
        explanation = pipeline["model"].explain(pipeline[:-1].transform(X.iloc[[row]]))
        if explanation.predictions[0] != label:
            pictured = row
        print(f"\nAn object of type {label} that was held out. The model says:")
        print(explanation.describe(max_columns=3))
        # One training row may stand for several prototypes: add up what it gives.
        weights = pd.Series(explanation.weights[0])
        weights = weights.groupby(explanation.prototype_indices).sum().nlargest(3)
        beside = {"the object": catalog.frame.iloc[test[row]]}
        for example, weight in weights.items():
            beside[f"row {example}, {weight:.1%}"] = catalog.frame.iloc[train[example]]
        print(pd.DataFrame(beside).to_string(float_format="{:.5g}".format))
    return pictured


def draw_confusion(target, predictions):
    """Return a figure with one confusion matrix per model."""
    figure, axes = plt.subplots(1, len(predictions), figsize=(13, 4.6), sharey=True)
    for ax, (name, predicted) in zip(axes, predictions.items(), strict=True):
        ConfusionMatrixDisplay.from_predictions(
            target[predicted.index],
            predicted,
            normalize="true",
            values_format=".1%",
            cmap="Blues",
            colorbar=False,
            ax=ax,
        )
        ax.set(title=name, xlabel="predicted class", ylabel="")
    axes[0].set_ylabel("true class")
    figure.tight_layout()
    return figure


def draw_model(pipeline, X, y, row):
    """Return figures of training, prototypes and one decision, by name."""
    history = TrainingHistoryDisplay.from_estimator(pipeline)
    prototypes = PrototypeMapDisplay.from_estimator(pipeline, X, y)
    decision = ExplanationDisplay.from_estimator(pipeline, X, row=row)
    return {
        "training_history": history.figure_,
        "prototype_map": prototypes.figure_,
        "explanation": decision.figure_,
    }


def load(path, n_samples):
    """Return the catalog and say where it comes from."""
    if path is None:
        catalog = make_orbital_debris(n_samples, random_state=0)
        print(f"Synthetic catalog of {n_samples} objects; --data takes a real one.")
    else:
        catalog = read_satcat(path)
        print(f"Catalog {path}, {len(catalog.target)} objects.")
    print(catalog.target.value_counts().to_string(header=False), flush=True)
    return catalog


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="catalog that read_satcat can read")
    parser.add_argument("--out", type=Path, default=Path("build/orbital_debris"))
    parser.add_argument("--folds", type=int, default=3, help="of each comparison")
    parser.add_argument(
        "--quick", action="store_true", help="short trainings without a grid search"
    )
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    began = time.perf_counter()
    catalog = load(arguments.data, 1000 if arguments.quick else 4000)
    X, y, groups = catalog.data, catalog.target, catalog.groups

    shuffled = {"shuffle": True, "random_state": 0}
    fifths = StratifiedGroupKFold(5, **shuffled)
    rest, tuning = next(fifths.split(X, y, groups))
    models = make_models()
    if arguments.quick:
        models[OURS].set_params(model__max_epochs=10)
    else:
        models[OURS] = tune(models[OURS], catalog, tuning)

    cv = StratifiedGroupKFold(arguments.folds, **shuffled)
    parts = cv.split(X.iloc[rest], y.iloc[rest], groups.iloc[rest])
    by_launch = [(rest[train], rest[test]) for train, test in parts]
    predictions, pipeline = compare("new launches", models, catalog, by_launch)

    cv = StratifiedKFold(arguments.folds, **shuffled)
    parts = cv.split(X.iloc[rest], y.iloc[rest])
    by_row = [(rest[train], rest[test]) for train, test in parts]
    compare("random rows", models, catalog, by_row)

    train, test = by_launch[0]
    row = explain(pipeline, catalog, train, test)
    figures = {
        "confusion_matrix": draw_confusion(y, predictions),
        **draw_model(pipeline, X.iloc[test], y.iloc[test], row),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(arguments.out / f"{name}.png", dpi=120)
        plt.close(figure)
    print(f"\n{', '.join(figures)} are in {arguments.out}.")
    print(f"All of it took {time.perf_counter() - began:.0f} s.")


if __name__ == "__main__":
    main()
