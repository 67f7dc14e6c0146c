import { readFile } from 'node:fs/promises'
import { load, LstmError } from '../../index.ts'
import { createTrainer, resumeTrainer, type Callback, type FitProgress, type History, type ModelTrainer } from '../../training/index.ts'
import { COMMON_OPTIONS, onlyFile, parseArguments, UsageError } from '../arguments.ts'
import { checkWritable, writeBytes } from '../conversion-target.ts'
import { cannotRead } from '../file-errors.ts'
import { interruptible } from '../interrupt.ts'
import { clearStatus, grouped, printable, showStatus, timeLeft } from '../terminal.ts'
import { callbacksOf, layersOf, readConfig, type TrainConfig } from './train-config.ts'
import { beside, readInputs, readTargets, type DataPair } from './train-data.ts'
import { plot } from './train-plot.ts'

export const TRAIN_HELP: string = `\
Trains layers with data from files, and writes the model as a self-describing safetensors file.
Everything is told in a JSON file; names of files in it are seen from its own folder.

Usage
  lstm-wasm train CONFIG.json [--resume]

The file
  input           shape of a row: [28, 28] is 28 timesteps of 28 features
  layers          [{ "layer": "lstm", "units": 64 }, { "layer": "dense", "units": 10 }]:
                  lstm, gru, simpleRnn, dense, embedding, conv1d, activation, dropout, batchNorm,
                  layerNorm, lastStep, with the options of the layers
  from            instead of layers a model file of any format, whose training goes on:
                  "model.onnx"
  freeze          names of layers or weights that stay as they are: ["lstm"]
  trainable       names of constants that learn besides the weights
  data            { "x": "x.npy", "y": "y.csv", "validationSplit": 0.1 }, or with
                  "validation": { "x": ..., "y": ... }; .npy, .csv or .json; several inputs
                  or outputs by name: "y": { "kind": "kind.csv", "size": "size.csv" }
  loss            "sparseCategoricalCrossentropy", "categoricalCrossentropy", "binaryCrossentropy",
                  "meanSquaredError" ("mse"), "meanAbsoluteError" ("mae"), "huber", "esr", or an object
                  with options: { "loss": "huber", "delta": 0.5 }; for several outputs by name
  lossWeights     what each of these counts: { "size": 0.5 }
  optimizer       "adam" (default), "adamw", "sgd", "rmsprop", or { "optimizer": "adam",
                  "learningRate": 0.004 }; the rate may be { "schedule": "cosine", "rate": 0.004,
                  "epochs": 3 }
  metrics         ["accuracy"]
  epochs, batchSize, shuffle, seed, classWeight, initializers
                  as fit and createTrainer take them: docs/training.md
  earlyStopping, reduceOnPlateau
                  { "monitor": "valLoss", "patience": 3, "restoreBestWeights": true }
  model           file to write the model to, which load() reads
  checkpoint      file to write all that training goes on from, which resumeTrainer() reads

Ctrl-C ends a training early, and writes both files as the model is then.

Options
      --resume    goes on from the checkpoint, until there are as many epochs as the file says: the
                  net, loss, optimizer, metrics and seed are those of the checkpoint, all else is the file's
  -h, --help      this help
  --verbose       on an error, also the whole message and the stack

Examples
  lstm-wasm train waves.json
  lstm-wasm train waves.json --resume

Exit codes: 0 done, 1 a file cannot be read or written, or training failed, 2 the command line is
wrong, 130 Ctrl-C stopped it.
`

