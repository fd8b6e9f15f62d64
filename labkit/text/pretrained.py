"""Models in and out: Qwen3 folders that transformers reads too, hub names, and labkit's own weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from labkit import files, weights
from labkit.common import LabkitError
from labkit.text.gpt import GPT, rotary_tables
from labkit.text.gpt_config import ACTIVATIONS, GPTConfig
from labkit.text.lstm import LSTMConfig, LSTMLanguageModel
from labkit.text.tokenizer import BPETokenizer, Tokenizer, load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CONFIG, WEIGHTS, INDEX, TOKENIZER = (
    "config.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
)
# What transformers' Qwen3Config takes for a key that config.json leaves out.
QWEN3_DEFAULTS = {
    "vocab_size": 151936,
    "hidden_size": 4096,
    "intermediate_size": 22016,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "head_dim": 128,
    "hidden_act": "silu",
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False,
}
# Never *.bin or *.pt: those are pickles, which may run code when they are read.
HUB_PATTERNS = ["*.json", "*.jinja", "*.safetensors", "*.txt", "*.model"]
KINDS = {"GPT": (GPT, GPTConfig), "LSTM": (LSTMLanguageModel, LSTMConfig)}
CONFIG_LINE = "config: "  # in the notes of a card


def save_pretrained(model: GPT, folder: Path | str, tokenizer: Tokenizer | None = None) -> Path:
    """Write ``model`` as a Qwen3 folder: ``AutoModelForCausalLM.from_pretrained(folder)`` reads it.

    With a BPETokenizer, ``AutoTokenizer.from_pretrained(folder)`` works too; a CharTokenizer is kept for
    ``load_pretrained`` alone. Raises LabkitError for other models, for ``attention="full"`` (transformers would
    read it as causal), for a tokenizer with more ids than the model, and where the folder cannot be written.
    """
    if type(model) is not GPT:
        raise LabkitError(f"save_pretrained writes a labkit GPT, and this is a {type(model).__name__}.")
    if model.config.attention != "causal":
        raise LabkitError("A GPT with attention='full' is no causal language model. Keep it with save_model.")
    if tokenizer is not None and tokenizer.vocab_size > model.config.vocab_size:
        raise LabkitError(
            f"The tokenizer has {tokenizer.vocab_size} ids, and the model {model.config.vocab_size}: they do not "
            "belong together."
        )
    folder = Path(folder)
    config = qwen3_config(model.config, next(model.parameters()).dtype)
    if tokenizer is not None:
        config |= {"eos_token_id": tokenizer.eos_id, "pad_token_id": tokenizer.pad_id}
    try:
        _write_weights(model, folder / WEIGHTS)
        if tokenizer is not None:
            _write_tokenizer(tokenizer, folder)
        _write_json(folder / CONFIG, config)  # last: without it the folder is not taken for a model
    except OSError as error:
        raise LabkitError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return folder


def load_pretrained(
    name_or_folder: Path | str, dtype: torch.dtype = torch.float32
) -> tuple[GPT | PreTrainedModel, Tokenizer | None]:
    """A language model and its tokenizer (None where it has none), for evaluation, on the CPU.

    A folder with Qwen3 weights (of any shape, in shards, in any precision; labkit's own are such) gives a labkit
    ``GPT``. Another architecture, or a Qwen3 with what ``GPT`` lacks (biases, sliding windows, scaled
    positions), gives the model of transformers. A name such as ``"Qwen/Qwen3-0.6B"`` or ``"gpt2"`` is fetched
    from the hub, and kept. Raises LabkitError when it is not there, not whole, or the hub cannot be reached.
    """
    folder = _local_folder(name_or_folder)
    config = _read_json(folder / CONFIG)
    if config.get("model_type") == "qwen3" and not unsupported(config):
        model = _load_gpt(folder, gpt_config(config, folder / CONFIG), dtype)
    else:
        model = _load_with_transformers(folder, dtype)
    return model.eval(), _load_tokenizer(folder)


def qwen3_config(config: GPTConfig, dtype: torch.dtype = torch.float32) -> dict[str, Any]:
    """The ``config.json`` of transformers for a labkit GPT."""
    return {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "num_key_value_heads": config.num_kv_heads,
        "head_dim": config.head_dim,
        "hidden_act": config.hidden_act,
        "max_position_embeddings": config.max_positions,
        "rms_norm_eps": config.rms_norm_eps,
        "rope_theta": config.rope_theta,  # where transformers 4 looks
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},  # where 5 does
        "tie_word_embeddings": config.tie_embeddings,
        "attention_bias": False,
        "use_sliding_window": False,
        "dtype": str(dtype).removeprefix("torch."),
    }


def gpt_config(config: Mapping[str, Any], place: Path | str = CONFIG) -> GPTConfig:
    """The labkit configuration for a Qwen3 ``config.json``; raises LabkitError that names a wrong field."""
    values = QWEN3_DEFAULTS | {key: value for key, value in config.items() if value is not None}
    # A null means what the key's absence means, but for these two, which follow from others.
    if config.get("num_key_value_heads", 0) is None:
        values["num_key_value_heads"] = values["num_attention_heads"]
    if config.get("head_dim", 0) is None:
        values["head_dim"] = values["hidden_size"] // values["num_attention_heads"]
    try:
        return GPTConfig(
            vocab_size=values["vocab_size"],
            hidden_size=values["hidden_size"],
            intermediate_size=values["intermediate_size"],
            num_layers=values["num_hidden_layers"],
            num_heads=values["num_attention_heads"],
            num_kv_heads=values["num_key_value_heads"],
            head_dim=values["head_dim"],
            rope_theta=_rope(config).get("rope_theta", config.get("rope_theta", 10_000.0)),
            rms_norm_eps=values["rms_norm_eps"],
            max_positions=values["max_position_embeddings"],
            tie_embeddings=values["tie_word_embeddings"],
            hidden_act=values["hidden_act"],
        )
    except (ValueError, TypeError) as error:
        raise LabkitError(f"{place} does not describe a Qwen3 model: {error}.") from None


def unsupported(config: Mapping[str, Any]) -> list[str]:
    """What a Qwen3 ``config.json`` asks for that labkit's GPT does not have."""
    rope = _rope(config)
    kinds = set(config.get("layer_types") or ["full_attention"])
    sliding = config.get("use_sliding_window") and not config.get("layer_types")
    reasons = {
        "attention_bias": bool(config.get("attention_bias")),
        "sliding window": bool(sliding) or kinds != {"full_attention"},
        "scaled positions": rope.get("rope_type", rope.get("type", "default")) != "default",
        "quantized weights": bool(config.get("quantization_config")),
        "hidden_act": config.get("hidden_act", "silu") not in ACTIVATIONS,
    }
    return [reason for reason, there in reasons.items() if there]


def to_tensors(model: GPT | LSTMLanguageModel, dtype: torch.dtype | None = None) -> dict[str, Tensor]:
    """The weights by name for ``labkit.weights``: tied ones once, in ``dtype`` (None: as they are).

    Raises LabkitError when a weight does not fit into ``dtype`` (float16 ends at 65,504) or is not finite.
    """
    kept = {}
    for name, parameter in model.named_parameters():  # lists a tied weight once, state_dict twice
        kept[name] = parameter.detach().to(dtype or parameter.dtype)
        if not kept[name].isfinite().all():
            raise LabkitError(
                f"{name} has values that are not finite in {kept[name].dtype}. Is the training sound?"
            )
    return kept


def from_tensors(
    config: GPTConfig | LSTMConfig, tensors: Mapping[str, Tensor], dtype: torch.dtype = torch.float32
) -> GPT | LSTMLanguageModel:
    """The model that ``to_tensors`` took apart, for evaluation; raises LabkitError where names or shapes differ."""
    kind = GPT if isinstance(config, GPTConfig) else LSTMLanguageModel
    return _filled(kind, config, tensors, dtype, "The tensors").eval()


def save_model(
    path: Path | str,
    model: GPT | LSTMLanguageModel,
    card: weights.Card,
    dtype: torch.dtype | None = torch.float16,
) -> weights.Card:
    """``labkit.weights.save`` of a model, with its configuration as the last line of the card's notes."""
    kind = next((name for name, (type_, _) in KINDS.items() if type(model) is type_), None)
    if kind is None:
        raise LabkitError(
            f"save_model writes a GPT or an LSTM of labkit, and this is a {type(model).__name__}."
        )
    line = CONFIG_LINE + json.dumps({"kind": kind} | asdict(model.config))
    card = replace(card, notes=f"{card.notes}\n{line}".lstrip("\n"))
    return weights.save(path, to_tensors(model, dtype), card)


def load_model(path: Path | str) -> tuple[GPT | LSTMLanguageModel, weights.Card]:
    """The model that ``save_model`` wrote, for evaluation, in float32, and its card."""
    tensors, card = weights.load(path)
    line = card.notes.rpartition("\n")[2]
    try:
        values = json.loads(line.removeprefix(CONFIG_LINE))
        config = KINDS[values.pop("kind")][1](**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise LabkitError(
            f"The card of {path} names no model in the last line of its notes. Make it with save_model: {card.command}"
        ) from None
    return from_tensors(config, tensors), card


def _filled(
    kind: type, config: Any, tensors: Mapping[str, Tensor], dtype: torch.dtype, source: str
) -> GPT | LSTMLanguageModel:
    """A model with these weights; draws no random numbers and never holds the weights a third time."""
    with torch.device("meta"):
        model = kind(config)
    wanted = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wrong := sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)):
        shown = "; ".join(
            f"{name}: {found.get(name, 'missing')} instead of {wanted.get(name, 'nothing')}"
            for name in wrong[:3]
        )
        raise LabkitError(f"{source} and the configuration differ in {len(wrong)} weights. {shown}.")
    model = model.to(dtype).to_empty(device="cpu")
    if isinstance(model, LSTMLanguageModel):
        model.tie_weights()  # to_empty makes one weight two
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[name])
    if isinstance(model, GPT):
        model.cos, model.sin = (table.to(dtype) for table in rotary_tables(config))
    return model


