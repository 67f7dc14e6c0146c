"""A guitar amplifier made of formulas, and a guitar to play through it: the teacher of train_amp.py.

All filters are applied in the frequency domain, to whole signals that end in silence.
"""

import numpy as np

SAMPLE_RATE = 48_000
OVERSAMPLING = 4
# Silence after a signal, in seconds, in which filters ring out.
TAIL = 0.5


def filtered(signal, rate, response):
    """signal through the analogue filter `response`, a function of s = 2 pi i f."""
    length = len(signal) + int(TAIL * rate)
    s = 2j * np.pi * np.fft.rfftfreq(length, 1 / rate)
    return np.fft.irfft(np.fft.rfft(signal, length) * response(s), length)[: len(signal)]


def lowpass(frequency):
    corner = 2 * np.pi * frequency
    return lambda s: corner / (s + corner)


def highpass(frequency):
    corner = 2 * np.pi * frequency
    return lambda s: s / (s + corner)


def second_order(frequency, quality):
    corner = 2 * np.pi * frequency
    return lambda s: corner**2 / (s**2 + s * corner / quality + corner**2)


def resampled(signal, factor):
    """Band-limited: the spectrum is padded with zeros, or cut."""
    padded = np.concatenate([signal, np.zeros(int(TAIL * SAMPLE_RATE) * max(1, round(1 / factor)))])
    length = int(len(padded) * factor)
    spectrum = np.fft.rfft(padded)
    resized = np.zeros(length // 2 + 1, complex)
    kept = min(len(spectrum), len(resized))
    resized[:kept] = spectrum[:kept]
    return np.fft.irfft(resized, length)[: int(len(signal) * factor)] * factor


def valve_stage(dry):
    """Two triodes, a supply that sags, and a loudspeaker's roll-off: float64 [n] at 48 kHz to float64 [n].

    1. A coupling capacitor and a bright switch: what goes into the first grid, amplified 8 times.
    2. The first triode clips one side earlier than the other. Loud passages draw grid current, which shifts its bias.
    3. The second triode clips evenly, against a supply voltage that sags by up to a third when it works hard.
    4. Tone: a bump at 110 Hz, a dip in the middle, nothing above 5 kHz.
    """
    rate = SAMPLE_RATE * OVERSAMPLING
    bright = lambda s: (1 + 2 * highpass(900)(s)) / 2
    grid = 8 * filtered(filtered(resampled(dry, OVERSAMPLING), rate, highpass(90)), rate, bright)

    bias = 0.25 - 0.35 * np.tanh(filtered(np.maximum(grid - 1, 0), rate, lowpass(12)))
    plate = filtered(asymmetric(grid + bias) - asymmetric(bias), rate, highpass(30))

    supply = 1 - 0.33 * np.tanh(filtered(np.abs(plate), rate, lowpass(6)))
    power = supply * np.tanh(1.6 * plate / supply)

    scoop = lambda s: 1 - 0.5 * second_order(650, 0.6)(s) * s / (2 * np.pi * 650)
    bump = lambda s: 1 + 0.5 * second_order(110, 1.2)(s) * s / (2 * np.pi * 110)
    speaker = lambda s: second_order(5000, 0.8)(s) * lowpass(9000)(s) * highpass(70)(s)
    wet = filtered(power, rate, lambda s: scoop(s) * bump(s) * speaker(s))
    return 0.6 * resampled(wet, 1 / OVERSAMPLING)


def asymmetric(voltage):
    """Slope 1 at 0; the limits are -0.6 and 1."""
    return np.where(voltage > 0, np.tanh(voltage), 0.6 * np.tanh(voltage / 0.6))


def pluck(random, frequency, seconds, brightness, damping):
    """A Karplus-Strong string: a burst of noise runs round a delay line that averages neighbours."""
    length = int(seconds * SAMPLE_RATE)
    period = SAMPLE_RATE / frequency - 0.5
    delay = int(period)
    fraction = period - delay
    line = random.uniform(-1, 1, delay + 1)
    for _ in range(brightness):
        line = (line + np.roll(line, 1)) / 2
    blocks = [line]
    # One period at a time; the sample before the first of a period is the last of the period before it.
    for _ in range(length // len(line)):
        previous = blocks[-1]
        shifted = np.concatenate([[0 if len(blocks) < 2 else blocks[-2][-1]], previous[:-1]])
        blocks.append(damping * ((1 - fraction / 2) * previous + fraction / 2 * shifted) * 0.5 + damping * 0.5 * shifted)
    string = np.concatenate(blocks)[:length]
    fade = min(length, 400)
    string[-fade:] *= np.linspace(1, 0, fade)
    return string / max(np.abs(string).max(), 1e-9)


def riff(random, seconds):
    """Notes, power chords, muted ones and rests, in no key for long; the loudest sample is 1."""
    track = np.zeros(int(seconds * SAMPLE_RATE))
    position = 0
    while position < len(track):
        beat = random.choice([0.12, 0.15, 0.2, 0.3, 0.45, 0.9, 1.8])
        root = 82.41 * 2 ** (random.integers(0, 30) / 12)
        intervals = [[0], [0], [0, 7], [0, 7, 12], [0, 4, 7], [0, 3, 7, 10]][random.integers(0, 6)]
        damping = random.choice([0.93, 0.985, 0.995, 0.999])
        loudness = random.uniform(0.1, 1) if random.uniform() > 0.1 else 0
        for interval in intervals:
            note = pluck(random, root * 2 ** (interval / 12), beat * 1.1, random.integers(0, 4), damping)
            end = min(len(track), position + len(note))
            track[position:end] += loudness / len(intervals) ** 0.5 * note[: end - position]
        position += int(beat * SAMPLE_RATE)
    return track / np.abs(track).max()


def test_tones(random, seconds):
    """Sweeps and noise whose loudness swells and fades; the loudest sample is 1."""
    length = int(seconds * SAMPLE_RATE)
    part = length // 4
    time = np.arange(part) / SAMPLE_RATE
    swell = np.linspace(0.02, 1, part) ** 2
    rate = np.log(8000 / 40) / time[-1]
    sweep = np.sin(2 * np.pi * 40 * np.expm1(rate * time) / rate)
    noise = filtered(random.standard_normal(part), SAMPLE_RATE, lowpass(3000))
    tones = np.concatenate([sweep * swell, sweep * swell[::-1], noise * swell, noise * (np.sin(9 * time) > 0)])
    return tones / np.abs(tones).max()
