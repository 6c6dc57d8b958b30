"""The learning rate of every step."""

from typing import Any

from skorch.callbacks import Callback


class StepLearningRate(Callback):
    """Set all learning rates before each step: a short warm-up, then a cosine.

    Groups keep their proportions, hence the time scales. When heads have come, rates go
    from their peak through the rest of the cosine once more.
    """

    def on_train_begin(self, net: Any, X: Any = None, **kwargs: Any) -> None:
        """Remember the peak rates and how many steps there will be."""
        groups = net.optimizer_.param_groups
        for group in groups:
            group.setdefault("peak_lr", group["lr"])
        self.n_steps_ = net.plan.max_epochs * len(net.get_iterator(X, training=True))

    def on_batch_begin(
        self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Set the rates of the coming step."""
        if not training:
            return
        growth = getattr(net, "growth", None)
        step = net.step if growth is None else growth.annealed(net.step, self.n_steps_)
        factor = net.plan.lr_factor(step, self.n_steps_)
        for group in net.optimizer_.param_groups:
            group["lr"] = factor * group["peak_lr"]
        net.step += 1
