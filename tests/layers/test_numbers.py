"""Numbers to tokens: along lines and through waves; what all tokenizers share."""

import math

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.functional import soft_clip
from sklearn_ddcl.layers import (
    LinearTokenizer,
    MixedTokenizer,
    PeriodicTokenizer,
    PiecewiseLinearTokenizer,
    WithPlainNumbers,
)

NAN = float("nan")


def knots(n_columns):
    return [torch.linspace(-2, 2, 5 + j) for j in range(n_columns)]


def piecewise(n_columns, d_token, generator):
    return PiecewiseLinearTokenizer(knots(n_columns), d_token, generator=generator)


def periodic_with_knots(n_columns, d_token, generator):
    return PeriodicTokenizer(
        n_columns, d_token, knots=knots(n_columns), generator=generator
    )


TOKENIZERS = {
    "linear": lambda n, d, g: LinearTokenizer(n, d, generator=g),
    "periodic": lambda n, d, g: PeriodicTokenizer(n, d, generator=g),
    "periodic with knots": periodic_with_knots,
    "piecewise_linear": piecewise,
}


@pytest.fixture(params=TOKENIZERS)
def tokenizer(request, generator):
    return TOKENIZERS[request.param](3, 8, generator).double()


@pytest.fixture
def x(generator):
    return torch.randn(20, 3, generator=generator, dtype=torch.float64)


def test_a_missing_number_has_the_token_of_its_column(tokenizer, x):
    missing = torch.rand(20, 3, generator=torch.Generator().manual_seed(1)) < 0.5
    whole = tokenizer(x)

    tokens = tokenizer(x.masked_fill(missing, NAN))

    alone = tokenizer(torch.full((20, 3), NAN, dtype=torch.float64))
    assert_close(tokens, torch.where(missing[..., None], alone, whole))
    assert_close(alone, alone[:1].expand(20, 3, 8))


def test_a_missing_number_trains_its_token_and_nothing_else(tokenizer):
    x = torch.tensor([[NAN, 0.3, NAN]], dtype=torch.float64, requires_grad=True)
    tokenizer.missing.data.abs_()  # on the side of the ReLU that passes

    tokenizer(x)[:, [0, 2]].sum().backward()

    assert tokenizer.missing.grad[[0, 2]].unique().tolist() == [1.0]
    assert tokenizer.missing.grad[1].abs().sum() == 0
    for name, values in tokenizer.named_parameters():
        if name != "missing":
            assert values.grad.abs().sum() == 0, name
    assert x.grad.tolist() == [[0.0, 0.0, 0.0]]


def test_a_column_does_not_feel_the_others(tokenizer, x):
    changed = x.clone()
    changed[:, 1] = NAN

    before, after = tokenizer(x), tokenizer(changed)

    assert torch.equal(before[:, [0, 2]], after[:, [0, 2]])
    assert not torch.equal(before[:, 1], after[:, 1])


def test_columns_have_weights_of_their_own(tokenizer):
    tokens = tokenizer(torch.full((1, 3), 0.7, dtype=torch.float64))[0]
    assert not torch.allclose(tokens[0], tokens[1])


def test_gradients_are_finite_beside_missing_numbers(tokenizer, x):
    x[::2, 0] = NAN
    tokenizer(x).square().sum().backward()
    assert all(values.grad.isfinite().all() for values in tokenizer.parameters())


def test_a_line_by_hand(generator):
    tokenizer = LinearTokenizer(1, 2, generator=generator)
    tokenizer.weight.data = torch.tensor([[2.0, -1.0]])
    tokenizer.bias.data = torch.tensor([[0.5, 0.0]])
    tokenizer.missing.data = torch.tensor([[7.0, -7.0]])

    tokens = tokenizer(torch.tensor([[3.0], [0.0], [NAN]]))[:, 0]

    assert tokens.tolist() == [[6.5, -3.0], [0.5, 0.0], [7.0, -7.0]]


def test_waves_by_hand(generator):
    # One wave of frequency 1/4: at x = 1 the cosine is 0 and the sine 1.
    tokenizer = PeriodicTokenizer(1, 2, n_frequencies=1, generator=generator)
    tokenizer.frequencies.data = torch.tensor([[0.25]])
    tokenizer.weight.data = torch.tensor([[[2.0, -2.0], [3.0, 5.0]]])
    tokenizer.bias.data = torch.tensor([[0.5, -0.5]])
    tokenizer.missing.data = torch.tensor([[7.0, -7.0]])

    tokens = tokenizer(torch.tensor([[0.0], [1.0], [2.0], [NAN]]))[:, 0]

    # cos, sin at 0: 1, 0; at 1: 0, 1; at 2: -1, 0. Negative answers are cut off.
    expected = [[2.5, 0.0], [3.5, 4.5], [0.0, 1.5], [7.0, 0.0]]
    assert_close(tokens, torch.tensor(expected))


