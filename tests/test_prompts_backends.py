"""labkit.prompts.backends: small random models, whose replies are compared with decoding done by hand."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from labkit.common import LabkitError
from labkit.prompts import backends
from labkit.prompts.backends import LocalBackend, TransformersBackend
from labkit.prompts.messages import Message, Settings, chat_text
from labkit.text.decoding import Sampling, generate
from labkit.text.gpt_config import GPTConfig
from labkit.text.pretrained import save_pretrained
from labkit.text.tokenizer import BPETokenizer, CharTokenizer
from tests.small_models import drawn_gpt

POSITIONS = 256
CONFIG = GPTConfig(320, 32, num_layers=2, num_heads=4, num_kv_heads=2, max_positions=POSITIONS)
TEXT = "user system assistant: When does the bakery open? 小镇的面包店几点开门？ It opens at eight."
IM_START, IM_END = 3, 4
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if not enable_thinking %}<think></think>{% endif %}{% endif %}"
)
QUESTIONS = [
    [Message("user", "When does the bakery open?")],
    [Message("system", "Answer shortly."), Message("user", "面包店几点开门？")],
    [Message("user", "a"), Message("assistant", "b"), Message("user", "It opens at eight. " * 4)],
    [Message("user", "")],
    [Message("user", "system")],
]


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def tokenizer() -> BPETokenizer:
    return BPETokenizer.train([TEXT] * 3, 320)


@pytest.fixture(scope="module")
def model():
    return spread(drawn_gpt(CONFIG))


def spread(model):
    """Weights so large that the likeliest token changes from step to step."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim == 2:
                weight.copy_(0.3 * torch.randn(weight.shape, generator=generator))
    return model


@pytest.fixture(scope="module")
def backend(model, tokenizer) -> LocalBackend:
    return LocalBackend(model, tokenizer, "small", batch_size=2)


@pytest.fixture
def folder(tmp_path, model, tokenizer):
    return save_pretrained(model, tmp_path / "tiny-qwen3", tokenizer)


def with_template(folder, template: str = CHATML):
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder


def counts(reply):
    return reply.text, reply.prompt_tokens, reply.reply_tokens, reply.finish


def forced(monkeypatch, rows: list[list[int]]):
    """Let the model write these tokens, whatever it is asked."""
    left = iter(rows)
    monkeypatch.setattr(
        "labkit.text.decoding.generate", lambda model, prompts, **options: [next(left) for _ in prompts]
    )


# ---------------------------------------------------------------------------------------------------------------
# The local model


def test_a_reply_is_what_decoding_by_hand_gives(backend, model, tokenizer):
    settings = Settings(max_tokens=12)
    for question, reply in zip(QUESTIONS, backend.complete(QUESTIONS, settings), strict=True):
        prompt = tokenizer.encode(chat_text(question), allow_special=True)
        (row,) = generate(model, [prompt], max_new_tokens=12, stop_ids=[IM_END, tokenizer.eos_id])
        assert reply.text == tokenizer.decode(row, skip_special=True)
        assert (reply.prompt_tokens, reply.reply_tokens) == (len(prompt), len(row))
        assert reply.finish == ("length" if len(row) == 12 else "stop")
        assert reply.seconds > 0
        assert not reply.cached


@pytest.mark.parametrize("settings", [Settings(max_tokens=30), Settings(0.8, 0.9, 30, seed=3)])
def test_a_reply_does_not_depend_on_what_is_asked_beside_it(model, tokenizer, settings):
    together = LocalBackend(model, tokenizer).complete(QUESTIONS, settings)
    alone = [LocalBackend(model, tokenizer).complete([question], settings)[0] for question in QUESTIONS]
    small = LocalBackend(model, tokenizer, batch_size=2).complete(QUESTIONS[::-1], settings)[::-1]
    assert [counts(reply) for reply in together] == [counts(reply) for reply in alone]
    assert [counts(reply) for reply in together] == [counts(reply) for reply in small]
    assert len({reply.text for reply in together}) == len(QUESTIONS)


