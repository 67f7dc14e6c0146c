// Entry point of `lstm-wasm/training`.
export {
  earlyStopping, learningRateScheduler, modelCheckpoint, reduceOnPlateau, type Callback, type EarlyStoppingOptions, type Logs, type Mode,
  type ModelCheckpointOptions, type ReduceOnPlateauOptions, type TrainingControl,
} from './fitting/callbacks.ts'
export type { Data, NamedData, Targets } from './fitting/arrays.ts'
export type { WeightOptions } from './fitting/dataset.ts'
export type { FitProgress, FitResult, History } from './fitting/fit.ts'
export type { MetricName, Metrics } from './fitting/metrics.ts'
export type { Trainer, TrainerSettings } from './fitting/trainer.ts'
export {
  createTrainer, resumeTrainer, type CreateTrainerOptions, type SamePlace, type TrainerOptions, type TrainerPlace, type WorkerPlace,
} from './create-trainer.ts'
export type { ModelTrainer } from './model-trainer.ts'
export type { WorkerTrainer } from './worker/worker-trainer.ts'
export type {
  BatchSource, DatasetBatch, EvaluateOptions, FitDatasetOptions, FitOptions, PredictOptions, TrainOnBatchOptions, ValidationData,
} from './fitting/trainer-options.ts'
export type { ClassWeight } from './fitting/weights.ts'
export type { WeightSpec } from './first-weights.ts'
export { initialStateDict, type InitializerName, type Initializers } from './initializers.ts'
export {
  categoricalCrossentropy, meanSquaredError, sparseCategoricalCrossentropy, type CtcOptions, type EsrOptions, type HuberOptions, type Loss, type LossName,
  type LossOptions, type ProbabilityOptions, type Reduction, type SparseOptions,
} from './descriptions/losses.ts'
export { binaryCrossentropy, ctc, esr, huber, meanAbsoluteError } from './descriptions/more-losses.ts'
export { rmsprop, sgd } from './descriptions/more-optimizers.ts'
export type { NamedLosses, OutputLoss } from './descriptions/output-losses.ts'
export {
  adam, adamw, type AdamOptions, type Optimizer, type OptimizerName, type OptimizerOptions, type RmspropOptions,
  type SgdOptions,
} from './descriptions/optimizers.ts'
export { constantRate, type Progress, type Schedule, type Span } from './descriptions/rates.ts'
export {
  cosineDecay, exponentialDecay, stepDecay, warmUp, type CosineDecayOptions, type ExponentialDecayOptions, type StepDecayOptions, type WarmUpOptions,
} from './descriptions/schedules.ts'
