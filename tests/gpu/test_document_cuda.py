"""A compressor of documents on a graphics card says what it says on the CPU."""

import numpy as np
import pytest

from sklearn_ddcl import DDCLDocumentCompressor

pytestmark = pytest.mark.gpu


def make_documents():
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    documents = [
        (rng.normal(size=(rng.integers(5, 40), 6)) + own).astype(np.float32)
        for own in y
    ]
    return documents, y


@pytest.mark.parametrize("levels", [(8,), (8, 4)])
def test_vectors_are_those_of_the_cpu(levels, tmp_path):
    import sklearn_ddcl

    documents, _ = make_documents()
    compressor = DDCLDocumentCompressor(levels, device="cuda", random_state=0)
    vectors = compressor.fit(documents).transform(documents)
    compressor.save(tmp_path / "compressor.ddcl")

    on_cpu = sklearn_ddcl.load(tmp_path / "compressor.ddcl", device="cpu")

    np.testing.assert_allclose(on_cpu.transform(documents), vectors, atol=1e-4)
    slots = compressor.slots(documents[:1])[0]
    np.testing.assert_allclose(
        slots.token_shares @ documents[0], slots.vectors, atol=1e-4
    )


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_it_is_trained_for_classes(precision):
    documents, y = make_documents()
    compressor = DDCLDocumentCompressor(
        4, device="cuda", precision=precision, max_epochs=40, random_state=0
    )

    history = compressor.fit(documents, y).history_

    loss = [row["loss"] for row in history if row["level"] == 0]
    assert loss[-1] < 0.8 * loss[0]


@pytest.mark.parametrize("encoder", ["transformer", "aot", "incrt"])
@pytest.mark.filterwarnings("ignore:Head .* could go")
def test_an_encoder_gives_what_it_gives_on_the_cpu(encoder, tmp_path):
    import sklearn_ddcl

    documents, y = make_documents()
    compressor = DDCLDocumentCompressor(
        (8, 4), encoder=encoder, device="cuda", max_epochs=10, random_state=0
    )
    vectors = compressor.fit(documents, y).transform(documents)
    compressor.save(tmp_path / "compressor.ddcl")

    on_cpu = sklearn_ddcl.load(tmp_path / "compressor.ddcl", device="cpu")

    np.testing.assert_allclose(on_cpu.transform(documents), vectors, atol=1e-3)
    assert hasattr(on_cpu, "n_heads_") == (encoder == "incrt")
