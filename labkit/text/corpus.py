"""Anyone's text as a list of documents; documents as token files; token files as packed batches."""

from __future__ import annotations

import codecs
import csv
import difflib
import hashlib
import io
import json
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from labkit import data, files
from labkit.common import LabkitError

if TYPE_CHECKING:
    from torch import Tensor

    from labkit.text.tokenizer import Tokenizer

# ---------------------------------------------------------------------------------------------------------------
# Reading

TEXT_COLUMNS = ("text", "content", "body", "document", "sentence", "文本", "内容", "正文")
DELIMITERS = (",", ";", "\t", "|")
JSON_LINES_SUFFIXES = (".jsonl", ".ndjson")
CSV_SUFFIXES = (".csv", ".tsv")

BYTE_ORDER_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SIGNATURES = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive or an Office document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x1f\x8b", "a gzip archive"),
)
TRIED = ("UTF-8", "UTF-16", "UTF-32 (with its mark)", "GB18030")
# The hundred or so most frequent hanzi: about a third of any Chinese text, hardly any of Korean read as Chinese.
FREQUENT = frozenset(
    "的一是了不在有人我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能"
    "好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长"
)
LEAST_FREQUENT = 0.05
ENOUGH_HANZI = 12  # to judge by their frequency
SAMPLE_CHARACTERS = 1 << 16
LEAST_PLAUSIBLE = 0.8  # share of characters that must be usual for a guessed encoding to be believed
MOST_CONTROLS = 0.01  # share of control characters in a text
SHOWN = 3  # of a list of skipped texts, in a message


class Skipped(NamedTuple):
    """A file, line or row that was not read."""

    source: str
    reason: str


class Texts(list[str]):
    """Documents, with ``sources`` (where each is from) beside them, and ``skipped``: what was left out, and why."""

    def __init__(
        self, texts: Iterable[str] = (), sources: Iterable[str] = (), skipped: Iterable[Skipped] = ()
    ):
        super().__init__(texts)
        self.sources = list(sources)
        self.skipped = list(skipped)


class CorpusWarning(UserWarning):
    """Part of the texts that were asked for was left out."""


class _Unfit(LabkitError):
    """A file that holds no text to use: alone it is an error, in a folder it is skipped and reported."""


def read_texts(
    path: Path | str,
    *,
    column: str | None = None,
    encoding: str | None = None,
    min_characters: int = 1,
) -> Texts:
    """The documents of a file or folder, as a list of strings.

    A text file is one document; a row of a CSV or TSV file (whose first row names the columns), and a line of
    a JSONL file (a string, or an object), is one; a folder is read with its subfolders in sorted order.
    ``column`` names the text's column or key; without it one that is called "text" or the like is taken. The
    encoding is found out (``detect_encoding``) unless it is given. Line ends become ``\\n``, otherwise a text
    is what stands in the file. Texts with fewer than ``min_characters`` characters, blanks around them not
    counted, are left out. What was left out is in ``.skipped``, and a ``CorpusWarning`` says so.

    Raises LabkitError when nothing is there, a single file is empty, binary, too short or in an unknown
    encoding, a column does not exist, and for a JSONL or CSV line that is broken (with its number).
    """
    path = Path(path).expanduser()
    if isinstance(min_characters, bool) or not isinstance(min_characters, int) or min_characters < 1:
        raise LabkitError(f"min_characters is {min_characters!r}. Give a whole number from 1.")
    if encoding is not None:
        _check_encoding(encoding)
    if path.is_dir():
        texts = _read_folder(path, column, encoding, min_characters)
    elif path.exists():
        texts = _read_file(path, path.name, column, encoding, min_characters)
    else:
        raise LabkitError(f"There is no file or folder {path}.{_similar(path)}")
    if texts.skipped:
        warnings.warn(
            f"{path}: {len(texts)} texts were read and {len(texts.skipped)} skipped: "
            f"{_list_skipped(texts.skipped)}. All of them: read_texts(...).skipped.",
            CorpusWarning,
            stacklevel=2,
        )
    return texts


