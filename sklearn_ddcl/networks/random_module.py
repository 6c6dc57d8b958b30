"""A network all of whose randomness can come from one generator."""

import torch
from torch import nn


class RandomModule(nn.Module):
    """Base of the networks, whose layers may draw random numbers in training."""

    def use_generator(self, generator: torch.Generator | None) -> None:
        """Let all randomness of training steps come from one generator.

        Parameters
        ----------
        generator : torch.Generator or None
            On the device of the network; None is torch's global one.
        """
        for module in self.modules():
            if hasattr(module, "generator"):
                vars(module)["generator"] = generator
