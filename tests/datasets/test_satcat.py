"""Reading catalogs: three kinds of columns, exact derivations, and clear errors."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sklearn_ddcl.datasets import make_orbital_debris, read_satcat

CELESTRAK = """\
OBJECT_NAME,OBJECT_ID,NORAD_CAT_ID,OBJECT_TYPE,OPS_STATUS_CODE,OWNER,LAUNCH_DATE,\
LAUNCH_SITE,DECAY_DATE,PERIOD,INCLINATION,APOGEE,PERIGEE,RCS,DATA_STATUS_CODE,\
ORBIT_CENTER,ORBIT_TYPE
"ALPHA, 1",2001-001A,1,PAY,+,US,2001-02-03,AFETR,,100.00,98.60,900,700,2.5,,EA,ORB
ALPHA R/B,2001-001B,2,R/B,,US,2001-02-03,AFETR,,96.00,98.50,650,500,0.1,,EA,ORB
ALPHA DEB,2001-001AAC,3,DEB,,US,2001-02-03,AFETR,2009-01-01,90.00,98.40,300,280,,,EA,ORB
BETA DEB,1999-025ABC,4,DEB,,PRC,1999-05-10,TAISC,,102.00,99.00,1000,,0.02,,EA,ORB
OBJECT A,2022-010A,5,UNK,,TBD,2022-02-01,TAISC,,94.50,97.40,500,490,,,EA,ORB
PROBE,2003-009A,6,PAY,+,US,2003-04-01,AFETR,,,,,,,NEA,MO,ORB
LOST,1998-100A,7,PAY,,US,1998-01-01,AFETR,,,,,,,NEA,EA,ORB
"""

GP = """\
CCSDS_OMM_VERS,OBJECT_NAME,OBJECT_ID,EPOCH,MEAN_MOTION,ECCENTRICITY,INCLINATION,\
RA_OF_ASC_NODE,ARG_OF_PERICENTER,MEAN_ANOMALY,NORAD_CAT_ID,BSTAR,SEMIMAJOR_AXIS,\
PERIOD,APOAPSIS,PERIAPSIS,OBJECT_TYPE,RCS_SIZE,COUNTRY_CODE,LAUNCH_DATE,SITE,DECAY_DATE
3.0,ONE,1998-067A,2024-01-01T00:00:00,15.5,.0005,51.64,10,20,30,25544,.0002,6794.863,\
92.903,420.123,413.329,PAYLOAD,LARGE,ISS,1998-11-20,TYMSC,
3.0,TWO DEB,1998-067XY,2024-01-01T00:00:00,15.0,.01,51.60,11,21,31,50000,-1e-4,,\
96,,,DEBRIS,SMALL,ISS,1998-11-20,TYMSC,
3.0,THREE R/B,1970-005B,2024-01-01T00:00:00,14.0,.02,74.00,12,22,32,700,3e-4,,\
,,,ROCKET BODY,,CIS,1970-01-20,PLMSC,
3.0,TBA,,2024-01-01T00:00:00,14.1,.02,74.00,12,22,32,90000,3e-4,,,,,TBA,,,,,
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="catalog.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_celestrak_columns(write):
    catalog = read_satcat(write(CELESTRAK))

    assert catalog.schema == "satellite catalog"
    assert catalog.feature_names == [
        *["mean_motion_revday", "eccentricity", "inclination_deg", "apogee_km"],
        *["perigee_km", "launch_year", "rcs_m2", "rcs_size", "owner", "launch_site"],
    ]
    assert catalog.target.tolist() == ["PAYLOAD", "ROCKET BODY", "DEBRIS"]
    assert catalog.groups.tolist() == ["2001-001", "2001-001", "1999-025"]
    assert catalog.data.launch_year.tolist() == [2001, 2001, 1999]
    assert catalog.data.rcs_size.tolist() == ["LARGE", "MEDIUM", "SMALL"]
    assert (catalog.n_decayed, catalog.n_without_orbit, catalog.n_unlabeled) == (
        1,
        2,
        1,
    )
    assert str(catalog.filename) in catalog.DESCR


def test_period_and_heights_give_mean_motion_and_eccentricity(write):
    data = read_satcat(write(CELESTRAK)).data

    # 1440 / 100; (900 - 700) / (900 + 700 + 2 * 6378.137)
    assert data.mean_motion_revday[0] == 14.4
    assert_allclose(data.eccentricity[0], 200 / 14356.274, rtol=1e-14)
    # A missing height leaves the eccentricity open, and is not made up.
    assert data.mean_motion_revday[2] == 1440 / 102
    assert np.isnan(data.eccentricity[2])
    assert data.apogee_km[2] == 1000
    assert np.isnan(data.perigee_km[2])


def test_heights_in_the_wrong_order_are_swapped(write):
    data = read_satcat(write(CELESTRAK.replace(",900,700,", ",700,900,"))).data
    assert (data.apogee_km[0], data.perigee_km[0]) == (900, 700)
    assert data.eccentricity[0] > 0


