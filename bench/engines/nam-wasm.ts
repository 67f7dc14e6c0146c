// NeuralAmpModelerCore in WebAssembly (@opendaw/nam-wasm), for amplifiers: an LSTM over single samples and a dense layer to one.
import { loadPeer } from '../peers/load.ts'
import { readBytes } from '../files.ts'
import { ROOT } from '../places.ts'
import type { Case, PreparedCase } from '../cases.ts'
import type { Engine, Instance } from './engine.ts'

/** Its own: what an AudioWorklet gives at a time. */
const BLOCK = 128
const RATE = 48000

/** One LSTM over one feature, and one output. */
function isAmplifier({ layers: [lstm, dense, ...more], mode, features }: Case) {
  return mode === 'sequence' && features === 1 && lstm?.kind === 'lstm' && lstm.numLayers === 1 && !lstm.bidirectional && lstm.returnSequences
    && dense?.kind === 'dense' && dense.units === 1 && dense.activation === 'linear' && more.length === 0
}

/** A .nam file: for each row of gates weights over [x; h], the sum of both biases, first states, the dense layer. */
function writeNam({ layers, tensors }: PreparedCase) {
  const [lstm, dense] = layers
  if (lstm?.kind !== 'lstm' || dense === undefined) throw new TypeError(`expected an LSTM and a dense layer, got ${layers.map(({ kind }) => kind).join(', ')}`)
  const { name, hiddenSize: units } = lstm
  const of = (tensor: string) => Array.from(tensors.get(tensor)?.data ?? [], Number)
  const [input, recurrent, first, second] = ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0'].map((tensor) => of(`${name}.${tensor}`))
  const rows = Array.from({ length: 4 * units }, (_, row) => [input[row], ...recurrent.slice(row * units, (row + 1) * units)])
  const zeros = new Array<number>(2 * units).fill(0)
  const weights = [...rows.flat(), ...first.map((value, n) => value + (second[n] ?? 0)), ...zeros, ...of(`${dense.name}.weight`), ...of(`${dense.name}.bias`)]
  return JSON.stringify({ version: '0.5.4', architecture: 'LSTM', config: { input_size: 1, hidden_size: units, num_layers: 1 }, weights, sample_rate: RATE })
}

let loaded: Promise<any> | undefined

function loadNam() {
  loaded ??= loadPeer('@opendaw/nam-wasm').then(async ({ createNamModule, NamWasmModule }) => {
    const wasm = await readBytes(new URL('bench/peers/node_modules/@opendaw/nam-wasm/dist/nam.wasm', ROOT))
    const nam = NamWasmModule.fromModule(await createNamModule({ wasmBinary: wasm.buffer }))
    nam.setSampleRate(RATE)
    return nam
  })
  return loaded
}

async function create(prepared: PreparedCase): Promise<Instance> {
  const nam = await loadNam()
  const id: number = nam.createInstance()
  if (!nam.loadModel(id, writeNam(prepared))) throw new Error('it does not take the model')
  const [x] = prepared.inputs
  const y = new Float32Array(x.length)
  const blocks = Array.from({ length: x.length / BLOCK }, (_, n) => [x, y].map((all) => all.subarray(n * BLOCK, (n + 1) * BLOCK)))
  return {
    async: false,
    run() {
      for (const [from, to] of blocks) nam.process(id, from, to)
    },
    output: () => y,
    dispose: () => nam.destroyInstance(id),
  }
}

export const namWasm: Engine = {
  name: 'nam-wasm',
  variants: ['simd'],
  settings: `blocks of ${BLOCK} samples by its process, as in an AudioWorklet; it warms its states up with silence and goes on from call to call, so that the first samples are not compared`,
  packages: ['@opendaw/nam-wasm'],
  tolerance: 1e-3,
  settles: 4800,
  supports: isAmplifier,
  available: loadNam,
  create,
}
