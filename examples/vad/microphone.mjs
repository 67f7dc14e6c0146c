import { FRAME, SAMPLE_RATE } from './detector.mjs'
import { resample } from './wav.mjs'

/** Samples on either side that the resampler looks at, at any usual rate. */
const MARGIN = 128

/**
 * Listens, and hands over frames of 512 samples at 16 kHz: microphones have their own rates.
 * @returns a function that stops it
 */
export async function listen(onFrame) {
  const audio = { channelCount: 1, echoCancellation: false, autoGainControl: true }
  const stream = await navigator.mediaDevices.getUserMedia({ audio })
  const context = new AudioContext()
  await context.audioWorklet.addModule(new URL('capture-processor.mjs', import.meta.url))
  const capture = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' })
  const frames = framesOf(context.sampleRate, onFrame)
  capture.port.onmessage = ({ data }) => frames(data)
  context.createMediaStreamSource(stream).connect(capture)
  return () => {
    capture.port.onmessage = null
    for (const track of stream.getTracks()) track.stop()
    void context.close()
  }
}

/** Cuts sound of any rate, given piece by piece, into frames at 16 kHz. */
export function framesOf(sampleRate, onFrame) {
  const ratio = SAMPLE_RATE / sampleRate
  const wanted = FRAME / ratio // samples a frame
  let heard = new Float32Array(MARGIN)
  let begin = MARGIN // where in `heard` the next frame begins; a fraction, perhaps
  return (piece) => {
    const longer = new Float32Array(heard.length + piece.length)
    longer.set(heard)
    longer.set(piece, heard.length)
    heard = longer
    while (heard.length >= begin + wanted + MARGIN) {
      const first = Math.floor(begin) - MARGIN
      const skipped = (begin - first) * ratio
      const part = resample(heard.subarray(first, Math.ceil(begin + wanted) + MARGIN), sampleRate, SAMPLE_RATE, skipped % 1)
      onFrame(part.slice(Math.floor(skipped), Math.floor(skipped) + FRAME))
      begin += wanted
    }
    const drop = Math.floor(begin) - MARGIN
    heard = heard.slice(drop)
    begin -= drop
  }
}
