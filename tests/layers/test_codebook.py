"""A codebook quantizes softly and hard, in one way or the other, as its words say."""

import pytest
import torch

from sklearn_ddcl.layers import Codebook

KINDS = ["product", "residual"]


@pytest.fixture
def make():
    """Return a function that makes a codebook in float64 and latents for it."""

    def build(quantization="product", m=3, k=5, d=4, temperature=1.0, n=20):
        generator = torch.Generator().manual_seed(0)
        codebook = Codebook(
            m,
            k,
            d,
            quantization=quantization,
            temperature=temperature,
            generator=generator,
        ).double()
        z = torch.randn(n, codebook.n_slots, d, generator=generator).double()
        return codebook, z

    return build


def test_two_prototypes_by_hand(torch_seed):
    codebook = Codebook(1, 2, 1, temperature=2.0).double()
    with torch.no_grad():
        codebook.prototypes.copy_(torch.tensor([[[-1.0], [1.0]]]))
    z = torch.tensor([[[0.5]]], dtype=torch.float64)
    # Squared distances 2.25 and 0.25: odds of e to the first over the second.
    q = 1 / (1 + torch.tensor(-1.0, dtype=torch.float64).exp())

    quantized = codebook(z)

    torch.testing.assert_close(quantized.log_assignments.exp()[0, 0, 1], q)
    torch.testing.assert_close(quantized.latents[0, 0, 0], 2 * q - 1)
    assert codebook.encode(z).tolist() == [[1]]
    assert codebook.decode(torch.tensor([[0]])).tolist() == [[[-1.0]]]


def test_books_of_a_product_answer_for_their_own_slot(make):
    codebook, z = make()
    codes = codebook.encode(z)
    for m in range(3):
        direct = (z[:, m, None] - codebook.prototypes[m]).square().sum(-1)
        assert torch.equal(codes[:, m], direct.argmin(1))
        expected = codebook.prototypes[m][codes[:, m]]
        assert torch.equal(codebook.decode(codes)[:, m], expected)


def test_a_residual_book_answers_for_what_is_left(make):
    codebook, z = make("residual")
    codes = codebook.encode(z)
    left = z[:, 0]
    for m in range(3):
        direct = (left[:, None] - codebook.prototypes[m]).square().sum(-1)
        assert torch.equal(codes[:, m], direct.argmin(1))
        left = left - codebook.prototypes[m][codes[:, m]]
    torch.testing.assert_close(codebook.decode(codes)[:, 0], z[:, 0] - left)


@pytest.mark.parametrize("kind", KINDS)
def test_soft_becomes_hard_towards_temperature_zero(make, kind):
    codebook, z = make(kind, temperature=1e-6)
    codes = codebook.encode(z)

    soft = codebook(z)

    assert torch.equal(soft.log_assignments.argmax(-1), codes)
    torch.testing.assert_close(soft.latents, codebook.decode(codes))


