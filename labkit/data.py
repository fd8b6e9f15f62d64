"""Data sets by name: from scikit-learn, from a local folder, or from their public origin.

Nothing is downloaded before it is asked for by name. ``get`` looks in the folder that ``LABKIT_DATA`` names,
then in labkit's cache, then at the public origin, and checks every copy against the published SHA-256, since
a lesson's numbers hold for these very bytes only.
"""

from __future__ import annotations

import difflib
import gzip
import hashlib
import http.client
import json
import math
import os
import re
import secrets
import shutil
import ssl
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labkit import files
from labkit.common import LabkitError, cache_dir
from labkit.progress import progress_bar

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = 30.0


class Digits(NamedTuple):
    """Handwritten digits, split: inputs float32 in [0, 1], labels int64 in 0..9."""

    train_x: Tensor  # (N, 64), or (N, 1, 8, 8) as images
    train_y: Tensor  # (N,)
    test_x: Tensor
    test_y: Tensor


class Plays(NamedTuple):
    """Tiny Shakespeare: its first 90 % and its last 10 % of characters."""

    train: str
    validation: str


class Intents(NamedTuple):
    """CLINC150: pairs (query, intent). The intent of the ``oos`` (out-of-scope) parts is always ``oos``."""

    train: list[tuple[str, str]]  # 15,000
    validation: list[tuple[str, str]]  # 3,000
    test: list[tuple[str, str]]  # 4,500
    oos_train: list[tuple[str, str]]  # 100
    oos_validation: list[tuple[str, str]]  # 100
    oos_test: list[tuple[str, str]]  # 1,000


class Recording(NamedTuple):
    """One spoken digit: float32 samples in [-1, 1) at 8,000 Hz."""

    samples: np.ndarray  # (T,)
    digit: int
    speaker: str
    index: int


class Recordings(NamedTuple):
    """Free Spoken Digit Dataset, split as its authors say: indices 0-4 are the test part."""

    train: list[Recording]  # 2,250
    test: list[Recording]  # 250


class GreyPictures(NamedTuple):
    """MNIST or Fashion-MNIST, split as published: uint8 (N, 28, 28), white on black, and labels int64 in 0..9."""

    train_x: np.ndarray  # 60,000
    train_y: np.ndarray
    test_x: np.ndarray  # 10,000
    test_y: np.ndarray


@dataclass(frozen=True)
class Dataset:
    """A data set: where it is from, under which licence, and how to know that a copy is the right one.

    ``path`` lies inside the data set's folder ``name``. It is a file with the checksum ``sha256``, or, when
    ``pattern`` is set, a folder: ``sha256`` is then that of the lines "name sha256" of the files whose names
    match, in the order of their names, and ``url`` is a zip archive that holds these files. When ``members`` is
    set, it is a folder too: of these files, each with its own checksum, and ``url`` is the folder that holds them.
    """

    name: str
    title: str
    licence: str
    homepage: str
    megabytes: float
    path: str
    sha256: str
    load: Callable[[Path], Any]
    url: str | None = None  # None: comes with scikit-learn
    pattern: str | None = None
    members: Mapping[str, str] = field(default_factory=dict)  # file -> SHA-256

    @property
    def is_folder(self) -> bool:
        """Whether it is several files."""
        return self.pattern is not None or bool(self.members)

    def problem(self, place: Path) -> str | None:
        """What is wrong with the copy at ``place``, or None."""
        for name, expected in self.members.items():
            if not (place / name).is_file():
                return f"there is no {name} in it"
            found = files.sha256_of(place / name)
            if found != expected:
                return f"the SHA-256 of {name} is {found[:12]}…, not {expected[:12]}…"
        if self.members:
            return None
        if self.pattern is None:
            found = files.sha256_of(place)
        else:
            paths = [path for path in place.iterdir() if re.fullmatch(self.pattern, path.name)]
            found = _folder_digest({path.name: files.sha256_of(path) for path in paths})
        return None if found == self.sha256 else f"its SHA-256 is {found[:12]}…, not {self.sha256[:12]}…"


def _folder_digest(checksums: Mapping[str, str]) -> str:
    """SHA-256 of a folder: of the lines "name sha256" of its files in the order of their names."""
    lines = "".join(f"{name} {checksum}\n" for name, checksum in sorted(checksums.items()))
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()


