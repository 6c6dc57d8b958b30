"""Checks of scikit-learn that make sense for an estimator without tables."""

import numpy as np
import pytest
from sklearn.utils import estimator_checks

from sklearn_ddcl import DDCLDocumentCompressor


@pytest.mark.parametrize(
    "name",
    [
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_no_attributes_set_in_init",
        "check_get_params_invariance",
        "check_set_params",
        "check_parameters_default_constructible",
        "check_mixin_order",
        "check_valid_tag_types",
        "check_estimator_tags_renamed",
    ],
)
@pytest.mark.parametrize("encoder", [None, "incrt"])
def test_a_check_of_sklearn_that_needs_no_table_passes(name, encoder):
    # Of an estimator whose input is no table scikit-learn runs none by itself.
    check = getattr(estimator_checks, name, None)
    if check is None:
        pytest.skip(f"this scikit-learn has no {name}")

    compressor = DDCLDocumentCompressor((4, 2), encoder=encoder)
    check("DDCLDocumentCompressor", compressor)


class OneTokenCompressor(DDCLDocumentCompressor):
    """Takes the rows of a table as documents of one token each."""

    def fit(self, X, y=None):
        return super().fit(np.asarray(X)[:, None])

    def transform(self, X):
        return super().transform(np.asarray(X)[:, None])


@pytest.mark.filterwarnings("ignore:.*prototypes are nearest to nothing")
@pytest.mark.usefixtures("numpy_seed")
@pytest.mark.parametrize(
    "name",
    [
        "check_dict_unchanged",
        "check_estimators_overwrite_params",
        "check_estimators_pickle",
        "check_fit_idempotent",
        "check_fit2d_1sample",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_n_features_in",
        "check_param_validation",
        "check_set_output_transform",
        "check_set_output_transform_pandas",
        "check_transformer_general",
        "check_transformer_get_feature_names_out",
    ],
)
def test_a_check_of_sklearn_passes_on_documents_of_one_token(name):
    check = getattr(estimator_checks, name, None)
    if check is None:
        pytest.skip(f"this scikit-learn has no {name}")
    estimator = OneTokenCompressor(2, precision="float64", random_state=0)

    check("OneTokenCompressor", estimator)