def test_gp_elements(write):
    catalog = read_satcat(write(GP))

    assert catalog.schema == "GP elements"
    assert catalog.target.tolist() == ["PAYLOAD", "DEBRIS", "ROCKET BODY"]
    assert catalog.groups.tolist() == ["1998-067", "1998-067", "1970-005"]
    assert catalog.data.bstar.tolist() == [2e-4, -1e-4, 3e-4]
    assert catalog.data.raan_deg.tolist() == [10, 11, 12]
    assert catalog.data.owner.tolist() == ["ISS", "ISS", "CIS"]
    assert catalog.data.rcs_size.isna().tolist() == [False, False, True]
    assert "rcs_m2" not in catalog.data
    # Heights the file has not: a (1 +- e) - R with a = (mu / n^2)^(1/3).
    a = (398600.4418 * (86400 / (2 * np.pi * 14)) ** 2) ** (1 / 3)
    assert_allclose(catalog.data.apogee_km[2], a * 1.02 - 6378.137)
    assert_allclose(catalog.data.perigee_km[2], a * 0.98 - 6378.137)
    assert catalog.data.apogee_km[0] == 420.123


def test_unlabeled_objects_come_without_target(write):
    catalog = read_satcat(write(GP), include_unlabeled=True)

    assert catalog.target.isna().tolist() == [False, False, False, True]
    assert catalog.n_unlabeled == 1
    # No designator: a launch of its own.
    assert catalog.groups[3] == "object-90000"
    assert np.isnan(catalog.data.launch_year[3])


def test_decayed_objects_come_with_their_last_orbit(write):
    catalog = read_satcat(write(CELESTRAK), include_decayed=True)

    assert catalog.target.tolist() == ["PAYLOAD", "ROCKET BODY", "DEBRIS", "DEBRIS"]
    assert catalog.groups[2] == "2001-001"
    assert catalog.n_decayed == 1


def test_a_generated_table_is_read_back_unchanged(tmp_path):
    frame = make_orbital_debris(500, random_state=0).frame
    frame.to_csv(tmp_path / "table.csv.gz")

    catalog = read_satcat(str(tmp_path / "table.csv.gz"))

    assert catalog.schema == "table of features"
    pd.testing.assert_frame_equal(catalog.frame, frame, check_exact=True)
    data, target = read_satcat(tmp_path / "table.csv.gz", return_X_y=True)
    pd.testing.assert_frame_equal(data, catalog.data)
    pd.testing.assert_series_equal(target, catalog.target)


def test_spelling_of_the_file_does_not_matter(write):
    expected = read_satcat(write(CELESTRAK)).frame
    header, _, body = CELESTRAK.partition("\n")

    for variant in [
        (header.lower() + "\n" + body).encode(),
        CELESTRAK.replace("\n", "\r\n").encode(),
        (CELESTRAK + "\n\n").encode(),
        gzip.compress(CELESTRAK.encode(), mtime=0),
    ]:
        pd.testing.assert_frame_equal(read_satcat(write(variant)).frame, expected)


def test_names_and_status_codes_never_become_features(write):
    for text in (CELESTRAK, GP):
        data = read_satcat(write(text)).data
        assert not {"object_name", "name", "ops_status_code"} & set(
            data.columns.str.lower()
        )


def test_old_catalogs_write_minus_one_for_no_elements(write):
    text = """\
norad_id,intl_desg,owner,launch_date,period_min,inclination_deg,apogee_km,perigee_km,\
rcs_m2,orbit_status_code,object_type
1,2001-001A,US,2001-01-01,100,98,900,700,1.5,,PAYLOAD
2,,,,-1.0,-1.0,-1.0,-1.0,,,PAYLOAD
3,1959-012A,US,1959-09-12,100,98,900,700,,MO2,PAYLOAD
"""
    catalog = read_satcat(write(text))

    assert catalog.groups.tolist() == ["2001-001"]
    assert catalog.n_without_orbit == 2


def test_objects_around_other_bodies_are_left_out(write):
    moved = CELESTRAK.replace("2.5,,EA,ORB", "2.5,,MO,ORB")
    assert read_satcat(write(moved)).target.tolist() == ["ROCKET BODY", "DEBRIS"]


def test_a_byte_order_mark_does_not_hide_the_first_column(write):
    frame = make_orbital_debris(20, random_state=0).frame
    marked = (
        b"\xef\xbb\xbf"
        + frame[["target", *frame.columns[:-2], "group"]].to_csv(index=False).encode()
    )
    pd.testing.assert_frame_equal(read_satcat(write(marked)).frame, frame)


def test_a_radar_cross_section_of_zero_is_a_blank(write):
    catalog = read_satcat(write(CELESTRAK.replace(",2.5,", ",0,")))
    assert np.isnan(catalog.data.rcs_m2[0])
    assert catalog.data.rcs_size.isna()[0]