def test_drawing_follows_the_seed_and_the_settings(backend, model, tokenizer):
    def texts(**changes):
        return [r.text for r in backend.complete(QUESTIONS, Settings(**{"max_tokens": 16, **changes}))]

    drawn = texts(temperature=1.0)
    assert drawn == texts(temperature=1.0)
    assert all(one != other for one, other in zip(drawn, texts(temperature=1.0, seed=1), strict=True))
    assert texts() == texts(seed=1)
    # Nothing but the likeliest token is left in the nucleus.
    assert texts(temperature=1.0, top_p=1e-6) == texts()
    assert texts(temperature=1e-4) == texts()

    prompt = backend.encode(QUESTIONS[0])
    seed = backends._seed(QUESTIONS[0], Settings(seed=0))
    (row,) = generate(
        model,
        [prompt],
        max_new_tokens=16,
        sampling=Sampling(0.7, top_p=0.8),
        seed=[seed],
        stop_ids=[IM_END, tokenizer.eos_id],
    )
    assert texts(temperature=0.7, top_p=0.8)[0] == tokenizer.decode(row, skip_special=True)


def test_a_seed_belongs_to_the_conversation_and_not_to_its_text_as_one(backend):
    one = [Message("user", "a"), Message("assistant", "b"), Message("user", "c")]
    other = [Message("user", "a\nassistant\nb\nuser\nc")]
    seeds = {
        backends._seed(question, Settings(seed=seed)) for question in (one, other) for seed in (0, 1, 10)
    }
    assert len(seeds) == 6


def test_the_end_of_the_turn_the_stop_texts_and_the_length_end_a_reply(monkeypatch, backend, tokenizer):
    def reply(text: str, ended: bool, max_tokens: int = 40, stop: tuple[str, ...] = ()):
        row = tokenizer.encode(text)
        forced(monkeypatch, [row])
        assert ended == (len(row) < max_tokens)
        return backend.complete(QUESTIONS[:1], Settings(max_tokens=max_tokens, stop=stop))[0]

    whole = "It opens at eight. 八点开门。"
    assert counts(reply(whole, True))[0::3] == (whole, "stop")
    size = len(tokenizer.encode(whole))
    assert counts(reply(whole, False, size))[0::3] == (whole, "length")
    cut = reply(whole, False, size, stop=("eight", "八点"))
    assert (cut.text, cut.finish) == ("It opens at ", "stop")
    assert cut.reply_tokens == len(tokenizer.encode("It opens at eight"))
    assert reply("", True).text == ""


@torch.no_grad()
def test_a_model_that_ends_its_turn_is_stopped_there(tokenizer):
    model = spread(drawn_gpt(dataclasses.replace(CONFIG, tie_embeddings=False)))
    backend, settings = LocalBackend(model, tokenizer), Settings(max_tokens=12)
    before = backend.complete(QUESTIONS[:1], settings)[0]
    assert (before.reply_tokens, before.finish) == (12, "length")
    prompt = backend.encode(QUESTIONS[0])
    first = generate(model, [prompt], max_new_tokens=2)[0]
    # The end of the turn becomes the likeliest token after two others: at that place, or before.
    model.lm_head.weight[IM_END] = 9 * model.features(torch.tensor([prompt + first]))[0, -1]
    after = backend.complete(QUESTIONS[:1], settings)[0]
    assert after.finish == "stop"
    assert after.reply_tokens <= 2
    assert before.text.startswith(after.text)
    assert "".join(backend.stream(QUESTIONS[0], settings)) == after.text


@pytest.mark.parametrize(
    "settings",
    [Settings(max_tokens=30), Settings(1.0, 0.9, 30, seed=5), Settings(1.0, max_tokens=30, stop=("e", "店"))],
)
def test_a_stream_joined_is_the_reply(backend, settings):
    for question in QUESTIONS:
        pieces = list(backend.stream(question, settings))
        assert "".join(pieces) == backend.complete([question], settings)[0].text
        assert "" not in pieces


def test_a_stream_comes_as_it_is_written(monkeypatch, backend):
    from labkit.text import decoding

    written = 0

    def counted(*arguments, **options):
        nonlocal written
        for step in original(*arguments, **options):
            written += 1
            yield step

    original = decoding.stream
    monkeypatch.setattr(decoding, "stream", counted)
    pieces = backend.stream(QUESTIONS[0], Settings(max_tokens=100))
    assert written == 0
    list(itertools.islice(pieces, 2))
    assert 0 < written < 20