@pytest.mark.parametrize(("n_frequencies", "n_positions"), [(1, 0), (2, 1), (5, 2)])
def test_with_knots_half_of_the_waves_run_over_positions(
    generator, x, n_frequencies, n_positions
):
    def tokenizer(**params):
        params |= {"n_frequencies": n_frequencies, "generator": generator}
        return PeriodicTokenizer(3, 4, **params).double()

    mixed, plain = tokenizer(knots=knots(3)), tokenizer()
    plain.load_state_dict(mixed.state_dict(), strict=False)
    for over_positions, argument in [(False, soft_clip(x)), (True, None)]:
        used = torch.arange(n_frequencies) < n_frequencies - n_positions
        used = (used != over_positions).double().repeat(2)[:, None]
        if over_positions:
            # Knots are evenly spaced from -2 to 2.
            argument = x.clamp(-2, 2) * math.sqrt(3) / 2
        own = {"weight": mixed.weight * used}
        actual = torch.func.functional_call(mixed, own, x)
        assert_close(actual, torch.func.functional_call(plain, own, argument))


def test_waves_come_back_after_their_period(generator):
    tokenizer = PeriodicTokenizer(1, 4, n_frequencies=1, generator=generator).double()
    period = 1 / tokenizer.frequencies.item()
    x = torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None]

    assert_close(tokenizer(x + period), tokenizer(x))
    assert not torch.allclose(tokenizer(x + period / 2), tokenizer(x))


def test_frequencies_start_normal_with_the_wanted_width(generator):
    tokenizer = PeriodicTokenizer(
        100, 4, n_frequencies=50, sigma=0.2, generator=generator
    )
    # Three standard errors of the standard deviation of 5,000 draws.
    error = 3 / math.sqrt(2 * 5000)
    assert tokenizer.frequencies.std().item() == pytest.approx(0.2, rel=error)


def test_waves_of_a_periodic_token_have_the_right_gradient(generator, torch_seed):
    tokenizer = PeriodicTokenizer(2, 3, n_frequencies=4, generator=generator)
    tokenizer.double()
    x = torch.randn(5, 2, generator=generator, dtype=torch.float64)

    def tokens(x, frequencies):
        changed = {"frequencies": frequencies}
        return torch.func.functional_call(tokenizer, changed, x)

    frequencies = tokenizer.frequencies.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(tokens, (x.requires_grad_(), frequencies))
    assert torch.autograd.gradgradcheck(tokens, (x, frequencies))


def test_a_plain_number_stands_last_and_its_token_before_it(tokenizer, x):
    tokens = WithPlainNumbers(tokenizer)(x)

    assert torch.equal(tokens[..., :-1], tokenizer(x))
    assert torch.equal(tokens[..., -1], soft_clip(x))


def test_a_missing_plain_number_is_0(tokenizer):
    tokens = WithPlainNumbers(tokenizer)(torch.full((2, 3), NAN, dtype=torch.float64))
    assert tokens[..., -1].abs().max() == 0


@pytest.fixture
def mixed(generator):
    return MixedTokenizer(knots(3), 7, n_frequencies=5, generator=generator).double()


def test_a_mixed_token_is_curve_and_waves_along_a_line(mixed, x):
    x[0] = NAN
    tokens = mixed(x)

    plain = soft_clip(x.nan_to_num(0.0))[..., None] * mixed.weight
    bent = tokens - plain
    assert_close(bent[..., :4], mixed.curves(x))
    assert_close(bent[..., 4:], mixed.waves(x))
    assert mixed.waves.frequencies.shape == (3, 5)


def test_a_mixed_token_follows_its_number_beyond_the_knots(mixed):
    # Curves and positions are constant there, and the waves that run on are zeroed.
    mixed.waves.weight.data.zero_()
    far = torch.tensor([[2.1], [2.9]], dtype=torch.float64).expand(2, 3)
    low, high = mixed(far)

    step = soft_clip(far[1, 0]) - soft_clip(far[0, 0])
    assert_close(high - low, step * mixed.weight)


def test_a_column_of_a_mixed_table_does_not_feel_the_others(mixed, x):
    changed = x.clone()
    changed[:, 1] = NAN
    before, after = mixed(x), mixed(changed)

    assert torch.equal(before[:, [0, 2]], after[:, [0, 2]])
    assert not torch.equal(before[:, 1], after[:, 1])


def test_gradients_of_mixed_tokens_are_finite_beside_missing_numbers(mixed, x):
    x[::2, 0] = NAN
    mixed(x).square().sum().backward()
    assert all(values.grad.isfinite().all() for values in mixed.parameters())
