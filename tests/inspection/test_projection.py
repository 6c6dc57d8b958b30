"""The plane is that of principal component analysis."""

import numpy as np
from sklearn.decomposition import PCA

from sklearn_ddcl.inspection.projection import principal_plane


def test_the_plane_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((50, 6)) * [1, 5, 0.2, 3, 1, 1] + 7
    oracle = PCA(2, svd_solver="full").fit(points)

    plane = principal_plane(points)

    signs = np.sign((plane.directions * oracle.components_).sum(1))
    np.testing.assert_allclose(
        plane.directions, oracle.components_ * signs[:, None], atol=1e-10
    )
    np.testing.assert_allclose(plane.explained, oracle.explained_variance_ratio_)
    np.testing.assert_allclose(
        plane.apply(points), oracle.transform(points) * signs, atol=1e-10
    )


def test_the_sign_does_not_depend_on_the_order_of_points():
    points = np.random.default_rng(1).standard_normal((30, 4))

    forward, backward = principal_plane(points), principal_plane(points[::-1])

    np.testing.assert_allclose(forward.directions, backward.directions, atol=1e-10)


def test_points_in_one_dimension_lie_on_the_first_axis():
    points = np.array([[1.0], [3.0]])

    plane = principal_plane(points)

    assert plane.explained.tolist() == [1, 0]
    assert plane.apply(points).tolist() == [[-1, 0], [1, 0]]


def test_equal_points_explain_nothing():
    points = np.ones((4, 3))

    plane = principal_plane(points)

    assert plane.explained.tolist() == [0, 0]
    assert plane.apply(points).tolist() == [[0, 0]] * 4
