"""labkit.weights: weights and their card belong together, or are refused."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch

from labkit import weights
from labkit.common import LabkitError
from labkit.weights import Card

TENSORS = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.tensor([0.5, -0.5])}


def card(**changes) -> Card:
    values = {
        "command": "labkit train digits --seed 3",
        "seed": 3,
        "data": "digits, 1,437 training images",
        "seconds": 12.5,
        "metrics": {"accuracy": 0.97},
        "notes": "手写数字",
    }
    return Card(**values | changes)


@pytest.fixture
def saved(tmp_path):
    weights.save(tmp_path / "digits.safetensors", TENSORS, card())
    return tmp_path / "digits.safetensors"


def refused(path, match: str) -> str:
    with pytest.raises(LabkitError, match=match) as caught:
        weights.load(path)
    return str(caught.value)


def test_weights_and_card_come_back(saved) -> None:
    tensors, found = weights.load(saved)
    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {
        name: tensor.tolist() for name, tensor in TENSORS.items()
    }
    sha256 = hashlib.sha256(saved.read_bytes()).hexdigest()
    assert found == card(parameters=8, sha256=sha256)
    assert weights.read_card(saved) == found
    assert sorted(path.name for path in saved.parent.iterdir()) == ["digits.json", "digits.safetensors"]


def test_the_card_is_read_by_people(saved) -> None:
    text = (saved.parent / "digits.json").read_text(encoding="utf-8")
    assert "手写数字" in text
    assert json.loads(text)["metrics"] == {"accuracy": 0.97}
    assert text.count("\n") > 8


def test_equal_weights_give_an_equal_file_and_card(saved) -> None:
    again = weights.save(saved.parent / "again.safetensors", dict(reversed(TENSORS.items())), card())
    assert again == weights.read_card(saved)


def test_model_weights_can_be_loaded_into_the_model(tmp_path) -> None:
    path = tmp_path / "model.safetensors"
    one, two = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    weights.save(path, one.state_dict(), card())
    two.load_state_dict(weights.load(path)[0])
    assert torch.equal(one.weight, two.weight)


def test_changed_weights_are_refused_with_the_command_that_makes_them(saved) -> None:
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    saved.write_bytes(content)
    assert "labkit train digits --seed 3" in refused(saved, "does not match its card")


@pytest.mark.parametrize(
    "content", [b"", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"]
)
def test_half_fetched_weights_are_refused(content: bytes, saved) -> None:
    saved.write_bytes(content)
    refused(saved, "git lfs pull")


def test_a_file_that_matches_its_card_but_is_no_weights_is_refused(saved) -> None:
    saved.write_bytes(b"not weights")
    place = weights.card_path(saved)
    values = json.loads(place.read_text(encoding="utf-8"))
    values["sha256"] = hashlib.sha256(b"not weights").hexdigest()
    place.write_text(json.dumps(values), encoding="utf-8")
    refused(saved, "cannot be used")


def test_weights_of_another_card_are_refused(saved) -> None:
    other = saved.parent / "other.safetensors"
    weights.save(other, {"a": torch.zeros(1)}, card(seed=4))
    weights.card_path(other).replace(weights.card_path(saved))
    refused(saved, "does not match its card")


def test_missing_weights_name_what_is_there(saved) -> None:
    message = refused(saved.with_name("digts.safetensors"), "There are no weights at")
    assert "In that folder: digits.safetensors" in message
    refused(saved.parent / "empty" / "a.safetensors", "The folder holds no weights")


def test_a_missing_card_is_refused(saved) -> None:
    weights.card_path(saved).unlink()
    refused(saved, r"have no card digits\.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"seed": 3}', b"\xff\xfe".decode("latin-1")])
def test_a_damaged_card_is_refused(text: str, saved) -> None:
    weights.card_path(saved).write_text(text, encoding="utf-8")
    refused(saved, r"The card .*digits\.json (cannot be read|should hold)")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"command": " "}, "command is ' '"),
        ({"data": None}, "data is None"),
        ({"seed": 1.5}, r"seed is 1\.5"),
        ({"seed": True}, "seed is True"),
        ({"seconds": -1}, "seconds is -1"),
        ({"seconds": float("nan")}, "seconds is nan"),
        ({"metrics": {}}, r"metrics is \{\}"),
        ({"metrics": {"accuracy": float("inf")}}, "'accuracy' is inf"),
        ({"metrics": {"accuracy": "high"}}, "'accuracy' is 'high'"),
    ],
)
def test_a_wrong_card_is_refused_by_field(change: dict, message: str, saved) -> None:
    with pytest.raises(LabkitError, match=message):
        card(**change)
    # and so is the same card when it comes from a file
    values = json.loads(weights.card_path(saved).read_text(encoding="utf-8")) | change
    weights.card_path(saved).write_text(json.dumps(values), encoding="utf-8")
    refused(saved, message)


def test_weights_are_safetensors(tmp_path) -> None:
    for name in ("a.pt", "a", "a.bin"):
        with pytest.raises(LabkitError, match=r"kept in \.safetensors files"):
            weights.save(tmp_path / name, TENSORS, card())
        refused(tmp_path / name, r"kept in \.safetensors files")
    with pytest.raises(LabkitError, match="no tensors"):
        weights.save(tmp_path / "a.safetensors", {}, card())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LabkitError, match=r"cannot be written to .*a\.safetensors"):
        weights.save(tmp_path / "file" / "a.safetensors", TENSORS, card())


def test_a_card_names_the_device_that_is_not_the_usual_one():
    assert weights.train_command("town-gpt") == "labkit train town-gpt"
    assert weights.train_command("town-gpt", "cuda") == "labkit train town-gpt --device cuda"


def test_a_packed_model_comes_back_with_its_description(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(weights, "data_dir", lambda: tmp_path)
    layer = torch.nn.Linear(3, 2)
    weights.save(weights.shipped_path("small"), weights.pack(layer, {"words": ["面包", "bread"]}), card())
    described, state = weights.unpack(weights.load(weights.find_shipped("small"))[0], "layer")
    assert described == {"words": ["面包", "bread"]}
    again = torch.nn.Linear(3, 2)
    again.load_state_dict(state)
    torch.testing.assert_close(again.weight, layer.weight.half().float(), rtol=0, atol=0)
    with pytest.raises(LabkitError, match="not those of a layer"):
        weights.unpack(TENSORS, "layer")
    with pytest.raises(LabkitError, match="labkit train large"):
        weights.find_shipped("large")