@pytest.mark.parametrize("kind", KINDS)
def test_a_hot_codebook_answers_with_its_mean(make, kind):
    codebook, z = make(kind, temperature=1e9)
    mean = codebook.prototypes.mean(1)
    mean = mean.sum(0, keepdim=True) if kind == "residual" else mean

    torch.testing.assert_close(
        codebook(z).latents, mean.expand_as(z), rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("kind", KINDS)
def test_soft_assignments_decode_to_the_soft_answer(make, kind):
    codebook, z = make(kind)
    soft = codebook(z)
    q = soft.log_assignments.exp()

    torch.testing.assert_close(q.sum(-1), torch.ones_like(q[..., 0]))
    torch.testing.assert_close(codebook.decode_assignments(q), soft.latents)


def test_the_gradient_of_the_soft_answer_is_right(make):
    codebook, z = make(n=3)
    codebook.prototypes.requires_grad_(False)
    z.requires_grad_(True)

    assert torch.autograd.gradcheck(lambda z: codebook(z).latents, (z,))


def test_the_blur_has_the_moments_of_a_draw(make):
    codebook, z = make(n=1, m=2, temperature=3.0)
    generator = torch.Generator().manual_seed(0)
    batches = [codebook.blur(z.expand(20, -1, -1), generator) for _ in range(3000)]
    offset = torch.cat([noisy.latents for noisy in batches]) - z

    torch.testing.assert_close(
        offset.mean(0), torch.zeros_like(z[0]), rtol=0, atol=0.03
    )
    q = codebook(z).log_assignments.exp()[0].detach()
    steps = codebook.prototypes.detach() - z[0, :, None]
    expected = torch.einsum("mk,mkd,mke->mde", q, steps, steps)
    found = torch.einsum("bmd,bme->mde", offset, offset) / len(offset)
    torch.testing.assert_close(found, expected, rtol=0.03, atol=0.15)


def test_rows_of_a_batch_are_blurred_independently(make):
    codebook, z = make(n=1, m=1)
    generator = torch.Generator().manual_seed(0)
    batches = [codebook.blur(z.expand(2, -1, -1), generator) for _ in range(4000)]
    offset = torch.stack([noisy.latents - z for noisy in batches])[:, :, 0]
    together = torch.einsum("nd,ne->de", offset[:, 0], offset[:, 1]) / len(offset)
    alone = torch.einsum("nd,ne->de", offset[:, 0], offset[:, 0]) / len(offset)

    assert together.abs().max() < 0.06 * alone.diagonal().max()


def test_the_cold_blur_ends_on_the_prototype_or_on_its_mirror_image(make):
    codebook, z = make(temperature=1e-6, n=200)
    nearest = codebook.decode(codebook.encode(z))

    noisy = codebook.blur(z, torch.Generator().manual_seed(0)).latents

    on_prototype = (noisy - nearest).abs().amax(-1) < 1e-9
    on_mirror = (noisy - (2 * z - nearest)).abs().amax(-1) < 1e-9
    assert (on_prototype | on_mirror).all()
    assert 0.4 < on_prototype.double().mean() < 0.6


@pytest.mark.parametrize("kind", KINDS)
def test_the_noise_of_a_blur_is_a_constant_for_the_gradient(make, kind):
    codebook, z = make(kind, temperature=1e-6)
    z.requires_grad_(True)
    codebook.blur(z, torch.Generator().manual_seed(0)).latents.sum().backward()

    assert torch.equal(z.grad, torch.ones_like(z))
    assert codebook.prototypes.grad is None


def test_the_soft_answer_of_a_cold_codebook_has_no_gradient(make):
    codebook, z = make(temperature=1e-6)
    z.requires_grad_(True)
    codebook(z).latents.sum().backward()

    assert z.grad.abs().sum() < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_commitment_has_the_gradient_of_the_loss_with_constant_assignments(make, kind):
    codebook, z = make(kind)
    z.requires_grad_(True)
    blurred = codebook.blur(z.detach(), torch.Generator().manual_seed(0))
    (found,) = torch.autograd.grad(codebook.commitment(z, blurred).sum(), z)

    q = blurred.log_assignments[:, -codebook.n_slots :].exp()
    fixed = (blurred.inputs[:, -codebook.n_slots :] - z).detach()
    books = codebook.prototypes[-codebook.n_slots :].detach()
    steps = (z + fixed)[:, :, None] - books
    loss = (q * steps.square().sum(-1)).sum() / z[0].numel()
    (expected,) = torch.autograd.grad(loss, z)

    torch.testing.assert_close(found, expected)


def test_a_residual_blur_moves_by_what_all_books_leave(make):
    codebook, z = make("residual", temperature=1e-6, n=50)
    error = codebook.decode(codebook.encode(z)) - z

    offset = codebook.blur(z, torch.Generator().manual_seed(0)).latents - z

    torch.testing.assert_close(offset.abs(), error.abs())


@pytest.mark.parametrize("kind", KINDS)
def test_distances_are_smallest_at_the_code(make, kind):
    codebook, z = make(kind)

    distances = codebook.distances(z)

    assert torch.equal(distances.argmin(-1), codebook.encode(z))
    error = codebook.decode(codebook.encode(z)) - z
    own = distances.amin(-1)
    left = own[:, -1:] if kind == "residual" else own
    torch.testing.assert_close(left, error.square().sum(-1))


def test_no_latent_draws_from_the_global_generator(make):
    codebook, z = make()
    before = torch.get_rng_state()
    codebook.blur(z, torch.Generator().manual_seed(0))

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [5, 16, 33])
def test_codes_do_not_depend_on_the_place_in_a_batch(kind, k):
    generator = torch.Generator().manual_seed(0)
    codebook = Codebook(3, k, 4, quantization=kind, generator=generator)
    z = torch.randn(512, codebook.n_slots, 4, generator=generator)
    order = torch.randperm(512, generator=generator)

    assert torch.equal(codebook(z[order]).latents, codebook(z).latents[order])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_prototypes": 0}, "at least 1"),
        ({"n_codebooks": 0}, "at least 1"),
        ({"quantization": "additive"}, "quantization must be one of"),
        ({"temperature": 0.0}, "temperature must be positive"),
    ],
)
def test_unusable_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        Codebook(**{"n_codebooks": 2, "n_prototypes": 3, "d_code": 4} | params)


def test_wrong_shapes_are_told_from_right_ones(make):
    codebook, z = make()
    for ask in (codebook, codebook.encode, codebook.blur, codebook.distances):
        with pytest.raises(
            ValueError, match=r"shape \(batch, 3, 4\), got \(20, 2, 4\)"
        ):
            ask(z[:, :2])
    with pytest.raises(ValueError, match=r"codes of shape \(batch, 3\)"):
        codebook.decode(torch.zeros(4, 2, dtype=torch.int64))


def test_the_representation_shows_sizes(torch_seed):
    assert repr(Codebook(2, 8, 4)) == "Codebook(2, 8, 4, quantization='product')"