def load_corpus(
    name_or_path: Path | str, *, size_bytes: int = 1_000_000, split: str = "train", seed: int = 0
) -> list[str]:
    """The documents of a corpus by name, or of the learner's own file or folder.

    ``tinyshakespeare`` is one document of 1,115,394 characters. ``town:en`` and ``town:zh`` are documents of
    the generated town, of which ``size_bytes``, ``split`` and ``seed`` say how many and which.
    """
    name = str(name_or_path)
    if name.startswith("town:"):
        return _town(name.removeprefix("town:"), size_bytes, split, seed)
    if name == "tinyshakespeare":
        plays = data.load(name)
        return [plays.train + plays.validation]
    if Path(name).expanduser().exists():
        return read_texts(name)
    others = [entry.name for entry in data.catalog()]
    if name in others:
        raise LabkitError(f"{name} is no text corpus: labkit.data.load({name!r}) gives it.")
    raise LabkitError(
        f"There is no corpus, file or folder {name!r}. Corpora by name: tinyshakespeare, town:en, town:zh."
    )


def detect_encoding(content: bytes) -> str:
    """The Python name of the encoding of a text file's bytes.

    In this order: a byte order mark; zero bytes, which only UTF-16 text has; strict UTF-8; then GB18030 and
    UTF-16, if the text that they give is plausible: hanzi from the 3,755 common ones of GB 2312's first
    level with the most frequent of them, letters of alphabets, usual punctuation. Raises LabkitError for binary content, and
    where nothing fits, naming what was tried.
    """
    return _detect(content, "The content")


def _read_folder(folder: Path, column: str | None, encoding: str | None, min_characters: int) -> Texts:
    texts = Texts()
    for path, reason in _walk(folder):
        source = path.relative_to(folder).as_posix()
        if reason is not None:
            texts.skipped.append(Skipped(source, reason))
            continue
        try:
            part = _read_file(path, source, column, encoding, min_characters)
        except _Unfit as error:
            texts.skipped.append(Skipped(source, str(error)))
            continue
        texts += part
        texts.sources += part.sources
        texts.skipped += part.skipped
    if not texts:
        why = f" Skipped: {_list_skipped(texts.skipped)}." if texts.skipped else " It is empty."
        raise LabkitError(f"There is no text in the folder {folder}.{why}")
    return texts