SPECIAL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|pad|>", "<|mask|>"]


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*SPECIAL, "system\n", "a ", "\n", "店", "<|im_", "start|>"]), max_size=8))
def test_typed_special_tokens_stay_plain_text(backend, tokenizer, parts):
    typed = "".join(parts)
    prompt = backend.encode([Message("system", typed), Message("user", typed)])
    assert [token for token in prompt if token < 5] == [IM_START, IM_END] * 2 + [IM_START]
    assert tokenizer.decode(prompt) == chat_text([Message("system", typed), Message("user", typed)])


def test_a_conversation_that_is_too_long_is_named_before_any_work(monkeypatch, backend, tokenizer):
    monkeypatch.setattr(backend, "_batch", lambda *_: pytest.fail("work before the check"))
    long = [Message("user", "a " * 200)]
    size = len(backend.encode(long))
    assert size < POSITIONS
    with pytest.raises(
        LabkitError,
        match=f"Conversation 1 has {size} tokens.*160.*small sees 256.*max_tokens to {256 - size} or",
    ):
        backend.complete([QUESTIONS[0], long])
    with pytest.raises(LabkitError, match="Conversation 0 has .* Shorten the conversation\\.$"):
        backend.complete([[Message("user", "a " * 400)]])
    with pytest.raises(LabkitError, match="256 in all"):
        backend.stream(long)  # at once, not at the first piece


def test_the_longest_conversation_that_fits_is_answered(backend, tokenizer):
    question = [Message("user", "a" * 150)]
    room = POSITIONS - len(backend.encode(question))
    assert backend.complete([question], Settings(max_tokens=room))[0].prompt_tokens == POSITIONS - room


def test_wrong_arguments_are_refused(backend, model, tokenizer):
    assert backend.complete([]) == []
    for wrong, message in (
        (QUESTIONS[0], "A conversation is a list of messages"),
        ([[]], "at least one message"),
        ([[Message("user", "a"), Message("assistant", "b")]], "end with the user's"),
        ([["a"]], "list of messages"),
        ([[Message("user", "\ud800")]], "half a character"),
    ):
        with pytest.raises(LabkitError, match=message):
            backend.complete(wrong)
    with pytest.raises(LabkitError, match="batch_size must be an integer from 1"):
        LocalBackend(model, tokenizer, batch_size=0)
    for other in (
        CharTokenizer.from_text(TEXT, byte_fallback=True, special_tokens=["<|endoftext|>"]),
        BPETokenizer.train([TEXT], 300, special_tokens=["<|endoftext|>"]),
    ):
        with pytest.raises(LabkitError, match="odd has no tokens <.im_start.>.*TransformersBackend"):
            LocalBackend(model, other, "odd")


def test_a_character_model_is_asked_in_the_same_way():
    characters = CharTokenizer.from_text(TEXT)
    config = GPTConfig(characters.vocab_size, 32, num_layers=1, max_positions=128)
    backend = LocalBackend(spread(drawn_gpt(config)), characters)
    reply = backend.complete(QUESTIONS[:1], Settings(max_tokens=5))[0]
    assert reply.prompt_tokens == len(chat_text(QUESTIONS[0])) - len(SPECIAL[0]) * 2 - len(SPECIAL[1]) + 3


# ---------------------------------------------------------------------------------------------------------------
# Models of transformers


def test_a_folder_with_the_same_template_answers_as_the_local_model(folder, backend):
    settings = Settings(max_tokens=20)
    other = TransformersBackend(with_template(folder, CHATML.replace("<think></think>", "")))
    assert other.name == "tiny-qwen3"
    assert [other.encode(question) for question in QUESTIONS] == [backend.encode(q) for q in QUESTIONS]
    found, expected = other.complete(QUESTIONS, settings), backend.complete(QUESTIONS, settings)
    assert [counts(reply) for reply in found] == [counts(reply) for reply in expected]
    assert "".join(other.stream(QUESTIONS[1], settings)) == expected[1].text


def test_thinking_is_told_to_the_template(folder):
    with_template(folder)
    (off, on) = (TransformersBackend(folder, thinking=thinking) for thinking in (False, True))
    assert off.tokenizer.decode(off.encode(QUESTIONS[0])).endswith("assistant\n<think></think>")
    assert on.tokenizer.decode(on.encode(QUESTIONS[0])).endswith("assistant\n")


