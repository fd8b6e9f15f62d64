"""A learner's own folder of pictures with captions.

The folder holds pictures, in subfolders too, and one list of them: ``captions.csv``, ``captions.jsonl``,
``metadata.csv`` or ``metadata.jsonl`` in UTF-8, with the columns (keys) ``file_name`` and ``caption`` or similar names.

Accepted are PNG, JPEG, GIF, BMP, TIFF and WebP pictures that are square and 28 to 4,096 pixels wide. Larger ones than
28x28 are brought down by averaging; transparent ones are laid on white. Nothing is enlarged, stretched, guessed or
skipped: whatever is wrong is named with its line, and nothing is read.
"""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from labkit.common import LabkitError
from labkit.image.datasets import PictureSet
from labkit.image.scenes import PICTURE_SIZE

if TYPE_CHECKING:
    from PIL import Image

LISTS = ("captions.csv", "captions.jsonl", "metadata.csv", "metadata.jsonl")
FILE_COLUMNS = ("file_name", "file", "filename", "image", "picture", "path", "文件名", "文件", "图片")
CAPTION_COLUMNS = ("caption", "text", "description", "描述", "说明", "标题")
DELIMITERS = (",", ";", "\t")
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp")
LARGEST = 4096  # pixels
SHOWN = 5  # problems in a message


class _Row(NamedTuple):
    line: int
    file: str
    caption: str


