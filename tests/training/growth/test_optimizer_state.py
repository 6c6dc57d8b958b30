"""An optimizer goes on with what was there."""

import pytest
import torch
from torch import nn

from sklearn_ddcl.training.growth.optimizer_state import carry_over


def append(moment):
    return torch.cat([moment, torch.zeros_like(moment[:1])])


def test_old_entries_move_as_if_nothing_had_been_added(generator):
    start = torch.randn(3, 2, generator=generator)
    gradients = torch.randn(6, 4, 2, generator=generator)
    params = [nn.Parameter(start.clone()), nn.Parameter(start.clone())]
    kept, grown = (torch.optim.AdamW([p], lr=0.1) for p in params)
    for step, gradient in enumerate(gradients):
        if step == 3:
            new = nn.Parameter(append(params[1].detach()))
            carry_over(grown, params[1], new, append)
            params[1] = new
        for param in params:
            param.grad = gradient[: len(param)].clone()
        kept.step()
        grown.step()
    torch.testing.assert_close(params[1][:3], params[0], rtol=0, atol=0)
    assert params[1][3].abs().max() > 0


def test_the_group_and_its_rate_stay():
    old, new = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(3))
    other = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW(
        [{"params": [other]}, {"params": [old], "lr": 0.5}], lr=0.1
    )
    carry_over(optimizer, old, new, append)
    assert optimizer.param_groups[1]["params"][0] is new
    assert optimizer.param_groups[1]["lr"] == 0.5
    assert not optimizer.state


def test_a_parameter_that_is_not_there_is_an_error():
    optimizer = torch.optim.AdamW([nn.Parameter(torch.zeros(1))])
    with pytest.raises(KeyError, match="does not hold"):
        carry_over(
            optimizer,
            nn.Parameter(torch.zeros(2)),
            nn.Parameter(torch.zeros(3)),
            append,
        )
