import { LstmError } from '../../errors.ts'
import { describeValue } from '../../values/dtype.ts'
import { isObject, type JsonObject } from '../json.ts'
import type { SampleRateOptions } from '../reader.ts'

/** Longer delays are a slip of the hand: 192 kHz are 24 times 8 kHz. */
const MOST_DELAY = 1000

/**
 * How many samples at the rate of `options` are one at the rate of the training: RTNeural's `prepare(delaySamples)`.
 * @throws LstmError `VALUE` for rates that do not fit, or where nothing says the rate of the training
 */
export function delaySamplesOf(json: JsonObject, options: SampleRateOptions): number {
  const { sampleRate, sampleRateCorrection = 'LinInterp' } = options
  if (sampleRate === undefined) return 1
  const training = options.trainingSampleRate ?? storedRate(json)
  if (training === undefined) throw new LstmError('VALUE', "RTNeural: the file does not say which sample rate it was trained at; give 'trainingSampleRate' as well")
  const [given, trained] = [rate(sampleRate, 'sampleRate'), rate(training, 'trainingSampleRate')]
  const delay = given / trained
  if (delay < 1 || delay > MOST_DELAY) {
    throw new LstmError('VALUE', `RTNeural: expected a 'sampleRate' from ${trained} Hz, which the model was trained at, to ${MOST_DELAY} times that, got ${given}`)
  }
  if (sampleRateCorrection === 'NoInterp' && !Number.isInteger(delay)) {
    throw new LstmError('VALUE', `RTNeural: 'NoInterp' is for whole multiples of ${trained} Hz, which the model was trained at, got ${given}; use 'LinInterp'`)
  }
  return delay
}

/** What AIDA-X's files say, where its player looks for it. */
function storedRate({ metadata, samplerate }: JsonObject): unknown {
  const first = isObject(metadata) ? metadata.samplerate : undefined
  return asNumber(typeof first === 'number' || typeof first === 'string' ? first : samplerate)
}

/** Some files have the number as text. */
function asNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value
}

function rate(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw new LstmError('VALUE', `RTNeural: expected a number of Hz for '${name}', got ${describeValue(value)}`)
  }
  return value
}