def load_digits(seed: int = 0, test_size: int | float = 0.2, as_images: bool = False) -> Digits:
    """The 1,797 real handwritten digits of scikit-learn, 8x8 pixels, split by ``seed``, every digit in
    proportion in both parts.

    ``test_size`` is a number of images or a share; the default leaves 1,437 images for training and 360 for
    the test. Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository (1998), https://doi.org/10.24432/C50P49, its test part; CC BY 4.0.
    """
    import torch
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    pixels, labels = datasets.load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        pixels / 16.0, labels, test_size=test_size, random_state=seed, stratify=labels
    )
    shape = (-1, 1, 8, 8) if as_images else (-1, 64)

    def inputs(values) -> Tensor:
        return torch.tensor(values, dtype=torch.float32).reshape(shape)

    def targets(values) -> Tensor:
        return torch.tensor(values, dtype=torch.int64)

    return Digits(inputs(train_x), targets(train_y), inputs(test_x), targets(test_y))


def load(name: str) -> Any:
    """The data set ``name``, ready to use: Digits, Plays, Intents, Recordings or GreyPictures. Fetches it when needed."""
    return _dataset(name).load(get(name))


def get(name: str) -> Path:
    """The file or folder of the data set ``name`` on this machine; downloads it where it is not.

    Raises LabkitError for an unknown name, a copy that differs from the published one, and a download that
    fails (no connection, gone from its origin, cut off, wrong content, disk full); nothing half is kept.
    """
    return fetch(_dataset(name))


def catalog() -> list[Dataset]:
    """Every data set that can be asked for by name."""
    return list(DATASETS.values())


def find(name: str) -> Path | None:
    """Where the data set lies on this machine, unchecked; None when ``get`` would have to download it."""
    return _find(_dataset(name))


def fetch(dataset: Dataset) -> Path:
    """``get`` for a data set that is not in the catalog."""
    place = _find(dataset)
    if place is not None:
        problem = dataset.problem(place) if os.access(place, os.R_OK) else "it cannot be read"
        if problem is None:
            return place
        if place != _cached(dataset):
            source = dataset.url or "a fresh installation of scikit-learn"
            raise LabkitError(
                f"{place} is not the published {dataset.name}: {problem}. Replace it by {source}, or move it "
                "away so that labkit fetches its own copy."
            )
    if dataset.url is None:
        raise LabkitError(f"{dataset.name} comes with scikit-learn, which is not installed: run `make run`.")
    target = _cached(dataset)
    try:
        if not dataset.is_folder:
            with files.atomic_path(target) as temporary:
                _download(dataset, dataset.url, temporary)
                _check_download(dataset, temporary)
        else:
            _fetch_folder(dataset, target)
    except OSError as error:
        raise LabkitError(
            f"{dataset.name} cannot be kept in {target.parent}: {error.strerror or error}. Free disk space, or "
            "set LABKIT_CACHE to a folder that can be written to."
        ) from error
    return target


