import { LstmError } from '../errors.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import { atLeast, count, FLAG, LIST, NUMBER, oneOf, RECORD, TEXT, type OptionTable } from '../options.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import type { Budget } from './budget.ts'

/** A model file, and the files beside it that it may refer to (weight shards, external data). */
export interface ModelFiles {
  readonly bytes: Uint8Array
  /** Name of the file where it is known: `model.json`. For messages. */
  readonly name: string | undefined
  /** The path or URL it was loaded from, where there is one: code in messages loads it from there. */
  readonly location?: string | undefined
  /**
   * A file beside it, by relative name.
   * @throws LstmError `ENVIRONMENT` when there is no such file, or no place to look for it
   */
  sibling(name: string): Promise<Uint8Array>
  /** Makes the operators of these nodes known: for readers that do not bring all operators themselves. */
  readonly loadOperators?: (nodes: readonly GraphNode[]) => Promise<void>
}

/** What the arguments of a cell of TensorFlow 1 were: files do not say. */
export interface Tensorflow1CellOptions {
  /** Added to the forget gate at run time. Default 1, as in TensorFlow (0 for CudnnCompatibleLSTMCell, which adds none). */
  readonly forgetBias?: number | undefined
  /** Of the candidate and of c on its way out: a function of one variable. Default `tanh`. */
  readonly activation?: string | undefined
  /** `cell_clip`: c is clamped to [-cellClip, cellClip]. Default: not. */
  readonly cellClip?: number | undefined
  /** `proj_clip`: h is clamped after the projection. Default: not. */
  readonly projClip?: number | undefined
}

/** What the code around the cells of TensorFlow 1 was: files do not say. */
export interface Tensorflow1Options extends Tensorflow1CellOptions {
  /** Options of each layer, instead of the same for all; forward layers before backward ones. Default: the same for all. */
  readonly cells?: readonly Tensorflow1CellOptions[] | undefined
  /** Every cell is in a `ResidualWrapper`: its input is added to its output. Default false. */
  readonly residual?: boolean | undefined
  /** `time_major`, PyTorch's `batch_first=False`: sequences are [timesteps, batch, features]. Default false. */
  readonly timeMajor?: boolean | undefined
  /** Whether there is an input `sequence_length` [batch] int32; outputs beyond it are zero. Default false. */
  readonly sequenceLength?: boolean | undefined
}

/** How an audio model is run at another sample rate than it was trained at. */
export interface SampleRateOptions {
  /**
   * RTNeural: the rate of the samples that the model is given, in Hz, at least that of its training. Its LSTMs then begin each
   * step from the state of `sampleRate / trainingSampleRate` samples before. Default: that of the training.
   */
  readonly sampleRate?: number | undefined
  /** RTNeural: the rate it was trained at, in Hz. Default: what the file says (`samplerate`, AIDA-X). */
  readonly trainingSampleRate?: number | undefined
  /** RTNeural's `SampleRateCorrectionMode`; `NoInterp` is for whole multiples of the rate. Default `LinInterp`. */
  readonly sampleRateCorrection?: 'LinInterp' | 'NoInterp' | undefined
}

/** Keras 1 and 2; Keras 3.0 to 3.3; 3.4 to 3.10; 3.11 and newer; TensorFlow.js. */
export type KerasDialect = 'keras2' | 'keras3.0' | 'keras3.4' | 'keras3' | 'tfjs'

/** What a caller may tell a reader that a file does not say. Each reader takes some of these, and others are refused. */
export interface FormatOptions extends Tensorflow1Options, SampleRateOptions {
  /** ONNX, Keras, TensorFlow.js: fixes inputs of the file to constants, by name; what depends on them alone is computed at once. Default: none. */
  readonly constants?: Readonly<Record<string, ArrayLike | number>> | undefined
  /** ONNX: the seed of random numbers, int32. Each run draws others; the n-th always has the same ones. Default: models that draw some are refused. */
  readonly seed?: number | undefined
  /** PyTorch, RTNeural, NAM: nothing has an axis for the batch, as PyTorch takes and gives it. Default false. */
  readonly unbatched?: boolean | undefined
  /** Keras, TensorFlow.js: what `model.to_json()` gave, as text or parsed, for a file that has weights only. Default: what the file says. */
  readonly architecture?: string | object | undefined
  /**
   * Keras, TensorFlow.js: in whose sense the file is read, who computed with the model when it was trained. Default: as the file says.
   * They differ in `hard_sigmoid`, in defaults, and in what masks do.
   */
  readonly dialect?: KerasDialect | undefined
  /** Keras, TensorFlow.js: the batch of a model that keeps its states from call to call (`stateful=True`). Default: the one the file fixes. */
  readonly batch?: number | undefined
  /** PyTorch: whether the sequences of a bare `torch.nn.LSTM`, `GRU` or `RNN` are [batch, timesteps, features]; false is `timeMajor: true`. Default true. */
  readonly batchFirst?: boolean | undefined
  /** PyTorch: which entry of a checkpoint holds the state dict: `'model'`. Default: the only one that does. */
  readonly key?: string | undefined
}

/** Options of a cell of TensorFlow 1. */
export const CELL_OPTIONS: OptionTable<Tensorflow1CellOptions> = {
  forgetBias: NUMBER, activation: TEXT, cellClip: atLeast(0), projClip: atLeast(0),
}

/** What each option of a reader may be; which of them a format has, its reader says. */
export const FORMAT_OPTIONS: OptionTable<FormatOptions> = {
  ...CELL_OPTIONS,
  cells: LIST,
  residual: FLAG,
  timeMajor: FLAG,
  sequenceLength: FLAG,
  sampleRate: NUMBER,
  trainingSampleRate: NUMBER,
  seed: NUMBER,
  sampleRateCorrection: oneOf(['LinInterp', 'NoInterp']),
  constants: RECORD,
  unbatched: FLAG,
  architecture: { expected: "text or an object (Keras's JSON)", test: (value) => TEXT.test(value) || RECORD.test(value) },
  batchFirst: FLAG,
  key: TEXT,
  batch: count(1),
  dialect: oneOf(['keras2', 'keras3.0', 'keras3.4', 'keras3', 'tfjs'] satisfies readonly KerasDialect[]),
}

/** A file format: how its files begin, and how they become a graph. */
export interface FormatReader {
  /** As messages call it: `ONNX`. */
  readonly name: string
  /** Which options it takes. */
  readonly options: readonly (keyof FormatOptions)[]
  /** Whether the bytes look like this format: cheap, and never throws. */
  detect(bytes: Uint8Array): boolean
  /**
   * @param budget what the load may take; default: one for this file
   * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` listing at once everything in it that cannot be run
   */
  read(files: ModelFiles, options: FormatOptions, budget?: Budget): Promise<Graph>
}

/** Files that are known by their bytes alone. */
export function onlyBytes(bytes: Uint8Array, name?: string): ModelFiles {
  return {
    bytes,
    name,
    async sibling(wanted) {
      throw new LstmError('ENVIRONMENT', `the model refers to the file ${JSON.stringify(wanted)}, but only the bytes of the model itself were given; give load() its path or URL, or the option 'files'`)
    },
  }
}
