// Three images that come with lstm-wasm, read row by row by an LSTM of 8 units. Put your own model in their place.
import { load } from 'lstm-wasm'
import { readNpy } from 'lstm-wasm/npy'
import imagesUrl from 'lstm-wasm/examples/digits.npy?url'
import modelUrl from 'lstm-wasm/examples/digits.safetensors?url'

const model = await load(modelUrl)
const { probs } = model.run({ rows: await readNpy(imagesUrl) })
const digits = probs.toArray().map((image) => image.indexOf(Math.max(...image)))
document.querySelector('#answer').textContent = `The images show ${digits.join(', ')}.`
