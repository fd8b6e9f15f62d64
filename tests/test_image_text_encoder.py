"""Captions as vectors."""

import pytest
import torch

from labkit.common import LabkitError
from labkit.image.text_encoder import PADDING, Encoded, TextConfig, TextEncoder

WORDS = torch.tensor([[2, 3, 4, 5], [4, 3, 0, 0], [0, 0, 0, 0]])


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    encoder = TextEncoder(TextConfig(9, embedding_size=5, hidden_size=6))
    with torch.no_grad():
        encoder.no_word.normal_()  # zeros would hide which of the two is used
        encoder.no_sentence.normal_()
    return encoder


def test_a_gru_stepped_by_hand_gives_the_same_words_and_sentence(encoder):
    weights = dict(encoder.reader.named_parameters())

    def states(ids, suffix):
        state, rows = torch.zeros(3), []
        for token in ids:
            x = weights[f"weight_ih_l0{suffix}"] @ encoder.embedding.weight[token]
            x = (x + weights[f"bias_ih_l0{suffix}"]).chunk(3)
            h = (weights[f"weight_hh_l0{suffix}"] @ state + weights[f"bias_hh_l0{suffix}"]).chunk(3)
            reset, update = (x[0] + h[0]).sigmoid(), (x[1] + h[1]).sigmoid()
            state = (1 - update) * (x[2] + reset * h[2]).tanh() + update * state
            rows.append(state)
        return rows

    forwards, backwards = states([4, 3], ""), states([3, 4], "_reverse")
    text = encoder(WORDS)
    expected = torch.stack([torch.cat([forwards[0], backwards[1]]), torch.cat([forwards[1], backwards[0]])])
    torch.testing.assert_close(text.words[1, 1:3], expected)
    torch.testing.assert_close(text.sentence[1], encoder.sentence(torch.cat([forwards[1], backwards[1]])))


def test_padding_changes_nothing(encoder):
    long, short = encoder(WORDS), encoder(WORDS[1:2, :2])
    torch.testing.assert_close(long.sentence[1], short.sentence[0])
    torch.testing.assert_close(long.words[1, :3], short.words[0])
    assert long.visible.tolist() == [[True] * 5, [True] * 3 + [False] * 2, [True] + [False] * 4]


def test_the_order_of_words_matters(encoder):
    text = encoder(torch.tensor([[2, 3], [3, 2]]))
    assert not torch.allclose(text.sentence[0], text.sentence[1], atol=1e-3)


def test_dropped_captions_are_as_empty_ones(encoder):
    text = encoder(WORDS, dropped=torch.tensor([True, False, False]))
    kept = encoder(WORDS)
    for row in (0, 2):
        torch.testing.assert_close(text.sentence[row], encoder.no_sentence.data)
        torch.testing.assert_close(text.words[row, 0], encoder.no_word.data)
        assert text.visible[row].tolist() == [True, False, False, False, False]
    torch.testing.assert_close(text.sentence[1], kept.sentence[1])
    torch.testing.assert_close(text.visible[1], kept.visible[1])


def test_parts_are_laid_end_to_end(encoder):
    text = encoder(WORDS)
    again = Encoded.cat([text[:1], text[torch.tensor([1, 2])]])
    assert len(again) == 3
    torch.testing.assert_close(again.words, text.words)
    assert again.visible.equal(text.visible)


@pytest.mark.parametrize(
    ("field", "value"),
    [("vocab_size", 0), ("embedding_size", 2.0), ("hidden_size", 7), ("hidden_size", True)],
)
def test_wrong_sizes_are_named(field, value):
    with pytest.raises(LabkitError, match=field):
        TextConfig(**{"vocab_size": 9, "embedding_size": 4, "hidden_size": 6} | {field: value})


def test_the_padding_has_no_vector(encoder):
    assert encoder.embedding.weight[PADDING].count_nonzero() == 0
