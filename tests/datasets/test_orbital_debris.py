"""The synthetic catalog: laws in every row, the portrait of the real one in all."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import accuracy_score, recall_score
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict

import sklearn_ddcl
from sklearn_ddcl.datasets import make_orbital_debris
from sklearn_ddcl.datasets.drag import drag_lifetime_years
from sklearn_ddcl.datasets.fragment_clouds import Clouds, draw_cloud_sizes, draw_debris
from sklearn_ddcl.datasets.launches import Launches, spread_evenly
from sklearn_ddcl.datasets.orbital_mechanics import Orbit, shape_from_heights

FEATURES = [
    *["mean_motion_revday", "eccentricity", "inclination_deg", "raan_deg", "argp_deg"],
    *["apogee_km", "perigee_km", "bstar", "launch_year", "rcs_m2"],
    *["rcs_size", "owner", "launch_site"],
]
CLASSES = ["PAYLOAD", "ROCKET BODY", "DEBRIS"]


@pytest.fixture(scope="module")
def frame():
    """Three catalogs in one, so that no single break-up decides a test."""
    frames = [make_orbital_debris(8000, random_state=k).frame for k in range(3)]
    for k, part in enumerate(frames):
        part["group"] = f"{k}:" + part["group"]
    return pd.concat(frames, ignore_index=True)


def test_the_bunch_holds_what_it_promises():
    catalog = make_orbital_debris(200, random_state=0)

    assert list(catalog.data.columns) == catalog.feature_names == FEATURES
    assert list(catalog.frame.columns) == [*FEATURES, "target", "group"]
    assert set(catalog.target) == set(catalog.target_names) == set(CLASSES)
    assert catalog.groups.str.fullmatch(r"\d{4}-\d{3,}").all()
    assert "bstar" in catalog.DESCR
    assert catalog.data.select_dtypes("number").columns.tolist() == FEATURES[:10]
    pd.testing.assert_frame_equal(catalog.frame[FEATURES], catalog.data)


@pytest.mark.parametrize("n_samples", [1, 2, 3, 9, 10, 37, 1234])
def test_the_number_of_samples_is_exact(n_samples):
    catalog = make_orbital_debris(n_samples, random_state=1)

    assert len(catalog.data) == len(catalog.target) == len(catalog.groups) == n_samples
    assert catalog.target.nunique() == (3 if n_samples >= 10 else min(n_samples, 2))


def test_the_rows_come_in_no_order():
    target = make_orbital_debris(1000, random_state=0).target
    # A sorted catalog changes class twice, a shuffled one at every other row.
    assert (target != target.shift()).sum() > 400


def test_an_int_gives_the_same_catalog_again():
    first = make_orbital_debris(300, random_state=7).frame
    again = make_orbital_debris(300, random_state=np.int64(7)).frame
    other = make_orbital_debris(300, random_state=8).frame

    pd.testing.assert_frame_equal(first, again)
    assert not first["bstar"].equals(other["bstar"])


@pytest.mark.parametrize("source", [np.random.RandomState, np.random.default_rng])
def test_a_source_of_randomness_moves_on(source):
    state = source(3)
    first, second = (make_orbital_debris(50, random_state=state).frame for _ in "ab")

    assert not first["bstar"].equals(second["bstar"])
    pd.testing.assert_frame_equal(
        first, make_orbital_debris(50, random_state=source(3)).frame
    )


def test_numpy_global_state_is_neither_read_nor_set():
    before = np.random.get_state()[1].copy()  # noqa: NPY002

    first, second = make_orbital_debris(50), make_orbital_debris(50)

    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert not first.frame["bstar"].equals(second.frame["bstar"])


def test_arrays_instead_of_frames():
    data, target = make_orbital_debris(
        20, random_state=0, as_frame=False, return_X_y=True
    )
    assert isinstance(data, np.ndarray)
    assert data.shape == (20, 13)
    assert isinstance(target, np.ndarray)
    assert make_orbital_debris(20, random_state=0, as_frame=False).frame is None


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        ({"n_samples": 0}, ValueError, "n_samples must be at least 1, got n_samples=0"),
        ({"n_samples": -5}, ValueError, "n_samples must be at least 1"),
        ({"n_samples": 10.0}, TypeError, "must be an integer, got 10.0 of type float"),
        ({"n_samples": True}, TypeError, "must be an integer"),
        ({"n_samples": "10"}, TypeError, "must be an integer"),
        ({"random_state": "x"}, TypeError, "random_state must be None, a non-negative"),
        ({"random_state": 1.5}, TypeError, "of type float"),
        ({"random_state": -1}, ValueError, "random_state must not be negative"),
    ],
)
def test_wrong_params(params, error, match):
    with pytest.raises(error, match=match):
        make_orbital_debris(**params)


def test_importing_the_datasets_does_not_import_torch():
    code = "import sys, sklearn_ddcl.datasets; sys.exit('torch' in sys.modules)"
    root = Path(sklearn_ddcl.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


# Laws that hold in every row.


def test_the_identities_of_the_orbit_hold_to_rounding(frame):
    a = (frame.apogee_km + frame.perigee_km) / 2 + 6378.137
    n = 86400 / (2 * np.pi) * np.sqrt(398600.4418 / a**3)

    assert_allclose(frame.mean_motion_revday, n, rtol=1e-13)
    assert_allclose(frame.apogee_km, a * (1 + frame.eccentricity) - 6378.137, atol=1e-8)
    assert_allclose(
        frame.perigee_km, a * (1 - frame.eccentricity) - 6378.137, atol=1e-8
    )
    assert frame.eccentricity.between(0, 1, inclusive="left").all()


def test_every_row_is_an_object_in_orbit(frame):
    assert frame.perigee_km.min() > 100
    assert frame.mean_motion_revday.min() >= 3 - 1e-9
    assert frame.inclination_deg.between(0, 180).all()
    assert frame[["raan_deg", "argp_deg"]].stack().between(0, 360).all()
    assert frame.launch_year.between(1957, 2022).all()
    assert frame.drop(columns=["rcs_m2", "rcs_size"]).notna().all(axis=None)


def test_the_radar_size_is_the_cross_section_cut(frame):
    both = frame.dropna(subset=["rcs_m2", "rcs_size"])
    cut = pd.cut(
        both.rcs_m2,
        [0, 0.1, 1, np.inf],
        right=False,
        labels=["SMALL", "MEDIUM", "LARGE"],
    )

    assert len(both) > 5000
    assert (both.rcs_size == cut.astype(str)).all()


def test_a_launch_has_one_year_and_one_site(frame):
    by_launch = frame.groupby("group")
    assert (by_launch.launch_year.nunique() == 1).all()
    assert (by_launch.launch_site.nunique() == 1).all()
    assert (frame.group.str[2:6].astype(int) == frame.launch_year).all()


def test_fragments_keep_the_plane_and_the_launch_of_their_parent(frame):
    debris = frame[frame.target == "DEBRIS"]
    clouds = debris[debris.groupby("group").transform("size") >= 50].groupby("group")

    assert clouds.ngroups >= 10
    width = clouds.inclination_deg.quantile(0.75) - clouds.inclination_deg.quantile(
        0.25
    )
    assert (width < 1.5).all()
    assert clouds.owner.nunique().max() == 1


def test_a_ninth_of_a_fleet_is_on_its_way_up_or_down(frame):
    payloads = frame[
        (frame.target == "PAYLOAD") & frame.inclination_deg.between(53, 54)
    ]
    perigee = payloads.perigee_km
    off = perigee < payloads.groupby("group").perigee_km.transform("median") - 20

    # 0.11 of them, nearly all by more than 20 km.
    assert_allclose(off.mean(), 0.10, atol=0.02)


# Fragments of one known parent.


def one_cloud(age_years, size=400, perigee_km=800.0, *, collision=False):
    """Return the debris of one spacecraft on a circular orbit at 60 degrees."""
    a, e = shape_from_heights(perigee_km, perigee_km)
    field = [np.array([float(x)]) for x in (a, e, 60.0, 30.0, 0.0)]
    launches = Launches(
        family=np.array([0]),
        date=np.array([1990.0]),
        site=np.array(["AFETR"], dtype=object),
        perigee_km=np.array([perigee_km]),
        inclination_deg=np.array([60.0]),
        raan_deg=np.array([30.0]),
    )
    clouds = Clouds(
        launch=np.array([0]),
        size=np.array([size]),
        orbit=Orbit(*field),
        date=np.array([2023.0 - age_years]),
        rocket_body=np.array([False]),
        collision=np.array([collision]),
        shed=np.array([False]),
    )
    return draw_debris(launches, clouds, np.random.default_rng(0))


def test_every_fragment_returns_to_where_the_parent_broke_up():
    orbit = one_cloud(age_years=0.0).orbit

    assert (orbit.perigee_km < 800 + 1e-6).all()
    assert (orbit.apogee_km > 800 - 1e-6).all()
    # Half of them gained energy.
    assert 0.4 < (orbit.semimajor_axis_km > 800 + 6378.137).mean() < 0.6


def test_a_collision_scatters_farther_than_an_explosion():
    def spread(collision):
        return one_cloud(0.0, 2000, collision=collision).orbit.semimajor_axis_km.std()

    assert spread(collision=True) > 1.2 * spread(collision=False)


def test_planes_stay_together_for_weeks_and_spread_over_years():
    young, old = one_cloud(0.02).orbit, one_cloud(20.0).orbit

    def mean_length(degrees):
        return np.abs(np.exp(1j * np.radians(degrees)).mean())

    assert mean_length(young.raan_deg) > 0.99
    assert mean_length(old.raan_deg) < 0.5


def test_survivors_outlived_the_drag():
    cloud = one_cloud(15.0, perigee_km=650.0)

    lifetime = drag_lifetime_years(
        cloud.orbit.perigee_km, cloud.orbit.eccentricity, cloud.area_to_mass
    )
    assert (lifetime >= 15.0).all()
    assert cloud.area_to_mass.mean() < one_cloud(0.0).area_to_mass.mean() / 2


def test_cloud_sizes_are_heavy_tailed_and_respect_the_shares():
    shares = np.array([0.5, 0.3, 0.2])

    size, family = draw_cloud_sizes(10_000, shares, np.random.default_rng(0))

    assert size.sum() == 10_000
    assert size.min() >= 1
    assert np.sort(size)[-12:].sum() > 5000
    assert_allclose(np.bincount(family, size), 10_000 * shares, atol=1)


@pytest.mark.parametrize("n", [0, 1, 7, 1000])
def test_counts_are_spread_within_one_of_their_expectation(n):
    weights = np.array([0.5, 0.0, 0.01, 0.49])
    rng = np.random.default_rng(0)

    counts = np.array([spread_evenly(weights, n, rng) for _ in range(200)])

    assert (counts.sum(1) == n).all()
    assert (np.abs(counts - n * weights) < 1).all()
    assert_allclose(counts.mean(0), n * weights, atol=0.12)


# The portrait: measured on the public catalog of 2023.


def shares(series):
    return series.value_counts(normalize=True)


def test_class_shares(frame):
    actual = shares(frame.target)[CLASSES]
    assert_allclose(actual, [0.415, 0.062, 0.523], atol=0.005)


@pytest.mark.parametrize(
    ("target", "column", "quantiles"),
    [
        ("PAYLOAD", "apogee_km", [435, 541, 548, 801, 1496]),
        ("PAYLOAD", "perigee_km", [409, 538, 546, 768, 1432]),
        ("ROCKET BODY", "apogee_km", [517, 774, 999, 1689, 20187]),
        ("ROCKET BODY", "perigee_km", [245, 489, 732, 954, 1479]),
        ("DEBRIS", "apogee_km", [563, 796, 910, 1191, 2677]),
        ("DEBRIS", "perigee_km", [426, 650, 770, 853, 1430]),
    ],
)
def test_heights(frame, target, column, quantiles):
    heights = frame.loc[frame.target == target, column]
    actual = heights.quantile([0.05, 0.25, 0.5, 0.75, 0.95])
    assert_allclose(np.log10(actual[0.5] / quantiles[2]), 0, atol=0.06)
    # A few clouds decide how far the debris reaches.
    atol = 0.25 if target == "DEBRIS" else 0.08
    assert_allclose(np.log10(actual / quantiles), 0, atol=atol)


@pytest.mark.parametrize(
    ("target", "modes"),
    [
        ("PAYLOAD", {50: 0.41, 95: 0.28, 85: 0.09, 70: 0.07}),
        ("ROCKET BODY", {80: 0.27, 95: 0.19, 70: 0.13}),
        ("DEBRIS", {95: 0.45, 70: 0.14, 80: 0.12, 65: 0.06}),
    ],
)
def test_inclination_modes(frame, target, modes):
    inclination = frame.inclination_deg[frame.target == target]
    for lower, share in modes.items():
        actual = inclination.between(lower, lower + 5).mean()
        assert_allclose(actual, share, atol=0.05, err_msg=f"{lower} degrees")


@pytest.mark.parametrize(
    ("target", "mean", "sd"),
    [("PAYLOAD", -3.27, 0.63), ("ROCKET BODY", -1.94, 0.94), ("DEBRIS", -2.09, 0.63)],
)
def test_eccentricities(frame, target, mean, sd):
    log_e = np.log10(frame.eccentricity[frame.target == target])
    assert_allclose([log_e.mean(), log_e.std()], [mean, sd], atol=0.2)


def test_rocket_bodies_have_a_tail_of_transfer_orbits(frame):
    assert 0.55 < frame.eccentricity[frame.target == "ROCKET BODY"].quantile(0.98) < 0.7


@pytest.mark.parametrize(
    ("target", "at_most_zero", "mean", "sd"),
    [
        ("PAYLOAD", 0.30, -3.68, 0.60),
        ("ROCKET BODY", 0.11, -3.76, 0.60),
        ("DEBRIS", 0.03, -3.03, 0.57),
    ],
)
def test_drag_terms(frame, target, at_most_zero, mean, sd):
    bstar = frame.bstar[frame.target == target]
    log_bstar = np.log10(bstar[bstar > 0])
    assert_allclose((bstar <= 0).mean(), at_most_zero, atol=0.03)
    assert_allclose(log_bstar.mean(), mean, atol=0.25)
    assert_allclose(log_bstar.std(), sd, atol=0.1)


@pytest.mark.parametrize(
    ("target", "mean", "sd"),
    [("PAYLOAD", -0.02, 0.62), ("ROCKET BODY", 0.60, 0.41), ("DEBRIS", -1.63, 0.63)],
)
def test_radar_cross_sections(frame, target, mean, sd):
    log_rcs = np.log10(frame.rcs_m2[frame.target == target].dropna())
    assert_allclose([log_rcs.mean(), log_rcs.std()], [mean, sd], atol=0.15)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("PAYLOAD", [0.03, 0.17, 0.58, 0.22]),
        ("ROCKET BODY", [0.00, 0.07, 0.67, 0.26]),
        ("DEBRIS", [0.72, 0.07, 0.01, 0.20]),
    ],
)
def test_radar_sizes(frame, target, expected):
    size = frame.rcs_size[frame.target == target].fillna("none")
    actual = shares(size).reindex(["SMALL", "MEDIUM", "LARGE", "none"], fill_value=0)
    assert_allclose(actual, expected, atol=0.08)


def test_blanks_depend_on_the_year(frame):
    blank = frame.rcs_m2.isna()
    assert_allclose(blank.mean(), 0.39, atol=0.08)
    assert_allclose(frame.rcs_size.isna().mean(), 0.21, atol=0.04)
    assert blank[frame.launch_year >= 2018].all()
    intact = frame.target != "DEBRIS"
    assert blank[intact & (frame.launch_year < 2015)].mean() < 0.06


@pytest.mark.parametrize(
    ("target", "low", "high"),
    [
        ("PAYLOAD", 0.983, 0.005),
        ("ROCKET BODY", 0.774, 0.172),
        ("DEBRIS", 0.927, 0.033),
    ],
)
def test_regimes(frame, target, low, high):
    # Low: apogee below 2000 km; highly eccentric: e >= 0.25.
    mine = frame[frame.target == target]
    eccentric = mine.eccentricity >= 0.25
    assert_allclose(((mine.apogee_km < 2000) & ~eccentric).mean(), low, atol=0.05)
    assert_allclose(eccentric.mean(), high, atol=0.05)


@pytest.mark.slow
def test_it_is_a_learning_problem_like_the_real_one():
    catalog = make_orbital_debris(8000, random_state=0)
    X = catalog.data.copy()
    for name in ("rcs_size", "owner", "launch_site"):
        X[name] = X[name].astype("category").cat.codes
    X = X.fillna(-1)
    elements = FEATURES[:8]

    def predict(columns, folds, groups=None):
        trees = ExtraTreesClassifier(50, random_state=0)
        return cross_val_predict(
            trees, X[columns], catalog.target, cv=folds, groups=groups
        )

    by_launch = predict(FEATURES, GroupKFold(3), catalog.groups)
    shuffled = StratifiedKFold(3, shuffle=True, random_state=0)

    assert 0.90 < accuracy_score(catalog.target, by_launch) < 0.97
    recall = recall_score(catalog.target, by_launch, labels=CLASSES, average=None)
    assert recall.argmin() == CLASSES.index("ROCKET BODY")
    assert 0.45 < recall.min() < 0.85
    # Fragments of one break-up on both sides flatter the random split.
    assert (
        accuracy_score(catalog.target, predict(elements, shuffled))
        > accuracy_score(
            catalog.target, predict(elements, GroupKFold(3), catalog.groups)
        )
        + 0.02
    )
