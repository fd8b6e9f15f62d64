"""labkit.text.lstm: the state is carried, cut off from the graph, and never taken for a tensor."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from labkit.text.lstm import LSTMConfig, LSTMLanguageModel, detach_state, reorder_state

SHAPES = {
    "tied": LSTMConfig(31, 16, 16),
    "projected": LSTMConfig(31, 16, 24, num_layers=1),
    "untied": LSTMConfig(31, 16, 24, tie_embeddings=False),
}


@pytest.fixture(params=SHAPES)
def model(request) -> LSTMLanguageModel:
    torch.manual_seed(0)
    return LSTMLanguageModel(SHAPES[request.param])


def tokens_of(rows: int, length: int) -> torch.Tensor:
    return torch.randint(31, (rows, length), generator=torch.Generator().manual_seed(1))


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    return 1 / (1 + torch.exp(-x))


@torch.no_grad()
def test_logits_are_those_of_the_equations(model):
    """Hochreiter and Schmidhuber's cell with a forget gate, written out, layer by layer and step by step."""
    tokens = tokens_of(2, 5)
    x = list(model.embedding.weight[tokens].unbind(1))
    for layer in range(model.config.num_layers):
        W, U = getattr(model.lstm, f"weight_ih_l{layer}"), getattr(model.lstm, f"weight_hh_l{layer}")
        b = getattr(model.lstm, f"bias_ih_l{layer}") + getattr(model.lstm, f"bias_hh_l{layer}")
        h = c = torch.zeros(2, model.config.hidden_size)
        for t, value in enumerate(x):
            i, f, g, o = (value @ W.T + h @ U.T + b).chunk(4, 1)
            c = sigmoid(f) * c + sigmoid(i) * torch.tanh(g)
            h = sigmoid(o) * torch.tanh(c)
            x[t] = h
    out = torch.stack(x, 1)
    if model.projection is not None:
        out = out @ model.projection.weight.T
    expected = out @ model.output.weight.T + model.output.bias
    logits, (hidden, cell) = model(tokens)
    torch.testing.assert_close(logits, expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(hidden[-1], h)
    torch.testing.assert_close(cell[-1], c)


@torch.no_grad()
def test_a_carried_state_gives_one_long_pass(model):
    tokens, state, pieces = tokens_of(3, 12), None, []
    for piece in tokens.split((5, 1, 6), 1):
        logits, state = model(piece, state)
        state = detach_state(state)
        pieces.append(logits)
    whole, end = model(tokens)
    torch.testing.assert_close(torch.cat(pieces, 1), whole, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(state, end, atol=1e-6, rtol=1e-5)
    forgotten, _ = model(tokens[:, 5:])
    assert (forgotten - whole[:, 5:]).abs().max() > 1e-3  # so the comparison can fail


def test_detaching_stops_gradients_and_keeping_the_graph_fails(model):
    tokens = tokens_of(2, 8)

    def gradient_at_first_tokens(cut: bool) -> torch.Tensor:
        seen = []
        hook = model.embedding.register_forward_hook(
            lambda _m, _i, out: (out.retain_grad(), seen.append(out))[0]
        )
        _, state = model(tokens[:, :4])
        logits, _ = model(tokens[:, 4:], detach_state(state) if cut else state)
        logits.sum().backward()
        hook.remove()
        return seen[0].grad

    assert gradient_at_first_tokens(cut=True) is None
    assert gradient_at_first_tokens(cut=False).abs().sum() > 0

    _, state = model(tokens)
    for part, cut in zip(state, detach_state(state), strict=True):
        assert part.requires_grad
        assert not cut.requires_grad
        assert torch.equal(part, cut)
    logits, state = model(tokens)
    logits.sum().backward()
    logits, _ = model(tokens, state)
    with pytest.raises(RuntimeError, match="second time"):
        logits.sum().backward()


def test_tied_weights_are_one_and_untied_ones_two():
    tied = LSTMLanguageModel(SHAPES["projected"])
    assert tied.output.weight is tied.embedding.weight
    assert tied.output.weight.data_ptr() == tied.embedding.weight.data_ptr()
    V, E, H = 31, 16, 24
    cell = 4 * H * (E + H) + 8 * H
    assert tied.num_parameters() == V * E + cell + H * E + V
    untied = LSTMLanguageModel(SHAPES["untied"])
    assert untied.output.weight.data_ptr() != untied.embedding.weight.data_ptr()
    assert untied.num_parameters() == V * E + cell + 4 * H * 2 * H + 8 * H + V * H + V
    logits, _ = tied(tokens_of(2, 4))
    F.cross_entropy(logits.flatten(0, 1), tokens_of(2, 4).flatten()).backward()
    torch.optim.SGD(tied.parameters(), 0.1).step()
    assert torch.equal(tied.output.weight, tied.embedding.weight)


def test_dropout_works_in_training_only():
    torch.manual_seed(0)
    model, tokens = LSTMLanguageModel(LSTMConfig(31, 16, 16, dropout=0.5)), tokens_of(2, 6)
    assert not torch.equal(model(tokens)[0], model(tokens)[0])
    model.eval()
    assert torch.equal(model(tokens)[0], model(tokens)[0])
    assert (
        LSTMLanguageModel(LSTMConfig(31, num_layers=1, dropout=0.5)).lstm.dropout == 0
    )  # or torch would warn


def test_the_start_is_sound_and_a_few_steps_learn(model):
    tokens = tokens_of(1, 12)
    losses = []
    optimizer = torch.optim.AdamW(model.parameters(), 3e-2)
    for _ in range(60):
        optimizer.zero_grad()
        logits, _ = model(tokens[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(math.log(31), abs=0.2)
    assert losses[-1] < 0.1 * losses[0]


@torch.no_grad()
def test_rows_of_the_state_move_and_multiply(model):
    tokens, following = tokens_of(3, 5), tokens_of(4, 1)
    rows = torch.tensor([2, 0, 0, 1])
    found, _ = model(following, reorder_state(model(tokens)[1], rows))
    whole, _ = model(torch.cat((tokens[rows], following), 1))
    torch.testing.assert_close(found, whole[:, -1:], atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_no_state_is_a_state_of_zeros(model):
    tokens = tokens_of(2, 4)
    torch.testing.assert_close(model(tokens)[0], model(tokens, model.initial_state(2))[0], atol=0, rtol=0)


@pytest.mark.parametrize("use", ["forward", "detach", "reorder"])
def test_a_bare_tensor_is_no_state(model, use):
    tokens = tokens_of(2, 4)
    _, (hidden, cell) = model(tokens)
    call = {
        "forward": lambda state: model(tokens, state),
        "detach": detach_state,
        "reorder": lambda state: reorder_state(state, torch.tensor([0])),
    }[use]
    with pytest.raises(ValueError, match=r"state is one tensor of shape .*pair \(hidden, cell\)"):
        call(hidden)
    for wrong in ((hidden,), (hidden, cell, cell), (hidden, None), {"hidden": hidden}):
        with pytest.raises(ValueError, match=r"state must be the pair \(hidden, cell\)"):
            call(wrong)


def test_a_state_of_another_batch_is_refused_by_name(model):
    _, (hidden, cell) = model(tokens_of(3, 4))
    with pytest.raises(ValueError, match="state: hidden must have shape"):
        model(tokens_of(2, 4), (hidden, cell))
    with pytest.raises(ValueError, match="state: cell must have shape"):
        model(tokens_of(3, 4), (hidden, cell[..., :-1]))


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.zeros(1, 3), "integer ids.*float32"),
        ("text", "integer ids.*str"),
        (torch.zeros(3, dtype=torch.long), "batch, time"),
        (torch.zeros(2, 0, dtype=torch.long), "not empty"),
        (torch.tensor([[31]]), "token id 31 .* 31"),
        (torch.tensor([[-1]]), "token id -1"),
    ],
)
def test_tokens_that_cannot_be_read_are_refused_by_name(model, tokens, message):
    with pytest.raises(ValueError, match=message):
        model(tokens)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vocab_size", 0),
        ("embedding_size", 1.5),
        ("hidden_size", True),
        ("num_layers", -1),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", math.nan),
        ("tie_embeddings", "yes"),
    ],
)
def test_wrong_values_are_refused_by_field(field, value):
    with pytest.raises(ValueError, match=field):
        LSTMConfig(**{"vocab_size": 31, field: value})
