import { cannotImport } from '../errors.ts'
import type { StreamMaker } from '../streams/maker.ts'

/** The chunk that makes streams: loaded with the first model. In `lstm-wasm/core`, late-streams-given.ts stands in its place. */
export async function loadStreams(): Promise<StreamMaker | false> {
  try {
    return (await import('../streams/index.ts')).streams
  } catch (cause) {
    return cannotImport(cause, 'streams', "import { streams } from 'lstm-wasm/streams', load(source, { streams }), or streams: false")
  }
}
