"""The mean assigned distance, from the moments of the tokens alone."""

from torch import Tensor

from sklearn_ddcl.functional.token_shares import token_shares
from sklearn_ddcl.functional.tracking import centroids


def distortion(
    z: Tensor, prototypes: Tensor, assignments: Tensor, weights: Tensor | None = None
) -> Tensor:
    r"""Return the mean assigned squared distance, a scalar.

    Computed as :math:`\overline{\lVert z \rVert^2} + \sum_k m_k (\lVert p_k \rVert^2 -
    2 p_k^\top \mu_k)` from the mass :math:`m_k` and centroid :math:`\mu_k` of every
    prototype: one matrix product, no distances, and the gradient for the prototypes
    costs next to nothing. It is the `loss` of :func:`decompose`, faster and less exact.

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    prototypes : Tensor of shape (K, d)
        Prototypes.
    assignments : Tensor of shape (..., K)
        Assignments, each row on the simplex.
    weights : Tensor of shape (...), optional
        Importance of every token.

    Returns
    -------
    distortion : Tensor of shape ()
        In the unit of a squared distance.

    Examples
    --------
    >>> import torch
    >>> z, prototypes = torch.tensor([[0.0]]), torch.tensor([[-1.0], [3.0]])
    >>> distortion(z, prototypes, torch.tensor([[0.5, 0.5]]))
    tensor(5.)
    """
    means, mass = centroids(z, assignments, weights)
    norms = z.square().sum(-1).reshape(-1, 1)
    size = (token_shares(weights, norms) * norms).sum()
    pull = prototypes.square().sum(-1) - 2 * (prototypes * means).sum(-1)
    return size + (mass * pull).sum()