def folder_pictures(folder: Path | str, crop: bool = False) -> PictureSet:
    """The pictures of a folder at 28x28, in the order of their list; several lines may caption one picture.

    With ``crop`` the middle square is taken of a picture that is not square. Raises LabkitError, which names up to
    five problems: no folder, no list or two, a list that is empty, not UTF-8, broken or without the columns; a line
    without a file or caption, with a file that is not there, lies outside or is no whole picture, or whose picture is
    too small, too large, not square or moves; a picture that is not in the list.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise LabkitError(f"There is no folder {folder}. Give one that holds pictures and {LISTS[0]}.")
    table = _find_list(folder)
    rows = _read_rows(table)
    pictures, problems = [], []
    for row in rows:
        try:
            pictures.append(_read_picture(_locate(row, folder), row.file, crop))
            if not row.caption:
                raise _Problem(f"{row.file} has no caption")
        except _Problem as problem:
            problems.append(f"line {row.line}: {problem}")
    problems += [f"{name} is in the folder and not in the list" for name in _unlisted(folder, rows)]
    if problems:
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise LabkitError(
            f"{table} cannot be used: {'; '.join(problems[:SHOWN])}{more}. Correct or remove them."
        )
    return PictureSet(np.stack(pictures), [row.caption for row in rows])


class _Problem(Exception):
    """What is wrong with one line."""


# The list


def _find_list(folder: Path) -> Path:
    found = [folder / name for name in LISTS if (folder / name).is_file()]
    if len(found) == 1:
        return found[0]
    if not found:
        raise LabkitError(f"{folder} holds no list of its pictures. Write one: {LISTS[0]} or {LISTS[1]}.")
    names = " and ".join(path.name for path in found)
    raise LabkitError(f"{folder} holds {names}. Keep one list.")


def _read_rows(table: Path) -> list[_Row]:
    try:
        text = table.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabkitError(f"{table} is not UTF-8 (byte {error.start:,}). Save it as UTF-8.") from None
    except OSError as error:
        raise LabkitError(f"{table} cannot be read ({error.strerror or error}).") from None
    if not text.strip():
        raise LabkitError(f"{table} is empty. Write a line for each picture: its file and its caption.")
    rows = list(_csv_rows(table, text) if table.suffix == ".csv" else _json_rows(table, text))
    if not rows:
        raise LabkitError(
            f"{table} has a first line and no pictures. Write a line for each: its file and its caption."
        )
    return rows


def _csv_rows(table: Path, text: str) -> Iterator[_Row]:
    first = text.splitlines()[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(reader)
        file, caption = (_column(table, header, names) for names in (FILE_COLUMNS, CAPTION_COLUMNS))
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise LabkitError(
                    f"{table}, line {reader.line_num}: {len(cells)} columns where the first line has {len(header)}. "
                    "Put a caption that holds a comma into quotation marks."
                )
            yield _Row(reader.line_num, cells[file].strip(), cells[caption].strip())
    except csv.Error as error:
        raise LabkitError(f"{table}, line {reader.line_num}: not a whole line of CSV ({error}).") from None


def _json_rows(table: Path, text: str) -> Iterator[_Row]:
    for number, line in enumerate(text.split("\n"), start=1):  # not splitlines: a JSON string may hold U+2028
        if not line.strip():
            continue
        try:
            entry: Any = json.loads(line)
        except ValueError as error:
            raise LabkitError(f"{table}, line {number}: not JSON ({error}).") from None
        if not isinstance(entry, dict):
            raise LabkitError(
                f'{table}, line {number}: not an object. Write {{"file_name": …, "caption": …}}.'
            )
        keys = list(entry)
        values = []
        for names in (FILE_COLUMNS, CAPTION_COLUMNS):
            value = entry[keys[_column(f"{table}, line {number}", keys, names)]]
            if not isinstance(value, str | None):
                raise LabkitError(f"{table}, line {number}: {value!r} is not a text.")
            values.append((value or "").strip())
        yield _Row(number, *values)


def _column(where: Path | str, header: list[str], names: tuple[str, ...]) -> int:
    """Which column has one of the names; the name that stands first is preferred."""
    lower = [title.strip().lower() for title in header]
    for name in names:
        if name in lower:
            return lower.index(name)
    found = ", ".join(header)
    raise LabkitError(
        f"{where}: no column {names[0]} (or {', '.join(names[1:])}) among: {found}. Name one so."
    )


# The pictures


def _locate(row: _Row, folder: Path) -> Path:
    if not row.file:
        raise _Problem("no file is named")
    try:
        path = (folder / row.file).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise _Problem(f"{row.file} lies outside the folder")
        if not path.is_file():
            raise _Problem(f"there is no file {row.file}")
    except (OSError, ValueError) as error:  # a name too long, or with a zero byte
        raise _Problem(f"{row.file!r} is no name of a file ({error})") from None
    return path


def _read_picture(path: Path, name: str, crop: bool) -> np.ndarray:
    """uint8 (28, 28, 3). Raises _Problem."""
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=FORMATS) as image:
            _check_size(image, name, crop)  # before the pixels are unpacked
            return _bring_down(_rgb(image, name))
    except Image.UnidentifiedImageError:
        raise _Problem(f"{name} is no picture that is known ({', '.join(FORMATS)})") from None
    except _Problem:
        raise
    except Exception as error:  # decoders fail on damaged files in more ways than they document
        raise _Problem(f"{name} is not a whole picture ({error})") from None


def _check_size(image: Image.Image, name: str, crop: bool) -> None:
    width, height = image.size
    if getattr(image, "n_frames", 1) > 1:
        raise _Problem(f"{name} has {image.n_frames} frames, not one")
    if min(width, height) < PICTURE_SIZE or max(width, height) > LARGEST:
        raise _Problem(
            f"{name} is {width}x{height} pixels; accepted are {PICTURE_SIZE} to {LARGEST:,} a side"
        )
    if width != height and not crop:
        raise _Problem(f"{name} is {width}x{height} pixels, not square: cut it, or use crop=True")


def _rgb(image: Image.Image, name: str) -> Image.Image:
    """Upright, in RGB; what is transparent becomes white."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) // 257).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise _Problem(f"{name} has 32 bits a pixel: save it with 8 bits a colour")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _bring_down(image: Image.Image) -> np.ndarray:
    """The middle square at 28x28, each pixel the mean of what it covers."""
    from PIL import Image

    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((PICTURE_SIZE, PICTURE_SIZE), Image.Resampling.BOX))


def _unlisted(folder: Path, rows: list[_Row]) -> list[str]:
    """Pictures that lie in the folder and have no line."""
    listed = {(folder / row.file).resolve() for row in rows if row.file and "\0" not in row.file}
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    visible = (
        path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    return sorted(path.relative_to(folder).as_posix() for path in visible if path.resolve() not in listed)
