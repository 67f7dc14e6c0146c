import type { StreamMaker } from '../streams/maker.ts'

/** In the place of late-streams.ts in `lstm-wasm/core`: models have streams where the caller gives the option `streams`. */
export async function loadStreams(): Promise<StreamMaker | false> {
  return false
}
