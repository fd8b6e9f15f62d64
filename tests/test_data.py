"""labkit.data: against the real data sets where they are, and a real HTTP server that misbehaves."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import os
import shutil
import socket
import subprocess
import sys
import threading
import wave
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import datasets

from labkit import data, progress
from labkit.common import LabkitError
from labkit.data import Dataset

# Digits


def test_digits_are_scikit_learns_digits() -> None:
    digits = data.load_digits()
    pixels, labels = datasets.load_digits(return_X_y=True)
    found = torch.cat([digits.train_x, digits.test_x]) * 16
    with_labels = torch.cat([found, torch.cat([digits.train_y, digits.test_y])[:, None].float()], dim=1)
    expected = np.column_stack([pixels, labels]).astype(np.float32)
    assert sorted(map(tuple, with_labels.tolist())) == sorted(map(tuple, expected.tolist()))


def test_digits_are_split_in_proportion_by_the_seed() -> None:
    digits = data.load_digits()
    assert [tuple(part.shape) for part in digits] == [(1437, 64), (1437,), (360, 64), (360,)]
    assert (digits.train_x.dtype, digits.train_y.dtype) == (torch.float32, torch.int64)
    assert (digits.train_x.min(), digits.train_x.max()) == (0, 1)
    counts = Counter(digits.test_y.tolist())
    everything = Counter(digits.train_y.tolist()) + counts
    assert all(abs(counts[digit] - everything[digit] * 360 / 1797) < 1 for digit in range(10))
    for part, again in zip(digits, data.load_digits(seed=0), strict=True):
        assert torch.equal(part, again)
    assert not torch.equal(digits.test_x, data.load_digits(seed=1).test_x)


def test_digits_as_images_and_by_count() -> None:
    flat, images = data.load_digits(test_size=397), data.load_digits(test_size=397, as_images=True)
    assert images.train_x.shape == (1400, 1, 8, 8)
    assert torch.equal(images.train_x.reshape(1400, 64), flat.train_x)
    assert torch.equal(images.test_y, flat.test_y)


def test_digits_have_the_checksum_of_the_catalog() -> None:
    assert data.get("digits").name == "digits.csv.gz"
    assert torch.equal(data.load("digits").train_x, data.load_digits().train_x)


# The real public sets, where this machine has them (LABKIT_DATA)


def real(name: str):
    dataset = data.DATASETS[name]
    folder = os.environ.get("LABKIT_DATA")
    if not folder or not (Path(folder) / name / dataset.path).exists():
        pytest.skip(f"LABKIT_DATA holds no {name}")
    return data.load(name)


def test_real_tinyshakespeare() -> None:
    plays = real("tinyshakespeare")
    assert (len(plays.train), len(plays.validation)) == (1_003_854, 111_540)
    assert plays.train.startswith("First Citizen:\nBefore we proceed any further")
    assert len(set(plays.train + plays.validation)) == 65


def test_real_clinc150() -> None:
    intents = real("clinc150")
    assert [len(part) for part in intents] == [15_000, 3_000, 4_500, 100, 100, 1_000]
    assert Counter(Counter(intent for _, intent in intents.train).values()) == {100: 150}
    assert {intent for part in intents[3:] for _, intent in part} == {"oos"}
    assert intents.train[0] == (
        "what expression would i use to say i love you if i were an italian",
        "translate",
    )


def test_real_fsdd() -> None:
    recordings = real("fsdd")
    assert (len(recordings.train), len(recordings.test)) == (2_250, 250)
    assert {recording.index for recording in recordings.test} == set(range(5))
    assert Counter(r.digit for r in recordings.train) == dict.fromkeys(range(10), 225)
    assert {r.speaker for r in recordings.test} == {"jackson", "lucas", "nicolas", "theo", "yweweler"}
    for recording in (*recordings.test, *recordings.train[::50]):
        assert recording.samples.dtype == np.float32
        assert 0.1 < len(recording.samples) / 8000 < 2.5
        assert 0.01 < np.abs(recording.samples).max() <= 1


# A server that answers well, and in every wrong way


class Server(http.server.ThreadingHTTPServer):
    """Answers with ``answers[path] = (status, headers, body, bytes really sent)``; counts what it is asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, dict, bytes, int | None]] = {}
        self.asked: list[str] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def put(self, path: str, body: bytes, status: int = 200, sent: int | None = None, **headers: str) -> str:
        self.answers[path] = (status, {"Content-Length": str(len(body))} | headers, body, sent)
        return self.url(path)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, headers, body, sent = self.server.answers.get(self.path, (404, {}, b"", None))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:sent])
        self.wfile.flush()
        if sent is not None:
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *message: object) -> None:
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LABKIT_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