def _load_gpt(folder: Path, config: GPTConfig, dtype: torch.dtype) -> GPT:
    ignored = {"lm_head.weight"} if config.tie_embeddings else set()
    tensors = {}
    for name, tensor in _read_tensors(folder).items():
        name = name.removeprefix("model.")
        if name not in ignored and not name.endswith("rotary_emb.inv_freq"):  # old files keep this table
            tensors[name] = tensor
    return _filled(GPT, config, tensors, dtype, f"The weights in {folder}")


def _read_tensors(folder: Path) -> dict[str, Tensor]:
    """All tensors of ``model.safetensors``, or of the shards that the index names."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    names = [WEIGHTS]
    if not (folder / WEIGHTS).is_file():
        if not (folder / INDEX).is_file():
            raise LabkitError(f"{folder} holds neither {WEIGHTS} nor {INDEX}: pickled weights are not read.")
        shards = _read_json(folder / INDEX).get("weight_map")
        if not isinstance(shards, dict) or not all(
            isinstance(name, str) and Path(name).name == name for name in shards.values()
        ):
            raise LabkitError(f"{folder / INDEX} does not name the shards in its folder. Fetch it again.")
        names = sorted(set(shards.values()))
    tensors: dict[str, Tensor] = {}
    for name in names:
        try:
            tensors |= load_file(folder / name)
        except FileNotFoundError:
            raise LabkitError(f"{folder} lacks {name}, which its index names. Fetch it again.") from None
        except (SafetensorError, OSError, ValueError) as error:
            raise LabkitError(f"{folder / name} is damaged ({error}). Fetch it again.") from error
    return tensors


def _load_with_transformers(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    from transformers import AutoModelForCausalLM

    try:
        return AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise LabkitError(
            f"transformers cannot load a causal language model from {folder}: {error}"
        ) from error


def _load_tokenizer(folder: Path) -> Tokenizer | None:
    if (folder / TOKENIZER).is_file():
        return load_tokenizer(folder)
    if not any(
        (folder / name).is_file() for name in ("tokenizer_config.json", "vocab.json", "tokenizer.model")
    ):
        return None
    from transformers import AutoTokenizer

    try:
        backend = AutoTokenizer.from_pretrained(folder, local_files_only=True).backend_tokenizer
        return BPETokenizer(backend)
    except (OSError, ValueError, KeyError, ImportError, AttributeError) as error:
        raise LabkitError(f"The tokenizer in {folder} cannot be read: {error}") from error


def _local_folder(name_or_folder: Path | str) -> Path:
    folder = Path(name_or_folder).expanduser()
    if folder.is_dir():
        if not (folder / CONFIG).is_file():
            raise LabkitError(f"{folder} holds no {CONFIG}: it is not a folder of a model.")
        return folder
    name = str(name_or_folder)
    plain = isinstance(name_or_folder, str) and name.count("/") <= 1 and not name.startswith((".", "~", "/"))
    if not plain or "\\" in name or not name.strip() or folder.exists():
        raise LabkitError(f"There is no folder {folder}. Give the folder of a model, or its name on the hub.")
    return _fetched(name)


def _fetched(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=HUB_PATTERNS))
    except HFValidationError:
        raise LabkitError(f"{name!r} is neither a folder nor a name on the hub.") from None
    except GatedRepoError:
        raise LabkitError(f"{name} asks you to accept its terms on the hub first.") from None
    except RepositoryNotFoundError:
        raise LabkitError(f"The hub has no public model {name}. Check the name.") from None
    except Exception as error:  # what a missing network raises changes from version to version
        raise LabkitError(
            f"{name} is not a folder here, and cannot be fetched from the hub ({type(error).__name__}): is there a "
            "network? Offline, give the folder of a model instead, or use labkit's own weights."
        ) from error


def _write_weights(model: GPT, path: Path) -> None:
    from safetensors.torch import save

    names = {
        name: name if name == "lm_head.weight" else f"model.{name}" for name, _ in model.named_parameters()
    }
    tensors = {names[name]: tensor.cpu().contiguous() for name, tensor in to_tensors(model).items()}
    files.atomic_write_bytes(path, save(tensors, metadata={"format": "pt"}))


def _write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    tokenizer.save(folder / TOKENIZER)
    if isinstance(tokenizer, BPETokenizer):
        special = {
            "eos_token": tokenizer.eos_id,
            "pad_token": tokenizer.pad_id,
            "mask_token": tokenizer.mask_id,
        }
        texts = {key: tokenizer.token_text(token) for key, token in special.items() if token is not None}
        kind = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
        _write_json(folder / "tokenizer_config.json", kind | texts)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    files.atomic_write_text(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LabkitError(f"{path} cannot be read: {error}. Fetch it again.") from error
    if not isinstance(content, dict):
        raise LabkitError(f"{path} holds a {type(content).__name__} instead of an object. Fetch it again.")
    return content


def _rope(config: Mapping[str, Any]) -> Mapping[str, Any]:
    return config.get("rope_parameters") or config.get("rope_scaling") or {}