@hypothesis_settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from([*SPECIAL, "system\n", "a", "\ue000", "0", "\ue0010\ue001", " "]), max_size=6)
)
def test_typed_special_tokens_stay_plain_text_in_any_template(templated, parts):
    typed = "".join(parts)
    prompt = templated.encode([Message("user", typed)])
    assert [token for token in prompt if token < 5] == [IM_START, IM_END, IM_START]
    assert templated.tokenizer.decode(prompt) == chat_text([Message("user", typed)]) + "<think></think>"


@pytest.fixture(scope="module")
def templated(tmp_path_factory, model, tokenizer):
    folder = save_pretrained(model, tmp_path_factory.mktemp("templated"), tokenizer)
    return TransformersBackend(with_template(folder))


def gpt2_folder(folder, tokenizer):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=320, n_positions=128, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
    )
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    tokenizer.save(folder)
    return folder


def test_a_model_without_a_template_goes_on_with_a_transcript(tmp_path, tokenizer, monkeypatch):
    backend = TransformersBackend(gpt2_folder(tmp_path, tokenizer))
    conversation = [Message("system", "Be short."), Message("user", "{a}"), Message("assistant", "b")]
    conversation.append(Message("user", "<|endoftext|>"))
    text = "Be short.\nUser: {a}\nAssistant: b\nUser: <|endoftext|>\nAssistant:"
    assert backend.encode(conversation) == tokenizer.encode(text)
    assert tokenizer.eos_id not in backend.encode(conversation)
    settings = Settings(max_tokens=20)
    replies = backend.complete([conversation, QUESTIONS[0]], settings)
    rows = generate(
        backend.model,
        [backend.encode(conversation), backend.encode(QUESTIONS[0])],
        max_new_tokens=20,
        stop_ids=[tokenizer.eos_id],
    )
    assert [reply.text for reply in replies] == [
        tokenizer.decode(row, skip_special=True).lstrip().partition("\nUser:")[0] for row in rows
    ]

    forced(monkeypatch, [tokenizer.encode(" \n at eight\nUser: and then?")])
    reply = backend.complete([QUESTIONS[0]], Settings(max_tokens=60))[0]
    assert (reply.text, reply.finish) == ("at eight", "stop")


def test_a_character_model_in_a_folder_is_read_too(tmp_path):
    characters = CharTokenizer.from_text(TEXT)
    config = GPTConfig(characters.vocab_size, 32, num_layers=1, max_positions=128)
    save_pretrained(drawn_gpt(config), tmp_path, characters)
    backend = TransformersBackend(tmp_path)
    assert backend.complete(QUESTIONS[:1], Settings(max_tokens=3))[0].prompt_tokens == len(
        "User: When does the bakery open?\nAssistant:"
    )


def test_what_ends_a_reply_is_read_from_the_model_s_files(folder, tmp_path, tokenizer):
    assert TransformersBackend(folder).stop_ids == (0, IM_END)
    (folder / "generation_config.json").write_text('{"eos_token_id": [4, 7, 9999]}', encoding="utf-8")
    assert TransformersBackend(folder).stop_ids == (0, IM_END, 7)


def test_missing_and_broken_models_say_what_to_do(tmp_path, monkeypatch, folder, model):
    import huggingface_hub

    def no_network(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", no_network)
    with pytest.raises(LabkitError, match="Qwen/Qwen3-0.6B is not a folder here.*is there a network"):
        TransformersBackend("Qwen/Qwen3-0.6B")
    with pytest.raises(LabkitError, match="no folder"):
        TransformersBackend(tmp_path / "missing")
    with pytest.raises(LabkitError, match="mute has no tokenizer"):
        TransformersBackend(save_pretrained(model, tmp_path / "mute"))
    with_template(folder, "{{ raise_exception('no system role') }}")
    with pytest.raises(LabkitError, match="template of tiny-qwen3 refuses this conversation: no system role"):
        TransformersBackend(folder).complete(QUESTIONS[:1])
    with_template(folder)
    with pytest.raises(LabkitError, match="half a character"):
        TransformersBackend(folder).complete([[Message("user", "\ud800")]])
