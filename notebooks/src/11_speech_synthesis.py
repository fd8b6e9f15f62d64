# ---
# jupyter:
#   labkit:
#     number: "11"
#     title_en: Speech synthesis
#     title_zh: 语音合成
#     minutes: 140
# ---

# %% [markdown] lang="en"
# # 11 Speech synthesis
#
# A text goes in, a voice comes out. On the way it is a row of speech sounds, then a picture of eighty bands, then 22,050 numbers a second. In this lesson
# you build each of these steps, listen after each, and find out by measurement which of them costs what.
#
# **After this lesson you can**
#
# - turn sound into a log-mel spectrogram by hand, and say what is lost on the way;
# - turn text into speech sounds, with numbers spelled out, and with tones in Mandarin;
# - say why an average over many sentences sounds blurred, and what an encoder changes;
# - explain encoder, durations, length regulator and decoder, and train such a model;
# - turn a spectrogram back into sound by Griffin and Lim's algorithm, and say what a neural vocoder adds;
# - judge a voice by distortion, intelligibility and a recognizer, beside real sound;
# - find, by putting the truth in place of one part after the other, the part that costs most.
#
# **Time:** about 140 minutes with the exercises. You can stop after section 7 and go on another day. Headphones help.
#
# **Before:** [05 Embeddings, sequences, attention](05_embeddings_sequences_attention.ipynb) (embeddings, recurrent networks) and
# [03 Loss functions](03_loss_functions.ipynb).

# %% [markdown] lang="zh"
# # 11 语音合成
#
# 输入一段文字，得到一段语音。中间要经过三步：先变成一串音素，再变成一张八十个频带的图，最后变成每秒 22,050 个数。本课把每一步都亲手做一遍，每一步都听一听，再用测量找出哪一步的损失最大。
#
# **学完本课，你能够**：
#
# - 亲手把声音变成对数梅尔谱，并说清途中丢掉了什么；
# - 把文字变成音素：数字写成读法，普通话带上声调；
# - 说清为什么对许多句子取平均，听起来会发糊，编码器又改变了什么；
# - 讲清编码器、时长、长度调节器和解码器，并训练这样一个模型；
# - 用 Griffin-Lim 算法把谱图变回声音，说清神经声码器多做了什么；
# - 用失真、可懂度和识别器评价语音，并与真实声音对照；
# - 逐个把某一部分换成真值，找出损失最大的那一部分。
#
# **时间**：约 140 分钟（含练习）。可以学完第 7 节先停下，改天继续。最好戴上耳机。
#
# **预备知识**：[05 词向量、序列与注意力](05_embeddings_sequences_attention.ipynb)（词向量、循环网络）和 [03 损失函数](03_loss_functions.ipynb)。

# %% tags=["parameters"]
MODE = "class"
SEED = 0

# %%
import time
from collections import Counter
from itertools import pairwise

import jiwer
import numpy as np
import torch

from labkit import data, metrics, plots, weights, widgets
from labkit.checks import check, hint, solution
from labkit.common import start
from labkit.results import Measure, report
from labkit.speech import acoustic, corpus, digits, measures, mel, numbers, recipes, shipped, sounds, vocoder
from labkit.speech.frontend import PAUSE, Phone
from labkit.speech.synthesis import Controls, Voice, shift_pitch

lab = start(MODE, SEED)

# %% [markdown] lang="en"
# ## 1. A sentence, spoken
#
# The course comes with two voices, one for English and one for Mandarin. They were not trained here; their cards say how long that took. The first sentence is
# 你好，这是一个语音合成模型。 ("Hello, this is a speech synthesis model."). Press play.

# %% [markdown] lang="zh"
# ## 1. 说一句话
#
# 课程附带两个声音，一个说英语，一个说普通话。它们不是在这里训练的，训练花了多久，模型卡上写着。第一句话是“你好，这是一个语音合成模型。”请点击播放。

# %% tags=["nbval-ignore-output"]
sentences = {"zh": "你好，这是一个语音合成模型。", "en": "Hello, this is a speech synthesis model."}
loud = shipped.load_vocoder()
voices = {language: Voice(shipped.load_acoustic(language), language, loud) for language in sentences}
spoken = {
    language: voices[language].speak_phones(corpus.phones_of(text, language))
    for language, text in sentences.items()
}
sounds.play(**{sentences[language]: speech.samples for language, speech in spoken.items()})

# %% [markdown] lang="en"
# It sounds like a machine, since it learned from one: the sentences of this course are spoken by the program eSpeak NG, which builds sound from rules. That makes it possible to give every lesson as much
# speech as it needs, with the exact time of each sound. Real people come in section 13. Now, is it *understood*? A **judge** listens: a recognizer that was trained on the engine's sound alone, never on synthesized speech.

# %% [markdown] lang="zh"
# 听起来像机器，因为它就是跟机器学的：本课的句子由 eSpeak NG 程序朗读，它按规则造出声音。好处是要多少语音就有多少，而且每个音从哪里到哪里都有准确时间。真人的声音在第 13 节。那么，它说的话*听得懂*吗？请**裁判**来听：裁判是一个识别器，只听过引擎的声音，从没听过合成的语音。

# %%
judges = {language: shipped.load_judge(language) for language in voices}
for language, speech in spoken.items():
    said = [phone.sound for phone in speech.phones if phone.symbol != PAUSE]
    heard = judges[language].transcribe(mel.log_mel(speech.samples))
    wrong = measures.phoneme_error_rate([heard], [said])
    print(f"{language} said  {' '.join(said)}\n   heard {' '.join(heard)}\n   phoneme error rate {wrong:.2f}")
card = weights.read_card(weights.shipped_path("speech-zh"))
print(f"\n`{card.command}`: {card.data}")

# %% [markdown] lang="en"
# The names of the sounds are the engine's own; behind a Mandarin vowel stands its tone. One sentence proves nothing, and a table follows. Now from the beginning.
#
# ## 2. Sound is numbers
#
# A microphone measures the pressure of the air many times a second. Here are 22,050 measurements a second, each a whole number of 16 bits. Where does the sentence pause, and what repeats in the small picture?

# %% [markdown] lang="zh"
# 音素的名字是引擎自己的写法；普通话元音后面的数字是声调。一句话证明不了什么，后面会有表格。现在从头讲起。
#
# ## 2. 声音就是数
#
# 麦克风每秒把空气压力测量很多次。这里每秒 22,050 次，每次是一个 16 位整数。看图：句子在哪里停顿？小图里什么在重复？

# %%
count = lab.pick(3, 8, 60)
tried = {language: corpus.ready(language, "held_out", count) for language in voices}
one = min(tried["en"], key=lambda utterance: abs(utterance.seconds - 3))
print(f"{one.text!r}: {len(one.samples)} samples, {one.samples.dtype}, {one.seconds:.2f} s")
samples = one.samples / 32_768  # to [-1, 1)
pitch = measures.pitch_track(one.samples)
middle = (
    int(np.nanargmax(np.where(np.isnan(pitch), np.nan, mel.log_mel(one.samples).numpy().sum(1)))) * mel.HOP
)
axes = plots.new_axes(9, 2.6, columns=2, width_ratios=(2, 1))
whole, few = np.arange(len(samples)) / mel.SAMPLE_RATE, slice(middle, middle + 700)
plots.lines(whole, {"": samples}, xlabel="seconds", ylabel="pressure", ax=axes[0])
plots.lines(1000 * whole[few], {"": samples[few]}, xlabel="milliseconds", ylabel="", ax=axes[1])
plots.show(
    axes,
    alt="A spoken sentence as a wave of loud and quiet parts, and 30 milliseconds of it that repeat regularly.",
)
print(
    f"median pitch {np.nanmedian(pitch):.0f} Hz, so the wave repeats every {1000 / np.nanmedian(pitch):.1f} ms"
)

# %% [markdown] lang="en"
# **What cannot be seen.** Between two measurements nothing is known. A tone of $f$ hertz and one of $22050 - f$ give the same numbers, but for the sign: above half of the rate, sounds turn into others. This is *aliasing*.
# **By hand:** 21,610 Hz looks like $22050 - 21610 = 440$ Hz.

# %% [markdown] lang="zh"
# **看不见的部分**：两次测量之间发生了什么，无从知道。频率为 $f$ 的音和频率为 $22050 - f$ 的音，除了正负号，得到的数完全一样：超过采样率一半的声音会变成别的声音。这叫*混叠*。
# **手算**：21,610 Hz 看起来就是 $22050 - 21610 = 440$ Hz。

# %%
times = np.arange(2_205) / mel.SAMPLE_RATE
low, high = (np.sin(2 * np.pi * hertz * times) for hertz in (440, 21_610))
print(f"largest difference between 440 Hz and the mirrored 21,610 Hz: {np.abs(low + high).max():.1e}")
assert np.allclose(low, -high, atol=1e-9)

# %% [markdown] lang="en"
# ## 3. From sound to mel
#
# An ear hears which frequencies are in a sound, and how that changes. So does the *short-time Fourier transform*: cut out $N = 1024$ samples, fade them in and out by a window $w$, and ask how strong each frequency is; then move on by the *hop* of $H = 256$ samples:
#
# $$S_{k,m} = \left| \sum_{n=0}^{N-1} w_n \, x_{n + mH} \, e^{-2\pi i\, kn/N} \right|, \qquad w_n = \frac{1 - \cos(2\pi n / N)}{2}$$
#
# **By hand.** Bin $k$ stands for $k \cdot 22050 / 1024 = 21.5\,k$ Hz, so 440 Hz lies at $k = 20.4$. A second has $22050 / 256 = 86.1$ frames. Half a window of zeros is put before the sound, so that frame $m$ has its middle at sample $mH$.

