"""labkit.files: a file is whole or not there."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from labkit import files


@given(st.binary(max_size=300))
def test_checksum_is_sha256(tmp_path_factory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("files") / "a"
    files.atomic_write_bytes(path, content)
    assert path.read_bytes() == content
    assert files.sha256_of(path) == hashlib.sha256(content).hexdigest()


def test_text_is_utf8_with_plain_line_ends(tmp_path) -> None:
    files.atomic_write_text(tmp_path / "new" / "a.txt", "激活\nσ\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "激活\nσ\n".encode()


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(error, tmp_path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def write_half() -> None:
        with files.atomic_path(path) as temporary:
            assert temporary.parent == path.parent  # the same file system, or a rename would not be atomic
            temporary.write_bytes(b"half of the n")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"old")]


def test_the_content_is_on_the_disk_before_its_name(tmp_path, monkeypatch) -> None:
    order = []
    flush, replace = files.flush, files.replace
    monkeypatch.setattr(files, "flush", lambda path: (order.append("flush"), flush(path)))
    monkeypatch.setattr(files, "replace", lambda a, b: (order.append("replace"), replace(a, b)))
    files.atomic_write_bytes(tmp_path / "a", b"x")
    assert order == ["flush", "replace"]


def test_windows_is_asked_again_while_the_target_is_open(tmp_path, monkeypatch) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    refusals = [PermissionError(13, "in use"), PermissionError(13, "in use"), None]
    moved = []

    class Held(type(source)):
        def replace(self, other):
            error = refusals.pop(0)
            if error:
                raise error
            moved.append(other)

    monkeypatch.setattr(files.os, "name", "nt")
    files.replace(Held(source), target)
    assert moved == [target]
    monkeypatch.setattr(files.os, "name", "posix")  # elsewhere a refusal is a refusal
    refusals[:] = [PermissionError(13, "no")]
    with pytest.raises(PermissionError):
        files.replace(Held(source), target)


def test_leftovers_are_those_of_this_file_alone(tmp_path) -> None:
    for name in (".a.1-ff.tmp", ".a.2-ee.tmp", ".ab.1-ff.tmp", "a.tmp", ".a.txt"):
        (tmp_path / name).write_bytes(b"")
    assert files.remove_leftovers(tmp_path / "a") == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == [".a.txt", ".ab.1-ff.tmp", "a.tmp"]
    assert files.remove_leftovers(tmp_path / "nowhere" / "a") == 0


TENSORS = {
    "matrix": torch.arange(6.0).reshape(2, 3),
    "turned": torch.arange(6.0).reshape(2, 3).T,
    "half": torch.tensor(0.3, dtype=torch.bfloat16),
    "empty": torch.zeros(0, 3),
    "flags": torch.tensor([True, False]),
    "complex": torch.tensor([1 + 2j]),
    "odd": torch.tensor([1], dtype=torch.uint8),
}


def test_tensors_and_metadata_come_back(tmp_path) -> None:
    shared = torch.arange(4.0)
    tensors = TENSORS | {"one": shared, "two": shared, "part": shared[1:3], "trained": nn_parameter()}
    path = tmp_path / "a.safetensors"
    files.save_tensors(path, tensors, {"名": [1, 2.5, None]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded, metadata = files.load_tensors(path)
    assert metadata == {"名": [1, 2.5, None]}
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor.detach())
        assert not loaded[name].requires_grad
    assert load_file(path).keys() == tensors.keys()  # and any other reader of safetensors can use it


def nn_parameter() -> torch.Tensor:
    return torch.nn.Parameter(torch.ones(2))


def test_equal_content_gives_equal_files(tmp_path) -> None:
    paths = [tmp_path / name for name in ("a", "b")]
    files.save_tensors(paths[0], TENSORS, {"x": 1})
    files.save_tensors(paths[1], dict(reversed(TENSORS.items())), {"x": 1})
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_loaded_file_is_not_held_open(tmp_path) -> None:
    path = tmp_path / "a"
    files.save_tensors(path, TENSORS, {})
    loaded, _ = files.load_tensors(path)
    before = {name: tensor.clone() for name, tensor in loaded.items()}
    path.write_bytes(bytes(path.stat().st_size))  # a mapped tensor would change with it
    assert all(torch.equal(loaded[name], before[name]) for name in before)


def test_importing_labkit_files_loads_no_torch() -> None:
    code = "import sys, labkit.files, labkit.data, labkit.weights, labkit.progress; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_written_files_can_be_read_by_others(tmp_path) -> None:
    (tmp_path / "plain").write_bytes(b"x")
    files.atomic_write_bytes(tmp_path / "a", b"x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode
