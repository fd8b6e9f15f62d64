"""Phones to mel: a text encoder, a duration predictor, a length regulator and a mel decoder, recurrent or convolutional."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from labkit.common import LabkitError
from labkit.speech.frontend import Phone
from labkit.speech.mel import BANDS

FORMS = ("plain", "recurrent", "convolutional")
UNKNOWN = "<unk>"
PADDING = 0  # of both inventories; what is unknown comes next
PLACE_FEATURES = 6
LONGEST_PHONE = 60  # frames; 0.7 s


@dataclass(frozen=True)
class Inventory:
    """The symbols and marks that a model knows, in the order of their ids behind padding and the unknown."""

    symbols: tuple[str, ...]
    marks: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Iterable[Sequence[Phone]]) -> Inventory:
        """What these phones need, sorted."""
        phones = {phone for sentence in sentences for phone in sentence}
        return cls(
            tuple(sorted({phone.symbol for phone in phones})), tuple(sorted({phone.mark for phone in phones}))
        )

    def ids(self, phones: Sequence[Phone]) -> Tensor:
        """int64 (P, 2): symbol and mark; what is not known has the id 1."""
        symbols = {symbol: number for number, symbol in enumerate(self.symbols, start=2)}
        marks = {mark: number for number, mark in enumerate(self.marks, start=2)}
        rows = [(symbols.get(phone.symbol, 1), marks.get(phone.mark, 1)) for phone in phones]
        return torch.tensor(rows, dtype=torch.int64).reshape(-1, 2)


@dataclass(frozen=True)
class AcousticConfig:
    """Shape of an acoustic model.

    ``plain`` gives every phone the same frames wherever it stands; ``recurrent`` runs an LSTM over the frames in both
    directions; ``convolutional`` computes all frames at once.
    """

    inventory: Inventory
    form: str = "convolutional"
    hidden_size: int = 128
    encoder_layers: int = 3
    decoder_layers: int = 3
    kernel_size: int = 7
    frames_per_step: int = 2
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise LabkitError(f"AcousticConfig.form is {self.form!r}. Set it to one of: {', '.join(FORMS)}.")
        for name in ("hidden_size", "encoder_layers", "decoder_layers", "kernel_size", "frames_per_step"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise LabkitError(f"AcousticConfig.{name} is {value!r}. Give a whole number from 1.")
        if self.hidden_size % 2:
            raise LabkitError(f"AcousticConfig.hidden_size is {self.hidden_size}. Give an even number.")
        if self.kernel_size % 2 == 0:
            raise LabkitError(f"AcousticConfig.kernel_size is {self.kernel_size}. Give an odd number.")
        if not 0 <= self.dropout < 1:
            raise LabkitError(f"AcousticConfig.dropout is {self.dropout!r}. Give a number from 0 to below 1.")


class ConvolutionBlock(nn.Module):
    """x + W2 relu(W1 conv(norm(x))): neighbours are mixed channel by channel, then channels place by place.

    Liu et al. 2022 (arXiv:2201.03545, section 2.6), in one dimension.
    """

    def __init__(self, size: int, kernel_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.mix = nn.Conv1d(size, size, kernel_size, padding=kernel_size // 2, groups=size)
        self.widen = nn.Linear(size, 2 * size)
        self.narrow = nn.Linear(2 * size, size)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.narrow.bias)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """``x`` (B, T, H) with ``visible`` (B, T, 1), zero at padding."""
        mixed = self.mix((self.norm(x) * visible).transpose(1, 2)).transpose(1, 2)
        return x + self.dropout(self.narrow(F.relu(self.widen(mixed)))) * visible


class TextEncoder(nn.Module):
    """Phones (B, P, 2) to vectors (B, P, H) that know their neighbours, by convolutions, or a GRU over the sentence."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.symbol = nn.Embedding(len(config.inventory.symbols) + 2, size, padding_idx=PADDING)
        self.mark = nn.Embedding(len(config.inventory.marks) + 2, size, padding_idx=PADDING)
        for embedding in (self.symbol, self.mark):
            nn.init.normal_(embedding.weight, std=0.5)
            with torch.no_grad():
                embedding.weight[PADDING] = 0
        self.form = config.form
        if self.form == "recurrent":
            self.gru = nn.GRU(size, size // 2, batch_first=True, bidirectional=True)
        elif self.form == "convolutional":
            self.blocks = nn.ModuleList(
                ConvolutionBlock(size, config.kernel_size, config.dropout)
                for _ in range(config.encoder_layers)
            )

    def forward(self, phones: Tensor) -> Tensor:
        visible = (phones[..., :1] != PADDING).float()  # (B, P, 1)
        x = self.symbol(phones[..., 0]) + self.mark(phones[..., 1])  # (B, P, H)
        if self.form == "recurrent":
            return x + run_packed(self.gru, x, visible)
        if self.form == "convolutional":
            for block in self.blocks:
                x = block(x, visible)
        return x


def run_packed(network: nn.Module, x: Tensor, visible: Tensor) -> Tensor:
    """A recurrent network over rows of different lengths, (B, T, H): no direction begins in the padding."""
    lengths = visible[..., 0].sum(1).long().cpu()
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    return nn.utils.rnn.pad_packed_sequence(network(packed)[0], batch_first=True, total_length=x.shape[1])[0]


class DurationPredictor(nn.Module):
    """Vectors of phones (B, P, H) to ln(1 + frames), (B, P). Ren et al. 2020 (arXiv:2006.04558, section 2.3)."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.block = ConvolutionBlock(size, config.kernel_size) if config.form != "plain" else None
        self.last = nn.Linear(size, 1)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        if self.block is not None:
            x = self.block(x, visible)
        return self.last(x)[..., 0] * visible[..., 0]


def regulate_length(x: Tensor, durations: Tensor) -> tuple[Tensor, Tensor]:
    """Repeat each phone's vector as often as it has frames; and tell each frame its place in the phone.

    ``x`` (B, P, H), ``durations`` int64 (B, P) -> (B, T, H) and features (B, T, 6), both zero behind the end.
    Ren et al. 2019 (arXiv:1905.09263, section 3.2).
    """
    B, P, H = x.shape
    ends = durations.cumsum(1)  # (B, P)
    T = int(ends[:, -1].max())
    frames = torch.arange(T).expand(B, T).contiguous()
    phone = torch.searchsorted(ends, frames, right=True).clamp(max=P - 1)  # (B, T)
    visible = (frames < ends[:, -1:]).float()[..., None]  # (B, T, 1)
    repeated = x.gather(1, phone[..., None].expand(-1, -1, H)) * visible
    length = durations.gather(1, phone).float()
    place = (frames - (ends - durations).gather(1, phone)).float() + 0.5
    left = length - place
    features = torch.stack(
        [
            place / length.clamp(min=1),
            length.log1p(),
            place.clamp(max=10) / 5,
            left.clamp(-1, 10) / 5,
            torch.exp(-place),
            torch.exp(-left.clamp(min=0)),
        ],
        dim=-1,
    )
    return repeated, features * visible


class MelDecoder(nn.Module):
    """Vectors of frames (B, T, H) to 80 bands (B, T, 80), in units of each band's standard deviation.

    It computes ``frames_per_step`` frames at once, as Tacotron did (Wang et al. 2017, arXiv:1703.10135, section 3.4):
    half the steps cost half the time.
    """

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        size, self.form, self.together = config.hidden_size, config.form, config.frames_per_step
        if self.form == "plain":
            self.last = nn.Linear(size, BANDS)
            return
        self.first = nn.Linear((size + PLACE_FEATURES) * self.together, size)
        if self.form == "recurrent":
            self.lstm = nn.LSTM(size, size // 2, batch_first=True, bidirectional=True)
        else:
            self.blocks = nn.ModuleList(
                ConvolutionBlock(size, config.kernel_size, config.dropout)
                for _ in range(config.decoder_layers)
            )
        self.norm = nn.LayerNorm(size)
        self.last = nn.Linear(size, BANDS * self.together)

    def forward(self, x: Tensor, places: Tensor, visible: Tensor) -> Tensor:
        if self.form == "plain":
            return self.last(x)
        B, T, _ = x.shape
        x, visible = self._fold(torch.cat([x, places], 2)), self._fold(visible)[..., :1]
        x = F.relu(self.first(x))  # (B, T / r, H)
        if self.form == "recurrent":
            x = x + run_packed(self.lstm, x, visible)
        else:
            for block in self.blocks:
                x = block(x, visible)
        return self.last(self.norm(x)).reshape(B, -1, BANDS)[:, :T]

    def _fold(self, x: Tensor) -> Tensor:
        """(B, T, C) to (B, T / r, r C), with zeros behind the end."""
        B, T, C = x.shape
        missing = -T % self.together
        return F.pad(x, (0, 0, 0, missing)).reshape(B, (T + missing) // self.together, C * self.together)


class AcousticModel(nn.Module):
    """Phones to a log-mel spectrogram, in three parts that can be looked at, and replaced, one by one."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = TextEncoder(config)
        self.duration_predictor = DurationPredictor(config)
        self.decoder = MelDecoder(config)
        self.register_buffer("band_mean", torch.zeros(BANDS))
        self.register_buffer("band_deviation", torch.ones(BANDS))

    def forward(self, phones: Tensor, durations: Tensor) -> tuple[Tensor, Tensor]:
        """Normalized bands (B, T, 80) and ln(1 + frames) (B, P) from phones (B, P, 2) and their true frames (B, P)."""
        x = self.encoder(phones)
        visible = (phones[..., :1] != PADDING).float()
        return self.decode(x, durations), self.duration_predictor(x, visible)

    def decode(self, x: Tensor, durations: Tensor) -> Tensor:
        """Normalized bands (B, T, 80) from the encoder's vectors (B, P, H) and the frames of each (B, P)."""
        repeated, places = regulate_length(x, durations)
        total = durations.sum(1, keepdim=True)
        visible = (torch.arange(repeated.shape[1]) < total).float()[..., None]
        return self.decoder(repeated, places, visible)

    @torch.no_grad()
    def durations(self, phones: Sequence[Phone]) -> Tensor:
        """The frames that the model gives each phone, as floats (P,)."""
        ids = self.config.inventory.ids(phones)[None]
        visible = torch.ones(1, ids.shape[1], 1)
        return self.duration_predictor(self.encoder(ids), visible)[0].expm1().clamp(0, LONGEST_PHONE)

    @torch.no_grad()
    def mel(self, phones: Sequence[Phone], frames: Sequence[int] | Tensor) -> Tensor:
        """Log-mel (T, 80) of the phones, each as long as ``frames`` says."""
        ids = self.config.inventory.ids(phones)[None]
        durations = torch.as_tensor(frames, dtype=torch.int64)[None]
        if durations.shape != ids.shape[:2] or int(durations.min()) < 0 or int(durations.sum()) < 1:
            raise LabkitError(
                f"frames has shape {tuple(durations.shape[1:])} for {ids.shape[1]} phones. Give each phone a whole "
                "number of frames from 0, and at least one frame in all."
            )
        return self.decode(self.encoder(ids), durations)[0] * self.band_deviation + self.band_mean


def whole_frames(durations: Tensor) -> Tensor:
    """Durations (P,) as whole frames whose sum never drifts: the ends are rounded, not the parts."""
    ends = durations.cumsum(0).round().long()
    return torch.diff(ends, prepend=torch.zeros(1, dtype=torch.int64))