# %% [markdown] lang="zh"
# ## 3. 从声音到梅尔谱
#
# 耳朵听到的是声音里有哪些频率，以及它们怎样变化。*短时傅里叶变换*做的也是这件事：取 $N = 1024$ 个样本，用窗函数 $w$ 让两端渐强渐弱，问每个频率有多强；然后向前移动 $H = 256$ 个样本（*帧移*），再做一次：
#
# $$S_{k,m} = \left| \sum_{n=0}^{N-1} w_n \, x_{n + mH} \, e^{-2\pi i\, kn/N} \right|, \qquad w_n = \frac{1 - \cos(2\pi n / N)}{2}$$
#
# **手算**：第 $k$ 个频点是 $k \cdot 22050 / 1024 = 21.5\,k$ Hz，所以 440 Hz 落在 $k = 20.4$。一秒有 $22050 / 256 = 86.1$ 帧。声音前面补半个窗的零，这样第 $m$ 帧的中点正好在第 $mH$ 个样本。


# %%
def spectrum_by_hand(samples):
    """Magnitudes (513, frames) of samples (T,) in [-1, 1]."""
    fade = (1 - np.cos(2 * np.pi * np.arange(1024) / 1024)) / 2
    padded = np.pad(samples, 512)
    frames = [padded[first : first + 1024] * fade for first in range(0, len(samples) + 1, 256)]
    return np.abs(np.fft.rfft(frames)).T


magnitudes = spectrum_by_hand(samples)
print(magnitudes.shape, "of which the formula, for bin 20 of frame 40, gives", end=" ")
n = np.arange(1024)
cut = samples[40 * 256 - 512 : 40 * 256 + 512] * (1 - np.cos(2 * np.pi * n / 1024)) / 2
print(
    f"{abs(np.sum(cut * np.exp(-2j * np.pi * 20 * n / 1024))):.4f}, and the transform {magnitudes[20, 40]:.4f}"
)
assert np.allclose(magnitudes, mel.stft(mel.to_float(one.samples)).abs(), atol=1e-4)

# %% [markdown] lang="en"
# 513 numbers a frame are more than an ear needs: from 100 to 200 Hz is as far for it as from 2,000 to 4,000. The *mel scale* (Slaney's) is even in hertz below 1,000, and in the logarithm above:
#
# $$\text{mel}(f) = \begin{cases} 3f / 200 & f < 1000 \\ 15 + 27 \ln(f / 1000) / \ln 6.4 & f \ge 1000 \end{cases}$$
#
# **By hand.** 500 Hz is $7.5$ mel, 1,000 Hz is $15$, and 6,400 Hz is $15 + 27 = 42$. Eighty triangles, evenly spaced in mel, collect the bins; each has the area 1, so that a broad one counts no more.

# %% [markdown] lang="zh"
# 每帧 513 个数，比耳朵需要的多：对耳朵来说，从 100 到 200 Hz 的距离，和从 2,000 到 4,000 Hz 差不多。*梅尔刻度*（Slaney 的版本）在 1,000 Hz 以下对赫兹均匀，以上对对数均匀：
#
# $$\text{mel}(f) = \begin{cases} 3f / 200 & f < 1000 \\ 15 + 27 \ln(f / 1000) / \ln 6.4 & f \ge 1000 \end{cases}$$
#
# **手算**：500 Hz 是 $7.5$ 梅尔，1,000 Hz 是 $15$，6,400 Hz 是 $15 + 27 = 42$。八十个三角形在梅尔刻度上均匀排开，把频点收拢起来；每个面积都是 1，宽的不会因此占便宜。

# %%
print(mel.hertz_to_mel([500, 1_000, 6_400]))
edges = mel.mel_to_hertz(np.linspace(0, mel.hertz_to_mel(8_000), 82))
for band in (0, 40, 79):
    print(f"band {band:2}: from {edges[band]:6.0f} over {edges[band + 1]:6.0f} to {edges[band + 2]:6.0f} Hz")
bank = mel.filterbank().numpy()
shown = {f"band {band}": bank[band] for band in (10, 30, 50, 70)}
ax = plots.lines(np.linspace(0, 11_025, 513), shown, xlabel="Hz", ylabel="weight")
plots.show(ax, alt="Four triangles over frequency: narrow and high on the left, wide and low on the right.")
assert np.allclose(mel.hertz_to_mel([500, 1_000, 6_400]), [7.5, 15, 42])

# %% [markdown] lang="en"
# ### Exercise 11.1: One triangle (★★☆, 10 minutes)
#
# Give the weight of each frequency in `hertz` (an array) for a band that rises from `low` to `middle` and falls to `high`. The triangle's area must be 1. What does the band weigh outside?

# %% [markdown] lang="zh"
# ### 练习 11.1：一个三角形（★★☆，10 分钟）
#
# 某个频带从 `low` 上升到 `middle`，再下降到 `high`。给出数组 `hertz` 中每个频率的权重，三角形面积应为 1。在三角形之外，权重是多少？


# %% exercise="11.1"
def triangle(hertz, low, middle, high):
    """Weights of the frequencies (N,) in one band -> (N,)."""
    ### BEGIN SOLUTION
    rising, falling = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)
    ### END SOLUTION


# %%
check("11.1", triangle)
# hint("11.1")
# solution("11.1")

# %% [markdown] lang="en"
# Loudness is heard by ratios, so the logarithm comes last. The library that most people use for this is librosa. We take its filterbank for the check. (Its whole spectrogram is compared in `full` mode and in the course's tests: the first call of it compiles for 20 seconds.)

# %% [markdown] lang="zh"
# 响度是按比例听的，所以最后取对数。做这件事最常用的库是 librosa。这里拿它的滤波器组来核对。（它的完整谱图在 `full` 模式和课程测试里比较：第一次调用要编译 20 秒。）

# %%
import librosa

theirs = librosa.filters.mel(sr=22_050, n_fft=1_024, n_mels=80, fmax=8_000)
by_hand = np.log(np.maximum(theirs @ spectrum_by_hand(samples), 1e-5)).T  # (frames, 80)
log_mel = mel.log_mel(one.samples)
# Compared before the logarithm, which magnifies what is rounded in silence.
same = np.allclose(np.exp(by_hand), log_mel.exp(), rtol=1e-3, atol=1e-6)
print(f"log-mel {tuple(log_mel.shape)}; bands by hand and by labkit agree: {same}")
assert np.allclose(theirs, bank, atol=1e-6)
assert same
if MODE == "full":
    options = {"sr": 22_050, "n_fft": 1_024, "hop_length": 256, "power": 1, "n_mels": 80, "fmax": 8_000}
    whole = librosa.feature.melspectrogram(y=samples.astype("float32"), pad_mode="constant", **options)
    assert np.allclose(np.maximum(whole, 1e-5).T, log_mel.exp(), rtol=1e-3, atol=1e-6)


# %%
def spans(phones, frames):
    """Each phone with the seconds at which it begins and ends."""
    ends = np.cumsum([0, *frames]) * mel.HOP / mel.SAMPLE_RATE
    return [(str(phone), a, b) for phone, (a, b) in zip(phones, pairwise(ends), strict=True)]


axes = plots.new_axes(9, 5, rows=2)
decibels = 20 * np.log10(np.maximum(magnitudes, 1e-3)).T
plots.spectrogram(decibels, seconds=one.seconds, ylabel="bin of 21.5 Hz", ax=axes[0])
plots.spectrogram(log_mel, seconds=one.seconds, times=spans(one.phones, one.durations), ax=axes[1])
plots.show(
    axes,
    alt="Above the spectrogram with fine horizontal lines, below the mel spectrogram with the sounds' names and borders.",
)
print(f"numbers a second: sound 22050, spectrogram {513 * 86.1:.0f}, mel {80 * 86.1:.0f}")

# %% [markdown] lang="en"
# The lines of the upper picture are the overtones of the pitch; in the lower one they are merged above. And both pictures have thrown away the *phase*, where in its cycle each frequency stands. Whoever wants sound back must invent it (section 8).
#
# ## 4. From text to sounds
#
# Letters do not say how a text sounds. Numbers come first: they are words.

# %% [markdown] lang="zh"
# 上图中的横线是基频的泛音；下图里高处的泛音已经并在一起。两张图都丢掉了*相位*，也就是每个频率走到了周期的哪个位置。想变回声音，就得把它补出来（第 8 节）。
#
# ## 4. 从文字到音素
#
# 光看文字不知道怎么读。先说数字：数字要读成词。

# %%
for language, text in (
    ("en", "The hut lies at 1,250 m; 3.5 % were there for the 22nd time at 9:05."),
    ("zh", "2026年，他跑了3.5千米，用了2个小时，排在第2，占22%。"),
):
    print(numbers.spell_out(text, language))
assert numbers.english_number(1_250) == "one thousand two hundred fifty"

# %% [markdown] lang="en"
# 2 is 两 before a measure word, 二 behind 第, and a year is read digit by digit. Then the words become *phonemes*, by a dictionary and rules, with stress in English and tones in Mandarin (55 high, 35 rising, 214 dipping, 51 falling, 11 neutral). In the second English sentence look at "read", in the third Mandarin one at 行.

# %% [markdown] lang="zh"
# 量词前的 2 读“两”，“第”后面读“二”，年份逐位读。然后靠词典和规则把词变成*音素*：英语带重音，普通话带声调（55 阴平、35 阳平、214 上声、51 去声、11 轻声）。请看英语第二句里的 read，普通话第三句里的“行”。

