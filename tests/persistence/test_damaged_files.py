"""Whatever a file holds, load answers with a model or a ModelFileError."""

import copy
import os
import pickle
import random
import zipfile

import pytest
import torch

import sklearn_ddcl
from sklearn_ddcl.persistence import ModelFileError
from sklearn_ddcl.persistence.budget import MemoryBudget


def flip(content, rng):
    position = rng.randrange(len(content))
    changed = bytes([content[position] ^ (1 << rng.randrange(8))])
    return content[:position] + changed + content[position + 1 :]


def cut(content, rng):
    return content[: rng.randrange(len(content))]


def drop(content, rng):
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.randint(1, 100) :]


def insert(content, rng):
    start = rng.randrange(len(content) + 1)
    return content[:start] + rng.randbytes(rng.randint(1, 100)) + content[start:]


def zero(content, rng):
    start = rng.randrange(len(content))
    end = min(len(content), start + 4096)
    return content[:start] + bytes(end - start) + content[end:]


@pytest.mark.parametrize("damage", [flip, cut, drop, insert, zero])
def test_every_damaged_file_is_refused(saved, damage):
    content = saved.read_bytes()
    rng = random.Random(f"damage by {damage.__name__}")
    for _ in range(100):
        damaged = damage(content, rng)
        if damaged == content:
            continue
        saved.write_bytes(damaged)
        with pytest.raises(ModelFileError):
            sklearn_ddcl.load(saved)


def test_damage_in_the_text_is_refused(saved, document):
    # Flips that land among the weights are the likelier ones above.
    content = saved.read_bytes()
    end = content.index(b"weights.safetensors", content.index(b'"sha256":'))
    rng = random.Random("text")
    for _ in range(200):
        saved.write_bytes(flip(content[:end], rng) + content[end:])
        with pytest.raises(ModelFileError):
            sklearn_ddcl.load(saved)


def places(value, path=()):
    """Yield the path of every value inside nested lists and dicts."""
    yield path
    items = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield from places(inner, (*path, key))


JUNK = [
    *(None, True, -1, 0, 7, 2**40, 10**30, 0.5, -1e300, "", "__class__", "cpu", [], {}),
    *([[]], [None], {"$": "tuple", "items": []}, {"$": "objects", "shape": [9]}),
    {"$": "array", "name": "state/prototypes_"},
    {"$": "encoder", "name": "transformer", "params": {"n_layers": 10**9}},
]


def test_a_forged_document_gives_a_model_or_a_model_file_error(document, forge):
    rng = random.Random("forgery")
    paths = [path for path in places(document) if path]
    refused = 0
    for _ in range(100):
        forged = copy.deepcopy(document)
        *parents, last = rng.choice(paths)
        inside = forged
        for key in parents:
            inside = inside[key]
        inside[last] = copy.deepcopy(rng.choice(JUNK))
        path = forge(forged)
        try:
            sklearn_ddcl.load(path)
        except ModelFileError:
            refused += 1
    # The rest changed a parameter or a record of the training, as one may.
    assert refused > 40


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"class": "Popen"}, r"holds a 'Popen', but .* loads only \['DDCLClassifier'"),
        ({"class": "DDCLNet"}, "loads only"),
        ({"format": "another"}, "is not a model file: expected 'sklearn_ddcl model'"),
        ({"format_version": 2}, r"has format version 2, .*reads version 1\. Update"),
        ({"format_version": "1"}, "is not a model file"),
        ({"weights_sha256": "0" * 64}, "was changed: weights.safetensors does not"),
        ({"versions": {"sklearn_ddcl": "new"}}, "names an impossible version, 'new'"),
        ({"versions": {}}, "contradicts itself"),
        ({"state": {}}, r"has numbers without use: \['state/"),
        ({"params": {"stranger": 1}}, "contradicts itself .*stranger"),
        ({"params": "n_prototypes"}, "contradicts itself"),
    ],
)
def test_the_reason_of_the_refusal_is_named(document, forge, change, match):
    path = forge(document | change)

    with pytest.raises(ModelFileError, match=rf"model\.ddcl (?s:.*){match}"):
        sklearn_ddcl.load(path)


@pytest.mark.parametrize("name", ["predict_proba", "save", "__class__", "_encode"])
def test_a_file_replaces_no_method(document, forge, name):
    document["state"][name] = "harmless"

    with pytest.raises(ModelFileError, match=f"overwrites .*{name}"):
        sklearn_ddcl.load(forge(document))


def test_a_changed_document_without_its_checksum_is_refused(saved):
    content = saved.read_bytes()
    with zipfile.ZipFile(saved) as archive:
        text = archive.read("model.json")
        weights = archive.read("weights.safetensors")
    assert text in content

    from sklearn_ddcl.persistence.archive import pack

    changed = text.replace(b'"yes"', b'"not"')
    members = {"model.json": changed, "weights.safetensors": weights}
    saved.write_bytes(b"".join(pack(members)))

    with pytest.raises(ModelFileError, match=r"model\.json does not have its checksum"):
        sklearn_ddcl.load(saved)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"nonsense", b"\xff", b"[" * 100_000, b"9" * 10_000, b"NaN"]
)
def test_text_that_is_no_document_is_refused(saved, text):
    from sklearn_ddcl.persistence.archive import pack

    saved.write_bytes(b"".join(pack({"model.json": text, "weights.safetensors": b""})))

    with pytest.raises(ModelFileError, match=r"is damaged: model\.json cannot be read"):
        sklearn_ddcl.load(saved)


