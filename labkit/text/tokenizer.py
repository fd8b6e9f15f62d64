"""Text to token ids and back, without loss: characters, and byte-level BPE.

Text that looks like a special token ("<|endoftext|>", typed by a user) is ordinary text and becomes ordinary
tokens, unless ``allow_special=True``: otherwise anyone could end a document or speak as somebody else.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from labkit import files
from labkit.common import LabkitError

if TYPE_CHECKING:
    import tokenizers

SPECIAL = ("<|endoftext|>", "<|pad|>", "<|mask|>", "<|im_start|>", "<|im_end|>")

# Where BPE may not merge across, as in Qwen (and, but for single digits, GPT-4): contractions; letters with one
# sign or blank before them; single digits, so that numbers are spelled and can be copied; other signs; blanks.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHUNK_CHARACTERS = 1 << 16
CHARACTER_FORMAT = "labkit-characters"
NUM_BYTES = 256
NUM_CODE_POINTS = 0x110000

# What other tokenizers call the same thing, in the order of preference.
END_NAMES = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<|im_end|>")
PAD_NAMES = ("<|pad|>", "<pad>", "[PAD]")
MASK_NAMES = ("<|mask|>", "<mask>", "[MASK]")


class Tokenizer(Protocol):
    """What every tokenizer here can do. ``eos_id``, ``pad_id`` and ``mask_id`` are None where it has none."""

    vocab_size: int
    eos_id: int | None
    pad_id: int | None
    mask_id: int | None
    fingerprint: str

    def encode(self, text: str, allow_special: bool = False) -> list[int]: ...

    def encode_chunks(self, text: str) -> Iterator[np.ndarray]: ...

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str: ...

    def token_text(self, token: int) -> str: ...

    def token_bytes(self, token: int) -> bytes: ...

    def save(self, path: Path | str) -> None: ...


class CharTokenizer:
    """One token a character.

    With ``byte_fallback`` the ids are the special tokens, then the 256 bytes, then the characters in the order
    of their code points; a character that is not among them becomes the bytes of its UTF-8. Without it there
    are the characters alone, as in nanoGPT's ``shakespeare_char``, and any other character is refused.
    """

    def __init__(
        self,
        characters: Iterable[str],
        byte_fallback: bool = True,
        special_tokens: Sequence[str] | None = None,
    ):
        if special_tokens is None:
            special_tokens = SPECIAL if byte_fallback else ()
        self.characters = "".join(sorted(set(characters)))
        self.byte_fallback = byte_fallback
        self.special_tokens = _checked_special(special_tokens)
        _check_text(self.characters)
        if not self.characters and not byte_fallback:
            raise LabkitError("CharTokenizer got no characters. Give it some text.")
        self._first_byte = len(self.special_tokens)
        self._first_character = self._first_byte + (NUM_BYTES if byte_fallback else 0)
        self.vocab_size = self._first_character + len(self.characters)
        self.eos_id, self.pad_id, self.mask_id = (
            self.special_tokens.index(name) if name in self.special_tokens else None for name in SPECIAL[:3]
        )
        self._bytes = [name.encode() for name in self.special_tokens]
        self._bytes += [bytes([value]) for value in range(NUM_BYTES)] if byte_fallback else []
        self._bytes += [character.encode() for character in self.characters]
        self._ids = np.full(NUM_CODE_POINTS, -1, dtype=np.int32)  # code point -> id
        self._ids[_code_points(self.characters)] = np.arange(self._first_character, self.vocab_size)

    @classmethod
    def from_text(
        cls,
        text: str | Iterable[str],
        byte_fallback: bool = True,
        special_tokens: Sequence[str] | None = None,
    ) -> CharTokenizer:
        """The tokenizer whose characters are those of ``text`` (a text, or several)."""
        texts = [text] if isinstance(text, str) else text
        return cls(set().union(*map(set, texts)), byte_fallback, special_tokens)

    def encode(self, text: str, allow_special: bool = False) -> list[int]:
        """The ids of ``text``. With ``allow_special`` special tokens written in it become their ids.

        Raises LabkitError for a character without an id when there is no byte fallback.
        """
        if allow_special and self.special_tokens:
            ids: list[int] = []
            for piece in re.split(f"({'|'.join(map(re.escape, self.special_tokens))})", text):
                known = piece in self.special_tokens
                ids += [self.special_tokens.index(piece)] if known else self._encode(piece).tolist()
            return ids
        return self._encode(text).tolist()

    def encode_chunks(self, text: str) -> Iterator[np.ndarray]:
        """The ids of ``text`` in order, as int64 arrays of bounded size."""
        for start in range(0, len(text), CHUNK_CHARACTERS):
            yield self._encode(text[start : start + CHUNK_CHARACTERS])

    def _encode(self, text: str) -> np.ndarray:
        _check_text(text)
        ids = self._ids[_code_points(text)].astype(np.int64)
        unknown = np.flatnonzero(ids < 0)
        if not len(unknown):
            return ids
        if not self.byte_fallback:
            place = int(unknown[0])
            raise LabkitError(
                f"The character {text[place]!r} (U+{ord(text[place]):04X}, at {place}) is not among the "
                f"{len(self.characters)} of this tokenizer. Build it with byte_fallback=True, or from a text "
                "that has it."
            )
        pieces, end = [], 0
        for place in unknown.tolist():
            pieces += [ids[end:place], self._first_byte + np.frombuffer(text[place].encode(), dtype=np.uint8)]
            end = place + 1
        return np.concatenate([*pieces, ids[end:]]).astype(np.int64)

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """The text of ``ids``; bytes that are no UTF-8 (a character cut in the middle) become U+FFFD."""
        kept = _checked(ids, self.vocab_size)
        if skip_special:
            kept = [token for token in kept if token >= self._first_byte]
        return b"".join([self._bytes[token] for token in kept]).decode("utf-8", errors="replace")

    def token_bytes(self, token: int) -> bytes:
        """The UTF-8 bytes that a token stands for; a special token's are those of its name."""
        return self._bytes[_checked([token], self.vocab_size)[0]]

    def token_text(self, token: int) -> str:
        r"""A token as text, for display; bytes that are no whole character are written as \\xe4."""
        return self.token_bytes(token).decode("utf-8", errors="backslashreplace")

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over what the ids mean."""
        return _fingerprint([self.special_tokens, self.byte_fallback, self.characters])

    def save(self, path: Path | str) -> None:
        """Write the tokenizer as JSON to the file ``path`` (or to ``tokenizer.json`` in the folder ``path``)."""
        content = {
            "format": CHARACTER_FORMAT,
            "byte_fallback": self.byte_fallback,
            "special_tokens": self.special_tokens,
            "characters": self.characters,
        }
        files.atomic_write_text(_save_place(path), json.dumps(content))

    @classmethod
    def load(cls, path: Path | str) -> CharTokenizer:
        """The tokenizer that ``save`` wrote."""
        place, content = _read(path)
        return cls._from_content(place, content)

    @classmethod
    def _from_content(cls, place: Path, content: dict[str, Any]) -> CharTokenizer:
        if content.get("format") != CHARACTER_FORMAT:
            raise LabkitError(f"{place} holds no character tokenizer. Use load_tokenizer for any kind.")
        try:
            return cls(content["characters"], content["byte_fallback"], content["special_tokens"])
        except (KeyError, TypeError) as error:
            raise LabkitError(f"{place} is damaged ({error!r}). Save the tokenizer again.") from None

    def __len__(self) -> int:
        return self.vocab_size

    def __repr__(self) -> str:
        fallback = "with" if self.byte_fallback else "without"
        return f"CharTokenizer({len(self.characters)} characters, {fallback} byte fallback)"


class BPETokenizer:
    """Byte-level byte-pair encoding: the most frequent pairs of neighbours, merged one after another.

    Sennrich et al. 2016 (https://arxiv.org/abs/1508.07909, algorithm 1) over bytes as in GPT-2 (Radford et al.
    2019, section 2.2), so that any text has tokens and comes back exactly. Wraps a tokenizer of the ``tokenizers`` library, and reads
    that of any model (``tokenizer.json``); where such a file normalizes text, only the normalized text comes back.
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer, names: dict[str, str] | None = None):
        """``names`` may say what ``eos_token``, ``pad_token`` and ``mask_token`` are called."""
        tokenizer.no_truncation()  # a model's file may cut texts short, or fill them up
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.vocab_size: int = tokenizer.get_vocab_size(with_added_tokens=True)
        names = names or {}
        self.eos_id = self._find(names.get("eos_token"), END_NAMES)
        self.pad_id = self._find(names.get("pad_token"), PAD_NAMES)
        self.mask_id = self._find(names.get("mask_token"), MASK_NAMES)
        added = tokenizer.get_added_tokens_decoder()
        self._added = {token: entry.content for token, entry in added.items()}
        self.special_tokens = tuple(added[token].content for token in sorted(added) if added[token].special)
        description = json.loads(tokenizer.to_str())
        self._byte_level = '"ByteLevel"' in json.dumps(description.get("decoder"))
        # After a line end between a sign and a letter, this rule and GPT-2's always cut: there a long text may
        # be taken apart without changing a single token.
        rules = json.dumps(description.get("pre_tokenizer"))
        plain = self._byte_level and description.get("normalizer") is None
        own = json.dumps(PATTERN) in rules
        self._cuts_at_lines = (
            plain and (own or '"use_regex": true' in rules) and '"add_prefix_space": true' not in rules
        )

    @classmethod
    def train(
        cls,
        texts: str | Iterable[str],
        vocab_size: int,
        special_tokens: Sequence[str] = SPECIAL,
        *,
        min_frequency: int = 2,
        pattern: str = PATTERN,
    ) -> BPETokenizer:
        """Learn merges from ``texts``; equal texts in equal order give an equal tokenizer.

        Ids: the special tokens, the 256 bytes, then the merges in the order in which they were learned. Pairs
        seen less than ``min_frequency`` times are not merged, so a small corpus gives fewer than ``vocab_size``
        tokens: ``tokenizer.vocab_size`` tells.
        """
        special_tokens = _checked_special(special_tokens)
        smallest = NUM_BYTES + len(special_tokens)
        if isinstance(vocab_size, bool) or not isinstance(vocab_size, int) or vocab_size < smallest:
            raise LabkitError(
                f"vocab_size is {vocab_size!r}. Give a whole number from {smallest}: {NUM_BYTES} bytes and "
                f"{len(special_tokens)} special tokens come first."
            )
        library = _library()
        tokenizer = library.Tokenizer(library.models.BPE())
        rules = library.pre_tokenizers
        tokenizer.pre_tokenizer = rules.Sequence(
            [
                rules.Split(library.Regex(pattern), behavior="isolated"),
                rules.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.decoder = library.decoders.ByteLevel()
        trainer = library.trainers.BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            special_tokens=list(special_tokens),
            initial_alphabet=rules.ByteLevel.alphabet(),
            show_progress=False,
        )
        seen = 0

        def checked() -> Iterator[str]:
            nonlocal seen
            for text in [texts] if isinstance(texts, str) else texts:
                _check_text(text)
                seen += len(text)
                yield text

        tokenizer.train_from_iterator(checked(), trainer)
        if not seen:
            raise LabkitError("BPETokenizer.train got no text. Give it at least one text that is not empty.")
        return cls(tokenizer)

    def encode(self, text: str, allow_special: bool = False) -> list[int]:
        """The ids of ``text``. With ``allow_special`` special tokens written in it become their ids."""
        try:
            # Set anew each time: it belongs to the tokenizer, not to the call.
            self._tokenizer.encode_special_tokens = not allow_special
            return self._tokenizer.encode(text, add_special_tokens=False).ids
        except (TypeError, UnicodeEncodeError):
            _check_text(text)
            raise

    def encode_chunks(self, text: str) -> Iterator[np.ndarray]:
        """The ids of ``text`` in order, as int64 arrays; a long text is taken apart where no token can lie."""
        for piece in _pieces_at_lines(text) if self._cuts_at_lines else [text]:
            yield np.array(self.encode(piece), dtype=np.int64)

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """The text of ``ids``; bytes that are no UTF-8 (a character cut in the middle) become U+FFFD."""
        return self._tokenizer.decode(_checked(ids, self.vocab_size), skip_special_tokens=skip_special)

    def token_bytes(self, token: int) -> bytes:
        """The UTF-8 bytes that a token stands for; a special token's are those of its name."""
        token = _checked([token], self.vocab_size)[0]
        if token in self._added:
            return self._added[token].encode()
        name = self._tokenizer.id_to_token(token)
        if name is None:
            raise LabkitError(f"This tokenizer has no token {token}: there is a gap in its ids.")
        if not self._byte_level:
            return name.encode()
        values = _byte_values()
        return bytes([values[character] for character in name])

    def token_text(self, token: int) -> str:
        r"""A token as text, for display; bytes that are no whole character are written as \\xe4."""
        return self.token_bytes(token).decode("utf-8", errors="backslashreplace")

    @cached_property
    def merges(self) -> list[tuple[bytes, bytes]]:
        """The pairs that are merged, in the order in which they were learned. Byte-level BPE only."""
        model = json.loads(self._tokenizer.to_str())["model"]
        if not self._byte_level or "merges" not in model:
            raise LabkitError("This tokenizer is no byte-level BPE: it has no merges of bytes.")
        values = _byte_values()
        pairs = (pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"])
        return [tuple(bytes([values[c] for c in side]) for side in pair) for pair in pairs]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over what the ids mean: vocabulary, merges and added tokens."""
        model = json.loads(self._tokenizer.to_str())["model"]
        merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model.get("merges", [])]
        vocabulary = sorted(
            self._tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1]
        )
        return _fingerprint([vocabulary, merges, sorted(self._added.items())])

    def save(self, path: Path | str) -> None:
        """Write ``tokenizer.json``, which ``transformers.PreTrainedTokenizerFast(tokenizer_file=...)`` reads, to
        the file ``path`` (or into the folder ``path``)."""
        files.atomic_write_text(_save_place(path), self._tokenizer.to_str(pretty=True) + "\n")

    @classmethod
    def load(cls, path: Path | str) -> BPETokenizer:
        """The tokenizer of any ``tokenizer.json``, or of the folder that holds one.

        A ``tokenizer_config.json`` beside it is asked what the end, padding and mask tokens are called.
        """
        place, content = _read(path)
        return cls._from_content(place, content)

    @classmethod
    def _from_content(cls, place: Path, content: dict[str, Any]) -> BPETokenizer:
        if content.get("format") == CHARACTER_FORMAT:
            raise LabkitError(
                f"{place} holds a character tokenizer. Use CharTokenizer.load or load_tokenizer."
            )
        try:
            tokenizer = _library().Tokenizer.from_str(place.read_text(encoding="utf-8"))
        except Exception as error:  # the library raises a bare Exception
            raise LabkitError(f"{place} is not a tokenizer.json that can be read ({error}).") from None
        return cls(tokenizer, _configured_names(place))

    def _find(self, name: str | None, others: Sequence[str]) -> int | None:
        found = (self._tokenizer.token_to_id(candidate) for candidate in (name, *others) if candidate)
        return next((token for token in found if token is not None), None)

    def __len__(self) -> int:
        return self.vocab_size

    def __repr__(self) -> str:
        return f"BPETokenizer({self.vocab_size} tokens, {len(self.special_tokens)} of them special)"


def load_tokenizer(path: Path | str) -> CharTokenizer | BPETokenizer:
    """The tokenizer in the file ``path``, or in ``tokenizer.json`` of the folder ``path``, of either kind."""
    place, content = _read(path)
    kind = CharTokenizer if content.get("format") == CHARACTER_FORMAT else BPETokenizer
    return kind._from_content(place, content)


def _library():
    # labkit computes on one thread, and a tokenizer that used several warns whenever a process forks later.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import tokenizers

    return tokenizers


def _byte_values() -> dict[str, int]:
    """GPT-2's printable stand-in of every byte -> the byte (the table in ``openai/gpt-2``, encoder.py)."""
    if not _BYTE_VALUES:
        printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
        others = [value for value in range(NUM_BYTES) if value not in printable]
        _BYTE_VALUES.update({chr(value): value for value in printable})
        _BYTE_VALUES.update({chr(NUM_BYTES + place): value for place, value in enumerate(others)})
    return _BYTE_VALUES


_BYTE_VALUES: dict[str, int] = {}


def _pieces_at_lines(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > CHUNK_CHARACTERS:
        cut = _LINE_START.search(text, start + CHUNK_CHARACTERS)
        if cut is None:
            break
        yield text[start : cut.end()]
        start = cut.end()
    yield text[start:]


_LINE_START = re.compile(r"(?<=\S)\n(?=[A-Za-z0-9\u4e00-\u9fff])")


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise LabkitError(f"A text must be a string, not {type(text).__name__}.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise LabkitError(
            f"The text holds half a character (the surrogate U+{ord(text[error.start]):04X} at {error.start}), "
            "which no encoding can store. Read its file with the right encoding."
        ) from None


def _checked_special(special_tokens: Sequence[str]) -> tuple[str, ...]:
    if isinstance(special_tokens, str) or not all(isinstance(t, str) and t for t in special_tokens):
        raise LabkitError(f"special_tokens is {special_tokens!r}. Give a list of names.")
    if len(set(special_tokens)) < len(special_tokens):
        raise LabkitError(f"special_tokens names a token twice: {', '.join(special_tokens)}.")
    return tuple(special_tokens)


def _checked(ids: Iterable[int], vocab_size: int) -> list[int]:
    """The ids as Python integers (from a list, an array or a tensor), each of which has a token."""
    values = ids.tolist() if hasattr(ids, "tolist") else [int(token) for token in ids]
    if values and not (min(values) >= 0 and max(values) < vocab_size):
        wrong = next(token for token in values if not 0 <= token < vocab_size)
        raise LabkitError(f"There is no token {wrong}: this tokenizer has the ids 0 to {vocab_size - 1}.")
    return values


def _fingerprint(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def _save_place(path: Path | str) -> Path:
    path = Path(path)
    return path / "tokenizer.json" if path.is_dir() else path


def _read(path: Path | str) -> tuple[Path, dict[str, Any]]:
    place = _save_place(path)
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabkitError(f"There is no tokenizer at {place}.") from None
    except (ValueError, OSError) as error:
        raise LabkitError(f"{place} cannot be read as a tokenizer ({error}).") from None
    if not isinstance(content, dict):
        raise LabkitError(f"{place} holds no tokenizer.")
    return place, content


def _configured_names(place: Path) -> dict[str, str]:
    config = place.with_name("tokenizer_config.json")
    if place.name != "tokenizer.json" or not config.is_file():
        return {}
    try:
        entries = json.loads(config.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise LabkitError(f"{config} cannot be read ({error}).") from None
    names = {}
    for key in ("eos_token", "pad_token", "mask_token"):
        entry = entries.get(key)
        names[key] = entry.get("content") if isinstance(entry, dict) else entry  # a name, or an AddedToken
    return {key: name for key, name in names.items() if name}