# %%
for language, texts in corpus.LESSON_TEXTS.items():
    for text in texts:
        print(f"{text}\n   {' '.join(str(phone) for phone in corpus.phones_of(text, language))}")

# %% [markdown] lang="en"
# "read" has two vowels, `'E` and `'i:`; 行 is `X A N` in 银行 and `S; i N` in 行人: the dictionary looks at the words around. 妈, 马 and 骂 differ in the tone alone. Not everything is right: 你好 stands here with two dipping tones, where a speaker lets the first one rise. A dictionary and rules are never finished.
#
# A network wants numbers. Each phone becomes two: its symbol, and its stress or tone. What it never saw has the number 1.

# %% [markdown] lang="zh"
# read 有两种元音：`'E` 和 `'i:`；“行”在“银行”里是 `X A N`，在“行人”里是 `S; i N`：词典会看前后的词。“妈”“马”“骂”只有声调不同。也不是样样都对：“你好”这里标了两个上声，而人说话时前一个会变成阳平。词典和规则永远补不完。
#
# 网络要的是数。每个音素变成两个编号：符号，以及重音或声调。没见过的编号是 1。

# %%
inventory = voices["zh"].acoustic.config.inventory
hello = corpus.phones_of(sentences["zh"], "zh")
print(len(inventory.symbols), "symbols,", len(inventory.marks), "stresses, tones and punctuation marks")
for phone, ids in list(zip(hello, inventory.ids(hello).tolist(), strict=True))[:5]:
    print(f"{phone!s:8} -> {ids}")
print("unknown ->", inventory.ids([Phone("&", "?")]).tolist())

# %% [markdown] lang="en"
# ## 5. Why an average blurs
#
# How near is a synthesized spectrogram to the real one? Its *cepstra* $c_d$ tell the shape of a frame's spectrum: how much of a cosine with $d$ half-waves is in it. *Mel-cepstral distortion* compares those of 1 to 13; $c_0$, the loudness, is left out:
#
# $$c_d = \frac{2}{80} \sum_{b=0}^{79} \ln m_b \cos\frac{\pi d (b + 1/2)}{80}, \qquad \text{MCD} = \frac{10}{\ln 10} \sqrt{2 \sum_{d=1}^{13} (c_d - c_d')^2}$$
#
# in decibels, and a mean over the frames. **By hand.** Two frames that differ by 1 in one cepstrum only: $4.343 \cdot \sqrt 2 = 6.14$ dB. Said a little slower, a sentence would be wrong everywhere; so frames are first paired by *dynamic time warping*, unless the times are the same.

# %% [markdown] lang="zh"
# ## 5. 为什么平均会发糊
#
# 合成的谱图和真实的有多接近？*倒谱* $c_d$ 描述一帧频谱的形状：里面含有多少个“半波数为 $d$ 的余弦”。*梅尔倒谱失真*（MCD）比较第 1 到第 13 个；代表响度的 $c_0$ 不算：
#
# $$c_d = \frac{2}{80} \sum_{b=0}^{79} \ln m_b \cos\frac{\pi d (b + 1/2)}{80}, \qquad \text{MCD} = \frac{10}{\ln 10} \sqrt{2 \sum_{d=1}^{13} (c_d - c_d')^2}$$
#
# 单位是分贝，再对各帧取平均。**手算**：两帧只有一个倒谱差 1，失真是 $4.343 \cdot \sqrt 2 = 6.14$ dB。一句话只要说得慢一点，就会处处对不上；所以先用*动态时间规整*把帧配对，除非两边的时间本来就相同。

# %%
frame = np.zeros((1, 80))
wave = np.cos(np.pi * 3 * (np.arange(80) + 0.5) / 80)[None]  # c_3 = 1, all others 0
print(f"{measures.mel_cepstral_distortion(frame, wave):.2f} dB, and 10 dB louder: ", end="")
print(f"{measures.mel_cepstral_distortion(frame, frame + 2.3):.2f} dB")
assert np.isclose(measures.mel_cepstral_distortion(frame, wave), 10 / np.log(10) * np.sqrt(2))

# %% [markdown] lang="en"
# ### Exercise 11.2: Mel-cepstral distortion (★★☆, 10 minutes)
#
# Both arrays hold cepstra, (frames, 1 + D), with $c_0$ in column 0; frame $k$ stands beside frame $k$. Give the distortion in dB. Mind what is averaged, and when the root is taken.

# %% [markdown] lang="zh"
# ### 练习 11.2：梅尔倒谱失真（★★☆，10 分钟）
#
# 两个数组都是倒谱，形状 (帧数, 1 + D)，第 0 列是 $c_0$，第 $k$ 帧对第 $k$ 帧。求失真（dB）。注意：平均的是什么，什么时候开方？


# %% exercise="11.2"
def distortion_of(ours, reference):
    """Mel-cepstral distortion in dB of cepstra (T, 1 + D) -> float."""
    ### BEGIN SOLUTION
    squares = ((ours - reference)[:, 1:] ** 2).sum(axis=1)
    return 10 / np.log(10) * np.sqrt(2 * squares).mean()
    ### END SOLUTION


# %%
check("11.2", distortion_of)
# hint("11.2")
# solution("11.2")

# %% [markdown] lang="en"
# The simplest voice: for each phone the mean of all frames that it ever had. To give it every chance, it gets the true durations. What will the picture look like inside a phone?

# %% [markdown] lang="zh"
# 最简单的合成：每个音素取它出现过的所有帧的平均。为了不亏待它，时长用真实的。猜一猜，在一个音素内部，图会是什么样子？


# %%
def mean_frames(utterances):
    """Each phone's mean log-mel frame, and the mean of all frames under None."""
    sums, frames = Counter(), Counter()
    for utterance in utterances:
        parts = utterance.mel().split(list(utterance.durations))
        for phone, part in zip(utterance.phones, parts, strict=True):
            for name in (phone, None):
                sums[name] = sums[name] + part.sum(0)
                frames[name] += len(part)
    return {name: sums[name] / frames[name] for name in sums if frames[name]}


training = corpus.ready("en", "train", lab.pick(24, 300, 600))
means = mean_frames(training)


def averaged(utterance):
    """Every frame the mean of its phone."""
    rows = [means.get(phone, means[None]) for phone in utterance.phones]
    return torch.stack(rows).repeat_interleave(torch.tensor(utterance.durations), dim=0)


print(
    f"{len(training)} sentences, {sum(u.seconds for u in training) / 60:.1f} minutes, {len(means) - 1} phones with their stress"
)


# %%
def distortion(made, utterances, warp=False):
    """Mean mel-cepstral distortion in dB of log-mels, each beside its sentence."""
    pairs = zip(made, utterances, strict=True)
    return float(np.mean([measures.mel_cepstral_distortion(ours, u.mel(), warp) for ours, u in pairs]))


flat = [means[None].expand(len(u.mel()), -1) for u in tried["en"]]
blurred = [averaged(u) for u in tried["en"]]
print(f"the mean of all speech in every frame: {distortion(flat, tried['en']):.2f} dB")
print(f"the mean of the phone in every frame:  {distortion(blurred, tried['en']):.2f} dB")
axes = plots.new_axes(9, 4.6, rows=2)
for ax, picture, title in zip(axes, (log_mel, averaged(one)), ("real", "mean of each phone"), strict=True):
    plots.spectrogram(picture, seconds=one.seconds, title=title, ax=ax)
plots.show(
    axes,
    alt="The real mel spectrogram moves all the time; that of means consists of flat blocks with soft edges.",
)

# %% tags=["nbval-ignore-output"]
sounds.play(real=one.samples / 32_768, mean_of_each_phone=loud(averaged(one)))

# %% [markdown] lang="en"
# Blocks. Each is right on average and none is right: in "see" and "saw" the same s has other neighbours, and another sound; a stressed vowel falls in pitch at the end of a sentence; a p is silence, then a burst. A mean over all of that is a sound that nobody makes, and the ear hears it as blurred. **A model must know what stands around a phone, and where in the phone it is.**
#
# ## 6. Encoder, durations, length regulator
#
# Now the shipped model, part by part. The **encoder** gives each phone a vector, and mixes in those of its neighbours by convolutions. What becomes of one phone in two places?

# %% [markdown] lang="zh"
# 全是色块。每一块平均来说都对，却没有一块真对：同一个 s，在 see 和 saw 里前后的音不同，发出来也不同；重读元音到了句尾音高会下降；p 先是无声，然后爆破。把这些统统平均，得到的是一个谁也不会发的音，听起来就是发糊。**模型必须知道一个音素前后是什么，以及现在走到了这个音素的哪里。**
#
# ## 6. 编码器、时长、长度调节器
#
# 现在把附带的模型拆开看。**编码器**给每个音素一个向量，再用卷积混入前后音素的向量。同一个音素出现在两处，会变成什么？

# %%
model = voices["en"].acoustic
ids = model.config.inventory.ids(one.phones)[None]
with torch.no_grad():
    alone = model.encoder.symbol(ids[..., 0]) + model.encoder.mark(
        ids[..., 1]
    )  # (1, P, H), without neighbours
    vectors = model.encoder(ids)  # (1, P, H)
twice, _ = Counter(phone for phone in one.phones if phone.symbol != PAUSE).most_common(1)[0]
first, second = [place for place, phone in enumerate(one.phones) if phone == twice][:2]
print(f"{len(one.phones)} phones, vectors {tuple(vectors.shape)}; {twice} at places {first} and {second}")
for name, x in {"embedding": alone, "encoder": vectors}.items():
    print(f"   {name:10} cosine {torch.cosine_similarity(x[0, first], x[0, second], dim=0):.2f}")