def _walk(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Every file under a folder in sorted order; what is not looked into comes with the reason."""
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        yield folder, f"cannot be opened ({error.strerror})"
        return
    for entry in entries:
        if entry.name.startswith("."):
            yield entry, "hidden"
        elif entry.is_dir():
            if entry.is_symlink():  # it may lead back up
                yield entry, "a link to a folder"
            else:
                yield from _walk(entry)
        elif entry.is_file():
            yield entry, None
        else:
            yield entry, "not a file"


def _read_file(
    path: Path, source: str, column: str | None, encoding: str | None, min_characters: int
) -> Texts:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _Unfit(f"{source} cannot be opened: {error.strerror or error}.") from None
    if not content:
        raise _Unfit(f"{source} is empty.")
    text = _decode(content, source, encoding)
    suffix = path.suffix.lower()
    if suffix in JSON_LINES_SUFFIXES:
        rows = _json_rows(text, source, column)
    elif suffix in CSV_SUFFIXES:
        rows = _csv_rows(text, source, column)
    else:
        if column is not None and suffix == ".json":
            raise _Unfit(f"{source} is one JSON value. Save it as JSONL (one object a line), named .jsonl.")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if len(text.strip()) < min_characters:
            raise _Unfit(
                f"{source} is too short: {len(text.strip())} characters, and at least {min_characters} are asked for."
            )
        return Texts([text], [source])
    texts = Texts()
    for number, value in rows:
        place = f"{source}:{number}"
        if value is None:
            texts.skipped.append(Skipped(place, "has no text"))
        elif len(value.strip()) < min_characters:
            texts.skipped.append(Skipped(place, f"has {len(value.strip())} characters"))
        else:
            texts.append(value.replace("\r\n", "\n").replace("\r", "\n"))
            texts.sources.append(place)
    if not texts:
        raise _Unfit(
            f"{source} has no row with a text of at least {min_characters} characters "
            f"({len(texts.skipped)} rows skipped)."
        )
    return texts


def _json_rows(text: str, source: str, column: str | None) -> Iterator[tuple[int, str | None]]:
    """(line number, text) of a JSONL file; None where a line has no text."""
    # Not splitlines(): JSON strings may hold U+2028 and the like unescaped.
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    rows = []
    for number, line in lines:
        try:
            rows.append((number, json.loads(line)))
        except (ValueError, RecursionError) as error:
            raise LabkitError(
                f"{source}, line {number}, is not JSON: {error}. JSONL has one value a line."
            ) from None
    objects = [row for _, row in rows if isinstance(row, dict)]
    keys = list(dict.fromkeys(key for row in objects for key in row))
    if objects:
        usable = [key for key in keys if any(isinstance(row.get(key), str) for row in objects)]
        column = _choose_column(column, keys, usable, source)
    for number, row in rows:
        value = row.get(column) if isinstance(row, dict) else row
        if value is not None and not isinstance(value, str):
            what = f"{column!r}" if isinstance(row, dict) else "the value"
            raise LabkitError(f"{source}, line {number}: {what} is {type(value).__name__}, not a text.")
        yield number, value


def _csv_rows(text: str, source: str, column: str | None) -> Iterator[tuple[int, str | None]]:
    """(line number, text) of a CSV file; None where a row has no text."""
    with _long_fields():
        # newline="": the csv module itself must see the line ends inside of quotes.
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
        place, width, start = None, 0, 1
        try:
            for row in reader:
                number, start = start, reader.line_num + 1  # a quoted field may span lines
                if not row:
                    continue
                if place is None:
                    names = [name.strip() for name in row]
                    place, width = names.index(_choose_column(column, names, names, source)), len(names)
                elif len(row) != width:
                    raise LabkitError(
                        f"{source}, line {number}, has {len(row)} fields, and the first row {width}. Put a text "
                        "that holds the delimiter into double quotes."
                    )
                else:
                    yield number, row[place] or None
        except csv.Error as error:
            raise LabkitError(
                f"{source}, line {reader.line_num}, is broken: {error}. A double quote inside of a quoted text "
                "is written twice."
            ) from None


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module refuses fields of more than 131,072 characters unless told otherwise, for all readers."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _delimiter(text: str) -> str:
    """The delimiter under which the first rows have the same number of fields, and the most of them."""

    def rows_and_fields(delimiter: str) -> tuple[float, int]:
        sample = io.StringIO(text[:SAMPLE_CHARACTERS], newline="")
        widths = []
        try:
            for row in csv.reader(sample, delimiter=delimiter):
                if row:
                    widths.append(len(row))
        except csv.Error:
            pass
        if len(text) > SAMPLE_CHARACTERS and len(widths) > 1:
            widths.pop()  # cut off in the middle
        if not widths or widths[0] < 2:
            return 0.0, 0
        return sum(width == widths[0] for width in widths) / len(widths), widths[0]

    best = max(DELIMITERS, key=rows_and_fields)
    return best if rows_and_fields(best)[1] else "\x1f"  # one column: nothing divides a row


def _choose_column(column: str | None, names: Sequence[str], usable: Sequence[str], source: str) -> str:
    listed = ", ".join(repr(name) for name in names) or "none"
    if column is not None:
        if column in names:
            return column
        close = difflib.get_close_matches(str(column), names, n=1)
        guess = f" Did you mean {close[0]!r}?" if close else ""
        raise LabkitError(f"{source} has no column {column!r}. Its columns: {listed}.{guess}")
    for name in TEXT_COLUMNS:
        if name in usable:
            return name
    raise LabkitError(
        f"{source} has no column called 'text'. Say which one holds the texts, as in "
        f"column={(usable or ['text'])[0]!r}. Its columns: {listed}."
    )


def _decode(content: bytes, source: str, encoding: str | None) -> str:
    name = encoding or _detect(content, source)
    try:
        text = content.decode(name)
    except UnicodeDecodeError as error:
        raise _Unfit(
            f"{source} is not {name}: {error.reason} at byte {error.start}. Save it as UTF-8, or name its "
            "encoding, as in encoding='cp1252'."
        ) from None
    return text.removeprefix("\ufeff")


def _check_encoding(encoding: str) -> None:
    try:
        b"a".decode(encoding, "ignore")
    except LookupError:
        raise LabkitError(
            f"There is no encoding {encoding!r}. Usual ones: utf-8, utf-16, gb18030, big5, cp1252, shift_jis."
        ) from None


def _detect(content: bytes, source: str) -> str:
    for mark, name in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return name
    for signature, kind in SIGNATURES:
        if content.startswith(signature):
            raise _Unfit(f"{source} is {kind}, not a text. Export it as plain text first.")
    zeros = b"\0" in content
    if not zeros:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            sample = text[:SAMPLE_CHARACTERS]
            if sum(map(_is_control, sample)) > MOST_CONTROLS * len(sample):
                raise _Unfit(f"{source} is binary, not a text: it is full of control characters.")
            return "utf-8"
    candidates = ["utf-16-le", "utf-16-be"] if zeros else ["gb18030", "utf-16-le", "utf-16-be"]
    scores = {name: _plausible(content, name) for name in candidates}
    best = max(candidates, key=scores.__getitem__)
    if scores[best] >= LEAST_PLAUSIBLE:
        return best
    if zeros:
        raise _Unfit(f"{source} is binary, not a text: it holds zero bytes and is not UTF-16.")
    raise _Unfit(
        f"{source} is in no encoding that can be told for sure; tried were {', '.join(TRIED)}. Save it as UTF-8, "
        "or name its encoding, as in encoding='cp1252' (or 'big5', 'shift_jis', 'gb18030')."
    )


def _plausible(content: bytes, encoding: str) -> float:
    """How usual the characters are that the bytes give in this encoding, in [0, 1]; 0 where it cannot be."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    sample = text[:SAMPLE_CHARACTERS]
    if sum(map(_is_control, sample)) > MOST_CONTROLS * len(sample):
        return 0.0
    # ASCII is right in any of these encodings and tells little: only the rest says whether GB18030 is right.
    if encoding == "gb18030":
        sample = "".join(character for character in sample if character > "\x7f")
        hanzi = [character for character in sample if "\u4e00" <= character <= "\u9fff"]
        if len(hanzi) >= ENOUGH_HANZI and sum(c in FREQUENT for c in hanzi) < LEAST_FREQUENT * len(hanzi):
            return 0.0
    return sum(map(_usual, sample)) / len(sample) if sample else 0.0


def _is_control(character: str) -> bool:
    return (character < " " and character not in "\t\n\r\f\x1a") or "\x7f" <= character < "\xa0"


def _usual(character: str) -> float:
    """1 for what most texts consist of, less for what is rarer, 0 for what hardly any text holds."""
    if character < "\x7f" or "\u00a0" <= character < "\u0530":  # Latin, Greek, Cyrillic
        return 1.0
    if "\u4e00" <= character <= "\u9fff":
        try:
            lead = character.encode("gb2312")[0]
        except UnicodeEncodeError:
            return 0.0
        return 1.0 if lead <= 0xD7 else 0.3  # the first level ends at D7
    if "\u3000" <= character <= "\u30ff" or "\uff00" <= character <= "\uff5e" or character in "—‘’“”…·":
        return 1.0  # CJK punctuation, kana, full-width signs
    if unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs"):
        return 0.0
    if "\uac00" <= character <= "\ud7a3" or character < "\u2000":
        return 0.8  # Hangul, other alphabets
    return 0.5 if character < "\u3000" or character > "\uffff" else 0.0


def _similar(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f" Nor is there a folder {path.parent}." if not path.parent.exists() else ""
    close = difflib.get_close_matches(path.name, names, n=1)
    return f" Did you mean {close[0]}?" if close else f" Paths start at {Path.cwd()}."


def _list_skipped(skipped: Sequence[Skipped]) -> str:
    shown = "; ".join(
        s.reason.rstrip(".") if s.reason.startswith(s.source) else f"{s.source} {s.reason}"
        for s in skipped[:SHOWN]
    )
    return shown + (f"; and {len(skipped) - SHOWN} more" if len(skipped) > SHOWN else "")


def _town(language: str, size_bytes: int, split: str, seed: int) -> list[str]:
    if language not in ("en", "zh"):
        raise LabkitError(f"There is no town:{language}. The town is told in town:en and town:zh.")
    from labkit.text import town

    return [
        document.full for document in town.documents(language, split=split, seed=seed, size_bytes=size_bytes)
    ]


# ---------------------------------------------------------------------------------------------------------------
# Token files

HEADER_FORMAT = "labkit-tokens-1"
WRITE_TOKENS = 1 << 18  # ids kept in memory before they are written


@dataclass(frozen=True)
class TokenFile:
    """A file of token ids without any header, and what its JSON header beside it (``.json``) says."""

    path: Path
    num_tokens: int
    num_documents: int
    num_characters: int  # of the documents, for bits per character
    dtype: str  # "<u2" or "<u4"
    vocab_size: int
    eos_id: int | None
    tokenizer: str  # fingerprint
    sha256: str

    def open(self) -> np.memmap:
        """The ids, mapped into memory: nothing is read before it is used."""
        return open_tokens(self.path)


def write_tokens(path: Path | str, documents: str | Iterable[str], tokenizer: Tokenizer) -> TokenFile:
    """Write the ids of ``documents``, with the end token between one document and the next, to ``path``.

    Two bytes a token (``uint16``) where the vocabulary allows, else four, little-endian; the header lies beside
    it as ``path`` + ``.json``. Documents are taken one at a time, so that a generator of any length fits into
    memory. The files appear whole or not at all.

    Raises LabkitError when there is no document, one is empty, or there are several and no end token.
    """
    path = Path(path)
    wide = tokenizer.vocab_size > 1 << 16
    digest, counts = hashlib.sha256(), {"num_tokens": 0, "num_documents": 0, "num_characters": 0}
    with files.atomic_path(path) as temporary:
        with temporary.open("wb") as stream:
            for part in _token_parts(documents, tokenizer, counts):
                content = part.astype("<u4" if wide else "<u2").tobytes()
                digest.update(content)
                stream.write(content)
                counts["num_tokens"] += len(part)
        # A kill between the two files then leaves tokens without a header, and not with that of others.
        _header_path(path).unlink(missing_ok=True)
    written = TokenFile(
        path=path,
        **counts,
        dtype="<u4" if wide else "<u2",
        vocab_size=tokenizer.vocab_size,
        eos_id=tokenizer.eos_id,
        tokenizer=tokenizer.fingerprint,
        sha256=digest.hexdigest(),
    )
    header = {"format": HEADER_FORMAT, **{k: v for k, v in asdict(written).items() if k != "path"}}
    files.atomic_write_text(_header_path(path), json.dumps(header, indent=1) + "\n")
    return written


def join_documents(texts: Iterable[str], tokenizer: Tokenizer) -> np.ndarray:
    """Ids (N,) of the texts in one row, the end token before each: what a small experiment trains on or scores."""
    ids: list[int] = []
    for text in texts:
        ids += [tokenizer.eos_id, *tokenizer.encode(text)]
    return np.array(ids, dtype=np.int64)


def token_file(path: Path | str) -> TokenFile:
    """What the header of a token file says. Raises LabkitError when it is missing, damaged or does not fit."""
    path = Path(path)
    if not path.is_file():
        raise LabkitError(f"There is no token file {path}. Make it with write_tokens.")
    try:
        header = json.loads(_header_path(path).read_text(encoding="utf-8"))
        if header.pop("format") != HEADER_FORMAT:
            raise ValueError("another format")
        found = TokenFile(path=path, **header)
        expected = found.num_tokens * np.dtype(found.dtype).itemsize
    except FileNotFoundError:
        raise LabkitError(
            f"{path} has no header {_header_path(path).name}. Write the tokens again."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabkitError(f"{_header_path(path)} is damaged ({error}). Write the tokens again.") from None
    if path.stat().st_size != expected:
        raise LabkitError(
            f"{path} has {path.stat().st_size} bytes, and its header says {expected}. Write the tokens again."
        )
    return found


def open_tokens(path: Path | str, tokenizer: Tokenizer | None = None, *, verify: bool = False) -> np.memmap:
    """The ids (N,) of a token file, ``uint16`` or ``uint32``, read-only and mapped into memory.

    With ``tokenizer``, refuses a file that was written with another one; with ``verify``, one whose content
    does not match its checksum (this reads the whole file).
    """
    found = token_file(path)
    if tokenizer is not None and tokenizer.fingerprint != found.tokenizer:
        raise LabkitError(
            f"{path} was written with another tokenizer (of {found.vocab_size} tokens; this one has "
            f"{tokenizer.vocab_size}): its ids would mean something else. Write the tokens again."
        )
    if verify and files.sha256_of(path) != found.sha256:
        raise LabkitError(f"{path} was changed since it was written. Write the tokens again.")
    return np.memmap(path, dtype=found.dtype, mode="r")


def split_tokens(
    tokens: np.ndarray, held_out: float = 0.1, *, eos_id: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The first tokens for training and the last share ``held_out`` for evaluation, as views.

    With ``eos_id`` the cut moves forward to the end of the document that it would divide, so that no document
    is in both parts. Raises LabkitError when a part would be empty.
    """
    if not 0 < held_out < 1:
        raise LabkitError(f"held_out is {held_out!r}. Give a share between 0 and 1, such as 0.1.")
    cut = int(len(tokens) * (1 - held_out))
    if eos_id is not None and cut < len(tokens):
        ends = np.flatnonzero(tokens[max(cut - 1, 0) :] == eos_id)
        cut = max(cut - 1, 0) + int(ends[0]) + 1 if len(ends) else len(tokens)
    if not 0 < cut < len(tokens):
        where = "" if eos_id is None else " at the end of a document"
        raise LabkitError(
            f"{len(tokens)} tokens cannot be divided{where} with {held_out:.0%} held out. Use more text."
        )
    return tokens[:cut], tokens[cut:]


def _token_parts(
    documents: str | Iterable[str], tokenizer: Tokenizer, counts: dict[str, int]
) -> Iterator[np.ndarray]:
    """The ids of the documents with the end token between them, in parts of bounded size."""
    waiting: list[np.ndarray] = []
    size = 0
    for document in [documents] if isinstance(documents, str) else documents:
        if counts["num_documents"]:
            if tokenizer.eos_id is None:
                raise LabkitError(
                    "There are several documents, and this tokenizer has no end token to put between them. Use "
                    "one with special tokens (CharTokenizer: byte_fallback=True), or join the documents first."
                )
            waiting.append(np.array([tokenizer.eos_id]))
        if not document:
            raise LabkitError(f"Document {counts['num_documents']} is empty. Leave empty documents out.")
        for chunk in tokenizer.encode_chunks(document):
            waiting.append(chunk)
            size += len(chunk) + 1
            if size >= WRITE_TOKENS:
                yield np.concatenate(waiting)
                waiting, size = [], 0
        counts["num_documents"] += 1
        counts["num_characters"] += len(document)
    if not counts["num_documents"]:
        raise LabkitError("write_tokens got no documents. Give it at least one.")
    if waiting:
        yield np.concatenate(waiting)


def _header_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


# ---------------------------------------------------------------------------------------------------------------
# Batches

WINDOWS = ("random", "epoch")


class PackedBatches:
    """Batches of windows cut from one long stream of tokens: every position is a token, none is padding.

    ``batches(step)`` is ``(inputs, targets)``, int64 (B, T), for step = 0, 1, ...; it depends on ``seed`` and
    ``step`` alone. ``targets[b, t]`` is the token that follows ``inputs[b, t]`` in the stream.

    - ``windows="random"``: windows begin anywhere, drawn with replacement, as in nanoGPT. Always (B, T).
    - ``windows="epoch"``: every token is an input once and a target once in each epoch of ``steps_per_epoch``
      steps. The stream is taken as a ring (its first token follows its last), cut at a place that is drawn
      anew for each epoch, and the windows are shuffled. The last full windows of an epoch may be fewer than B,
      and where T does not divide the number of tokens N, the N mod T tokens that are left come last, as (1, N mod T).
    """

    def __init__(
        self,
        tokens: np.ndarray | Tensor | Sequence[int],
        sequence_length: int,
        batch_size: int,
        seed: int = 0,
        windows: str = "random",
    ):
        import torch

        _check_shape(sequence_length, batch_size)
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise LabkitError(f"seed is {seed!r}. Give a whole number from 0.")
        if windows not in WINDOWS:
            raise LabkitError(f"windows is {windows!r}. Give one of: {', '.join(WINDOWS)}.")
        self.tokens = np.asarray(tokens)  # of a memmap: a view, nothing is read
        if self.tokens.ndim != 1 or not np.issubdtype(self.tokens.dtype, np.integer):
            raise LabkitError(
                f"tokens must be one row of integers, not {self.tokens.dtype} of shape {self.tokens.shape}."
            )
        if len(self.tokens) <= sequence_length:
            raise LabkitError(
                f"There are {len(self.tokens)} tokens: too few for windows of {sequence_length} and the token "
                "after them. Use more text, or a smaller sequence_length."
            )
        self.sequence_length = sequence_length
        self.batch_size = batch_size
        self.seed = seed
        self.windows = windows
        full, self._rest = divmod(len(self.tokens), sequence_length)
        self._full_steps = -(-full // batch_size)
        self._num_full = full
        self._offsets = np.arange(sequence_length + 1)
        self._from_numpy = torch.from_numpy
        self._epoch, self._starts = -1, np.empty(0, dtype=np.int64)

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every token comes once; with random windows, those in which as many tokens come."""
        if self.windows == "random":
            return max(1, round(len(self.tokens) / (self.batch_size * self.sequence_length)))
        return self._full_steps + (self._rest > 0)

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        if self.windows == "random":
            draw = np.random.default_rng((self.seed, step))
            starts = draw.integers(0, len(self.tokens) - self.sequence_length, self.batch_size)
            window = self.tokens[starts[:, None] + self._offsets]  # (B, T + 1)
        else:
            window = self._epoch_window(step)
        window = window.astype(np.int64)
        # Copies, since half of a shared (B, T + 1) would not be contiguous.
        inputs, targets = np.ascontiguousarray(window[:, :-1]), np.ascontiguousarray(window[:, 1:])
        return self._from_numpy(inputs), self._from_numpy(targets)

    def _epoch_window(self, step: int) -> np.ndarray:
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._starts, self._rest_start = self._cut(epoch)
            self._epoch = epoch
        if place == self._full_steps:
            places = self._rest_start + self._offsets[None, : self._rest + 1]
        else:
            starts = self._starts[place * self.batch_size : (place + 1) * self.batch_size]
            places = starts[:, None] + self._offsets
        return self.tokens.take(places, mode="wrap")

    def _cut(self, epoch: int) -> tuple[np.ndarray, int]:
        """Where the full windows of an epoch begin, in the order of that epoch, and where the rest begins."""
        draw = np.random.default_rng((self.seed, epoch))
        first = int(draw.integers(len(self.tokens)))
        starts = first + self.sequence_length * draw.permutation(self._num_full)
        return starts % len(self.tokens), (first + self.sequence_length * self._num_full) % len(self.tokens)

    def state_dict(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "sequence_length": self.sequence_length,
            "batch_size": self.batch_size,
            "windows": self.windows,
            "num_tokens": len(self.tokens),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to set, since a batch depends on its step alone; refuses other data or settings."""
        current = self.state_dict()
        differences = [
            f"{k} was {state.get(k)!r} and is {v!r}" for k, v in current.items() if state.get(k) != v
        ]
        if differences:
            raise LabkitError("; ".join(differences) + ".")


class ContinuedBatches:
    """Windows in which row b of each batch goes on where row b of the one before ended, for a carried state.

    The stream is cut into ``batch_size`` rows of equal length (fewer than ``batch_size`` tokens are left over), and
    each is read from left to right in ``steps_per_epoch`` steps, the last perhaps shorter; then all begin again.
    ``batches(step)`` is ``(inputs, targets)``, int64 (B, T).
    """

    def __init__(self, tokens: np.ndarray | Tensor | Sequence[int], sequence_length: int, batch_size: int):
        import torch

        _check_shape(sequence_length, batch_size)
        self.tokens = np.asarray(tokens)  # of a memmap: a view, nothing is read
        self.length, self.width = sequence_length, (len(self.tokens) - 1) // batch_size
        if self.width < 1:
            raise LabkitError(
                f"{len(self.tokens)} tokens are too few for {batch_size} rows: each needs one, and one after it. "
                "Use more text, or a smaller batch_size."
            )
        self.steps_per_epoch = -(-self.width // sequence_length)
        self._starts = np.arange(batch_size)[:, None] * self.width
        self._from_numpy = torch.from_numpy

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        start = step % self.steps_per_epoch * self.length
        end = min(start + self.length, self.width)
        window = self.tokens[self._starts + np.arange(start, end + 1)]  # (B, T + 1)
        window = self._from_numpy(window.astype(np.int64))
        return window[:, :-1], window[:, 1:]


def _check_shape(sequence_length: int, batch_size: int) -> None:
    for name, value in (("sequence_length", sequence_length), ("batch_size", batch_size)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise LabkitError(f"{name} is {value!r}. Give a whole number from 1.")