TEXT = "正文, and more of it\n".encode() * 20_000  # several chunks


def text_set(url: str | None, content: bytes = TEXT, **changes) -> Dataset:
    values = {
        "name": "text",
        "title": "a text",
        "licence": "none",
        "homepage": "http://example.invalid/home",
        "megabytes": 0.1,
        "path": "input.txt",
        "sha256": hashlib.sha256(content).hexdigest(),
        "url": url,
        "load": lambda path: path.read_bytes(),
    }
    return Dataset(**values | changes)


def everything_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def refused(dataset: Dataset, match: str, tmp_path: Path) -> str:
    """The fetch fails with this message, and leaves nothing behind."""
    with pytest.raises(LabkitError, match=match) as caught:
        data.fetch(dataset)
    assert everything_below(tmp_path / "cache") == []
    return str(caught.value)


def test_a_download_is_kept_and_not_repeated(server, tmp_path) -> None:
    dataset = text_set(server.put("/a.txt", TEXT))
    place = data.fetch(dataset)
    assert place == tmp_path / "cache" / "data" / "text" / "input.txt"
    assert place.read_bytes() == TEXT
    assert data.fetch(dataset) == place
    assert server.asked == ["/a.txt"]
    assert everything_below(tmp_path / "cache") == [str(Path("data") / "text" / "input.txt")]


def test_redirects_and_answers_without_a_length_are_fine(server) -> None:
    server.put("/new", TEXT)
    server.put("/old", b"", status=302, Location="/new")
    assert data.fetch(text_set(server.url("/old"))).read_bytes() == TEXT
    server.answers["/unknown"] = (200, {}, TEXT, None)
    assert data.fetch(text_set(server.url("/unknown"), name="other")).read_bytes() == TEXT


def test_wrong_content_is_not_kept(server, tmp_path) -> None:
    url = server.put("/a.txt", b"<html>Please log in to the guest network</html>")
    assert url in refused(
        text_set(url), "is not the published text: its SHA-256 is .*Nothing was kept", tmp_path
    )


def test_a_download_that_is_cut_off_is_not_kept_and_can_be_run_again(server, tmp_path) -> None:
    url = server.put("/a.txt", TEXT, sent=100_000)
    refused(text_set(url), r"broke off after 100,000 of [\d,]+ bytes|broke off \(", tmp_path)
    server.put("/a.txt", TEXT)
    assert data.fetch(text_set(url)).read_bytes() == TEXT


def test_a_cut_off_answer_without_a_length_is_not_kept(server, tmp_path) -> None:
    server.answers["/a.txt"] = (200, {}, TEXT, 1000)
    refused(text_set(server.url("/a.txt")), "is not the published text|broke off", tmp_path)


@pytest.mark.parametrize(
    ("status", "reason"), [(404, "Not Found"), (403, "Forbidden"), (503, "Service Unavailable")]
)
def test_a_refusal_names_the_status_and_the_home_page(status, reason, server, tmp_path) -> None:
    url = server.put("/a.txt", b"no", status=status)
    message = refused(text_set(url), f"answered {status} {reason}", tmp_path)
    assert "http://example.invalid/home" in message
    assert "set LABKIT_DATA=FOLDER" in message