def test_weights_that_are_no_safetensors_are_refused(saved, document):
    import hashlib
    import json

    from sklearn_ddcl.persistence.archive import pack

    weights = b"\xff" * 100
    document["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    del document["sha256"]
    text = json.dumps(document, separators=(",", ":")).encode()
    document["sha256"] = hashlib.sha256(text).hexdigest()
    text = json.dumps(document, separators=(",", ":")).encode()
    members = {"model.json": text, "weights.safetensors": weights}
    saved.write_bytes(b"".join(pack(members)))

    with pytest.raises(ModelFileError, match=r"weights\.safetensors cannot be read"):
        sklearn_ddcl.load(saved)


HUGE = [
    ("n_prototypes", 10**7),
    ("n_prototypes", 10**15),
    ("n_classes", 10**8),
    ("cardinalities", [10**9]),
    ("n_knots", [10**9, 2]),
    ("n_knots", [2] * 10_000),
]


@pytest.mark.parametrize(("field", "value"), HUGE)
def test_a_file_gets_no_more_memory_than_it_accounts_for(document, forge, field, value):
    document["state"]["_fitted"]["architecture"][field] = value

    with pytest.raises(ModelFileError, match="network of more numbers than it holds"):
        sklearn_ddcl.load(forge(document))


@pytest.mark.parametrize("field", ["d_hidden", "n_layers", "n_views", "d_token"])
def test_an_encoder_gets_no_more_memory_either(document, forge, field):
    document["state"]["_fitted"]["architecture"]["encoder_params"][field] = 10**7

    with pytest.raises(ModelFileError, match="network of more numbers than it holds"):
        sklearn_ddcl.load(forge(document))


def test_an_absurd_number_of_layers_is_refused(document, forge):
    document["state"]["_fitted"]["architecture"]["encoder_params"]["n_layers"] = 2**46

    with pytest.raises(ModelFileError, match="network of too many layers"):
        sklearn_ddcl.load(forge(document))


def test_the_budget_adds_up_what_is_made():
    made = 0

    def make():
        nonlocal made
        with MemoryBudget(n_bytes=2**20, n_arrays=1):
            for _ in range(100):
                made += torch.zeros(2**18).nbytes

    with pytest.raises(ModelFileError, match="more numbers than it holds"):
        make()

    # Four times the bytes of the file, and 16 MiB.
    assert made == 20 * 2**20


def test_the_budget_counts_small_tensors_too():
    def make():
        with MemoryBudget(n_bytes=2**20, n_arrays=1):
            for _ in range(2000):
                torch.empty(0)

    with pytest.raises(ModelFileError, match="more numbers than it holds"):
        make()


def test_a_budget_that_is_kept_changes_nothing():
    def draw():
        generator = torch.Generator().manual_seed(0)
        return torch.empty(3, 4).normal_(generator=generator) + torch.arange(4)

    with MemoryBudget(n_bytes=1000, n_arrays=2):
        inside = draw()

    assert torch.equal(inside, draw())


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_a_pickle_is_not_opened(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved.write_bytes(pickle.dumps(Bomb()))

    with pytest.raises(ModelFileError, match="is not a model file"):
        sklearn_ddcl.load(saved)

    assert not (tmp_path / "executed").exists()


def test_a_missing_file_is_named_with_a_hint(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*nowhere\.ddcl; .*save"):
        sklearn_ddcl.load(tmp_path / "nowhere.ddcl")


def test_a_folder_is_no_model_file(tmp_path):
    with pytest.raises(ModelFileError, match="is a folder or a device"):
        sklearn_ddcl.load(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ModelFileError, match="is a folder or a device"):
        sklearn_ddcl.load(tmp_path / "pipe")


def test_a_file_beyond_four_gigabytes_is_not_read(tmp_path):
    with open(tmp_path / "large", "wb") as file:
        file.truncate(2**32)

    with pytest.raises(ModelFileError, match="is larger than a model file can be"):
        sklearn_ddcl.load(tmp_path / "large")


def test_a_file_of_a_newer_version_is_loaded_with_a_warning(document, forge):
    document["versions"]["sklearn_ddcl"] = "999.0.1.dev2"

    with pytest.warns(UserWarning, match=r"written by sklearn_ddcl 999\.0\.1\.dev2"):
        sklearn_ddcl.load(forge(document))


def test_a_file_of_an_older_version_is_loaded_in_silence(document, forge, table):
    document["versions"]["sklearn_ddcl"] = "0.0.1"

    assert len(sklearn_ddcl.load(forge(document)).predict(table)) == len(table)
