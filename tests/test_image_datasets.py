"""labkit.image.datasets and labkit.image.folder: sets of pictures, and every way in which a folder can be wrong."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from PIL import Image

from labkit import data
from labkit.common import LANGUAGES, LabkitError
from labkit.image import captions, datasets, scenes
from labkit.image.datasets import PictureSet
from labkit.image.folder import folder_pictures

# Sets

PROPERTY = settings(max_examples=50, deadline=None, derandomize=True, database=None)


def small_set(count: int = 3) -> PictureSet:
    pictures = np.random.default_rng(0).integers(0, 256, (count, 28, 28, 3), dtype=np.uint8)
    return PictureSet(
        pictures, [f"picture {i}" for i in range(count)], labels=np.arange(count), label_names=("x",)
    )


def test_a_set_is_chosen_from_by_number_slice_list_and_mask() -> None:
    whole = small_set(4)
    assert len(whole) == 4
    for index, expected in (
        (1, [1]),
        (-1, [3]),
        (slice(1, 3), [1, 2]),
        ([3, 0], [3, 0]),
        (whole.labels > 2, [3]),
        ([], []),
    ):
        part = whole[index]
        assert part.captions == [f"picture {i}" for i in expected]
        assert part.labels.tolist() == expected
        np.testing.assert_array_equal(part.pictures, whole.pictures[expected])
        assert part.facts is None
    with pytest.raises(IndexError):
        whole[4]


@PROPERTY
@given(arrays.arrays(np.uint8, (2, 28, 28, 3)))
def test_tensors_keep_every_value(pictures: np.ndarray) -> None:
    tensor = PictureSet(pictures, ["a", "b"]).tensor()
    assert tensor.dtype == torch.float32
    assert tensor.shape == (2, 3, 28, 28)
    assert tensor.is_contiguous()
    assert -1 <= tensor.min() <= tensor.max() <= 1
    assert tensor[1, 2, 5, 7] == pytest.approx(int(pictures[1, 5, 7, 2]) / 127.5 - 1, abs=1e-6)
    np.testing.assert_array_equal(datasets.to_uint8(tensor), pictures)


def test_grey_pictures_have_one_channel_when_asked() -> None:
    grey = datasets.digit_pictures("test")
    assert grey.tensor(channels=1).shape == (360, 1, 28, 28)
    assert torch.equal(grey.tensor(channels=1), grey.tensor()[:, 1:2])
    np.testing.assert_array_equal(datasets.to_uint8(grey.tensor(channels=1)), grey.pictures)
    with pytest.raises(LabkitError, match="have colours"):
        small_set().tensor(channels=1)
    with pytest.raises(LabkitError, match="channels is 2"):
        small_set().tensor(channels=2)


def test_values_outside_the_range_are_cut_off() -> None:
    assert datasets.to_uint8(torch.tensor([-5.0, 0.0, 5.0])[:, None, None, None].expand(3, 3, 28, 28))[
        :, 3, 4, 1
    ].tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PictureSet(np.zeros((2, 28, 28, 3)), ["a", "b"]), "is float64"),
        (
            lambda: PictureSet(np.zeros((2, 28, 28, 3), np.uint8), ["a"]),
            r"\(2, 28, 28, 3\), not uint8 \(1, 28",
        ),
        (
            lambda: PictureSet(np.zeros((1, 28, 28, 3), np.uint8), ["a"], labels=np.arange(2)),
            "labels has 2 entries",
        ),
    ],
)
def test_columns_that_do_not_fit_are_refused(make, message: str) -> None:
    with pytest.raises(LabkitError, match=message):
        make()


# Scenes and digits


def test_scene_pictures_are_seeded_and_told_by_their_captions() -> None:
    drawn = datasets.scene_pictures(40, 1, "held_out", missing=0.3)
    again = datasets.scene_pictures(40, 1, "held_out", missing=0.3)
    np.testing.assert_array_equal(drawn.pictures, again.pictures)
    assert (drawn.captions, drawn.facts) == (again.captions, again.facts)
    assert drawn.facts == scenes.sample_scenes(40, 1, "held_out")
    assert [captions.parse(text) for text in drawn.captions] == drawn.said
    assert {captions.language_of(text) for text in drawn.captions} == set(LANGUAGES)
    other = datasets.scene_pictures(40, 1, "test")
    assert (other.pictures != drawn.pictures).any()
    english = datasets.scene_pictures(20, 1, language="en", objects=2)
    assert english.said == english.facts
    assert all(text.isascii() for text in english.captions)
    with pytest.raises(LabkitError, match="language is 'de'"):
        datasets.scene_pictures(1, 0, language="de")


def test_digits_at_28_pixels_are_the_digits_at_8() -> None:
    digits = data.load_digits()
    for split, inputs, labels in (
        ("train", digits.train_x, digits.train_y),
        ("test", digits.test_x, digits.test_y),
    ):
        large = datasets.digit_pictures(split)
        assert large.labels.tolist() == labels.tolist()
        grey = large.pictures[:, 2:26, 2:26, 0].reshape(-1, 8, 3, 8, 3) / 255
        centres = grey[:, :, 1, :, 1].reshape(-1, 64)  # cubic interpolation passes through the given points
        assert np.abs(centres - inputs.numpy()).max() < 0.003
        assert large.pictures[:, [0, -1]].max() < 10  # an empty margin
        assert large.pictures[:, :, :, 0].std() > 60


def test_no_digit_of_the_test_is_trained_on_whatever_the_seed() -> None:
    trained = {
        picture.tobytes() for seed in (0, 1) for picture in datasets.digit_pictures("train", seed).pictures
    }
    tested = {
        picture.tobytes() for seed in (0, 1) for picture in datasets.digit_pictures("test", seed).pictures
    }
    assert (len(trained), len(tested)) == (1437, 360)
    assert not trained & tested


@pytest.mark.parametrize("language", ["en", "zh", "both"])
def test_captions_of_digits_name_their_label(language: str) -> None:
    digits = datasets.digit_pictures("test", seed=3, language=language)
    assert [captions.parse_digit(text) for text in digits.captions] == digits.labels.tolist()
    assert digits.captions != datasets.digit_pictures("test", seed=4, language=language).captions
    assert digits.label_names[7] == "seven"


def test_the_held_out_split_is_for_scenes_only() -> None:
    with pytest.raises(LabkitError, match="split is 'held_out'.*train, test"):
        datasets.digit_pictures("held_out")


# MNIST by name, from a small copy


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes())


@pytest.fixture(params=["mnist", "fashion-mnist"])
def named(request, tmp_path, monkeypatch) -> tuple[str, np.ndarray]:
    """The name of a set that lies in LABKIT_DATA, and its training pictures."""
    grey = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8)
    parts = {
        "train-images-idx3-ubyte.gz": grey,
        "train-labels-idx1-ubyte.gz": np.arange(20) % 10,
        "t10k-images-idx3-ubyte.gz": grey[:5],
        "t10k-labels-idx1-ubyte.gz": np.arange(5),
    }
    folder = tmp_path / request.param
    folder.mkdir()
    members = {}
    for name, array in parts.items():
        (folder / name).write_bytes(idx(array))
        members[name] = hashlib.sha256(idx(array)).hexdigest()
    real = data.DATASETS[request.param]
    small = data.Dataset(
        **{name: getattr(real, name) for name in real.__dataclass_fields__} | {"members": members}
    )
    monkeypatch.setitem(data.DATASETS, request.param, small)
    monkeypatch.setenv("LABKIT_DATA", str(tmp_path))
    return request.param, grey


def test_pictures_by_name(named) -> None:
    name, grey = named
    train, test = datasets.named_pictures(name), datasets.named_pictures(name, "test", language="en")
    np.testing.assert_array_equal(train.pictures, np.stack([grey] * 3, axis=-1))
    assert train.labels.tolist() == [*range(10), *range(10)]
    assert len(test) == 5
    words = ("nine", "9", "九") if name == "mnist" else ("boot", "靴")
    assert any(word in train.captions[19] for word in words)
    some = datasets.named_pictures(name, count=6, seed=1)
    assert len({picture.tobytes() for picture in some.pictures}) == 6
    chosen = [int(np.nonzero((grey == picture[..., 0]).all((1, 2)))[0][0]) for picture in some.pictures]
    assert [i % 10 for i in chosen] == some.labels.tolist()
    for count in (21, -1, 1.5):
        with pytest.raises(LabkitError, match=f"count is {count}"):
            datasets.named_pictures(name, count=count)


def test_names_that_are_not_known_are_refused() -> None:
    with pytest.raises(LabkitError, match="no pictures 'cifar'.*mnist, fashion-mnist"):
        datasets.named_pictures("cifar")


# A learner's own folder


def picture(side: int | tuple[int, int] = 28, mode: str = "RGB", colour=(200, 30, 30)) -> Image.Image:
    size = (side, side) if isinstance(side, int) else side
    return Image.new(mode, size, colour)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


RED, GREEN = encoded(picture()), encoded(picture(56, colour=(0, 160, 0)))
CSV = "file_name,caption\nred.png,a red picture\ngreen.png,一张绿色的图\n"


def folder_of(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_a_folder_with_csv(tmp_path) -> None:
    own = folder_pictures(folder_of(tmp_path, {"red.png": RED, "green.png": GREEN, "captions.csv": CSV}))
    assert own.captions == ["a red picture", "一张绿色的图"]
    assert (own.pictures == np.array([[200, 30, 30], [0, 160, 0]])[:, None, None]).all()
    assert own.pictures.dtype == np.uint8
    assert own.labels is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("captions.csv", "\ufeff" + CSV.replace("\n", "\r\n") + "\r\n\r\n"),  # as Excel writes it
        ("captions.csv", CSV.replace(",", ";")),
        ("metadata.csv", CSV.replace(",", "\t")),
        ("captions.csv", 'Caption,extra,Image\n"a red picture",1,red.png\n一张绿色的图,2,green.png'),
        ("captions.csv", "图片,描述\nred.png,a red picture\ngreen.png,一张绿色的图\n"),
        (
            "captions.jsonl",
            '{"file_name": "red.png", "caption": "a red picture"}\n\n{"text": "一张绿色的图", "file": "green.png"}\n',
        ),
    ],
)
def test_lists_of_several_kinds(name: str, content: str, tmp_path) -> None:
    own = folder_pictures(folder_of(tmp_path, {"red.png": RED, "green.png": GREEN, name: content}))
    assert own.captions == ["a red picture", "一张绿色的图"]
    assert own.pictures[0, 0, 0].tolist() == [200, 30, 30]


def test_captions_may_hold_commas_and_several_lines_and_a_picture_several_captions(tmp_path) -> None:
    table = 'file,caption\nsub/red.png,"red, and\nnothing else"\nsub/red.png,once more\n'
    own = folder_pictures(folder_of(tmp_path, {"sub/red.png": RED, "captions.csv": table}))
    assert own.captions == ["red, and\nnothing else", "once more"]
    lines = '{"file": "sub/red.png", "caption": "two\u2028parts"}\n'
    (tmp_path / "captions.csv").unlink()
    assert folder_pictures(folder_of(tmp_path, {"captions.jsonl": lines})).captions == ["two\u2028parts"]


def read_one(folder: Path, content: bytes, name: str = "one.png", **options) -> np.ndarray:
    table = json.dumps({"file": name, "caption": "one"})
    return folder_pictures(folder_of(folder, {name: content, "captions.jsonl": table}), **options).pictures[0]


def test_larger_pictures_are_averaged(tmp_path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (84, 84, 3), dtype=np.uint8)
    expected = pixels.reshape(28, 3, 28, 3, 3).mean(axis=(1, 3))
    found = read_one(tmp_path, encoded(Image.fromarray(pixels)))
    assert np.abs(found - expected).max() <= 1


def test_crop_takes_the_middle(tmp_path) -> None:
    pixels = np.zeros((28, 40, 3), dtype=np.uint8)
    pixels[:, 6:34] = 255
    with pytest.raises(LabkitError, match="40x28 pixels, not square.*crop=True"):
        read_one(tmp_path, encoded(Image.fromarray(pixels)))
    assert (read_one(tmp_path, encoded(Image.fromarray(pixels)), crop=True) == 255).all()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded(picture(mode="L", colour=77)), (77, 77, 77)),
        (encoded(picture(mode="1", colour=1)), (255, 255, 255)),
        (encoded(picture(mode="RGBA", colour=(255, 0, 0, 0))), (255, 255, 255)),  # transparent: white
        (encoded(picture(mode="RGBA", colour=(255, 0, 0, 128))), (255, 127, 127)),
        (encoded(picture(mode="LA", colour=(0, 0))), (255, 255, 255)),
        (encoded(picture().quantize(4)), (200, 30, 30)),  # a palette
        (encoded(Image.fromarray(np.full((28, 28), 257 * 99, dtype=np.uint16))), (99, 99, 99)),
        (encoded(picture(), "BMP"), (200, 30, 30)),
        (encoded(picture(), "TIFF"), (200, 30, 30)),
        (encoded(picture(), "WEBP", lossless=True), (200, 30, 30)),
    ],
)
def test_modes_and_formats(content: bytes, expected: tuple, tmp_path) -> None:
    found = read_one(tmp_path, content)
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_a_photograph_is_turned_upright(tmp_path) -> None:
    image = picture(colour=(0, 0, 0))
    image.paste((255, 255, 255), (0, 0, 28, 8))  # white at the top, to be shown turned by 180 degrees
    exif = Image.Exif()
    exif[0x0112] = 3
    found = read_one(tmp_path, encoded(image, "JPEG", exif=exif, quality=100), "one.jpg")
    assert found[-4:].min() > 240
    assert found[:4].max() < 15


JSON = '{"file": "red.png", "caption": "a"}'


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"red.png": RED}, "holds no list of its pictures.*captions.csv or captions.jsonl"),
        ({"captions.csv": CSV, "captions.jsonl": JSON}, "captions.csv and captions.jsonl. Keep one"),
        ({"captions.csv": ""}, "captions.csv is empty"),
        ({"captions.csv": " \n\n"}, "captions.csv is empty"),
        ({"captions.csv": "file,caption\n"}, "has a first line and no pictures"),
        ({"captions.csv": "file,caption\nred.png,红".encode("gb18030")}, r"captions.csv is not UTF-8 \(byte 21\)"),
        ({"captions.csv": "name,caption\nred.png,a"}, "no column file_name .*among: name, caption"),
        ({"captions.csv": "file,words\nred.png,a"}, "no column caption .*among: file, words"),
        ({"captions.csv": "file,caption\nred.png,a, b"}, "line 2: 3 columns where the first line has 2.*quotation"),
        ({"captions.csv": 'file,caption\nred.png,"a'}, "line 2: not a whole line of CSV"),
        ({"captions.jsonl": '{"file": "red.png", "capt'}, "line 1: not JSON"),
        ({"captions.jsonl": f"{JSON}\n[1]"}, "line 2: not an object"),
        ({"captions.jsonl": f'{JSON}\n{{"file": "red.png"}}'}, "line 2: no column caption .*among: file"),
        ({"captions.jsonl": '{"file": 7, "caption": "a"}'}, "line 1: 7 is not a text"),
        ({"captions.csv": CSV, "red.png": RED}, "line 3: there is no file green.png"),
        ({"captions.csv": "file,caption\nred.png,\n", "red.png": RED}, "line 2: red.png has no caption"),
        ({"captions.jsonl": '{"file": "red.png", "caption": null}', "red.png": RED}, "line 1: red.png has no caption"),
        ({"captions.csv": "file,caption\n,a\n"}, "line 2: no file is named"),
        ({"captions.csv": "file,caption\n../red.png,a\n"}, r"line 2: \.\./red.png lies outside the folder"),
        ({"captions.csv": f"file,caption\n{'x' * 300}.png,a\n"}, "line 2: "),
        ({"captions.jsonl": '{"file": "a\\u0000b", "caption": "a"}'}, "is no name of a file"),
        ({"captions.csv": CSV, "red.png": RED, "green.png": b"not a picture"}, "line 3: green.png is no picture"),
        ({"captions.csv": CSV, "red.png": RED, "green.png": b""}, "line 3: green.png is no picture"),
        ({"captions.csv": CSV, "red.png": RED, "green.png": GREEN[:-30]}, "line 3: green.png is not a whole picture"),
        ({"captions.csv": CSV, "red.png": RED, "green.png": encoded(picture(27))}, "27x27 pixels; accepted are 28 to 4,096"),
        ({"captions.csv": CSV, "red.png": RED, "green.png": encoded(picture((4097, 28)))}, "4097x28 pixels; accepted"),
        ({"captions.csv": CSV, "red.png": RED, "green.png": encoded(picture((30, 29)))}, "30x29 pixels, not square"),
        (
            {"captions.csv": CSV, "red.png": RED, "green.png": encoded(picture(), "GIF", save_all=True, append_images=[picture(colour=0)])},
            "green.png has 2 frames",
        ),
        (
            {"captions.csv": CSV, "red.png": RED, "green.png": encoded(Image.new("F", (28, 28)), "TIFF")},
            "green.png has 32 bits a pixel",
        ),
        ({"captions.csv": CSV, "red.png": RED, "green.png": GREEN, "sub/blue.JPG": RED}, "sub/blue.JPG is in the folder and not in"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_with_a_folder_is_named(files: dict, message: str, tmp_path) -> None:
    with pytest.raises(LabkitError, match=message):
        folder_pictures(folder_of(tmp_path / "own", files))


def test_five_problems_are_named_and_the_others_counted(tmp_path) -> None:
    table = "file,caption\n" + "".join(f"{i}.png,a\n" for i in range(8))
    with pytest.raises(
        LabkitError, match="line 2: .*line 6: there is no file 4.png; and 3 more. Correct"
    ) as caught:
        folder_pictures(folder_of(tmp_path, {"captions.csv": table}))
    assert "line 7" not in str(caught.value)
    with pytest.raises(LabkitError, match="no folder"):
        folder_pictures(tmp_path / "nowhere")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path) -> None:
    header = encoded(picture())
    huge = header[:16] + (60_000).to_bytes(4, "big") * 2 + header[24:29]
    huge += zlib.crc32(huge[12:29]).to_bytes(4, "big") + header[33:]
    with pytest.raises(LabkitError, match="60000x60000 pixels; accepted|not a whole picture"):
        read_one(tmp_path, huge)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_damaged_picture_is_read_or_refused(kind: str, tmp_path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    whole = encoded(Image.fromarray(pixels), kind)
    rng, refusals = random.Random(0), []
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(rng.choice((1, 4))):
            damaged[rng.randrange(min(len(damaged), 400))] = rng.randrange(256)
        length = rng.choice((len(whole), rng.randrange(len(whole))))
        try:
            found = read_one(tmp_path, bytes(damaged[:length]))
        except LabkitError as error:
            refusals.append(str(error))
        else:
            assert found.shape == (28, 28, 3)
    assert refusals
    assert all("line 1: one.png" in refusal for refusal in refusals)