def _dataset(name: str) -> Dataset:
    if name in DATASETS:
        return DATASETS[name]
    close = difflib.get_close_matches(str(name), DATASETS, n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    raise LabkitError(f"There is no data set {name!r}.{guess} Known: {', '.join(DATASETS)}.")


def _cached(dataset: Dataset) -> Path:
    return cache_dir() / "data" / dataset.name / dataset.path


def _local() -> Path | None:
    """The learner's own folder of data sets."""
    folder = os.environ.get("LABKIT_DATA")
    return Path(folder).expanduser() if folder else None


def _find(dataset: Dataset) -> Path | None:
    if dataset.url is None:
        package = find_spec("sklearn")  # found, not imported
        roots = [] if package is None else [Path(p) for p in package.submodule_search_locations or []]
        places = [root / dataset.path for root in roots]
    else:
        local = _local()
        places = [] if local is None else [local / dataset.name / dataset.path]
        places.append(_cached(dataset))
    return next((place for place in places if place.exists()), None)


def _fetch_folder(dataset: Dataset, target: Path) -> None:
    """Download the files that belong to the data set, check them, and only then show the folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        scratch.mkdir()
        unpacked = scratch / "files"
        unpacked.mkdir()
        if dataset.members:
            for name in dataset.members:
                _download(dataset, f"{dataset.url}{name}", unpacked / name)
        else:
            _unpack_archive(dataset, scratch / "archive.zip", unpacked)
        _check_download(dataset, unpacked)
        if target.exists():
            shutil.rmtree(target)  # a damaged copy, or fetch would have returned it
        files.replace(unpacked, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unpack_archive(dataset: Dataset, archive: Path, unpacked: Path) -> None:
    _download(dataset, dataset.url, archive)
    try:
        with zipfile.ZipFile(archive) as stored:
            for member in stored.infolist():
                name = member.filename.rsplit("/", 1)[-1]  # the name alone: no member escapes the folder
                if re.fullmatch(dataset.pattern, name):
                    (unpacked / name).write_bytes(stored.read(member))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise LabkitError(f"{dataset.url} is not a whole zip archive ({error}). Try again later.") from error


def _check_download(dataset: Dataset, place: Path) -> None:
    problem = dataset.problem(place)
    if problem:
        raise LabkitError(
            f"What {dataset.url} sent is not the published {dataset.name}: {problem}. Nothing was kept. A proxy "
            "may have answered instead, or the origin has changed: open the address in a browser to see."
        )


def _download(dataset: Dataset, url: str, target: Path) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "labkit"})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        raise LabkitError(
            f"{url} answered {error.code} {error.reason}. {dataset.name} may have moved: see "
            f"{dataset.homepage}. {_by_hand(dataset)}"
        ) from None
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise LabkitError(_unreachable(dataset, getattr(error, "reason", error))) from None
    with response, target.open("wb") as stream, progress_bar(response.length, dataset.name, unit="B") as bar:
        expected, received = response.length, 0
        while chunk := _read(response, dataset):
            stream.write(chunk)
            received += len(chunk)
            bar.update(len(chunk))
    if expected is not None and received != expected:
        raise LabkitError(
            f"The download of {dataset.name} broke off after {received:,} of {expected:,} bytes. Run it again."
        )


def _read(response: http.client.HTTPResponse, dataset: Dataset) -> bytes:
    try:
        return response.read(CHUNK_BYTES)
    except (http.client.HTTPException, OSError) as error:
        raise LabkitError(f"The download of {dataset.name} broke off ({error!r}). Run it again.") from None


def _unreachable(dataset: Dataset, reason: Any) -> str:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {dataset.url} could not be checked ({reason.verify_message}). On macOS run "
            f"'Install Certificates.command' in Python's folder. {_by_hand(dataset)}"
        )
    return (
        f"{dataset.name} is not on this machine, and {dataset.url} cannot be reached ({reason}). Connect to the "
        f"internet and try again. {_by_hand(dataset)}"
    )


def _by_hand(dataset: Dataset) -> str:
    folder = _local() or Path("FOLDER")
    place = folder / dataset.name / dataset.path
    contents = "put it at" if not dataset.is_folder else "unpack its files into"
    if dataset.members:
        contents = f"put {', '.join(dataset.members)} into"
    setting = "" if _local() else " and set LABKIT_DATA=FOLDER"
    return f"Or fetch it elsewhere, {contents} {place}{setting}."


def _load_plays(path: Path) -> Plays:
    text = path.read_text(encoding="utf-8")
    split = len(text) * 9 // 10
    return Plays(text[:split], text[split:])


def _load_intents(path: Path) -> Intents:
    parts = json.loads(path.read_text(encoding="utf-8"))
    names = ("train", "val", "test", "oos_train", "oos_val", "oos_test")
    return Intents(*([(query, intent) for query, intent in parts[name]] for name in names))


def _load_recordings(folder: Path) -> Recordings:
    import wave

    import numpy as np

    parts = Recordings([], [])
    for path in sorted(folder.iterdir()):
        if not re.fullmatch(FSDD_PATTERN, path.name):
            continue
        digit, speaker, index = path.stem.split("_")
        with wave.open(str(path)) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
        recording = Recording(samples.astype(np.float32) / 32768, int(digit), speaker, int(index))
        (parts.test if recording.index < 5 else parts.train).append(recording)
    return parts


def _load_grey_pictures(folder: Path) -> GreyPictures:
    parts = []
    for part in ("train", "t10k"):
        parts += [
            read_idx(folder / f"{part}-images-idx3-ubyte.gz", dimensions=3),
            read_idx(folder / f"{part}-labels-idx1-ubyte.gz", dimensions=1).astype("int64"),
        ]
    return GreyPictures(*parts)


def read_idx(path: Path | str, dimensions: int) -> np.ndarray:
    """The uint8 array of a gzipped IDX file, the format of MNIST: two zero bytes, 8 for unsigned bytes, the number of
    dimensions, each size as a big-endian 32-bit integer, the values.

    Raises LabkitError for a file that is not there, not whole, or holds something else.
    """
    import numpy as np

    path = Path(path)
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise LabkitError(
            f"{path} is not a whole gzip file that can be read ({reason}). Fetch it again."
        ) from None
    start = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, 8, dimensions]) or len(content) < start:
        raise LabkitError(
            f"{path} is not an IDX file of bytes in {dimensions} dimensions: it starts {content[:4]!r}."
        )
    shape = tuple(np.frombuffer(content[4:start], dtype=">u4").tolist())
    if len(content) - start != math.prod(shape):
        held = len(content) - start
        raise LabkitError(f"{path} says that it holds {shape} values, and holds {held:,}. Fetch it again.")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape).copy()


# Five speakers with 50 recordings of each digit. The archive holds a sixth, whose recordings are left out.
FSDD_PATTERN = r"[0-9]_(jackson|lucas|nicolas|theo|yweweler)_[0-9]{1,2}\.wav"

# As several public projects pin them, those of MNIST for both of its mirrors. The downloads themselves were not tried
# where the project is made; a file that differs is refused by name.
MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
FASHION_MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}

DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="digits",
            title="1,797 handwritten digits, 8x8 pixels",
            licence="CC BY 4.0",
            homepage="https://doi.org/10.24432/C50P49",
            megabytes=0.1,
            path="datasets/data/digits.csv.gz",
            sha256="09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
            load=lambda path: load_digits(),
        ),
        Dataset(
            name="tinyshakespeare",
            title="1,115,394 characters of Shakespeare's plays",
            licence="public domain",
            homepage="https://github.com/karpathy/char-rnn",
            megabytes=1.1,
            path="input.txt",
            sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            load=_load_plays,
        ),
        Dataset(
            name="clinc150",
            title="22,500 queries in 150 intents, and 1,200 out of scope",
            licence="CC BY 3.0",
            homepage="https://github.com/clinc/oos-eval",
            megabytes=2.5,
            path="data_full.json",
            sha256="36923c3705a59e08fe9c3883d8bc2dd966ef93e22cb78ac41171782a698d56e0",
            url="https://raw.githubusercontent.com/clinc/oos-eval/master/data/data_full.json",
            load=_load_intents,
        ),
        # The checksum is that of a copy of the recordings, taken file by file. That the archive of this tag
        # holds the same bytes was not tried; where it does not, the download says so and nothing is kept.
        Dataset(
            name="fsdd",
            title="2,500 recordings of spoken digits by five people, 8 kHz",
            licence="CC BY-SA 4.0",
            homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
            megabytes=17.6,
            path="recordings",
            sha256="60ab2a879a0e42495b4f1af62d8f6b905fe52b7675f6bd10b60f238761471924",
            url="https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip",
            pattern=FSDD_PATTERN,
            load=_load_recordings,
        ),
        Dataset(
            name="mnist",
            title="70,000 handwritten digits, 28x28 pixels",
            licence="CC BY-SA 3.0",
            homepage="https://yann.lecun.org/exdb/mnist/index.html",
            megabytes=11.6,
            path=".",
            sha256=_folder_digest(MNIST_FILES),
            url="https://storage.googleapis.com/cvdf-datasets/mnist/",
            members=MNIST_FILES,
            load=_load_grey_pictures,
        ),
        Dataset(
            name="fashion-mnist",
            title="70,000 pictures of clothes in ten classes, 28x28 pixels",
            licence="MIT",
            homepage="https://github.com/zalandoresearch/fashion-mnist",
            megabytes=30.9,
            path=".",
            sha256=_folder_digest(FASHION_MNIST_FILES),
            url="https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            members=FASHION_MNIST_FILES,
            load=_load_grey_pictures,
        ),
    )
}
