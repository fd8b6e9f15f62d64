"""labkit.text.pretrained: folders go both ways between labkit and transformers; what is broken is named."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from labkit import weights
from labkit.common import LabkitError
from labkit.text.gpt import GPT
from labkit.text.gpt_config import GPTConfig
from labkit.text.lstm import LSTMConfig, LSTMLanguageModel
from labkit.text.pretrained import (
    from_tensors,
    gpt_config,
    load_model,
    load_pretrained,
    qwen3_config,
    save_model,
    save_pretrained,
    to_tensors,
    unsupported,
)
from labkit.text.tokenizer import BPETokenizer, CharTokenizer
from tests.small_models import drawn_gpt

SHAPES = {
    "multi-head": GPTConfig(320, 48, num_layers=2, num_heads=4, num_kv_heads=4, max_positions=64),
    "grouped, wide heads": GPTConfig(
        320, 40, num_layers=2, num_heads=6, num_kv_heads=2, head_dim=16, max_positions=64, rope_theta=1e6
    ),
    "untied": GPTConfig(
        320,
        32,
        72,
        num_layers=2,
        num_heads=4,
        num_kv_heads=1,
        max_positions=64,
        tie_embeddings=False,
        hidden_act="relu2",
        rms_norm_eps=1e-5,
    ),
}
TOLERANCE = 2e-6  # of float32 logits of size one; the issue allows 1e-4
TEXT = "The market opens at eight. 小镇的市场八点开门。"


def make_qwen3(**changes):
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    values = qwen3_config(SHAPES["grouped, wide heads"]) | changes
    model = Qwen3ForCausalLM(Qwen3Config(**values)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def tokens_of(rows: int = 2, length: int = 11) -> torch.Tensor:
    return torch.randint(300, (rows, length), generator=torch.Generator().manual_seed(1))


def change(path, **changes) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    for key, value in changes.items():
        content.pop(key, None)
        if value is not ...:
            content[key] = value
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture(scope="module")
def tokenizer() -> BPETokenizer:
    return BPETokenizer.train([TEXT] * 3, 300)


@pytest.fixture
def folder(tmp_path):
    return save_pretrained(drawn_gpt(SHAPES["grouped, wide heads"]), tmp_path / "gpt")


def refused(name, match: str) -> None:
    with pytest.raises(LabkitError, match=match):
        load_pretrained(name)


@torch.no_grad()
@pytest.mark.parametrize("shape", SHAPES)
def test_transformers_reads_what_labkit_writes(tmp_path, shape):
    from transformers import AutoModelForCausalLM

    model = drawn_gpt(SHAPES[shape])
    save_pretrained(model, tmp_path)
    other, info = AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert type(other).__name__ == "Qwen3ForCausalLM"
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    expected = other.eval()(tokens_of()).logits
    torch.testing.assert_close(model(tokens_of()), expected, atol=TOLERANCE, rtol=0)
    again, none = load_pretrained(tmp_path)
    assert none is None
    assert again.config == model.config
    assert torch.equal(again(tokens_of()), model(tokens_of()))


@torch.no_grad()
@pytest.mark.parametrize(
    "changes",
    [
        {"num_key_value_heads": 6},
        {"head_dim": 32},
        {"tie_word_embeddings": False, "hidden_act": "gelu_pytorch_tanh"},
    ],
)
def test_labkit_reads_what_transformers_writes(tmp_path, changes):
    other = make_qwen3(**changes)
    other.save_pretrained(tmp_path)
    model, _ = load_pretrained(tmp_path)
    assert type(model) is GPT
    assert not model.training
    padding = torch.ones(2, 11, dtype=torch.bool)
    padding[1, :4] = False
    expected = other(tokens_of(), attention_mask=padding.long()).logits
    found = model(tokens_of(), padding=padding)
    torch.testing.assert_close(found[padding], expected[padding], atol=1e-5, rtol=0)
    cache = model.new_cache(2, 11)
    pieces = [model(piece, cache) for piece in tokens_of().split((4, 1, 6), 1)]
    torch.testing.assert_close(torch.cat(pieces, 1), other(tokens_of()).logits, atol=1e-5, rtol=0)


@torch.no_grad()
def test_shards_are_put_together(tmp_path):
    other = make_qwen3()
    other.save_pretrained(tmp_path, max_shard_size="40KB")
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 1
    model, _ = load_pretrained(tmp_path)
    torch.testing.assert_close(model(tokens_of()), other(tokens_of()).logits, atol=1e-5, rtol=0)

    shards[0].unlink()
    refused(tmp_path, f"lacks {shards[0].name}")
    change(
        tmp_path / "model.safetensors.index.json", weight_map={"model.norm.weight": "../model.safetensors"}
    )
    refused(tmp_path, "does not name the shards in its folder")


@torch.no_grad()
def test_bfloat16_weights_become_float32_or_stay(tmp_path):
    from transformers import AutoModelForCausalLM

    make_qwen3().bfloat16().save_pretrained(tmp_path)
    model, _ = load_pretrained(tmp_path)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    expected = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()(tokens_of()).logits
    torch.testing.assert_close(model(tokens_of()), expected, atol=1e-5, rtol=0)
    narrow, _ = load_pretrained(tmp_path, dtype=torch.bfloat16)
    assert {tensor.dtype for tensor in (*narrow.parameters(), narrow.cos, narrow.sin)} == {torch.bfloat16}
    assert (narrow(tokens_of()).float() - expected).abs().max() < 0.1 * expected.abs().max()


@torch.no_grad()
@pytest.mark.parametrize(
    "spelling",
    [
        {"rope_parameters": ..., "rope_theta": 1e6},
        {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}, "rope_theta": ...},
        {"rope_parameters": ..., "rope_scaling": None, "rope_theta": 1e6},
    ],
)
def test_both_spellings_of_the_rotary_base_are_read(folder, spelling):
    change(folder / "config.json", **spelling)
    model, _ = load_pretrained(folder)
    assert model.config.rope_theta == 1e6
    torch.testing.assert_close(
        model(tokens_of()), drawn_gpt(SHAPES["grouped, wide heads"])(tokens_of()), atol=0, rtol=0
    )


def test_left_out_keys_mean_what_they_mean_to_transformers():
    from transformers import Qwen3Config

    def both(**values) -> tuple[GPTConfig, GPTConfig]:
        return gpt_config(values), gpt_config(Qwen3Config(**values).to_dict())

    for values in (
        {},
        {"num_attention_heads": 8, "num_key_value_heads": None},
        {"vocab_size": 99, "hidden_size": 64, "tie_word_embeddings": True},
    ):
        ours, theirs = both(**values)
        assert ours == theirs


@torch.no_grad()
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"attention_bias": True}, "attention_bias"),
        ({"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1}, "sliding window"),
        ({"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}}, "scaled positions"),
    ],
)
def test_what_the_gpt_lacks_is_left_to_transformers(tmp_path, changes, reason):
    other = make_qwen3(**changes)
    other.save_pretrained(tmp_path)
    assert unsupported(json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))) == [reason]
    model, _ = load_pretrained(tmp_path)
    assert type(model).__name__ == "Qwen3ForCausalLM"
    torch.testing.assert_close(model(tokens_of()).logits, other(tokens_of()).logits, atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_another_architecture_is_the_same_call(tmp_path, tokenizer):
    from transformers import GPT2Config, GPT2LMHeadModel

    other = GPT2LMHeadModel(GPT2Config(vocab_size=320, n_positions=32, n_embd=16, n_layer=1, n_head=2)).eval()
    other.save_pretrained(tmp_path)
    tokenizer.save(tmp_path)
    model, read = load_pretrained(tmp_path)
    assert not model.training
    assert read.encode(TEXT) == tokenizer.encode(TEXT)
    torch.testing.assert_close(model(tokens_of()).logits, other(tokens_of()).logits, atol=TOLERANCE, rtol=0)


def test_the_tokenizer_goes_along(tmp_path, tokenizer):
    from transformers import AutoTokenizer

    save_pretrained(drawn_gpt(SHAPES["untied"]), tmp_path, tokenizer)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    for text in (TEXT, "  two  blanks\n\n", "typed 🙂 e\u0301"):
        assert theirs(text)["input_ids"] == tokenizer.encode(text)
        assert theirs.decode(tokenizer.encode(text)) == text
    assert (theirs.eos_token_id, theirs.pad_token_id, theirs.mask_token_id) == (0, 1, 2)
    _, again = load_pretrained(tmp_path)
    assert again.fingerprint == tokenizer.fingerprint
    assert (again.eos_id, again.pad_id, again.mask_id) == (0, 1, 2)

    characters = CharTokenizer.from_text(TEXT)
    save_pretrained(drawn_gpt(SHAPES["untied"]), tmp_path / "characters", characters)
    _, again = load_pretrained(tmp_path / "characters")
    assert isinstance(again, CharTokenizer)
    assert again.encode(TEXT) == characters.encode(TEXT)


def test_what_cannot_be_saved_is_refused(tmp_path, tokenizer):
    small = GPTConfig(100, 32, num_layers=1)
    with pytest.raises(LabkitError, match=f"{tokenizer.vocab_size} ids, and the model 100"):
        save_pretrained(GPT(small), tmp_path, tokenizer)
    with pytest.raises(LabkitError, match="no causal language model"):
        save_pretrained(GPT(dataclasses.replace(small, attention="full")), tmp_path)
    with pytest.raises(LabkitError, match="LSTMLanguageModel"):
        save_pretrained(LSTMLanguageModel(LSTMConfig(100)), tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(LabkitError, match="cannot be written"):
        save_pretrained(GPT(small), tmp_path / "file")


def test_broken_folders_are_refused_by_what_is_wrong(folder, tmp_path):
    refused(tmp_path, "holds no config.json")
    refused(folder / "config.json", "There is no folder")
    refused(tmp_path / "missing", "There is no folder")
    refused("./missing", "There is no folder")
    config, tensors = folder / "config.json", folder / "model.safetensors"
    whole, content = config.read_text(encoding="utf-8"), tensors.read_bytes()

    change(config, num_hidden_layers=3)
    refused(folder, r"differ in 11 weights. layers\.2\..*missing instead of")
    change(config, num_hidden_layers=1)
    refused(folder, "differ in 11 weights.*instead of nothing")
    change(config, num_hidden_layers=2, vocab_size=321)
    refused(folder, r"embed_tokens.weight: \(320, 40\) instead of \(321, 40\)")
    change(config, vocab_size=320, num_key_value_heads=4)
    refused(folder, "num_kv_heads")
    change(config, num_key_value_heads=2, hidden_size="wide")
    refused(folder, "hidden_size")
    change(config, hidden_size=40, tie_word_embeddings=False)
    refused(folder, "lm_head.weight: missing")
    for text, message in (
        ("{", "cannot be read"),
        ("[]", "holds a list"),
        ("{}", "transformers cannot load"),
    ):
        config.write_text(text, encoding="utf-8")
        refused(folder, message)

    config.write_text(whole, encoding="utf-8")
    for damaged in (content[:-100], b"version https://git-lfs.github.com/spec/v1\n", b""):
        tensors.write_bytes(damaged)
        refused(folder, "model.safetensors is damaged")
    tensors.unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04never unpickled")
    refused(folder, "pickled weights are not read")


def test_a_hub_name_without_a_network_says_what_to_do(monkeypatch):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

    asked = []

    def failing(error):
        def download(name, **options):
            asked.append((name, options["allow_patterns"]))
            raise error

        return download

    for error, message in (
        (LocalEntryNotFoundError("no connection"), "is there a network"),
        (ConnectionError("no route"), "is there a network"),
        (RepositoryNotFoundError.__new__(RepositoryNotFoundError), "no public model"),
    ):
        monkeypatch.setattr(huggingface_hub, "snapshot_download", failing(error))
        refused("Qwen/Qwen3-0.6B", message)
    assert {name for name, _ in asked} == {"Qwen/Qwen3-0.6B"}
    assert not any(pattern.endswith((".bin", ".pt", ".py")) for _, patterns in asked for pattern in patterns)


def test_a_name_that_is_none_is_refused():
    for name in ("no such / name", "a--b", ""):
        refused(name, "There is no folder|neither a folder nor a name|no config.json")


@torch.no_grad()
def test_a_hub_name_loads_what_was_fetched(monkeypatch, folder):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **_: str(folder))
    model, _ = load_pretrained("Qwen/Qwen3-0.6B")
    assert torch.equal(model(tokens_of()), drawn_gpt(SHAPES["grouped, wide heads"])(tokens_of()))


def card() -> weights.Card:
    return weights.Card("labkit train town-gpt", 0, "town, train", 1.0, {"bits": 1.5}, notes="小镇")


MODELS = {
    "gpt": lambda: drawn_gpt(SHAPES["grouped, wide heads"]),
    "full": lambda: drawn_gpt(dataclasses.replace(SHAPES["untied"], attention="full")),
    "lstm": lambda: LSTMLanguageModel(LSTMConfig(320, 16, 24)).eval(),
}


@torch.no_grad()
@pytest.mark.parametrize("name", MODELS)
def test_models_travel_with_their_card(tmp_path, name):
    def logits(model):
        found = model(tokens_of())
        return found[0] if isinstance(found, tuple) else found

    model, path = MODELS[name](), tmp_path / "model.safetensors"
    written = save_model(path, model, card(), dtype=None)
    again, read = load_model(path)
    assert read == written
    assert read.notes.startswith("小镇\nconfig: {")
    assert read.parameters == model.num_parameters()
    assert (type(again), again.config) == (type(model), model.config)
    assert not again.training
    assert torch.equal(logits(again), logits(model))

    full = path.stat().st_size
    save_model(path, model, card())  # float16
    assert path.stat().st_size < 0.55 * full
    again, _ = load_model(path)
    assert {parameter.dtype for parameter in again.parameters()} == {torch.float32}
    assert 0 < (logits(again) - logits(model)).abs().max() < 0.02 * logits(model).abs().max()


def test_tied_weights_stay_tied_after_loading():
    model = LSTMLanguageModel(LSTMConfig(320, 16, 24))
    again = from_tensors(model.config, to_tensors(model))
    assert again.output.weight is again.embedding.weight
    assert "output.weight" not in to_tensors(model)


def test_loading_draws_no_random_numbers():
    model = drawn_gpt(SHAPES["untied"])
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    from_tensors(model.config, to_tensors(model))
    assert torch.equal(torch.rand(3), expected)


def test_weights_that_do_not_fit_are_refused(tmp_path):
    model = drawn_gpt(SHAPES["untied"])
    tensors = to_tensors(model)
    tensors.pop("norm.weight")
    with pytest.raises(LabkitError, match="norm.weight: missing"):
        from_tensors(model.config, tensors)
    with torch.no_grad():
        model.norm.weight[3] = 1e6
    with pytest.raises(LabkitError, match="norm.weight .*float16"):
        to_tensors(model, torch.float16)
    with pytest.raises(LabkitError, match="Linear"):
        save_model(tmp_path / "x.safetensors", torch.nn.Linear(2, 2), card())
    for notes in (
        "",
        "config: {",
        'config: {"kind": "RNN"}',
        'config: {"kind": "GPT", "width": 3}',
        "config: []",
    ):
        weights.save(tmp_path / "x.safetensors", tensors, dataclasses.replace(card(), notes=notes))
        with pytest.raises(LabkitError, match="names no model.*labkit train town-gpt"):
            load_model(tmp_path / "x.safetensors")