def test_offline_says_what_to_do(server, tmp_path, monkeypatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a.txt"  # nobody answers there
    message = refused(text_set(url), "cannot be reached", tmp_path)
    assert "Connect to the internet" in message
    monkeypatch.setenv("LABKIT_DATA", str(tmp_path / "own"))
    assert str(tmp_path / "own" / "text" / "input.txt") in refused(
        text_set(url), "cannot be reached", tmp_path
    )


def test_a_server_that_never_answers_is_given_up(server, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(data, "TIMEOUT_SECONDS", 0.1)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        refused(
            text_set(f"http://127.0.0.1:{deaf.getsockname()[1]}/"), "cannot be reached.*timed out", tmp_path
        )


def test_a_damaged_cache_is_fetched_again(server) -> None:
    dataset = text_set(server.put("/a.txt", TEXT))
    data.fetch(dataset).write_bytes(TEXT[:-1])
    assert data.fetch(dataset).read_bytes() == TEXT
    assert len(server.asked) == 2


def test_the_local_folder_comes_first_and_is_checked(server, tmp_path, monkeypatch) -> None:
    dataset = text_set(server.put("/a.txt", TEXT))
    own = tmp_path / "own" / "text" / "input.txt"
    own.parent.mkdir(parents=True)
    monkeypatch.setenv("LABKIT_DATA", str(tmp_path / "own"))
    own.write_bytes(TEXT)
    assert data.fetch(dataset) == own
    assert server.asked == []
    own.write_bytes(b"changed")
    message = refused(dataset, "is not the published text", tmp_path)
    assert str(own) in message
    assert own.read_bytes() == b"changed"  # it is the learner's file
    own.unlink()
    assert data.fetch(dataset).read_bytes() == TEXT  # not there: the origin


def test_a_cache_that_cannot_be_written_is_named(server, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("LABKIT_CACHE", str(tmp_path / "file"))
    with pytest.raises(LabkitError, match="LABKIT_CACHE"):
        data.fetch(text_set(server.put("/a.txt", TEXT)))


def test_a_full_disk_is_named_and_nothing_is_kept(server, tmp_path, monkeypatch) -> None:
    open_file = Path.open

    def refuse(path, *arguments, **options):
        if path.name.endswith(".tmp"):
            raise OSError(28, "No space left on device")
        return open_file(path, *arguments, **options)

    dataset = text_set(server.put("/a.txt", TEXT))
    monkeypatch.setattr(Path, "open", refuse)
    refused(dataset, "No space left on device.*LABKIT_CACHE", tmp_path)


def test_the_progress_bar_counts_bytes(server, monkeypatch, capsys) -> None:
    monkeypatch.setenv("LABKIT_PROGRESS", "1")
    monkeypatch.setattr(progress, "DELAY_SECONDS", 0.0)
    data.fetch(text_set(server.put("/a.txt", TEXT)))
    shown = capsys.readouterr().err
    assert "text: 100%" in shown
    assert "B/s" in shown


# Archives


def sound(value: int) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(np.array([0, value, -32768], dtype="<i2").tobytes())
    return stream.getvalue()


RECORDINGS = {
    "3_theo_0.wav": sound(100),
    "3_theo_17.wav": sound(200),
    "10_theo_1.wav": b"",
    "4_george_1.wav": b"",
}


def archive(members: dict[str, bytes], prefix: str = "digits-1.0/recordings/") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            out.writestr(prefix + name, content)
        out.writestr("digits-1.0/README.md", "a read me")
    return stream.getvalue()


def sound_set(url: str) -> Dataset:
    lines = [f"{n} {hashlib.sha256(RECORDINGS[n]).hexdigest()}\n" for n in ("3_theo_0.wav", "3_theo_17.wav")]
    return text_set(
        url,
        name="sounds",
        path="recordings",
        sha256=hashlib.sha256("".join(lines).encode()).hexdigest(),
        pattern=data.FSDD_PATTERN,
        load=data._load_recordings,
    )


def test_an_archive_is_unpacked_to_the_files_that_belong_to_the_set(server, tmp_path) -> None:
    dataset = sound_set(server.put("/a.zip", archive(RECORDINGS)))
    place = data.fetch(dataset)
    assert sorted(path.name for path in place.iterdir()) == ["3_theo_0.wav", "3_theo_17.wav"]
    assert [path.name for path in place.parent.iterdir()] == ["recordings"]
    recordings = dataset.load(place)
    assert [(r.digit, r.speaker, r.index) for r in recordings.train] == [(3, "theo", 17)]
    assert [(r.digit, r.speaker, r.index) for r in recordings.test] == [(3, "theo", 0)]
    assert recordings.test[0].samples.tolist() == [0, 100 / 32768, -1]
    (place / "3_theo_0.wav").write_bytes(b"damaged")
    assert (data.fetch(dataset) / "3_theo_0.wav").read_bytes() == RECORDINGS["3_theo_0.wav"]
    assert len(server.asked) == 2


def test_no_member_of_an_archive_escapes_its_folder(server, tmp_path) -> None:
    url = server.put("/a.zip", archive(RECORDINGS, prefix="../../../../"))
    data.fetch(sound_set(url))
    assert list(tmp_path.rglob("3_theo_0.wav")) == [
        tmp_path / "cache" / "data" / "sounds" / "recordings" / "3_theo_0.wav"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive({"3_theo_0.wav": RECORDINGS["3_theo_0.wav"]}), "is not the published sounds"),
        (archive(RECORDINGS | {"3_theo_17.wav": b"another"}), "is not the published sounds"),
        (b"<html>log in</html>", "is not a whole zip archive"),
        (archive(RECORDINGS)[:-30], "is not a whole zip archive"),
    ],
)
def test_a_wrong_archive_is_not_kept(content, message, server, tmp_path) -> None:
    refused(sound_set(server.put("/a.zip", content)), message, tmp_path)


def test_an_archive_with_any_changed_byte_is_refused_or_holds_the_right_files(server, tmp_path) -> None:
    content = archive(RECORDINGS)
    for place in range(0, len(content), 11):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        dataset = sound_set(server.put("/a.zip", bytes(changed)))
        try:
            found = data.fetch(dataset)
        except LabkitError:
            assert everything_below(tmp_path / "cache") == []
        else:
            assert dataset.problem(found) is None
            shutil.rmtree(found)


# Several files, and IDX


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    """An IDX file, written by its definition."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    # Without the time of day, or each worker of the tests would name its cases differently.
    return gzip.compress(bytes([0, 0, kind, array.ndim]) + sizes + array.astype(np.uint8).tobytes(), mtime=0)


TRAIN, TEST = np.arange(3 * 28 * 28).reshape(3, 28, 28) % 251, np.full((2, 28, 28), 7)
PARTS = {
    "train-images-idx3-ubyte.gz": idx(TRAIN),
    "train-labels-idx1-ubyte.gz": idx(np.array([5, 0, 9])),
    "t10k-images-idx3-ubyte.gz": idx(TEST),
    "t10k-labels-idx1-ubyte.gz": idx(np.array([1, 2])),
}


def picture_set(server, parts: dict[str, bytes] = PARTS) -> Dataset:
    """A small MNIST whose origin sends ``parts``."""
    for name, content in parts.items():
        server.put(f"/mnist/{name}", content)
    members = {name: hashlib.sha256(content).hexdigest() for name, content in PARTS.items()}
    url = server.url("/mnist/")
    return text_set(url, name="pictures", path=".", members=members, load=data._load_grey_pictures)


def test_several_files_are_fetched_together_and_read(server, tmp_path) -> None:
    dataset = picture_set(server)
    place = data.fetch(dataset)
    assert place == tmp_path / "cache" / "data" / "pictures"
    assert sorted(path.name for path in place.iterdir()) == sorted(PARTS)
    pictures = dataset.load(place)
    for part, expected in zip(pictures, (TRAIN, [5, 0, 9], TEST, [1, 2]), strict=True):
        np.testing.assert_array_equal(part, expected)
    assert (pictures.train_x.dtype, pictures.train_y.dtype) == (np.uint8, np.int64)
    assert data.fetch(dataset) == place
    assert len(server.asked) == 4


def test_one_wrong_file_of_several_is_named_and_nothing_is_kept(server, tmp_path) -> None:
    name = "t10k-images-idx3-ubyte.gz"
    refused(picture_set(server, PARTS | {name: b"changed"}), f"the SHA-256 of {name} is", tmp_path)
    del server.answers[f"/mnist/{name}"]
    message = refused(picture_set(server, {}), f"/mnist/{name} answered 404", tmp_path)
    assert "FOLDER" in message
    assert "t10k-labels-idx1-ubyte.gz into" in message


def test_a_local_folder_of_several_files_is_checked(server, tmp_path, monkeypatch) -> None:
    dataset = picture_set(server)
    own = tmp_path / "own" / "pictures"
    own.mkdir(parents=True)
    monkeypatch.setenv("LABKIT_DATA", str(tmp_path / "own"))
    for name, content in PARTS.items():
        (own / name).write_bytes(content)
    assert data.fetch(dataset) == own
    assert server.asked == []
    (own / "train-labels-idx1-ubyte.gz").unlink()
    refused(dataset, "there is no train-labels-idx1-ubyte.gz in it", tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x00\x00\x08\x03 not packed", "is not a whole gzip file"),
        (idx(TRAIN)[:-20], "is not a whole gzip file"),
        (b"", "is not an IDX file|is not a whole gzip file"),
        (gzip.compress(b"<html>", mtime=0), "is not an IDX file"),
        (idx(np.arange(3)), "is not an IDX file of bytes in 3 dimensions"),
        (idx(TRAIN, kind=13), "is not an IDX file"),
        (
            gzip.compress(gzip.decompress(idx(TRAIN))[:-1], mtime=0),
            r"holds \(3, 28, 28\) values, and holds 2,351",
        ),
        (gzip.compress(gzip.decompress(idx(TRAIN)) + b"x", mtime=0), "and holds 2,353"),
    ],
)
def test_a_file_that_is_not_idx_is_named(content, message, tmp_path) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(LabkitError, match=message) as caught:
        data.read_idx(path, dimensions=3)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_real_pictures(name: str) -> None:
    pictures = real(name)
    assert [len(part) for part in pictures] == [60_000, 60_000, 10_000, 10_000]
    assert pictures.train_x.shape[1:] == (28, 28)
    assert Counter(pictures.test_y.tolist()).keys() == set(range(10))


# Names


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    for call in (data.get, data.load, data.find):
        with pytest.raises(
            LabkitError, match=r"no data set 'clinc'.*Did you mean clinc150\?.*Known: digits, tiny"
        ):
            call("clinc")


def test_the_catalog_says_what_one_must_know(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("LABKIT_CACHE", str(tmp_path))
    monkeypatch.delenv("LABKIT_DATA", raising=False)
    names = ["digits", "tinyshakespeare", "clinc150", "fsdd", "mnist", "fashion-mnist"]
    assert [dataset.name for dataset in data.catalog()] == names
    for dataset in data.catalog():
        assert dataset.licence
        assert len(dataset.sha256) == 64
        assert dataset.homepage.startswith("https://")
        assert dataset.url is None or dataset.url.startswith("https://")
        assert (data.find(dataset.name) is None) == (dataset.url is not None)


def test_importing_data_loads_nothing_heavy() -> None:
    code = "import sys, labkit.data; print(sorted({'torch', 'sklearn', 'numpy', 'tqdm'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
