"""Pooling of images: each output takes in a window, over a width of its own."""

import torch
from torch import Tensor
from torch.nn.functional import pad, unfold


def window_distances(window: int) -> Tensor:
    """Return squared distances of the pixels in a window to its center.

    Parameters
    ----------
    window : int
        Pixels on either side of the center.

    Returns
    -------
    distances : Tensor of shape (2 * window + 1, 2 * window + 1)

    Examples
    --------
    >>> window_distances(1)
    tensor([[2., 1., 2.],
            [1., 0., 1.],
            [2., 1., 2.]])
    """
    offsets = torch.arange(-window, window + 1.0).square()
    return offsets[:, None] + offsets


def pool_image(
    images: Tensor, logits: Tensor, sizes: Tensor, distances: Tensor, stride: int = 1
) -> Tensor:
    r"""Pool the pixels around every output, near and heavy ones most.

    .. math::
        y_i = \sum_{j \in W_i} A_{ij} x_j,
        \qquad
        A_{ij} = \mathrm{softmax}_{j \in W_i}
                 \Bigl( a_j - \frac{D_{ij}}{2\sigma_i^2} \Bigr),

    where the window :math:`W_i` leaves out what is beyond the border. The cost is
    linear in the number of pixels and in that of the window.

    Parameters
    ----------
    images : Tensor of shape (B, C, H, W)
        Images, or channels of a network.
    logits : Tensor of shape (B, H, W)
        Log weights :math:`a` of the pixels that are taken in.
    sizes : Tensor of shape (B, ceil(H / stride), ceil(W / stride))
        Widths :math:`\sigma` of the outputs, positive, in pixels.
    distances : Tensor of shape (2 * window + 1, 2 * window + 1)
        :math:`D` from the center of the window, see :func:`window_distances`.
    stride : int, default=1
        Pixels from one output to the next; the first is at the first pixel.

    Returns
    -------
    pooled : Tensor of shape (B, C, ceil(H / stride), ceil(W / stride))
    """
    n_around = len(distances)
    window = n_around // 2
    height, width = sizes.shape[1:]
    lowest = torch.finfo(logits.dtype).min
    padded = pad(logits[:, None], (window,) * 4, value=lowest)
    exponents = unfold(padded, n_around, stride=stride).unflatten(2, (height, width))
    bent = distances.to(sizes.dtype).flatten()[:, None, None] / 2
    exponents = exponents - bent / sizes.square()[:, None]
    weights = exponents.clamp_min(lowest).softmax(1)
    around = pad(images, (window,) * 4)
    rows, columns = stride * (height - 1) + 1, stride * (width - 1) + 1
    pooled = torch.zeros_like(images[:, :, ::stride, ::stride])
    for place in range(n_around**2):
        top, left = divmod(place, n_around)
        taken = around[:, :, top : top + rows : stride, left : left + columns : stride]
        pooled = pooled + weights[:, place, None] * taken
    return pooled