def broken(old, new):
    """Return the small CelesTrak catalog with one thing wrong."""
    assert CELESTRAK.count(old) == 1
    return CELESTRAK.replace(old, new)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", r"catalog\.csv is empty; expected a header and rows"),
        (CELESTRAK.partition("\n")[0], "has a header but no rows"),
        (broken("2,R/B,", "2,R/B,,"), "line 3: expected 17 fields .* got 18"),
        (broken(",EA,ORB\nALPHA R/B", "\nALPHA R/B"), "line 2: expected 17 .* got 15"),
        (broken('"ALPHA, 1"', '"ALPHA'), "line .*: "),
        ("a,b\n1,2\n", r"no column for the type of the object; the launch;.*"),
        ("a,b\n1,2\n", r"(?s)Expected one of.*SATCAT.*GP.*Got 2 columns: a, b"),
        (broken("OBJECT_TYPE", "KIND"), "no column for the type of the object"),
        (broken("INCLINATION", "TILT"), "no column for the inclination"),
        (broken("OWNER", "OBJECT_ID"), r"more than once: \['object_id'\]"),
        (broken("96.00", "fast"), "line 3: column 'period' must hold a number.*'fast'"),
        (broken("98.50", "inf"), "line 3: column 'inclination' must hold a finite"),
        (
            broken("4,DEB", "4,JUNK"),
            "line 5: column 'object_type' must hold one of.*'JUNK'",
        ),
        (broken("2001-001AAC", "fragment"), "line 4: column 'object_id' .* designator"),
        (broken("1999-05-10", "May 1999"), "line 5: column 'launch_date' .* the year"),
        (GP.replace(",.0005,", ",1.5,"), "line 2: column 'eccentricity' must hold"),
        (b"\x00\xff\xfe\x01", "not a text file in UTF-8"),
        (gzip.compress(CELESTRAK.encode(), mtime=0)[:60], "damaged gzip file"),
    ],
)
def test_broken_files(write, text, match):
    with pytest.raises(ValueError, match=match):
        read_satcat(write(text))


def test_a_catalog_without_labeled_objects_is_refused(write):
    lines = CELESTRAK.splitlines()
    path = write("\n".join([lines[0], lines[5]]))

    with pytest.raises(ValueError, match=r"none of 1 rows is left.*'n_unlabeled': 1"):
        read_satcat(path)
    assert len(read_satcat(path, include_unlabeled=True).data) == 1


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"nowhere\.csv does not exist; expected"
    ):
        read_satcat(tmp_path / "nowhere.csv")
    with pytest.raises(FileNotFoundError, match="is a folder"):
        read_satcat(tmp_path)


@pytest.mark.parametrize("path", [None, 3, b"catalog.csv", ["catalog.csv"]])
def test_a_path_has_to_be_a_path(path):
    with pytest.raises(TypeError, match="path must be a string or a path-like object"):
        read_satcat(path)


@pytest.fixture
def real(shared) -> Path:
    folder = shared / "data" / "orbital"
    if not folder.is_dir():
        pytest.skip("needs the catalogs in ../shared/data/orbital, which are optional")
    return folder


@pytest.mark.slow
def test_the_real_catalog_of_2019(real):
    catalog = read_satcat(real / "satcat_2019_celestrak.csv.gz", include_decayed=True)

    assert catalog.n_decayed == 24703
    assert catalog.target.value_counts()["DEBRIS"] > 25_000
    # Kepler's third law links two columns that were read independently; the period
    # is in whole minutes, half a percent of the fastest turn.
    data = catalog.data[catalog.data.perigee_km > 200]
    a = (data.apogee_km + data.perigee_km) / 2 + 6378.137
    kepler = 86400 / (2 * np.pi) * np.sqrt(398600.4418 / a**3)
    assert np.median(np.abs(data.mean_motion_revday / kepler - 1)) < 5e-3


@pytest.mark.slow
def test_the_real_catalog_of_2025(real):
    catalog = read_satcat(real / "spacetrack_leo_2025.csv.gz")

    assert len(catalog.data) + catalog.n_unlabeled == 24_062
    assert catalog.data.eccentricity.between(0, 1).all()
    assert catalog.data.rcs_size.dropna().isin(["SMALL", "MEDIUM", "LARGE"]).all()


@pytest.mark.slow
def test_the_prepared_task_is_read_unchanged(real):
    path = real / "task_objtype_2023.csv.gz"
    expected = pd.read_csv(path)

    actual = read_satcat(path).frame

    pd.testing.assert_frame_equal(actual[expected.columns], expected)


@pytest.mark.slow
def test_the_synthetic_catalog_resembles_the_real_one(real):
    actual = make_orbital_debris(19_163, random_state=0).frame
    expected = read_satcat(real / "task_objtype_2023.csv.gz").frame

    def portrait(frame):
        mine = frame.assign(
            log_e=np.log10(frame.eccentricity),
            log_perigee=np.log10(frame.perigee_km),
            log_apogee=np.log10(frame.apogee_km),
            log_rcs=np.log10(frame.rcs_m2),
            log_bstar=np.log10(frame.bstar.where(frame.bstar > 0)),
        )
        columns = [name for name in mine if name.startswith("log_")]
        return mine.groupby("target")[columns].median()

    assert (portrait(actual) - portrait(expected)).abs().max(axis=None) < 0.25
    kinds = actual.groupby("target").group.nunique() / (
        expected.groupby("target").group.nunique()
    )
    assert kinds.between(0.9, 1.1).all()
