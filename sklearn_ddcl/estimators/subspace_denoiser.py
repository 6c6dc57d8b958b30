"""Noise taken off rows by attention among them, without training."""

from numbers import Integral, Real
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from sklearn_ddcl.estimators.columns import without_mask
from sklearn_ddcl.training import draw_seed, make_generator, one_thread
from sklearn_ddcl.training.k_subspaces import energies, fit_subspaces

# Of the inner products, in units of one over the variance of the noise.
_SCALES = (0.03, 0.1, 0.25, 0.5, 1.0, np.inf)
_SHARES = (0.7, 0.85, 0.95, 0.99, 0.999)
_JUDGES = 500
_BLOCK = 256


class Bank(NamedTuple):
    """Rows that are attended to before some step, and their subspaces."""

    rows: Tensor
    """(n, d), centered."""
    labels: Tensor
    """(n,)."""


class SubspaceDenoiser(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Denoiser that moves rows towards subspaces, by attention to training rows.

    Rows are thought to lie near a mixture of subspaces with bases :math:`U_k`, fitted
    by K-subspaces. A step of the attention-only transformer, in the form that comes out
    of the gradient of the coding rate, replaces a share :math:`\eta` of a row by what
    it attends to in its own subspace :math:`k`:

    .. math::
        z \leftarrow (1 - \eta) \, z + \eta \, U_k \sum_j A_j \, U_k^\top z_j,
        \qquad
        A = \mathrm{softmax}_j \bigl( s \, z^\top U_k U_k^\top z_j \bigr),

    where :math:`j` runs over the row itself and the training rows of the subspace. A
    row never attends to the rows that are transformed with it.

    Parameters
    ----------
    n_subspaces : int, default=4
        Number of subspaces.

    n_components : "auto", int or float, default="auto"
        Dimension of the subspaces. A share between 0 and 1 takes as many as principal
        components of all rows are needed for this share of the variance beyond the
        noise, divided by the number of subspaces. "auto" tries shares from 0.7 to
        0.999, divided and not, and takes what the estimate of the remaining error
        likes best.

    n_layers : int, default=2
        Number of steps.

    step_size : float, default=0.5
        Step size :math:`\eta`; one leaves nothing of a row but what it attends to.

    scale : "auto" or float, default="auto"
        Factor :math:`s` on the inner products. Infinity makes a row attend to itself
        alone, which projects it onto its subspace. "auto" takes what an unbiased
        estimate of the remaining error likes best, without seeing a clean row.

    noise : "auto" or float, default="auto"
        Standard deviation of the noise. "auto" takes the smallest quarter of the
        eigenvalues of the covariance for noise alone.

    max_bank : int, default=2000
        Training rows that are attended to, at most; a sample of more.

    random_state : int, RandomState instance or None, default=None
        Seeds the starts of the subspaces, the sample, and the estimate.

    Attributes
    ----------
    components_ : ndarray of shape (n_subspaces, n_components, n_features)
        Bases of the subspaces.

    mean_ : ndarray of shape (n_features,)
        What rows are relative to.

    labels_ : ndarray of shape (n_samples,)
        Subspace of every training row.

    noise_ : float
        Standard deviation of the noise.

    scale_ : float
        Factor on the inner products.

    risks_ : dict
        Estimated mean squared error per entry for every pair of dimension and scale
        that was tried.

    snr_path_ : ndarray of shape (n_layers + 1, n_subspaces)
        Length of the training rows within their subspaces over that outside, before
        and after every step.

    n_features_in_ : int
        Number of columns seen in fit.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when they are all strings.

    See Also
    --------
    sklearn.decomposition.PCA : One subspace, and no attention.
    sklearn_ddcl.layers.SubspaceAttention : The same step with learned subspaces.

    References
    ----------
    .. [1] P. Wang, Y. Lu, Y. Yu, D. Pai, Q. Qu and Y. Ma, "Attention-Only Transformers
       via Unrolled Subspace Denoising", ICML 2025.
    .. [2] C. M. Stein, "Estimation of the mean of a multivariate normal distribution",
       The Annals of Statistics 9(6), 1981.
    .. [3] S. Ramani, T. Blu and M. Unser, "Monte-Carlo SURE: a black-box optimization
       of regularization parameters for general denoising algorithms", IEEE Transactions
       on Image Processing 17(9), 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_ddcl import SubspaceDenoiser
    >>> clean = load_digits().data / 16
    >>> noisy = clean + 0.25 * np.random.default_rng(0).normal(size=clean.shape)
    >>> denoised = SubspaceDenoiser(1, random_state=0).fit_transform(noisy)
    >>> bool(np.square(denoised - clean).mean() < 0.5 * np.square(noisy - clean).mean())
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_subspaces": [Interval(Integral, 1, None, closed="left")],
        "n_components": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
        ],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "step_size": [Interval(Real, 0, 1, closed="right")],
        "scale": [StrOptions({"auto"}), Interval(Real, 0, None, closed="right"), float],
        "noise": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "max_bank": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_subspaces=4,
        *,
        n_components="auto",
        n_layers=2,
        step_size=0.5,
        scale="auto",
        noise="auto",
        max_bank=2000,
        random_state=None,
    ):
        self.n_subspaces = n_subspaces
        self.n_components = n_components
        self.n_layers = n_layers
        self.step_size = step_size
        self.scale = scale
        self.noise = noise
        self.max_bank = max_bank
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Find the subspaces, and keep rows to attend to.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Noisy rows.
        y : None
            Ignored.

        Returns
        -------
        self : SubspaceDenoiser
            Fitted estimator.
        """
        X = without_mask(X)
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        generator = make_generator(draw_seed(self.random_state))
        with one_thread():
            rows = torch.from_numpy(np.array(X, dtype=np.float64))
            mean = rows.mean(0)
            rows = rows - mean
            variances = torch.linalg.eigvalsh(rows.T @ rows / len(rows)).clamp_min(0)
            noise = self._choose_noise(variances, len(rows), generator)
            d_subspace, scale, self.risks_ = self._choose(
                rows, variances, noise, generator
            )
            subspaces = fit_subspaces(rows, self.n_subspaces, d_subspace, generator)
            order = torch.randperm(len(rows), generator=generator)
            kept = order[: self.max_bank].sort().values
            bank = Bank(rows[kept], subspaces.labels[kept])
            self.mean_ = mean.numpy()
            self.components_ = subspaces.bases.transpose(1, 2).contiguous().numpy()
            self.labels_ = subspaces.labels.numpy()
            self.noise_ = noise
            self.scale_ = scale
            self._banks = self._follow(bank, subspaces.bases, scale)
            self.snr_path_ = np.array([self._snr(own) for own in self._banks])
        return self

    def transform(self, X):
        """Take noise off rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        denoised : ndarray of shape (n_samples, n_features)
            Of the type of `X`. Up to rounding a row does not depend on the rows beside
            it.
        """
        check_is_fitted(self)
        X = without_mask(X)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        with one_thread():
            rows = torch.from_numpy(np.array(X, dtype=np.float64)) - torch.from_numpy(
                self.mean_
            )
            moved = self._denoise(rows, self._banks, self._bases, self.scale_)
        return (moved.numpy() + self.mean_).astype(X.dtype)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _bases(self) -> Tensor:
        return torch.from_numpy(self.components_).transpose(1, 2)

    def _choose_noise(
        self, variances: Tensor, n_rows: int, generator: torch.Generator
    ) -> float:
        if not isinstance(self.noise, str):
            return float(self.noise)
        n_columns = len(variances)
        smallest = slice(max(1, n_columns // 4))
        # How small the smallest would be by chance, if there were noise alone.
        drawn = torch.randn(n_rows, n_columns, generator=generator, dtype=torch.float64)
        drawn = drawn - drawn.mean(0)
        usual = torch.linalg.eigvalsh(drawn.T @ drawn / n_rows)[smallest].mean()
        if not usual > 1e-6:
            # Fewer rows than columns.
            return float(variances.mean().sqrt()) / 2
        return float((variances[smallest].mean() / usual).sqrt())

    def _dimensions(self, variances: Tensor, noise: float) -> list[int]:
        """Return the dimensions that subspaces may have."""
        n_columns = len(variances)
        if isinstance(self.n_components, Integral):
            wanted = int(self.n_components)
            if wanted > n_columns:
                raise ValueError(
                    f"n_components={wanted} must be at most the number of columns, "
                    f"{n_columns}."
                )
            return [wanted]
        signal = (variances.flip(0) - noise**2).clamp_min(0)
        shares = signal.cumsum(0) / signal.sum().clamp_min(1e-300)
        if isinstance(self.n_components, str):
            # Subspaces may share directions, or divide them.
            divisors, wanted_shares = {1, self.n_subspaces}, list(_SHARES)
        else:
            divisors, wanted_shares = {self.n_subspaces}, [float(self.n_components)]
        needed = [int((shares < share).sum()) + 1 for share in wanted_shares]
        found = {min(n_columns, -(-n // m)) for n in needed for m in divisors}
        return sorted(found)

    def _choose(
        self, rows: Tensor, variances: Tensor, noise: float, generator: torch.Generator
    ) -> tuple[int, float, dict[tuple[int, float], float]]:
        """Return dimension and scale of the least estimated error, and all estimates.

        Those who judge take no part in finding subspaces, or the estimate would be
        too good.
        """
        dimensions = self._dimensions(variances, noise)
        scales = [np.inf]
        if noise > 0:
            scales = [relative / noise**2 for relative in _SCALES]
        if not isinstance(self.scale, str):
            scales = [float(self.scale)]
        if noise == 0 or len(rows) < 4 or len(dimensions) == len(scales) == 1:
            return dimensions[-1], scales[-1], {}
        order = torch.randperm(len(rows), generator=generator)
        n_judges = min(_JUDGES, len(rows) // 3)
        judged, others = rows[order[:n_judges]], rows[order[n_judges:]]
        probe = torch.randn(judged.shape, generator=generator, dtype=torch.float64)
        nudge = 1e-3 * noise
        risks = {}
        for dimension in dimensions:
            found = fit_subspaces(others, self.n_subspaces, dimension, generator)
            bank = Bank(others[: self.max_bank], found.labels[: self.max_bank])
            for scale in scales:
                banks = self._follow(bank, found.bases, scale)
                moved, nudged = (
                    self._denoise(given, banks, found.bases, scale)
                    for given in (judged, judged + nudge * probe)
                )
                divergence = (probe * (nudged - moved)).sum() / nudge
                error = (moved - judged).square().sum() + 2 * noise**2 * divergence
                risks[dimension, scale] = float(error) / judged.numel() - noise**2
        return *min(risks, key=lambda pair: risks[pair]), risks

    def _follow(self, bank: Bank, bases: Tensor, scale: float) -> list[Bank]:
        """Return the bank before every step and after the last one."""
        banks = [bank]
        for _ in range(self.n_layers):
            now = banks[-1]
            moved = _step(now.rows, now, bases, self.step_size, scale)
            banks.append(Bank(moved, now.labels))
        return banks

    def _denoise(
        self, rows: Tensor, banks: list[Bank], bases: Tensor, scale: float
    ) -> Tensor:
        for bank in banks[:-1]:
            rows = _step(rows, bank, bases, self.step_size, scale)
        return rows

    def _snr(self, bank: Bank) -> list[float]:
        ratios = []
        for k, basis in enumerate(self._bases):
            own = bank.rows[bank.labels == k]
            within = own @ basis @ basis.T
            outside = float((own - within).norm())
            ratios.append(float(within.norm()) / outside if outside > 0 else np.inf)
        return ratios


def _step(
    rows: Tensor, bank: Bank, bases: Tensor, step_size: float, scale: float
) -> Tensor:
    """Return rows after one step; each attends to itself and to the bank."""
    labels = energies(rows, bases).argmax(1)
    moved = torch.empty_like(rows)
    for k, basis in enumerate(bases):
        keys = bank.rows[bank.labels == k] @ basis
        mine = (labels == k).nonzero()[:, 0]
        for part in mine.split(_BLOCK):
            own = rows[part] @ basis
            seen = own
            if np.isfinite(scale):
                to_self = scale * own.square().sum(1, keepdim=True)
                weights = torch.cat([to_self, scale * own @ keys.T], 1).softmax(1)
                seen = weights[:, :1] * own + weights[:, 1:] @ keys
            moved[part] = (1 - step_size) * rows[part] + step_size * seen @ basis.T
    return moved