# %% [markdown] lang="en"
# What do the neighbours contribute? Hand the decoder the bare embeddings, as if the encoder had seen every phone alone. All else stays, with the true durations.

# %% [markdown] lang="zh"
# 前后的音素到底贡献了什么？把没有混入邻居的向量直接交给解码器，就当编码器每次只看见一个音素。其余不变，时长用真实的。


# %%
def decode(model, vectors, frames):
    """Log-mel (T, 80) from a sentence's vectors (1, P, H) and the frames of each phone."""
    with torch.no_grad():
        bands = model.decode(vectors, torch.tensor([list(frames)]))[0]
    return bands * model.band_deviation + model.band_mean


with_neighbours, without = (decode(model, x, one.durations) for x in (vectors, alone))
for name, picture in {"with neighbours": with_neighbours, "without": without}.items():
    heard = judges["en"].transcribe(mel.log_mel(loud(picture)))
    wrong = measures.phoneme_error_rate([heard], [one.sounds])
    print(f"{name:16} {distortion([picture], [one]):.2f} dB, phoneme error rate {wrong:.2f}")

# %% tags=["nbval-ignore-output"]
sounds.play(with_neighbours=loud(with_neighbours), without=loud(without))

# %% [markdown] lang="en"
# The distortion grows, though the decoder's own convolutions still look at neighbouring frames; section 7 trains a model that sees no neighbours at all. Next, **durations**. A phone lasts some frames, 11.6 ms each. The *duration predictor* reads the encoder's vectors and gives $\ln(1 + \text{frames})$: errors count by ratio, and no answer is negative.
# **By hand.** 5 frames are $5 \cdot 256 / 22050 = 58$ ms, and $\ln 6 = 1.79$. Beside it two baselines: every phone as long as the mean, and each as long as this phone is on average.

# %% [markdown] lang="zh"
# 失真变大了，尽管解码器自己的卷积还看得到前后的帧；第 7 节会训练一个完全看不到前后的模型。接着看**时长**。一个音素占若干帧，每帧 11.6 毫秒。*时长预测器*读编码器的向量，给出 $\ln(1 + \text{帧数})$：这样误差按比例计，也不会出现负数。
# **手算**：5 帧是 $5 \cdot 256 / 22050 = 58$ 毫秒，$\ln 6 = 1.79$。旁边放两个基线：所有音素一样长；每个音素取它自己的平均长度。

# %%
lengths = {}
for utterance in training:
    for phone, frames in zip(utterance.phones, utterance.durations, strict=True):
        lengths.setdefault(phone, []).append(frames)
usual = float(np.mean([frames for of in lengths.values() for frames in of]))
rules = {
    "all equal": lambda u: [usual] * len(u.phones),
    "mean of the phone": lambda u: [float(np.mean(lengths.get(phone, [usual]))) for phone in u.phones],
    "predicted": lambda u: model.durations(u.phones).tolist(),
}
true = [frames for u in tried["en"] for frames in u.durations]
errors = {
    name: measures.duration_error([f for u in tried["en"] for f in rule(u)], true)
    for name, rule in rules.items()
}
print({name: f"{error:.1f} ms" for name, error in errors.items()})

# %%
curves = {"true": one.durations, **{name: rules[name](one) for name in ("mean of the phone", "predicted")}}
ax = plots.lines(
    range(len(one.phones)), curves, xlabel="", ylabel="frames", ax=plots.new_axes(9, 2.8), markers=True
)
ax.set_xticks(range(len(one.phones)), [str(phone) for phone in one.phones], fontsize=7)
plots.show(
    ax,
    alt="Frames of each phone of a sentence: the predicted ones follow the true ones closely, the means do not.",
)

# %% [markdown] lang="en"
# The **length regulator** then repeats each vector as often as its phone has frames. There is nothing to learn in it. **By hand.** Vectors $a, b, c$ with 2, 0 and 3 frames become $a, a, c, c, c$. So that the frames of a phone are not all alike, each is also told its *place*: how far from the beginning, how far from the end.
#
# ### Exercise 11.3: The length regulator (★☆☆, 8 minutes)
#
# Repeat the rows of `vectors` (P, H), each as often as `durations` says (a list of P whole numbers from 0).

# %% [markdown] lang="zh"
# **长度调节器**把每个向量重复若干次，次数就是音素的帧数。这里没有任何要学的参数。**手算**：向量 $a, b, c$ 的时长为 2、0、3 帧，结果是 $a, a, c, c, c$。为了让同一音素的各帧有所不同，每帧还会得到自己的*位置*：离开头多远，离结尾多远。
#
# ### 练习 11.3：长度调节器（★☆☆，8 分钟）
#
# 把 `vectors`（P, H）的每一行重复若干次，次数由 `durations`（P 个不小于 0 的整数的列表）给出。


# %% exercise="11.3"
def regulate(vectors, durations):
    """Vectors (P, H) and P durations -> (sum of durations, H)."""
    ### BEGIN SOLUTION
    return vectors.repeat_interleave(torch.tensor(durations), dim=0)
    ### END SOLUTION


# %%
check("11.3", regulate)
# hint("11.3")
# solution("11.3")

# %%
repeated, places = acoustic.regulate_length(torch.tensor([[[1.0], [2.0], [3.0]]]), torch.tensor([[2, 0, 3]]))
print(
    "labkit's:",
    repeated[0, :, 0].tolist(),
    "and the share of the phone that is over:",
    places[0, :, 0].numpy().round(2),
)
equal = acoustic.whole_frames(torch.full((len(one.phones),), usual))
predicted = acoustic.whole_frames(model.durations(one.phones))
print(
    f"a sentence of {sum(one.durations)} frames: equal {int(equal.sum())}, predicted {int(predicted.sum())}"
)
assert repeated[0, :, 0].tolist() == [1, 1, 3, 3, 3]

# %% tags=["nbval-ignore-output"]
sounds.play(
    all_phones_equal=loud(decode(model, vectors, equal)), predicted=loud(decode(model, vectors, predicted))
)

# %% [markdown] lang="en"
# ## 7. The decoder, and training
#
# The **decoder** turns frames of vectors into 80 bands. Now train: the same loss for all, the mean absolute difference of the bands, and of $\ln(1 + \text{frames})$. Two forms, in the same number of steps:
#
# - **plain**: one vector a phone, no neighbours, no place. It can learn nothing but an average.
# - **convolutional**: encoder and decoder of convolutions, all frames at once.
#
# In `full` mode a **recurrent** one (LSTM) is trained too. How near will plain come to the means of section 5?

# %% [markdown] lang="zh"
# ## 7. 解码器与训练
#
# **解码器**把各帧的向量变成 80 个频带。现在来训练：损失都一样，是频带之差的绝对值的平均，加上 $\ln(1 + \text{帧数})$ 之差的。两种结构，步数相同：
#
# - **plain**：每个音素一个向量，不看前后，也不管位置。它能学到的只有平均。
# - **convolutional**：编码器和解码器都用卷积，所有帧一次算完。
#
# `full` 模式还会训练**循环**结构（recurrent，LSTM）。猜一猜：plain 会和第 5 节的平均差多少？

# %%
recipe = recipes.Recipe(steps=lab.pick(6, 180, 1_200))
forms = lab.pick(("plain", "convolutional"), ("plain", "convolutional"), acoustic.FORMS)
trained, histories = {}, {}
for form in forms:
    trained[form], histories[form] = recipes.train_acoustic(training, recipe, form, SEED)
    loss = histories[form].train["mel"]
    size = sum(tensor.numel() for tensor in trained[form].parameters())
    print(
        f"{form:14} {size:7} parameters, loss of the bands {np.mean(loss[:5]):.2f} -> {np.mean(loss[-5:]):.2f}"
    )

# %% tags=["nbval-ignore-output"]
curves = {
    form: np.convolve(history.train["mel"], np.ones(5) / 5, mode="valid")
    for form, history in histories.items()
}
ax = plots.lines(range(5, recipe.steps + 1), curves, xlabel="step", ylabel="loss of the bands")
plots.show(
    ax, alt="The loss of the plain form soon stays level; that of the convolutional form falls much further."
)


def say(model, utterance, true_durations=False):
    """A model's log-mel of a sentence, with its own or with the true durations."""
    own = acoustic.whole_frames(model.durations(utterance.phones))
    return model.mel(utterance.phones, utterance.durations if true_durations else own)


trained["shipped"] = voices["en"].acoustic
unseen = corpus.ready("en", "unseen", count)
print(f"{'distortion, dB':14}  true durations   own durations   words never seen")
for name, maker in trained.items():
    fixed = distortion([say(maker, u, True) for u in tried["en"]], tried["en"])
    free, new = (distortion([say(maker, u) for u in us], us, warp=True) for us in (tried["en"], unseen))
    print(f"{name:14} {fixed:15.2f} {free:15.2f} {new:18.2f}")

# %% [markdown] lang="en"
# Plain arrives where the means were, and more training does not help: **the average is the best that it can do**. The convolutional form is ahead after seconds, and the shipped one, the same form after 5,000 steps, shows how far it goes. Warping forgives other durations, so compare columns only downwards. Listen to the same sentence from the four.

