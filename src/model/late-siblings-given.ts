import { readSibling } from './siblings.ts'

/** In the place of late-siblings.ts in `lstm-wasm/core`, which loads nothing later. */
export async function loadSiblings(): Promise<typeof readSibling> {
  return readSibling
}