/** `lstm-wasm train`. */
export async function train(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args, { ...COMMON_OPTIONS, resume: 'boolean' })
  const file = onlyFile(parsed, 'one configuration: CONFIG.json')
  const config = await readConfig(file)
  const { epochs = 1, batchSize, shuffle, classWeight, data } = config
  for (const written of filesOf(file, config)) await checkWritable(written)
  showStatus('reading the data ...')
  const resumes = parsed.flags.has('resume')
  const trainer = resumes ? await resumed(file, config) : await begun(file, config)
  try {
    if (resumes && trainer.epoch >= epochs) {
      clearStatus()
      process.stdout.write(`${printable(config.checkpoint as string)}: ${trainer.epoch} of ${epochs} epochs are over; with more "epochs" in ${file} it goes on\n`)
      return 0
    }
    const pair = async ({ x, y }: DataPair) => [await readInputs(file, x, trainer.engine.inputs), await readTargets(file, y)] as const
    const [x, y] = await pair(data)
    const validationData = data.validation && await pair(data.validation)
    const { history } = await interruptible((signal) => trainer.fit(x, y, {
      epochs, initialEpoch: trainer.epoch, batchSize, shuffle, classWeight, validationSplit: data.validationSplit, validationData,
      callbacks: [...callbacksOf(config), epochLines(epochs)], signal, onProgress: showTraining,
    })).catch(async (error: unknown) => {
      if (error instanceof LstmError && error.code === 'ABORTED' && trainer.steps > 0) {
        const further = config.checkpoint === undefined ? '' : '; the same command with --resume goes on'
        process.stderr.write(`${await writeTrained(trainer, file, config)}, after ${grouped(trainer.steps)} steps${further}\n`)
      }
      throw error
    })
    const line = await writeTrained(trainer, file, config)
    process.stdout.write(`\n${plotsOf(history)}\n${line}\n`)
    return 0
  } finally {
    trainer.dispose()
  }
}

/** A trainer of the layers or the model that the file says. */
async function begun(file: string, config: TrainConfig): Promise<ModelTrainer> {
  const { from, freeze = [], loss, lossWeights, optimizer, metrics, seed, trainable, initializers } = config
  const model = from === undefined ? undefined : await load(beside(file, from))
  const trainer = await createTrainer(model ?? layersOf(config, file), { loss, lossWeights, optimizer, metrics, seed, trainable, initializers })
  model?.dispose()
  try {
    trainer.freeze(freeze)
  } catch (error) {
    trainer.dispose()
    throw error
  }
  return trainer
}

/** The trainer of the checkpoint. @throws UsageError where the file names none */
async function resumed(file: string, { checkpoint }: TrainConfig): Promise<ModelTrainer> {
  if (checkpoint === undefined) throw new UsageError(`--resume: ${file} has no "checkpoint" to go on from`)
  const name = beside(file, checkpoint)
  return resumeTrainer(await readFile(name).catch((cause: unknown) => {
    throw cannotRead(`'${name}'`, cause)
  }))
}

/** What is written: the model, and the checkpoint where one is asked for. */
function filesOf(file: string, { model, checkpoint }: TrainConfig): readonly string[] {
  return [model, ...checkpoint === undefined ? [] : [checkpoint]].map((name) => beside(file, name))
}

/** Writes them as the trainer is now. @returns the line that says so */
async function writeTrained(trainer: ModelTrainer, file: string, config: TrainConfig): Promise<string> {
  const trained = await trainer.model()
  const bytes = trained.save()
  trained.dispose()
  const [model, checkpoint] = filesOf(file, config)
  await writeBytes(model as string, bytes)
  if (checkpoint !== undefined) await writeBytes(checkpoint, trainer.save())
  clearStatus()
  return `${printable(config.model)}: ${grouped(bytes.length)} bytes`
}

/** The last line of the terminal: how far it is, loss, metrics, time left. */
function showTraining({ epoch, epochs, done, total = done, loss, metrics, secondsLeft }: FitProgress): void {
  const width = 24
  const filled = Math.round(width * done / total)
  const numbers = Object.entries({ loss, ...metrics }).map(([name, value]) => `${name} ${value.toFixed(4)}`).join(', ')
  showStatus(`epoch ${epoch}/${epochs} [${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${numbers}${timeLeft(secondsLeft)}`)
}

/** A line for each epoch. */
function epochLines(epochs: number): Callback {
  return {
    onEpochEnd(epoch, logs) {
      clearStatus()
      const numbers = Object.entries(logs).filter(([name]) => name !== 'learningRate').map(([name, value]) => `${name} ${value.toFixed(4)}`).join(', ')
      process.stdout.write(`epoch ${epoch + 1}/${epochs}: ${numbers}\n`)
    },
  }
}

/** Charts of the loss and of each metric, with those of the validation data in the same one. */
function plotsOf(history: History): string {
  return Object.entries(history).filter(([name]) => name !== 'learningRate' && !name.startsWith('val')).map(([name, values]) => {
    const other = `val${(name[0] as string).toUpperCase()}${name.slice(1)}`
    return `${plot(name, { training: values, ...history[other] !== undefined && { validation: history[other] } })}\n`
  }).join('\n')
}