# %% [markdown] lang="zh"
# plain 停在了平均的水平，再训练也没用：**平均就是它能做到的最好**。卷积结构训练几秒就超过了它；附带的模型是同样的结构训练 5,000 步，可以看出还能走多远。规整会原谅时长上的差别，所以只能竖着比，不能横着比。请听同一句话的几个版本。

# %% tags=["nbval-ignore-output"]
sounds.play(
    real=one.samples / 32_768, **{name: loud(say(maker, one, True)) for name, maker in trained.items()}
)

# %% [markdown] lang="en"
# ## 8. The vocoder
#
# Mel to sound: first back to 513 magnitudes (a least-squares inverse of the triangles), then phases. Griffin and Lim's idea: magnitudes and phases of overlapping frames must *agree*, since neighbouring frames share samples. Guess phases, make sound, take its spectrum, keep the phases, put the wanted magnitudes $A$ back, and repeat:
#
# $$S \leftarrow A \cdot \frac{S'}{|S'|}, \qquad S' = \text{STFT}(\text{ISTFT}(S))$$
#
# **By hand.** If $S' = 3 + 4i$ has the magnitude 5, and 10 is wanted, then $S \leftarrow 10 \cdot (0.6 + 0.8i) = 6 + 8i$.

# %% [markdown] lang="zh"
# ## 8. 声码器
#
# 从梅尔谱回到声音：先回到 513 个幅度（三角形矩阵的最小二乘逆），再补相位。Griffin 和 Lim 的想法是：相邻的帧有共同的样本，所以各帧的幅度和相位必须*彼此一致*。先随便猜相位，变成声音，再求它的谱，留下相位，换回想要的幅度 $A$，如此反复：
#
# $$S \leftarrow A \cdot \frac{S'}{|S'|}, \qquad S' = \text{STFT}(\text{ISTFT}(S))$$
#
# **手算**：$S' = 3 + 4i$ 的幅度是 5，想要 10，则 $S \leftarrow 10 \cdot (0.6 + 0.8i) = 6 + 8i$。


# %%
def griffin_lim_by_hand(wanted, iterations):
    """Samples whose spectrum has nearly the magnitudes (513, T), and how far away each step was."""
    spectrum, away = wanted.to(torch.complex64), []  # all phases zero
    for _ in range(iterations):
        rebuilt = mel.stft(mel.istft(spectrum))
        away.append(((rebuilt.abs() - wanted).norm() / wanted.norm()).item())
        spectrum = wanted * rebuilt / rebuilt.abs().clamp(min=1e-12)
    return mel.istft(spectrum), away


assert np.isclose(10 * (3 + 4j) / abs(3 + 4j), 6 + 8j)
wanted = mel.stft(mel.to_float(one.samples)).abs()
by_hand, away = griffin_lim_by_hand(wanted, 32)
theirs = vocoder.griffin_lim(wanted, 32, momentum=0)
print(f"by hand and labkit's differ by {(by_hand - theirs).abs().max():.0e} at most")
print(
    f"away from the magnitudes: {away[0]:.2f} at first, {away[8]:.2f} after 8 steps, {away[-1]:.2f} after 32"
)
assert torch.allclose(by_hand, theirs, atol=1e-4)

# %% [markdown] lang="en"
# And librosa's? Its `griffinlim` would compile for a quarter of a minute here, so this cell carries five samples of what it gives for a small spectrum; in `full` mode it is called, and the course's tests call it too.

# %% [markdown] lang="zh"
# librosa 的呢？它的 `griffinlim` 在这里要先编译十几秒，所以下面存了它对一个小谱图给出的五个样本；`full` 模式会真的调用它，课程测试里也会调用。

# %%
steps = torch.arange(2_048.0)
small = mel.stft(torch.sin(steps**2 / 5_000)).abs()  # a tone that rises
ours, _ = griffin_lim_by_hand(small, 4)
LIBROSA = [1.6577, 1.4743, 1.0688, 0.4943, -0.1668]  # librosa 0.11, n_iter=4, momentum=0, init=None
print("ours   ", ours[1_000:1_005].numpy().round(4), "\nlibrosa", np.array(LIBROSA))
assert np.allclose(ours[1_000:1_005], LIBROSA, atol=1e-3)
if MODE == "full":
    settings = {"hop_length": 256, "n_fft": 1_024, "pad_mode": "constant", "init": None, "momentum": 0}
    assert np.allclose(ours, librosa.griffinlim(small.numpy(), n_iter=4, **settings), atol=2e-3)

# %% [markdown] lang="en"
# A **neural vocoder** knows voices. Ours is a small network that turns 80 bands into 513 magnitudes, where it puts the overtones back that the triangles merged. Then it reads the pitch off them, starts from the phases of a voice that beats at that pitch, and takes a few steps of Griffin-Lim. Three measures on *real* mels, so that only the vocoder is judged:
# distortion, *STOI* (a model of how much of it people understand in noise, 1 at best), and later the judge.

# %% [markdown] lang="zh"
# **神经声码器**懂得人声。我们的是一个小网络，把 80 个频带变成 513 个幅度，把被三角形并掉的泛音重新画出来；再从中读出音高，以“按这个音高振动的嗓音”的相位为起点，走几步 Griffin-Lim。下面在*真实*梅尔谱上测，这样只评声码器：失真、*STOI*（模拟人在噪声中能听懂多少，最好为 1），后面再加上裁判。

# %%
makers = {"Griffin-Lim": vocoder.griffin_lim_vocoder, "neural": loud}
copies = {
    name: {language: [maker(u.mel()) for u in us] for language, us in tried.items()}
    for name, maker in makers.items()
}
vocoded = {}
for name in makers:
    for language, us in tried.items():
        made = copies[name][language]
        far = distortion([mel.log_mel(samples) for samples in made], us)
        clear = [measures.intelligibility(samples, u.samples) for samples, u in zip(made, us, strict=True)]
        vocoded[name, language] = far, clear
        print(f"{name:12} {language}  distortion {far:.2f} dB  STOI {np.mean(clear):.3f}")

# %% tags=["nbval-ignore-output"]
place = tried["en"].index(one)
sounds.play(
    real=one.samples / 32_768,
    **{name: copies[name]["en"][place] for name in makers},
)

# %% [markdown] lang="en"
# ## 9. The judge
#
# Distortion and STOI compare with one recording. But a sentence may be said in many ways; the question is whether it is *understood*. So a recognizer listens and writes down sounds, trained by **CTC** (Graves et al. 2006). At each step it gives a probability to every sound and to a *blank*, "nothing new". Nobody tells it when a sound begins: the loss adds up the probabilities of *all* paths
# that come to the right sounds. To read a path: merge equal neighbours, then drop the blanks. **By hand.** `n n - i - h h ao ao` is n i h ao, and `l - l` is two l.

# %% [markdown] lang="zh"
# ## 9. 裁判
#
# 失真和 STOI 都是拿一段录音来比。可一句话有许多种说法，要紧的是*听不听得懂*。所以请一个识别器来听写，它用 **CTC** 训练（Graves 等，2006）。每一步，它给每个音和一个*空白*（“没有新的音”）各一个概率。没人告诉它每个音从哪里开始：损失把*所有*能读成正确音串的路径的概率加起来。读一条路径的办法：先合并相邻的相同符号，再去掉空白。**手算**：`n n - i - h h ao ao` 读作 n i h ao，`l - l` 是两个 l。

# %%
judge = judges["en"]
with torch.no_grad():
    log_probabilities, _ = judge(log_mel[None], torch.tensor([len(log_mel)]))
best = log_probabilities[0].argmax(1)  # one a step of two frames
path = ["-" if number == 0 else judge.config.sounds[number - 1] for number in best.tolist()]
print("path  ", " ".join(path[:50]), "...")
print("heard ", " ".join(judge.transcribe(log_mel)))
print("said  ", " ".join(one.sounds))
print(f"{len(path)} steps, {np.mean([symbol == '-' for symbol in path]):.2f} of them blank")

# %% [markdown] lang="en"
# ### Exercise 11.4: From steps to sounds (★★☆, 10 minutes)
#
# `path` is a list of symbols, one a step, with `-` for the blank. Give the list of sounds. Think of `l - l` before you write.

# %% [markdown] lang="zh"
# ### 练习 11.4：从逐步输出到音素（★★☆，10 分钟）
#
# `path` 是符号列表，一步一个，`-` 代表空白。返回音素列表。动手之前先想想 `l - l`。


# %% exercise="11.4"
def collapse(path):
    """Symbols of the steps -> list of sounds."""
    ### BEGIN SOLUTION
    merged = [symbol for place, symbol in enumerate(path) if place == 0 or path[place - 1] != symbol]
    return [symbol for symbol in merged if symbol != "-"]
    ### END SOLUTION


# %%
check("11.4", collapse)
# hint("11.4")
# solution("11.4")

# %% [markdown] lang="en"
# The *phoneme error rate* is the smallest number of substitutions $S$, deletions $D$ and insertions $I$ that turn what was said into what was heard, over the number $N$ of sounds said:
#
# $$\text{PER} = \frac{S + D + I}{N}$$
#
# **By hand.** Said: n i h ao m a. Heard: n i h ou m a a. One substitution, one insertion: $2 / 6 = 0.33$.

# %% [markdown] lang="zh"
# *音素错误率*：把“说的”变成“听到的”，最少需要多少次替换 $S$、删除 $D$、插入 $I$，再除以说的音素数 $N$：
#
# $$\text{PER} = \frac{S + D + I}{N}$$
#
# **手算**：说的是 n i h ao m a，听到的是 n i h ou m a a。一次替换，一次插入：$2 / 6 = 0.33$。

