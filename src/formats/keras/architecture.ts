// A model's description as JSON: of a file, or what a caller gives for a file that has weights only.
import { LstmError } from '../../errors.ts'
import { type Json } from '../json.ts'
import { malformed } from './settings.ts'

/** @throws LstmError `FORMAT` for text that is no JSON */
export function parseJson(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw malformed(`${what} is not JSON: ${String(cause)}`, cause)
  }
}

/** What a caller gives as text or as an object. @throws LstmError `VALUE` for an object that is no JSON */
export function parseArchitecture(architecture: string | object): Json {
  if (typeof architecture === 'string') return parseJson(architecture, 'architecture')
  try {
    return JSON.parse(JSON.stringify(architecture)) as Json
  } catch (cause) {
    throw new LstmError('VALUE', `Keras: expected what model.to_json() gave for 'architecture', got an object that is no JSON: ${String(cause)}`, { cause })
  }
}
