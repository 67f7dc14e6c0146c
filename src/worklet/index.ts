// The page's side of an AudioWorklet; that of the worklet is lstm-wasm/processor.
import { LstmError } from '../errors.ts'
import { Model, type OutputDTypes } from '../model/model.ts'
import { count, readOptions, TEXT, type OptionTable } from '../options.ts'
import { describeValue } from '../values/dtype.ts'
import type { PlatformAudioContext, PlatformAudioNode, PlatformUrl } from '../values/platform.ts'
import { tagOf } from '../values/realm.ts'
import { packModel, type ProcessorOptions } from './options.ts'

export type { ProcessorOptions } from './options.ts'

/** Options of `createWorklet`. */
export interface WorkletOptions {
  /** Channels that the model is run on, each with a state of its own: 1, 2 ... Default 1; inputs are mixed to so many. */
  readonly channels?: number | undefined
}

/** Options of `createWorkletNode`. */
export interface WorkletNodeChoice extends WorkletOptions {
  /** Address of the file `dist/processor.js`. Default: beside this one, where bundlers and servers of the whole package put it. */
  readonly processorUrl?: string | PlatformUrl | undefined
}

/** Options for `new AudioWorkletNode`: one input and one output of the same number of channels. */
export interface WorkletNodeOptions {
  /** One input. */
  readonly numberOfInputs: 1
  /** One output. */
  readonly numberOfOutputs: 1
  /** As many channels as the option `channels` says. */
  readonly outputChannelCount: [number]
  /** As many channels as the option `channels` says; inputs are mixed to them. */
  readonly channelCount: number
  /** Not as many as happen to be connected. */
  readonly channelCountMode: 'explicit'
  /** What the processor makes its model of. */
  readonly processorOptions: ProcessorOptions
}

const WORKLET_OPTIONS: OptionTable<WorkletOptions> = { channels: count(1, 32) }
const NODE_OPTIONS: OptionTable<WorkletNodeChoice> = {
  ...WORKLET_OPTIONS, processorUrl: { expected: 'an address', test: (value) => TEXT.test(value) || tagOf(value) === 'URL' },
}

/**
 * What a processor needs to make the model anew: `new AudioWorkletNode(context, name, createWorkletOptions(model))`, and
 * there `createProcessorModel(options.processorOptions)`. The weights are copied, and the binary is the one that the model's
 * runtime has compiled already; the model may be disposed afterwards. Other data for the processor can be added to `processorOptions`.
 *
 * @throws LstmError `VALUE` for what is no model, or a number of channels that is not accepted
 */
export function createWorkletOptions(model: Model<OutputDTypes>, options: WorkletOptions = {}): WorkletNodeOptions {
  if (!(model instanceof Model)) throw new LstmError('VALUE', `createWorkletOptions: expected a model of load() or compile(), got ${describeValue(model)}`)
  const { channels = 1 } = readOptions(options, WORKLET_OPTIONS, 'createWorkletOptions')
  return {
    numberOfInputs: 1,
    numberOfOutputs: 1,
    outputChannelCount: [channels],
    channelCount: channels,
    channelCountMode: 'explicit',
    processorOptions: packModel(model),
  }
}

/**
 * An audio node that runs a model on each channel, sample by sample: for models with one input [batch, timesteps, 1] and
 * one output [batch, timesteps, 1], whose sample rate is the context's.
 *
 * `node.port.postMessage('reset')` makes it forget what it has heard; `'dispose'` ends it.
 *
 * @throws LstmError `ENVIRONMENT` where there are no AudioWorklets, `UNSUPPORTED`, `SHAPE` or `VALUE` for a model that is
 *   no such one, `VALUE` for a number of channels that is not accepted
 */
export async function createWorkletNode(
  context: PlatformAudioContext, model: Model<OutputDTypes>, options: WorkletNodeChoice = {},
): Promise<PlatformAudioNode> {
  const { processorUrl, ...choice } = readOptions(options, NODE_OPTIONS, 'createWorkletNode')
  const nodeOptions = createWorkletOptions(model, choice)
  checkAudioModel(model)
  if (context?.audioWorklet === undefined || typeof AudioWorkletNode === 'undefined') {
    throw new LstmError('ENVIRONMENT', 'createWorkletNode: the context has no audioWorklet: browsers have them on pages from https: or localhost only')
  }
  const url = processorUrl ?? besideThisFile()
  try {
    await context.audioWorklet.addModule(url)
  } catch (cause) {
    throw new LstmError('ENVIRONMENT', `createWorkletNode: cannot load ${JSON.stringify(String(url))} as a worklet: ${String(cause)}; ${WAY_TO_PROCESSOR}`, { cause })
  }
  return new AudioWorkletNode(context, 'lstm-wasm', nodeOptions)
}

const WAY_TO_PROCESSOR = "serve dist/processor.js of lstm-wasm and give its address: createWorkletNode(context, model, { processorUrl: '/processor.js' })"

/** Written so that bundlers see the file and copy it. Scripts and CommonJS files do not know where they are. */
function besideThisFile(): URL {
  if (typeof import.meta.url !== 'string') throw new LstmError('ENVIRONMENT', `createWorkletNode: a script does not know its own address; ${WAY_TO_PROCESSOR}`)
  return new URL('./processor.js', import.meta.url)
}

/** @throws LstmError unless one number goes in and one comes out at every step */
function checkAudioModel(model: Model<OutputDTypes>): void {
  const stream = model.stream()
  try {
    stream.step(new Float32Array(1), new Float32Array(1))
  } finally {
    stream.dispose()
  }
}