# %%
rate = measures.phoneme_error_rate([list("nihUmaa")], [list("nihAma")])  # A for ao, U for ou
print(f"phoneme error rate {rate:.2f}, by jiwer {jiwer.wer('n i h ao m a', 'n i h ou m a a'):.2f}")
assert np.isclose(rate, 2 / 6)

# %% [markdown] lang="en"
# ## 10. Which part costs what
#
# The whole way has three parts that can fail: durations, mel, vocoder. **Put the truth in the place of one part after the other**, and the difference between two rows is what that part costs:
#
# | row | durations | mel | vocoder |
# |---|---|---|---|
# | real sound | true | true | none |
# | vocoded real mel | true | true | ours |
# | true durations | true | ours | ours |
# | all ours | ours | ours | ours |
#
# Which step do you expect to cost most?

# %% [markdown] lang="zh"
# ## 10. 哪一步损失最大
#
# 整条路有三处可能出问题：时长、梅尔谱、声码器。**逐个用真值替换**，相邻两行之差就是这一步的代价：
#
# | 行 | 时长 | 梅尔谱 | 声码器 |
# |---|---|---|---|
# | real sound | 真 | 真 | 不用 |
# | vocoded real mel | 真 | 真 | 我们的 |
# | true durations | 真 | 我们的 | 我们的 |
# | all ours | 我们的 | 我们的 | 我们的 |
#
# 你觉得哪一步的代价最大？

# %%
routes = {}
for language, us in tried.items():
    maker = voices[language].acoustic
    routes[language] = {
        "real sound": [u.samples for u in us],
        "real mel, Griffin-Lim": copies["Griffin-Lim"][language],
        "vocoded real mel": copies["neural"][language],
        "true durations": [loud(say(maker, u, True)) for u in us],
        "all ours": [loud(say(maker, u)) for u in us],
    }
for form in ("convolutional", "plain"):
    routes["en"][f"{form}, trained here"] = [loud(say(trained[form], u)) for u in tried["en"]]


def wrong_sounds(language, mels, utterances):
    """Phoneme error rate of each sentence, as the judge hears it."""
    heard = [judges[language].transcribe(bands) for bands in mels]
    return [measures.phoneme_error_rate([h], [u.sounds]) for h, u in zip(heard, utterances, strict=True)]


# %% tags=["nbval-ignore-output"]
table = {}
for language, us in tried.items():
    for name, made in routes[language].items():
        pictures = [mel.log_mel(samples) for samples in made]
        rates = wrong_sounds(language, pictures, us)
        far, seconds = (
            distortion(pictures, us, warp=True),
            sum(map(len, made)) / sum(len(u.samples) for u in us),
        )
        table[language, name] = rates, far
        print(
            f"{language}  {name:22} errors {100 * np.mean(rates):5.1f} %   distortion {far:.2f} dB   length {seconds:.2f}"
        )

# %%
shown = {name: far for (language, name), (_, far) in table.items() if language == "en"}
shown = {name.replace(", ", ",\n").replace("real mel", "real mel\n"): far for name, far in shown.items()}
ax = plots.bars(shown, ylabel="distortion, dB", ax=plots.new_axes(9, 3), digits=2)
ax.tick_params(axis="x", labelsize=8)
plots.show(
    ax,
    alt="Bars of the distortion in English: nothing for real sound, more with each part that is ours, most for plain.",
)
steps = ("real sound", "vocoded real mel", "true durations", "all ours")
for cause, (before, after) in zip(("vocoder", "mel", "durations"), pairwise(steps), strict=True):
    print(f"{cause:10} costs {table['en', after][1] - table['en', before][1]:.2f} dB in English")

# %% [markdown] lang="en"
# Read the differences, not the rows. In decibels the vocoder and our mel cost about one each, and the durations next to nothing. In sounds understood, none of the three costs anything: the shipped voice is heard like the real sound, but for a sound here and there. That the judge *can* tell is shown by the voices that were trained here. So the two measures see different things: a decibel says how far away, the judge whether it matters.
#
# ## 11. Prompts for a voice
#
# A prompt for a voice is the text, and how to say it: **rate**, **pitch**, **pause**. A control is worth something if it moves the number that it names, and leaves the others alone. The durations are divided by the rate, those of pauses are multiplied by the pause, and the finished sound is shifted in pitch. What do you expect of the errors?

# %% [markdown] lang="zh"
# 请看行与行之差，不要单看一行。论分贝，声码器和我们的梅尔谱各占一分贝上下，时长几乎不花什么。论听懂了多少音，三样都不花什么：附带的声音和真实声音一样听得懂，偶尔差一个音。裁判并不是听不出差别，看看在这里训练的两个声音就知道。可见两种指标看的是不同的东西：分贝说差多远，裁判说要不要紧。
#
# ## 11. 语音的提示词
#
# 给语音模型的提示，除了文字，还有怎么说：**语速**（rate）、**音高**（pitch）、**停顿**（pause）。一个控制有没有用，要看它是否改变了它所说的那个数，又不影响别的。语速用来除时长，停顿用来乘停顿的时长，音高则是把合成好的声音整体移动。猜一猜错误率会怎样？

# %%
windy = "First came the rain, then the wind, then nothing."
phones = corpus.phones_of(windy, "en")


def median_pitch(samples):
    """Median pitch in Hz over the frames that have one; NaN where none has."""
    track = measures.pitch_track(samples)
    return float(np.median(track[~np.isnan(track)])) if not np.isnan(track).all() else float("nan")


def measured(speech):
    """Seconds, seconds of pauses, median pitch in Hz, and the judge's errors."""
    pauses = sum(end - begin for name, begin, end in speech.times() if name.startswith(PAUSE))
    sounds_said = [phone.sound for phone in speech.phones if phone.symbol != PAUSE]
    rate = measures.phoneme_error_rate([judges["en"].transcribe(mel.log_mel(speech.samples))], [sounds_said])
    return speech.seconds, pauses, median_pitch(speech.samples), rate


# %%
asked = [{}, {"rate": 1.5}, {"rate": 2.0}, {"pause": 2.5}, {"pitch": 0.75}, {"pitch": 1.25}, {"pitch": 1.6}]
said_so = {str(controls): voices["en"].speak_phones(phones, Controls(**controls)) for controls in asked}
for name, speech in said_so.items():
    seconds, pauses, hertz, rate = measured(speech)
    print(f"{name:16} {seconds:.2f} s, pauses {pauses:.2f} s, pitch {hertz:3.0f} Hz, errors {rate:.2f}")

# %% [markdown] lang="en"
# Rate moves the seconds, pause the pauses, pitch the hertz, each by its factor, and the others stay. Punctuation is a control too: a comma makes a pause. There is a price: fast speech leaves too few frames for a sound.
#
# The pitch is worth a second look. The simplest way to another pitch is that of a tape played faster (with the tempo put right again). It shifts *everything*, also the resonances of mouth and throat that make a vowel this vowel. labkit puts these back. How much does the judge mind?

# %% [markdown] lang="zh"
# 语速改变秒数，停顿改变停顿，音高改变赫兹，都按倍数来，其余的不动。标点也是控制：一个逗号就是一处停顿。代价也有：说得太快，一个音分不到几帧。
#
# 音高值得再看一眼。最简单的变调办法，是像磁带那样快放（再把速度调回来）。这样移动的是*一切*，连口腔和喉咙的共鸣也跟着走，而一个元音之所以是这个元音，靠的正是共鸣。labkit 会把共鸣放回原处。裁判在乎吗？

# %%
ordinary = said_so["{}"]
said = [phone.sound for phone in ordinary.phones if phone.symbol != PAUSE]
shifted = {"as on a tape": shift_pitch(ordinary.samples, 1.25, keep_resonances=False)}
shifted["resonances kept"] = said_so["{'pitch': 1.25}"].samples
for name, made in shifted.items():
    heard = judges["en"].transcribe(mel.log_mel(made))
    wrong = measures.phoneme_error_rate([heard], [said])
    print(f"{name:15} pitch {median_pitch(made):.0f} Hz, errors {wrong:.2f}")

# %% tags=["nbval-ignore-output"]
names = {"{}": "plain", "{'rate': 1.5}": "rate 1.5", "{'pause': 2.5}": "pause 2.5"}
sounds.play(**{name: said_so[key].samples for key, name in names.items()}, **shifted)

# %% [markdown] lang="en"
# The pitch is the same in both, and on the tape hardly a sound is understood. You may still understand it: people adapt to another throat, and this judge has heard one only. **A judge's number says something about the judge too.**
#
# Now your own text. The panel shows mel and times of the sounds while you type. (Without the speech engine it knows the sentences of this lesson only, and says so.)

# %% [markdown] lang="zh"
# 两种做法音高一样，可是按磁带的做法，几乎没有一个音听得对。你自己也许还听得懂：人会适应另一副嗓子，而这个裁判只听过一副。**裁判打的分，说的也有裁判自己。**
#
# 现在输入你自己的文字。面板会同时显示梅尔谱和每个音的时间。（没有装语音引擎时，它只认识本课的句子，并且会说明。）


# %% tags=["nbval-ignore-output"]
def speak(text, language, rate, pitch, pause):
    speech = voices[language].speak_phones(corpus.phones_of(text, language), Controls(rate, pause, pitch))
    ax = plots.spectrogram(speech.mel, seconds=speech.seconds, times=speech.times())
    median = median_pitch(speech.samples)
    heard = judges[language].transcribe(mel.log_mel(speech.samples))
    line = f"{speech.seconds:.2f} s, median pitch {median:.0f} Hz | the judge hears: {' '.join(heard)}"
    return ax, line, sounds.mp3(speech.samples)


widgets.explorer(
    speak,
    sound=True,
    text=sentences["zh"],
    language=["zh", "en"],
    rate=(0.5, 2.5, 0.1, 1.0),
    pitch=(0.5, 2.0, 0.05, 1.0),
    pause=(0.4, 2.5, 0.1, 1.0),
)

# %%
hello = voices["zh"].speak_phones(corpus.phones_of(sentences["zh"], "zh"))
ax = plots.spectrogram(hello.mel, seconds=hello.seconds, times=hello.times())
plots.show(
    ax, alt="The mel spectrogram of the Mandarin sentence with the names of its sounds above their times."
)
print(f"{hello.seconds:.2f} s; the longest sound is {max(hello.times(), key=lambda t: t[2] - t[1])[0]}")

# %% [markdown] lang="en"
# ## 12. Parts swapped
#
# The same panel for the parts: choose durations, mel and vocoder, and listen to what each choice costs. Predict the number before you change a part. (The printed table stands for those who read on paper.)

# %% [markdown] lang="zh"
# ## 12. 换零件
#
# 同样的面板，用来换零件：选择时长、梅尔谱和声码器，听听每种选择的代价。换之前先猜数字。（下面打印的表是给看纸质版的读者的。）


# %%
def assemble(utterance, durations, bands, sound):
    """Log-mel and samples of a sentence with the chosen parts; the real mel needs the true durations."""
    if bands == "real":
        picture = utterance.mel()
    else:
        chosen = {"true": lambda u: u.durations, "predicted": rules["predicted"], "equal": rules["all equal"]}
        frames = acoustic.whole_frames(torch.tensor(chosen[durations](utterance), dtype=torch.float32))
        source = means if bands == "means" else None
        rows = [source.get(phone, source[None]) for phone in utterance.phones] if source else None
        picture = (
            torch.stack(rows).repeat_interleave(frames, dim=0)
            if rows
            else model.mel(utterance.phones, frames)
        )
    return picture, makers[sound](picture)


# %% tags=["nbval-ignore-output"]
for parts in (("true", "real", "neural"), ("true", "ours", "neural"), ("predicted", "ours", "neural"),
              ("equal", "ours", "neural"), ("predicted", "means", "neural"), ("predicted", "ours", "Griffin-Lim")):  # fmt: skip
    picture, made = assemble(one, *parts)
    heard = mel.log_mel(made)
    far = measures.mel_cepstral_distortion(heard, log_mel)
    print(
        f"{', '.join(parts):32} distortion {far:.2f} dB, errors {wrong_sounds('en', [heard], [one])[0]:.2f}"
    )


# %% tags=["nbval-ignore-output"]
def swap(sentence, durations, mel_bands, vocoder):
    utterance = tried["en"][sentence]
    picture, made = assemble(utterance, durations, mel_bands, vocoder)
    heard = mel.log_mel(made)
    far = measures.mel_cepstral_distortion(heard, utterance.mel())
    wrong = wrong_sounds("en", [heard], [utterance])[0]
    ax = plots.spectrogram(picture, seconds=len(made) / mel.SAMPLE_RATE)
    return ax, f"{utterance.text} | distortion {far:.2f} dB, errors {wrong:.2f}", sounds.mp3(made)


widgets.explorer(
    swap,
    sound=True,
    sentence=(0, count - 1, 1, 0),
    durations=["predicted", "true", "equal"],
    mel_bands=["ours", "real", "means"],
    vocoder=["neural", "Griffin-Lim"],
)

# %% [markdown] lang="en"
# ## 13. Real people
#
# So far a machine imitated a machine. The *Free Spoken Digit Dataset* (Jackson et al.) holds recordings of the digits by five people at 8,000 Hz, with room, breath and hesitation, and nobody wrote down when a sound begins. So a digit is cut into eight equal pieces, each a "phone" marked with its speaker; all else is as before. The judge is another one: it hears whole digits, and was trained **on real
# recordings alone**. If it understands a synthesized digit, then not because it grew used to synthesis. Voice and judge come with the course; `full` mode trains both.

# %% [markdown] lang="zh"
# ## 13. 真人的声音
#
# 到现在为止，都是机器模仿机器。*Free Spoken Digit Dataset*（Jackson 等）是五个人念英文数字的录音，8,000 Hz，带着房间的回声、呼吸和犹豫，也没有人标出每个音从哪里开始。于是把每个数字等分成八段，每段算一个“音素”，标上说话人；其余照旧。裁判也换了一个：它听整个数字，而且**只用真人录音**训练。它要是听懂了合成的数字，那绝不是因为听惯了合成音。声音和裁判都随课程附带；`full` 模式会把两个都训练一遍。

# %%
recordings = data.load("fsdd") if MODE == "full" and data.find("fsdd") is not None else None
if recordings is None:
    speaker, listener = shipped.load_digit_voice(), shipped.load_digit_judge()
else:
    listener, _ = digits.train_judge(recordings)
    speaker, _ = recipes.train_acoustic(digits.utterances(recordings.train), shipped.DIGITS)
people = speaker.config.inventory.marks
pairs = [(digit, person) for person in people for digit in range(10)]
said_digits = [loud(digits.speak(speaker, *pair)) for pair in pairs]
pictures = [mel.log_mel(samples) for samples in said_digits]
understood = [
    digits.recognized(listener, [picture], [digit])
    for picture, (digit, _) in zip(pictures, pairs, strict=True)
]
for row, person in enumerate(people):
    print(f"{person:9} {sum(understood[10 * row : 10 * row + 10]):.0f} of 10 digits understood")
on_real = weights.read_card(weights.shipped_path("speech-digits-judge")).metrics["recognized_test"]
print(f"synthesized {np.mean(understood):.3f}; real test recordings, by the judge's card, {on_real:.3f}")

# %% tags=["nbval-ignore-output"]
turns = {
    f"{person} says {pairs[place][0]}": said_digits[place]
    for place, person in zip((3, 15, 27, 38, 41), people, strict=True)
}
here = data.load("fsdd").test if data.find("fsdd") is not None else []
if here:
    real = [mel.log_mel(digits.prepare(recording)) for recording in here]
    share = digits.recognized(listener, real, [recording.digit for recording in here])
    print(f"{len(here)} real test recordings on this computer: {share:.3f} understood")
    turns["a real 3"] = digits.prepare(next(recording for recording in here if recording.digit == 3)) / 32_768
else:
    print("The recordings are not on this computer; `labkit data get fsdd` fetches them (18 MB).")
sounds.play(**turns)

# %% [markdown] lang="en"
# They sound muffled, as the recordings do: at 8,000 Hz nothing above 4,000 Hz is left.
#
# ## 14. Break it
#
# A colleague prepares recordings for our vocoder. In speech recognition a frame every 10 ms is usual, so he computes his mels with a hop of 220 samples. Eighty bands, the same window, the same triangles; no error, no warning. He listens, compares distortion with warping, and asks the judge:

# %% [markdown] lang="zh"
# 听起来闷闷的，录音本来就是这样：8,000 Hz 采样，4,000 Hz 以上什么也没有。
#
# ## 14. 找出故障
#
# 一位同事为我们的声码器准备录音。语音识别里通常每 10 毫秒一帧，于是他算梅尔谱时帧移取 220 个样本。同样八十个频带，同样的窗，同样的三角形；没有报错，也没有警告。他听了听，用带规整的失真比了比，又问了裁判：


# %%
def theirs_log_mel(samples):
    """The colleague's log-mel (frames, 80)."""
    spectrum = torch.stft(
        mel.to_float(samples), 1_024, 220, window=mel.window(), pad_mode="constant", return_complex=True
    )
    return mel.compress(spectrum.abs())


english = tried["en"]
delivered = {
    "ours": copies["neural"]["en"],
    "colleague": [loud(theirs_log_mel(u.samples)) for u in english],
}
for name, made in delivered.items():
    pictures = [mel.log_mel(samples) for samples in made]
    far = distortion(pictures, english, warp=True)
    rate = np.mean(wrong_sounds("en", pictures, english))
    print(f"{name:10} distortion with warping {far:.2f} dB, phoneme error rate {100 * rate:.1f} %")

# %% tags=["nbval-ignore-output"]
sounds.play(ours=delivered["ours"][place], colleague=delivered["colleague"][place])

# %% [markdown] lang="en"
# **Before you read on:** both numbers were chosen so that tempo does not matter. Which number of this lesson would have shown it?

# %% [markdown] lang="zh"
# **往下读之前**：这两个数字恰好都不在乎快慢。本课的哪个数字能看出问题？

# %%
for name, made in delivered.items():
    longer = sum(len(samples) for samples in made) / sum(len(u.samples) for u in english)
    clear = np.mean([measures.intelligibility(a, u.samples) for a, u in zip(made, english, strict=True)])
    hertz = np.median([np.nanmedian(measures.pitch_track(samples)) for samples in made])
    print(f"{name:10} length {longer:.2f} of the real one, STOI {clear:.3f}, pitch {hertz:.0f} Hz")
print(f"256 / 220 = {256 / 220:.2f}")

# %% [markdown] lang="en"
# Everything lasts $256 / 220 = 1.16$ times as long, at the same pitch: the vocoder takes each frame for 256 samples. Each phoneme is still understood, and warping pairs the slow frames with the fast ones. A voice trained on such mels would be slow for ever, and nobody would get an error message.
# **What two programs must agree on (rate, hop, window, bands, logarithm) belongs into a file beside the data, and into an assertion.** When it is not there, count frames.
#
# ### Exercise 11.5: Which hop was it? (★★★, 12 minutes)
#
# For several recordings you know the number of samples and of frames. A sound of $n$ samples has $1 + \lfloor n / \text{hop} \rfloor$ frames. Give the smallest whole hop that explains all of them.

# %% [markdown] lang="zh"
# 所有声音都变成了 $256 / 220 = 1.16$ 倍长，音高却没变：声码器把每一帧都当成 256 个样本。每个音素照样听得懂，规整又把慢的帧和快的帧配上了对。用这样的梅尔谱训练出来的声音会一直慢下去，而谁也不会看到报错。
# **两个程序必须一致的东西（采样率、帧移、窗、频带、对数），应当写进数据旁边的文件，再加一条断言。** 要是没写，就去数帧。
#
# ### 练习 11.5：帧移是多少？（★★★，12 分钟）
#
# 有几段录音，已知各自的样本数和帧数。$n$ 个样本的声音有 $1 + \lfloor n / \text{hop} \rfloor$ 帧。求能解释所有录音的最小整数帧移。


# %% exercise="11.5"
def find_hop(samples, frames):
    """Numbers of samples and of frames, recording by recording -> the smallest hop that fits all."""
    ### BEGIN SOLUTION
    for hop in range(1, max(samples) + 2):
        if all(1 + n // hop == f for n, f in zip(samples, frames, strict=True)):
            return hop
    return None
    ### END SOLUTION


# %%
check("11.5", find_hop)
# hint("11.5")
# solution("11.5")

# %% [markdown] lang="en"
# ## 15. What was measured
#
# The intervals are those of drawing the sentences anew; each model was trained with one seed. *Above real sound* means: the judge's errors minus those that it makes on the real recording of the same sentence, as a share of the sounds. The last row depends on the computer.

# %% [markdown] lang="zh"
# ## 15. 测量结果
#
# 区间来自对句子重新抽样；每个模型只用一个种子训练过。*above real sound* 指：裁判的错误减去它听同一句真实录音时的错误（占音素总数的比例）。最后一行与电脑有关。


# %%
def of_sentences(name, values, baseline, baseline_name, **options):
    """A mean over sentences with its bootstrap interval."""
    mean, low, high = metrics.bootstrap_interval(np.asarray(values, dtype=float))
    return Measure(name, mean, baseline, baseline_name, interval=(low, high), **options)


def distortions(maker):
    """Mel-cepstral distortion with warping of each held-out sentence."""
    return [measures.mel_cepstral_distortion(say(maker, u), u.mel()) for u in tried["en"]]


def above(language, name):
    """Phoneme error rates of a route, less those of the real recordings, sentence by sentence."""
    return np.array(table[language, name][0]) - np.array(table[language, "real sound"][0])


# %%
started = time.process_time()
seconds = sum(voices["en"].speak_phones(u.phones).seconds for u in tried["en"])
factor = (time.process_time() - started) / seconds
plain = float(np.mean(distortions(trained["plain"])))


# %% tags=["nbval-ignore-output"]
decibels = {"higher_is_better": False, "unit": "dB", "digits": 2}
report(
    of_sentences("distortion, trained here", distortions(trained["convolutional"]), plain, "plain", **decibels),
    of_sentences("distortion, shipped voice", distortions(trained["shipped"]), plain, "plain", **decibels),
    *(of_sentences(f"phoneme errors above real sound, {language}", above(language, "all ours"), 0.0, "real sound",
                   higher_is_better=False) for language in tried),
    of_sentences("phoneme errors above real sound, en, trained here", above("en", "convolutional, trained here"),
                 float(np.mean(above("en", "plain, trained here"))), "plain", higher_is_better=False),
    *(of_sentences(f"STOI of the vocoder, {language}", vocoded["neural", language][1],
                   float(np.mean(vocoded["Griffin-Lim", language][1])), "Griffin-Lim") for language in tried),
    of_sentences("digits understood, synthesized", understood, on_real, "real recordings"),
    Measure("real-time factor of text to sound", factor, higher_is_better=False),
)  # fmt: skip

# %% [markdown] lang="en"
# ## Summary
#
# - Sound is 22,050 numbers a second. A log-mel spectrogram keeps 80 bands every 256 samples, as an ear does, and throws the phase away.
# - Text is spelled out, then turned into phonemes with stress or tone. The same letters may sound differently; a dictionary looks at the words around.
# - A model without context learns an average for each phone, and an average sounds blurred. The encoder looks at the neighbours; the place in the phone does the rest.
# - Durations are predicted, the length regulator repeats, the decoder paints, the vocoder invents the phase.
# - Griffin-Lim makes frames agree; a neural vocoder knows voices.
# - Distortion, STOI and phoneme errors see different things. Put real sound, and vocoded real mel, beside each.
# - Oracle substitution finds the part that costs most.
# - A control is worth what it moves in the number that it names.
# - A judge of synthesized speech learns from real speech alone.
# - A wrong hop runs without an error. Warped distortion and the judge forgive it; the length does not.
#
# ## Further reading
#
# - Y. Wang et al. (2017), Tacotron: towards end-to-end speech synthesis. [arXiv:1703.10135](https://arxiv.org/abs/1703.10135).
# - J. Shen et al. (2018), Natural TTS synthesis by conditioning WaveNet on mel spectrogram predictions. [arXiv:1712.05884](https://arxiv.org/abs/1712.05884). The 80 bands.
# - Y. Ren et al. (2019), FastSpeech: fast, robust and controllable text to speech. [arXiv:1905.09263](https://arxiv.org/abs/1905.09263). The length regulator.
# - Y. Ren et al. (2021), FastSpeech 2. [arXiv:2006.04558](https://arxiv.org/abs/2006.04558). Pitch and energy as inputs.
# - D. Griffin, J. Lim (1984), Signal estimation from modified short-time Fourier transform. [doi:10.1109/TASSP.1984.1164317](https://doi.org/10.1109/TASSP.1984.1164317).
# - J. Kong, J. Kim, J. Bae (2020), HiFi-GAN. [arXiv:2010.05646](https://arxiv.org/abs/2010.05646). A vocoder that writes samples.
# - A. Graves et al. (2006), Connectionist temporal classification. [doi:10.1145/1143844.1143891](https://doi.org/10.1145/1143844.1143891).
# - C. Taal et al. (2011), An algorithm for intelligibility prediction of time-frequency weighted noisy speech. [doi:10.1109/TASL.2011.2114881](https://doi.org/10.1109/TASL.2011.2114881).
# - R. Kubichek (1993), Mel-cepstral distance measure for objective speech quality assessment. *IEEE Pacific Rim Conference*.
# - X. Tan et al. (2021), A survey on neural speech synthesis. [arXiv:2106.15561](https://arxiv.org/abs/2106.15561).

# %% [markdown] lang="zh"
# ## 小结
#
# - 声音是每秒 22,050 个数。对数梅尔谱像耳朵一样，每 256 个样本留下 80 个频带，丢掉相位。
# - 文字先写成读法，再变成带重音或声调的音素。同样的字可能读音不同，词典要看前后的词。
# - 不看上下文的模型，对每个音素只能学到平均，而平均听起来发糊。编码器看前后的音素，位置信息补上其余。
# - 时长靠预测，长度调节器负责重复，解码器画谱图，声码器补相位。
# - Griffin-Lim 让各帧彼此一致；神经声码器懂得人声。
# - 失真、STOI、音素错误率看到的东西不同。每个数字旁边都放上真实声音的，再放上“真实梅尔谱经过声码器”的。
# - 逐个用真值替换，就能找出代价最大的部分。
# - 一个控制值多少，看它把自己所说的那个数移动了多少。
# - 评判合成语音的裁判，只能用真实语音训练。
# - 帧移错了也不会报错。带规整的失真和裁判都会放过它，长度不会。
#
# ## 延伸阅读
#
# - Y. Wang 等（2017）：Tacotron。[arXiv:1703.10135](https://arxiv.org/abs/1703.10135)。
# - J. Shen 等（2018）：Natural TTS synthesis by conditioning WaveNet on mel spectrogram predictions。[arXiv:1712.05884](https://arxiv.org/abs/1712.05884)。八十个频带的出处。
# - Y. Ren 等（2019）：FastSpeech。[arXiv:1905.09263](https://arxiv.org/abs/1905.09263)。长度调节器。
# - Y. Ren 等（2021）：FastSpeech 2。[arXiv:2006.04558](https://arxiv.org/abs/2006.04558)。把音高和能量也作为输入。
# - D. Griffin、J. Lim（1984）：Signal estimation from modified short-time Fourier transform。[doi:10.1109/TASSP.1984.1164317](https://doi.org/10.1109/TASSP.1984.1164317)。
# - J. Kong、J. Kim、J. Bae（2020）：HiFi-GAN。[arXiv:2010.05646](https://arxiv.org/abs/2010.05646)。直接写出样本的声码器。
# - A. Graves 等（2006）：Connectionist temporal classification。[doi:10.1145/1143844.1143891](https://doi.org/10.1145/1143844.1143891)。
# - C. Taal 等（2011）：STOI。[doi:10.1109/TASL.2011.2114881](https://doi.org/10.1109/TASL.2011.2114881)。
# - R. Kubichek（1993）：Mel-cepstral distance measure for objective speech quality assessment。*IEEE Pacific Rim Conference*。
# - X. Tan 等（2021）：A survey on neural speech synthesis。[arXiv:2106.15561](https://arxiv.org/abs/2106.15561)。
