// An amplifier made of formulas, for whoever has no recordings at hand: it is what an LSTM is to learn.

/** A filter with one pole: how fast it follows, in hertz. */
function lowPass(hertz, sampleRate) {
  const share = 1 - Math.exp(-2 * Math.PI * hertz / sampleRate)
  let state = 0
  return (sample) => (state += share * (sample - state))
}

/** Bass is taken away, a valve clips one side sooner than the other and its bias sinks when it is loud, and a loudspeaker takes the treble. */
export function amplify(samples, sampleRate) {
  const [bass, envelope, treble, speaker, offset] = [90, 8, 5500, 7000, 20].map((hertz) => lowPass(hertz, sampleRate))
  return Float32Array.from(samples, (sample) => {
    const driven = 9 * (sample - bass(sample))
    const bias = 0.25 - 0.5 * envelope(Math.abs(Math.tanh(driven)))
    const valve = Math.tanh(driven + bias) - 0.2 * Math.tanh(0.5 * driven) ** 2
    const sounding = speaker(treble(valve))
    return 0.6 * (sounding - offset(sounding))
  })
}
