// From AIDA-X's JSON, which test/python/train_amp.py wrote, to the file that the page loads: run once, after training.
import { writeFile } from 'node:fs/promises'
import { load } from 'lstm-wasm'

const model = await load(new URL('../../test/golden/amp/amp.json', import.meta.url))
await writeFile(new URL('valve.safetensors', import.meta.url), model.save())
