"""Adaptive context pooling of images, in place of max or average pooling."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers.linear import Linear


class ContextPool2d(nn.Module):
    r"""Shrink images by averages with learned weights over learned widths.

    .. math::
        y_i = \sum_{j \in W_i} A_{ij} x_j,
        \qquad
        A_{ij} = \mathrm{softmax}_{j \in W_i}
                 \Bigl( a_j - \frac{D_{ij}}{2\sigma_i^2} \Bigr),
        \qquad
        \sigma_i = \sigma_{\min} + r \, \mathrm{sigmoid}(s_i),

    with weights :math:`a` and sizes :math:`s` predicted by two convolutions, and
    :math:`D` the squared distance of two pixels. Between taking every `stride`-th pixel
    and the mean of its window, the size of every output is learned.

    Parameters
    ----------
    n_channels : int
        Channels of the images.
    stride : int, default=2
        Pixels from one output to the next.
    window : int, optional
        Pixels on either side of an output that are taken in; by default the stride.
    kernel : int, default=3
        Pixels that each convolution looks at, odd, per side.
    d_hidden : int, optional
        Width inside the predictor; by default half of `n_channels`, at least 4.
    reach : float, optional
        How much larger than the smallest the largest size :math:`r` may be, in pixels;
        by default the window.
    min_size : float, default=0.3
        Smallest size :math:`\sigma_{\min}`, in pixels. Below 0.3 no neighbor is
        reached, and nothing learned.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default. All pixels weigh
        alike at the start, and sizes are halfway.

    Raises
    ------
    ValueError
        If sizes do not fit.

    See Also
    --------
    ContextPool : The same for tokens, whose number stays.

    References
    ----------
    .. [1] C. Huang, W. Talbott, N. Jaitly and J. Susskind, "Efficient Representation
       Learning via Adaptive Context Pooling", ICML 2022.

    Examples
    --------
    >>> ContextPool2d(16)(torch.zeros(2, 16, 28, 27)).shape
    torch.Size([2, 16, 14, 14])
    """

    distances: Tensor

    def __init__(
        self,
        n_channels: int,
        *,
        stride: int = 2,
        window: int | None = None,
        kernel: int = 3,
        d_hidden: int | None = None,
        reach: float | None = None,
        min_size: float = 0.3,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        window = stride if window is None else window
        if stride < 1 or window < 1:
            raise ValueError(
                f"stride and window must be at least 1, got {stride} and {window}."
            )
        if kernel < 1 or kernel % 2 == 0:
            raise ValueError(f"kernel must be odd and positive, got {kernel}.")
        self.stride, self.window, self.kernel = stride, window, kernel
        self.reach = float(window) if reach is None else reach
        self.min_size = min_size
        d_hidden = max(n_channels // 2, 4) if d_hidden is None else d_hidden
        self.look = Linear(kernel**2 * n_channels, d_hidden, generator=generator)
        self.blend = Linear(kernel**2 * d_hidden, 2, generator=generator)
        with torch.no_grad():
            self.blend.weight.zero_()
        self.register_buffer("distances", F.window_distances(window), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to (B, C, ceil(H / stride), ceil(W / stride)).

        Parameters
        ----------
        images : Tensor of shape (B, C, H, W)
            Images.

        Returns
        -------
        pooled : Tensor of shape (B, C, ceil(H / stride), ceil(W / stride))
            Smaller images.
        """
        logits, sizes = self.predict(images)
        return F.pool_image(images, logits, sizes, self.distances, self.stride)

    def predict(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return log weights of pixels and sizes of outputs, in pixels.

        Parameters
        ----------
        images : Tensor of shape (B, C, H, W)
            Images.

        Returns
        -------
        logits : Tensor of shape (B, H, W)
        sizes : Tensor of shape (B, ceil(H / stride), ceil(W / stride))
        """
        hidden = self._convolve(images, self.look).relu()
        logits, raw = self._convolve(hidden, self.blend).unbind(1)
        raw = raw[:, :: self.stride, :: self.stride]
        return logits, self.min_size + self.reach * raw.sigmoid()

    def _convolve(self, images: Tensor, layer: Linear) -> Tensor:
        weight = layer.weight.unflatten(1, (-1, self.kernel, self.kernel))
        return conv2d(images, weight, layer.bias, padding=self.kernel // 2)

    def extra_repr(self) -> str:
        """Show what is taken in."""
        return f"stride={self.stride}, window={self.window}, min_size={self.min_size}"
